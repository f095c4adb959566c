"""mvapply beside systemd-networkd, and beside netplan, whose files networkd applies: see peers.py."""
from declare import lan
from peers import SECOND_MAC, netplan, networkd, networkd_dhcp, networkd_two, row

DUAL = [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]
ONLINK = [{"subnet": "172.16.86.0/24", "gateway": "198.51.100.1", "on_link": True}, DUAL[1]]
BOTH = {"addresses": ["172.16.86.20", "172.16.86.21", "fd00:86::20"]}
PAIR = {"addresses": ["172.16.86.20", "fd00:86::20"]}
HOSTED = [{"subnet": "203.0.113.7/32", "gateway": "198.51.100.1"}, {"subnet": "2001:db8:7::/64", "gateway": "fe80::1"}]
HOSTED_PAIR = {"addresses": ["203.0.113.7", "2001:db8:7::40"]}


def addresses(*given):
    return [f"Address={address}" for address in given]


def route(**keys):
    return "[Route]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())


def rule(**keys):
    return "[RoutingPolicyRule]\n" + "".join(f"{key}={value}\n" for key, value in keys.items())


DEFAULTS = [route(Gateway="172.16.86.1"), route(Gateway="fd00:86::1")]

row("networkd: addresses, a router elsewhere, tables, metrics, types and rules",
    lambda host: networkd(
        host, *addresses("172.16.86.20/24", "172.16.86.21/24", "fd00:86::20/64"),
        route(Gateway="198.51.100.1", GatewayOnLink="yes"), route(Gateway="fd00:86::1"),
        route(Destination="10.0.0.0/8", Gateway="172.16.86.254", Table=100, Metric=50, MTUBytes=1300, TCPAdvertisedMaximumSegmentSize=1200),
        route(Destination="10.1.0.0/16", Type="blackhole"), route(Destination="10.2.0.0/16", Type="throw", Table=100),
        route(Destination="10.3.0.0/16", Type="prohibit", Metric=9), route(Destination="fd00:1::/64", Type="unreachable", Metric=1024),
        route(Destination="192.0.2.0/24", Scope="link", PreferredSource="172.16.86.21"),
        rule(From="172.16.86.20/32", To="10.0.0.0/8", Table=100, Priority=31000), link="MTUBytes=1400"),
    {"mtu": 1400, "subnets": ONLINK},
    {**BOTH, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254", "table": 100, "metric": 50, "mtu": 1300, "advmss": 1200},
                        {"to": "10.1.0.0/16", "type": "blackhole"}, {"to": "10.2.0.0/16", "type": "throw", "table": 100},
                        {"to": "10.3.0.0/16", "type": "prohibit", "metric": 9}, {"to": "fd00:1::/64", "type": "unreachable"},
                        {"to": "192.0.2.0/24", "source": "172.16.86.21"}],
     "rules": [{"from": "172.16.86.20", "to": "10.0.0.0/8", "table": 100, "priority": 31000}]})

row("networkd: a single address with its router elsewhere, a link-local router",
    lambda host: networkd(
        host, *addresses("203.0.113.7/32", "2001:db8:7::40/64"),
        route(Gateway="198.51.100.1", GatewayOnLink="yes"), route(Gateway="fe80::1"),
        route(Destination="2001:db8:99::/48", Gateway="fe80::2", Metric=512, MTUBytes=1400),
        route(Destination="10.0.0.0/8", Gateway="198.51.100.2", GatewayOnLink="yes", PreferredSource="203.0.113.7")),
    {"subnets": HOSTED},
    {**HOSTED_PAIR, "routes": [{"to": "2001:db8:99::/48", "via": "fe80::2", "metric": 512, "mtu": 1400},
                               {"to": "10.0.0.0/8", "via": "198.51.100.2", "on_link": True, "source": "203.0.113.7"}]})

row("networkd: tables and rules of both families, scopes",
    lambda host: networkd(
        host, *addresses("172.16.86.20/24", "fd00:86::20/64"), *DEFAULTS,
        route(Gateway="172.16.86.254", Table=100), route(Gateway="fd00:86::fe", Table=100, PreferredSource="fd00:86::20"),
        route(Destination="10.7.0.0/16", Scope="link", Table=100, Metric=7), route(Destination="10.8.0.0/16", Scope="host"),
        route(Destination="fd00:2::/64", Type="blackhole", Table=100), route(Destination="fd00:3::/64", Type="prohibit", Table=100),
        rule(From="172.16.86.20/32", Table=100, Priority=31000), rule(To="10.0.0.0/8", Table=100, Priority=31001),
        rule(From="fd00:86::20/128", Table=100, Priority=31000), rule(From="fd00:86::20/128", To="fd00:9::/32", Table=100, Priority=30999)),
    {"subnets": DUAL},
    {**PAIR, "routes": [{"to": "0.0.0.0/0", "via": "172.16.86.254", "table": 100},
                        {"to": "::/0", "via": "fd00:86::fe", "table": 100, "source": "fd00:86::20"},
                        {"to": "10.7.0.0/16", "table": 100, "metric": 7}, {"to": "10.8.0.0/16", "scope": "host"},
                        {"to": "fd00:2::/64", "type": "blackhole", "table": 100}, {"to": "fd00:3::/64", "type": "prohibit", "table": 100}],
     "rules": [{"from": "172.16.86.20", "table": 100, "priority": 31000}, {"to": "10.0.0.0/8", "table": 100, "priority": 31001},
               {"from": "fd00:86::20", "table": 100, "priority": 31000},
               {"from": "fd00:86::20", "to": "fd00:9::/32", "table": 100, "priority": 30999}]})

row("networkd: a private macvlan, its queue of broadcast, promiscuous, all multicast",
    lambda host: networkd(host, link="Promiscuous=yes\nAllMulticast=yes", netdev="Mode=private\nBroadcastMulticastQueueLength=2000"),
    {"mode": "private", "bcqueuelen": 2000, "promisc": True, "allmulticast": True, "subnets": []}, {})

row("networkd: two networks, tables and rules by hand, and policy_routing",
    lambda host: networkd_two(
        host, [*addresses("172.16.86.20/24", "fd00:86::20/64"), *DEFAULTS,
               route(Gateway="172.16.86.1", Table=7700), route(Destination="172.16.86.0/24", Scope="link", Table=7700),
               route(Gateway="fd00:86::1", Table=7700), route(Destination="fd00:86::/64", Table=7700),
               rule(From="172.16.86.20/32", Table=7700, Priority=32001), rule(From="fd00:86::20/128", Table=7700, Priority=32001)],
        [*addresses("10.99.0.20/24"), route(Gateway="10.99.0.1", Table=7701), route(Destination="10.99.0.0/24", Scope="link", Table=7701),
         rule(From="10.99.0.20/32", Table=7701, Priority=32001)]),
    {"subnets": DUAL}, PAIR, policy_routing=True,
    others={"m": (lan(subnet="10.99.0.0/24", gateway="10.99.0.1"), {"ipv4_address": "10.99.0.20", "mac_address": SECOND_MAC})})

row("networkd: two links on one network, the metrics of their prefixes",
    lambda host: networkd_two(
        host, [*addresses("172.16.86.20/24", "fd00:86::20/64"), *DEFAULTS],
        ["[Address]\nAddress=172.16.86.21/24\nRouteMetric=1", "[Address]\nAddress=fd00:86::21/64\nRouteMetric=257"]),
    {"subnets": DUAL}, PAIR,
    others={"again": (None, {"network": "n", "addresses": ["172.16.86.21", "fd00:86::21"], "mac_address": SECOND_MAC})})

for protocol in ("802.1q", "802.1ad"):
    row(f"networkd: a VLAN, {protocol}, and a macvlan on it",
        lambda host, protocol=protocol: networkd(host, *addresses("172.16.86.20/24", "fd00:86::20/64"), *DEFAULTS,
                                                 vlan=f"Id=10\nProtocol={protocol}"),
        {"vlan": 10, "vlan_protocol": protocol, "subnets": DUAL}, PAIR, parents=["eth0.10"], needs=["vlan"])

for mode, flag in (("l2", "bridge"), ("l2", "private"), ("l2", "vepa"), ("l3", "bridge"), ("l3s", "bridge")):
    row(f"networkd: an ipvlan, {mode}, {flag}",
        lambda host, mode=mode, flag=flag: networkd(host, *addresses("172.16.86.20/24", "fd00:86::20/64"), *DEFAULTS, kind="IPVLAN",
                                                    netdev=f"Mode={mode.upper()}\nFlags={flag}"),
        {"driver": "ipvlan", "mode": mode, "ipvlan_flag": flag, "subnets": DUAL}, PAIR, needs=["ipvlan"])

row("netplan: addresses, a router elsewhere, tables, metrics, types and rules",
    lambda host: netplan(host, {
        "addresses": ["172.16.86.20/24", "172.16.86.21/24", "fd00:86::20/64"], "mtu": 1400, "routes": [
            {"to": "default", "via": "198.51.100.1", "on-link": True}, {"to": "::/0", "via": "fd00:86::1"},
            {"to": "10.0.0.0/8", "via": "172.16.86.254", "table": 100, "metric": 50, "mtu": 1300},
            {"to": "10.1.0.0/16", "type": "blackhole"}, {"to": "10.3.0.0/16", "type": "prohibit", "metric": 9},
            {"to": "192.0.2.0/24", "scope": "link", "from": "172.16.86.21"}],
        "routing-policy": [{"from": "172.16.86.20", "to": "10.0.0.0/8", "table": 100, "priority": 31000},
                           {"from": "fd00:86::20", "table": 100, "priority": 31001}]}),
    {"mtu": 1400, "subnets": ONLINK},
    {**BOTH, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254", "table": 100, "metric": 50, "mtu": 1300},
                        {"to": "10.1.0.0/16", "type": "blackhole"}, {"to": "10.3.0.0/16", "type": "prohibit", "metric": 9},
                        {"to": "192.0.2.0/24", "source": "172.16.86.21"}],
     "rules": [{"from": "172.16.86.20", "to": "10.0.0.0/8", "table": 100, "priority": 31000},
               {"from": "fd00:86::20", "table": 100, "priority": 31001}]})

row("netplan: a single address with its router elsewhere, a link-local router",
    lambda host: netplan(host, {"addresses": ["203.0.113.7/32", "2001:db8:7::40/64"], "routes": [
        {"to": "default", "via": "198.51.100.1", "on-link": True}, {"to": "::/0", "via": "fe80::1"},
        {"to": "2001:db8:99::/48", "via": "fe80::2", "metric": 512, "mtu": 1400}]}),
    {"subnets": HOSTED}, {**HOSTED_PAIR, "routes": [{"to": "2001:db8:99::/48", "via": "fe80::2", "metric": 512, "mtu": 1400}]})

row("netplan: a VLAN, and a macvlan on it",
    lambda host: netplan(host, {"addresses": ["172.16.86.20/24", "fd00:86::20/64"], "mtu": 1400, "routes": [
        {"to": "default", "via": "172.16.86.1"}, {"to": "::/0", "via": "fd00:86::1"}]}, vlan={"id": 10}),
    {"vlan": 10, "mtu": 1400, "subnets": DUAL}, PAIR, parents=["eth0.10"], needs=["vlan"])

LEASED = {"kept": "mvapply keeps the routes of a lease in a table besides, to restore them",
          "routers": "networkd adds a route to each router: to one in the subnet, the subnet's route leads anyway, and for one "
                     "outside of it mvapply gives the flag onlink",
          "prefsrc": "networkd names the leased address as the source, which the kernel chooses anyway: it is the link's first"}
METRICS = {**LEASED, "metrics": "networkd gives routes of a lease the metric 1024, so that those of another link with less precede; "
                                "mvapply adds one default route, by gw_priority"}
CLASSLESS = "--dhcp-option=121,10.1.0.0/16,172.16.86.3,10.9.0.0/24,0.0.0.0,198.51.100.0/24,203.0.113.1,0.0.0.0/0,172.16.86.4"

for what, options in (("the router", []), ("classless routes, also beside a router and static routes", [CLASSLESS, "--dhcp-option=33,10.0.0.0,172.16.86.2"]),
                      ("static routes", ["--dhcp-option=33,10.0.0.0,172.16.86.2"]), ("an MTU, which is not used", ["--dhcp-option=26,1400"]),
                      ("no router", ["--dhcp-option=3"]), ("a router elsewhere", ["--dhcp-option=3,198.51.100.1"])):
    row(f"networkd: DHCP, {what}", lambda host, options=options: networkd_dhcp(host, *options), {"dhcp": True}, {}, METRICS)

row("networkd: DHCP, without its metric", lambda host: networkd_dhcp(host, CLASSLESS, settings="RouteMetric=0"), {"dhcp": True}, {}, LEASED)
row("networkd: DHCP, no routes and no router", lambda host: networkd_dhcp(host, CLASSLESS, settings="UseRoutes=no\nUseGateway=no"),
    {"dhcp": True, "internal": True}, {}, METRICS)
