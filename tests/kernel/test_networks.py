"""Kinds of networks: ipvlan, dual stack, internal, the host's own link, several at once."""
import packets
from declare import document, lan
from host import same
from registry import test

DUAL = lan(subnet=None, gateway=None,
           subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])


def apply_pair(host, network):
    """Two containers on one network; returns the text."""
    host.netns("web", "db")
    text = document({"n": network}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    return text


@test("ipvlan: l2 on the LAN, with the parent's MAC", needs=["ipvlan"])
def ipvlan_l2(host):
    text = apply_pair(host, lan(driver="ipvlan"))
    link = host.link("web", "eth0")
    same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"], link["address"]),
         ("ipvlan", "l2", host.link("host", "eth0")["address"]), "the link")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
    with host.inside("web"):
        assert packets.ping("172.16.86.1"), "the gateway does not answer"
        assert packets.ping("172.16.86.3"), "db does not answer"
    host.unchanged(text)
    host.delete(text)
    same(host.names("web") | host.names("db"), set(), "after delete")


@test("ipvlan: l3", needs=["ipvlan"])
def ipvlan_l3(host):
    text = apply_pair(host, lan(driver="ipvlan", mode="l3", ip_range="172.16.86.4/30",
                               gateway=None))
    same(host.link("web", "eth0")["linkinfo"]["info_data"]["mode"], "l3", "mode")
    with host.inside("web"):
        assert packets.ping("172.16.86.5"), "db does not answer"
    host.unchanged(text)


@test("ipvlan: l3s", needs=["ipvlan"])
def ipvlan_l3s(host):
    text = apply_pair(host, lan(driver="ipvlan", mode="l3s", ip_range="172.16.86.4/30",
                               gateway=None))
    same(host.link("web", "eth0")["linkinfo"]["info_data"]["mode"], "l3s", "mode")
    with host.inside("web"):
        assert packets.ping("172.16.86.5"), "db does not answer"
    host.unchanged(text)


@test("ipvlan: the announcement carries the parent's MAC", needs=["ipvlan"])
def ipvlan_announced(host):
    host.netns("web")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    host.apply(document({"n": lan(driver="ipvlan")}, {"web": ["n"]}))
    mac = host.link("host", "eth0")["address"]
    assert sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.2", mac)), \
        "no announcement"


@test("dual stack: both families, IPv6 usable at once", both=True)
def dual_stack(host):
    host.netns("web")
    host.lan("fd00:86::1/64")
    text = document({"n": DUAL}, {"web": ["n"]})
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    host.apply(text)
    address = next(item for item in host.link("web", "eth0")["addr_info"]
                   if item["local"].startswith("fd00"))
    assert not address.get("tentative"), f"tentative: {address}"
    same(host.addresses("web", "eth0"), {"172.16.86.2/24", "fd00:86::2/64"}, "addresses")
    same(host.routes("web"), {"default via 172.16.86.1 dev eth0",
                              "172.16.86.0/24 dev eth0 scope link src 172.16.86.2",
                              "default via fd00:86::1 dev eth0", "fd00:86::/64 dev eth0"},
         "routes")
    same(host.route_protocols("web")["default via fd00:86::1 dev eth0"], "77", "protocol")
    assert sniffer.wait(lambda f: packets.is_neighbour_advertisement(f, "fd00:86::2")), \
        "no neighbour advertisement"
    with host.inside("web"):
        assert packets.ping("fd00:86::1"), "the IPv6 gateway does not answer"
        assert packets.ping("172.16.86.1"), "the IPv4 gateway does not answer"
    host.unchanged(text)
    host.delete(text)
    same(host.names("web"), set(), "after delete")


@test("IPv6 alone: a MAC from the names, the same at every run")
def ipv6_alone(host):
    host.netns("web", "db")
    host.lan("fd00:86::1/64")
    text = document({"n": lan(subnet="fd00:86::/64", gateway="fd00:86::1")},
                    {"web": ["n"], "db": ["n"]})
    host.apply(text)
    first = {ns: host.link(ns, "eth0")["address"] for ns in ("web", "db")}
    assert first["web"] != first["db"], first
    assert int(first["web"][:2], 16) & 3 == 2, f"not a local unicast address: {first}"
    same(host.addresses("web", "eth0"), {"fd00:86::2/64"}, "addresses")
    with host.inside("web"):
        assert packets.ping("fd00:86::1"), "the gateway does not answer"
        assert packets.ping("fd00:86::3"), "db does not answer"
    host.unchanged(text)
    host.delete(text)
    host.apply(text)
    same({ns: host.link(ns, "eth0")["address"] for ns in ("web", "db")}, first, "MACs")


@test("router advertisements add nothing", both=True)
def router_advertisements(host):
    host.netns("web")
    text = document({"n": DUAL}, {"web": ["n"]})
    host.apply(text)
    host.settle()
    before = host.snapshot("web")
    with host.inside("lan"):
        for _ in range(3):
            packets.router_advertisement("up0", "02:00:00:00:00:01", "fd00:dead::")
    # The host's own eth0, which receives them, shows that they have arrived.
    host.until(lambda: any(a.startswith("fd00:dead:") for a in host.addresses("host", "eth0")),
               "the host's own address by autoconfiguration")
    same(host.snapshot("web"), before, "after router advertisements")


@test("internal: no default route, on a parent")
def internal_with_parent(host):
    text = apply_pair(host, lan(internal=True))
    same(host.routes("web"), {"172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}, "routes")
    with host.inside("web"):
        assert packets.ping("172.16.86.3"), "db does not answer"
    host.unchanged(text)


@test("internal: without a parent, on a dummy link of its own", needs=["dummy"])
def internal_without_parent(host):
    before = host.snapshot()
    text = apply_pair(host, {"internal": True, "subnet": "10.9.0.0/24"})
    link = host.link("host", "mvd-n")
    same((link["linkinfo"]["info_kind"], link["ifalias"]), ("dummy", "mvapply:dummy:default/n"),
         "the dummy")
    assert "UP" in link["flags"], link["flags"]
    same(host.names("host"), {"eth0", "mvd-n"}, "links of the host")
    same(host.addresses("web", "eth0"), {"10.9.0.1/24"}, "addresses")
    same(host.routes("web"), {"10.9.0.0/24 dev eth0 scope link src 10.9.0.1"}, "routes")
    with host.inside("web"):
        assert packets.ping("10.9.0.2"), "db does not answer"
    host.unchanged(text)
    host.delete(text)
    same({key: value for key, value in host.snapshot().items() if key in before}, before,
         "after delete")
    same(host.names("host") | host.names("web"), {"eth0"}, "links after delete")


@test("internal: a dummy's MTU is changed in place, and it is deleted with its network",
      needs=["dummy"])
def dummy_changed(host):
    text = apply_pair(host, {"internal": True, "subnet": "10.9.0.0/24"})
    index = host.link("host", "mvd-n")["ifindex"]
    text = document({"n": {"internal": True, "subnet": "10.9.0.0/24", "mtu": 1400}},
                    {"web": ["n"], "db": ["n"]})
    host.apply(text)
    link = host.link("host", "mvd-n")
    same((link["ifindex"], link["mtu"], host.link("web", "eth0")["mtu"]), (index, 1400, 1400),
         "the dummy and its child")
    host.unchanged(text)
    host.apply(document({"other": lan()}, {"web": ["other"]}), "--max-delete=100%")
    same(host.names("host"), {"eth0"}, "links of the host")


@test("internal: a long name gives a dummy of a hashed name", needs=["dummy"])
def dummy_hashed(host):
    host.netns("web")
    text = document({"a-network-of-a-long-name": {"internal": True, "subnet": "10.9.0.0/24"}},
                    {"web": ["a-network-of-a-long-name"]})
    host.apply(text)
    name = (host.names("host") - {"eth0"}).pop()
    assert name.startswith("mvd-") and len(name) == 12 and int(name[4:], 16) >= 0, name
    host.unchanged(text)


@test("host access: host and container reach each other", both=True)
def host_access(host):
    network = lan(host={"ipv4_address": "172.16.86.9", "interface_name": "lan0"})
    text = apply_pair(host, network)
    same(host.names("host"), {"eth0", "lan0"}, "links of the host")
    link = host.link("host", "lan0")
    same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"], link["ifalias"]),
         ("macvlan", "bridge", "mvapply:host:default/n"), "the host's link")
    same(host.addresses("host", "lan0"), {"172.16.86.9/32"}, "addresses")
    same(host.routes("host"), {"172.16.86.2 dev lan0 scope link src 172.16.86.9",
                               "172.16.86.3 dev lan0 scope link src 172.16.86.9"}, "routes")
    assert packets.ping("172.16.86.2"), "the container does not answer the host"
    with host.inside("web"):
        assert packets.ping("172.16.86.9"), "the host does not answer the container"
    host.unchanged(text)
    less = document({"n": network}, {"web": ["n"]})
    host.apply(less)
    same(host.routes("host"), {"172.16.86.2 dev lan0 scope link src 172.16.86.9"},
         "routes without db")
    host.delete(less)
    same((host.names("host"), host.routes("host")), ({"eth0"}, set()), "after delete")


@test("host access: the defaults, on a host that has an address of the LAN")
def host_access_defaults(host):
    host.batch("host", ["address add 172.16.86.9/24 dev eth0",
                        "route add default via 172.16.86.1"])
    text = apply_pair(host, lan(host=True))
    same(host.addresses("host", "mv-n"), {"172.16.86.254/32"}, "addresses")
    same(host.routes("host"), {"default via 172.16.86.1 dev eth0",
                               "172.16.86.0/24 dev eth0 scope link src 172.16.86.9",
                               "172.16.86.2 dev mv-n scope link src 172.16.86.254",
                               "172.16.86.3 dev mv-n scope link src 172.16.86.254"}, "routes")
    assert packets.ping("172.16.86.2"), "the container does not answer the host"
    with host.inside("web"):
        assert packets.ping("172.16.86.9"), "the host's own address does not answer"
    host.unchanged(text)


@test("host access: IPv6 too", both=True)
def host_access_ipv6(host):
    text = apply_pair(host, {**DUAL, "host": {"ipv6_address": "fd00:86::9"}})
    same(host.addresses("host", "mv-n"), {"172.16.86.254/32", "fd00:86::9/128"}, "addresses")
    assert packets.ping("fd00:86::2"), "the container does not answer the host"
    host.unchanged(text)
    host.delete(text)
    same((host.names("host"), host.routes("host")), ({"eth0"}, set()), "after delete")


@test("host access: on a VLAN, on ipvlan", needs=["vlan", "ipvlan"])
def host_access_kinds(host):
    text = apply_pair(host, lan(driver="ipvlan", vlan=10, host=True))
    same(host.names("host"), {"eth0", "eth0.10", "mv-n"}, "links of the host")
    same(host.link("host", "mv-n")["linkinfo"]["info_kind"], "ipvlan", "kind")
    assert packets.ping("172.16.86.2"), "the container does not answer the host"
    host.unchanged(text)
    host.delete(text)
    same(host.names("host"), {"eth0"}, "after delete")


@test("several networks: names in the file's order, one default route")
def several_networks(host):
    host.netns("web")
    networks = {"a": lan(), "b": lan(subnet="172.16.99.0/24", gateway="172.16.99.1"),
                "c": lan(subnet="10.8.0.0/16", gateway=None)}
    text = document(networks, {"web": {"c": {}, "b": {"gw_priority": 10}, "a": {}}})
    host.apply(text)
    same({name: host.addresses("web", name) for name in sorted(host.names("web"))},
         {"eth0": {"10.8.0.2/16"}, "eth1": {"172.16.99.2/24"}, "eth2": {"172.16.86.2/24"}},
         "addresses by name")
    same({route for route in host.routes("web") if route.startswith("default")},
         {"default via 172.16.99.1 dev eth1"}, "default routes")
    host.unchanged(text)


@test("several networks: the same subnet on two parents")
def same_subnet_twice(host):
    host.netns("web")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                        "link set up1 up"])
    text = document({"a": lan(), "b": lan(parent="eth1", gateway=None)}, {"web": ["a", "b"]})
    host.apply(text)
    same((host.addresses("web", "eth0"), host.addresses("web", "eth1")),
         ({"172.16.86.2/24"}, {"172.16.86.3/24"}), "addresses")
    host.unchanged(text)


@test("several VLANs on one trunk", needs=["vlan"])
def trunk(host):
    host.netns("web", "db")
    networks = {f"v{vid}": {"parent": "eth0", "vlan": vid, "subnet": f"10.0.{vid}.0/24",
                            "gateway": f"10.0.{vid}.1"} for vid in (10, 20, 30)}
    text = document(networks, {"web": ["v10", "v20"], "db": ["v20", "v30"]})
    before = host.snapshot()
    host.apply(text)
    same(host.names("host"), {"eth0", "eth0.10", "eth0.20", "eth0.30"}, "links of the host")
    host.unchanged(text)
    host.delete(text)
    same(host.snapshot(), before, "after delete")


@test("802.1ad: tagged so on the wire", needs=["vlan"])
def qinq(host):
    host.netns("web")
    host.apply(document({"n": lan(vlan=10, vlan_protocol="802.1ad")}, {"web": ["n"]}))
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    with host.inside("web"):
        packets.ping("172.16.86.1", 0.2)
    frame = sniffer.wait(lambda f: f.source == "02:42:ac:10:56:02")
    same(frame and frame.vlan, (0x88a8, 10), "the tag")


@test("parent by altname")
def altname(host):
    host.netns("web")
    host.ip("host", "link property add dev eth0 altname uplink-of-this-host")
    text = document({"n": lan(parent="uplink-of-this-host")}, {"web": ["n"]})
    host.apply(text)
    same(host.link("web", "eth0")["link_index"], host.link("host", "eth0")["ifindex"], "parent")
    host.unchanged(text)


@test("choice of an address: live ones stay when others are added and removed")
def addresses_stay(host):
    host.netns("a", "b", "c", "d")
    def declared(*names):
        return document({"n": lan()}, {name: ["n"] for name in names})
    def live(*names):
        return {name: host.addresses(name, "eth0") for name in names}
    host.apply(declared("a", "b", "c"))
    same(live("a", "b", "c"), {"a": {"172.16.86.2/24"}, "b": {"172.16.86.3/24"},
                               "c": {"172.16.86.4/24"}}, "at first")
    host.apply(declared("a", "c"))
    same(live("a", "c"), {"a": {"172.16.86.2/24"}, "c": {"172.16.86.4/24"}}, "without b")
    host.apply(declared("d", "c", "b", "a"))
    same(live("a", "b", "c", "d"), {"a": {"172.16.86.2/24"}, "b": {"172.16.86.5/24"},
                                    "c": {"172.16.86.4/24"}, "d": {"172.16.86.3/24"}},
         "with d before all")


@test("choice of an address: addresses in use on the parent are not chosen")
def addresses_taken(host):
    host.netns("web")
    host.ip("host", "address add 172.16.86.2/24 dev eth0")
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "addresses")


@test("sources: a name, a path, a process", both=True)
def sources(host):
    host.netns("web", "db")
    with host.process() as pid:
        text = document({"n": lan()}, {
            "a": {"netns": "web", "networks": ["n"]},
            "b": {"netns": "/run/netns/db", "networks": ["n"]},
            "c": {"pid": pid, "networks": ["n"]}})
        host.apply(text)
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "by name")
        same(host.addresses("db", "eth0"), {"172.16.86.3/24"}, "by path")
        seen = host.run("nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-o", "-4", "address",
                        code=0).out
        assert "172.16.86.4/24" in seen, seen
        host.unchanged(text)
        host.delete(text)
    same(host.names("web") | host.names("db"), set(), "after delete")


@test("sources: two containers in one namespace")
def two_in_one(host):
    host.netns("pod")
    networks = {"n": lan(), "m": lan(subnet="10.8.0.0/16", gateway=None)}
    done = host.apply(document(networks, {"a": {"netns": "pod", "networks": ["n"]},
                                          "b": {"netns": "pod", "networks": ["m"]}}), code=3)
    assert "pod" in done.err, done
    # Only the kernel shows that two names mean one namespace.
    text = document(networks, {"a": {"netns": "pod", "networks": ["n"]},
                               "b": {"netns": "/run/netns/pod", "networks": ["m"]}})
    host.apply(text)
    same({frozenset(host.addresses("pod", name)) for name in host.names("pod")},
         {frozenset({"172.16.86.2/24"}), frozenset({"10.8.0.2/16"})}, "addresses")
    host.unchanged(text)


@test("sysctls: all families of keys", both=True)
def sysctls(host):
    host.netns("web")
    text = document({"n": DUAL}, {"web": {"n": {"sysctls": {
        "net.ipv4.conf.IFNAME.arp_ignore": "1", "net.ipv6.conf.IFNAME.hop_limit": "61",
        "net.ipv4.neigh.IFNAME.ucast_solicit": "5",
        "net.ipv6.neigh.IFNAME.ucast_solicit": "6"}}}})
    host.apply(text)
    same([host.sysctl("web", key) for key in (
        "net/ipv4/conf/eth0/arp_ignore", "net/ipv6/conf/eth0/hop_limit",
        "net/ipv4/neigh/eth0/ucast_solicit", "net/ipv6/neigh/eth0/ucast_solicit")],
         ["1", "61", "5", "6"], "values")
    same(host.sysctl("host", "net/ipv4/conf/eth0/arp_ignore"), "0", "the host's own eth0")
    host.unchanged(text)


@test("drift: manual changes are reverted", both=True)
def drift(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    host.settle()
    before = host.snapshot()
    host.batch("web", ["address delete 172.16.86.2/24 dev eth0", "link set eth0 down",
                       "link set eth0 mtu 1400"])
    done = host.apply(text)
    same(len(done.plan), 1, "operations")
    assert done.plan[0].startswith("~ attach web/n"), done
    host.settle()
    same(host.snapshot(), before, "after the repair")
    assert "UP" in host.link("web", "eth0")["flags"], "not up"
    host.unchanged(text)


@test("drift: a container that was restarted is attached again, with its MAC and address",
      both=True)
def restarted(host):
    host.netns("web", "db")
    text = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    index = host.link("db", "eth0")["ifindex"]
    mac = host.link("web", "eth0")["address"]
    host.remove_netns("web")
    host.netns("web")
    host.apply(text)
    same((host.addresses("web", "eth0"), host.link("web", "eth0")["address"]),
         ({"172.16.86.2/24"}, mac), "the new link")
    same(host.link("db", "eth0")["ifindex"], index, "the other container")
    host.unchanged(text)


@test("drift: the parent was created again")
def parent_again(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    host.ip("host", "link delete eth0")
    host.until(lambda: not host.names("web"), "the kernel removes the child")
    host.batch("host", ["link add eth0 type veth peer name up0", "link set eth0 up",
                        "link set up0 up"])
    host.apply(text)
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("passthru: the MAC address of the file, which the parent has until the end, or else the parent's own")
def passthru_mac(host):
    host.netns("web")
    before, chosen = host.link("host", "eth0")["address"], "02:00:00:00:86:20"
    for mac in (chosen, None):
        text = document({"n": lan(mode="passthru")}, {"web": {"n": {"mac_address": mac} if mac else {}}})
        host.apply(text)
        same([host.link(ns, "eth0")["address"] for ns in ("web", "host")], 2 * [mac or before], "the MAC addresses")
        host.unchanged(text)
        host.delete(text)
        same(host.link("host", "eth0")["address"], before, "the parent's afterwards")
    text = document({"n": lan(mode="passthru")}, {"web": {"n": {"mac_address": chosen}}})
    host.run("sh", "-e", stdin=host.diff(text, "-o", "ip").out.encode(), code=0)
    same([host.link(ns, "eth0")["address"] for ns in ("web", "host")], 2 * [chosen], "by the commands of diff -o ip")
    host.unchanged(text)
