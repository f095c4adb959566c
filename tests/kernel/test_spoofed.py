"""Root in a container sends to the netlink sockets that mvapply opens there, as it would see their ports:
nothing of that is an answer, and none of it keeps an answer away."""
import contextlib
import os
import signal
import subprocess
import sys

import spoofer
from declare import document, lan
from faults import STRIDE, WHOLE, killed, meanwhile, state
from host import same
from intruder import become_nobody
from registry import test
from service import watching

TEXT = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
NAMES = ("web", "db")


@contextlib.contextmanager
def container(host, name):
    """A container of a user that has no account on the host: root in a user namespace of its own,
    which owns the network namespace."""
    child = subprocess.Popen(["unshare", "-Urn", "sh", "-c", "echo ready; exec sleep 1000"],
                             stdout=subprocess.PIPE, preexec_fn=become_nobody)
    try:
        same(child.stdout.readline(), b"ready\n", "the container")
        host.hold(name, f"/proc/{child.pid}/ns/net")
        yield child.pid
    finally:
        child.kill()
        child.wait()


class Flood:
    """Processes of the container that only send. `ip` trusts what they send, and is used while they
    pause."""

    def __init__(self, pid):
        self.argv = ["nsenter", "-t", str(pid), "-U", "-n", "--preserve-credentials", sys.executable,
                     spoofer.__file__, "1000"]

    def __enter__(self):
        self.crowd = [subprocess.Popen(self.argv, stdout=subprocess.PIPE) for _ in range(3)]
        for child in self.crowd:
            same(child.stdout.readline(), b"ready\n", "who floods")
        return self

    def __exit__(self, *ignored):
        for child in self.crowd:
            child.kill()
            child.wait()

    @contextlib.contextmanager
    def paused(self, host):
        for child in self.crowd:
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        try:
            yield
        finally:
            for name in list(host.spaces):
                host.unread(name)
            for child in self.crowd:
                child.send_signal(signal.SIGCONT)


def paused_state(host, flood):
    with flood.paused(host):
        return state(host, "web", "evil")


def spoofed(host, calls, prepare, *arguments):
    """Runs the command once for each of these calls, and sends in each container directly before
    it."""
    prepare()
    total, found = killed(host, 0, calls, *arguments), []

    def callback():
        for name in NAMES:
            host.unread(name)
            with host.inside(name):
                found.extend(spoofer.ports())
                spoofer.spoof_once()
    # At wider steps, mvapply may have no socket in a container at any of them.
    for number in range(1, total + 1, 1 if WHOLE else 2 + STRIDE):
        prepare()
        done, reached = meanwhile(host, number, calls, callback, *arguments)
        if reached:
            yield number, done
    assert found, "no socket was there to send to"


@test("spoofed: an apply and a delete that receive messages before each of their system calls")
def at_each_call(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    wanted = state(host, *NAMES)
    for calls in "sendto", "recvmmsg":
        for number, done in spoofed(host, calls, lambda: host.delete(TEXT), "apply", "-f", "network.yaml"):
            same(done.code, 0, f"before {calls} {number}: {done}\n")
            same(state(host, *NAMES), wanted, f"before {calls} {number}: {done}\n")
        for number, done in spoofed(host, calls, lambda: host.apply(TEXT), "delete", "-f", "network.yaml"):
            same(done.code, 0, f"before {calls} {number}: {done}\n")
            same(state(host, *NAMES), {}, f"before {calls} {number}: {done}\n")


@contextlib.contextmanager
def crowded(host):
    """A container that floods, and one that does not: the file, and the state that must be the
    same."""
    host.netns("web")
    with container(host, "evil") as pid:
        text = document({"n": lan()}, {"web": ["n"], "evil": {"pid": pid, "networks": ["n"]}})
        host.apply(text)
        wanted = state(host, "web", "evil")
        host.unread("evil")
        with Flood(pid) as flood:
            yield text, wanted, flood


@test("spoofed: a user's container that sends continuously", seconds=120)
def without_end(host):
    with crowded(host) as (text, wanted, flood):
        for _ in range(10):
            host.diff(text, code=0)
            host.delete(text)
            same(paused_state(host, flood), {}, "deleted")
            host.apply(text)
            same(paused_state(host, flood), wanted, "applied")


@test("spoofed: a service on a host with a container that sends continuously", seconds=120)
def service(host):
    with crowded(host) as (text, wanted, flood), watching(host, "-f", host.write(text)) as service:
        for command in ("link del eth0", "address del {} dev eth0", "link set eth0 mtu 1400") * 3:
            for ns, address in ("web", "172.16.86.2/24"), ("evil", "172.16.86.3/24"):
                with flood.paused(host):
                    host.ip(ns, command.format(address))
                service.until(lambda: paused_state(host, flood) == wanted, f"{ns}: {command}")
        assert not any("error" in line for line in service.log()), service.everything()


@test("spoofed: invalid and oversized events")
def events(host):
    host.netns(*NAMES)
    with watching(host, "-f", host.write(TEXT)) as service:
        wanted = state(host, *NAMES)
        for _ in range(5):
            with host.inside("web"):
                spoofer.broadcast_once()
            host.ip("web", "link set eth0 mtu 1400")
            service.until(lambda: state(host, *NAMES) == wanted, "repaired")
        service.quiet()
        assert not any("lost" in line for line in service.log()), service.everything()
