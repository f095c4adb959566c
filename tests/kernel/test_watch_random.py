"""Random events, from a seed: in the end the host is exactly as the file declares, and `mvapply watch` has
leaked nothing. WATCH_EVENTS and WATCH_SEED set how many, and which."""
import os
import random
import re
import signal
import time

from declare import document, lan
from faults import STRIDE
from host import WORK, same
from registry import test
from service import watching

EVENTS = int(os.environ.get("WATCH_EVENTS", 1000 // STRIDE))
SEED = int(os.environ.get("WATCH_SEED", "1"))
NAMES = [f"c{number}" for number in range(12)]
ROOM_KB = 256  # tolerance for anonymous memory: the allocator's


def address(name):
    return f"172.16.86.{10 + int(name[1:])}"


def mac(name):
    return f"02:42:ac:10:56:{10 + int(name[1:]):02x}"


def text(names, mtu):
    return document({"n": lan(mtu=mtu, host={"ipv4_address": "172.16.86.250",
                                             "interface_name": "lan0"})},
                    {name: {"n": {"ipv4_address": address(name), "interface_name": "eth0"}}
                     for name in names})


class Chaos:
    def __init__(self, host, service, seed):
        self.host, self.service, self.random = host, service, random.Random(seed)
        self.counts = {}
        self.operations = [(operation, weight) for operation, weight in (
            (self.edit, 12), (self.edit_in_place, 6), (self.edit_wrong, 3), (self.link_deleted, 15),
            (self.address_deleted, 12), (self.route_deleted, 12), (self.mtu_changed, 12),
            (self.mac_changed, 8), (self.set_down, 8), (self.restarted, 12), (self.gone, 4),
            (self.host_link, 4), (self.parent_flaps, 2), (self.parent_recreated, 0.5),
            (self.hangup, 2), (self.rest, 2))]

    def one(self):
        operation = self.random.choices(*zip(*self.operations))[0]
        self.counts[operation.__name__] = self.counts.get(operation.__name__, 0) + 1
        operation()

    # --- the file

    def anything(self):
        names = self.random.sample(NAMES, self.random.randint(1, len(NAMES)))
        return text(sorted(names), self.random.choice([None, 1300, 1400, 1500]))

    def edit(self):
        self.host.write(self.anything(), "new")
        os.rename(f"{WORK}/new", f"{WORK}/network.yaml")

    def edit_in_place(self):
        self.host.write(self.anything())

    def edit_wrong(self):
        whole = self.anything()
        self.host.write(whole[:self.random.randint(0, len(whole))])

    # --- the live state, which may be empty

    def ip(self, command, ns=None):
        self.host.run("ip", *command.split(), ns=ns or self.other_program())

    def other_program(self):
        return self.random.choice([name for name in NAMES if name in self.host.spaces] or ["lan"])

    def link_deleted(self):
        self.ip("link del eth0")

    def address_deleted(self):
        self.ip("address flush dev eth0")

    def route_deleted(self):
        self.ip("route del default")

    def mtu_changed(self):
        self.ip(f"link set eth0 mtu {self.random.randint(1280, 1500)}")

    def mac_changed(self):
        self.ip(f"link set eth0 address 02:00:00:00:01:{self.random.randint(0, 255):02x}")

    def set_down(self):
        self.ip("link set eth0 down")

    def host_link(self):
        self.ip(self.random.choice(["link del lan0", "link set lan0 down",
                                    "address flush dev lan0"]), ns="host")

    # --- namespaces

    def restarted(self):
        name = self.random.choice(NAMES)
        if name in self.host.spaces:
            self.host.remove_netns(name)
        self.host.netns(name)

    def gone(self):
        name = self.random.choice(NAMES)
        if name in self.host.spaces:
            self.host.remove_netns(name)

    # --- the parent

    def parent_flaps(self):
        self.ip("link set eth0 down", ns="host")
        time.sleep(self.random.random() * 0.02)
        self.ip("link set eth0 up", ns="host")

    def parent_recreated(self):
        self.ip("link del eth0", ns="host")
        time.sleep(self.random.random() * 0.05)
        self.host.batch("host", ["link add eth0 address 02:00:00:00:00:e0 type veth peer name up0",
                                 "link set up0 netns /run/lan", "link set eth0 up"])
        self.host.lan("172.16.86.1/24")

    # --- the service

    def hangup(self):
        self.service.send(signal.SIGHUP)

    def rest(self):
        time.sleep(self.random.random() * 0.2)

    # --- the end

    def calm(self):
        """Everything exists, and the file is valid."""
        for name in NAMES:
            if name not in self.host.spaces:
                self.host.netns(name)
        self.host.write(text(NAMES, 1400))
        self.service.send(signal.SIGHUP)  # failures are retried immediately
        self.service.until(self.converged, "converged", 60)
        self.service.quiet(1)

    def converged(self):
        self.service.drain()
        return bool(self.service.notes) and self.service.notes[-1].startswith(
            f"READY=1\nSTATUS=Converged, {len(NAMES)} live, 0 pending, 0 to be retried")

    def holds(self):
        for name in NAMES:
            link = self.host.link(name, "eth0")
            same(self.host.names(name), {"eth0"}, f"links of {name}")
            same((link["mtu"], link["address"], self.host.addresses(name, "eth0")),
                 (1400, mac(name), {f"{address(name)}/24"}), name)
            same(self.host.routes(name), {
                "default via 172.16.86.1 dev eth0",
                f"172.16.86.0/24 dev eth0 scope link src {address(name)}"}, f"routes of {name}")
        same(self.host.names("host"), {"eth0", "lan0"}, "links of the host")
        same(self.host.routes("host"), {
            f"{address(name)} dev lan0 scope link src 172.16.86.250" for name in NAMES},
            "routes of the host")


def held(pid):
    """Its number of descriptors, and its anonymous memory (in kB)."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        memory = int(re.search(r"RssAnon:\s+(\d+)", file.read())[1])
    return len(os.listdir(f"/proc/{pid}/fd")), memory


@test(f"watch random: {EVENTS} events")
def random_events(host):
    host.netns(*NAMES)
    with watching(host, "-f", host.write(text(NAMES, None)), "--max-delete=100%") as service:
        chaos = Chaos(host, service, SEED)
        warm = min(EVENTS // 2, 2500)  # until the allocator's heap has reached its size
        for _ in range(warm):
            chaos.one()
        chaos.calm()
        chaos.holds()
        before = held(service.pid)
        start = time.monotonic()
        for _ in range(EVENTS - warm):
            chaos.one()
            if len(service.notes) > 1000:
                del service.notes[:-10]
            service.drain()
        spent = time.monotonic() - start
        chaos.calm()
        chaos.holds()
        host.unchanged(text(NAMES, 1400))
        after = held(service.pid)
        print(f"seed {SEED}: {chaos.counts}\n{spent:.1f} s; descriptors and RssAnon in kB: "
              f"{before} before, {after} after")
        same(after[0], before[0], "descriptors")
        with open(f"/proc/{service.pid}/maps", encoding="ascii") as file:
            sanitized = "libasan" in file.read()  # which keeps freed memory for a while
        assert sanitized or after[1] <= before[1] + ROOM_KB, f"memory: {before} to {after} kB"
