"""Messages that a process in a container sends to others' netlink sockets there: to their ports,
which /proc/net/netlink lists, and to the groups of event listeners."""
import contextlib
import errno
import socket
import struct
import sys
import time

GROUPS = (1, 5, 7, 9, 11)  # RTNLGRP_LINK, those of addresses, of routes
LONG = 40000  # more than any reply of the kernel has
ERROR = 2


def ports():
    """The ports of NETLINK_ROUTE in the network namespace of this thread, except the kernel's."""
    with open("/proc/thread-self/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return [int(row[2]) for row in rows if row[1] == "0" and row[2] != "0"]


def datagrams():
    """One that is too long for any buffer, and refusals of the first requests of a socket."""
    yield b"\xff" * LONG
    for seq in range(1, 40):
        yield struct.pack("=IHHIIi16x", 36, ERROR, 0, seq, 0, -errno.EPERM)


def spoof(sender):
    """Sends to each port, and to the groups, until their sockets are full; returns how many were
    accepted."""
    mine, taken = sender.getsockname()[0], 0
    for address in [(port, 0) for port in ports() if port != mine] + \
            [(0, 1 << (group - 1)) for group in GROUPS]:
        for datagram in [*datagrams()] + [b"\xff" * LONG] * 8:
            try:
                sender.sendto(datagram, address)
            except OSError:
                break  # full, closed, or it accepts none
            taken += address[0] != 0
    return taken


def sender_open():
    sender = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
    sender.bind((0, 0))
    return sender


def spoof_once():
    with sender_open() as sender:
        return spoof(sender)


def broadcast_once():
    """To event listeners, in this namespace or from another."""
    with sender_open() as sender:
        for group in GROUPS:
            for datagram in datagrams():
                with contextlib.suppress(ConnectionRefusedError):  # there is no listener
                    sender.sendto(datagram, (0, 1 << (group - 1)))


if __name__ == "__main__":
    own = sender_open()
    print("ready", flush=True)
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        spoof(own)
