"""`diff -o ip`: the commands, replayed with ip, reach the same state as apply. Both are read with
`ip -j`. And `diff -o markdown`."""
import os
import subprocess

from declare import document, lan
from engines import running
from host import same
from random_sets import Sets
from registry import test


def final_state(host, *names):
    """The whole state, without values that differ between new links: their ifindexes, a dummy's
    MAC."""
    def lasting(value):
        kind = value.get("linkinfo", {}).get("info_kind")
        return {name: item for name, item in value.items() if name not in (
            "ifindex", "link_index", *(["address"] if kind == "dummy" else []))}
    return {key: lasting(value) if isinstance(value, dict) else value
            for key, value in host.snapshot(*names, final_state=True).items()}


def replay(host, text, **options):
    """Runs the commands of `diff -o ip` for the declaration; returns them."""
    script = host.diff(text, "-o", "ip", **options).out
    host.run("sh", "-e", host.write(script, "plan.sh"), code=0, **options)
    done = host.diff(text, code=0, **options)
    same(done.plan, [], "what is left to do after the commands")
    return script


def as_apply(host, before, after):
    """From `before` to `after`, once by apply and once by the commands."""
    host.apply(before)
    host.apply(after)
    expected = final_state(host)
    host.delete(after)
    host.apply(before)
    script = replay(host, after)
    same(final_state(host), expected, f"after\n{script}\nwhich is not as after apply")
    host.delete(after)


DUAL = lan(subnet=None, gateway=None, mtu=1400, host=True,
           subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
OTHER = lan(subnet="10.8.0.0/16", gateway="10.8.0.1", bcqueuelen=50)

EDITS = {
    "a fresh host": ({}, {"n": DUAL, "m": OTHER},
                     {}, {"web": {"n": {"routes": [{"to": "192.168.0.0/16",
                                                    "via": "172.16.86.254"}],
                                        "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}},
                                  "m": {"gw_priority": 4, "interface_name": "lan$x"}},
                          "db": ["n"]}),
    "changes in place": ({"n": DUAL, "m": OTHER},
                         {"n": {**DUAL, "mtu": 1300, "host": False},
                          "m": {**OTHER, "mode": "vepa", "bcqueuelen": 60}},
                         {"web": {"n": {"ipv4_address": "172.16.86.9"}, "m": {}},
                          "db": {"m": {"interface_name": "old0"}}},
                         {"web": {"n": {"ipv4_address": "172.16.86.10"},
                                  "m": {"gw_priority": 7}},
                          "db": {"m": {"interface_name": "new0",
                                       "mac_address": "02:00:00:00:00:01"}}}),
    "below and above IPv6's smallest mtu": ({"n": {**OTHER, "mtu": 1000}}, {"n": DUAL},
                                            {"web": ["n"]}, {"web": ["n"]}),
    "swaps of names and MACs": ({"n": DUAL, "m": OTHER}, {"n": DUAL, "m": OTHER},
                                {"web": {"n": {"interface_name": "a",
                                               "mac_address": "02:00:00:00:00:01"},
                                         "m": {"interface_name": "b",
                                               "mac_address": "02:00:00:00:00:02"}}},
                                {"web": {"n": {"interface_name": "b",
                                               "mac_address": "02:00:00:00:00:02"},
                                         "m": {"interface_name": "a",
                                               "mac_address": "02:00:00:00:00:01"}}}),
    "replacing, leaving and coming": ({"n": {**OTHER, "mode": "bridge"}},
                                      {"n": {**OTHER, "mode": "passthru", "bcqueuelen": None}},
                                      {"web": ["n"], "db": ["n"]}, {"web": ["n"]}),
}


@test("output ip: the commands have the effect of apply", seconds=240)
def edits(host):
    host.netns("web", "db")
    for name, (before, after, first, then) in EDITS.items():
        print(name)
        as_apply(host, cleaned(before, first), cleaned(after, then))


def cleaned(networks, containers):
    return document({name: {key: value for key, value in network.items() if value is not None}
                     for name, network in networks.items()}, containers)


@test("output ip: macvtap", needs=["macvtap"])
def macvtap(host):
    host.netns("web")
    taps = [document({"n": lan(driver="macvtap", **keys)}, {"web": ["n"]})
            for keys in ({"bcqueuelen": 50}, {"mode": "private"}, {"mode": "passthru"})]
    for before, after in zip(["networks: {}", *taps], taps):
        as_apply(host, before, after)


@test("output ip: VLANs, ipvlan and a dummy", needs=["vlan", "ipvlan", "dummy"])
def vlans(host):
    host.netns("web")
    after = document({"outer": lan(vlan=100, vlan_protocol="802.1ad"),
                      "inner": lan(parent="eth0.100", vlan=7, subnet="10.7.0.0/24", gateway=None),
                      "island": {"internal": True, "subnet": "10.9.0.0/24", "mtu": 1300},
                      "flat": lan(driver="ipvlan", mode="l3", subnet="10.6.0.0/24", gateway=None)},
                     {"web": ["outer", "inner", "island", "flat"]})
    as_apply(host, "networks: {}", after)


def on_vlans(outer):
    """A network whose VLAN is edited, with one inside it, and one on VLAN 10 that does not
    change."""
    return document({"n": lan(vlan=outer),
                     "inner": lan(parent=f"eth0.{outer}", vlan=7, subnet="10.7.0.0/24", gateway=None),
                     "stays": lan(vlan=10, subnet="10.6.0.0/24", gateway=None)},
                    {"web": ["n", "inner"], "db": ["stays"]})


@test("output ip: a VLAN of another id or protocol, with links on it that stay", needs=["vlan"],
      seconds=240)
def edited_vlans(host):
    host.netns("web", "db")
    double = document({"n": lan(vlan=10, vlan_protocol="802.1ad")}, {"web": ["n"], "db": ["n"]})
    edits = [(on_vlans(10), on_vlans(20)), (on_vlans(20), double)]
    for before, after in edits:
        as_apply(host, before, after)


@test("output ip: a VLAN under a temporary name, and one whose name another link keeps", needs=["vlan"])
def named_vlans(host):
    host.netns("web", "guest")
    before, after = (document({"n": lan(vlan=10, vlan_protocol=protocol)}, {"web": ["n"]})
                     for protocol in ("802.1q", "802.1ad"))
    host.apply(before)
    for words in ("eth0.10 down", "eth0.10 name mvtmp00000001", "mvtmp00000001 up"):
        host.ip("host", f"link set {words}")
    replay(host, before)
    same(host.names("host"), {"eth0", "eth0.10"}, "the VLAN has its name")
    host.batch("host", ["link add link eth0.10 name g0 type macvlan mode bridge",
                        "link set g0 netns guest"])
    script = host.diff(after, "-o", "ip").out
    host.run("sh", "-e", host.write(script, "plan.sh"), code=0)
    parent = host.link("web", "eth0")["link_index"]
    links = host.links("host")
    found = {name: link["linkinfo"]["info_data"]["protocol"].lower()
             for name, link in links.items() if name != "eth0"}
    new, = [name for name, link in links.items() if link["ifindex"] == parent]
    same((found, new[:5], host.names("guest")),
         ({"eth0.10": "802.1q", new: "802.1ad"}, "mvtmp", {"g0"}), f"after\n{script}")


@test("output ip: random edits of a set")
def random_edits(host):
    names = ["web", "db"]
    host.netns(*names)
    for seed in range(4):
        sets = Sets(seed, names)
        as_apply(host, sets.document("lab"), sets.document("lab"))


@test("output ip: namespaces by path, by process and under names with shell characters")
def spaces(host):
    host.netns("it's web", "db")
    with host.process() as pid:
        text = document({"n": lan()}, {
            "a": {"netns": "it's web", "networks": ["n"]},
            "b": {"netns": "/run/netns/db", "networks": ["n"]},
            "c": {"pid": pid, "networks": {"n": {"interface_name": "a'b"}}}})
        script = replay(host, text)
        same((host.addresses("it's web", "eth0"), host.addresses("db", "eth0")),
             ({"172.16.86.2/24"}, {"172.16.86.3/24"}), "addresses")
        assert f"nsenter --net=/proc/{pid}/ns/net ip address add 172.16.86.4/24" in script, script
        host.run("sh", "-e", host.write(host.diff("networks: {}\ncontainers: {}",
                                                  "--max-delete=9", "-o", "ip").out, "plan.sh"),
                 code=0)
        same(host.names("it's web") | host.names("db"), set(), "links after the deletion")


ODD_NAME = b"x\xff\\x41'$"


def rename(host, ns, old, new):
    """In bytes, as the kernel accepts any except white space, '/' and ':'."""
    with host.inside(ns):
        for words in ([old, b"down"], [old, b"name", new], [new, b"up"]):
            subprocess.run([b"ip", b"link", b"set", b"dev", *words], check=True)


def kernel_names(host, ns):
    with host.inside(ns):
        return set(os.listdir(b"/proc/sys/net/ipv4/conf")) - {b"all", b"default", b"lo"}


@test("output ip: links whose names are not UTF-8")
def odd_names(host):
    host.netns("web")
    # Another link, whose name equals the escaped one, is not changed.
    host.batch("web", ["link add y0 type veth peer name y1"])
    rename(host, "web", b"y0", b"x\\xff")
    others = kernel_names(host, "web")
    text = document({"n": lan()}, {"web": {"n": {"sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}}})
    host.apply(text)
    rename(host, "web", b"eth0", ODD_NAME)
    with host.inside("web"):
        subprocess.run([b"ip", b"link", b"set", b"dev", ODD_NAME, b"mtu", b"1400"], check=True)
        with open(b"/proc/sys/net/ipv4/conf/" + ODD_NAME + b"/rp_filter", "w", encoding="ascii") as file:
            file.write("0")
    replay(host, text)
    same((host.link("web", "eth0")["mtu"], host.sysctl("web", "net/ipv4/conf/eth0/rp_filter")), (1500, "2"), "web")
    same(kernel_names(host, "web"), others | {b"eth0"}, "names")
    rename(host, "web", b"eth0", ODD_NAME)
    script = host.diff(document({"n": lan()}, {}), "-o", "ip").out
    assert script.isascii(), script
    host.run("sh", "-e", host.write(script, "plan.sh"), code=0)
    same(kernel_names(host, "web"), others, "after the deletion")
    # A parent with an altname.
    host.batch("host", ["link add eth1 type veth peer name up1", "link property add dev eth1 altname wan"])
    rename(host, "host", b"eth1", ODD_NAME)
    replay(host, document({"n": lan(parent="wan")}, {"web": ["n"]}))
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("output ip: no commands if there is nothing to do, or if apply would refuse")
def silent(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"], "job": ["n"]})
    host.ip("web", "link add eth0 type veth peer name other")
    blocked = document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}})
    out = host.diff(blocked, "-o", "ip", code=1).out
    assert out.startswith("# blocked web/n: ") and "ip link" not in out, out
    host.ip("host", "address add 172.16.86.9/24 dev eth0")
    refused = document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.9"}}, "job": ["n"]})
    out = host.diff(refused, "-o", "ip", code=4).out
    assert out.startswith("# refused web/n: ") and "ip link" not in out, out
    host.ip("host", "address del 172.16.86.9/24 dev eth0")
    host.apply(text)
    same(host.diff(text, "-o", "ip", code=0).out,
         '# pending job/n: no network namespace "job" yet\n', "when all is done")
    host.mvapply("apply", "-f", "network.yaml", "-o", "ip", code=3)


@test("docker: output ip reaches the container by its name")
def docker(host):
    with running(host, "docker") as engine:
        engine.run("my-web", labels={"com.docker.compose.project": "shop",
                                     "com.docker.compose.service": "web"})
        for source in ("my-web", "shop/web"):
            text = document({"n": lan()}, {"web": {"docker": source, "networks": ["n"]}})
            replay(host, text, env=engine.env)
            with engine.space("my-web") as space:
                same(host.addresses(space, "eth0"), {"172.16.86.2/24"}, "addresses")
            host.delete(text, env=engine.env)


@test("output markdown: a table, with Markdown's characters escaped")
def markdown(host):
    host.netns("web", "db")
    host.apply(document({"n": lan(ip_range="172.16.86.0/25")}, {"db": {"netns": "db", "networks": ["n"]}}))
    text = document({"n": lan(ip_range="172.16.86.0/25")}, {"web": {"n": {"interface_name": "a|b`c_d"}},
                                   "job": ["n"]})
    done = host.diff(text, "-o", "markdown", "--max-delete=9")
    same(done.out, """\
**mvapply** Plan: 1 to create, 1 to delete, 1 pending.

|  | kind | object | what |
| --- | --- | --- | --- |
| - | attach | db/n | eth0 172.16.86.2/24 |
| + | attach | web/n | a\\|b\\`c\\_d 172.16.86.2/24 02:42:ac:10:56:02 default via 172.16.86.1 |
| pending | attach | job/n | no network namespace "job" yet |
""", "the comment")
    host.apply(text, "--max-delete=9")
    same(host.diff("networks: {}\nname: other", "-o", "markdown", code=0).out,
         "**mvapply** Nothing to do.\n", "when there is nothing to do")
