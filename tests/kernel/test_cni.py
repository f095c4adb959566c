"""The CNI plugin, as a runtime calls it: the environment and a configuration on the standard input."""
import json

from declare import document, lan
from host import WORK, same
from registry import test
from service import watching

FILE = f"{WORK}/cni.yaml"
RANGE = "172.16.86.0/25"


class Plugin:
    """A runtime that calls the plugin for one network."""

    def __init__(self, host, version="1.1.0", **keys):
        self.host, self.version, self.keys = host, version, {"files": FILE, **keys}
        self.command, self.env = [host.binary], {}
        self.pods = {}

    def call(self, command, name="", netns=None, ifname="eth0", args=None, code=0, **keys):
        """What it answers: JSON, or None. The arguments are those of the container's ADD, as libcni has it."""
        args = self.pods.get(name, "") if args is None else args
        env = {"CNI_COMMAND": command, "CNI_CONTAINERID": f"id-of-{name}", "CNI_IFNAME": ifname,
               "CNI_NETNS": f"/run/netns/{name}" if netns is None else netns, "CNI_ARGS": args, **self.env}
        text = json.dumps({"name": "lan", "cniVersion": self.version, "type": "mvapply", **self.keys, **keys})
        done = self.host.run(*self.command, stdin=text.encode(), env=env, code=code)
        same(done.err, "", "the standard error")
        return json.loads(done.out) if done.out else None

    def add(self, name, pod=None, **options):
        if pod:
            self.pods[name] = f"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod}"
        return self.call("ADD", name, **options)

    def fails(self, command, *arguments, **options):
        return self.call(command, *arguments, code=1, **options)["code"]


def declare(host, text):
    host.write(text, "cni.yaml")


def networks(**keys):
    return {"lan": lan(ip_range=RANGE, **keys)}


def state(host, name, link="eth0"):
    """Addresses, default routes and owner of the link, as the kernel has them."""
    if link not in host.names(name):
        return None
    default = [route for route in host.routes(name) if route.startswith("default")]
    return host.addresses(name, link), default, host.link(name, link)["ifalias"]


@test("cni: a declared pod, a guest, their results and their ends", both=True)
def whole(host):
    host.netns("db", "web")
    declare(host, document(networks(), {"db": {"cni": "default/my-db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}}))
    plugin = Plugin(host)
    before = host.snapshot("host", "db", "web")
    result = plugin.add("db", pod="my-db")
    same(result["ips"], [{"address": "172.16.86.20/24", "interface": 0, "gateway": "172.16.86.1"}], "its addresses")
    same(result["routes"], [{"dst": "0.0.0.0/0", "gw": "172.16.86.1"}], "its routes")
    link = host.link("db", "eth0")
    same(result["interfaces"], [{"name": "eth0", "sandbox": "/run/netns/db", "mac": link["address"],
                                 "mtu": link["mtu"]}], "its interface")
    same(state(host, "db"), ({"172.16.86.20/24"}, ["default via 172.16.86.1 dev eth0"], "mvapply:attach:default/lan/db"), "the pod")
    guest = plugin.add("web", pod="my-web")
    addresses, routes, alias = state(host, "web")
    same((addresses, routes, guest["ips"][0]["address"]), ({"172.16.86.2/24"}, ["default via 172.16.86.1 dev eth0"], "172.16.86.2/24"),
         "the guest")
    assert alias.startswith("mvapply:guest:default/lan/my-web/cni."), alias
    plugin.call("CHECK", "db", prevResult=result)
    plugin.call("CHECK", "web", prevResult=guest)
    plugin.call("DEL", "web")
    plugin.call("DEL", "db")
    same(host.snapshot("host", "db", "web"), before, "after DEL")
    plugin.call("DEL", "web")
    plugin.call("DEL", "db", netns="")
    plugin.call("DEL", "db", netns="/run/netns/gone")


@test("cni: an apply does not change guests, and assigns their addresses to no other container")
def guests(host):
    host.netns("web", "db", "other")
    one = document(networks(), {"db": ["lan"]})
    declare(host, one)
    plugin = Plugin(host)
    plugin.add("web")
    index = host.link("web", "eth0")["ifindex"]
    same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "the first address is left to db, which is declared")
    host.apply(one)
    same(host.addresses("db", "eth0"), {"172.16.86.2/24"}, "db")
    host.unchanged(one)
    plugin.add("other")
    same(host.addresses("other", "eth0"), {"172.16.86.4/24"}, "the next guest")
    host.netns("new")
    host.apply(document(networks(), {"db": ["lan"], "new": ["lan"]}))
    same(host.addresses("new", "eth0"), {"172.16.86.5/24"}, "a new container")
    host.apply(one)
    host.delete(one)
    same((host.names("db"), host.link("web", "eth0")["ifindex"], host.names("other")), (set(), index, {"eth0"}),
         "after delete")


@test("cni: a guest keeps the network's VLAN", needs=["vlan"])
def guest_vlan(host):
    host.netns("web")
    text = document(networks(vlan=10), {})
    declare(host, text)
    plugin = Plugin(host)
    plugin.add("web")
    same(host.link("host", "eth0.10")["ifalias"], "mvapply:vlan:default", "the VLAN")
    host.apply(text)
    done = host.apply(document({"m": lan()}, {}))
    assert "eth0.10" in host.names("host") and "kept" in done.out, done
    plugin.call("DEL", "web")
    host.apply(document({"m": lan()}, {}))
    same(host.names("host"), {"eth0"}, "without the guest")


@test("cni: requested addresses and MACs")
def requested(host):
    host.netns("a", "b", "c")
    declare(host, document(networks(host={"ipv4_address": "172.16.86.30"}, aux_addresses={"router": "172.16.86.40"}),
                           {"db": {"lan": {"ipv4_address": "172.16.86.20"}},
                            "my": {"cni": "default/my", "networks": {"lan": {"ipv4_address": "172.16.86.21"}}}}))
    plugin = Plugin(host)
    capabilities = {"ips": ["172.16.86.9/24"], "mac": "02:00:00:00:00:09"}
    plugin.call("ADD", "a", runtimeConfig=capabilities)
    same((host.addresses("a", "eth0"), host.link("a", "eth0")["address"]), ({"172.16.86.9/24"}, capabilities["mac"]),
         "by the runtime's capabilities")
    plugin.call("ADD", "b", args="IgnoreUnknown=1;IP=172.16.86.10;MAC=02:00:00:00:00:0a")
    same((host.addresses("b", "eth0"), host.link("b", "eth0")["address"]), ({"172.16.86.10/24"}, "02:00:00:00:00:0a"),
         "by CNI_ARGS")
    for ip, why in (("172.16.86.20", "declared for another container"), ("172.16.86.1", "the gateway's"),
                    ("172.16.86.30", "the host's own"), ("172.16.86.40", "an aux address"),
                    ("172.16.86.0", "the network's"), ("10.0.0.1", "of another subnet")):
        same(plugin.fails("ADD", "c", args=f"IP={ip}"), 1308, why)
    same(plugin.fails("ADD", "c", args="K8S_POD_NAMESPACE=default;K8S_POD_NAME=my;IP=172.16.86.22"), 1308,
         "another one than the file's")
    taken = plugin.call("ADD", "c", args="IP=172.16.86.9", code=1)
    assert "172.16.86.9" in taken["msg"], taken
    same(host.names("c"), set(), "after the failures")


@test("cni: an address on the other end of a veth parent is not one on the parent")
def veth_parent(host):
    host.netns("web")
    declare(host, document(networks(gateway=None), {}))
    Plugin(host).add("web")
    same((host.addresses("lan", "up0"), host.addresses("web", "eth0")), ({"172.16.86.1/24"}, {"172.16.86.1/24"}),
         "as an apply chooses it: the LAN's addresses are probed, not read")


@test("cni: versions, a list of plugins, and an interface that exists")
def lists(host):
    host.netns("a", "b", "c")
    declare(host, document(networks(), {}))
    for version, name in (("0.3.1", "a"), ("0.4.0", "b"), ("1.0.0", "c")):
        result = Plugin(host, version=version).add(name)
        same((result["cniVersion"], result["ips"][0].get("version"), "mtu" in result["interfaces"][0]),
             (version, None if version == "1.0.0" else "4", False), f"a result of {version}")
    plugin = Plugin(host)
    same(plugin.fails("ADD", "a"), 1305, "the name is taken")
    before = {"cniVersion": "1.1.0", "interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": "/run/netns/a"}],
              "ips": [{"address": "10.1.0.2/24", "interface": 1}], "dns": {"nameservers": ["10.1.0.1"]}}
    result = plugin.call("ADD", "a", ifname="net1", prevResult=before)
    same((result["interfaces"][:2], result["ips"][0], result["dns"]),
         (before["interfaces"], before["ips"][0], before["dns"]), "what was before")
    same((result["interfaces"][2]["name"], result["ips"][1]["interface"]), ("net1", 2), "what is new")
    same(Plugin(host, version="0.2.0").fails("ADD", "a"), 1, "an old version")
    same(host.run(host.binary, env={"CNI_COMMAND": "VERSION"}, stdin=b"", code=0).json["supportedVersions"],
         ["0.3.1", "0.4.0", "1.0.0", "1.1.0"], "the versions")


@test("cni: CHECK notices what changed")
def check(host):
    host.netns("web")
    declare(host, document(networks(), {}))
    plugin = Plugin(host)
    result = plugin.add("web")
    for change, back in ((["address del 172.16.86.2/24 dev eth0"], ["address add 172.16.86.2/24 dev eth0",
                                                                  "route add default via 172.16.86.1 dev eth0 proto 77"]),
                         (["link set eth0 address 02:00:00:00:00:07"],
                          [f"link set eth0 address {result['interfaces'][0]['mac']}"]),
                         (["link set eth0 alias x"], [f"link set eth0 alias {host.link('web', 'eth0')['ifalias']}"]),
                         (["link del eth0"], [])):
        host.batch("web", change)
        same(plugin.fails("CHECK", "web", prevResult=result), 1306, change)
        host.batch("web", back)
        if back:
            plugin.call("CHECK", "web", prevResult=result)


DUAL = {"subnets": [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": RANGE},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1", "ip_range": "fd00:86::/120"}],
        "subnet": None, "gateway": None, "ip_range": None,
        "routes": [{"to": "10.8.0.0/16", "via": "172.16.86.9", "metric": 7, "mtu": 1400}, {"to": "10.9.0.0/16"},
                   {"to": "fd00:8::/64", "via": "fd00:86::9", "table": 100}]}
DEFAULT = "route replace default via 172.16.86.1 dev eth0 proto 77"
# The change -> what CHECK says, and the way back.
CHANGED = {
    "link set eth0 address 02:00:00:00:00:07": ("has the MAC address 02:00:00:00:00:07 instead of @MAC@", "link set eth0 address @MAC@"),
    "address del fd00:86::2/64 dev eth0": ("lacks the address fd00:86::2/64", "address add fd00:86::2/64 dev eth0 nodad"),
    "route del default via 172.16.86.1": ("lacks the route default via 172.16.86.1", DEFAULT),
    "route replace default via 172.16.86.7 dev eth0": ("lacks the route default via 172.16.86.1", DEFAULT),
    "route del 10.9.0.0/16 dev eth0": ("lacks the route 10.9.0.0/16", "route add 10.9.0.0/16 dev eth0"),
    "route del 172.16.86.0/24 dev eth0": ("lacks the route to the subnet of 172.16.86.2/24",
                                          "route add 172.16.86.0/24 dev eth0 src 172.16.86.2"),
    "route change 10.8.0.0/16 via 172.16.86.9 metric 7 mtu 1300": (
        "lacks the route 10.8.0.0/16 via 172.16.86.9 metric 7 mtu 1400", "route change 10.8.0.0/16 via 172.16.86.9 metric 7 mtu 1400"),
    "route del ::/0 via fd00:86::1 dev eth0": ("lacks the route default via fd00:86::1", "route add ::/0 via fd00:86::1 dev eth0"),
    "route del fd00:8::/64 table 100": ("lacks the route fd00:8::/64 via fd00:86::9 table 100",
                                        "route add fd00:8::/64 via fd00:86::9 dev eth0 table 100"),
    "link set eth0 down": ("is down", None),
}


@test("cni: CHECK says what differs: the state, the MAC address, the subnets and the routes", seconds=60)
def differences(host):
    host.netns("web")
    declare(host, document({"lan": lan(**DUAL)}, {}))
    plugin = Plugin(host)
    result = plugin.add("web")
    for change, (said, back) in CHANGED.items():
        plugin.call("CHECK", "web", prevResult=result)
        host.batch("web", [change])
        message = plugin.call("CHECK", "web", code=1, prevResult=result)["msg"]
        expected = said.replace("@MAC@", result["interfaces"][0]["mac"])
        assert f"eth0 {expected}" in message and "[MV1306]" in message, (change, message)
        if back:
            host.batch("web", [back.replace("@MAC@", result["interfaces"][0]["mac"])])


@test("cni: CHECK allows what other plugins of the list made or changed")
def chained(host):
    host.netns("web")
    declare(host, document({"lan": lan(**DUAL)}, {}))
    plugin = Plugin(host)
    sandbox = "/run/netns/web"
    before = {"cniVersion": "1.1.0", "interfaces": [{"name": "br0"}, {"name": "eth0", "sandbox": sandbox}],
              "ips": [{"address": "10.88.0.2/16", "gateway": "10.88.0.1", "interface": 1}],
              "routes": [{"dst": "0.0.0.0/0", "gw": "10.88.0.1"}, {"dst": "10.77.0.0/16"}]}
    result = plugin.call("ADD", "web", ifname="net1", prevResult=before)
    plugin.call("CHECK", "web", ifname="net1", prevResult=result)
    # As the plugin sbr does: the routes of the interface are in a table of its own.
    for line in host.ip("web", "-4 route show dev net1").splitlines():
        host.ip("web", f"route add {line} dev net1 table 200")
    host.ip("web", "-4 route flush dev net1 table main")
    plugin.call("CHECK", "web", ifname="net1", prevResult=result)
    host.ip("web", "-4 route flush table 200")
    same(plugin.fails("CHECK", "web", ifname="net1", prevResult=result), 1306, "without the routes")
    elsewhere = {**result, "interfaces": [{**item, "sandbox": "/run/netns/db"} for item in result["interfaces"]]}
    message = plugin.call("CHECK", "web", ifname="net1", code=1, prevResult=elsewhere)["msg"]
    assert "net1 is in /run/netns/web, and in prevResult it is in /run/netns/db" in message, message


@test("cni: GC deletes the guests that the runtime does not know, and nothing else")
def collect(host):
    host.netns("a", "b", "db")
    text = document({**networks(), "other": lan(subnet="10.9.0.0/24", gateway=None, ip_range="10.9.0.0/25")},
                    {"db": ["lan"]})
    declare(host, text)
    host.apply(text)
    plugin = Plugin(host)
    for name in ("a", "b"):
        plugin.add(name)
    Plugin(host, network="other").add("b", ifname="net1")
    plugin.call("GC", **{"cni.dev/valid-attachments": [{"containerID": "id-of-a", "ifname": "eth0"}]})
    same([host.names(name) for name in ("a", "b", "db")], [{"eth0"}, {"net1"}, {"eth0"}], "links")
    plugin.call("DEL", "a", netns="")
    same(host.names("a"), set(), "after DEL without a namespace")


@test("cni: files that are wrong or missing, and a parent that is missing")
def unready(host):
    host.netns("web")
    plugin = Plugin(host)
    same(plugin.fails("STATUS"), 50, "without a file")
    assert plugin.fails("ADD", "web") >= 100, "without a file"
    declare(host, "networks: [")
    same(plugin.fails("STATUS"), 50, "a wrong file")
    declare(host, document({"n": lan(ip_range=RANGE)}, {}))
    same((plugin.fails("STATUS"), plugin.fails("ADD", "web")), (50, 7), "without the network")
    declare(host, document(networks(parent="eth7"), {}))
    same(plugin.fails("STATUS"), 50, "without the parent")
    same(plugin.fails("ADD", "web"), 11, "without the parent, after ten seconds")
    declare(host, document(networks(), {}))
    plugin.call("STATUS")
    same(host.names("web"), set(), "links")


@test("cni: STATUS fails while the network has no free address for a guest, and changes nothing")
def exhausted(host):
    host.netns("a", "b")
    declare(host, document({"lan": lan(ip_range="172.16.86.4/31"), "dmz": lan(ip_range="172.16.86.8/31"),
                            "leased": {"parent": "eth0", "dhcp": True}},
                           {"db": {"networks": {"dmz": {"ipv4_address": "172.16.86.8"}}},
                            "web": {"networks": {"dmz": {"ipv4_address": "172.16.86.9"}}}}))
    plugin, before = Plugin(host), host.snapshot("host")
    plugin.call("STATUS")
    plugin.add("a")
    plugin.call("STATUS")
    same(host.snapshot("host"), before, "the host after STATUS")
    plugin.add("b")
    answer = plugin.call("STATUS", code=1)
    same((answer["code"], "network lan cannot take another container: " in answer["msg"]), (50, True), answer)
    answer = Plugin(host, network="dmz").call("STATUS", code=1)
    same((answer["code"], "no free address in 172.16.86.8/31" in answer["msg"]), (50, True), answer)
    Plugin(host, network="leased").call("STATUS")
    plugin.call("DEL", "a")
    plugin.call("STATUS")


@test("cni: status, graph, export and the metrics name guests")
def shown(host):
    host.netns("db", "web")
    text = document(networks(), {"db": ["lan"]})
    declare(host, text)
    host.apply(text)
    Plugin(host).add("web", pod="my-web")
    for flags in ([], ["-f", FILE]):
        lines = host.mvapply("status", *flags).lines
        assert any(line.startswith("my-web/lan guest eth0 172.16.86.3/24") and "attached by cni" in line
                   for line in lines), lines
    rows = host.mvapply("status", "-f", FILE, "-o", "json").json["attachments"]
    same({(row["container"], row["state"], row.get("attached_by")) for row in rows},
         {("db", "live", None), ("my-web", "guest", "cni")}, "the attachments")
    assert "my-web<br/>attached by cni" in host.mvapply("graph", "-f", FILE).out
    exported = host.mvapply("export").out
    assert "# my-web on lan is not exported: it is a guest" in exported, exported
    with watching(host, "-f", FILE, "--metrics", "/run/service/metrics") as service:
        service.quiet()
        with open("/run/service/metrics", encoding="ascii") as file:
            metrics = file.read().splitlines()
    assert {"mvapply_attachments 1", "mvapply_guests 1"} <= set(metrics), metrics


@test("cni: a declared pod is repaired, changed with its file, and left alone after DEL")
def declared(host):
    host.netns("sandbox", "other")
    pod = {"cni": "default/db", "networks": ["lan"]}
    text = document(networks(), {"db": pod})
    declare(host, text)
    pending = host.apply(text)
    same(pending.plan, ["pending db/lan the CNI plugin has not attached default/db yet"], "before ADD")
    plugin = Plugin(host)
    plugin.add("sandbox", pod="db")
    index = host.link("sandbox", "eth0")["ifindex"]
    host.unchanged(text)
    same(host.mvapply("validate", "-f", FILE).code, 0, "validate")
    with watching(host, "-f", FILE) as service:
        host.batch("sandbox", ["address flush dev eth0 scope global"])
        service.until(lambda: host.addresses("sandbox", "eth0") == {"172.16.86.2/24"}, "the address is back")
        declare(host, document(networks(mtu=1400), {"db": pod}))
        service.until(lambda: host.link("sandbox", "eth0")["mtu"] == 1400, "the MTU")
        same(host.link("sandbox", "eth0")["ifindex"], index, "the same link")
        plugin.call("DEL", "sandbox")
        service.quiet()
        same(host.names("sandbox"), set(), "after DEL")
        plugin.add("other", pod="db")
        service.quiet()
        host.batch("other", ["address flush dev eth0 scope global"])
        service.until(lambda: host.addresses("other", "eth0") == {"172.16.86.2/24"}, "in its next sandbox")


@test("cni: a pod of the same name before the old one ends")
def successor(host):
    host.netns("old", "new")
    declare(host, document(networks(), {"db": {"cni": "default/db", "networks": ["lan"]}}))
    plugin = Plugin(host)
    plugin.add("old", pod="db")
    plugin.add("new", pod="db")
    same((host.names("old"), host.addresses("new", "eth0")), (set(), {"172.16.86.2/24"}), "the new one has it")
    plugin.call("DEL", "old")
    plugin.call("DEL", "old", netns="")
    same(host.addresses("new", "eth0"), {"172.16.86.2/24"}, "after DEL of the old one")


@test("cni: whose tag an attacker sets is not taken for a pod")
def forged(host):
    """Whoever has CAP_NET_ADMIN in one container can set any owner tag there."""
    host.netns("evil", "db")
    text = document(networks(), {"evil": {"networks": ["lan"]}, "db": {"cni": "default/db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}})
    declare(host, text)
    host.apply(text)
    host.batch("evil", ["link set eth0 alias mvapply:attach:default/lan/db"])
    host.apply(text, code=1)
    Plugin(host).add("db", pod="db")
    same(host.addresses("db", "eth0"), {"172.16.86.20/24"}, "the pod")
    host.apply(text)
    same(host.addresses("db", "eth0"), {"172.16.86.20/24"}, "the pod after the next apply")
    assert host.addresses("evil", "eth0") <= {"172.16.86.2/24", "172.16.86.3/24"}, "the other container has its own"



@test("cni: a requested address, which one of 24 containers has under another MAC")
def beside(host):
    others = [f"o{number}" for number in range(24)]
    host.netns(*others, "web", "db")
    text = document({"lan": lan()}, {name: ["lan"] for name in others})
    declare(host, text)
    plugin = Plugin(host)
    host.apply(text)
    plugin.add("web", args="IP=172.16.86.200")
    plugin.call("DEL", "web")
    # A MAC that does not tell the address: each namespace is read, and the address is found.
    host.batch(others[3], ["link set eth0 address 02:00:00:00:00:77", "address add 172.16.86.200/24 dev eth0"])
    taken = plugin.call("ADD", "web", args="IP=172.16.86.200", code=1)
    assert f"eth0 in {others[3]}" in taken["msg"] and "172.16.86.200" in taken["msg"], taken
    plugin.add("web", args="IP=172.16.86.201")
    same(host.addresses("web", "eth0"), {"172.16.86.201/24"}, "the requested one")
    # Without an address of its own, a container gets one that no other has.
    host.apply(text)
    plugin.add("db")
    same(host.addresses("db", "eth0"), {"172.16.86.26/24"}, "the lowest free one")


# Who has the address, besides a link that is up and has the MAC of it.
HOLDERS = {
    "a link that is down": ["link set eth0 down"],
    "a link that is down under another name": ["link set eth0 down", "link set eth0 name other"],
    "a link that is down with another MAC": ["link set eth0 down", "link set eth0 address 02:42:0a:00:00:01"],
    "a link with the MAC of another address": ["link set eth0 down", "link set eth0 address 02:42:0a:00:00:01", "link set eth0 up"],
    "an unmanaged link with the MAC of another address": [
        "link set eth0 down", "link set eth0 address 02:42:0a:00:00:01", "link set eth0 up", 'link set eth0 alias ""'],
}


@test("cni: a requested address that another container has, whichever state its link is in")
def held(host):
    host.netns("db", "web")
    text = document(networks(), {"db": {"networks": {"lan": {"ipv4_address": "172.16.86.20"}}}})
    declare(host, document(networks(), {}))
    plugin = Plugin(host)
    for holder, batch in HOLDERS.items():
        host.apply(text)
        host.batch("db", batch)
        taken = plugin.call("ADD", "web", args="IP=172.16.86.20", code=1)
        same(("already has the address 172.16.86.20 [MV0803]" in taken["msg"], "in db" in taken["msg"]), (True, True),
             (holder, taken))
        same(host.names("web"), set(), holder)
        for link in host.names("db"):
            host.ip("db", f"link delete {link}")
    host.apply(text)
    host.batch("db", ["address add 172.16.86.30/24 dev eth0"])
    taken = plugin.call("ADD", "web", args="IP=172.16.86.30", code=1)
    assert "already has the address 172.16.86.30 [MV0803]" in taken["msg"], ("a second address", taken)
    plugin.call("ADD", "web", args="IP=172.16.86.31")
    same(host.addresses("web", "eth0"), {"172.16.86.31/24"}, "a free one")
