"""Routes beyond the plain one: gateways outside the subnet, tables, metrics and what else a route
has, of an attachment or of a network. Each goes through the whole program: apply, changes in place,
`-o ip`, adoption, export, and back."""
import itertools
import json

import packets
from declare import document, lan
from host import same
from registry import test
from test_export import exported
from test_output_ip import final_state, replay

LAN4 = {"subnet": "172.16.86.0/24", "ip_range": "172.16.86.64/26"}
LAN6 = {"subnet": "fd00:86::/64", "ip_range": "fd00:86::/122"}
TO = "10.0.0.0/8"


def network(*subnets, **keys):
    return {"parent": "eth0", "subnets": list(subnets), **keys}


def own_routes(host, space="web"):
    """Those with mvapply's protocol, of all tables, as `ip -j` shows them."""
    found = []
    for family in ("-4", "-6"):
        out = host.ip(space, f"-j -d {family} route show table all proto 77")
        found += [{key: value for key, value in route.items()
                   if key in ("dst", "gateway", "table", "metric", "metrics", "scope", "prefsrc",
                              "dev")
                   or (key == "flags" and value)}
                  for route in json.loads(out)]
    return ordered(found)


def ordered(routes):
    return sorted(routes, key=lambda item: json.dumps(item, sort_keys=True))


def route(dst, gateway=None, dev="eth0", table="main", ipv6=False, **keys):
    expected = {"dst": dst, "dev": dev, "table": table,
                "scope": "global" if gateway or ipv6 else "link", **keys}
    if ipv6:
        expected.setdefault("metric", 1024)
    return {**expected, **({"gateway": gateway} if gateway else {})}


# The networks, the options of web's attachment to n, and the routes of mvapply that follow.
ROUTES = {
    "an IPv6 gateway that is link-local":
        (network({**LAN6, "gateway": "fe80::1"}), {},
         [route("default", "fe80::1", ipv6=True)]),
    "a gateway outside of the subnet":
        (network({**LAN4, "gateway": "198.51.100.1", "on_link": True}), {},
         [route("default", "198.51.100.1", flags=["onlink"])]),
    "a subnet of one address":
        (network({"subnet": "203.0.113.7/32", "gateway": "198.51.100.1"}), {},
         [route("default", "198.51.100.1", flags=["onlink"])]),
    "an IPv6 gateway outside of the subnet":
        (network({**LAN6, "gateway": "2001:db8::1", "on_link": True}), {},
         [route("default", "2001:db8::1", ipv6=True, flags=["onlink"])]),
    "gateways of both families, each in the second subnet of it":
        (network(LAN4, {"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"},
                 LAN6, {"subnet": "fd00:87::/64", "gateway": "fd00:87::1"}), {},
         [route("default", "10.7.0.1", flags=["onlink"]),
          route("default", "fd00:87::1", ipv6=True, flags=["onlink"])]),
    "a table, a metric, an MTU and an MSS":
        (network(LAN4, LAN6),
         {"routes": [
             {"to": TO, "via": "172.16.86.254", "metric": 50, "mtu": 1400, "advmss": 1300},
             {"to": TO, "via": "172.16.86.253", "metric": 60},
             {"to": "0.0.0.0/0", "via": "172.16.86.254", "table": 100},
             {"to": "fd01::/16", "via": "fd00:86::9", "table": 70000, "metric": 5, "mtu": 1300}]},
         [route(TO, "172.16.86.254", metric=50, metrics=[{"mtu": 1400, "advmss": 1300}]),
          route(TO, "172.16.86.253", metric=60),
          route("default", "172.16.86.254", table="100"),
          route("fd01::/16", "fd00:86::9", table="70000", ipv6=True, metric=5,
                metrics=[{"mtu": 1300}])]),
    "a scope, a source, and next hops outside of the subnets":
        (network(LAN4, LAN6),
         {"ipv4_address": "172.16.86.20",
          "routes": [
              {"to": "10.1.0.0/16"},
              {"to": "10.2.0.0/16", "scope": "host"},
              {"to": "10.3.0.0/16", "scope": "global"},
              {"to": "10.4.0.0/16", "via": "172.16.86.254", "source": "172.16.86.20"},
              {"to": "10.5.0.0/16", "via": "198.51.100.1", "on_link": True},
              {"to": "fd01::/16", "via": "fe80::1"},
              {"to": "fd02::/16"}]},
         [route("10.1.0.0/16"), route("10.2.0.0/16", scope="host"),
          route("10.3.0.0/16", scope="global"),
          route("10.4.0.0/16", "172.16.86.254", prefsrc="172.16.86.20"),
          route("10.5.0.0/16", "198.51.100.1", flags=["onlink"]),
          route("fd01::/16", "fe80::1", ipv6=True), route("fd02::/16", ipv6=True)]),
    "routes of the network, one of which the attachment has, too":
        (network(LAN4, routes=[{"to": TO, "via": "172.16.86.254"},
                               {"to": "10.1.0.0/16", "via": "172.16.86.254", "metric": 3}]),
         {"routes": [{"to": TO, "via": "172.16.86.253"}]},
         [route(TO, "172.16.86.253"), route("10.1.0.0/16", "172.16.86.254", metric=3)]),
}


def text_of(declared, options):
    return document({"n": declared}, {"web": {"n": options}})


def plain():
    """The same container without routes."""
    return text_of(network(LAN4, LAN6), {})


def applied(host, row):
    """The text of the row, which is applied, and its routes."""
    declared, options, expected = row
    text = text_of(declared, options)
    host.netns("web")
    host.apply(text)
    return text, ordered(expected)


for NAME, ROW in ROUTES.items():
    @test(f"routing: {NAME}", needs=[])
    def routing(host, row=ROW):
        text, expected = applied(host, row)
        same(own_routes(host), expected, "the routes")
        host.unchanged(text)
        created = final_state(host)
        host.apply(plain())
        same(own_routes(host), [], "without routes")
        host.apply(text)
        same(own_routes(host), expected, "the routes, added to a live link")
        host.unchanged(text)
        host.delete(text)
        replay(host, text)
        same(final_state(host), created, "after the commands of -o ip")

    @test(f"routing: exported: {NAME}", needs=[])
    def routing_exported(host, row=ROW):
        _, expected = applied(host, row)
        text, _ = exported(host)
        host.unchanged(text)
        host.delete(text)
        host.apply(text)
        same(own_routes(host), expected, "the routes of the export")


CHANGES = {
    "the metric": ({"metric": 50}, {"metric": 60}),
    "the MTU": ({"mtu": 1400}, {"mtu": 1300}),
    "the MTU, which goes": ({"mtu": 1400}, {}),
    "the MSS": ({"advmss": 1300}, {"advmss": 1200}),
    "the source": ({}, {"source": "172.16.86.20"}),
    "the next hop": ({}, {"via": "198.51.100.1", "on_link": True}),
    "the table": ({"table": 100}, {"table": 101}),
    "the main table's number": ({}, {"table": 254}),
}

for NAME, ROW in CHANGES.items():
    @test(f"routing: changed in place: {NAME}")
    def routing_changed(host, name=NAME, row=ROW):
        before, after = ({"ipv4_address": "172.16.86.20",
                          "routes": [{"to": TO, "via": "172.16.86.254", **keys}]} for keys in row)
        host.netns("web")
        host.apply(text_of(network(LAN4), after))
        expected = own_routes(host)
        host.apply(text_of(network(LAN4), before))
        link = host.link("web", "eth0")["ifindex"]
        host.apply(text_of(network(LAN4), after))
        same(own_routes(host), expected, name)
        same(host.link("web", "eth0")["ifindex"], link, "the link")
        host.unchanged(text_of(network(LAN4), after))


@test("routing: another program's route conflicts only in the same table with the same metric")
def beside(host):
    host.netns("web")
    host.batch("web", ["link add other type veth peer name far", "link set other up",
                       "link set far up", f"route add {TO} dev other metric 7",
                       f"route add {TO} dev other table 100"])
    text = text_of(network(LAN4), {"interface_name": "lan0", "routes": [
        {"to": TO, "via": "172.16.86.254", "metric": 8},
        {"to": TO, "via": "172.16.86.254", "table": 101}]})
    host.apply(text)
    same(own_routes(host), ordered([route(TO, "172.16.86.254", dev="lan0", metric=8),
                                    route(TO, "172.16.86.254", dev="lan0", table="101")]),
         "the routes")
    for key, value in (("metric", 7), ("table", 100)):
        text = text_of(network(LAN4), {"interface_name": "lan0", "routes": [
            {"to": TO, "via": "172.16.86.254", key: value}]})
        done = host.apply(text, code=1)
        assert "already has a route to 10.0.0.0/8" in done.out + done.err, done
    host.delete(text)
    found = json.loads(host.ip("web", "-j route show table all"))
    same({(item["dst"], item.get("metric"), item.get("table", "main"))
          for item in found if item["dst"] == TO},
         {(TO, 7, "main"), (TO, None, "100")}, "the other program's routes")


@test("routing: --confirm rolls back the routes")
def confirmed(host):
    host.netns("web")
    declared = network(LAN4, LAN6)
    before = text_of(declared, ROUTES["a table, a metric, an MTU and an MSS"][1])
    host.apply(before)
    expected = own_routes(host)
    host.apply(text_of(declared, {}), "--confirm=1", code=5, seconds=20)
    same(own_routes(host), expected, "the routes after the way back")
    host.unchanged(before)


@test("routing: packets reach a router outside of the subnet")
def reached(host):
    host.netns("web")
    host.lan("198.51.100.1/32")
    host.apply(text_of(network({**LAN4, "gateway": "198.51.100.1", "on_link": True}), {}))
    with host.inside("web"):
        assert packets.ping("198.51.100.1"), "the router does not answer"


# --- policy routing of the file

TWO = {"lan": {"parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
               "ip_range": "172.16.86.64/26"},
       "dmz": {"parent": "eth1", "subnets": [
           {"subnet": "172.16.87.0/24", "gateway": "172.16.87.1", "ip_range": "172.16.87.64/26"},
           {"subnet": "fd00:87::/64", "gateway": "fe80::1", "ip_range": "fd00:87::40/122"}]}}
OTHERS = ({"from": "172.16.86.0/24", "to": "10.0.0.0/8", "table": 100, "priority": 500},
          {"to": "10.9.9.9", "table": 100})


def second_lan(host):
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                        "link set up1 netns /run/lan"])
    host.batch("lan", ["link set up1 up", "address add 172.16.87.1/24 dev up1"])


def rules_of(host, space="web"):
    """Those with mvapply's protocol: priority, source, destination, table."""
    found = []
    for family in ("-4", "-6"):
        for rule in json.loads(host.ip(space, f"-j {family} rule show")):
            if str(rule.get("protocol")) == "77":
                ends = [f"{rule[key]}/{rule[key + 'len']}" if key + "len" in rule else rule.get(key)
                        for key in ("src", "dst")]
                found.append((rule["priority"], *ends, rule["table"]))
    return set(found)


def two(policy=True, rules=(), networks=("lan", "dmz")):
    options = {name: {} for name in networks}
    if rules:
        options["lan"] = {"routes": [{"to": "0.0.0.0/0", "via": "172.16.86.9", "table": 100}],
                          "rules": list(rules)}
    return document(TWO, {"web": {"policy_routing": policy, "networks": options}})


SOURCES = {(32001, "172.16.86.64", None, "7700"), (32001, "172.16.87.64", None, "7701"),
           (32001, "fd00:87::40", None, "7701")}
RULES = {(500, "172.16.86.0/24", "10.0.0.0/8", "100"), (32000, "all", "10.9.9.9", "100")}


def way(host, source, to="192.0.2.9", space="web"):
    found = json.loads(host.ip(space, f"-j route get {to} from {source}"))[0]
    return found["gateway"], found["dev"]


@test("routing: a container answers on each network by that network's gateway")
def sources(host):
    second_lan(host)
    host.netns("web")
    host.apply(two())
    same(rules_of(host), SOURCES, "the rules")
    same(way(host, "172.16.86.64"), ("172.16.86.1", "eth0"), "from the LAN's address")
    same(way(host, "172.16.87.64"), ("172.16.87.1", "eth1"), "from the other address")
    same(way(host, "fd00:87::40", "2001:db8::9"), ("fe80::1", "eth1"), "of IPv6")
    host.unchanged(two())
    created = final_state(host)
    export, documents = exported(host)
    same(documents[0]["containers"]["web"]["policy_routing"], True, "exported")
    host.unchanged(export)
    host.apply(two(policy=False))
    same((rules_of(host), {route["table"] for route in own_routes(host)}), (set(), {"main"}),
         "without policy_routing")
    host.delete(two(policy=False))
    replay(host, two())
    same((final_state(host), rules_of(host)), (created, SOURCES), "after the commands of -o ip")
    host.delete(two())
    same(rules_of(host), set(), "after delete")


@test("routing: a network that comes or leaves does not change the other one's table")
def tables(host):
    second_lan(host)
    host.netns("web")
    host.apply(two(networks=["dmz"]))
    same(way(host, "172.16.87.64"), ("172.16.87.1", "eth0"), "alone")
    before = {route["table"] for route in own_routes(host)}
    host.apply(two())
    same({rule[3] for rule in rules_of(host) if rule[1] == "172.16.87.64"}, before - {"main"},
         "the table of the first")
    host.unchanged(two())
    host.apply(two(networks=["lan"]), "--max-delete", "100%")
    same({rule[1] for rule in rules_of(host)}, {"172.16.86.64"}, "the rules that are left")
    host.unchanged(two(networks=["lan"]))


@test("routing: rules of the file, which others' rules do not hinder")
def own_rules(host):
    second_lan(host)
    host.netns("web")
    host.ip("web", "rule add pref 500 from 192.0.2.0/24 lookup 100")
    declared = two(policy=False, rules=OTHERS)
    host.apply(declared)
    same(rules_of(host), RULES, "the rules")
    host.unchanged(declared)
    host.unchanged(exported(host)[0])
    host.ip("web", "rule del pref 32000")
    host.apply(declared)
    same(rules_of(host), RULES, "a rule that was removed by hand is back")
    host.apply(two(policy=False, rules=OTHERS[:1]))
    same(rules_of(host), {rule for rule in RULES if rule[0] == 500}, "one rule less")
    host.apply(two(rules=OTHERS), "--confirm=1", code=5)
    same(rules_of(host), {rule for rule in RULES if rule[0] == 500}, "rolled back")
    host.apply(two(policy=False))
    same(rules_of(host), set(), "without rules")
    same([rule["src"] for rule in json.loads(host.ip("web", "-j rule show"))
          if rule["priority"] == 500], ["192.0.2.0"], "the other program's rule")


@test("routing: two containers in one namespace, each with tables of its own")
def shared(host):
    second_lan(host)
    host.netns("web")
    declared = document(TWO, {
        "web": {"policy_routing": True, "networks": {"lan": {}}},
        "side": {"netns": "/run/netns/web", "policy_routing": True, "networks": {"dmz": {}}}})
    host.apply(declared)
    same(rules_of(host), SOURCES, "the rules")
    host.unchanged(declared)
    alone = document(TWO, {"web": {"policy_routing": True, "networks": {"lan": {}}}})
    host.apply(alone, "--max-delete", "100%")
    same(rules_of(host), {rule for rule in SOURCES if rule[3] == "7700"}, "of the one left")
    host.unchanged(alone)


OTHER_ROUTES = ({"to": "10.9.0.0/16", "via": "172.16.86.9"}, {"to": "10.9.0.0/16", "source": "172.16.86.20"},
                {"to": "10.9.0.0/16", "via": "172.16.86.9", "table": 100}, {"to": "10.9.0.0/16", "via": "172.16.86.9", "metric": 7})


@test("routing: routes are changed while the primary address, with which the kernel removes the others, gets another place", seconds=60)
def reordered(host):
    host.netns("web")

    def text(addresses, *routes):
        return document({"n": lan()}, {"web": {"n": {"addresses": addresses, "routes": list(routes)}}})
    one, two = ["172.16.86.20", "172.16.86.21"], ["172.16.86.21", "172.16.86.20"]
    for before, after in itertools.product(({"to": "10.9.0.0/16"}, None), OTHER_ROUTES):
        given = text(two, after)
        for way in ("apply", "ip"):
            host.apply(text(one, *([before] if before else [])))
            if way == "apply":
                host.apply(given)
            else:
                host.run("sh", "-e", stdin=host.diff(given, "-o", "ip").out.encode(), code=0)
            host.unchanged(given)
            host.delete(given)
