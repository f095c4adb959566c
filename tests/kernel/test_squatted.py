"""A process without CAP_NET_ADMIN binds the socket names of mvapply: no apply waits for it or trusts it, and a
confirm guard is reached all the same."""
import contextlib
import ctypes
import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import time

import linux
from declare import document, lan
from faults import killed, meanwhile, preload
from host import same
from registry import test
from test_confirm import ended, waiting

NOBODY = 65534
NAMES = (b"\0mvapply", b"\0mvapply-confirm")
TEXT = document({"n": lan()}, {"web": ["n"]})
# Settings of a network namespace that root can open without a capability, and lock.
SETTING = "/proc/sys/net/ipv4/tcp_fastopen_key"


def other_users():
    """There are none in a user namespace that has root alone."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return int(file.read().split()[2]) > NOBODY


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def become_sovereign():
    """User 0 in the view of others, with every capability, but in a user namespace of its own; and
    with memory that only more privileged processes may read."""
    linux.drop_capability_bounds()
    ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
    linux.unshare(linux.CLONE_NEWUSER)


# The identities, and the privileges that they must drop.
STRANGERS = {"another user": become_nobody, "root without a capability": linux.drop_capability_bounds,
             "root of a user namespace of its own": become_sovereign}


def strangers():
    return {who: become for who, become in STRANGERS.items()
            if become is not become_nobody or other_users()}


def crowd(name):
    """Fills the queue of the listener there: a process that connects waits, unless it has a time
    limit."""
    queue = []
    with contextlib.suppress(BlockingIOError):
        while True:
            queue.append(socket.socket(socket.AF_UNIX))
            queue[-1].setblocking(False)
            queue[-1].connect(name)
    return queue


def lock_files():
    """All of the host's settings that it can lock."""
    with contextlib.suppress(PermissionError):
        file = os.open(SETTING, os.O_RDONLY)
        fcntl.flock(file, fcntl.LOCK_EX)


def squat(become, listens, crowded, ready):
    become()
    lock_files()
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
def child_that(does, *arguments):
    """Runs it in a child, until it reports that it is ready."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.die_with_parent()
            does(*arguments, ready=theirs)
        finally:
            os._exit(1)
    try:
        os.close(theirs)
        same(os.read(ours, 1), b"!", "it is ready")
        yield pid
    finally:
        os.close(ours)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def squatter(become, listens, crowded=False):
    return child_that(squat, become, listens, crowded)


def continues(host, pid):
    begun = time.monotonic()
    same(host.apply(TEXT).plan, ["+ attach web/n eth0 172.16.86.2/24 02:42:ac:10:56:02 default via "
                                 "172.16.86.1"], "what is done")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
    done = host.mvapply("confirm", code=1)
    assert pid is None or f"process {pid} (" in done.err, done
    with waiting(host, document({"n": lan(mtu=1400)}, {"web": ["n"]})) as (child, _):
        same(host.link("web", "eth0")["mtu"], 1400, "while it waits")
        done = host.apply(TEXT, code=4)
        assert "an apply waits for its confirmation" in done.err, done
        host.mvapply("confirm")
        ended(host, child, 0)
    same(host.link("web", "eth0")["mtu"], 1400, "confirmed")
    host.mvapply("confirm", code=1)
    host.delete(TEXT)
    same(host.names("web"), set(), "deleted")
    return time.monotonic() - begun


@test("two at once: a process that has the name and does not listen delays no other", both=True)
def silent(host):
    host.netns("web")
    for become in strangers().values():
        with squatter(become, listens=False):
            continues(host, None)


@test("two at once: a process without CAP_NET_ADMIN delays no other, and is not trusted", both=True)
def stranger(host):
    host.netns("web")
    for become in strangers().values():
        with squatter(become, listens=True) as pid:
            continues(host, pid)


def names_of_guards():
    with open("/proc/net/unix", encoding="utf-8") as file:
        return [line.split("@")[1].strip() for line in file if " @mvapply-confirm" in line]


def imitate(become, guards, ready):
    """Binds the names that guards had, and others like them, with a full queue; and one that has
    line breaks."""
    become()
    names = [b"\0mvapply-confirm", *(f"\0mvapply-confirm-{number:016x}".encode() for number in range(300)),
             b"\0x\n0: 00000002 00000000 00010000 0001 01 1 @mvapply-confirm-0000000000000bad",
             *(b"\0" + guard.encode() for guard in guards)]
    ends = [socket.socket(socket.AF_UNIX) for _ in names]
    for name, end in zip(names, ends):
        end.bind(name)
        end.listen(0)
    queues = [crowd(name) for name in names[::50]]
    os.write(ready, b"!")
    signal.pause()
    return queues


@test("two at once: a guard process finds a free name among names in use, and is found", both=True)
def imitated(host):
    host.netns("web")
    guards = []
    for become in strangers().values():
        with child_that(imitate, become, guards), waiting(host, TEXT) as (child, _):
            [guard] = [name for name in names_of_guards() if not name.startswith("mvapply-confirm-" + 13 * "0")
                       and name not in guards and name != "mvapply-confirm"]
            guards.append(guard)
            assert re.fullmatch("mvapply-confirm-[0-9a-f]{16}", guard), guard
            done = host.apply(TEXT, code=4)
            assert "an apply waits for its confirmation" in done.err, done
            os.kill(child.pid, signal.SIGKILL)  # it continues without
            host.mvapply("confirm")
            host.until(lambda guard=guard: guard not in names_of_guards(), "the guardian ends")
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
        host.delete(TEXT)
    # A released name, while a guard waits at another, misleads no client.
    with child_that(imitate, linux.drop_capability_bounds, []) as pid, waiting(host, TEXT) as (child, _):
        os.kill(pid, signal.SIGKILL)
        host.until(lambda: len(names_of_guards()) == 1, "the names are free")
        host.apply(TEXT, code=4)
        host.mvapply("confirm")
        ended(host, child, 0)


@test("two at once: a process that fills the queue of a name delays no other", both=True)
def crowded_out(host):
    host.netns("web")
    for become in strangers().values():
        with squatter(become, listens=True, crowded=True):
            continues(host, None)


@test("two at once: a process that locks all files that it can open delays no other")
def settings_locked(host):
    """With netlink sockets like those of the applies, except for the groups, which it may not
    join."""
    def does(become, ready):
        become()
        lock_files()
        sockets = [socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 2) for _ in range(100)]
        for number, end in enumerate(sockets):
            with contextlib.suppress(PermissionError):
                end.bind((0, 0x4d564150))
                os.write(ready, b"?")
            end.bind((number + 1, 0))
        os.write(ready, b"!")
        signal.pause()
    host.netns("web")
    for become in strangers().values():
        with child_that(does, become):
            same(len(host.apply(TEXT).plan), 1, "what is done")
            host.delete(TEXT)


def at_work(host, callback):
    """Calls the function while an apply has the lock, close to its end."""
    host.write(TEXT)
    total = killed(host, 0, "sendto", "apply", "-f", "network.yaml")
    host.delete(TEXT)
    done, reached = meanwhile(host, total - 3, "sendto", callback, "apply", "-f", "network.yaml")
    assert reached and done.code == 0, done


def second_apply(host, env=None):
    return subprocess.Popen([host.binary, "apply", "-f", "network.yaml"], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **(env or {})})


def waits_too_long(host):
    """The first does nothing for two minutes: an apply that hangs does not block others without
    end."""
    def callback():
        with second_apply(host) as second:
            said = second.communicate(timeout=300)[1]
            same(second.returncode, 1, f"exit code, of {said}")
            assert re.search(r"error: process \d+ \(mvapply\) still holds the lock after 120 s; nothing was "
                             r"changed \[MV0920\]", " ".join(said.split())), said
    at_work(host, callback)


if os.environ.get("SLOW"):
    test("two at once: a hanging process delays the other for two minutes", seconds=300)(waits_too_long)


def waits_in_turn(host, env=None):
    """A second apply, with that in its environment, reports the process for which it waits, and waits until that has
    ended."""
    children = []

    def callback():
        children.append(second_apply(host, env))
        said = children[-1].stderr.readline()
        match = re.fullmatch(r"mvapply: note: waiting for process (\d+) \(mvapply\) .*\n", said)
        assert match, said
        with open(f"/proc/{match[1]}/comm", encoding="ascii") as file:
            same(file.read(), "mvapply\n", "what it waits for")
        assert int(match[1]) != children[-1].pid, said
        same(children[-1].poll(), None, "the exit code of the second, while the first is at work")
    at_work(host, callback)
    out, err = children[0].communicate(timeout=20 * host.patience)
    same((children[0].returncode, out, err), (0, "Nothing to do.\n", ""), "the second")
    host.delete(TEXT)


@test("two at once: an apply names the process that it waits for")
def waits(host):
    host.netns("web")
    waits_in_turn(host)


@test("two at once: with a name in use, applies wait for one another all the same")
def serialised(host):
    host.netns("web")
    for become in strangers().values():
        for listens in (False, True):
            with squatter(become, listens):
                waits_in_turn(host)


@test("two at once: where the kernel lists no netlink sockets, applies wait for one another all the same")
def undiagnosed(host):
    host.netns("web")
    with squatter(strangers()["root without a capability"], listens=True):
        waits_in_turn(host, preload(host, f"diag@0={errno.ENOENT}"))
        waits_in_turn(host)


@test("two at once: a name that becomes free while others wait changes nothing")
def name_comes_and_goes(host):
    """The first begins while another process has the name, and the second after the name was
    released."""
    host.netns("web")
    become = strangers()["root without a capability"]
    children = []

    def first_is_at_work():
        squatting.__exit__(None, None, None)
        children.append(second_apply(host))
        said = children[-1].stderr.readline()
        assert said.startswith("mvapply: note: waiting for process "), said
    squatting = squatter(become, listens=True)
    host.write(TEXT)
    total = killed(host, 0, "sendto", "apply", "-f", "network.yaml")
    host.delete(TEXT)
    squatting.__enter__()
    done, reached = meanwhile(host, total - 3, "sendto", first_is_at_work, "apply", "-f",
                              "network.yaml")
    assert reached and done.code == 0, done
    same(children[0].communicate(timeout=20 * host.patience)[0], "Nothing to do.\n", "the second")


@test("two at once: without capabilities an apply names the process that it waits for")
def named(host):
    """It cannot prove its identity to others: the name is all that there is."""
    host.netns("web")
    for who, become in strangers().items():
        with squatter(become, listens=True) as pid:
            done = host.apply(TEXT, code=1, before=linux.drop_capability_bounds)
        assert f"the socket @mvapply, used as a lock, is held by process {pid} (" in done.err, (who, done)
        assert "ss --unix --listening --processes src @mvapply" in done.err, done
        same(host.names("web"), set(), "untouched")


def ask_to_confirm(become, ready):
    """Sends the message of `mvapply confirm` to a guard."""
    become()
    end = socket.socket(socket.AF_UNIX)
    end.connect(NAMES[1])
    end.settimeout(20)
    said = b""
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        end.send(b"C")
        said = end.recv(100)
    os.write(ready, b"?" if said else b"!")
    signal.pause()


@test("two at once: a process without CAP_NET_ADMIN cannot confirm", both=True)
def confirms_nothing(host):
    host.netns("web")
    for become in strangers().values():
        with waiting(host, TEXT) as (child, _):
            with child_that(ask_to_confirm, become):
                same(child.poll(), None, "the exit code, after somebody else confirmed it")
            child.send_signal(signal.SIGINT)
            ended(host, child, 5)
        same(host.names("web"), set(), "gone back")
    with waiting(host, TEXT) as (child, _):
        same(host.mvapply("confirm").lines, ["Confirmed: default."], "what it says")
        ended(host, child, 0)


def knock(become, ready):
    """Connects as fast as possible."""
    become()
    os.write(ready, b"!")
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as end:
            end.connect(NAMES[1])


@test("two at once: continuous connections do not prevent a guard's rollback")
def knocking(host):
    host.netns("web")
    with waiting(host, TEXT, "--confirm=2") as (child, _):
        with contextlib.ExitStack() as stack:
            for _ in range(4):
                stack.enter_context(child_that(knock, linux.drop_capability_bounds))
            ended(host, child, 5)
    same(host.names("web"), set(), "gone back")
