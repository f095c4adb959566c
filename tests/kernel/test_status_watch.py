"""`status --watch`: a table on a terminal, and otherwise the changes."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import unicodedata

from declare import document, lan
from host import same
from registry import test
from terminal import read_some

TEXT = document({"n": lan()}, {"web": ["n"], "db": ["n"]})


@contextlib.contextmanager
def watching(host, *arguments, terminal=False, rows=24, columns=100,
             term="xterm"):
    """The running command, and a function that waits until its output satisfies a condition."""
    if terminal:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    else:
        ours, theirs = os.pipe()
    child = subprocess.Popen([host.binary, "status", "--watch", *arguments], stdout=theirs,
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             env={**os.environ, "TERM": term})
    os.close(theirs)
    written = []

    def until(holds, what):
        def look():
            while select.select([ours], [], [], 0)[0]:
                data = read_some(ours)
                if not data:
                    break
                written.append(data.decode())
            return holds("".join(written))
        return host.until(look, what, 20)
    try:
        yield child, until
    finally:
        child.kill()
        child.wait()
        child.stderr.close()
        os.close(ours)


def end(child, number=signal.SIGINT):
    child.send_signal(number)
    same((child.wait(20), child.stderr.read()), (0, b""), "the end")


@test("status --watch: a terminal without cursor control gets the output of a pipe")
def dumb(host):
    host.netns("web", "db")
    host.apply(TEXT)
    with watching(host, "-f", host.write(TEXT), terminal=True, term="dumb") as (child, until):
        until(lambda written: written.count("live") == 2, "the table")
        until(lambda written: "\x1b" not in written and "Ctrl-C" not in written, "plain text")
        end(child)


@test("status --watch: in a pipe, the table whenever it has changed")
def pipe(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT)) as (child, until):
        until(lambda out: "web/n" in out and "missing" in out, "the first table")
        host.apply(TEXT)
        until(lambda out: "172.16.86.2/24" in out.split("\n\n")[-2], "after apply")
        host.ip("web", "link set eth0 mtu 1400")
        out = until(lambda out: "drifted" in out and out, "after a drift")
        tables = [table.splitlines() for table in out.strip().split("\n\n")]
        assert all(table[0].split() == ["OBJECT", "STATE", "LINK", "ADDRESSES", "MAC", "DETAILS"]
                   for table in tables), tables
        assert all(before != after for before, after in zip(tables, tables[1:])), tables
        same([line.split() for line in tables[-1][1:]],
             [["web/n", "drifted", "eth0", "172.16.86.2/24", "02:42:ac:10:56:02", "on", "eth0,",
               "default", "via", "172.16.86.1"], ["db/n", "pending", "no", "network", "namespace", '"db"', "yet"]],
             "the last table")
        end(child)


@test("status --watch: it ends when its reader ends")
def unread(host):
    ours, theirs = os.pipe()
    with subprocess.Popen([host.binary, "status", "--watch=600"], stdout=theirs) as child:
        os.close(theirs)
        assert os.read(ours, 4096).startswith(b"OBJECT")
        os.close(ours)
        same(child.wait(20), 0, "exit code")


@test("status --watch: as JSON, a document on each line")
def lines(host):
    host.netns("web")
    host.apply(TEXT)
    with watching(host, "-o", "json") as (child, until):
        out = until(lambda out: "\n" in out and out, "the first line")
        first = json.loads(out.splitlines()[0])
        same((first["version"], first["exit_code"]), (1, 0), "the format, and the exit code so far")
        found = first["attachments"]
        same([(item["container"], item["state"]) for item in found], [("web", "live")], "attachments")
        host.delete(TEXT)
        until(lambda out: len(out.splitlines()) > 1
              and not json.loads(out.splitlines()[-1])["attachments"], "after delete")
        end(child, signal.SIGTERM)


@test("status --watch: on a terminal it uses the alternate screen, and restores the terminal")
def terminal(host):
    host.netns("web", "db", "ci")
    text = document({"n": lan()}, {"web": ["n"], "db": ["n"], "ci": ["n"]})
    host.apply(text)
    with watching(host, "-f", host.write(text), terminal=True, rows=5, columns=40) as (child, until):
        until(lambda out: out.count("\x1b[H") >= 2, "a second look")
        end(child)
        out = until(lambda out: out.endswith("\x1b[?1049l") and out, "the screen is given back")
    assert out.startswith("\x1b[?1049h\x1b[?25l"), repr(out)
    assert "\x1b[32mlive\x1b[0m" in out, f"no colour: {out!r}"
    screen = out.split("\x1b[H")[1].replace("\x1b[32m", "").replace("\x1b[0m", "")
    shown = [line.replace("\x1b[K", "").replace("\x1b[J", "") for line in screen.split("\r\n")]
    same(len(shown), 5, f"lines of {shown}")
    same(shown[-1], "... and 2 more", "what does not fit")
    assert max(map(len, shown)) <= 40, shown


def columns(text):
    """How many a terminal takes for it."""
    return sum(0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
               for one in text)


def screen(host, path, width):
    """The lines of the table on a terminal, without its colours."""
    with watching(host, "-f", path, terminal=True, columns=width) as (child, until):
        until(lambda out: "\x1b[J" in out, "the table")
        end(child)
        out = until(lambda out: out.endswith("\x1b[?1049l") and out, "the screen is given back")
    return [re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", line)
            for line in out.split("\x1b[H")[1].split("\r\n")]


@test("status: columns are aligned, and cut between characters, in any script")
def scripts(host):
    names = ["\u5bb9\u5668\u5bb9\u5668", "e\u0300e\u0300", "\U0001f433", "caf\u00e9", "web"]
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    path = host.write(text)
    for old, name in zip(["eth0", *names], names):
        host.batch("web", [f"link set {old} down", f"link set {old} name {name}"])
        shown = screen(host, path, 120)
        titles = next(line for line in shown if "ADDRESSES" in line)
        row = next(line for line in shown if name in line)
        same(columns(row.split("172.16.86.")[0]), titles.index("ADDRESSES"), f"the column\n{row}")
        for width in range(18, 29):
            cut = screen(host, path, width)
            assert max(map(columns, cut)) <= width, cut
            assert any(line and row.startswith(line) for line in cut), cut


@test("status --watch: bad values")
def bad(host):
    for value in ("0", "x", "4000"):
        assert "--watch" in host.mvapply("status", f"--watch={value}", code=3).err, value
