"""Closing a packet socket waits for a grace period of the kernel: nobody waits for mvapply because of it."""
import re

from declare import document, lan
from docker_plugin import children
from host import same
from registry import test
from service import watching

V6 = {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}
MANY = [f"m{number}" for number in range(65)]  # more than announce themselves
CALLS = "socket,close,close_range,prctl,exit_group,dup2"


class Processes:
    """What a traced run and its children did."""

    def __init__(self, path):
        with open(path, encoding="utf-8", errors="replace") as file:
            self.lines = [line.rstrip("\n").split(maxsplit=1) for line in file]
        self.first = self.lines[0][0]

    def of(self, pid):
        return [text for number, text in self.lines if number == pid]

    def packet_sockets(self):
        return [int(found[1]) for text in self.of(self.first)
                if (found := re.match(r"socket\(AF_PACKET.* = (\d+)$", text))]

    def closers(self):
        return [number for number, text in self.lines if 'PR_SET_NAME, "mvapply-close"' in text]

    def kept(self, pid, most=4096):
        """The descriptors that a process has left open."""
        left = set(range(most))
        for text in self.of(pid):
            if found := re.match(r"close_range\((\d+), (\d+)", text):
                left -= set(range(int(found[1]), min(int(found[2]) + 1, most)))
        return sorted(left)

    def number(self, pid, text):
        return next(number for number, line in enumerate(self.lines) if line[0] == pid and text in line[1])


def closed_by_another(host, what, sockets, *argv):
    """Checks who closes the packet sockets of a run: a process that ends after it, and has nothing else open."""
    host.run("strace", "-f", "-q", "-o", "trace", "-e", f"trace={CALLS}", "-e", "signal=kill", host.binary, *argv,
             "-q", code=0, seconds=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    seen = Processes("trace")
    used = seen.packet_sockets()
    same(len(used), sockets, f"{what}: packet sockets")
    closers = seen.closers()
    same(len(closers), 1 if sockets else 0, f"{what}: closing processes")
    for closer in closers:
        same(seen.kept(closer), sorted(set(used)), f"{what}: its descriptors")
        same(seen.of(closer)[-1], "+++ killed by SIGKILL +++", f"{what}: its end")
        assert seen.number(seen.first, "+++ exited") < seen.number(closer, "killed"), (what, seen.lines[-20:])


@test("packet sockets: another process closes those of a command, after its end")
def commands(host):
    host.netns("one", "two", *MANY)

    def apply(what, sockets, networks, containers):
        closed_by_another(host, what, sockets, "apply", "-f", host.write(document(networks, containers)))
    apply("IPv4 alone", 0, {"n": lan()}, {"one": ["n"]})
    apply("a link with IPv6", 1, {"n": lan(), "s": V6 | {"parent": "eth0"}}, {"one": ["n", "s"]})
    apply("two more", 2, {"n": lan(), "s": V6 | {"parent": "eth0"}, "t": {"subnet": "fd00:87::/64", "parent": "eth0"}},
          {"one": ["n", "s", "t"], "two": ["s"]})
    apply("another address", 1, {"s": V6 | {"parent": "eth0"}}, {"one": {"s": {"ipv6_address": "fd00:86::99"}}})
    apply("many links", 1, {"n": lan()}, {name: ["n"] for name in ("one", *MANY)})
    apply("another subnet for many", 1, {"n": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")},
          {name: {"n": {"mac_address": f"02:42:ac:10:56:{2 + number:02x}"}} for number, name in enumerate(("one", *MANY))})
    closed_by_another(host, "a delete", 0, "delete", "-f", "network.yaml")


@test("packet sockets: a service closes its own in a thread")
def service(host):
    host.netns("one")
    with watching(host, "-f", host.write(document({"s": V6 | {"parent": "eth0"}}, {"one": ["s"]}))) as watch:
        before = children(watch.pid)
        for _ in range(3):
            host.ip("one", "address delete fd00:86::2/64 dev eth0")
            watch.until(lambda: "fd00:86::2/64" in host.addresses("one", "eth0"), "the address is back")
        watch.quiet()
        same(children(watch.pid), before, "its child processes")
