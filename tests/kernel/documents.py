"""The pages that people read, as the tests play them.

A page is played in sections, each on a host of its own, which begins at a comment such as

    <!-- test: needs=vlan lan=10:172.16.86.1/24 link=eth1 netns=web,db copy=examples/a.yaml:a.yaml -->

or, where it speaks of an engine, engine=docker: a real one that has the image "alpine"
(engine=docker-runtime: one with mvapply as a runtime, which reads network.yaml; engine=docker-driver: one
with mvapply as a plugin, which does, too); and
lxc=NAME is a container of LXC that is not started; dhcp=172.16.86.50 is a DHCP server on the LAN with that one address. stand-in=NAME is a container where no
engine can run, as under user-mode Linux: a process with a network namespace of its own, which a stand-in for
Docker's API knows by that name, and a function `docker` that runs commands in it. In it, a YAML block whose
first line is "# NAME.yaml", a script whose second line is "# NAME.sh", or a unit file of Podman whose first
line is "# NAME.network" or "# NAME.container", is written as that file, and in a
block of `console` each line behind "$ " is a command in one shell, and what follows is its output, to
the letter but for what no two runs have in common. A line "..." stands for any lines."""
import collections
import contextlib
import os
import re
import subprocess
import time

import lxc_container
from dhcp_server import Server
from docker_plugin import plugged
from engines import BUSYBOX, PageDocker, running
from fake_engine import ID, engine, inspected
from host import WORK

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^<!-- test:(.*?)-->$", re.MULTILINE)

# Parts that differ from run to run, and from kernel to kernel.
VOLATILE = [(r"@if\d+", "@ifN"), (r"^\d+: ", "N: "), (r"time[= ][\d.]+ ?ms", "time"),
            (r"^rtt .*", "rtt"), (r"link-netnsid \d+", "link-netnsid N"),
            (r"lease: \d+ s", "lease: N s"),
            (r"\b(mvapply-(?:was|for))\.\d+", r"\1.N"),
            (r"(tso|gso|gro)_max_\w+ \d+ ?", ""), (r"numtxqueues \d+", "numtxqueues N"),
            (r"\b(qlen \d+|qdisc \w+)", ""), (r" tentative", ""), (r"[ \t]+", " ")]

# These only read, so they can be repeated until the kernel's state is final.
LOOKS = ("ip ", "ping ", "nsenter ", "bridge ", "docker exec ")

# Compose is a plugin of Docker's, or, as in Debian 12, a program of its own.
COMPOSE = """docker() {
    if [ "$1" = compose ] && ! command docker compose version >/dev/null 2>&1; then
        shift; command docker-compose "$@"
    else command docker "$@"; fi
}"""

# The commands of Docker's client that pages use, for the container of a stand-in.
STAND_IN = """docker() {{
    case $1 in
    run) echo 0123456789abcdef ;;
    exec) shift 2; nsenter --net=/proc/{pid}/ns/net {busybox} "$@" ;;
    container) echo {name} ;;
    esac
}}"""

Section = collections.namedtuple("Section", "page number needs setup blocks")


def pages():
    """The paths of all pages, from the top of the repository."""
    found = ["README.md", "README.zh.md"]
    for folder, _, files in os.walk(os.path.join(TOP, "docs")):
        found += [os.path.relpath(os.path.join(folder, file), TOP) for file in files
                  if file.endswith(".md")]
    return sorted(found)


def read(page):
    with open(os.path.join(TOP, page), encoding="utf-8") as file:
        return file.read()


def blocks(text):
    """(language, content) of each block."""
    return [(match[1], match[2]) for match in FENCE.finditer(text)]


def listed(page):
    """The commands of its indented blocks, without their comments: those whose output is not shown."""
    text = FENCE.sub("", read(page))
    lines = [line.split("#")[0].split() for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]
    return [" ".join(words) for words in lines if words]


def sections(page):
    parts = SECTION.split(read(page))[1:]
    for number, (setup, text) in enumerate(zip(parts[::2], parts[1::2]), 1):
        words = [word.split("=", 1) for word in setup.split()]
        needs = [value for key, value in words if key == "needs"]
        yield Section(page, number, needs, [(key, value) for key, value in words if key != "needs"],
                      blocks(text))


def steps(content):
    """(command, its output's lines) of a console block. Sentences between an empty line and the next
    command, each behind "# ", are the demo's, and no output."""
    content = re.sub(r"\n(?:\n# [^\n]*)+(?=\n\$ |\n*\Z)", "", f"\n{content}")
    found = []
    for line in content.strip("\n").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        elif found:
            found[-1][1].append(line)
    return found


def plain(line):
    for pattern, replacement in VOLATILE:
        line = re.sub(pattern, replacement, line)
    return line.strip()


def fits(actual, expected):
    """Whether the lines are those expected. A page has lines as a terminal has them: one that begins
    with blanks may be the rest of the line above, which the program writes as one."""
    if not expected:
        return not actual
    if expected[0].strip() == "...":
        return any(fits(actual[count:], expected[1:]) for count in range(len(actual) + 1))
    if not actual:
        return False
    is_, should = plain(actual[0]), plain(expected[0])
    if is_ == should:
        return fits(actual[1:], expected[1:])
    return is_.startswith(f"{should} ") and expected[1:2] != [] and expected[1].startswith("  ") \
        and fits(actual, [f"{expected[0]} {expected[1].lstrip()}", *expected[2:]])


class Shell:
    """One shell on the host, whose working directory and variables persist."""
    END = "@@@end@@@"

    def __init__(self, host, env):
        self.patience = host.patience
        os.makedirs("bin")
        os.symlink(host.binary, "bin/mvapply")
        path = f"{os.getcwd()}/bin:{os.environ['PATH']}:/usr/sbin:/sbin"
        with host.inside("host"):
            self.child = subprocess.Popen(
                ["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **env})
        self.run("status=0")
        self.run(env.get("DOCKER_FUNCTION", COMPOSE))

    def run(self, command):
        """The lines that the command prints, on standard output and error."""
        quoted = command.replace("'", "'\\''")
        text = f"(exit $status); eval '{quoted}' </dev/null; status=$?; echo {self.END}\n"
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()
        lines = []
        for line in self.child.stdout:
            line = line.decode().rstrip("\n")
            if line.endswith(self.END):
                return lines + ([line[:-len(self.END)]] if line != self.END else [])
            lines.append(line)
        raise AssertionError(f"the shell ended in {command!r}: {lines}")

    def step(self, command, expected):
        end = time.monotonic() + 20 * self.patience
        while True:
            actual = self.run(command)
            if fits([line for line in actual if line.strip()],
                    [line for line in expected if line.strip()]):
                return
            if not command.startswith(LOOKS) or time.monotonic() > end:
                raise AssertionError("\n".join([f"$ {command}", *actual, "--- the page says", *expected]))
            time.sleep(0.2)


@contextlib.contextmanager
def stand_in(host, name):
    """The environment in which a process is Docker's container of that name."""
    with host.process() as pid, engine({f"/containers/{word}/json": inspected(pid, name=name)
                                        for word in (name, ID)}) as env:
        yield {**env, "DOCKER_FUNCTION": STAND_IN.format(name=name, pid=pid, busybox=BUSYBOX)}


def prepare(host, setup, stack):
    """Returns the required environment."""
    env = {}
    for key, value in setup:
        if key == "netns":
            host.netns(*value.split(","))
        elif key == "lan":
            # The router is on the VLAN alone.
            vlan, addresses = value.split(":", 1)
            host.batch("lan", ["address flush dev up0"])
            host.lan(*addresses.split(","), vlan=int(vlan))
        elif key == "link":
            peer = f"up{value[-1]}"
            host.batch("host", [f"link add {value} type veth peer name {peer}",
                                f"link set {value} up", f"link set {peer} up"])
        elif key == "dhcp":
            # It has only one address, so that the lease is predictable.
            Server(host, pool=f"{value},{value}").begin()
        elif key == "lxc":
            stack.enter_context(lxc_container.made(host, value, begin=False))
        elif key == "copy":
            source, name = value.split(":")
            host.write(read(source), name)
        elif key == "engine":
            made = PageDocker if value == "docker-runtime" else None
            if value == "docker-driver":
                stack.enter_context(plugged(host, f"{WORK}/network.yaml"))
                value = "docker"
            real = stack.enter_context(running(host, value, made))
            real.load("alpine")
            env = real.env
        elif key == "stand-in":
            env = stack.enter_context(stand_in(host, value))
        else:
            raise AssertionError(f"no such preparation: {key}")
    return env


def play(host, section):
    with contextlib.ExitStack() as stack:
        play_in(host, section, prepare(host, section.setup, stack))


def play_in(host, section, env):
    shell, commands = Shell(host, env), 0
    for language, content in section.blocks:
        name = re.match(r"(?:#!/bin/sh\n)?# ([\w./-]+\.(?:yaml|sh|network|container))\n", content)
        if language in ("yaml", "sh", "ini") and name:
            os.makedirs(os.path.dirname(name[1]) or ".", exist_ok=True)
            host.write(content, name[1])
        elif language == "console" or (not language and re.search(r"^\$ ", content, re.MULTILINE)):
            for command, expected in steps(content):
                shell.step(command, expected)
                commands += 1
    assert commands, "nothing was played"
