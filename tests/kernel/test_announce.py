"""The addresses that are announced on the LAN, and those that are not."""
import packets
from declare import document, lan
from features import ADDRESS_PROTOCOL
from host import same
from registry import test


def sniffer_of(host, protocol=packets.ETH_P_ARP):
    with host.inside("lan"):
        return packets.Sniffer("up0", protocol)


def announced(sniffer, ip, mac, seconds=2):
    return sniffer.wait(lambda frame: packets.is_arp_announcement(frame, ip, mac), seconds)


@test("announce: a link that fails after its addresses were added is not announced")
def failed(host):
    host.netns("web", "db")
    sniffer = sniffer_of(host)
    # The kernel accepts none above the link's own.
    text = document({"n": lan()}, {"web": {"n": {"sysctls": {"net.ipv6.conf.IFNAME.mtu": "9000"}}},
                                   "db": ["n"]})
    done = host.apply(text, code=1)
    assert "cannot set net.ipv6.conf.IFNAME.mtu of eth0" in done.err, done
    assert announced(sniffer, "172.16.86.3", "02:42:ac:10:56:03"), "db's"
    same(announced(sniffer, "172.16.86.2", "02:42:ac:10:56:02", 0.5), None, "web's")


@test("announce: an address that is not the first of its subnet", features=[ADDRESS_PROTOCOL])
def second(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20",
                                                 "mac_address": "02:42:ac:10:56:99"}}})
    host.apply(text)
    host.set_sysctl("web", "net/ipv4/conf/eth0/promote_secondaries", 1)  # systemd's default
    host.ip("web", "address add 172.16.86.200/24 dev eth0")
    sniffer = sniffer_of(host)
    host.apply(text.replace("86.20", "86.30"))
    theirs = {"172.16.86.200/24"} if host.has(ADDRESS_PROTOCOL) else set()
    same(host.addresses("web", "eth0"), {"172.16.86.30/24"} | theirs, "addresses")
    assert announced(sniffer, "172.16.86.30", "02:42:ac:10:56:99"), sniffer.frames


@test("announce: also where the kernel may not send ARP requests")
def silent(host):
    host.netns("web")
    sniffer = sniffer_of(host)
    sysctls = {"net.ipv4.neigh.IFNAME.mcast_solicit": "0"}
    host.apply(document({"n": lan()}, {"web": {"n": {"sysctls": sysctls}}}))
    assert announced(sniffer, "172.16.86.2", "02:42:ac:10:56:02"), sniffer.frames
