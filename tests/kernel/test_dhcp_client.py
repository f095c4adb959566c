"""DHCP clients that do not what they should, as one that a host on the LAN has taken over: scripts that
are found before the real one."""
import contextlib
import os
import time

from declare import document, lan
from host import same
from registry import test
from service import watching

NET = lan(dhcp=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})
LEASE = "echo LEASE ip=172.16.86.50 mask=24 router=172.16.86.1 lease=120"


def client(host, script):
    """The environment in which the script is the client."""
    os.makedirs("/run/work/clients", exist_ok=True)
    path = f"/run/work/{host.write(f'#!/bin/sh{chr(10)}{script}{chr(10)}', 'clients/udhcpc')}"
    os.chmod(path, 0o755)
    return {"PATH": f"/run/work/clients:{os.environ['PATH']}"}


def inside(host, ns="web"):
    """The clients in the namespace, and what they started."""
    found, inode = [], os.fstat(host.spaces[ns]).st_ino
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if os.stat(f"/proc/{pid}/ns/net").st_ino == inode and \
                    file.read().strip() in ("udhcpc", "sleep"):
                found.append(int(pid))
    return found


@test("dhcp client: one that leaves a process behind holds nobody, and what is in its group ends")
def left_behind(host):
    host.netns("web")
    begun = time.monotonic()
    done = host.apply(TEXT, env=client(host, f"sleep 45 & {LEASE}"))
    assert time.monotonic() - begun < 10 * host.patience, time.monotonic() - begun
    same(done.plan[0].split(" dhcp")[0], "+ attach web/n eth0", "the plan")
    same(host.addresses("web", "eth0"), {"172.16.86.50/24"}, "the address")
    host.until(lambda: not inside(host), "nothing of it is left")


@test("dhcp client: one that does not end is killed after 20 s, also where it has closed its output",
      seconds=60)
def endless(host):
    host.netns("web")
    begun = time.monotonic()
    done = host.apply(TEXT, code=1, seconds=40,
                      env=client(host, "exec >/dev/null 2>&1; trap '' TERM; sleep 45"))
    assert 19 < time.monotonic() - begun < 20 + 10 * host.patience, time.monotonic() - begun
    assert "[MV0916]" in done.err, done
    same(inside(host), [], "what is left of it")


@test("dhcp client: one whose asker has gone is killed, and so does not keep the namespace")
def abandoned(host):
    host.netns("web", "db")
    text = document({"n": NET}, {"web": ["n"], "db": ["n"]})
    with watching(host, "-f", host.write(text), converged=False,
                  env=client(host, "exec sleep 45")) as running:
        running.until(lambda: inside(host) and inside(host, "db"), "the clients run")
        host.write(document({"n": NET}, {"db": ["n"]}))
        running.until(lambda: not inside(host), "the client ends")
        assert inside(host, "db"), "the other one goes on"


@test("dhcp client: a lease that is of no use is told apart from a client that fails")
def unfit(host):
    host.netns("web")
    for script, told in (
            ("ip=172.16.86.50 mask=1 lease=120", "its subnet is larger than a /8"),
            ("ip=172.16.86.50 lease=120", "it has no subnet mask (option 1)"),
            ("ip=172.16.86.50 mask=24", "it does not say for how long (option 51)"),
            ("ip=172.16.86.50 mask=24 lease=29", "it is for less than 30 s")):
        done = host.apply(TEXT, code=1, env=client(host, f"echo LEASE {script}"))
        assert f"web/n: the DHCP server's lease is of no use: {told}: eth0 in namespace web has no " \
            "IPv4 address [MV0918]" in done.err, done
        same((host.addresses("web", "eth0"), host.routes("web")), (set(), set()), script)
    done = host.apply(TEXT, code=1, env=client(host, "exit 3"))
    assert "the DHCP client failed: it ended with code 3 without a word: eth0" in done.err, done


@test("dhcp client: a router that is no host's address of the subnet is left out")
def no_router(host):
    host.netns("web")
    host.apply(TEXT, env=client(host, LEASE.replace("86.1 ", "86.255 ")))
    same(host.addresses("web", "eth0"), {"172.16.86.50/24"}, "the address")
    same(host.routes("web"), {"172.16.86.0/24 dev eth0 scope link src 172.16.86.50"}, "routes")
    host.unchanged(TEXT)
