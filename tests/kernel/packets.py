"""A peer on the LAN: what it receives and sends."""
import collections
import os
import select
import socket
import struct
import time

ETH_P_ALL = 3
ETH_P_ARP = 0x0806
PACKET_AUXDATA = 8
SOL_PACKET = 263
TP_STATUS_VLAN_VALID = 0x10

Frame = collections.namedtuple("Frame", "destination source vlan protocol payload")


def mac_text(raw):
    return ":".join(f"{byte:02x}" for byte in raw)


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Sniffer:
    """Everything that arrives at a link, or only one protocol, with its VLAN tag. Created in the
    link's namespace."""

    def __init__(self, link, protocol=ETH_P_ALL):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(protocol))
        self.socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.socket.bind((link, protocol))
        self.frames = []

    def _receive(self):
        data, control, _, address = self.socket.recvmsg(65536, 256)
        if address[2] == socket.PACKET_OUTGOING:
            return
        vlan = None
        for level, kind, value in control:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, tag, tpid = struct.unpack("IIIHHHH", value[:20])
                if status & TP_STATUS_VLAN_VALID:
                    vlan = (tpid, tag & 0xfff)
        protocol, payload = struct.unpack("!H", data[12:14])[0], data[14:]
        if protocol in (0x8100, 0x88a8):
            vlan = (protocol, struct.unpack("!H", payload[:2])[0] & 0xfff)
            protocol, payload = struct.unpack("!H", payload[2:4])[0], payload[4:]
        self.frames.append(Frame(mac_text(data[0:6]), mac_text(data[6:12]), vlan, protocol,
                                 payload))

    def wait(self, matches, seconds=5):
        """The first frame for which matches(frame) is true, or None when the time is over."""
        end, seen = time.monotonic() + seconds, 0
        while True:
            for frame in self.frames[seen:]:
                seen += 1
                if matches(frame):
                    return frame
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return None
            self._receive()


def is_arp_announcement(frame, ip, mac):
    """A gratuitous ARP, as request or as reply."""
    if frame.protocol != 0x0806 or len(frame.payload) < 28:
        return False
    sender, source, target = (frame.payload[8:14], frame.payload[14:18], frame.payload[24:28])
    return (frame.destination == "ff:ff:ff:ff:ff:ff" and mac_text(sender) == mac
            and source == target == socket.inet_aton(ip))


def is_neighbour_advertisement(frame, ip):
    """An unsolicited one, to all nodes."""
    packet = frame.payload
    return (frame.protocol == 0x86dd and len(packet) >= 64 and packet[6] == 58
            and packet[40] == 136 and packet[48:64] == socket.inet_pton(socket.AF_INET6, ip)
            and packet[24:40] == socket.inet_pton(socket.AF_INET6, "ff02::1"))


def ping(address, seconds=3):
    """Whether the address answers an echo request that is sent from this namespace; repeats until
    the time is over."""
    six = ":" in address
    family = socket.AF_INET6 if six else socket.AF_INET
    protocol = socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP
    request, reply = (128, 129) if six else (8, 0)
    end = time.monotonic() + seconds
    with socket.socket(family, socket.SOCK_RAW, protocol) as raw:
        mine, number = os.getpid() & 0xffff, 0
        while time.monotonic() < end:
            number += 1
            body = struct.pack("!HH", mine, number) + b"mvapply tests"
            packet = struct.pack("!BBH", request, 0, 0) + body
            if not six:
                packet = struct.pack("!BBH", request, 0, checksum(packet)) + body
            try:
                raw.sendto(packet, (address, 0))
            except OSError:
                time.sleep(0.05)  # no route, or an address not usable yet
                continue
            again = time.monotonic() + 0.5
            while select.select([raw], [], [], max(0, again - time.monotonic()))[0]:
                data, source = raw.recvfrom(65536)
                if not six:
                    data = data[(data[0] & 15) * 4:]
                if source[0] == address and data[0] == reply and data[4:6] == body[0:2]:
                    return True
    return False


def router_advertisement(link, source_mac, prefix):
    """Sends one that offers a prefix for autoconfiguration and a default route."""
    source = socket.inet_pton(socket.AF_INET6, "fe80::1")
    target = socket.inet_pton(socket.AF_INET6, "ff02::1")
    option = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 86400, 86400, 0,
                         socket.inet_pton(socket.AF_INET6, prefix))
    option += struct.pack("!BB6s", 1, 1, mac_bytes(source_mac))
    message = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option
    pseudo = source + target + struct.pack("!II", len(message), 58)
    message = message[:2] + struct.pack("!H", checksum(pseudo + message)) + message[4:]
    packet = struct.pack("!IHBB", 6 << 28, len(message), 58, 255) + source + target + message
    frame = mac_bytes("33:33:00:00:00:01") + mac_bytes(source_mac) + b"\x86\xdd" + packet
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((link, 0))
        raw.send(frame)
