"""What a container runtime should not do, but may: reused namespaces, odd names, files that have changed since."""
import os

from declare import document, lan
from host import same
from registry import test
from test_cni import FILE, Plugin, declare, networks

PODS = {name: {"cni": f"default/{name}", "networks": ["lan"]} for name in ("a", "b")}


def args_of(pod):
    return f"K8S_POD_NAMESPACE=default;K8S_POD_NAME={pod}"


@test("cni: DEL in a namespace that is another pod's now")
def reused(host):
    """As /proc/PID/ns/net is when the kernel has reused the process id."""
    host.netns("a", "b", "guest", "plain")
    text = document(networks(), {**PODS, "plain": ["lan"]})
    declare(host, text)
    host.apply(text)
    plugin = Plugin(host)
    for pod in PODS:
        plugin.add(pod, pod=pod)
    plugin.add("guest")
    for args in (args_of("a"), args_of("unknown"), ""):
        for name in ("b", "plain", "guest"):
            plugin.call("DEL", "a", netns=f"/run/netns/{name}", args=args)
            same(host.names(name), {"eth0"}, f"the link of {name} after DEL of another container, {args}")
    same(plugin.fails("CHECK", "a", netns="/run/netns/b", args=args_of("a"), prevResult={}), 1306, "CHECK of another's link")
    plugin.call("DEL", "b", args=args_of("b"))
    plugin.call("DEL", "guest")
    same((host.names("b"), host.names("guest"), host.names("plain")), (set(), set(), {"eth0"}), "after DEL of each")


@test("cni: DEL in the host's own namespace does nothing, and ADD and CHECK fail")
def host_namespace(host):
    declare(host, document(networks(), {}))
    before = host.snapshot("host")
    for path in ("/proc/self/ns/net", "/proc/1/ns/net"):
        for command in ("ADD", "CHECK"):
            same(Plugin(host).fails(command, netns=path, prevResult={}), 702, command)
        Plugin(host).call("DEL", netns=path)
    same(host.snapshot("host"), before, "the host")


@test("cni: interface names that the kernel would change, or reserves")
def names(host):
    host.netns("web")
    declare(host, document(networks(), {}))
    for name in ("eth%d", "%", "all", "default", "..", "a b", "a/b", "a:b", "a\nb", "x" * 16):
        same(Plugin(host).fails("ADD", "web", ifname=name), 4, repr(name))
    for name in ("x" * 15, "ä", '"', "\\"):
        result = Plugin(host).call("ADD", "web", ifname=name)
        same((result["interfaces"][0]["name"], host.names("web")), (name, {name}), "the link")
        Plugin(host).call("DEL", "web", ifname=name)
        same(host.names("web"), set(), "after DEL")


@test("cni: requests that are no address of a link")
def requests(host):
    host.netns("web")
    declare(host, document({**networks(), "six": lan(subnet=None, gateway=None, subnets=[
        {"subnet": "fd00::/64", "ip_range": "fd00::40/122"}, {"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/26"}])}, {}))
    plugin = Plugin(host)
    for mac in ("00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "", "02:00:00:00:00", 1, None):
        same(plugin.fails("ADD", "web", runtimeConfig={"mac": mac}), 7, mac)
    for ip, code in (("fd00::1", 1308), ("127.0.0.1", 1308), ("224.0.0.1", 1308), ("172.16.86.0", 1308), ("172.16.86.9/33", 7),
                     ("::ffff:172.16.86.9", 1308), (1, 7), (None, 7), ("", 7)):
        same(plugin.fails("ADD", "web", runtimeConfig={"ips": [ip]}), code, ip)
    same(host.names("web"), set(), "after the failures")
    result = Plugin(host, network="six").call("ADD", "web", runtimeConfig={"ips": ["fd00::45", "10.0.0.70/8"]})
    same(({item["address"] for item in result["ips"]}, host.addresses("web", "eth0")),
         ({"fd00::45/64", "10.0.0.70/24"}, {"fd00::45/64", "10.0.0.70/24"}), "one of each family, with the network's prefix length")


@test("cni: a container whose ADD failed because of its request can be deleted")
def deletable(host):
    """A kubelet repeats DEL until it succeeds, and the pod stays until then."""
    host.netns("web")
    declare(host, document(networks(), {}))
    plugin = Plugin(host)
    for keys in ({"runtimeConfig": {"ips": ["x"]}}, {"runtimeConfig": {"ips": "172.16.86.9"}}, {"runtimeConfig": {"mac": 1}},
                 {"runtimeConfig": {"ips": ["172.16.86.9", "172.16.86.10"]}}, {"args": {"cni": {"ips": [1]}}}, {"prevResult": []}):
        other = Plugin(host, **keys)
        same(other.fails("ADD", "web"), 7, keys)
        other.call("DEL", "web")
        other.call("DEL", "web", netns="")
    for args in ("IP=", "MAC=x", "IP=172.16.86.9;IP=172.16.86.10"):
        same(plugin.fails("ADD", "web", args=args), 7, args)
        plugin.call("DEL", "web", args=args)
    for name in ("eth%d", "a/b", "x" * 16, ".."):
        same(plugin.fails("ADD", "web", ifname=name), 4, name)
        plugin.call("DEL", "web", ifname=name)
        same(plugin.fails("CHECK", "web", ifname=name, prevResult={}), 4, name)
    plugin.add("web")
    plugin.call("DEL", "web", runtimeConfig={"ips": ["x"]}, prevResult=7)
    same(host.names("web"), set(), "a container that ADD attached before its request was changed")


@test("cni: odd names of pods, and long ids")
def pods(host):
    host.netns("web")
    declare(host, document(networks(), {}))
    before = host.snapshot("host", "web")
    for pod in ("ü" * 80, "x" * 300, "a/b", "..", " ", "\x1b[31m", "-f", "mvapply:guest:x", "=", "a" * 30000):
        for args in (f"K8S_POD_NAME={pod}", f"K8S_POD_NAMESPACE={pod};K8S_POD_NAME={pod}"):
            result = Plugin(host).call("ADD", "web", args=args)
            assert host.link("web", "eth0")["ifalias"].startswith("mvapply:guest:default/lan/"), pod
            rows = host.mvapply("status", "-f", FILE, "-o", "json").json["attachments"]
            same([row["state"] for row in rows], ["guest"], pod[:20])
            Plugin(host).call("CHECK", "web", args=args, prevResult=result)
            Plugin(host).call("DEL", "web", args=args)
            same(host.snapshot("host", "web"), before, pod[:20])


@test("cni: two networks in one container, and two interfaces on one network")
def several(host):
    host.netns("web")
    declare(host, document({**networks(), "dmz": lan(subnet="10.9.0.0/24", gateway=None, ip_range="10.9.0.0/25")}, {}))
    lan_, dmz = Plugin(host), Plugin(host, network="dmz")
    lan_.call("ADD", "web")
    dmz.call("ADD", "web", ifname="net1")
    dmz.call("ADD", "web", ifname="net2")
    same([host.addresses("web", name) for name in ("eth0", "net1", "net2")],
         [{"172.16.86.2/24"}, {"10.9.0.1/24"}, {"10.9.0.2/24"}], "the addresses")
    same(dmz.fails("ADD", "web", ifname="eth0"), 1305, "another network's name")
    dmz.call("DEL", "web", ifname="eth0")
    dmz.call("DEL", "web", ifname="net1", netns="")
    same(host.names("web"), {"eth0", "net2"}, "after DEL of one")
    dmz.call("DEL", "web", ifname="net2")
    lan_.call("DEL", "web")
    same(host.names("web"), set(), "after DEL of all")


@test("cni: the network is renamed, the pod is no longer declared, or the files are gone between ADD and DEL")
def changed(host):
    host.netns("a", "guest")
    whole = document(networks(), PODS)
    for text in (document({"new": lan(ip_range="172.16.86.0/25")}, {}), document(networks(), {}), "networks: [", None):
        declare(host, whole)
        plugin = Plugin(host)
        plugin.add("a", pod="a")
        plugin.add("guest")
        if text is None:
            os.unlink(FILE)
        else:
            declare(host, text)
        plugin.call("DEL", "a", args=args_of("a"))
        plugin.call("DEL", "guest")
        same((host.names("a"), host.names("guest")), (set(), set()), f"after DEL with {text}")


@test("cni: a container that claims all addresses of a range prevents new guests, and no declared pod")
def exhausted(host):
    host.netns("evil", "web", "db")
    declare(host, document({"lan": lan(ip_range="172.16.86.64/30")}, {"db": {"cni": "default/db", "networks": ["lan"]}}))
    plugin = Plugin(host)
    plugin.add("evil")
    host.batch("evil", [f"address add 172.16.86.{number}/24 dev eth0" for number in range(64, 68)
                        if f"172.16.86.{number}/24" not in host.addresses("evil", "eth0")])
    assert plugin.fails("ADD", "web") >= 100
    plugin.add("db", pod="db")
    assert host.addresses("db", "eth0"), "the declared pod"


@test("cni: GC of one configuration keeps the guests of others, and of other engines, on the same network")
def others(host):
    host.netns("a", "b", "docker")
    declare(host, document(networks(), {}))
    first, second = Plugin(host, name="first", network="lan"), Plugin(host, name="second", network="lan")
    first.add("a")
    second.add("b")
    host.batch("host", ["link add link eth0 name x0 address 02:00:00:00:01:01 type macvlan mode bridge",
                        "link set x0 alias mvapply:guest:default/lan/web/docker.0123456789abcdef", "link set x0 netns docker"])
    first.call("GC", **{"cni.dev/valid-attachments": []})
    same([host.names(name) for name in ("a", "b", "docker")], [set(), {"eth0"}, {"x0"}], "links after GC")
    second.call("DEL", "b", netns="")
    same(host.names("b"), set(), "after DEL")
