"""Fault injection, see tests/faults: a preloaded library that changes the kernel's netlink replies, and a
program that kills at a chosen system call."""
import contextlib
import os
import signal
import socket
import subprocess

import linux
from host import Result

# Everything, or a selection that takes seconds.
WHOLE = bool(os.environ.get("SOAK"))

# On an emulated machine each start of a program costs a second: there a sweep over all calls, messages or answers takes
# every Nth (run.py --stride).
STRIDE = int(os.environ.get("STRIDE", "1"))

LOG = "/run/faults.log"
GET_LINK, NEW_NSID, GET_NSID = 18, 88, 90


def tool(host, name):
    return os.path.join(os.path.dirname(host.binary), "tests/faults", name)


def preload(host, *rules, log=None):
    """The environment of a run with these rules; see tests/faults/shim.c."""
    return {"LD_PRELOAD": tool(host, "shim.so"), "FAULTS": ",".join(rules), "FAULTS_LOG": log or "",
            # AddressSanitizer requires to be the first library; here it is not.
            "ASAN_OPTIONS": "verify_asan_link_order=0:" + os.environ.get("ASAN_OPTIONS", "")}


def noted(host, what, action):
    """The log of a run: [(number, type or size), ...] of requests, dumps or datagrams. action(env)
    runs mvapply."""
    if os.path.exists(LOG):
        os.unlink(LOG)
    action(preload(host, log=LOG))
    with open(LOG, encoding="ascii") as file:
        words = [line.split() for line in file]
    return [(int(number), int(detail)) for kind, number, detail in words if kind == what]


def killed(host, number, calls, *arguments, stdin=None, env=None):
    """Runs mvapply, and kills it directly before that many of those calls; returns whether it was
    killed, or (for number 0) the number of calls."""
    done = host.run(tool(host, "killer"), str(number), calls, host.binary, *arguments, seconds=60,
                    stdin=stdin, env={"ASAN_OPTIONS": "detect_leaks=0", **(env or {})})
    if done.code not in (0, 1):
        raise AssertionError(f"it could not be traced\n{done}")
    if not number:
        return int(done.lines[-1])
    return done.code == 0


def meanwhile(host, number, calls, callback, *arguments):
    """Runs mvapply, and calls the function directly before that many of those calls; returns the
    run, and whether it got that far."""
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(
            [tool(host, "killer"), "-s", str(theirs.fileno()), str(number), calls, host.binary,
             *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()], env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}) as child:
        theirs.close()
        try:
            stopped = ours.recv(1) != b""
            if stopped:
                callback()
                ours.send(b"x")
            out, err = child.communicate(timeout=60)
        finally:
            child.kill()
    return Result(child.args, child.returncode, out.decode(), err.decode()), stopped


def before_request(host, number, callback, *arguments):
    """Runs mvapply, and calls the function directly before it sends that many requests."""
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen(
            [host.binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
            env={**os.environ, **preload(host, f"wait@{number}={theirs.fileno()}")}) as child:
        theirs.close()
        try:
            if ours.recv(1):
                callback()
                ours.send(b"x")
            out, err = child.communicate(timeout=60 * host.patience)
        finally:
            child.kill()
    return Result(child.args, child.returncode, out.decode(), err.decode())


def killer_of(host, pid, number, calls):
    """Attaches to a running process, to kill it likewise; returns the killer, once it counts."""
    child = subprocess.Popen([tool(host, "killer"), "-p", str(pid), str(number), calls],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if child.stdout.readline() != b"ready\n":
        out, err = child.communicate()
        raise AssertionError(str(Result(child.args, child.returncode, out.decode(), err.decode())))
    return child


def state(host, *names):
    """The state of each link in these namespaces that must not depend on the history: without its
    index."""
    return {f"{ns} {name}": (link["address"], link["mtu"], link.get("ifalias"),
                             "UP" in link["flags"],
                             sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]
                                    if a["scope"] != "link"))
            for ns in names for name, link in host.links(ns).items()} | \
        {f"{ns}: {route}": "there" for ns in names for route in host.routes(ns)}


@contextlib.contextmanager
def hidden(host, kind, *commands):
    """A link of that kind on eth0 in a namespace that only a socket keeps, which no observation
    finds. The commands of ip are run there."""
    linux.unshare(linux.CLONE_NEWNET)
    keeper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    pid = os.fork()
    if pid == 0:
        signal.pause()
    linux.setns(host.spaces["host"])
    try:
        host.ip("host", f"link add link eth0 name hidden {kind}")
        host.ip("host", f"link set hidden netns {pid}")
        for command in ("link set hidden up", *commands):
            host.run("nsenter", f"--net=/proc/{pid}/ns/net", "ip", *command.split(), code=0)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        yield
    finally:
        keeper.close()


def hidden_link(host, mac, mode="bridge"):
    """A hidden macvlan with that MAC: a managed link with that MAC cannot be set up, which is
    retried for two seconds; beside one of mode passthru none can be created."""
    return hidden(host, f"address {mac} type macvlan mode {mode}")
