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


@test("parent types: the host's own link with a parent in a VRF", needs=["vrf"])
def host_vrf(host):
    host.netns("web")
    host.batch("host", ["link add blue type vrf table 10", "link set blue up", "link set eth0 master blue"])
    for own in (True, False):
        done = host.apply(document({"n": lan(host=own)}, {"web": ["n"]}))
        same("not in VRF blue of parent eth0" in " ".join(done.err.split()), own, f"{done}\n")
