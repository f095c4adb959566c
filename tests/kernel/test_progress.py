"""The line that a terminal shows while work takes longer than a second."""
import contextlib
import os
import pty
import re
import select
import socket
import subprocess

from declare import document, lan
from faults import hidden_link
from host import WORK, same
from registry import test

EMPTY = "\r\x1b[K"


class Running:
    """A command whose stderr is a terminal, or a pipe."""

    def __init__(self, host, *argv, terminal=True, env=None):
        self.host, self.said = host, ""
        self.ours, theirs = pty.openpty() if terminal else os.pipe()
        self.child = subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                      stderr=theirs, env={**os.environ, "TERM": "xterm", **(env or {})})
        os.close(theirs)

    def read(self):
        while select.select([self.ours], [], [], 0)[0]:
            try:
                data = os.read(self.ours, 65536)
            except OSError:  # the terminal's other end was closed
                data = b""
            if not data:
                break
            self.said += data.decode()
        return self.said

    def until(self, holds, what):
        return self.host.until(lambda: holds(self.read()), what, 30)

    def end(self):
        out = self.child.communicate(timeout=60 * self.host.patience)[0].decode()
        self.read()
        os.close(self.ours)
        return self.child.returncode, out, self.said


@contextlib.contextmanager
def silent_engine():
    """A socket that accepts connections and never answers; returns a function that closes it."""
    path = f"{WORK}/silent.sock"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(path)
        engine.listen()
        yield {"DOCKER_HOST": f"unix://{path}"}, lambda: engine.accept()[0].close()


TEXT = document({"n": lan(ip_range="172.16.86.0/25")}, {"web": ["n"], "db": {"docker": "db", "networks": ["n"]}})


@test("progress: a terminal shows slow steps, and nothing of it remains")
def looking(host):
    host.netns("web")
    with silent_engine() as (env, hang_up):
        running = Running(host, host.binary, "apply", "-f", host.write(TEXT), env=env)
        running.until(lambda said: said.count("Querying the container engines") >= 2,
                      "the line")
        hang_up()
        code, out, said = running.end()
    same(code, 0, f"exit code of {out} {said}")
    assert re.search(r"\+ attach +web/n ", out) and "Asking" not in out, out
    assert said.endswith(EMPTY), repr(said)


@test("progress: none in a pipe, and none with -q")
def not_shown(host):
    host.netns("web")
    for terminal, more in ((False, []), (True, ["-q"])):
        with silent_engine() as (env, hang_up):
            running = Running(host, host.binary, "diff", "-f", host.write(TEXT), *more, env=env,
                              terminal=terminal)
            seconds = 1.5  # longer than the delay of the line
            select.select([running.ours], [], [], seconds)
            hang_up()
            _, _, said = running.end()
        assert "Looking" not in said and "\x1b" not in said, repr(said)
        os.unlink(f"{WORK}/silent.sock")


@test("progress: an apply counts the steps that are done")
def counted(host):
    names = [f"c{number}" for number in range(8)]
    host.netns(*names)
    text = document({"n": lan(ip_range="172.16.86.0/25")}, {name: ["n"] for name in names})
    running = Running(host, "strace", "-f", "-o", "/dev/null", "-e", "trace=sendto", "-e",
                      "inject=sendto:delay_enter=60000", host.binary, "apply", "-f",
                      host.write(text), env={"ASAN_OPTIONS": "detect_leaks=0"})
    code, out, said = running.end()
    same((code, len(re.findall(r"^\+ attach", out, re.M))), (0, 8), f"of {out} {said}")
    counts = [int(count) for count in re.findall(r"Applying: (\d+) of 8", said)]
    assert len(set(counts)) >= 3 and counts == sorted(counts), counts
    assert said.endswith(EMPTY), repr(said)


@test("progress: a stopped terminal delays neither other runs nor the rollback")
def stopped(host):
    host.netns("web", "db", "ci")
    text = document({"n": lan(ip_range="172.16.86.0/25")}, {"db": ["n"], "web": ["n"]})
    with hidden_link(host, "02:42:ac:10:56:03"):
        running = Running(host, host.binary, "apply", "-f", host.write(text), "--confirm=1")
        os.write(running.ours, b"\x13")  # Ctrl-S
        host.until(lambda: host.names("db"), "db is attached", 20)
        host.until(lambda: not host.names("db"), "it goes back", 20)
        other = host.write(document({"n": lan(ip_range="172.16.86.0/25")}, {"ci": ["n"]}, name="other"), "other.yaml")
        host.until(lambda: host.run(host.binary, "apply", "-f", other).code == 0, "others work", 20)
        same(running.read(), "", "what the terminal took")
        os.write(running.ours, b"\x11")  # Ctrl-Q
        same(running.end()[0], 5, "exit code")


@test("watch: a stopped terminal delays no apply")
def watch_stopped(host):
    host.netns("web", "db", "ci")
    running = Running(host, host.binary, "watch", "-f",
                      host.write(document({"n": lan(ip_range="172.16.86.0/25")}, {"web": ["n"], "db": ["n"]})))
    running.until(lambda said: "created attach db/n" in said, "it has begun")
    os.write(running.ours, b"\x13")  # Ctrl-S
    for ns in ("web", "db"):
        host.ip(ns, "link del eth0")
        host.until(lambda ns=ns: host.names(ns) or ns == "db", "it heals", 20)
    other = host.write(document({"n": lan(ip_range="172.16.86.0/25")}, {"ci": ["n"]}, name="other"), "other.yaml")
    host.mvapply("apply", "-f", other)
    os.write(running.ours, b"\x11")  # Ctrl-Q
    running.until(lambda said: said.count("attach web/n") > 1, "it says what it did")
    running.child.terminate()
    same(running.end()[0], 0, "exit code")
