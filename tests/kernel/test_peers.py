"""mvapply beside CNI's plugins, netavark and Incus: see peers.py."""
import incus
from declare import lan
from peers import MAC, cni, cni_dhcp, cni_on_vlan, incus_nic, netavark, netavark_version, row, static

MACVLAN, IPVLAN = {"type": "macvlan", "master": "eth0"}, {"type": "ipvlan", "master": "eth0"}
DUAL = [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]
BOTH = {"addresses": ["172.16.86.20", "172.16.86.21", "fd00:86::20"]}
PAIR = {"addresses": ["172.16.86.20", "fd00:86::20"]}
IPAM = [{"address": "172.16.86.20/24", "gateway": "172.16.86.1"}, {"address": "fd00:86::20/64", "gateway": "fd00:86::1"}]
DEFAULTS = [{"dst": "0.0.0.0/0", "gw": "172.16.86.1"}, {"dst": "::/0", "gw": "fd00:86::1"}]
QUEUE = {"txqlen": "some versions of the plugins create links with a transmit queue of 0, mvapply with the kernel's"}
ON_VLAN = {**QUEUE, "parents' addresses": "CNI's vlan gives the VLAN an address, mvapply none"}
LONE = static([{"address": "172.16.86.20/24"}], [])

row("CNI macvlan and static: several addresses of both families, and routes",
    lambda host: cni(host, {**MACVLAN, "mtu": 1400, **static(
        [IPAM[0], {"address": "172.16.86.21/24"}, {"address": "fd00:86::20/64"}],
        [*DEFAULTS, {"dst": "10.0.0.0/8", "gw": "172.16.86.254"}, {"dst": "fd00:99::/32", "gw": "fd00:86::fe"}])}),
    {"mtu": 1400, "subnets": DUAL},
    {**BOTH, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}, {"to": "fd00:99::/32", "via": "fd00:86::fe"}]}, QUEUE)

for mode in ("private", "vepa"):
    row(f"CNI macvlan, {mode}, without addresses", lambda host, mode=mode: cni(host, {**MACVLAN, "mode": mode, "ipam": {}}),
        {"mode": mode, "subnets": []}, {}, QUEUE)
row("CNI macvlan, passthru, without addresses", lambda host: cni(host, {**MACVLAN, "mode": "passthru", "ipam": {}}, mac=None),
    {"mode": "passthru", "subnets": []}, {"mac_address": None}, QUEUE)

row("CNI macvlan and tuning: MTU, promiscuous, all multicast",
    lambda host: cni(host, {**MACVLAN, **LONE}, {"type": "tuning", "mtu": 1300, "promisc": True, "allmulti": True}),
    {"mtu": 1300, "promisc": True, "allmulticast": True, "subnet": "172.16.86.0/24"}, {"ipv4_address": "172.16.86.20"}, QUEUE)

row("CNI macvlan and sbr: answers by the link's own gateway",
    lambda host: cni(host, {**MACVLAN, **static(IPAM[:1], DEFAULTS[:1])}, {"type": "sbr"}),
    DUAL[0], {"ipv4_address": "172.16.86.20"},
    {**QUEUE, "tables": "sbr numbers tables from 100 on and rules from the kernel's lowest priority on, mvapply from 7700 and 32001 on",
     "main": "sbr moves the routes of the link out of the main table, mvapply adds them to its own",
     "prefsrc": "the route that sbr moves names the source address; that is the one of the rule anyway"},
    others={"m": (lan(subnet="10.99.0.0/24", gateway=None), {"interface_name": "other"})},  # with one network alone, it does nothing
    policy_routing=True)

for what, given in (("the router", []), ("classless routes", ["--dhcp-option=121,10.1.0.0/16,172.16.86.3,0.0.0.0/0,172.16.86.4"]),
                    ("static routes", ["--dhcp-option=33,10.0.0.0,172.16.86.2"])):
    row(f"CNI macvlan and dhcp: {what} of a lease", lambda host, given=given: cni_dhcp(host, MACVLAN, *given), {"dhcp": True}, {},
        {**QUEUE, "kept": "mvapply keeps the routes of a lease in a table besides, to restore them"})

row("CNI vlan, and macvlan on it",
    lambda host: cni_on_vlan(host, {**MACVLAN, **static(IPAM, DEFAULTS)}, 10),
    {"vlan": 10, "subnets": DUAL}, PAIR, ON_VLAN, parents=["eth0.10"], needs=["vlan"])

for mode in ("l2", "l3", "l3s"):
    row(f"CNI ipvlan, {mode}: addresses of both families, and routes",
        lambda host, mode=mode: cni(host, {**IPVLAN, "mode": mode, "mtu": 1400, **static(
            IPAM, [*DEFAULTS, {"dst": "10.0.0.0/8", "gw": "172.16.86.254"}])}, mac=None),
        {"driver": "ipvlan", "mode": mode, "mtu": 1400, "subnets": DUAL},
        {**PAIR, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}, QUEUE, needs=["ipvlan"])

row("CNI vlan, and ipvlan on it",
    lambda host: cni_on_vlan(host, {**IPVLAN, **static(IPAM, DEFAULTS)}, 10),
    {"driver": "ipvlan", "vlan": 10, "subnets": DUAL}, PAIR, ON_VLAN, parents=["eth0.10"], needs=["vlan", "ipvlan"])

METRIC = {"metric": "netavark gives default routes the metric 100, mvapply the kernel's"}
SECOND = {"subnet": "172.16.87.0/24"}
THREE = {"addresses": ["172.16.86.20", "172.16.87.20", "fd00:86::20"]}
VERSION = netavark_version()
if VERSION >= (1, 4):
    row("netavark macvlan: both families",
        lambda host: netavark(host, {"subnets": DUAL, "options": {"mtu": "1400"}}, PAIR["addresses"]),
        {"mtu": 1400, "subnets": DUAL}, PAIR, METRIC)
    row("netavark macvlan: three subnets, the metric of default routes",
        lambda host: netavark(host, {"subnets": [DUAL[0], SECOND, DUAL[1]], "options": {"metric": "50", "mode": "private"}},
                              THREE["addresses"]),
        {"mode": "private", "subnets": [DUAL[0], SECOND, DUAL[1]]}, THREE, METRIC)
    row("netavark macvlan: internal", lambda host: netavark(host, {"subnets": DUAL, "internal": True}, PAIR["addresses"]),
        {"internal": True, "subnets": DUAL}, PAIR)
if VERSION >= (1, 6):
    row("netavark macvlan: static routes, their metrics",
        lambda host: netavark(host, {"subnets": DUAL, "routes": [
            {"destination": "10.0.0.0/8", "gateway": "172.16.86.254", "metric": 50},
            {"destination": "10.1.0.0/16", "gateway": "172.16.86.253"},
            {"destination": "fd00:99::/32", "gateway": "fd00:86::fe", "metric": 7}]}, PAIR["addresses"]),
        {"subnets": DUAL, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254", "metric": 50},
                                     {"to": "10.1.0.0/16", "via": "172.16.86.253", "metric": 100},
                                     {"to": "fd00:99::/32", "via": "fd00:86::fe", "metric": 7}]}, PAIR, METRIC)
    row("netavark macvlan: no_default_route",
        lambda host: netavark(host, {"subnets": DUAL, "options": {"no_default_route": "true", "mode": "vepa", "bclim": "5"}},
                              PAIR["addresses"]),
        {"mode": "vepa", "bclim": 5, "internal": True, "subnets": DUAL}, PAIR)
    for mode in ("l2", "l3", "l3s"):
        row(f"netavark ipvlan, {mode}: both families",
            lambda host, mode=mode: netavark(host, {"driver": "ipvlan", "subnets": DUAL, "options": {"mode": mode}}, PAIR["addresses"],
                                             mac=None),
            {"driver": "ipvlan", "mode": mode, "subnets": DUAL}, PAIR, METRIC, needs=["ipvlan"])

if incus.PRESENT:
    row("Incus, a NIC of macvlan", lambda host: incus_nic(host, "nictype=macvlan", f"hwaddr={MAC}", "mtu=1400"),
        {"mtu": 1400, "subnets": []}, {})
    row("Incus, a private NIC of macvlan on a VLAN",
        lambda host: incus_nic(host, "nictype=macvlan", f"hwaddr={MAC}", "mode=private", "vlan=10"),
        {"mode": "private", "vlan": 10, "subnets": []}, {}, parents=["eth0.10"], needs=["vlan"])
