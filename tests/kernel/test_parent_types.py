"""macvlan, ipvlan and VLAN links are on Ethernet links only; what looks right and passes nothing."""
import json

from declare import document, lan
from host import same
from registry import test

KINDS = [{}, {"driver": "ipvlan"}, {"driver": "ipvlan", "mode": "l3"}, {"driver": "macvtap"}, {"vlan": 7}]


def findings(host, code=None):
    done = host.mvapply("doctor", "-f", "network.yaml", "--output=json", code=code)
    return [(found["level"], found["subject"], found["message"], found["fix"])
            for found in json.loads(done.out)["findings"] if found["check"] in ("plan", "parents")]


def refused(host, parent, kind):
    """Each kind of network is blocked, by name and type, and nothing changes."""
    host.netns("web")
    before = host.snapshot("host", "web")
    for keys in KINDS:
        done = host.apply(document({"n": lan(parent=parent, **keys)}, {"web": ["n"]}), code=1)
        assert f"parent {parent} is not an Ethernet link: its type is {kind}" in \
            " ".join(done.out.split()) and "MV0612" in done.out, done
        same([found[:2] for found in findings(host, 1) if found[0] == "problem"], [("problem", "n")], f"doctor, {keys}")
        same(host.snapshot("host", "web"), before, f"after {keys}")


@test("parent types: a tun link")
def tun(host):
    host.batch("host", ["tuntap add vpn0 mode tun", "link set vpn0 up"])
    refused(host, "vpn0", "tun")


@test("parent types: a tap link is an Ethernet link")
def tap(host):
    host.netns("web")
    host.batch("host", ["tuntap add vm0 mode tap", "link set vm0 up"])
    host.apply(document({"n": lan(parent="vm0")}, {"web": ["n"]}))
    same(host.link("web", "eth0")["link_index"], host.link("host", "vm0")["ifindex"], "the parent")


@test("parent types: a VRF device", needs=["vrf"])
def vrf(host):
    host.batch("host", ["link add blue type vrf table 10", "link set blue up"])
    refused(host, "blue", "vrf")


@test("parent types: a CAN link", needs=["vcan"])
def can(host):
    host.batch("host", ["link add can0 type vcan", "link set can0 up"])
    refused(host, "can0", "vcan")


@test("IPv6 that is disabled for new links is enabled on the attachment alone")
def ipv6_disabled(host):
    host.netns("web", "old")
    for ns in ("web", "host"):
        host.set_sysctl(ns, "net/ipv6/conf/default/disable_ipv6", 1)
    text = document({"n": lan(subnet="fd00:86::/64", gateway="fd00:86::1", host=True)}, {"web": ["n"], "old": ["n"]})
    host.diff(text)
    same({name: found for name, *found in [(found[2].split(":")[0], found[0]) for found in findings(host)]},
         {"IPv6 is disabled in the namespace of web/n": ["warning"],
          "IPv6 is disabled in the namespace of the host's own link on n": ["warning"]}, "doctor")
    done = host.apply(text)
    assert "disabled in the namespace of web/n: it is enabled on its link eth0" in " ".join(done.err.split()), done
    assert "of old/n" not in done.err, done
    same((len(host.addresses("web", "eth0")), host.sysctl("web", "net/ipv6/conf/eth0/disable_ipv6"),
          host.sysctl("web", "net/ipv6/conf/default/disable_ipv6"), host.sysctl("web", "net/ipv6/conf/lo/disable_ipv6")),
         (1, "0", "1", "0"), "web")
    host.unchanged(text)
    again = host.apply(text)
    assert "disabled" not in again.err, again
    # Somebody disables it, with all addresses, on the live link.
    for ns in ("web", "old"):
        host.set_sysctl(ns, "net/ipv6/conf/eth0/disable_ipv6", 1)
    done = host.apply(text)
    same([len(host.addresses(ns, "eth0")) for ns in ("web", "old")], [1, 1], f"{done}\n")
    host.unchanged(text)
    # An IPv4 network leaves it as it is, and a file may say so.
    host.delete(text)
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    same(host.sysctl("web", "net/ipv6/conf/eth0/disable_ipv6"), "1", "IPv4 alone")


@test("parent types: IPv6 that the file disables on its link needs no capability")
def ipv6_disabled_by_file(host):
    host.netns("web")
    text = document({"n": lan(subnet="fd00:86::/64", gateway=None)},
                    {"web": {"n": {"sysctls": {"net.ipv6.conf.IFNAME.disable_ipv6": "1"}}}})
    done = host.apply(text, code=1)
    assert "IPv6 is disabled on eth0" in done.err and "root" not in done.err and "MV0910" in done.err, done
    same(host.names("web"), set(), "undone")


# --- a bridge that filters VLANs

def filtering(host, *commands):
    host.batch("host", ["link add br0 type bridge vlan_filtering 1", "link add veth9 type veth peer name port9",
                        "link set port9 master br0", "link set port9 up", "link set veth9 up", "link set br0 up"])
    for command in commands:
        host.run("bridge", *command.split(), code=0)


def warned(host, keys, words):
    """The plan and doctor have the warning, or none."""
    host.netns("web")
    done = host.diff(document({"n": lan(parent="br0", **keys)}, {"web": ["n"]}))
    said = " ".join(done.err.split())
    assert (words in said) if words else "filters VLANs" not in said, f"{keys}\n{done}"
    found = [message for _, _, message, _ in findings(host) if "filters VLANs" in message]
    same((len(found), all(words in message for message in found)), (bool(words), True), f"doctor: {found}")


@test("parent types: a bridge that filters VLANs passes those that it is a member of", needs=["vlan", "bridge"])
def bridge_untagged(host):
    filtering(host)
    warned(host, {}, "")
    host.run("bridge", "vlan", "del", "vid", "1", "dev", "port9", code=0)
    warned_again(host, {}, "`bridge vlan add vid 1 dev PORT`")
    host.run("bridge", "vlan", "del", "vid", "1", "dev", "br0", "self", code=0)
    warned_again(host, {}, "`bridge vlan add vid ID pvid untagged dev br0 self`")
    host.ip("host", "link set br0 type bridge vlan_filtering 0")
    warned_again(host, {}, "")


def warned_again(host, keys, words):
    host.remove_netns("web")
    warned(host, keys, words)


@test("parent types: a VLAN on a bridge that filters VLANs", needs=["vlan", "bridge"])
def bridge_vlan(host):
    filtering(host)
    warned(host, {"vlan": 10}, "`bridge vlan add vid 10 dev br0 self`")
    warned_again(host, {"vlan": 1}, "`bridge vlan add vid 1 dev br0 self`")
    host.run("bridge", "vlan", "add", "vid", "9-12", "dev", "br0", "self", code=0)
    warned_again(host, {"vlan": 10}, "`bridge vlan add vid 10 dev PORT`")
    host.run("bridge", "vlan", "add", "vid", "10", "dev", "port9", code=0)
    warned_again(host, {"vlan": 10}, "")
    warned_again(host, {"vlan": 13}, "`bridge vlan add vid 13 dev br0 self`")


@test("parent types: a VLAN on a bridge passes traffic after the command of the warning", needs=["vlan", "bridge"])
def bridge_vlan_passes(host):
    filtering(host, "vlan add vid 10 dev port9")
    host.netns("web", "peer")
    host.batch("host", ["link set veth9 netns peer"])
    host.batch("peer", ["link add link veth9 name v type vlan id 10", "link set veth9 up", "link set v up",
                        "address add 172.16.86.1/24 dev v"])
    text = document({"n": lan(parent="br0", vlan=10)}, {"web": ["n"]})
    done = host.apply(text)
    assert "`bridge vlan add vid 10 dev br0 self`" in " ".join(done.err.split()), done
    ping = ["ping", "-c", "1", "-W", "1", "172.16.86.1"]
    same(host.run(*ping, ns="web").code, 1, "before the command")
    host.run("bridge", "vlan", "add", "vid", "10", "dev", "br0", "self", code=0)
    host.until(lambda: host.run(*ping, ns="web").code == 0, "the gateway answers")
    assert "filters VLANs" not in host.apply(text).err


def ping_from(host, link, address):
    return host.run("ping", "-c", "1", "-W", "1", "-I", link, address).code == 0


def host_routes(host, table):
    return {(route["dst"], route["dev"]) for family in ("-4", "-6") for route in json.loads(
        host.ip("host", f"-j {family} route show table {table} proto 77"))}


@test("parent types: the host's own link is in the VRF of its parent", needs=["vrf"])
def host_vrf(host):
    host.netns("web")
    # A number that has no place in the header of a route.
    host.batch("host", ["link add blue type vrf table 1010", "link set blue up"])
    text = document({"n": lan(subnet=None, gateway=None, host=True, subnets=[
        {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": "172.16.86.0/25"},
        {"subnet": "fd00:86::/64"}])}, {"web": ["n"]})
    routes = {("172.16.86.2", "mv-n"), ("fd00:86::2", "mv-n")}
    host.apply(text)
    same((host_routes(host, "main"), host_routes(host, 1010)), (routes, set()), "routes without a VRF")
    host.ip("host", "link set eth0 master blue")
    done = host.apply(text)
    assert "parent eth0 -> eth0 in VRF blue" in " ".join(done.out.split()), done
    same(host.link("host", "mv-n")["master"], "blue", "the link's VRF")
    same((host_routes(host, "main"), host_routes(host, 1010)), (set(), routes), "routes in the VRF")
    host.until(lambda: ping_from(host, "blue", "172.16.86.2"), "a program of the VRF reaches the container")
    host.until(lambda: ping_from(host, "blue", "fd00:86::2"), "and by IPv6")
    host.unchanged(text)
    # What others remove returns, and what the files lose goes.
    host.ip("host", "route delete 172.16.86.2 dev mv-n table 1010")
    host.apply(text)
    same(host_routes(host, 1010), routes, "routes after one was removed")
    script = host.diff(text.replace('"web"', '"db"'), "-o", "ip", "--max-delete=100%").out
    assert "table 1010" in script, script
    host.delete(text)
    same((host.names("host"), host_routes(host, 1010)), ({"eth0", "blue"}, set()), "after delete")
    script = host.diff(text, "-o", "ip").out
    assert " master blue type macvlan" in script and " table 1010" in script, script
    host.run("sh", "-e", stdin=script.encode(), code=0)
    same((host.link("host", "mv-n")["master"], host_routes(host, 1010)), ("blue", routes), "made by ip")
    host.ip("host", "link set eth0 nomaster")
    host.apply(text)
    same((host.link("host", "mv-n").get("master"), host_routes(host, "main"), host_routes(host, 1010)),
         (None, routes, set()), "without the VRF again")


@test("parent types: --confirm puts the host's own link back into its VRF", needs=["vrf"])
def host_vrf_back(host):
    host.netns("web")
    host.batch("host", ["link add blue type vrf table 10", "link set blue up", "link set eth0 master blue"])
    text = document({"n": lan(host=True, ip_range="172.16.86.0/25")}, {"web": ["n"]})
    host.apply(text)
    before = host.link("host", "mv-n")["address"], host_routes(host, 10)
    other = document({"n": lan(ip_range="172.16.86.0/25")}, {"web": ["n"]})
    host.apply(other, "--confirm=1", "--max-delete=100%", code=5)
    same((host.link("host", "mv-n")["master"],
          (host.link("host", "mv-n")["address"], host_routes(host, 10))), ("blue", before), "rolled back")
