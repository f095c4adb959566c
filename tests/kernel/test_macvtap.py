"""macvtap: a macvlan with a character device, through which a virtual machine sends and receives."""
import fcntl
import os
import select
import socket
import stat
import struct

import linux
import packets
from declare import document, lan
from host import same
from registry import test

# linux/if_tun.h: frames with an Ethernet header, without the header of virtio.
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 0x0002, 0x1000
PROTOCOL = 0x88b5  # IEEE 802: for local experiments
BROADCAST = "ff:ff:ff:ff:ff:ff"


def tap_devices(host, ns):
    """The character devices of the namespace's links, as sysfs has them."""
    with host.inside(ns):
        shown = host.run("unshare", "-m", "sh", "-c", "mount -t sysfs sysfs /sys && cd /sys/class/net && "
                         "for tap in */tap*; do echo $tap $(cat $tap/dev); done", ns=ns, code=0).out
    return dict(line.split() for line in shown.splitlines() if "*" not in line)


@test("macvtap: a link with a character device, on a parent with a macvlan", needs=["macvtap"])
def macvtap(host):
    host.netns("web", "db")
    text = document({"n": lan(driver="macvtap", bcqueuelen=50, host=True), "m": lan(subnet="10.8.0.0/24", gateway=None)},
                    {"web": ["n"], "db": ["m"]})
    host.apply(text)
    link = host.link("web", "eth0")
    same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"], link["address"], link["ifalias"]),
         ("macvtap", "bridge", "02:42:ac:10:56:02", "mvapply:attach:default/n/web"), "the link")
    same(link["linkinfo"]["info_data"].get("bcqueuelen", 50), 50, "the broadcast queue")
    same(host.link("db", "eth0")["linkinfo"]["info_kind"], "macvlan", "db's link")
    same(list(tap_devices(host, "web")), [f"eth0/tap{link['ifindex']}"], "the device")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
    with host.inside("web"):
        assert packets.ping("172.16.86.1"), "the gateway does not answer"
    same(host.link("host", "mv-n")["linkinfo"]["info_kind"], "macvtap", "the host's own link")
    assert packets.ping("172.16.86.2"), "web does not answer the host"
    host.unchanged(text)
    host.delete(text)
    same((host.names("web"), host.names("db")), (set(), set()), "after delete")


@test("macvtap: on a macvtap, and on a parent with one that is passthru", needs=["macvtap"])
def macvtap_company(host):
    host.netns("web")
    host.ip("host", "link add link eth0 name mt0 type macvtap")
    stacked = host.apply(document({"n": lan(parent="mt0")}, {"web": ["n"]}), code=1)
    assert "parent mt0 is itself a macvtap link" in stacked.out, stacked
    host.ip("host", "link delete mt0")
    host.ip("host", "link add link eth0 name mt0 type macvtap mode passthru")
    text = document({"n": lan(driver="macvtap")}, {"web": ["n"]})
    refused = host.apply(text, code=4)
    assert "already carries mt0 in the host (macvtap passthru)" in refused.out, refused
    same(host.names("web"), set(), "web")
    host.ip("host", "link delete mt0")
    host.apply(text)
    same(host.link("web", "eth0")["linkinfo"]["info_kind"], "macvtap", "kind")


@test("macvtap: on a parent with an ipvlan", needs=["macvtap", "ipvlan"])
def macvtap_beside_ipvlan(host):
    host.netns("web")
    text = document({"n": lan(driver="macvtap")}, {"web": ["n"]})
    host.ip("host", "link add link eth0 name iv0 type ipvlan")
    refused = host.apply(text, code=4)
    assert "already carries iv0 in the host (ipvlan)" in refused.out, refused
    host.ip("host", "link delete iv0")
    host.apply(text)
    same(host.link("web", "eth0")["linkinfo"]["info_kind"], "macvtap", "kind")


def may_create_devices():
    """mknod needs CAP_MKNOD in the first user namespace."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return file.read().split() == ["0", "0", str(2**32 - 1)]


def opened_tap(host, ns):
    """The descriptor of the device of the namespace's only macvtap, by a node in a tmpfs of the test's own."""
    number, = tap_devices(host, ns).values()
    major, minor = (int(part) for part in number.split(":"))
    os.mkdir("/run/dev")
    linux.mount("tmpfs", "/run/dev", "tmpfs")
    os.mknod("/run/dev/tap", 0o600 | stat.S_IFCHR, os.makedev(major, minor))
    tap = os.open("/run/dev/tap", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"", IFF_TAP | IFF_NO_PI))
    return tap


def frame(destination, source, payload):
    return packets.mac_bytes(destination) + packets.mac_bytes(source) + struct.pack("!H", PROTOCOL) + \
        payload.ljust(46, b"\0")


def received(tap, expected, seconds):
    """Reads the device until a frame is the expected one."""
    while select.select([tap], [], [], seconds)[0]:
        if os.read(tap, 65536) == expected:
            return True
    return False


@test("macvtap: a virtual machine's program reads and writes frames through the device", needs=["macvtap"])
def macvtap_frames(host):
    host.netns("web")
    host.apply(document({"n": lan(driver="macvtap")}, {"web": ["n"]}))
    if not may_create_devices():
        same(len(tap_devices(host, "web")), 1, "the device, which only root can open")
        return
    mac, router = host.link("web", "eth0")["address"], host.link("lan", "up0")["address"]
    with host.inside("lan"), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind(("up0", 0))
        sniffer = packets.Sniffer("up0", PROTOCOL)
        tap = opened_tap(host, "web")
        try:
            for destination in (mac, BROADCAST):
                sent = frame(destination, router, b"from the LAN")
                port.send(sent)
                assert received(tap, sent, 5 * host.patience), f"no frame to {destination} at the device"
            os.write(tap, frame(router, mac, b"from the machine"))
            arrived = sniffer.wait(lambda seen: seen.source == mac, 5 * host.patience)
            same((arrived.destination, arrived.payload.rstrip(b"\0")), (router, b"from the machine"),
                 "the frame on the LAN")
        finally:
            os.close(tap)
