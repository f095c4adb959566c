"""Somebody who is not root takes the names by which applies know of each other: nobody waits for them,
and a guardian that cannot be heard is not begun."""
import contextlib
import os
import signal
import socket
import subprocess
import time

import linux
from declare import document, lan
from faults import killed, meanwhile
from host import same
from messages import unwrapped
from registry import test

NOBODY = 65534
NAMES = (b"\0mvapply", b"\0mvapply-confirm")
TEXT = document({"n": lan()}, {"web": ["n"]})


def other_users():
    """There are none in a user namespace that has root alone."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return int(file.read().split()[2]) > NOBODY


def crowd(name):
    """Fills the queue of who listens there: whoever connects waits, unless it looks at the clock."""
    queue = []
    with contextlib.suppress(BlockingIOError):
        while True:
            queue.append(socket.socket(socket.AF_UNIX))
            queue[-1].setblocking(False)
            queue[-1].connect(name)
    return queue


def squat(listens, ready, crowded=False):
    if other_users():
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    sockets = [socket.socket(socket.AF_UNIX) for _ in NAMES]
    for name, end in zip(NAMES, sockets):
        end.bind(name)
        if listens:
            end.listen(0 if crowded else 128)
    queues = [crowd(name) for name in NAMES if crowded]
    os.write(ready, b"!")
    signal.pause()
    return queues


@contextlib.contextmanager
def squatter(listens, crowded=False):
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.die_with_parent()
            squat(listens, theirs, crowded)
        finally:
            os._exit(1)
    try:
        os.close(theirs)
        same(os.read(ours, 1), b"!", "it has the names")
        yield pid
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def goes_on(host):
    same(host.apply(TEXT).plan, ["+ attach web/n eth0 172.16.86.2/24 02:42:ac:10:56:02 default via "
                                 "172.16.86.1"], "what is done")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
    done = host.apply(document({"n": lan(mtu=1400)}, {"web": ["n"]}), "--confirm=600", code=1)
    assert "@mvapply-confirm is held by somebody who is not root" in done.err, done
    same(host.link("web", "eth0")["mtu"], 1500, "untouched")
    host.mvapply("confirm", code=1)
    host.delete(TEXT)


@test("two at once: who has a name and does not listen keeps nobody waiting", both=True)
def silent(host):
    host.netns("web")
    with squatter(listens=False):
        goes_on(host)


@test("two at once: who is not root keeps nobody waiting")
def another_user(host):
    """Where there is no other user, one of root's own that never listens stands for them."""
    host.netns("web")
    with squatter(listens=other_users()):
        goes_on(host)


@test("two at once: who fills the queue at a name keeps nobody waiting", both=True)
def crowded_out(host):
    host.netns("web")
    with squatter(listens=True, crowded=True):
        goes_on(host)


@test("two at once: where somebody has a name, applies still wait for one another")
def serialised(host):
    host.netns("web")
    host.write(TEXT)
    second = []

    def deed():
        second.append(subprocess.Popen([host.binary, "apply", "-f", "network.yaml"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        time.sleep(1.5)
        same(second[-1].poll(), None, "the exit code of the second, while the first is at work")
    with squatter(listens=False):
        total = killed(host, 0, "sendto", "apply", "-f", "network.yaml")
        host.delete(TEXT)
        done, reached = meanwhile(host, total - 3, "sendto", deed, "apply", "-f", "network.yaml")
        assert reached and done.code == 0, done
        said = second[0].communicate(timeout=20)[0].decode()
    same((second[0].returncode, said), (0, "Nothing to do.\n"), "the second")


@test("two at once: without /proc/sys, it is said who keeps it waiting")
def named(host):
    host.netns("web")
    linux.mount("tmpfs", "/proc/sys", "tmpfs")
    listens = other_users()
    with squatter(listens) as pid:
        done = host.apply(TEXT, code=1)
    who = f"process {pid} of user {NOBODY}, who is not root" if listens else "what is no mvapply"
    assert f"the lock @mvapply is held by {who} [MV0901]\n" in unwrapped(done.err), done
    assert "ss --unix --listening --processes src @mvapply" in done.err, done
    same(host.names("web"), set(), "untouched")


@test("two at once: the lock is one that nobody else can open")
def unreachable(host):
    """Of each network namespace its own, and of root's alone."""
    path = "/proc/sys/net/ipv4/tcp_fastopen_key"
    host.netns("web")
    seen = {}
    for ns in ("host", "web"):
        with host.inside(ns):
            seen[ns] = os.stat(path)
    same([status.st_mode & 0o777 for status in seen.values()], [0o600] * 2, "modes")
    assert seen["host"].st_ino != seen["web"].st_ino, seen
