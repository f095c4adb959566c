"""A key edited in a live set leads to the smallest change: one row each.

A row: what is declared before and after, the operations between the two (sign, noun, object, and
what else stands in the line), and what holds then. Every row also asserts that diff says 2 and the
same plan, that what changes in place keeps its ifindex, that the LAN is left alone, and that after
it a second apply does nothing. Where no plan is given, as for swaps, whose first link has to
make way for the second, only the end counts."""

from declare import document, lan
from features import QUEUE_LENGTH
from host import same
from registry import test


class Edit:
    def __init__(self, name, before, after, plan, then, needs=(), both=False, ordered=True, lacking=None):
        self.name, self.before, self.after = name, before, after
        self.plan, self.then, self.needs, self.both = plan, then, tuple(needs), both
        self.ordered = ordered  # whether the plan must be in exactly this order
        self.lacking = lacking  # plan and check where the kernel lacks QUEUE_LENGTH, if they differ


def net(attachment=None, other=True, **keys):
    """One network n with the container web, whose attachment the row is about, and a bystander."""
    containers = {"web": {"n": attachment or {}}}
    if other:
        containers["other"] = ["n"]
    return document({"n": lan(**keys)}, containers)


def two(web, **keys):
    """web is attached to two networks."""
    return document({"n": lan(), "m": lan(subnet="172.16.99.0/24", gateway="172.16.99.1", **keys)},
                    {"web": web})


DUAL = {"subnet": None, "gateway": None,
        "subnets": [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]}

WIDE = {"subnet": None, "gateway": None,
        "subnets": [{"subnet": "172.16.0.0/16", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/48", "gateway": "fd00:86::1"}]}


def has(ns="web", name="eth0", addresses=None, routes=None, **expected):
    """A check: link `name` in `ns` has these; a key is a path into the output of `ip -d -j`."""
    def check(host):
        link = host.link(ns, name)
        info = link.get("linkinfo", {})
        flat = {"kind": info.get("info_kind"), **info.get("info_data", {}),
                "mac": link["address"], "mtu": link["mtu"]}
        for key, value in expected.items():
            same(flat.get(key), value, f"{key} of {name} in {ns}")
        if addresses is not None:
            same(host.addresses(ns, name), set(addresses), f"addresses of {name} in {ns}")
        if routes is not None:
            same(host.routes(ns), set(routes), f"routes of {ns}")
    return check


def all_of(*checks):
    def check(host):
        for one in checks:
            one(host)
    return check


def sysctl_is(key, value, ns="web"):
    return lambda host: same(host.sysctl(ns, key), value, f"{key} in {ns}")


def links_are(ns, *names):
    given = {"eth1", "up1"} if ns == "host" else set()
    return lambda host: same(host.names(ns), set(names) | given, f"links of {ns}")


def flags_are(ns, promisc=False, allmulti=False):
    def check(host):
        flags = host.link(ns, "eth0")["flags"]
        same(("PROMISC" in flags, "ALLMULTI" in flags), (promisc, allmulti), f"flags in {ns}")
    return check


def altnames_are(*names):
    return lambda host: same(set(host.link("web", "eth0").get("altnames", [])), set(names), "altnames")


CONNECTED = "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"
DEFAULT = "default via 172.16.86.1 dev eth0"
WEB, OTHER = "web/n", "other/n"

EDITS = [
    # networks.NAME
    Edit("mtu: set", net(), net(mtu=1400),
         [("~", "attach", WEB, "mtu 1500 -> 1400"), ("~", "attach", OTHER, "mtu 1500 -> 1400")],
         all_of(has(mtu=1400, routes=[DEFAULT, CONNECTED]), has("other", mtu=1400)), both=True),
    Edit("mtu: changed", net(mtu=1400), net(mtu=1300),
         [("~", "attach", WEB, "mtu 1400 -> 1300"), ("~", "attach", OTHER, "mtu 1400 -> 1300")],
         has(mtu=1300)),
    Edit("mtu: removed", net(mtu=1400), net(),
         [("~", "attach", WEB, "mtu 1400 -> 1500"), ("~", "attach", OTHER, "mtu 1400 -> 1500")],
         has(mtu=1500)),
    Edit("mode: bridge to private", net(), net(mode="private"),
         [("~", "attach", WEB, "mode bridge -> private"),
          ("~", "attach", OTHER, "mode bridge -> private")], has(mode="private"), both=True),
    Edit("mode: private to vepa", net(mode="private"), net(mode="vepa"),
         [("~", "attach", WEB, "mode private -> vepa"),
          ("~", "attach", OTHER, "mode private -> vepa")], has(mode="vepa")),
    Edit("mode: vepa to bridge", net(mode="vepa"), net(mode="bridge"),
         [("~", "attach", WEB, "mode vepa -> bridge"),
          ("~", "attach", OTHER, "mode vepa -> bridge")], has(mode="bridge")),
    Edit("mode: bridge to passthru", net(other=False), net(other=False, mode="passthru"),
         [("-/+", "attach", WEB, "mode bridge -> passthru (cannot change in place)")],
         has(mode="passthru", addresses=["172.16.86.2/24"], routes=[DEFAULT, CONNECTED]),
         both=True),
    Edit("mode: passthru to bridge", net(other=False, mode="passthru"), net(other=False),
         [("-/+", "attach", WEB, "mode passthru -> bridge (cannot change in place)")],
         has(mode="bridge", mac="02:42:ac:10:56:02", addresses=["172.16.86.2/24"])),
    Edit("bcqueuelen: set", net(), net(bcqueuelen=2000),
         [("~", "attach", WEB, "bcqueuelen 1000 -> 2000"),
          ("~", "attach", OTHER, "bcqueuelen 1000 -> 2000")], has(bcqueuelen=2000), both=True,
         lacking=([], has(bcqueuelen=None))),
    Edit("bcqueuelen: removed", net(bcqueuelen=2000), net(),
         [("~", "attach", WEB, "bcqueuelen 2000 -> 1000"),
          ("~", "attach", OTHER, "bcqueuelen 2000 -> 1000")], has(bcqueuelen=1000), lacking=([], has(bcqueuelen=None))),
    Edit("subnet: another one", net(other=False),
         net(other=False, subnet="172.16.88.0/24", gateway="172.16.88.1"),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.88.2/24",
           "02:42:ac:10:56:02 -> 02:42:ac:10:58:02")],
         has(addresses=["172.16.88.2/24"], mac="02:42:ac:10:58:02",
             routes=["default via 172.16.88.1 dev eth0",
                     "172.16.88.0/24 dev eth0 scope link src 172.16.88.2"]), both=True),
    Edit("subnet: a longer prefix", net(other=False), net(other=False, subnet="172.16.86.0/25"),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.86.2/25")],
         has(addresses=["172.16.86.2/25"],
             routes=[DEFAULT, "172.16.86.0/25 dev eth0 scope link src 172.16.86.2"]), both=True),
    Edit("subnet: a shorter prefix", net(), net(subnet="172.16.0.0/16"),
         [("~", "attach", WEB, "- address 172.16.86.2/24, + address 172.16.86.2/16"),
          ("~", "attach", OTHER, "- address 172.16.86.3/24, + address 172.16.86.3/16")],
         all_of(has(addresses=["172.16.86.2/16"], mac="02:42:ac:10:56:02",
                    routes=[DEFAULT, "172.16.0.0/16 dev eth0 scope link src 172.16.86.2"]),
                has("other", addresses=["172.16.86.3/16"], mac="02:42:ac:10:56:03")), both=True),
    Edit("subnet: a longer prefix, with addresses that are not the lowest",
         net(ip_range="172.16.86.64/26"), net(subnet="172.16.86.0/25"),
         [("~", "attach", WEB, "- address 172.16.86.64/24, + address 172.16.86.64/25"),
          ("~", "attach", OTHER, "- address 172.16.86.65/24, + address 172.16.86.65/25")],
         all_of(has(addresses=["172.16.86.64/25"], mac="02:42:ac:10:56:40"),
                has("other", addresses=["172.16.86.65/25"]))),
    Edit("subnet: a longer prefix excludes one address",
         net(ip_range="172.16.86.127/32", other=False, host={"ipv4_address": "172.16.86.9"}),
         net(subnet="172.16.86.0/25", other=False, host={"ipv4_address": "172.16.86.9"}),
         [("~", "attach", WEB, "172.16.86.127/24", "172.16.86.2/25"), ("~", "host", "n", "route")],
         has(addresses=["172.16.86.2/25"], mac="02:42:ac:10:56:02")),
    Edit("subnet: a shorter prefix of ipvlan",
         net(driver="ipvlan"), net(driver="ipvlan", subnet="172.16.0.0/16"),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.86.2/16"),
          ("~", "attach", OTHER, "172.16.86.3/24", "172.16.86.3/16")],
         all_of(has(addresses=["172.16.86.2/16"], kind="ipvlan"),
                has("other", addresses=["172.16.86.3/16"])), needs=["ipvlan"]),
    Edit("subnet: a shorter prefix does not change the host's own address",
         net(host={}), net(host={}, subnet="172.16.0.0/16"),
         [("~", "attach", WEB, "172.16.86.2/16"), ("~", "attach", OTHER, "172.16.86.3/16")],
         all_of(has("host", "mv-n", addresses=["172.16.86.254/32"], mac="02:42:ac:10:56:fe"),
                has(addresses=["172.16.86.2/16"]))),
    Edit("subnets: a shorter prefix of both families", net(**DUAL), net(**WIDE),
         [("~", "attach", WEB, "172.16.86.2/16", "- address fd00:86::2/64",
           "+ address fd00:86::2/48"), ("~", "attach", OTHER, "172.16.86.3/16", "fd00:86::3/48")],
         all_of(has(addresses=["172.16.86.2/16", "fd00:86::2/48"], mac="02:42:ac:10:56:02",
                    routes=[DEFAULT, "172.16.0.0/16 dev eth0 scope link src 172.16.86.2",
                            "fd00:86::/48 dev eth0", "default via fd00:86::1 dev eth0"]),
                has("other", addresses=["172.16.86.3/16", "fd00:86::3/48"])), both=True),
    Edit("subnets: a longer prefix of both families",
         net(**WIDE), net(**DUAL),
         [("~", "attach", WEB, "172.16.0.1/16", "172.16.86.2/24"),
          ("~", "attach", OTHER, "172.16.0.2/16", "172.16.86.3/24")],
         all_of(has(addresses=["172.16.86.2/24", "fd00:86::2/64"]),
                has("other", addresses=["172.16.86.3/24", "fd00:86::3/64"]))),
    Edit("subnets: IPv6 added", net(), net(**DUAL),
         [("~", "attach", WEB, "fd00:86::2/64"), ("~", "attach", OTHER, "fd00:86::3/64")],
         has(addresses=["172.16.86.2/24", "fd00:86::2/64"],
             routes=[DEFAULT, CONNECTED, "fd00:86::/64 dev eth0",
                     "default via fd00:86::1 dev eth0"]), both=True),
    Edit("subnets: IPv6 removed", net(**DUAL), net(),
         [("~", "attach", WEB, "fd00:86::2/64"), ("~", "attach", OTHER, "fd00:86::3/64")],
         has(addresses=["172.16.86.2/24"], routes=[DEFAULT, CONNECTED])),
    Edit("gateway: another one", net(other=False), net(other=False, gateway="172.16.86.254"),
         [("~", "attach", WEB, "default via 172.16.86.1", "default via 172.16.86.254")],
         has(routes=["default via 172.16.86.254 dev eth0", CONNECTED]), both=True),
    Edit("gateway: removed", net(other=False), net(other=False, gateway=None),
         [("~", "attach", WEB, "default via 172.16.86.1")],
         has(routes=[CONNECTED], addresses=["172.16.86.2/24"])),
    Edit("gateway: set", net(other=False, gateway=None, ip_range="172.16.86.2/31"),
         net(other=False, ip_range="172.16.86.2/31"),
         [("~", "attach", WEB, "default via 172.16.86.1")], has(routes=[DEFAULT, CONNECTED])),
    Edit("ip_range: the live address is outside", net(other=False),
         net(other=False, ip_range="172.16.86.64/26"),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.86.64/24")],
         has(addresses=["172.16.86.64/24"], mac="02:42:ac:10:56:40",
             routes=[DEFAULT, "172.16.86.0/24 dev eth0 scope link src 172.16.86.64"])),
    Edit("ip_range: the live addresses are inside", net(), net(ip_range="172.16.86.0/28"), [],
         has(addresses=["172.16.86.2/24"])),
    Edit("aux_addresses: the live address is reserved", net(),
         net(aux_addresses={"printer": "172.16.86.2"}),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.86.4/24")],
         all_of(has(addresses=["172.16.86.4/24"]), has("other", addresses=["172.16.86.3/24"]))),
    Edit("vlan: set", net(other=False), net(other=False, vlan=10),
         [("+", "link", "eth0.10", "vlan 10 on eth0"), ("-/+", "attach", WEB, "parent")],
         all_of(has(addresses=["172.16.86.2/24"], routes=[DEFAULT, CONNECTED]),
                links_are("host", "eth0", "eth0.10")), needs=["vlan"]),
    Edit("vlan: another id", net(vlan=10), net(vlan=20),
         [("+", "link", "eth0.20", "vlan 20 on eth0"), ("-/+", "attach", WEB, "parent"),
          ("-/+", "attach", OTHER, "parent"), ("-", "link", "eth0.10")],
         links_are("host", "eth0", "eth0.20"), needs=["vlan"], ordered=False),
    Edit("vlan: removed", net(vlan=10, other=False), net(other=False),
         [("-/+", "attach", WEB, "parent"), ("-", "link", "eth0.10")],
         all_of(links_are("host", "eth0"), has(addresses=["172.16.86.2/24"])), needs=["vlan"],
         ordered=False),
    Edit("vlan_protocol: 802.1q to 802.1ad", net(vlan=10, other=False),
         net(vlan=10, other=False, vlan_protocol="802.1ad"),
         [("-", "link", "eth0.10"), ("+", "link", "eth0.10", "vlan 10 on eth0 802.1ad"),
          ("-/+", "attach", WEB)],
         all_of(has("host", "eth0.10", protocol="802.1ad", id=10),
                has(addresses=["172.16.86.2/24"], routes=[DEFAULT, CONNECTED])), needs=["vlan"]),
    Edit("driver: macvlan to ipvlan", net(), net(driver="ipvlan"),
         [("-/+", "attach", WEB, "driver macvlan -> ipvlan (cannot change in place)"),
          ("-/+", "attach", OTHER, "driver macvlan -> ipvlan (cannot change in place)")],
         has(kind="ipvlan", mode="l2", addresses=["172.16.86.2/24"], routes=[DEFAULT, CONNECTED]),
         needs=["ipvlan"]),
    Edit("driver: ipvlan to macvlan", net(driver="ipvlan"), net(),
         [("-/+", "attach", WEB, "driver ipvlan -> macvlan (cannot change in place)"),
          ("-/+", "attach", OTHER, "driver ipvlan -> macvlan (cannot change in place)")],
         has(kind="macvlan", mode="bridge", mac="02:42:ac:10:56:02"), needs=["ipvlan"]),
    Edit("driver: macvlan to macvtap", net(), net(driver="macvtap"),
         [("-/+", "attach", WEB, "driver macvlan -> macvtap (cannot change in place)"),
          ("-/+", "attach", OTHER, "driver macvlan -> macvtap (cannot change in place)")],
         has(kind="macvtap", mode="bridge", mac="02:42:ac:10:56:02", addresses=["172.16.86.2/24"],
             routes=[DEFAULT, CONNECTED]), needs=["macvtap"]),
    Edit("mode, bcqueuelen: of macvtap", net(driver="macvtap"),
         net(driver="macvtap", mode="private", bcqueuelen=50),
         [("~", "attach", WEB, "mode bridge -> private, bcqueuelen 1000 -> 50"),
          ("~", "attach", OTHER, "mode bridge -> private, bcqueuelen 1000 -> 50")],
         has(kind="macvtap", mode="private", bcqueuelen=50), needs=["macvtap"],
         lacking=([("~", "attach", WEB, "mode bridge -> private"), ("~", "attach", OTHER, "mode bridge -> private")],
                  has(kind="macvtap", mode="private", bcqueuelen=None))),
    Edit("mode: macvtap bridge to passthru", net(driver="macvtap", other=False),
         net(driver="macvtap", other=False, mode="passthru"),
         [("-/+", "attach", WEB, "mode bridge -> passthru (cannot change in place)")],
         has(kind="macvtap", mode="passthru", addresses=["172.16.86.2/24"]), needs=["macvtap"]),
    Edit("mode: ipvlan l2 to l3", net(driver="ipvlan", gateway=None),
         net(driver="ipvlan", gateway=None, mode="l3"),
         [("~", "attach", WEB, "mode l2 -> l3"), ("~", "attach", OTHER, "mode l2 -> l3")],
         has(mode="l3"), needs=["ipvlan"]),
    Edit("mode: ipvlan l3 to l3s", net(driver="ipvlan", gateway=None, mode="l3"),
         net(driver="ipvlan", gateway=None, mode="l3s"),
         [("~", "attach", WEB, "mode l3 -> l3s"), ("~", "attach", OTHER, "mode l3 -> l3s")],
         has(mode="l3s"), needs=["ipvlan"]),
    Edit("parent: another one", net(other=False), net(other=False, parent="eth1"),
         [("-/+", "attach", WEB, "parent eth0 -> eth1 (cannot change in place)")],
         has(addresses=["172.16.86.2/24"], mac="02:42:ac:10:56:02", routes=[DEFAULT, CONNECTED]),
         both=True),
    Edit("ipvlan_flag: private to vepa", net(driver="ipvlan", ipvlan_flag="private"), net(driver="ipvlan", ipvlan_flag="vepa"),
         [("~", "attach", WEB, "ipvlan_flag private -> vepa"), ("~", "attach", OTHER, "ipvlan_flag private -> vepa")],
         has(vepa=True), needs=["ipvlan"]),
    Edit("promisc: of the network", net(), net(promisc=True),
         [("~", "attach", WEB, "promisc false -> true"), ("~", "attach", OTHER, "promisc false -> true")],
         all_of(flags_are("web", promisc=True), flags_are("other", promisc=True))),
    Edit("internal: set", net(other=False), net(other=False, internal=True),
         [("~", "attach", WEB, "default via 172.16.86.1")], has(routes=[CONNECTED])),
    Edit("internal: unset", net(other=False, internal=True), net(other=False),
         [("~", "attach", WEB, "default via 172.16.86.1")], has(routes=[DEFAULT, CONNECTED])),
    Edit("host: set", net(), net(host=True), [("+", "host", "n", "mv-n", "172.16.86.254")],
         all_of(has("host", "mv-n", kind="macvlan", mode="bridge",
                    addresses=["172.16.86.254/32"],
                    routes=["172.16.86.2 dev mv-n scope link src 172.16.86.254",
                            "172.16.86.3 dev mv-n scope link src 172.16.86.254"]),
                links_are("host", "eth0", "mv-n")), both=True),
    Edit("host: removed", net(host={}), net(), [("-", "host", "n")],
         all_of(links_are("host", "eth0"), lambda host: same(host.routes("host"), set(), "routes"))
         ),
    Edit("host.ipv4_address: changed", net(host={}, other=False),
         net(host={"ipv4_address": "172.16.86.9"}, other=False),
         [("~", "host", "n", "172.16.86.254/32", "172.16.86.9/32")],
         has("host", "mv-n", addresses=["172.16.86.9/32"], mac="02:42:ac:10:56:09",
             routes=["172.16.86.2 dev mv-n scope link src 172.16.86.9"]), both=True),
    Edit("host.ipv6_address: changed", net(host={"ipv6_address": "fd00:86::9"}, other=False, **DUAL),
         net(host={"ipv6_address": "fd00:86::8"}, other=False, **DUAL),
         [("~", "host", "n", "fd00:86::9/128", "fd00:86::8/128")],
         has("host", "mv-n", addresses=["172.16.86.254/32", "fd00:86::8/128"])),
    Edit("host.interface_name: changed", net(host={"interface_name": "lan0"}, other=False),
         net(host={"interface_name": "lan1"}, other=False), [("~", "host", "n", "lan0 -> lan1")],
         has("host", "lan1", addresses=["172.16.86.254/32"],
             routes=["172.16.86.2 dev lan1 scope link src 172.16.86.254"]), both=True),
    # containers.NAME.networks.NET
    Edit("ipv4_address: set", net(), net({"ipv4_address": "172.16.86.20"}),
         [("~", "attach", WEB, "172.16.86.2/24", "172.16.86.20/24",
           "02:42:ac:10:56:02 -> 02:42:ac:10:56:14")],
         has(addresses=["172.16.86.20/24"], mac="02:42:ac:10:56:14",
             routes=[DEFAULT, "172.16.86.0/24 dev eth0 scope link src 172.16.86.20"]), both=True),
    Edit("ipv4_address: removed", net({"ipv4_address": "172.16.86.20"}), net(), [],
         has(addresses=["172.16.86.20/24"])),
    Edit("ipv6_address: changed", net({"ipv6_address": "fd00:86::20"}, **DUAL),
         net({"ipv6_address": "fd00:86::21"}, **DUAL),
         [("~", "attach", WEB, "fd00:86::20/64", "fd00:86::21/64")],
         has(addresses=["172.16.86.2/24", "fd00:86::21/64"],
             routes=[DEFAULT, CONNECTED, "fd00:86::/64 dev eth0",
                     "default via fd00:86::1 dev eth0"]), both=True),
    Edit("mac_address: set", net(), net({"mac_address": "02:00:5e:00:00:14"}),
         [("~", "attach", WEB, "mac_address 02:42:ac:10:56:02 -> 02:00:5e:00:00:14")],
         has(mac="02:00:5e:00:00:14", routes=[DEFAULT, CONNECTED]), both=True),
    Edit("mac_address: removed", net({"mac_address": "02:00:5e:00:00:14"}), net(),
         [("~", "attach", WEB, "mac_address 02:00:5e:00:00:14 -> 02:42:ac:10:56:02")],
         has(mac="02:42:ac:10:56:02")),
    Edit("interface_name: changed", net({"interface_name": "lan0"}),
         net({"interface_name": "lan1"}),
         [("~", "attach", WEB, "interface_name lan0 -> lan1")],
         has(name="lan1", addresses=["172.16.86.2/24"], mac="02:42:ac:10:56:02",
             routes=["default via 172.16.86.1 dev lan1",
                     "172.16.86.0/24 dev lan1 scope link src 172.16.86.2"]), both=True),
    Edit("promisc, allmulticast: set", net(), net({"promisc": True, "allmulticast": True}),
         [("~", "attach", WEB, "promisc false -> true, allmulticast false -> true")],
         all_of(flags_are("web", promisc=True, allmulti=True), flags_are("other"))),
    Edit("promisc: removed", net({"promisc": True}), net(), [("~", "attach", WEB, "promisc true -> false")],
         flags_are("web")),
    Edit("txqueuelen: set", net(), net({"txqueuelen": 500}), [("~", "attach", WEB, "txqueuelen 1000 -> 500")],
         lambda host: same(host.link("web", "eth0")["txqlen"], 500, "txqueuelen")),
    Edit("txqueuelen: removed, of macvtap", net({"txqueuelen": 7}, driver="macvtap"), net(driver="macvtap"),
         [("~", "attach", WEB, "txqueuelen 7 -> 500")],
         lambda host: same(host.link("web", "eth0")["txqlen"], 500, "txqueuelen"), needs=["macvtap"]),
    Edit("altnames: another one", net({"altnames": ["one", "two"]}), net({"altnames": ["two", "three"]}),
         [("~", "attach", WEB, "- altname one, + altname three")], altnames_are("two", "three")),
    Edit("altnames: removed", net({"altnames": ["one"]}), net({"altnames": []}), [("~", "attach", WEB, "- altname one")],
         altnames_are()),
    Edit("altnames: no longer declared", net({"altnames": ["one"]}), net(), [], altnames_are("one")),
    Edit("gw_priority: the other one", two({"n": {}, "m": {}}), two({"n": {}, "m": {"gw_priority": 9}}),
         [("~", "attach", WEB, "default via 172.16.86.1"),
          ("~", "attach", "web/m", "default via 172.16.99.1")],
         has(routes=["default via 172.16.99.1 dev eth1", CONNECTED,
                     "172.16.99.0/24 dev eth1 scope link src 172.16.99.2"]), both=True),
    Edit("gw_priority: equal", two({"n": {}, "m": {}}),
         two({"n": {"gw_priority": 5}, "m": {"gw_priority": 5}}), [],
         has(routes=[DEFAULT, CONNECTED, "172.16.99.0/24 dev eth1 scope link src 172.16.99.2"])),
    Edit("routes: added", net(), net({"routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}),
         [("~", "attach", WEB, "10.0.0.0/8 via 172.16.86.254")],
         has(routes=[DEFAULT, CONNECTED, "10.0.0.0/8 via 172.16.86.254 dev eth0"]), both=True),
    Edit("routes: another router",
         net({"routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}),
         net({"routes": [{"to": "10.0.0.0/8", "via": "172.16.86.253"}]}),
         [("~", "attach", WEB, "10.0.0.0/8 via 172.16.86.254 -> 10.0.0.0/8 via 172.16.86.253")],
         has(routes=[DEFAULT, CONNECTED, "10.0.0.0/8 via 172.16.86.253 dev eth0"])),
    Edit("routes: removed", net({"routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}), net(),
         [("~", "attach", WEB, "10.0.0.0/8 via 172.16.86.254")], has(routes=[DEFAULT, CONNECTED])),
    Edit("sysctls: set", net(), net({"sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}),
         [("~", "attach", WEB, "net.ipv4.conf.IFNAME.rp_filter", "2")],
         sysctl_is("net/ipv4/conf/eth0/rp_filter", "2"), both=True),
    Edit("sysctls: changed", net({"sysctls": {"net.ipv6.conf.IFNAME.hop_limit": "60",
                                              "net.ipv4.neigh.IFNAME.ucast_solicit": "5"}}),
         net({"sysctls": {"net.ipv6.conf.IFNAME.hop_limit": "61",
                          "net.ipv4.neigh.IFNAME.ucast_solicit": "6"}}),
         [("~", "attach", WEB, "60 -> 61", "5 -> 6")],
         all_of(sysctl_is("net/ipv6/conf/eth0/hop_limit", "61"),
                sysctl_is("net/ipv4/neigh/eth0/ucast_solicit", "6"))),
    Edit("sysctls: one that the kernel resets with the link's MTU",
         net({"sysctls": {"net.ipv6.conf.IFNAME.mtu": "1300"}}, other=False),
         net({"sysctls": {"net.ipv6.conf.IFNAME.mtu": "1300"}}, other=False, mtu=1400),
         [("~", "attach", WEB, "mtu 1500 -> 1400")],
         sysctl_is("net/ipv6/conf/eth0/mtu", "1300"), both=True),
    # the existing links
    Edit("containers: one more", document({"n": lan()}, {"web": ["n"]}),
         document({"n": lan()}, {"other": ["n"], "web": ["n"]}),
         [("+", "attach", OTHER, "172.16.86.3/24")],
         all_of(has(addresses=["172.16.86.2/24"]), has("other", addresses=["172.16.86.3/24"]))),
    Edit("containers: one less", net(), document({"n": lan()}, {"other": ["n"]}),
         [("-", "attach", WEB)],
         all_of(links_are("web"), has("other", addresses=["172.16.86.3/24"]))),
    Edit("containers: another namespace", net(other=False),
         document({"n": lan()}, {"web": {"netns": "spare", "networks": ["n"]}}),
         [("-", "stray", WEB, "eth0 in web, which is not the namespace of web"),
          ("+", "attach", WEB, "eth0 172.16.86.2/24")],
         all_of(links_are("web"), has("spare", addresses=["172.16.86.2/24"],
                                      mac="02:42:ac:10:56:02")), both=True),
    Edit("containers: another name for one namespace", net(other=False),
         document({"n": lan()}, {"www": {"netns": "web", "networks": ["n"]}}),
         [("-", "attach", WEB), ("+", "attach", "www/n", "eth0 172.16.86.2/24")],
         has(addresses=["172.16.86.2/24"])),
    Edit("networks: one more for a container", net(other=False), two({"n": {}, "m": {}}),
         [("+", "attach", "web/m", "eth1 172.16.99.2/24")],
         has(name="eth1", addresses=["172.16.99.2/24"],
             routes=[DEFAULT, CONNECTED, "172.16.99.0/24 dev eth1 scope link src 172.16.99.2"])),
    Edit("networks: the first of two is removed", two({"n": {}, "m": {}}), two({"m": {}}),
         [("-", "attach", WEB), ("~", "attach", "web/m", "default via 172.16.99.1")],
         has(name="eth1", addresses=["172.16.99.2/24"],
             routes=["default via 172.16.99.1 dev eth1",
                     "172.16.99.0/24 dev eth1 scope link src 172.16.99.2"])),
    # swaps: each link gets the value of the other
    Edit("swap: two addresses",
         document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.21"}},
                                 "other": {"n": {"ipv4_address": "172.16.86.22"}}}),
         document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.22"}},
                                 "other": {"n": {"ipv4_address": "172.16.86.21"}}}), None,
         all_of(has("web", addresses=["172.16.86.22/24"], mac="02:42:ac:10:56:16",
                    routes=[DEFAULT, "172.16.86.0/24 dev eth0 scope link src 172.16.86.22"]),
                has("other", addresses=["172.16.86.21/24"], mac="02:42:ac:10:56:15")), both=True),
    Edit("swap: two MACs",
         document({"n": lan()}, {"web": {"n": {"mac_address": "02:00:5e:00:00:01"}},
                                 "other": {"n": {"mac_address": "02:00:5e:00:00:02"}}}),
         document({"n": lan()}, {"web": {"n": {"mac_address": "02:00:5e:00:00:02"}},
                                 "other": {"n": {"mac_address": "02:00:5e:00:00:01"}}}), None,
         all_of(has("web", mac="02:00:5e:00:00:02", routes=[DEFAULT, CONNECTED]),
                has("other", mac="02:00:5e:00:00:01", addresses=["172.16.86.3/24"])), both=True),
    Edit("swap: two names in one container",
         two({"n": {"interface_name": "a"}, "m": {"interface_name": "b"}}),
         two({"n": {"interface_name": "b"}, "m": {"interface_name": "a"}}), None,
         all_of(has(name="b", addresses=["172.16.86.2/24"]),
                has(name="a", addresses=["172.16.99.2/24"],
                    routes=["default via 172.16.86.1 dev b",
                            "172.16.86.0/24 dev b scope link src 172.16.86.2",
                            "172.16.99.0/24 dev a scope link src 172.16.99.2"])), both=True),
    Edit("swap: three addresses in a ring",
         document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.21"}},
                                 "other": {"n": {"ipv4_address": "172.16.86.22"}},
                                 "spare": {"n": {"ipv4_address": "172.16.86.23"}}}),
         document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.22"}},
                                 "other": {"n": {"ipv4_address": "172.16.86.23"}},
                                 "spare": {"n": {"ipv4_address": "172.16.86.21"}}}), None,
         all_of(has("web", addresses=["172.16.86.22/24"]),
                has("other", addresses=["172.16.86.23/24"]),
                has("spare", addresses=["172.16.86.21/24"], mac="02:42:ac:10:56:15"))),
    Edit("swap: the host's address and a container's",
         net({"ipv4_address": "172.16.86.8"}, other=False, host={"ipv4_address": "172.16.86.9"}),
         net({"ipv4_address": "172.16.86.9"}, other=False, host={"ipv4_address": "172.16.86.8"}), None,
         all_of(has(addresses=["172.16.86.9/24"], mac="02:42:ac:10:56:09"),
                has("host", "mv-n", addresses=["172.16.86.8/32"], mac="02:42:ac:10:56:08",
                    routes=["172.16.86.9 dev mv-n scope link src 172.16.86.8"])), both=True),
    Edit("swap: the host's address for a new container",
         document({"n": lan(host={"ipv4_address": "172.16.86.9"})}, {"web": ["n"]}),
         document({"n": lan(host={"ipv4_address": "172.16.86.8"})},
                  {"web": ["n"], "other": {"n": {"ipv4_address": "172.16.86.9"}}}),
         [("~", "host", "n", "172.16.86.9/32", "172.16.86.8/32"),
          ("+", "attach", OTHER, "172.16.86.9/24")],
         all_of(has("other", addresses=["172.16.86.9/24"], mac="02:42:ac:10:56:09"),
                has("host", "mv-n", mac="02:42:ac:10:56:08"))),
    Edit("swap: two names of the host",
         document({"n": lan(host={"interface_name": "a"}),
                   "m": lan(subnet="172.16.99.0/24", gateway="172.16.99.1",
                            host={"interface_name": "b"})}, {}),
         document({"n": lan(host={"interface_name": "b"}),
                   "m": lan(subnet="172.16.99.0/24", gateway="172.16.99.1",
                            host={"interface_name": "a"})}, {}), None,
         all_of(has("host", "b", addresses=["172.16.86.254/32"]),
                has("host", "a", addresses=["172.16.99.254/32"]))),
    Edit("swap: the address of a removed container for a new one",
         document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.21"}}, "spare": ["n"]}),
         document({"n": lan()}, {"other": {"n": {"ipv4_address": "172.16.86.21"}}, "spare": ["n"]}),
         [("-", "attach", WEB), ("+", "attach", OTHER, "172.16.86.21/24")],
         all_of(links_are("web"), has("other", addresses=["172.16.86.21/24"]))),
]



def by_owner_tag(snapshot):
    """owner tag -> (namespace, ifindex) of every tagged link."""
    return {item["ifalias"]: (key.split(":")[0], item["ifindex"])
            for key, item in snapshot.items()
            if isinstance(item, dict) and item.get("ifalias", "").startswith("mvapply:")}


def on_the_lan(snapshot):
    return {key: value for key, value in snapshot.items() if key.startswith("lan:")}


def same_plan(actual, expected, ordered):
    if not ordered:
        actual = sorted(actual, key=lambda line: line.split()[:3])
        expected = sorted(expected, key=lambda line: list(line[:3]))
    for line, (sign, noun, what, *rest) in zip(actual, expected):
        words = [f"{sign} {noun} {what}", *rest]
        if not f"{line} ".startswith(f"{words[0]} ") or any(word not in line for word in rest):
            raise AssertionError(f"the plan says\n  {line}\nwhere this was expected: {words}")
    if len(actual) != len(expected):
        raise AssertionError(f"{len(actual)} operations, expected {len(expected)}:\n  "
                             + "\n  ".join(actual))


def touched(expected):
    """The owner tags of links that the plan replaces or deletes."""
    for sign, noun, what, *_ in expected:
        container, _, network = what.rpartition("/")
        if noun == "link":
            yield "mvapply:vlan:default"
        elif sign != "~":
            yield (f"mvapply:attach:default/{network}/{container}" if noun in ("attach", "stray")
                   else f"mvapply:host:default/{what}")


def run_edit(edit):
    def run(host):
        plan, then = edit.lacking if edit.lacking and not host.has(QUEUE_LENGTH) else (edit.plan, edit.then)
        host.netns("web", *(ns for ns in ("other", "spare") if f'"{ns}"' in
                            edit.before + edit.after))
        host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                            "link set up1 up"])
        host.apply(edit.before)
        before = host.snapshot()
        diff = host.diff(edit.after, code=2 if plan or plan is None else 0)
        done = host.apply(edit.after)
        same(done.plan, diff.plan, "what apply did, and diff had said")
        if plan is not None:
            same_plan(done.plan, plan, edit.ordered)
        then(host)
        after = host.unchanged(edit.after)
        same(on_the_lan(after), on_the_lan(before), "the LAN")
        if plan is not None:
            old, new = by_owner_tag(before), by_owner_tag(after)
            for mark in old.keys() & new.keys() - set(touched(plan)):
                same(new[mark], old[mark], f"ifindex of {mark}")
        host.delete(edit.after)
        same({ns: host.names(ns) for ns in host.spaces},
             {**{ns: set() for ns in host.spaces}, "host": {"eth0", "eth1", "up1"},
              "lan": {"up0"}}, "links after delete")
    return run


for row in EDITS:
    test(f"edit: {row.name}", needs=row.needs, both=row.both,
         features=[QUEUE_LENGTH] if row.lacking else [])(run_edit(row))
