"""The host's own links: several networks on one parent, each mode of ipvlan, and a VRF."""
import json

import packets
from declare import document, lan
from host import same
from registry import test
from test_export import exported
from test_output_ip import final_state, replay

# Two networks of one subnet, with a range each, and one of another subnet.
RANGES = {"a": {"ip_range": "172.16.86.0/26"}, "b": {"ip_range": "172.16.86.64/26"},
          "c": {"subnet": "10.8.0.0/24", "gateway": None, "ip_range": "10.8.0.0/26"}}
HOST = {"a": "172.16.86.9", "b": "172.16.86.70", "c": "10.8.0.9"}
CONTAINERS = {"a": "172.16.86.20", "b": "172.16.86.90", "c": "10.8.0.20"}
ROUTES = {(CONTAINERS[name], f"mv-{name}", HOST[name]) for name in CONTAINERS}


def text(**keys):
    """A container on each of the three networks of eth0."""
    return document({name: lan(host={"ipv4_address": HOST[name]}, **{**RANGES[name], **keys}) for name in RANGES},
                    {f"on-{name}": {name: {"ipv4_address": CONTAINERS[name]}} for name in RANGES})


def apply_three(host, **keys):
    host.netns(*(f"on-{name}" for name in RANGES))
    declared = text(**keys)
    host.apply(declared)
    return declared


def host_routes(host, table="main"):
    return {(route["dst"], route["dev"], route["prefsrc"]) for route in json.loads(
        host.ip("host", f"-j route show table {table} proto 77"))}


def reach_each_other(host):
    for name, address in CONTAINERS.items():
        same(packets.ping(address), True, f"whether the host reaches {address}")
        with host.inside(f"on-{name}"):
            same(packets.ping(HOST[name]), True, f"whether {address} reaches the host at {HOST[name]}")


@test("host links: three networks on one parent", both=True)
def three(host):
    declared = apply_three(host)
    same(host.names("host"), {"eth0", "mv-a", "mv-b", "mv-c"}, "the host's links")
    same({name: host.addresses("host", f"mv-{name}") for name in HOST},
         {name: {f"{address}/32"} for name, address in HOST.items()}, "their addresses")
    same(host_routes(host), ROUTES, "the routes to the containers")
    reach_each_other(host)
    host.unchanged(declared)
    created = final_state(host)
    export, _ = exported(host)
    host.unchanged(export)
    host.delete(declared)
    same((host.names("host"), host.routes("host")), ({"eth0"}, set()), "after delete")
    replay(host, declared)
    same(final_state(host), created, "after the commands of -o ip")


for MODE in ("l2", "l3", "l3s"):
    @test(f"host links: three networks on one parent, ipvlan {MODE}", needs=["ipvlan"])
    def ipvlan(host, mode=MODE):
        keys = {} if mode == "l2" else {"gateway": None}
        declared = apply_three(host, driver="ipvlan", mode=mode, **keys)
        same({host.link("host", f"mv-{name}")["linkinfo"]["info_data"]["mode"] for name in HOST}, {mode}, "the mode")
        same(host_routes(host), ROUTES, "the routes to the containers")
        reach_each_other(host)
        host.unchanged(declared)
        export, _ = exported(host)
        host.unchanged(export)
        host.delete(declared)
        same((host.names("host"), host.routes("host")), ({"eth0"}, set()), "after delete")


@test("host links: three networks on one parent in a VRF", needs=["vrf"])
def in_vrf(host):
    host.batch("host", ["link add blue type vrf table 1010", "link set blue up", "link set eth0 master blue"])
    declared = apply_three(host)
    same((host_routes(host), host_routes(host, 1010)), (set(), ROUTES), "the routes of main, and of the VRF")
    for address in CONTAINERS.values():
        host.until(lambda to=address: host.run("ping", "-c", "1", "-W", "1", "-I", "blue", to).code == 0,
                   f"a program of the VRF reaches {address}")
    for name, address in HOST.items():
        with host.inside(f"on-{name}"):
            same(packets.ping(address), True, f"whether the container reaches the host at {address}")
    host.unchanged(declared)
    export, _ = exported(host)
    host.unchanged(export)
    host.batch("host", ["link add red type vrf table 1020", "link set red up", "link set mv-a master red"])
    host.apply(declared)
    same((host.link("host", "mv-a")["master"], host_routes(host, 1010), host_routes(host, 1020)),
         ("blue", ROUTES, set()), "after a link was moved to another VRF")
    host.ip("host", "link set eth0 nomaster")
    host.apply(declared)
    same((host_routes(host), {host.link("host", f"mv-{name}").get("master") for name in HOST}), (ROUTES, {None}),
         "the routes of main, and the links' VRFs")


for MODE in ("l2", "l3", "l3s"):
    @test(f"host links: ipvlan {MODE} in a VRF", needs=["ipvlan", "vrf"])
    def ipvlan_in_vrf(host, mode=MODE):
        host.batch("host", ["link add blue type vrf table 1010", "link set blue up", "link set eth0 master blue"])
        keys = {} if mode == "l2" else {"gateway": None}
        declared = apply_three(host, driver="ipvlan", mode=mode, **keys)
        same((host_routes(host), host_routes(host, 1010)), (set(), ROUTES), "the routes of main, and of the VRF")
        host.unchanged(declared)
        for address in CONTAINERS.values():
            host.until(lambda to=address: host.run("ping", "-c", "1", "-W", "1", "-I", "blue", to).code == 0,
                       f"a program of the VRF reaches {address}")


@test("host links: an address on two parents is reached as before after the networks are in another order", both=True)
def order_changed(host):
    host.netns("first", "second")
    host.batch("host", ["link add eth1 type veth peer name p1", "link set eth1 up", "link set p1 up"])

    def declared(*order):
        networks = {"z": lan(parent="eth1", gateway=None, host=True), "a": lan(gateway=None, host=True)}
        return document({name: networks[name] for name in order},
                        {"first": {"z": {"ipv4_address": "172.16.86.20"}}, "second": {"a": {"ipv4_address": "172.16.86.20"}}})
    host.apply(declared("z", "a"))
    routes = {(dst, dev) for dst, dev, _ in host_routes(host)}
    same(routes, {("172.16.86.20", "mv-z")}, "the route to the address")
    host.unchanged(declared("a", "z"))
    host.unchanged(exported(host)[0])
    host.apply(document({"a": lan(gateway=None, host=True)}, {"second": {"a": {"ipv4_address": "172.16.86.20"}}}))
    same({(dst, dev) for dst, dev, _ in host_routes(host)}, {("172.16.86.20", "mv-a")}, "without the first network")
