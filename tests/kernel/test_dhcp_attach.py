"""Leases of containers that a runtime attaches and detaches by the CNI plugin."""
import os

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from test_cni import Plugin, declare
from test_dhcp import lease_of
from test_dhcp_routes import CLASSLESS, used
from test_netavark import Plugin as Netavark
from test_resolv_conf import FILE, OPTIONS, content
from test_routing import rules_of, second_lan

NET = lan(dhcp=True, subnet=None, gateway=None)
POD = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=my-web"


def declared(networks, **keys):
    return document({name: {**NET, "parent": parent} for name, parent in networks.items()},
                    {"web": {"cni": "default/my-web", "networks": {name: dict(keys) for name in networks}, "policy_routing": True}})


@test("dhcp attach: ADD lists the routes of the lease once; DEL releases it, and removes the file with its name servers")
def whole(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    declare(host, declared({"n": "eth0"}, resolv_conf=FILE))
    before = host.snapshot("host", "web")
    with serving(host, options=[CLASSLESS, *OPTIONS]) as server:
        for version in ("1.1.0", "1.0.0"):
            plugin = Plugin(host, version=version, network="n")
            result = plugin.add("web", pod="my-web")
            lease = lease_of(host)["local"]
            same([item["address"] for item in result["ips"]], [f"{lease}/24"], "the address")
            same(result["routes"], [{"dst": "10.1.0.0/16", "gw": "172.16.86.3"}, {"dst": "10.9.0.0/24"},
                                    {"dst": "198.51.100.0/24", "gw": "203.0.113.1"}, {"dst": "0.0.0.0/0", "gw": "172.16.86.4"}],
                 "the routes")
            plugin.call("CHECK", "web", prevResult=result)
            assert content() and rules_of(host), content()
            plugin.call("DEL", "web")
            host.until(lambda: lease not in server.leases(), "the lease is released")
            same((content(), host.snapshot("host", "web")), (None, before), "after DEL")
        plugin.add("web", pod="my-web")
    plugin.call("DEL", "web")
    same((content(), host.snapshot("host", "web")), (None, before), "after DEL without a server")


@test("dhcp attach: two leases with policy routing, of which one ends")
def two(host):
    second_lan(host)
    host.ip("lan", "address add 172.16.87.2/24 dev up1")
    host.netns("web")
    declare(host, declared({"n": "eth0", "m": "eth1"}))
    before = host.snapshot("host", "web")
    with serving(host), serving(host, link="up1", pool="172.16.87.50,172.16.87.99"):
        n, m = Plugin(host, network="n"), Plugin(host, network="m")
        n.add("web", pod="my-web")
        kept = used(host), rules_of(host)
        result = m.call("ADD", "web", ifname="eth1", args=POD)
        same(len(rules_of(host)), 2, "rules")
        m.call("CHECK", "web", ifname="eth1", args=POD, prevResult=result)
        same(host.mvapply("diff", "-f", "cni.yaml", code=0).plan, [], "a diff")
        m.call("DEL", "web", ifname="eth1", args=POD)
        same((used(host), rules_of(host)), kept, "of the other lease")
        n.call("DEL", "web", args=POD)
    same(host.snapshot("host", "web"), before, "after both")


@test("dhcp attach: a link with another client's default route is adopted, with the lease's")
def adopted(host):
    host.netns("web")
    text = document({"n": NET}, {"web": ["n"]})
    host.batch("host", ["link add mv link eth0 type macvlan mode bridge", "link set mv netns /run/netns/web name eth0"])
    host.batch("web", ["link set eth0 up", "address add 172.16.86.61/24 dev eth0 valid_lft 100 preferred_lft 50",
                       "route add default via 172.16.86.1 dev eth0 proto dhcp"])
    with serving(host, options=[CLASSLESS]):
        host.apply(text, "--adopt")
        assert "default via 172.16.86.4 dev eth0" in used(host), used(host)
        same({route for route in used(host) if "default" in route}, {"default via 172.16.86.4 dev eth0"}, "default routes")
        host.unchanged(text)


@test("dhcp attach: doctor reports a folder of `resolv_conf` that is missing, or that others can write to")
def folders(host):
    host.netns("web")
    os.makedirs("/run/mvapply/open", exist_ok=True)
    os.chmod("/run/mvapply/open", 0o777)
    for path, words in (("/run/nowhere/x", "No such file or directory"), ("/run/mvapply/open/x", "not permitted")):
        done = host.mvapply("doctor", "-f", host.write(document({"n": NET}, {"web": {"n": {"resolv_conf": path}}})), code=1)
        assert f"cannot write {path}" in done.out and words in done.out and "[MV0925]" in done.out, done
    host.mvapply("doctor", "-f", host.write(document({"n": NET}, {"web": {"n": {"resolv_conf": FILE}}})), code=0)


@test("dhcp attach: netavark's teardown releases the lease, and removes the file with its name servers")
def netavark(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    host.write(document({"lan": NET}, {"web": {"podman": "web", "networks": {"lan": {"resolv_conf": FILE}}}}), "netavark.yaml")
    plugin = Netavark(host)
    before = host.snapshot("host", "web")
    with serving(host, options=[CLASSLESS, *OPTIONS]) as server:
        plugin.setup("web")
        lease = lease_of(host)["local"]
        same((set(server.leases()), content() is not None), ({lease}, True), "the lease and the file")
        plugin.teardown("web")
        host.until(lambda: not server.leases(), "the lease is released")
    same((content(), host.snapshot("host", "web")), (None, before), "after teardown")
