"""Receives the kernel's events, in the namespace where it is created."""
import socket
import struct

# RTNLGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE, _IPV6_RULE
GROUPS = sum(1 << (group - 1) for group in (1, 5, 7, 8, 9, 11, 19))

NAMES = {16: "new link", 17: "deleted link", 20: "new address", 21: "deleted address",
         24: "new route", 25: "deleted route", 32: "new rule", 33: "deleted rule"}


class Events:
    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((0, GROUPS))
        self.socket.setblocking(False)

    def drain(self):
        """The events since the last call, as text; the kernel sends them before a change's own
        acknowledgement, so no wait is needed."""
        found = []
        while True:
            try:
                data = self.socket.recv(1 << 16)
            except BlockingIOError:
                return found
            while len(data) >= 16:
                size, kind = struct.unpack("=IH", data[:6])
                found += self._describe(kind, data[16:size])
                data = data[(size + 3) & ~3:]

    @staticmethod
    def _describe(kind, body):
        """As a list of one text, or of none for the kernel's own events: IPv6 link-local addresses
        that become usable, and notices of router solicitations."""
        if kind in (16, 17):
            family, _, _, index = struct.unpack("=BBHi", body[:8])
            return [] if family == socket.AF_INET6 else [f"{NAMES[kind]} {index}"]
        if kind in (20, 21):
            family, _, _, scope, index = struct.unpack("=BBBBI", body[:8])
            local = family == socket.AF_INET6 and scope == 253
            return [] if local else [f"{NAMES[kind]} on link {index}"]
        if kind in (24, 25):
            family, _, _, _, table = struct.unpack("=BBBBB", body[:5])
            destination = Events._attribute(body[12:], 1)
            if family == socket.AF_INET6 and destination[:1] in (b"\xfe", b"\xff"):
                return []
            return [f"{NAMES[kind]} {destination.hex()} in table {table}"]
        return [str(NAMES.get(kind, kind))]

    @staticmethod
    def _attribute(data, wanted):
        """The value of an attribute, or b""."""
        while len(data) >= 4:
            size, kind = struct.unpack("=HH", data[:4])
            if kind == wanted:
                return data[4:size]
            data = data[max(4, (size + 3) & ~3):]
        return b""
