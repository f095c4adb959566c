"""A container on one network several times, by attachments with names of their own, and a container on
two LANs with the same subnet."""
import json

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from test_cni import Plugin, declare
from test_dhcp import lease_of
from test_export import exported
from test_output_ip import final_state, replay

FOUR = {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": "172.16.86.64/26"}
SIX = {"subnet": "fd00:86::/64", "gateway": "fd00:86::1", "ip_range": "fd00:86::40/122"}
ROUTE = {"to": "192.168.0.0/16", "via": "172.16.86.254"}
NETWORKS = {"n": {"parent": "eth0", "subnets": [FOUR, SIX], "routes": [ROUTE]}}
TWICE = {"n": {}, "second": {"network": "n", "gw_priority": 1}}


def text(attachments, **keys):
    return document(NETWORKS, {"web": {"networks": attachments, **keys}})


def subnets(host, family="", space="web"):
    """The routes to the LAN's subnets, in the kernel's order: link, metric."""
    return [(item["dev"], item.get("metric", 0))
            for item in json.loads(host.ip(space, f"-j {family} route show table main"))
            if item["dst"] in (FOUR["subnet"], SIX["subnet"])]


def aliases(host, space="web"):
    return {name: link["ifalias"] for name, link in host.links(space).items() if "ifalias" in link}


def check_twice(host):
    same(aliases(host), {"eth0": "mvapply:attach:default/n/web",
                         "eth1": "mvapply:attach:default/n/web/second"}, "the owner tags")
    same(host.addresses("web", "eth0"), {"172.16.86.64/24", "fd00:86::40/64"}, "of the first")
    same(host.addresses("web", "eth1"), {"172.16.86.65/24", "fd00:86::41/64"}, "of the second")
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")
    same(subnets(host, "-6"), [("eth0", 256), ("eth1", 257)], "the same of IPv6")
    same({route for route in host.routes("web") if "default" in route or "192.168" in route},
         {"default via 172.16.86.1 dev eth1", "192.168.0.0/16 via 172.16.86.254 dev eth0",
          "default via fd00:86::1 dev eth1"}, "the other routes")


@test("same network twice: addresses, routes, export and the commands of -o ip", both=True)
def twice(host):
    declared = text(TWICE)
    host.netns("web")
    host.apply(declared)
    check_twice(host)
    host.unchanged(declared)
    created = final_state(host)
    export, parsed = exported(host)
    attachments = parsed[0]["containers"]["web"]["networks"]
    same((sorted(attachments), attachments["second"]["network"], "network" in attachments["n"]),
         (["n", "second"], "n", False), "the exported attachments")
    host.unchanged(export)
    host.delete(declared)
    same(aliases(host), {}, "after the deletion")
    host.apply(export)
    check_twice(host)
    host.delete(export)
    replay(host, declared)
    same(final_state(host), created, "after the commands of -o ip")


@test("same network twice: the state is the same in whichever order the links were created")
def order(host):
    declared = text(TWICE)
    host.netns("web")
    host.apply(declared)
    created = final_state(host)
    host.ip("web", "link delete eth0")
    host.apply(declared)
    same(final_state(host), created, "after the first link was made again")
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")
    host.apply(text({"second": {"network": "n", "gw_priority": 1}}))
    same(subnets(host), [("eth1", 0)], "of the one that is left")
    same(subnets(host, "-6"), [("eth1", 256)], "the same of IPv6")
    host.apply(declared)
    same(final_state(host), created, "after the first one came back")


@test("same network twice: someone's change of a metric is a difference")
def drift(host):
    declared = text(TWICE)
    host.netns("web")
    host.apply(declared)
    host.ip("web", "address change 172.16.86.65/24 brd + dev eth1 metric 7")
    done = host.diff(declared)
    same(" ".join(done.out.split()),
         "~ attach web/second address 172.16.86.65/24 metric 7 -> 172.16.86.65/24 metric 1 "
         "Plan: 1 to change.", "the difference")
    host.apply(declared)
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")


@test("same network twice: an attachment is renamed")
def renamed(host):
    host.netns("web")
    host.apply(text(TWICE))
    before = host.link("web", "eth1")["ifindex"]
    host.apply(text({"n": {}, "other": {"network": "n", "gw_priority": 1}}))
    same(aliases(host)["eth1"], "mvapply:attach:default/n/web/other", "the owner tag")
    same(host.addresses("web", "eth1"), {"172.16.86.65/24", "fd00:86::41/64"}, "it keeps its addresses")
    same(host.link("web", "eth1")["ifindex"] == before, False, "whether it is the same link")
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")


@test("same network twice: policy routing answers by the link of the address")
def policy(host):
    host.netns("web")
    host.apply(text(TWICE, policy_routing=True))
    for source, link in (("172.16.86.64", "eth0"), ("172.16.86.65", "eth1"),
                         ("fd00:86::40", "eth0"), ("fd00:86::41", "eth1")):
        for to in ("172.16.86.9", "8.8.8.8") if "." in source else ("fd00:86::9", "2001:db8::1"):
            got = json.loads(host.ip("web", f"-j route get {to} from {source}"))[0]
            same(got["dev"], link, f"from {source} to {to}")
    export, _ = exported(host)
    host.unchanged(export)


@test("same network twice: status, graph and a saved plan name each attachment")
def named(host):
    declared = text(TWICE)
    host.netns("web")
    path = host.write(declared)
    host.mvapply("diff", "-f", path, "--out", "plan.json", code=2)
    host.mvapply("apply", "plan.json")
    check_twice(host)
    status = host.mvapply("status", "-f", path, "-o", "json").json
    # In the order of their ifindex. A kernel that creates links in the host's namespace refuses eth0 there, and the second
    # attempt has a later number.
    same(sorted((item["network"], item["container"], item["attachment"], item["interface_name"])
                for item in status["attachments"]),
         [("n", "web", "n", "eth0"), ("n", "web", "second", "eth1")], "the attachments of status")
    lines = [line.split()[:3] for line in host.mvapply("status", "-f", path).out.splitlines()]
    same(sorted(line for line in lines if line[0].startswith("web/")),
         [["web/n", "live", "eth0"], ["web/second", "live", "eth1"]], "the table of status")
    graph = host.mvapply("graph", "-f", path).out
    same([f"eth{i} 172.16.86.{64 + i}/24" in graph for i in range(2)], [True, True], "the graph")


@test("same network twice: --confirm without an answer brings the one link back")
def rollback(host):
    host.netns("web")
    host.apply(text({"n": {}}))
    before = host.snapshot()
    host.run(host.binary, "apply", "-f", host.write(text(TWICE)), "--confirm=1", code=5)
    same(host.snapshot(), before, "after the rollback")


@test("same network twice: links made by hand are adopted")
def adopted(host):
    host.netns("web")
    host.batch("host", [f"link add link eth0 name a{i} type macvlan mode bridge" for i in range(2)])
    for i in range(2):
        host.ip("host", f"link set a{i} netns web name eth{i}")
        host.ip("web", f"address add 172.16.86.{7 + i}/24 brd + dev eth{i}")
        host.ip("web", f"link set eth{i} up")
    before = {name: host.link("web", name)["ifindex"] for name in ("eth0", "eth1")}
    export, parsed = exported(host, "--adopt")
    same(len(parsed[0]["networks"]), 1, "the number of networks")
    same({name: item.get("network") for name, item in
          parsed[0]["containers"]["web"]["networks"].items()},
         {"eth0": None, "eth0-2": "eth0"}, "the attachments")
    host.apply(export, "--adopt")
    same({name: host.link("web", name)["ifindex"] for name in ("eth0", "eth1")}, before,
         "the links stay")
    same(aliases(host), {"eth0": "mvapply:attach:default/eth0/web",
                         "eth1": "mvapply:attach:default/eth0/web/eth0-2"}, "the owner tags")
    same([host.addresses("web", name) for name in ("eth0", "eth1")],
         [{"172.16.86.7/24"}, {"172.16.86.8/24"}], "the addresses")
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")
    host.unchanged(export)


@test("two LANs with one subnet: no address twice in a container, and a route for each")
def two_parents(host):
    host.netns("web", "db")
    host.ip("host", "link add eth1 type veth peer name up1")
    for name in ("eth1", "up1"):
        host.ip("host", f"link set {name} up")
    networks = {"a": lan(gateway=None, ip_range="172.16.86.64/26"),
                "b": lan(gateway=None, ip_range="172.16.86.64/26", parent="eth1")}
    declared = document(networks, {"web": ["a", "b"], "db": ["b"]})
    done = host.apply(declared)
    same(["MV1202" in done.err, done.err.count("MV1202")], [True, 1], "the warning")
    same([host.addresses("web", name) for name in ("eth0", "eth1")] + [host.addresses("db", "eth0")],
         [{"172.16.86.64/24"}, {"172.16.86.65/24"}, {"172.16.86.64/24"}], "the addresses")
    same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")
    host.unchanged(declared)


@test("same network twice: two leases, of two clients")
def leases(host):
    host.netns("web")
    declared = document({"n": {"parent": "eth0", "dhcp": True}},
                        {"web": {"n": {}, "second": {"network": "n"}}})
    with serving(host) as server:
        host.apply(declared)
        found = {lease_of(host, "web", name)["local"]: link_id for name, link_id in
                 (("eth0", b"\0default/n/web"), ("eth1", b"\0default/n/web/second"))}
        same({ip: row[2] for ip, row in server.leases().items()}, found, "the clients' ids")
        same(subnets(host), [("eth0", 0), ("eth1", 1)], "the routes to the subnet")
        same([route for route in host.routes("web") if route.startswith("default")],
             ["default via 172.16.86.1 dev eth0"], "the default route")
        host.unchanged(declared)


@test("same network twice: the note of an export about the default route names the attachment")
def note(host):
    host.netns("web", "db", "dns")
    host.apply(document({"n": lan()}, {"web": {"first": {"network": "n"}, "second": {"network": "n"}}, "db": ["n"], "dns": ["n"]}))
    host.ip("web", "route del default")
    export, _ = exported(host)
    assert "its IPv4 default route does not lead through first," in export, export


@test("same network twice: a pod whose two interfaces are declared, and a guest with two")
def pods(host):
    host.netns("db", "web")
    declare(host, document({"n": lan(ip_range="172.16.86.64/26")}, {"db": {"cni": "default/my", "networks": {
        "n": {"interface_name": "eth0"},
        "second": {"network": "n", "interface_name": "net1", "ipv4_address": "172.16.86.20"}}}}))
    plugin = Plugin(host, network="n")
    plugin.add("db", pod="my")
    same(host.names("db"), {"eth0"}, "after the first ADD")
    answer = plugin.add("db", pod="my", ifname="net1")
    same([item["address"] for item in answer["ips"]], ["172.16.86.20/24"], "the second's address")
    same(aliases(host, "db"), {"eth0": "mvapply:attach:default/n/db",
                               "net1": "mvapply:attach:default/n/db/second"}, "the owner tags")
    same(subnets(host, space="db"), [("eth0", 0), ("net1", 1)], "the routes to the subnet")
    plugin.call("DEL", "db")
    same(host.names("db"), {"net1"}, "after the first DEL")
    plugin.call("DEL", "db", ifname="net1")
    same(host.names("db"), set(), "after the second DEL")
    plugin.add("db", pod="my")
    refused = plugin.call("ADD", "db", ifname="net2", code=1)
    assert "no attachment has `interface_name: net2`" in str(refused), refused
    same(host.names("db"), {"eth0"}, "the first one's link stays after an ADD of an interface that is not declared")
    plugin.call("DEL", "db")
    for name in ("eth0", "net1"):
        plugin.add("web", ifname=name)
    keys = {alias.rsplit("/", 1)[1] for alias in aliases(host, "web").values()}
    same((host.names("web"), len(keys)), ({"eth0", "net1"}, 2), "the guest's links, each with a key")
    plugin.call("DEL", "web", ifname="net1")
    same(host.names("web"), {"eth0"}, "after its DEL")


def routing(host):
    return ([line for line in host.ip("web", "route show table all").splitlines() if line.startswith(("10.", "blackhole"))],
            host.ip("web", "rule show"))


@test("same network twice: a guest on a network with routes and rules has them once")
def guest_routes(host):
    host.netns("web")
    routes = [{"to": "10.9.0.0/16", "via": "172.16.86.9", "table": 100}, {"to": "10.8.0.0/16", "type": "blackhole", "table": 100}]
    declare(host, document({"n": lan(routes=routes, rules=[{"to": "10.8.0.0/15", "table": 100}])}, {}))
    plugin = Plugin(host, network="n")
    plugin.add("web")
    before = routing(host)
    plugin.add("web", ifname="net1")
    same(host.names("web"), {"eth0", "net1"}, "the guest's links")
    same(routing(host), before, "the network's routes and rules after the second ADD")
    plugin.call("DEL", "web", ifname="net1")
    same(routing(host), before, "after the second one's DEL")
