"""A long life: a service with many attachments, a hundred random faults a second from outside and a few of
the kernel's own. In the end everything is as the file says, and the service holds no more than at
first. SOAK_SECONDS and SOAK_LINKS say how long and how many; `make soak` takes an hour and a
thousand."""
import os
import random
import signal
import socket
import statistics
import struct
import time

from declare import document, lan
from faults import preload
from host import same
from registry import test
from service import watching
from test_watch_random import ROOM_KB, held

SECONDS = int(os.environ.get("SOAK_SECONDS", "4"))
LINKS = int(os.environ.get("SOAK_LINKS", "40"))
RATE = 100  # faults a second
PARTS = 10 if SECONDS >= 60 else 2  # how often it is idle and is measured
NAMES = [f"c{number}" for number in range(LINKS)]

NEW_LINK, DELETE_LINK, DELETE_ADDRESS = 16, 17, 21
REQUEST, ACK = 1, 4
MAC, MTU = 1, 4  # attributes of links
LOCAL = 2        # and of addresses


def address(name):
    number = int(name[1:]) + 2
    return f"10.9.{number // 250}.{number % 250 + 1}"


def text():
    return document({"n": {"parent": "eth0", "subnet": "10.9.0.0/16"}},
                    {name: {"n": {"ipv4_address": address(name), "interface_name": "eth0"}}
                     for name in NAMES})


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


class Faults:
    """By netlink from here: a process for each would cost more than the service."""
    def __init__(self, host, seed):
        self.host, self.random, self.counts = host, random.Random(seed), {}

    def one(self):
        operations = [(self.deleted, 20), (self.mtu, 20), (self.mac, 15), (self.down, 15),
                 (self.no_address, 20), (self.restarted, 1)]
        operation = self.random.choices(*zip(*operations))[0]
        self.counts[operation.__name__] = self.counts.get(operation.__name__, 0) + 1
        operation(self.random.choice(NAMES))

    def send(self, name, kind, body):
        """`body` makes the message for the link's index; the link may be missing."""
        with self.host.inside(name):
            try:
                index = socket.if_nametoindex("eth0")
            except OSError:
                return
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
                message = body(index)
                netlink.send(struct.pack("=IHHII", 16 + len(message), kind, REQUEST | ACK, 1, 0)
                             + message)
                netlink.recv(4096)

    def link(self, name, kind, flags=0, mask=0, attributes=b""):
        self.send(name, kind, lambda index: struct.pack("=BBHiII", 0, 0, 0, index, flags, mask)
                  + attributes)

    def deleted(self, name):
        self.link(name, DELETE_LINK)

    def mtu(self, name):
        self.link(name, NEW_LINK,
                  attributes=attribute(MTU, struct.pack("=I", self.random.randint(1280, 1499))))

    def mac(self, name):
        self.link(name, NEW_LINK, attributes=attribute(
            MAC, b"\x02\xff" + self.random.randbytes(4)))

    def down(self, name):
        self.link(name, NEW_LINK, mask=1)

    def no_address(self, name):
        self.send(name, DELETE_ADDRESS, lambda index: struct.pack(
            "=BBBBi", socket.AF_INET, 16, 0, 0, index)
            + attribute(LOCAL, socket.inet_aton(address(name))))

    def restarted(self, name):
        self.host.remove_netns(name)
        self.host.netns(name)


def converged(service):
    service.drain()
    return bool(service.notes) and service.notes[-1].startswith(
        f"READY=1\nSTATUS=Converged, {LINKS} live, 0 pending, 0 to be retried")


def has_address(host, name):
    """Queried without a process, which takes longer than the repair."""
    with host.inside(name):
        with open("/proc/thread-self/net/fib_trie", encoding="ascii") as file:
            return f"|-- {address(name)}\n" in file.read()


def repair_times(host):
    """For a few addresses that are deleted, in milliseconds."""
    faults, times = Faults(host, 0), []
    for name in NAMES[:20]:
        start = time.monotonic()
        faults.no_address(name)
        while not has_address(host, name):
            assert time.monotonic() < start + 120, f"{name} is not repaired"
            time.sleep(0.001)
        times.append((time.monotonic() - start) * 1000)
    return statistics.median(times)


def rest(host, service):
    """Waits until everything is repaired, and measures. Repeated failures wait up to a minute."""
    service.send(signal.SIGHUP)
    service.until(lambda: converged(service), "converged", 300)
    service.quiet(1, limit=120)
    del service.notes[:-5]
    median = repair_times(host)
    service.quiet(1, limit=120)
    return (*held(service.pid), median)


@test(f"soak: {LINKS} attachments for {SECONDS} s", seconds=SECONDS * 2 + 300 + LINKS)
def soak(host):
    host.netns(*NAMES)
    env = preload(host, "random@1=1")
    with watching(host, "-f", host.write(text()), env=env, seconds=300) as service:
        faults, measured = Faults(host, 1), [rest(host, service)]
        for _ in range(PARTS):
            start = time.monotonic()
            for number in range(RATE * SECONDS // PARTS):
                faults.one()
                service.drain()
                if len(service.notes) > 1000:
                    del service.notes[:-5]
                time.sleep(max(0, start + number / RATE - time.monotonic()))
            measured.append(rest(host, service))
            print(f"{sum(faults.counts.values())} faults: descriptors, RssAnon in kB, median ms "
                  f"of a repair: {measured[-1]}", flush=True)
        print(f"{faults.counts}\nbefore {measured[0]}, after a tenth {measured[1]}")
        same({name: host.names(name) for name in NAMES[:20]},
             {name: {"eth0"} for name in NAMES[:20]}, "links")
        same(measured[-1][0], measured[0][0], "descriptors")
        # The heap reaches its size in the first tenth.
        with open(f"/proc/{service.pid}/maps", encoding="ascii") as file:
            sanitized = "libasan" in file.read()  # which keeps freed memory for a while
        assert sanitized or measured[-1][1] <= measured[1][1] + ROOM_KB + LINKS, \
            f"memory: {measured}"
    host.unchanged(text())
