"""An unconfirmed apply that replaced or removed objects of other programs, on links that are not its own: the rollback
restores them exactly."""
import signal

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from test_confirm import waiting
from test_output_ip import final_state

DUAL = lan(subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}], subnet=None, gateway=None)
# The links x0 and y0 of another program, in the container.
LINKS = ["link set lo up", "link add x0 type veth peer name x1", "link set x0 up", "link set x1 up",
         "link add y0 type veth peer name y1", "link set y0 up", "link set y1 up",
         "address add 10.0.0.2/24 dev x0", "address add 10.1.0.2/24 dev y0",
         "address add fd00:10::2/64 dev x0 nodad", "address add fd00:11::2/64 dev y0 nodad"]


def foreign(host, *commands):
    host.netns("web")
    host.batch("web", [*LINKS, *commands])
    return host.snapshot(final_state=True)


def rolled_back(host, text, before, *flags):
    done = host.apply(text, *flags, "--confirm=1", "--max-delete=9", code=5)
    assert "the previous state is restored" in done.err, done
    same(host.snapshot(final_state=True), before, "after the rollback")
    return done


# What it is -> another program's routes, each of which an attachment's route replaces with --adopt.
REPLACED = {
    "a default route": ["route add default via 10.0.0.1"],
    "its protocol, MTU and source": ["route add default via 10.0.0.1 proto static mtu lock 1300 src 10.0.0.2 advmss 1200"],
    "a metric for applications": ["route add default via 10.0.0.1 proto dhcp window 9000 rtt 300ms initcwnd 20"],
    "several next hops": ["route add default proto static nexthop via 10.0.0.1 weight 2 nexthop via 10.1.0.1"],
    "next hops outside of a subnet": ["route add default proto 99 nexthop via 10.9.9.1 dev x0 onlink nexthop via 10.9.9.2 dev y0 onlink"],
    "a blackhole": ["route add blackhole default"],
    "a next hop of IPv6": ["route add default via inet6 fd00:10::1 dev x0"],
    "an IPv6 default route": ["route add default via fd00:10::1 proto static mtu 1300"],
    "several next hops of IPv6": ["route add ::/0 proto static nexthop via fd00:10::1 weight 3 nexthop via fd00:11::1"],
    "an IPv6 blackhole": ["route add blackhole ::/0"],
    "an encapsulation": ["route add default encap ip id 7 dst 10.0.0.9 dev x0"],
}


def replaced(commands):
    def body(host):
        before = foreign(host, *commands)
        text = document({"n": DUAL}, {"web": ["n"]})
        done = rolled_back(host, text, before, "--adopt")
        assert "created" in done.out, done
    return body


for what, routes in REPLACED.items():
    test(f"confirm others: --adopt replaced a route: {what}")(replaced(routes))


LEASED = document({"n": lan(dhcp=True, subnet=None, gateway=None)}, {"web": ["n"]})


@test("confirm others: --adopt replaced the default route by that of a lease")
def by_lease(host):
    before = foreign(host, "route add default via 10.0.0.1 proto static mtu 1300")
    with serving(host):
        rolled_back(host, LEASED, before, "--adopt")
        host.apply(document({"n": lan(gateway=None)}, {"web": ["n"]}))
        before = host.snapshot(final_state=True)
        rolled_back(host, LEASED, before, "--adopt")


@test("confirm others: --adopt replaced routes of tables and metrics, of both families")
def tables(host):
    theirs = ["10.8.0.0/16 via 10.0.0.1 table 100 proto static", "10.8.0.0/16 via 10.0.0.1 metric 5 tos 8",
              "10.8.0.0/16 via 10.0.0.1 metric 5 realms 3/4", "192.0.2.0/24 dev x0 scope link src 10.0.0.2"]
    before = foreign(host, *(f"route add {route}" for route in theirs), "route add fd00:8::/64 via fd00:10::1 metric 5 pref high",
                     "route add fd00:9::/64 dev y0 metric 1024 proto 99")
    routes = [{"to": "10.8.0.0/16", "via": "172.16.86.9", "table": 100}, {"to": "10.8.0.0/16", "via": "172.16.86.9", "metric": 5},
              {"to": "192.0.2.0/24"}, {"to": "fd00:8::/64", "via": "fd00:86::9", "metric": 5}, {"to": "fd00:9::/64", "via": "fd00:86::9"}]
    rolled_back(host, document({"n": DUAL}, {"web": {"n": {"routes": routes}}}), before, "--adopt")


@test("confirm others: --adopt replaced a route by one that leads nowhere")
def typed(host):
    before = foreign(host, "route add 10.8.0.0/16 via 10.0.0.1 proto static mtu 1300", "route add fd00:8::/64 via fd00:10::1 proto static",
                     "route add unreachable 10.9.0.0/16")
    routes = [{"to": to, "type": "blackhole"} for to in ("10.8.0.0/16", "10.9.0.0/16", "fd00:8::/64")]
    rolled_back(host, document({"n": DUAL}, {"web": {"n": {"routes": routes}}}), before, "--adopt")


# Routes of other links with a managed address as their source: the kernel flushes them with the address.
SOURCED = ["route add 10.8.0.0/16 via 10.0.0.1 src 172.16.86.20 proto static", "route add 10.9.0.0/16 dev y0 src 172.16.86.21 metric 9",
           "route add 10.7.0.0/16 via 10.0.0.1 src 172.16.86.20 table 100",
           "route add fd00:8::/64 via fd00:10::1 src fd00:86::20",
           "route add 10.6.0.0/16 proto static nexthop via 10.0.0.1 nexthop via 172.16.86.3"]
ADDRESSES = ["172.16.86.20", "172.16.86.21", "fd00:86::20"]
EDITS = {"deleted": {}, "another address": {"web": {"n": {"addresses": ["172.16.86.30", "172.16.86.21", "fd00:86::30"]}}},
         "another order": {"web": {"n": {"addresses": ["172.16.86.21", "172.16.86.20", "fd00:86::20"]}}},
         "replaced": {"web": {"m": {"addresses": ["172.16.87.20"]}}}}


def sourced(edit):
    def body(host):
        foreign(host)
        networks = {"n": DUAL, "m": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")}
        host.apply(document(networks, {"web": {"n": {"addresses": ADDRESSES}}}))
        host.batch("web", SOURCED)
        before = host.snapshot(final_state=True)
        rolled_back(host, document(networks, edit), before)
    return body


for what, changed in EDITS.items():
    test(f"confirm others: routes of other links from a managed address: {what}")(sourced(changed))


# What it is -> routes of another program that the rollback has to keep apart: the same place several times, a connected
# route, next hop objects.
KEPT_APART = {
    "several of one place": (["route append default via 10.0.0.1", "route append default via 10.0.0.3", "route append default via 10.1.0.3"],
                             "0.0.0.0/0"),
    "several of one place, IPv6": (["route append fd00:8::/64 dev x0", "route append fd00:8::/64 dev y0"], "fd00:8::/64"),
    "a connected route": ([], "10.0.0.0/24"),
    "a next hop object": (["nexthop add id 7 via 10.0.0.1 dev x0", "nexthop add id 8 via 10.1.0.1 dev y0", "nexthop add id 9 group 7/8",
                           "route add 10.8.0.0/16 nhid 9 proto static"], "10.8.0.0/16"),
    "a next hop object of IPv6": (["nexthop add id 7 via fd00:10::1 dev x0", "route add fd00:8::/64 nhid 7 proto static"], "fd00:8::/64"),
}


def kept_apart(commands, to):
    def body(host):
        before = foreign(host, *commands)
        order = host.ip("web", "-4 route show")
        route = {"to": to, "via": "fd00:86::9" if ":" in to else "172.16.86.9"}
        rolled_back(host, document({"n": DUAL}, {"web": {"n": {"routes": [route] if to != "0.0.0.0/0" else []}}}), before, "--adopt")
        same(host.ip("web", "-4 route show"), order, "with the order of the routes")
    return body


for what, (theirs_are, destination) in KEPT_APART.items():
    test(f"confirm others: --adopt replaced {what}")(kept_apart(theirs_are, destination))


@test("confirm others: --adopt replaced the default route in addition to an engine, in table 77")
def beside(host):
    before = foreign(host, "route add default via 10.0.0.1", "route add default via 10.0.0.1 table 77 proto static",
                     "route add ::/0 via fd00:10::1", "route add ::/0 via fd00:10::1 table 77 metric 1024 proto static")
    text = document({"n": DUAL}, {"web": {"n": {"gw_priority": 1}}})
    host.apply(text, code=1)
    rolled_back(host, text, before, "--adopt")


@test("confirm others: the place of a replaced route that another program has taken meanwhile stays its own")
def taken(host):
    foreign(host, "route add default via 10.0.0.1 proto static")
    with waiting(host, document({"n": DUAL}, {"web": ["n"]}), "--adopt") as (child, _):
        host.ip("web", "route replace default via 10.1.0.3 dev y0 proto dhcp")
        child.send_signal(signal.SIGINT)
        same(child.wait(timeout=20 * host.patience), 5, "the exit code")
    same({route for route in host.routes("web") if "default" in route}, {"default via 10.1.0.3 dev y0"}, "the default route")


# --- an apply that is not rolled back removes none of them, while the address that they need is in the files

def of_links(host):
    """The routes of the other program's links, as text."""
    return {line.strip() for family in ("-4", "-6") for line in host.ip("web", f"{family} route show table all").splitlines()
            if (" dev x0 " in line or " dev y0 " in line) and " proto kernel " not in line}


def stays(edit):
    def body(host):
        foreign(host)
        networks = {"n": DUAL, "m": DUAL, "p": {**DUAL, "mode": "private"}}
        host.apply(document(networks, {"web": {"n": {"addresses": ADDRESSES}}}))
        host.batch("web", SOURCED[:4])
        before = of_links(host)
        same(len(before), 4, "routes")
        host.apply(document(networks, {"web": edit}), "--max-delete=9")
        same(of_links(host), before, "routes")
    return body


REORDERED = ["172.16.86.21", "172.16.86.20", "fd00:86::20"]
for what, changed in {"another order": {"n": {"addresses": REORDERED}},
                      "another network": {"m": {"addresses": ADDRESSES, "interface_name": "eth0"}},
                      "two links": {"n": {"addresses": ["172.16.86.30"]}, "m": {"addresses": ADDRESSES}}}.items():
    test(f"confirm others: routes of other links from a managed address stay: {what}")(stays(changed))


@test("confirm: ipvlan links that a rollback creates keep the link-local addresses of the kernel", needs=["ipvlan"])
def of_ipvlan(host):
    names = ["web", "db", "ci"]
    host.netns(*names)
    host.apply(document({"n": lan(driver="ipvlan")}, {name: ["n"] for name in names}))
    before = final_state(host)
    done = host.apply("networks: {}", "--confirm=1", "--max-delete=3", code=5)
    assert "the previous state is restored" in done.err, done
    same(final_state(host), before, "after the rollback")
    for name in names:
        found = [item for item in host.link(name, "eth0")["addr_info"] if item["scope"] == "link"]
        same(len(found), 1, f"link-local addresses of {name}")
