"""Routes that lead nowhere, `type: blackhole` and so on: the namespace's own, without a link."""
import json

from declare import document, lan
from host import same
from registry import test
from service import watching

NETWORKS = {"n": lan(ip_range="172.16.86.0/25", subnet=None, gateway=None, subnets=[
    {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])}
NETWORKS["n"].pop("ip_range")
TYPES = ("blackhole", "unreachable", "prohibit", "throw")


def text(*routes, network=(), others=None, **keys):
    networks = {"n": {**NETWORKS["n"], "routes": list(network)}, "m": lan(subnet="10.8.0.0/24", gateway=None, routes=list(network))}
    attachments = {"n": {"routes": list(routes), **keys}, **(others or {})}
    return document(networks, {"web": attachments})


def routes(host, name="web"):
    """(type, destination, table, metric, protocol) of each route without a link."""
    found = set()
    for family in ("-4", "-6"):
        for route in json.loads(host.ip(name, f"{family} -j route show table all")):
            if route.get("type", "unicast") in TYPES:
                found.add((route["type"], route["dst"], route.get("table", "main"), route.get("metric", 0), route.get("protocol", "boot")))
    return found


ALL = [{"to": "10.0.0.0/8", "type": "blackhole"}, {"to": "10.1.0.0/16", "type": "unreachable", "table": 100},
       {"to": "10.2.0.0/16", "type": "prohibit", "metric": 7}, {"to": "0.0.0.0/0", "type": "throw", "table": 100},
       {"to": "fd00:1::/64", "type": "blackhole"}, {"to": "fd00:2::/64", "type": "unreachable", "table": 300, "metric": 9},
       {"to": "::/0", "type": "prohibit", "metric": 4096}]
MADE = {("blackhole", "10.0.0.0/8", "main", 0, "77"), ("unreachable", "10.1.0.0/16", "100", 0, "77"),
        ("prohibit", "10.2.0.0/16", "main", 7, "77"), ("throw", "default", "100", 0, "77"),
        ("blackhole", "fd00:1::/64", "main", 1024, "77"), ("unreachable", "fd00:2::/64", "300", 9, "77"),
        ("prohibit", "default", "main", 4096, "77")}


@test("route types: each type, on an attachment and on a network; delete removes them", seconds=60)
def types(host):
    host.netns("web")
    for given in (text(*ALL), text(network=ALL), text(network=ALL, others={"m": {}})):
        host.apply(given)
        same(routes(host), MADE, "the routes")
        host.unchanged(given)
        out = host.mvapply("export").out
        host.unchanged(out)
        host.delete(given)
        same(routes(host), set(), "after delete")


@test("route types: the commands of diff -o ip", seconds=60)
def as_commands(host):
    host.netns("web")
    for given, expected in ((text(*ALL), MADE), (text(), set())):
        host.run("sh", "-e", stdin=host.diff(given, "-o", "ip").out.encode(), code=0)
        same(routes(host), expected, "the routes")
        host.unchanged(given)


@test("route types: each edit changes the routes alone", seconds=60)
def edits(host):
    host.netns("web")
    to = "10.0.0.0/8"
    rows = (({"type": "blackhole"}, ("blackhole", to, "main", 0, "77")), ({"type": "throw"}, ("throw", to, "main", 0, "77")),
            ({"type": "throw", "metric": 5}, ("throw", to, "main", 5, "77")),
            ({"type": "prohibit", "table": 9}, ("prohibit", to, "9", 0, "77")),
            ({"via": "172.16.86.9"}, None), ({"type": "unreachable"}, ("unreachable", to, "main", 0, "77")),
            ({"via": "172.16.86.9", "metric": 3}, None))
    host.apply(text())
    index = host.link("web", "eth0")["ifindex"]
    for options, made in rows:
        given = text({"to": to, **options})
        host.apply(given)
        same(routes(host), {made} if made else set(), str(options))
        same(host.link("web", "eth0")["ifindex"], index, "the link")
        host.unchanged(given)


@test("route types: another program's route, and the same one of two attachments", seconds=60)
def conflicts(host):
    host.netns("web")
    host.run("ip", "-n", "web", "route", "add", "prohibit", "10.0.0.0/8", code=0)
    host.run("ip", "-n", "web", "-6", "route", "add", "unreachable", "default", "metric", "4278198272", code=0)
    theirs = routes(host)
    route = {"to": "10.0.0.0/8", "type": "blackhole"}
    result = host.apply(text(route), code=1)
    same("web already has a route to 10.0.0.0/8" in result.out and "[MV0804]" in result.out, True, str(result))
    same((host.names("web"), routes(host)), (set(), theirs), "nothing done")
    host.apply(text())
    same(routes(host), theirs, "theirs stay")
    host.apply(text(route), "--adopt")
    same(routes(host) - theirs, {("blackhole", "10.0.0.0/8", "main", 0, "77")}, "adopted")
    both = text(route, others={"m": {"routes": [route]}})
    refused = host.mvapply("validate", "-f", host.write(both), code=3)
    same("already has a route at" in refused.err and "[MV0408]" in refused.err, True, str(refused))


@test("route types: none takes the place of a route of an attachment", seconds=60)
def places(host):
    host.netns("web")
    host.apply(text(others={"m": {}}))
    before = host.snapshot()
    rows = (("n", "0.0.0.0/0", {}), ("m", "0.0.0.0/0", {}), ("n", "::/0", {}), ("m", "::/0", {}),
            ("n", "10.8.0.0/24", {}), ("m", "172.16.86.0/24", {}), ("m", "fd00:86::/64", {"metric": 256}))
    for owner, to, metric in rows:
        def given(**options):
            own = {"routes": [{"to": to, "type": "unreachable", **options}]}
            return text(*(own["routes"] if owner == "n" else ()), others={"m": own if owner == "m" else {}})
        for options in ((), ("--adopt",)):
            result = host.apply(given(**metric), *options, code=1)
            said = " ".join(str(result).split())
            assert "would replace that of web/" in said and "[MV0408]" in said and "metric" in said, result
            same(host.snapshot(), before, f"nothing done, {to}")
        better = given(metric=2048)
        host.apply(better)
        host.unchanged(better)
        same(len(routes(host)), 1, f"with a metric, {to}")
        host.apply(text(others={"m": {}}))
        same(host.snapshot(), before, "without it again")


@test("route types: a network's and the same of an attachment, in both orders", seconds=60)
def both_orders(host):
    host.netns("web")
    route = {"to": "10.0.0.0/8", "type": "blackhole"}
    networks = {"n": lan(routes=[route]), "m": lan(subnet="10.8.0.0/24", gateway=None)}
    for names in (("n", "m"), ("m", "n")):
        given = document(networks, {"web": {name: {"routes": [route]} if name == "m" else {} for name in names}})
        host.apply(given)
        same(routes(host), {("blackhole", "10.0.0.0/8", "main", 0, "77")}, "the route")
        host.unchanged(given)
    twice = document(networks, {"web": {"n": {}, "m": {"routes": [route, route]}}})
    refused = host.mvapply("validate", "-f", host.write(twice), code=3)
    same("already has a route at" in refused.err and "[MV0408]" in refused.err, True, str(refused))


@test("route types: an attachment goes, and the other one keeps what it asks for", seconds=60)
def one_goes(host):
    host.netns("web")
    host.apply(text(network=ALL[:1], others={"m": {}}))
    networks = {"m": lan(subnet="10.8.0.0/24", gateway=None, routes=ALL[:1])}
    host.apply(document(networks, {"web": ["m"]}))
    same(routes(host), {("blackhole", "10.0.0.0/8", "main", 0, "77")}, "kept")
    networks["m"]["routes"] = []
    host.apply(document(networks, {"web": ["m"]}))
    same(routes(host), set(), "not asked for")


@test("route types: two sets in a namespace leave each other's alone", seconds=60)
def two_sets(host):
    host.netns("web")
    given = [document({name: lan(subnet=f"10.{number}.0.0/24", gateway=None, routes=[{"to": to, "type": "blackhole"}])},
                      {name: {"netns": "web", "networks": [name]}}, name=name)
             for number, (name, to) in enumerate((("a", "10.128.0.0/9"), ("b", "10.129.0.0/16")))]
    for text_of_set in given:
        host.apply(text_of_set)
    for text_of_set in given:
        host.unchanged(text_of_set)
    same({route[1] for route in routes(host)}, {"10.128.0.0/9", "10.129.0.0/16"}, "both")
    host.delete(given[0])
    same({route[1] for route in routes(host)}, {"10.128.0.0/9", "10.129.0.0/16"}, "whose it is is not known while both have links")
    host.delete(given[1])
    same(routes(host), set(), "the last set removes them")


@test("route types: a rollback, and what watch repairs", seconds=120)
def repaired(host):
    host.netns("web")
    host.apply(text(*ALL[:2]))
    before = host.snapshot()
    host.mvapply("apply", "-f", host.write(text({"to": "10.9.0.0/16", "type": "throw"})), "--confirm=1", code=5)
    same(host.snapshot(), before, "rolled back")
    with watching(host, "-f", host.write(text(*ALL))) as service:
        service.until(lambda: routes(host) == MADE, "all there", 20)
        host.run("ip", "-n", "web", "route", "del", "blackhole", "10.0.0.0/8", code=0)
        service.until(lambda: routes(host) == MADE, "added again", 20)
        host.run("ip", "-n", "web", "-6", "route", "del", "prohibit", "default", "metric", "4096", code=0)
        service.until(lambda: routes(host) == MADE, "the IPv6 one is added again", 20)


@test("route types: of a container that is not there yet")
def absent(host):
    text = document({"n": lan(routes=[{"to": "10.0.0.0/8", "type": "blackhole"}])}, {"web": ["n"]})
    done = host.mvapply("diff", "-f", host.write(text))
    same(done.plan, ['pending web/n no network namespace "web" yet'], "the plan")
    host.netns("web")
    host.apply(text)
    host.unchanged(text)
