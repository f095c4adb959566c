"""apply --confirm rolls back after a container was restarted: objects of others in its new namespace are kept,
and what could not be restored is reported."""
import signal

from declare import document, lan
from host import same
from registry import test
from test_confirm import container_restart, ended, waiting

DUAL = lan(subnet=None, gateway=None, subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                                               {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
ROUTES = {"n": {"routes": [{"to": "10.9.0.0/16", "via": "172.16.86.1"}]}}
WITH_ROUTES = document({"n": DUAL}, {"web": ROUTES, "db": ["n"]})
AFTER = document({"n": {**DUAL, "mtu": 1400}}, {"web": ROUTES, "db": ["n"]})

# In the new namespace: another link, and through it the former link's addresses and routes, too.
THEIRS = {
    "a default route": ["route add default via 192.0.2.2 dev o0"],
    "a default route of a routing daemon": ["route add default via 192.0.2.2 dev o0 proto 186"],
    "an IPv6 default route": ["route add ::/0 via fd00:99::2 dev o0"],
    "the same route": ["route add 10.9.0.0/16 via 192.0.2.2 dev o0"],
    "a route with mvapply's protocol": ["route add default via 192.0.2.2 dev o0 proto 77"],
}
# And objects that do not conflict.
BESIDE = ["route add default via 192.0.2.3 dev o0 metric 500", "route add 10.10.0.0/16 via 192.0.2.2 dev o0",
          "route add 10.9.0.0/24 via 192.0.2.2 dev o0"]


def other_link(host, routes):
    host.batch("web", ["link add o0 type veth peer name o1", "address add 192.0.2.1/24 dev o0",
                       "address add fd00:99::1/64 dev o0 nodad", "link set o0 up", "link set o1 up", *routes])


def their_routes(host):
    return {text: protocol for text, protocol in host.route_protocols("web").items() if " dev o0" in text}


def attach_again(host, alias):
    """As if a user had created the former link by hand."""
    host.batch("host", ["link add x0 link eth0 type macvlan mode bridge", "link set x0 netns web"])
    host.batch("web", [f"link set x0 alias {alias}", "link set x0 up"])


def rolled_back(host, routes, again, code):
    """Returns its output."""
    alias = host.link("web", "eth0")["ifalias"]
    with waiting(host, AFTER) as (child, _):
        container_restart(host, "web")
        other_link(host, routes)
        if again:
            attach_again(host, alias)
        before = their_routes(host)
        child.send_signal(signal.SIGINT)
        ended(host, child, code)
        said = child.stderr.read().decode()
    same(their_routes(host), before, f"the routes of others\n{said}")
    same(host.link("db", "eth0")["mtu"], 1500, "the other container's MTU")
    return said


@test("confirm, restarted: others' routes in the new namespace stay, and conflicting ones are named", both=True,
      seconds=120)
def theirs_stay(host):
    host.netns("web", "db")
    for what, routes in THEIRS.items():
        for again in (False, True):
            host.apply(WITH_ROUTES)
            said = rolled_back(host, routes, again, 1)
            assert "the rollback is incomplete [MV0913]" in said and "web" in said and "File exists" in said, f"{what}: {said}"
            container_restart(host, "web")


@test("confirm, restarted: unmanaged objects in the namespace do not prevent the rollback")
def beside(host):
    host.netns("web", "db")
    for again in (False, True):
        host.apply(WITH_ROUTES)
        before = host.routes("web")
        rolled_back(host, BESIDE, again, 5)
        same({route for route in host.routes("web") if " dev eth0" in route}, before, "the former routes")
        same(host.addresses("web", "eth0"), {"172.16.86.2/24", "fd00:86::2/64"}, "addresses")
        container_restart(host, "web")


@test("confirm, restarted: in the same namespace, a route that replaced a managed one stays")
def same_namespace(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
    with waiting(host, document({"n": lan(gateway=None)}, {"web": ["n"], "db": ["n"]})) as (child, _):
        other_link(host, ["route add default via 192.0.2.2 dev o0"])
        before = their_routes(host)
        child.send_signal(signal.SIGINT)
        ended(host, child, 1)
        said = child.stderr.read().decode()
    same(their_routes(host), before, f"the route of others\n{said}")
    assert "default" in said and "web" in said and "[MV0913]" in said, said
    same("default via 172.16.86.1 dev eth0" in host.routes("db"), True, "the other container's")
