"""`export`: applying the export of a live host changes nothing, and creates the same on an empty one."""
import contextlib
import json
import os

from declare import document, lan
from engines import running
from features import QUEUE_LENGTH
from host import same
from random_sets import Sets
from registry import test

import yaml

WHOLE = """
name: lab
networks:
  lan:
    parent: eth0
    mtu: 1400
    host: true
    subnets:
      - {subnet: 172.16.86.0/24, gateway: 172.16.86.1}
      - {subnet: "fd00:86::/64", gateway: "fd00:86::1"}
  dmz: {parent: eth0, mode: private, bcqueuelen: 50, subnet: 10.8.0.0/16, gateway: 10.8.0.1}
containers:
  web:
    networks:
      lan: {routes: [{to: 192.168.0.0/16, via: 172.16.86.254}]}
      dmz: {gw_priority: 4, interface_name: dmz0}
  database:
    netns: db
    networks: {dmz: {mac_address: 02:00:00:00:00:07}}
---
networks: {n: {parent: eth0, subnet: 192.168.1.0/24}}
containers: {x: {netns: /run/netns/web, networks: {n: {interface_name: other}}}}
"""


def exported(host, *arguments, **options):
    """The text, parsed by another program, too."""
    out = host.mvapply("export", *arguments, **options).out
    return out, list(yaml.safe_load_all(out))


@test("export: two sets, whose declarations change nothing", features=[QUEUE_LENGTH])
def whole(host):
    host.netns("web", "db")
    host.apply(WHOLE)
    text, documents = host.silently("export", lambda: exported(host))
    host.unchanged(text)
    default, lab = documents
    same(default, {"networks": {"n": {"parent": "eth0", "subnet": "192.168.1.0/24"}},
                   "containers": {"x": {"netns": "web", "networks": {"n": {
                       "ipv4_address": "192.168.1.2", "interface_name": "other"}}}}}, "default")
    same(lab["containers"], {
        "database": {"netns": "db", "networks": {"dmz": {
            "ipv4_address": "10.8.0.3", "mac_address": "02:00:00:00:00:07"}}},
        "web": {"networks": {
            "lan": {"ipv4_address": "172.16.86.2", "ipv6_address": "fd00:86::2",
                    "routes": [{"to": "192.168.0.0/16", "via": "172.16.86.254"}]},
            "dmz": {"ipv4_address": "10.8.0.2", "interface_name": "dmz0"}}}}, "containers")
    same(lab["networks"]["dmz"], {"parent": "eth0", "mode": "private", "subnet": "10.8.0.0/16",
                                  "gateway": "10.8.0.1",
                                  **({"bcqueuelen": 50} if host.has(QUEUE_LENGTH) else {})}, "a network")
    same(host.mvapply("export", "-o", "json").json["documents"], documents, "as JSON")


@test("export: one set by --name or by its file; an unknown set is an error")
def selected(host):
    host.netns("web", "db")
    host.apply(WHOLE)
    text, documents = exported(host, "--name", "lab")
    same([item["name"] for item in documents], ["lab"], "by name")
    same(exported(host, "-f", host.write("name: lab"))[0], text, "by its file")
    done = host.mvapply("export", "--name", "lab", "--name", "shop", code=1)
    assert done.out == "" and '"shop"' in done.err, done
    host.mvapply("export", "-f", host.write("name: [", "bad.yaml"), code=3)
    same(exported(host, "--name", "default")[1][0].keys(), {"networks", "containers"}, "default")


@test("export: a host without managed objects is an error, and no file is written")
def nothing(host):
    for words, message in ((["--adopt"], "there is no macvlan, ipvlan or macvtap link on this host"),
                           ([], "mvapply manages no link on this host")):
        done = host.mvapply("export", *words, code=1)
        same((done.out, f"mvapply: error: nothing to export: {message} [MV0915]" in done.err), ("", True), done)
        written = host.mvapply("export", *words, "-o", "json", code=1).json
        same((written["exit_code"], written["errors"][0]["code"]), (1, "MV0915"), "as JSON")
        host.batch("host", ["link add theirs link eth0 type macvlan mode bridge"] if words else [])
    assert "`mvapply export --adopt`" in done.err, done
    text, documents = exported(host, "--adopt")
    assert documents, text


@test("export: VLANs, one nested and one unused", needs=["vlan"])
def vlans(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name theirs type vlan id 30", "link set theirs up"])
    text = document({"outer": lan(vlan=100, vlan_protocol="802.1ad"),
                     "inner": lan(parent="eth0.100", vlan=7, subnet="10.7.0.0/24", gateway=None),
                     "given": lan(vlan=30, subnet="10.30.0.0/24", gateway=None),
                     "island": {"internal": True, "subnet": "10.9.0.0/24"}},
                    {"web": ["inner", "given"]})
    host.apply(text)
    out, documents = exported(host)
    same({name: (body.get("parent"), body.get("vlan"), body.get("vlan_protocol"))
          for name, body in documents[0]["networks"].items()},
         {"given": ("eth0", 30, None), "vlan100": ("eth0", 100, "802.1ad"),
          "inner": ("eth0.100", 7, None), "island": (None, None, None)}, "networks")
    assert "so its subnet is unknown" in out, out
    host.unchanged(out)
    host.delete(out)
    again = host.snapshot("host", final_state=True)
    host.apply(out)
    assert host.snapshot("host", final_state=True) != again, "nothing was made"
    host.unchanged(out)


def compare_random_sets(host, seeds, **options):
    names = ["web", "db", "ci"]
    host.netns(*names)
    for seed in range(seeds):
        text = Sets(seed, names, **options).document(f"set{seed}")
        host.apply(text)
        out = exported(host)[0]
        before = host.snapshot(final_state=True)
        same(host.mvapply("diff", "-f", host.write(out), code=0).plan, [], f"of {text}")
        host.delete(out)
        assert not host.names("web"), "it is still there"
        host.apply(out)
        same(without_ids(host.snapshot(final_state=True)), without_ids(before), "made anew")
        host.delete(out)


@test("export: exported random sets do not differ from the host")
def random_sets(host):
    compare_random_sets(host, 6)


@test("export: random sets with macvtap, likewise", needs=["macvtap"])
def random_macvtaps(host):
    compare_random_sets(host, 3, drivers=("macvlan", "macvtap"))


def without_ids(snapshot):
    """Without values that a link gets anew each time it is created."""
    return {key: {name: item for name, item in value.items()
                  if name not in ("ifindex", "link_index")} if isinstance(value, dict) else value
            for key, value in snapshot.items()}


SYSCTLS = """
networks:
  n: {parent: eth0, mtu: 1400, subnets: [{subnet: 10.8.0.0/24}, {subnet: "fd00:8::/64"}]}
  plain: {parent: eth0, subnet: 10.9.0.0/24}
containers:
  web:
    networks:
      n:
        interface_name: net.8
        sysctls:
          net.ipv4.conf.IFNAME.rp_filter: 2
          net.ipv4.conf.IFNAME.arp_notify: 0
          net.ipv6.conf.IFNAME.accept_ra: 2
          net.ipv6.conf.IFNAME.mtu: 1300
          net.ipv4.neigh.IFNAME.base_reachable_time_ms: 1500
          net.ipv6.neigh.IFNAME.ucast_solicit: 7
      plain: {}
  db: {networks: [plain]}
"""


def settings(host, space, link):
    """Every sysctl of the link, from the kernel's files."""
    found = {}
    with host.inside(space):
        for folder in ("ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"):
            for name in os.listdir(f"/proc/sys/net/{folder}/{link}"):
                with contextlib.suppress(OSError), \
                        open(f"/proc/sys/net/{folder}/{link}/{name}", encoding="ascii") as file:
                    found[f"{folder}/{name}"] = file.read().strip()
    return found


@test("export: the sysctls that a new link would not have, and a new link gets them",
      both=True)
def sysctls(host):
    host.netns("web", "db")
    host.set_sysctl("web", "net/ipv4/conf/default/log_martians", 1)
    host.set_sysctl("db", "net/ipv4/conf/default/rp_filter", 1)
    host.apply(SYSCTLS)
    host.set_sysctl("web", "net/ipv6/conf/net.8/hop_limit", 61)
    text, documents = exported(host)
    same({name: {network: body.get("sysctls") for network, body in item["networks"].items()}
          for name, item in documents[0]["containers"].items()},
         {"web": {"n": {"net.ipv4.conf.IFNAME.rp_filter": "2",
                        "net.ipv6.conf.IFNAME.hop_limit": "61",
                        "net.ipv6.conf.IFNAME.mtu": "1300",
                        "net.ipv4.neigh.IFNAME.base_reachable_time_ms": "1500",
                        "net.ipv6.neigh.IFNAME.ucast_solicit": "7"},
                  "plain": None},
          "db": {"plain": None}}, "sysctls")
    same(documents[0]["networks"]["n"].get("accept_ra"), True, "instead of its sysctl")
    assert "default value of a new link are left out" in " ".join(text.replace("#", "").split()), text
    host.unchanged(text)
    before = settings(host, "web", "net.8")
    assert before["ipv4/conf/log_martians"] == "1" and len(before) > 50, before
    host.delete(text)
    host.apply(text)
    same(settings(host, "web", "net.8"), before, "made anew")
    host.unchanged(text)


@test("export: the secret of stable IPv6 addresses is not exported")
def secret(host):
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    host.set_sysctl("web", "net/ipv6/conf/eth0/stable_secret", "2001:db8::5ec2:e7")
    text, documents = exported(host)
    for key in ("stable_secret", "addr_gen_mode"):
        assert f"its sysctl net.ipv6.conf.IFNAME.{key} is not exported" in text, text
    assert "5ec2" not in text and "sysctls" not in str(documents), text
    host.unchanged(text)


def passthru(host, inherited, **keys):
    """The MAC address in the export of a passthru link: that of the file, or `inherited` without one in the file."""
    host.netns("web")
    own = host.link("host", "eth0")["address"]
    for mac in ("02:00:00:00:86:20", "02:42:ac:10:56:02", None):
        text = document({"n": lan(mode="passthru", **keys)}, {"web": {"n": {"mac_address": mac} if mac else {}}})
        host.apply(text)
        out, documents = exported(host)
        networks = documents[0]["containers"]["web"]["networks"]
        written = networks["n"].get("mac_address") if isinstance(networks, dict) else None
        same(written, mac or inherited, f"the MAC address, of {mac}")
        host.unchanged(out)
        host.delete(text)
        host.apply(out)
        same(host.link("web", "eth0")["address"], mac or own, "created from the export")
        host.unchanged(text)
        host.delete(out)


@test("export: the MAC address of a passthru link", both=True)
def passthru_mac(host):
    passthru(host, host.link("host", "eth0")["address"])


@test("export: the MAC address of a passthru link on a VLAN, which follows the link below", needs=["vlan"])
def passthru_vlan(host):
    passthru(host, None, vlan=10)


@test("export: differences and values without a key are comments")
def comments(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"db": ["n"], "web": ["n"]}))
    host.ip("web", "link set eth0 mtu 1400")
    notes = host.mvapply("export", "-o", "json").json["notes"]
    same([note["at"] for note in notes], ["containers.web.networks.n"], "where")
    assert "mtu is 1400" in json.dumps(notes), notes
    assert "# its mtu is 1400, unlike the network's" in exported(host)[0]


@test("docker: export names the container, not its namespace")
def docker(host):
    with running(host, "docker") as engine:
        engine.run("my-web")
        host.netns("db")
        text = document({"n": lan()}, {"web": {"docker": "my-web", "networks": ["n"]},
                                       "db": ["n"]})
        host.apply(text, env=engine.env)
        out, documents = exported(host, env=engine.env)
        same(documents[0]["containers"]["web"]["docker"], "my-web", "the source")
        assert "netns" not in documents[0]["containers"]["db"], documents
        same(host.mvapply("diff", "-f", host.write(out), code=0, env=engine.env).plan, [], "diff")
        host.delete(text, env=engine.env)


# A manually created link accepts router advertisements, a managed one does not.
HEARS = {"net.ipv6.conf.IFNAME.accept_ra": "1"}


def ifindex(host, space, name):
    return host.link(space, name)["ifindex"]


def taken_over(host, links, **options):
    """export --adopt, then apply --adopt: every link is the same, and is managed. Returns the
    text."""
    before = {place: ifindex(host, *place) for place in links}
    text, documents = host.silently("export", lambda: exported(host, "--adopt", **options))
    plan = host.diff(text, "--adopt", **options).plan
    assert plan and all(line.startswith("~ ") for line in plan), plan
    host.apply(text, "--adopt", **options)
    same({place: ifindex(host, *place) for place in links}, before, "the links")
    for space, name in links:
        assert host.link(space, name)["ifalias"].startswith("mvapply:"), (space, name)
    same(host.diff(text, code=0, **options).plan, [], "diff, now without --adopt")
    same(host.mvapply("diff", "-f", host.write(exported(host, **options)[0]), code=0,
                      **options).plan, [], "diff against a plain export")
    return text, documents


@test("export --adopt: macvlans that were created by hand are adopted in place")
def adopt(host):
    host.netns("web", "db")
    for space, name, more in (("web", "mv0", "address 02:11:22:33:44:55"), ("db", "eth0", ""),
                              ("db", "silent", "")):
        host.ip("host", f"link add link eth0 name tmp0 {more} type macvlan mode bridge")
        host.ip("host", f"link set tmp0 netns {space} name {name}")
    host.batch("web", ["address add 172.16.86.20/24 dev mv0", "link set mv0 up",
                       "route add default via 172.16.86.1",
                       "route add 192.168.0.0/16 via 172.16.86.3"])
    host.batch("db", ["address add 172.16.86.21/24 dev eth0",
                      "address add fd00:86::21/64 dev eth0 nodad", "link set eth0 up"])
    host.batch("host", ["link add link eth0 name way type macvlan mode bridge",
                        "address add 172.16.86.9/24 dev way", "link set way up"])
    routes = host.routes("web")
    text, documents = taken_over(host, [("web", "mv0"), ("db", "eth0"), ("host", "way")])
    same(documents[0]["containers"], {
        "web": {"networks": {"eth0-2": {
            "ipv4_address": "172.16.86.20", "mac_address": "02:11:22:33:44:55",
            "interface_name": "mv0",
            "routes": [{"to": "192.168.0.0/16", "via": "172.16.86.3"}], "sysctls": HEARS}}},
        "db": {"networks": {"eth0": {
            "ipv4_address": "172.16.86.21", "ipv6_address": "fd00:86::21",
            "mac_address": host.link("db", "eth0")["address"], "interface_name": "eth0",
            "sysctls": HEARS}}}},
         "containers")
    same(documents[0]["networks"]["eth0-2"], {
        "parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
        "host": {"ipv4_address": "172.16.86.9", "interface_name": "way"}}, "the network")
    assert "macvlan silent in db is not adopted" in text, text
    same(host.routes("web"), routes, "routes")
    same(host.link("db", "silent").get("ifalias"), None, "what is left")
    host.unchanged(text)


@test("export --adopt: all addresses of a link that was created by hand, and a route from the second one", both=True)
def adopt_addresses(host):
    host.netns("web")
    host.ip("host", "link add link eth0 name mv0 type macvlan mode bridge")
    host.ip("host", "link set mv0 netns /run/netns/web name eth0")
    host.batch("web", ["link set eth0 up", "address add 172.16.86.20/24 dev eth0", "address add 172.16.86.21/24 dev eth0",
                       "address add fd00:86::20/64 dev eth0 nodad", "address add fd00:86::21/64 dev eth0 nodad",
                       "address add 192.0.2.1/32 dev eth0",
                       "route add 10.9.0.0/16 via 172.16.86.9 src 172.16.86.21", "route add fd00:9::/64 via fd00:86::9 src fd00:86::21"])
    every = host.addresses("web", "eth0")
    text, documents = exported(host, "--adopt")
    attachment, = documents[0]["containers"]["web"]["networks"].values()
    same(set(attachment["addresses"]), {item.split("/")[0] for item in every}, "the addresses of the file")
    taken_over(host, [("web", "eth0")])
    same(host.addresses("web", "eth0"), every, "addresses")
    host.delete(text)
    host.apply(text)
    same(host.addresses("web", "eth0"), every, "created from the export")
    host.unchanged(text)


@test("export --adopt: unmanaged links are added to the managed ones, in the named set")
def adopt_beside(host):
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": ["n"]}, name="lab"))
    host.ip("host", "link add link eth0 name tmp0 mtu 1400 type macvlan mode private")
    host.ip("host", "link set tmp0 netns web name other")
    host.batch("web", ["address add 10.8.0.5/16 dev other", "link set other up"])
    text = exported(host, "--adopt", "--name", "lab")[0]
    host.apply(text, "--adopt")
    same(host.link("web", "other")["ifalias"], "mvapply:attach:lab/eth0/web", "its mark")
    host.unchanged(text)


@test("export --adopt: a macvtap", needs=["macvtap"])
def adopt_macvtap(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name tmp0 type macvtap mode vepa", "link set tmp0 netns web name tap0"])
    host.batch("web", ["address add 10.10.0.7/24 dev tap0", "link set tap0 up"])
    documents = taken_over(host, [("web", "tap0")])[1]
    same(documents[0]["networks"], {"eth0": {"driver": "macvtap", "parent": "eth0", "mode": "vepa",
                                             "subnet": "10.10.0.0/24"}}, "networks")


@test("export --adopt: VLAN links and ipvlans", needs=["vlan", "ipvlan"])
def adopt_vlans(host):
    host.netns("web", "db")
    host.batch("host", [
        "link add link eth0 name office mtu 1400 type vlan id 10", "link set office up",
        "address add 10.10.0.5/24 dev office",
        "link add link eth0 name idle type vlan id 20 protocol 802.1ad", "link set idle up",
        "address add 10.20.0.5/24 dev idle",
        "link add link office name tmp0 type macvlan mode private",
        "link set tmp0 netns web name lan0",
        "link add link eth0 name tmp1 type ipvlan mode l3", "link set tmp1 netns db name ipv0",
        "link add link eth0 name tmp2 type vlan id 30", "link set tmp2 netns db name own"])
    host.batch("web", ["address add 10.10.0.7/24 dev lan0", "link set lan0 up"])
    host.batch("db", ["address add 10.30.0.7/24 dev ipv0", "link set ipv0 up"])
    addresses = host.addresses("host", "office"), host.addresses("host", "idle")
    text, documents = taken_over(host, [("host", "office"), ("host", "idle"), ("web", "lan0"),
                                        ("db", "ipv0")])
    same(documents[0]["networks"], {
        "office": {"parent": "eth0", "vlan": 10, "mode": "private", "subnet": "10.10.0.0/24",
                   "mtu": 1400},
        "idle": {"parent": "eth0", "vlan": 20, "vlan_protocol": "802.1ad",
                 "subnet": "10.20.0.0/24"},
        "eth0": {"driver": "ipvlan", "mode": "l3", "parent": "eth0", "subnet": "10.30.0.0/24"}},
         "networks")
    assert "vlan own in db is not adopted: mvapply supports VLAN links on the host only" in text, text
    same((host.addresses("host", "office"), host.addresses("host", "idle")), addresses,
         "the host's own addresses")


@test("docker: export --adopt adopts the link of Docker's own driver", seconds=240)
def adopt_docker(host):
    with running(host, "docker") as engine:
        engine.call("POST", "/networks/create", {
            "Name": "lan", "Driver": "macvlan", "Options": {"parent": "eth0"},
            "IPAM": {"Config": [{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.1"}]}})
        engine.run("my-web", network="lan")
        with engine.space("my-web") as space:
            text, documents = taken_over(host, [(space, "eth0")], env=engine.env)
            container = documents[0]["containers"]["my-web"]
            same((container["docker"], container["networks"]["eth0"]["ipv4_address"]),
                 ("my-web", "172.16.86.2"), "the container")
            same(documents[0]["networks"]["eth0"]["gateway"], "172.16.86.1", "the gateway")
            host.delete(text, env=engine.env)
            same(host.names(space), set(), "links after delete")
