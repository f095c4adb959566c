"""The routes of a lease, by the options 3, 33, 121 and 249 of a real server: used, changed, put back and
removed; and policy routing by them."""
import json
import os

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from service import watching
from test_dhcp import grow_old, lease_of
from test_dhcp_client import LEASE, client
from test_routing import rules_of, second_lan, way

NET = lan(dhcp=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})
CLASSLESS = "--dhcp-option=121,10.1.0.0/16,172.16.86.3,10.9.0.0/24,0.0.0.0," \
    "198.51.100.0/24,203.0.113.1,0.0.0.0/0,172.16.86.4"
USED = {"default via 172.16.86.4 dev eth0", "10.1.0.0/16 via 172.16.86.3 dev eth0",
        "10.9.0.0/24 dev eth0 scope link", "198.51.100.0/24 via 203.0.113.1 dev eth0"}


def used(host, ns="web"):
    """The main table, without the subnet of the lease."""
    return {route for route in host.routes(ns) if not route.startswith("172.16.86.0/24 ")}


def kept(host, ns="web", table=7700):
    """The link's own table: destination and gateway."""
    done = host.run("ip", "-j", "route", "show", "table", str(table), ns=ns)
    return {(route["dst"], route.get("gateway"))
            for route in json.loads(done.out or "[]")} if done.code == 0 else set()


@test("dhcp routes: those of option 121 in place of the router; flags of a router outside of the subnet")
def classless(host):
    host.netns("web")
    with serving(host, options=[CLASSLESS]) as server:
        host.apply(TEXT)
        same(used(host), USED, "routes")
        elsewhere, = (route for route in json.loads(host.ip("web", "-j route show"))
                      if route["dst"] == "198.51.100.0/24")
        same((elsewhere["flags"], str(elsewhere["protocol"])), (["onlink"], "77"),
             "the router elsewhere")
        asked = server.count("DHCPDISCOVER")
        host.unchanged(TEXT)
        same(server.count("DHCPDISCOVER"), asked, "what a second apply asks")


@test("dhcp routes: of option 33 in addition to the router, by the class of the address")
def classful(host):
    host.netns("web")
    with serving(host, options=["--dhcp-option=33,10.0.0.0,172.16.86.2,192.0.2.9,172.16.86.2"]):
        host.apply(TEXT)
        same(used(host), {"default via 172.16.86.1 dev eth0", "10.0.0.0/8 via 172.16.86.2 dev eth0",
                          "192.0.2.9 via 172.16.86.2 dev eth0"}, "routes")
        host.unchanged(TEXT)


@test("dhcp routes: of option 249, if the server has no 121")
def microsoft(host):
    host.netns("web")
    host.apply(TEXT, env=client(host, LEASE + " msstaticroutes=10.2.0.0/16,172.16.86.5"))
    same(used(host), {"10.2.0.0/16 via 172.16.86.5 dev eth0"}, "routes")
    host.unchanged(TEXT)


@test("dhcp routes: changed with a renewal, and removed with the lease")
def changed(host):
    host.netns("web")
    static = document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20"}}})
    with serving(host, options=[CLASSLESS]):
        host.apply(TEXT)
        ip = lease_of(host)["local"]
    with serving(host, options=["--dhcp-option=121,10.1.0.0/16,172.16.86.7,10.3.0.0/16,172.16.86.3"]):
        grow_old(host)
        host.apply(TEXT)
        same(lease_of(host)["local"], ip, "the address")
        same(used(host), {"10.1.0.0/16 via 172.16.86.7 dev eth0",
                          "10.3.0.0/16 via 172.16.86.3 dev eth0"}, "routes")
        host.unchanged(TEXT)
        host.apply(static.replace("ipv4_address", "dhcp\": false, \"ipv4_address"))
        same((used(host), kept(host)), ({"default via 172.16.86.1 dev eth0"}, set()),
             "routes without the lease")
        host.unchanged(static)
        host.apply(TEXT)
        host.delete(TEXT)
        same((host.routes("web"), kept(host)), (set(), set()), "after delete")


@test("dhcp routes: restored without the server, and by it once the link was down")
def put_back(host):
    host.netns("web")
    with serving(host, options=[CLASSLESS]) as server:
        host.apply(TEXT)
        before, acks = kept(host), server.count("DHCPACK")
        host.batch("web", ["route delete default", "route delete 10.1.0.0/16",
                           "route delete 198.51.100.0/24"])
        host.apply(TEXT)
        same((used(host), server.count("DHCPACK")), (USED, acks), "put back, without a request")
        host.ip("web", "route delete 10.1.0.0/16 table 7700")
        host.ip("web", "route replace 10.1.0.0/16 via 172.16.86.8 dev eth0 proto 77")
        assert ("10.1.0.0/16", None) not in kept(host)
        grow_old(host)
        host.apply(TEXT)
        same((used(host), kept(host)), (USED, before), "of a renewal")
        # The kernel flushes the routes, and what is remembered with them.
        acks = server.count("DHCPACK")
        host.batch("web", ["link set eth0 down", "link set eth0 up"])
        host.apply(TEXT)
        same((used(host), kept(host), server.count("DHCPACK")), (USED, before, acks + 1),
             "after the link was down")
        host.unchanged(TEXT)


@test("dhcp routes: those of an earlier version stay until a server answers")
def earlier(host):
    host.netns("web")
    with serving(host):
        host.apply(TEXT)
    host.batch("web", ["route flush table 7700", "route add 172.16.86.1 dev eth0 proto 77"])
    routes = {"default via 172.16.86.1 dev eth0", "172.16.86.1 dev eth0 scope link"}
    done = host.apply(TEXT, code=1)
    assert "[MV0916]" in done.err, done
    same(used(host), routes, "without a server")
    with serving(host):
        host.apply(TEXT)
        same(used(host), {"default via 172.16.86.1 dev eth0"}, "with one")
        host.unchanged(TEXT)


@test("dhcp routes: none by a hostile server")
def hostile(host):
    host.netns("web")
    for routes in ("0.0.0.0/1,172.16.86.3,128.0.0.0/1,172.16.86.3", "127.0.0.1/32,172.16.86.3",
                   "224.0.0.0/8,172.16.86.3,255.255.255.255/32,172.16.86.3",
                   "172.16.86.0/24,172.16.86.3", "172.16.86.50/32,172.16.86.3",
                   "10.0.0.0/8,172.16.86.50,10.1.0.0/16,127.0.0.1", "0.0.0.0/0,0.0.0.0",
                   ",".join(["x"] * 500)):
        host.apply(TEXT, env=client(host, f"{LEASE} staticroutes={routes}"))
        same(host.routes("web"), {"172.16.86.0/24 dev eth0 scope link src 172.16.86.50"}, routes)
        host.unchanged(TEXT)
        grow_old(host)
    many = ",".join(f"10.{number}.0.0/16,172.16.86.3" for number in range(200))
    host.apply(TEXT, env=client(host, f"{LEASE} staticroutes={many}"))
    same(len(used(host)), 32, "routes of 200")
    host.unchanged(TEXT)


@test("dhcp routes: they yield to the file, to other networks and to other programs")
def yields(host):
    second_lan(host)
    host.netns("web")
    networks = {"n": NET, "m": lan(parent="eth1", subnet="10.1.0.0/16", gateway=None,
                                   routes=[{"to": "198.51.100.0/24", "via": "10.1.0.1"}])}
    text = document(networks, {"web": {"n": {}, "m": {}}})
    with serving(host, options=[CLASSLESS]):
        host.apply(TEXT)
        host.apply(text)
        host.unchanged(text)
        expected = {"default via 172.16.86.4 dev eth0", "10.1.0.0/16 dev eth1 scope link src 10.1.0.2",
                    "10.9.0.0/24 dev eth0 scope link", "198.51.100.0/24 via 10.1.0.1 dev eth1"}
        same(used(host), expected, "routes")
        host.apply(TEXT)
        host.unchanged(TEXT)
        same(used(host), USED, "alone again")
        host.delete(TEXT)
        host.apply(text)
        same(used(host), expected, "created together")
        host.delete(text)
        host.batch("web", ["link set lo up", "route add 10.9.0.0/24 dev lo"])
        host.apply(TEXT)
        host.unchanged(TEXT)
        same(used(host), USED - {"10.9.0.0/24 dev eth0 scope link"} | {"10.9.0.0/24 dev lo scope link"},
             "beside another program")


@test("dhcp routes: one that leads into another network's subnet is used, and reported")
def intrudes(host):
    second_lan(host)
    host.netns("web")
    networks = {"n": NET, "m": lan(parent="eth1", subnet="10.0.0.0/8", gateway=None)}
    text = document(networks, {"web": {"n": {}, "m": {}}})
    with serving(host, options=[CLASSLESS]):
        host.apply(text)
        assert "10.1.0.0/16 via 172.16.86.3 dev eth0" in used(host), used(host)
        said = "the DHCP lease of web/n routes 10.1.0.0/16, a part of the subnet 10.0.0.0/8 of network m"
        for command in ("diff", "apply", "doctor", "watch"):
            if command == "watch":
                with watching(host, "-f", host.write(text)) as running:
                    running.until_says(said)
                continue
            done = host.mvapply(command, "-f", host.write(text), code=None)
            assert said in done.out + done.err and "[MV1206]" in done.out + done.err, done
        internal = document({**networks, "n": {**NET, "internal": True}}, {"web": {"n": {}, "m": {}}})
        host.apply(internal)
        assert "[MV1206]" not in host.diff(internal, code=0).out, "internal"
        same(used(host), {"10.0.0.0/8 dev eth1 scope link src 10.0.0.2"}, "routes of an internal one")


@test("dhcp routes: an internal network uses none")
def internal(host):
    host.netns("web")
    text = document({"n": {**NET, "internal": True}}, {"web": ["n"]})
    with serving(host, options=[CLASSLESS]):
        host.apply(text)
        same(used(host), set(), "routes")
        host.unchanged(text)
        host.apply(TEXT)
        same(used(host), USED, "routes of one that is not internal, without another lease")


def policy(on=True, **first):
    return document({"n": NET, "m": lan(parent="eth1", dhcp=True, subnet=None, gateway=None)},
                    {"web": {"policy_routing": on, "networks": {"n": first, "m": {}}}})


@test("dhcp routes: policy_routing by the routers of two leases")
def policy_routing(host):
    second_lan(host)
    host.netns("web")
    host.ip("lan", "address add 172.16.87.2/24 dev up1")
    with serving(host), serving(host, link="up1", pool="172.16.87.50,172.16.87.99"):
        host.apply(policy())
        one, two = lease_of(host)["local"], lease_of(host, link="eth1")["local"]
        same(rules_of(host), {(32001, one, None, "7700"), (32001, two, None, "7701")}, "the rules")
        routers = {address: way(host, address) for address in (one, two)}
        same(routers[one], ("172.16.86.1", "eth0"), "from the first")
        assert routers[two][0].startswith("172.16.87.") and routers[two][1] == "eth1", routers
        host.unchanged(policy())
        exported = host.mvapply("export").out
        assert "policy_routing: true" in exported and one not in exported, exported
        same(host.diff(exported, code=0).plan, [], "a diff against the export")
        # Another address: the rule is of the new one.
        os.unlink("/run/dhcp/up0.leases")
    with serving(host, pool="172.16.86.100,172.16.86.110"), \
            serving(host, link="up1", pool="172.16.87.50,172.16.87.99"):
        grow_old(host)
        host.apply(policy())
        one = lease_of(host)["local"]
        assert one.startswith("172.16.86.1"), one
        same(rules_of(host), {(32001, one, None, "7700"), (32001, two, None, "7701")}, "the rules")
        host.unchanged(policy())
        host.apply(policy(False))
        same(rules_of(host), set(), "without policy_routing")
        host.unchanged(policy(False))
        exported = host.mvapply("export").out
        assert "policy_routing" not in exported, exported
        host.apply(policy())
        host.apply(policy(dhcp=False).replace('"dhcp": true', '"subnet": "172.16.86.0/24", '
                                              '"gateway": "172.16.86.1", "dhcp": true', 1))
        same({rule[1] for rule in rules_of(host)}, {"172.16.86.2", two}, "of an address of the file")
        host.delete(policy())
        same(rules_of(host), set(), "after delete")


@test("dhcp routes: the service restores them, also once the link was down", seconds=60)
def service(host):
    host.netns("web")
    with serving(host, options=[CLASSLESS]), \
            watching(host, "-f", host.write(TEXT), converged=False) as running:
        running.until(lambda: used(host) == USED, "the routes", 20)
        running.settle()
        host.ip("web", "route flush proto 77")
        running.until(lambda: used(host) == USED, "put back", 20)
        host.batch("web", ["link set eth0 down", "link set eth0 up"])
        running.until(lambda: used(host) == USED, "after the link was down", 20)
