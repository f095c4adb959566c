"""Shared by the benches of apply, delete and observation: a host with attachments to create,
programs that run there and are timed, and checks of the result."""
import collections
import os
import socket
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../kernel"))

import linux  # noqa: E402
import run  # noqa: E402
from declare import document, lan  # noqa: E402
from host import ETH0_MAC, UP0_MAC, WORK, Host, same  # noqa: E402

GATEWAY = "10.86.0.1"
NET = {"subnet": "10.86.0.0/16", "gateway": GATEWAY}
LOOKED_AT = 12  # number of namespaces that are checked completely; of the others only the names of links


def address(number, subnet=86):
    return f"10.{subnet}.{number // 200 + 1}.{number % 200 + 1}"


def mac(number):
    return f"02:42:0a:56:{number // 200 + 1:02x}:{number % 200 + 1:02x}"


# Milliseconds from start to end, milliseconds of processor time, peak memory in KiB.
Spent = collections.namedtuple("Spent", "wall cpu kib")


def entered(function):
    """Runs it in namespaces of its own; returns the exit code."""
    def first():
        run.enter_namespaces(linux.CLONE_NEWPID)
        return run.with_own_proc(function)()
    return run.in_child(first)


class Stage:
    """A host with the namespaces c0, c1 and so on, and a network that is declared for them."""

    def __init__(self, options, size, vlans=0):
        self.options, self.size, self.vlans = options, size, vlans
        self.host = Host(options.binary)
        self.host.netns(*(f"c{number}" for number in range(size)))
        self.file = self.declare("network.yaml", size)

    def parent(self, number):
        return f"eth0.{number % self.vlans + 1}" if self.vlans else "eth0"

    def network(self, number):
        return f"n{number % self.vlans + 1}" if self.vlans else "n0"

    def write(self, name, text):
        os.makedirs(os.path.dirname(f"{WORK}/{name}"), exist_ok=True)
        self.host.write(text, name)
        return f"{WORK}/{name}"

    def declare(self, name, count, address=address, **changed):
        """A file with the first `count` attachments, by their addresses; returns its path."""
        networks = {self.network(number): lan(**{**NET, **changed}, parent=self.parent(number))
                    for number in range(self.vlans or 1)}
        containers = {f"c{number}": {self.network(number): {"ipv4_address": address(number)}}
                      for number in range(count)}
        return self.write(name, document(networks, containers))

    def reset(self):
        """Deletes everything with the parent, and creates a new parent."""
        self.host.batch("host", [
            "link delete eth0",
            f"link add eth0 address {ETH0_MAC} type veth peer name up0 address {UP0_MAC}",
            "link set up0 netns /run/lan", "link set eth0 up"])
        self.host.lan("172.16.86.1/24")

    # --- programs

    def spent(self, *argv, rounds=1, code=0):
        """[Spent, ...] of that many runs in sequence."""
        done = self.host.run(self.options.spent, str(rounds), *argv, code=0, seconds=3600)
        runs = [line.split() for line in done.out.splitlines()]
        if not runs or any(int(found) != code for *_, found in runs):
            raise AssertionError(f"{argv}: {done}")
        return [Spent(float(wall) / 1000, float(cpu) / 1000, int(kib)) for wall, cpu, kib, _ in runs]

    def mvapply(self, *argv, **options):
        return self.spent(self.options.binary, *argv, **options)

    def floor(self, what, first=0, end=None, threads=1):
        return self.spent(self.options.floor, what, str(first),
                          str(self.size if end is None else end), str(self.vlans), str(threads))

    # --- checks

    def macvlan(self, number):
        """The attachment's link as `ip` reports it."""
        return {"kind": "macvlan", "data": "bridge", "mac": mac(number),
                "parent": self.host.link("host", self.parent(number))["ifindex"]}

    def vlan(self, number):
        """The same for a VLAN link of its own, as CNI's vlan plugin creates it."""
        return {"kind": "vlan", "data": number + 1, "mac": ETH0_MAC,
                "parent": self.host.link("host", "eth0")["ifindex"]}

    def check(self, count, marked, link=macvlan):
        """Asserts that the first `count` attachments exist and no others. `marked`: as mvapply
        creates them."""
        for number in range(self.size):
            with self.host.inside(f"c{number}"):
                names = {name for _, name in socket.if_nameindex()}
            same(names, {"lo", "eth0"} if number < count else {"lo"}, f"links of c{number}")
        for number in range(0, count, max(1, count // LOOKED_AT)):
            self._check_one(number, marked, link(self, number))
            self.host.unread(f"c{number}")

    def _check_one(self, number, marked, expected):
        ns, host = f"c{number}", self.host
        link = host.link(ns, "eth0")
        data = link["linkinfo"]["info_data"]
        reported = {"kind": link["linkinfo"]["info_kind"], "up": "UP" in link["flags"],
                "data": data.get("mode", data.get("id")), "mac": link["address"],
                "mtu": link["mtu"], "parent": link["link_index"],
                "addresses": host.addresses(ns, "eth0"), "routes": host.routes(ns)}
        expected |= {"up": True, "mtu": 1500, "addresses": {f"{address(number)}/16"},
                     "routes": {f"default via {GATEWAY} dev eth0",
                                f"10.86.0.0/16 dev eth0 scope link src {address(number)}"}}
        if marked:
            reported |= {"alias": link.get("ifalias"), "protocols": set(host.route_protocols(ns).values()),
                     "accept_ra": host.sysctl(ns, "net/ipv6/conf/eth0/accept_ra")}
            expected |= {"alias": f"mvapply:attach:default/{self.network(number)}/{ns}",
                         "protocols": {"77", "kernel"}, "accept_ra": "0"}
        same(reported, expected, f"eth0 of {ns}")
