"""A hostile container: root in a network namespace that mvapply has attached to the LAN. There are two kinds:
root without a user namespace, and a user's process in a user namespace of its own."""
import contextlib
import itertools
import os
import socket
import subprocess

import linux
from host import same
from marked_address import marked_address

NOBODY = 65534
BOTH = ("root", "user")


def become_nobody():
    """Whether there are other users (a user namespace may have root alone)."""
    linux.die_with_parent()
    with open("/proc/self/uid_map", encoding="ascii") as file:
        if int(file.read().split()[2]) <= NOBODY:
            return
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


class Shell:
    """A shell in a network namespace of its own, as a user without any capability on the host."""
    def __init__(self):
        self.process = subprocess.Popen(
            ["unshare", "--map-root-user", "--net", "sh"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=become_nobody, text=True)
        self.run(":")

    def run(self, command, text=""):
        """Returns the exit code and the output."""
        self.process.stdin.write(f"{command} <<'END'\n{text}END\ncode=$?; echo; echo done $code\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("done "):
                return int(line.split()[1]), "".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended: {lines}")

    def end(self):
        self.process.kill()
        self.process.communicate()


class Intruder:
    def __init__(self, host, name, source, shell):
        self.host, self.name, self.source, self.shell = host, name, source, shell
        self.label = f"pid {source['pid']}" if source else name  # as mvapply names it

    def run(self, command, text="", force=False):
        """A command with the container's own capabilities alone."""
        if self.shell:
            code, said = self.shell.run(command, text)
        else:
            done = self.host.run(*command.split(), ns=self.name, stdin=text.encode())
            code, said = done.code, done.err
        assert force or code == 0, f"{command}\n{text}{said}"

    def batch(self, *commands, force=False):
        """Commands of ip; and "marked LINK ADDRESS...", for an address with mvapply's protocol."""
        flag = "-force " if force else ""
        for marked, lines in itertools.groupby(commands, lambda line: line.startswith("marked ")):
            if not marked:
                self.run(f"ip {flag}-batch -", "".join(f"{line}\n" for line in lines), force)
                continue
            with self.host.inside(self.name):
                for line in lines:
                    marked_address(*line.split()[1:])

    def up(self, link):
        """Tries to set it up; returns whether it is up."""
        self.batch(f"link set {link} up", force=True)
        return "UP" in self.host.link(self.name, link)["flags"]

    def clean(self):
        """Deletes everything that it created beside eth0."""
        for name in self.host.names(self.name) - {"eth0"}:
            self.batch(f"link del {name}", force=True)


@contextlib.contextmanager
def user_shell(host, name):
    shell = Shell()
    try:
        host.hold(name, f"/proc/{shell.process.pid}/ns/net")
        yield shell
    finally:
        if name in host.spaces:
            host.leave(name)
        shell.end()


@contextlib.contextmanager
def intruder(host, kind, name="evil"):
    """`kind`: one of BOTH. The result's `source` is for the container's declaration."""
    if kind == "root":
        host.netns(name)
        yield Intruder(host, name, {}, None)
        return
    with user_shell(host, name) as shell:
        yield Intruder(host, name, {"pid": shell.process.pid}, shell)


class Stream:
    """A TCP connection from a container to the LAN, which must not break."""
    def __init__(self, host, ns, address="172.16.86.1"):
        with host.inside("lan"), socket.create_server((address, 0)) as server:
            with host.inside(ns):
                self.near = socket.create_connection(server.getsockname(), timeout=10)
            self.far = server.accept()[0]
        self.check()

    def check(self):
        for one, other in ((self.near, self.far), (self.far, self.near)):
            one.settimeout(10)
            other.settimeout(10)
            one.sendall(b"still here")
            same(other.recv(10, socket.MSG_WAITALL), b"still here", "the stream")

    def close(self):
        self.near.close()
        self.far.close()


class Victims:
    """Namespaces in which nothing may change, with a TCP stream out of each; nor may the host's
    links and its routes to them."""
    def __init__(self, host, *names):
        self.host, self.names = host, names
        host.settle()
        self.addresses = {address.partition("/")[0] for name in names
                          for address in host.addresses(name, "eth0")}
        for name in names:
            self.know_each_other(name)
        self.before = self.state()
        self.streams = [Stream(host, name) for name in names]

    def know_each_other(self, name):
        """The holder of an address answers ARP for it, which a container on a LAN can always do:
        the streams do not depend on ARP."""
        router = self.host.link("lan", "up0")["address"]
        self.host.ip(name, f"neigh replace 172.16.86.1 lladdr {router} dev eth0 nud permanent")
        link = self.host.link(name, "eth0")["address"]
        for address in self.host.addresses(name, "eth0"):
            self.host.ip("lan", f"neigh replace {address.partition('/')[0]} lladdr {link} dev up0 nud permanent")

    def state(self):
        state = self.host.snapshot(*self.names, "lan", final_state=True)
        for name, link in self.host.links("host").items():
            state[f"host: {name}"] = (link["ifindex"], link["address"], link["mtu"],
                                      sorted(self.host.addresses("host", name)))
        for route in self.host.routes("host"):
            if route.split()[0] in self.addresses:
                state[f"host: {route}"] = "there"
        return state

    def unharmed(self, what):
        same(self.state(), self.before, f"the others after {what}")
        for stream in self.streams:
            stream.check()

    def close(self):
        for stream in self.streams:
            stream.close()


@contextlib.contextmanager
def victims(host, *names):
    others = Victims(host, *names)
    try:
        yield others
    finally:
        others.close()


@contextlib.contextmanager
def racer(evil, how, mac, alias):
    """The intruder keeps a link with the MAC on the host's parent (racer.py)."""
    with open(os.path.join(os.path.dirname(__file__), "racer.py"), encoding="ascii") as file:
        evil.run(f"python3 - {how} {mac} {alias}", file.read())
    try:
        yield
    finally:
        evil.batch("link del eth0", force=True)
