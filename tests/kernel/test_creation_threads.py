"""Many links are created by two threads: each is complete, and whatever fails, fails alone."""
import fcntl
import re
import socket
import struct

import packets
from declare import document, lan
from features import CREATION
from host import same
from registry import test

COUNT = 450  # from 400 on
NET = {"subnet": "172.20.0.0/16", "gateway": "172.20.0.1"}
SO_RCVBUFFORCE = 33
SIOCGIFADDR, SIOCGIFHWADDR, SIOCGIFNETMASK = 0x8915, 0x8927, 0x891b


def address(number):
    return f"172.20.{number // 200 + 1}.{number % 200 + 1}"


def asked(sock, request, name):
    """Bytes of a struct ifreq, as any program can read it."""
    return fcntl.ioctl(sock, request, struct.pack("16s24x", name.encode()))


def found(host, ns):
    """The namespace's links with their MACs, and the address and mask of each."""
    with host.inside(ns), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        names = sorted(name for _, name in socket.if_nameindex() if name != "lo")
        return {name: (asked(sock, SIOCGIFHWADDR, name)[18:24].hex(":"),
                       socket.inet_ntoa(asked(sock, SIOCGIFADDR, name)[20:24]),
                       socket.inet_ntoa(asked(sock, SIOCGIFNETMASK, name)[20:24])) for name in names}


def expected(number):
    one = socket.inet_aton(address(number))
    return {"eth0": ("02:42:" + one.hex(":"), address(number), "255.255.0.0")}


def stage(host):
    names = [f"c{number}" for number in range(COUNT)]
    host.netns(*names)
    return {name: {"n": {"ipv4_address": address(number)}} for number, name in enumerate(names)}


def creators(path):
    """The threads that sent messages which create links, with their numbers of messages."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [line.split(maxsplit=1) for line in file]
    sent = [pid for pid, text in lines if re.search(r"nlmsg_type=(RTM_NEWLINK|0x10)\b.*NLM_F_CREATE|"
                                                    r"nlmsg_type=(RTM_NEWLINK|0x10)\b.*0x600", text)]
    return {pid: sent.count(pid) for pid in set(sent)}


@test("two threads: each link is complete and announced", features=[CREATION], seconds=180)
def complete(host):
    containers = stage(host)
    # One on two networks, and one in whose namespace another set has a container.
    containers["c40"]["m"] = {"ipv4_address": "172.21.0.40"}
    host.write(document({"o": lan(subnet="172.22.0.0/16", gateway=None)},
                        {"twin": {"networks": ["o"], "netns": "c7"}}, name="other"), "other.yaml")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0", packets.ETH_P_ARP)
    sniffer.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)  # all are sent before it is read
    networks = {"n": lan(**NET), "m": lan(subnet="172.21.0.0/16", gateway=None)}
    text = document(networks, containers)
    host.run("strace", "-f", "-qq", "-o", "trace", "-s", "400", "-e", "trace=sendto", "-e", "signal=none", host.binary,
             "apply", "-f", host.write(text), "-f", "other.yaml", "-q", code=0, seconds=100, env={"ASAN_OPTIONS": "detect_leaks=0"})
    for number in range(COUNT):
        links = found(host, f"c{number}")
        same(links.pop("eth0"), expected(number)["eth0"], f"eth0 of c{number}")
        same(len(links), 1 if number in (7, 40) else 0, f"other links of c{number}")
        if number % 40 == 0:
            same(host.routes(f"c{number}") - {"172.21.0.0/16 dev eth1 scope link src 172.21.0.40"},
                 {"default via 172.20.0.1 dev eth0",
                  f"172.20.0.0/16 dev eth0 scope link src {address(number)}"}, f"routes of c{number}")
            host.unread(f"c{number}")
    if host.has(CREATION):
        threads = creators("trace")
        same(len(threads), 2, f"threads that create links: {threads}")
        assert min(threads.values()) > COUNT / 10, threads
    for number in range(COUNT):
        one = expected(number)["eth0"]
        assert sniffer.wait(lambda frame, one=one: packets.is_arp_announcement(frame, one[1], one[0])), one
    assert host.mvapply("diff", "-f", "network.yaml", "-f", "other.yaml").code == 0


@test("two threads: links that fail leave nothing, and the others are complete", features=[CREATION], seconds=180)
def failing(host):
    containers = stage(host)
    bad = range(20, COUNT, 50)
    for number in bad:  # the kernel accepts none above the link's own
        containers[f"c{number}"]["n"]["sysctls"] = {"net.ipv6.conf.IFNAME.mtu": "9000"}
    done = host.apply(document({"n": lan(**NET)}, containers), code=1)
    same(done.err.count("cannot set net.ipv6.conf.IFNAME.mtu of eth0"), len(bad), "errors")
    for number in range(COUNT):
        same(found(host, f"c{number}"), {} if number in bad else expected(number), f"links of c{number}")


@test("two threads: fewer links are created by one", features=[CREATION])
def fewer(host):
    host.netns(*(f"c{number}" for number in range(70)))
    text = document({"n": lan(**NET)}, {f"c{number}": ["n"] for number in range(70)})
    host.run("strace", "-f", "-qq", "-o", "trace", "-s", "400", "-e", "trace=sendto", host.binary, "apply", "-f",
             host.write(text), "-q", code=0, seconds=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    if host.has(CREATION):
        same(len(creators("trace")), 1, "threads that create links")
