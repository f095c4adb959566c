"""Probing the LAN before a new address is used: ARP probes and duplicate address detection."""
import contextlib
import re
import socket
import subprocess
import threading
import time

from declare import document, lan
from host import ETH0_MAC, UP0_MAC, same
from packets import ETH_P_ALL, Sniffer, mac_bytes, mac_text
from registry import test
from service import watching

DUAL = lan(probe=True, subnet=None, gateway=None,
           subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])


def probed(frame):
    """The address that a frame probes, or None."""
    packet = frame.payload
    if frame.protocol == 0x0806 and packet[6:8] == b"\0\1" and packet[14:18] == bytes(4):
        same(mac_text(packet[8:14]), frame.source, "the sender of an ARP probe")
        return socket.inet_ntoa(packet[24:28])
    if frame.protocol == 0x86dd and packet[6] == 58 and packet[40] == 135 \
            and packet[8:24] == bytes(16):
        same(packet[7], 255, "its hop limit")
        return socket.inet_ntop(socket.AF_INET6, packet[48:64])
    return None


def received(sniffer, source):
    """The probes that have arrived from there, in their order."""
    before = -1
    while before < len(sniffer.frames):
        before = len(sniffer.frames)
        sniffer.wait(lambda frame: False, 0.3)
    return [probed(frame) for frame in sniffer.frames
            if frame.source == source and probed(frame)]


def listen(host):
    with host.inside("lan"):
        return Sniffer("up0")


def in_use(host, *addresses):
    host.batch("lan", [f"address add {address} dev up0{' nodad' if ':' in address else ''}"
                       for address in addresses])


def unused(host, address):
    host.ip("lan", f"address del {address} dev up0")


@test("probe: an address in use is named with its MAC; the others are done", both=True)
def conflict(host):
    host.netns("web", "db", "six")
    in_use(host, "172.16.86.20/24", "fd00:86::66/64")
    sniffer = listen(host)
    text = document({"n": DUAL}, {
        "web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}},
        "six": {"n": {"ipv4_address": "172.16.86.6", "ipv6_address": "fd00:86::66"}}})
    before = host.snapshot("db", "six")
    done = host.apply(text, code=1, seconds=60)
    for what in ("db/n: address 172.16.86.20", "six/n: address fd00:86::66"):
        assert f"attach {what} is already in use by {UP0_MAC} on eth0 [MV0907]" in done.err, done
    same(done.lines[-1], "Done: 1 created. Failed: 2.", "the count")
    same({tuple(line.split()[:3] + line.split()[-1:]) for line in done.lines
          if line.startswith("!") or re.match(r"\+ attach (db|six)/", line)},
         {("!", "failed", "db/n", "[MV0907]"), ("!", "failed", "six/n", "[MV0907]")}, "the signs")
    same(host.snapshot("db", "six"), before, "the attachments that stay away")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24", "fd00:86::2/64"}, "web's addresses")
    # RFC 5227: three times, unless answered; RFC 4862: once. All of them concurrently.
    asked = received(sniffer, ETH0_MAC)
    same({ip: asked.count(ip) for ip in ("172.16.86.2", "172.16.86.6", "fd00:86::2")},
         {"172.16.86.2": 3, "172.16.86.6": 3, "fd00:86::2": 1}, "probes of web and six")
    same((asked.count("172.16.86.20"), asked.count("fd00:86::66")), (1, 1), "of those in use")
    first = {ip: asked.index(ip) for ip in asked}
    last = len(asked) - 1 - asked[::-1].index("172.16.86.2")
    assert all(at < last for at in first.values()), f"one after the other: {asked}"
    # An applied configuration is not probed again.
    unused(host, "172.16.86.20/24")
    unused(host, "fd00:86::66/64")
    host.apply(text, seconds=60)
    host.unchanged(text)


@test("probe: --probe probes for networks without the key; without it no address is probed")
def flag(host):
    host.netns("web", "db")
    in_use(host, "172.16.86.2/24")
    sniffer = listen(host)
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    same(received(sniffer, ETH0_MAC), [], "probes without --probe")
    host.delete(text)
    host.diff(text, "--out", "plan.json")
    for argv in (("apply", "-f", "network.yaml", "--probe"), ("apply", "plan.json", "--probe")):
        done = host.mvapply(*argv, code=1, seconds=60)
        assert f"172.16.86.2 is already in use by {UP0_MAC} on eth0" in done.err, done
        same(host.names("web"), set(), "links")
    received(sniffer, ETH0_MAC)
    sniffer.frames.clear()
    same(host.mvapply("diff", "-f", "network.yaml", code=2).plan,
         ["+ attach web/n eth0 172.16.86.2/24 02:42:ac:10:56:02 default via 172.16.86.1"], "diff")
    same(received(sniffer, ETH0_MAC), [], "probes of a diff")


@test("probe: a link is not changed if its new address is in use")
def change(host):
    host.netns("web")
    network = {"n": lan(probe=True)}
    old = document(network, {"web": {"n": {"ipv4_address": "172.16.86.8"}}})
    host.apply(old, seconds=60)
    before = host.snapshot("web", final_state=True)
    in_use(host, "172.16.86.9/24")
    done = host.apply(document(network, {"web": {"n": {"ipv4_address": "172.16.86.9"}}}), code=1,
                      seconds=60)
    assert f"172.16.86.9 is already in use by {UP0_MAC}" in done.err, done
    same(host.snapshot("web"), before, "web")
    # Replaced only because of its mode: it has its address already, and is not probed.
    sniffer = listen(host)
    host.apply(document({"n": lan(probe=True, mode="passthru")},
                        {"web": {"n": {"ipv4_address": "172.16.86.8"}}}))
    same(host.addresses("web", "eth0"), {"172.16.86.8/24"}, "web's address")
    # The kernel sends solicitations for the parent's own.
    asked = [address for address in received(sniffer, ETH0_MAC) if not address.startswith("fe80:")]
    same(asked, [], "probes for an address that it had")


@test("probe: links that swap their addresses are no conflict")
def swap(host):
    host.netns("web", "db")
    network = {"n": lan(probe=True)}

    def addresses(web, db):
        return document(network, {"web": {"n": {"ipv4_address": web}},
                                  "db": {"n": {"ipv4_address": db}}})
    host.apply(addresses("172.16.86.8", "172.16.86.9"), seconds=60)
    host.apply(addresses("172.16.86.9", "172.16.86.8"), seconds=60)
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0")),
         ({"172.16.86.9/24"}, {"172.16.86.8/24"}), "addresses")


@contextlib.contextmanager
def reflecting(host):
    """All frames to the LAN are sent back, as by a switch port for VEPA."""
    with host.inside("lan"):
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        port.bind(("up0", ETH_P_ALL))
    port.settimeout(0.1)
    over = threading.Event()

    def reflect():
        while not over.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                frame, address = port.recvfrom(65536)
                if address[2] != socket.PACKET_OUTGOING:
                    port.send(frame)
    thread = threading.Thread(target=reflect)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        port.close()


@test("probe: mvapply's own frames that a switch reflects are no conflict")
def reflected(host):
    host.netns("web", "db")

    def addresses(web, db):
        return document({"n": lan(probe=True)}, {"web": {"n": {"ipv4_address": web}},
                                                 "db": {"n": {"ipv4_address": db}}})
    with reflecting(host):
        host.apply(addresses("172.16.86.8", "172.16.86.9"), seconds=60)
        host.apply(addresses("172.16.86.9", "172.16.86.8"), seconds=60)
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0")),
         ({"172.16.86.9/24"}, {"172.16.86.8/24"}), "addresses")


@test("probe: an answer to the last request alone, a second after the first, is received")
def late(host):
    host.netns("web")
    sniffer, mac = listen(host), "02:00:00:00:00:77"
    reply = mac_bytes("ff:ff:ff:ff:ff:ff") + mac_bytes(mac) + b"\x08\x06" + \
        b"\0\1\x08\0\6\4\0\2" + mac_bytes(mac) + socket.inet_aton("172.16.86.2") + \
        mac_bytes(ETH0_MAC) + bytes(4)

    def answer():
        count = 0
        while count < 3 and sniffer.wait(lambda frame: False, 0.05) is None:
            count = sum(probed(frame) == "172.16.86.2" for frame in sniffer.frames)
        time.sleep(1)
        sniffer.socket.send(reply)
    thread = threading.Thread(target=answer)
    thread.start()
    done = host.apply(document({"n": lan(probe=True)}, {"web": ["n"]}), code=1, seconds=60)
    thread.join()
    assert f"address 172.16.86.2 is already in use by {mac} on eth0" in done.err, done
    same(host.names("web"), set(), "web's links")


@test("probe: without a carrier no address is probed, and none is used", both=True)
def no_carrier(host):
    host.netns("web")
    in_use(host, "172.16.86.2/24")
    host.ip("lan", "link set up0 down")
    host.until(lambda: "LOWER_UP" not in host.link("host", "eth0")["flags"], "no carrier")
    path = host.write(document({"n": lan(probe=True)}, {"web": ["n"]}))
    done = host.mvapply("apply", "-f", path, code=1)
    assert "cannot probe eth0 for address 172.16.86.2: no carrier" in done.err, done
    same(host.names("web"), set(), "web's links")
    with watching(host, "-f", path) as running:
        running.until_says("172.16.86.2: no carrier")
        host.ip("lan", "link set up0 up")
        running.until_says(f"172.16.86.2 is already in use by {UP0_MAC} on eth0", 40)
        unused(host, "172.16.86.2/24")
        running.until(lambda: host.names("web"), "attached", 60)


@test("probe: the carrier is lost during the probe")
def carrier_lost(host):
    host.netns("web")
    path, sniffer = host.write(document({"n": lan(probe=True)}, {"web": ["n"]})), listen(host)
    with subprocess.Popen([host.binary, "apply", "-f", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as child:
        assert sniffer.wait(lambda frame: probed(frame) == "172.16.86.2", 10), "it does not ask"
        host.ip("lan", "link set up0 down")
        same(child.wait(20 * host.patience), 1, "exit code")
        said = child.stderr.read().decode()
    assert "for address 172.16.86.2: no carrier" in said, said
    same(host.names("web"), set(), "web's links")


@test("probe: on a VLAN that is created for it", needs=["vlan"])
def vlan(host):
    host.netns("web", "db")
    host.lan("172.16.86.1/24", "172.16.86.20/24", vlan=10)
    text = document({"n": lan(vlan=10, probe=True)},
                    {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}}})
    done = host.apply(text, code=1, seconds=60)
    assert f"172.16.86.20 is already in use by {UP0_MAC} on eth0.10" in done.err, done
    same(done.lines[-1], "Done: 2 created. Failed: 1.", "the count")
    same(host.names("db"), set(), "db's links")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "web's address")


@test("probe: ipvlan", needs=["ipvlan"])
def ipvlan(host):
    host.netns("web", "db")
    in_use(host, "172.16.86.20/24")
    text = document({"n": lan(driver="ipvlan", probe=True)},
                    {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}}})
    done = host.apply(text, code=1, seconds=60)
    assert f"172.16.86.20 is already in use by {UP0_MAC} on eth0" in done.err, done
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "web's address")


@test("probe: with --confirm the changes are rolled back")
def confirmed(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    in_use(host, "172.16.86.20/24")
    text = document({"n": lan(probe=True)},
                    {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}}})
    host.apply(text, "--confirm=1", code=5, seconds=60)
    unused(host, "172.16.86.20/24")
    same(host.snapshot(final_state=True), before, "after it went back")


@test("probe: the service does the rest meanwhile, and retries until the address is free")
def service(host):
    host.netns("web", "db")
    in_use(host, "172.16.86.2/24")
    text = document({"n": lan(probe=True), "m": lan(subnet="10.8.0.0/16", gateway=None)},
                    {"web": ["n"], "db": ["m"]})
    with watching(host, "-f", host.write(text)) as running:
        running.until(lambda: "eth0" in host.names("db"), "the rest is done")
        running.until_says(f"172.16.86.2 is already in use by {UP0_MAC} on eth0", 40)
        same(host.names("web"), set(), "web's links")
        unused(host, "172.16.86.2/24")
        running.until(lambda: "eth0" in host.names("web") and host.addresses("web", "eth0") ==
                      {"172.16.86.2/24"}, "attached", 60)
        # A deleted address is probed again, too.
        host.ip("web", "address flush dev eth0")
        in_use(host, "172.16.86.2/24")
        running.news()
        running.until_says("172.16.86.2 is already in use", 40)
        same(host.addresses("web", "eth0"), set(), "addresses")
        running.send(15)
        same(running.process.wait(10 * host.patience), 0, "its end, while it asks or not")
