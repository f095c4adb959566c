"""Closing a packet socket waits for a grace period of the kernel: nobody waits for mvapply because of it."""
import re
import subprocess
import time

from declare import document, lan
from docker_plugin import children
from host import same
from registry import test
from service import watching

V6 = {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}
MANY = [f"m{number}" for number in range(65)]  # more than announce themselves
MOST = 16  # for one process
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
        return sum(text.startswith("socket(AF_PACKET") for text in self.of(self.first))

    def closers(self):
        return [number for number, text in self.lines if 'PR_SET_NAME, "mvapply-close"' in text]

    def kept(self, pid, most=4096):
        """The descriptors that a process has left open."""
        left = set(range(most))
        for text in self.of(pid):
            if found := re.match(r"close_range\((\d+), (\d+)", text):
                left -= set(range(int(found[1]), min(int(found[2]) + 1, most)))
        return sorted(left)


def closed_by_another(host, what, sockets, *argv):
    """Checks who closes the packet sockets of a run: a process that has nothing else open but a pipe."""
    host.run("strace", "-f", "-q", "-o", "trace", "-e", f"trace={CALLS}", "-e", "signal=none", host.binary, *argv,
             "-q", code=0, seconds=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    seen = Processes("trace")
    same(seen.packet_sockets(), sockets, f"{what}: packet sockets")
    closers = seen.closers()
    same(len(closers), -(-sockets // MOST), f"{what}: closing processes")
    kept = [seen.kept(closer) for closer in closers]
    # Each has a pipe besides.
    same(sum(len(descriptors) - 1 for descriptors in kept), sockets, f"{what}: their descriptors, {kept}")
    assert max(map(len, kept), default=0) <= MOST + 1, (what, kept)
    for closer in closers:
        same(seen.of(closer)[-1], "+++ exited with 0 +++", f"{what}: its end")


@test("packet sockets: another process closes those of a command")
def commands(host):
    host.netns("one", "two", *MANY)

    def apply(what, sockets, networks, containers):
        closed_by_another(host, what, sockets, "apply", "--max-delete=100", "-f",
                          host.write(document(networks, containers)))
    apply("IPv4 alone", 0, {"n": lan()}, {"one": ["n"]})
    apply("a link with IPv6", 1, {"n": lan(), "s": V6 | {"parent": "eth0"}}, {"one": ["n", "s"]})
    apply("two more", 2, {"n": lan(), "s": V6 | {"parent": "eth0"}, "t": {"subnet": "fd00:87::/64", "parent": "eth0"}},
          {"one": ["n", "s", "t"], "two": ["s"]})
    apply("another address", 1, {"s": V6 | {"parent": "eth0"}}, {"one": {"s": {"ipv6_address": "fd00:86::99"}}})
    apply("forty links with IPv6", 40, {"s": V6 | {"parent": "eth0"}}, {name: ["s"] for name in ("one", *MANY[:40])})
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


@test("packet sockets: a command that goes on keeps no namespace of a container")
def waits(host):
    host.netns("one")
    path = host.write(document({"s": V6 | {"parent": "eth0"}}, {"one": ["s"], "job": ["s"]}))
    with host.inside("host"), subprocess.Popen([host.binary, "apply", "-q", "--wait=60", "-f", path],
                                               stderr=subprocess.DEVNULL) as command:
        try:
            host.until(lambda: host.has_link("one", "eth0"), "the link is there")
            mac = host.link("one", "eth0")["address"]
            time.sleep(0.5)  # it is announced, and the command waits
            host.remove_netns("one")
            host.ip("host", f"link add link eth0 name other address {mac} type macvlan mode bridge")
            # The kernel checks that no other has its MAC address.
            host.until(lambda: host.run("ip", "link", "set", "other", "up").code == 0, "the link is gone with its namespace")
            same(command.poll(), None, "the command's end")
        finally:
            command.kill()


@test("packet sockets: a process that cannot close its other descriptors keeps none")
def denied(host):
    host.netns("one")
    path = host.write(document({"s": V6 | {"parent": "eth0"}}, {"one": ["s"], "job": ["s"]}))
    # The next pass takes the lock again.
    done = host.run("strace", "-f", "-o", "trace", "-e", "trace=close_range", "-e", "inject=close_range:error=ENOSYS",
                    host.binary, "apply", "-q", "--wait=3", "-f", path, seconds=40, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert "lock" not in done.err and "1 attachment still pending" in done.err, done
    assert "fd00:86::2/64" in host.addresses("one", "eth0"), "the address is there"
    with open("trace", encoding="utf-8") as file:
        assert "INJECTED" in file.read(), "the call was not made"
