"""A set that a running service keeps: an apply or delete of it warns first, a second service is refused, and
what a one-off apply attached in addition is removed."""
import contextlib
import json
import os
import signal
import socket

from declare import document, lan
from host import same
from registry import test
from service import Service, watching
from test_confirm import waiting
from test_json import fits

NETWORKS = {"n": lan(ip_range="172.16.86.0/25")}
ONE = document(NETWORKS, {"web": ["n"]})
TWO = document(NETWORKS, {"web": ["n"], "extra": ["n"]})
OTHER = document(NETWORKS, {"db": ["n"]}, name="other")
LINE = 'mvapply: warning: process {} (mvapply watch -f network.yaml) manages the set "default" and undoes ' \
    "changes that are not in its files"


@test("watch keeps: an apply and a delete of the set report the service, others do not", both=True)
def said_first(host):
    host.netns("web", "extra", "db")
    host.write(TWO, "two.yaml")
    host.write(OTHER, "other.yaml")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        done = host.mvapply("apply", "-f", "two.yaml", code=0)
        assert done.err.startswith(LINE.format(service.pid)), done
        service.until(lambda: not host.names("extra"), "what its files do not name is removed")
        done = host.mvapply("delete", "-f", "two.yaml", code=0)
        assert done.err.startswith(LINE.format(service.pid)), done
        service.until(lambda: host.routes("web"), "attached again")
        same(host.mvapply("apply", "-f", "other.yaml", code=0).err, "", "of another set")
        same(host.mvapply("diff", "-f", "two.yaml", code=2).err, "", "of a diff")
        service.quiet()
        same((host.names("db"), host.names("extra")), ({"eth0"}, set()), "links")
    same(host.mvapply("apply", "-f", "two.yaml", code=0).err, "", "once it has ended")


@test("watch keeps: in JSON a warning of the document, and nothing on standard error")
def said_in_json(host):
    host.netns("web", "extra", "db")
    host.write(TWO, "two.yaml")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        line = LINE.format(service.pid).removeprefix("mvapply: warning: ")
        host.mvapply("diff", "-f", "two.yaml", "--out", "plan.json", code=2)
        for words in (("apply", "plan.json"), ("apply", "-f", "two.yaml"),
                      ("apply", "-f", "two.yaml", "--wait=1"), ("delete", "-f", "two.yaml"),
                      ("delete", "--name", "default")):
            service.until(lambda: host.routes("web") and not host.names("extra"), "as its files say")
            service.quiet()
            done = host.mvapply(*words, "-o", "json", code=0)
            fits(done.json, "plan")
            same((done.json["warnings"], done.err), ([line], ""), words)
        done = host.mvapply("diff", "-f", "network.yaml", "-o", "json", code=None)
        same(done.json["warnings"], [], "of a diff")
        with waiting(host, OTHER, file="other.yaml"):
            done = host.mvapply("apply", "-f", "two.yaml", "-o", "json", code=4)
        fits(done.json, "errors")
        same((done.json["warnings"], done.err), ([line], ""), "of an apply that cannot begin")


@contextlib.contextmanager
def second(host, *arguments, code=0):
    """Another service, with its own log and notes."""
    os.makedirs("/run/second", exist_ok=True)
    service = Service(host, *arguments, notify=False)
    service.path = "/run/second/service.log"
    service.begin()
    try:
        yield service
        if code == 0:
            service.end()
        same(service.process.returncode, code, "the second service's exit code")
    finally:
        service.process.kill()
        service.process.wait()
        service.socket.close()


@test("watch keeps: a set is taken over when another service ends or releases it")
def taken_over(host):
    host.netns("web", "db", "extra")
    host.write(OTHER, "second.yaml")
    for how in ("ends", "is killed", "gives it up"):
        host.write(ONE)
        with watching(host, "-f", "network.yaml") as first:
            with second(host, "-f", "second.yaml") as service:
                service.until(lambda: host.routes("db"), "the other set")
                host.write(TWO, "second.yaml")
                service.until(lambda: any("is already managed by process" in line for line in service.log()),
                              "it is refused")
                first.settle()
                service.quiet()
                same((host.names("extra"), host.names("db")), (set(), {"eth0"}), "while it is kept")
                if how == "gives it up":
                    host.write(document({"n": lan()}, {"web": ["n"]}, name="third"))
                else:
                    first.end(*((signal.SIGKILL, -9) if how == "is killed" else ()))
                service.until(lambda: host.names("extra"), f"taken over once the first {how}", 20)
                same(host.routes("web") != set(), True, "what was there stays")
            host.mvapply("delete", "--name", "default")
            for name in ("other", "third"):
                host.mvapply("delete", "--name", name, code=None)
            host.write(OTHER, "second.yaml")
            if first.process.poll() is not None:
                first.process.returncode = 0


@test("watch keeps: a service that waits for a set uses no processor time, whoever has the name")
def waits_at_rest(host):
    host.netns("web", "db")
    host.write(OTHER, "second.yaml")
    with watching(host, "-f", host.write(ONE)) as first:
        with second(host, "-f", "second.yaml") as service:
            service.until(lambda: host.routes("db"), "the other set")
            host.write(TWO, "second.yaml")
            service.until(lambda: any("is already managed by process" in line for line in service.log()),
                          "it is refused")
            first.quiet(1)
            service.quiet(1)
            same(sum("is already managed by process" in line for line in service.log()), 1, "lines of it")


@test("watch keeps: a second service on the set is refused, and accepts no such file afterwards")
def second_refused(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(ONE)) as service:
        done = host.run(host.binary, "watch", "-f", "network.yaml", code=4)
        assert f'the set "default" is already managed by process {service.pid} (mvapply watch -f network.yaml) [MV0924]' in \
            done.err, done
        same(host.routes("web") != set(), True, "the first goes on")


@test("watch keeps: a saved plan, and delete by the set's name, report the service as well")
def said_by_all(host):
    host.netns("web", "extra")
    host.write(TWO, "two.yaml")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        host.mvapply("diff", "-f", "two.yaml", "--out", "plan.json", code=2)
        for words in (("apply", "plan.json"), ("delete", "--name", "default")):
            done = host.mvapply(*words, code=0)
            assert done.err.startswith(LINE.format(service.pid)), done
            service.until(lambda: host.routes("web") and not host.names("extra"), "as its files say")
            service.quiet()


@test("watch keeps: JSON and the log name the process and the files that keep a second service from the set")
def second_in_json(host):
    host.netns("web", "db", "extra")
    host.write(OTHER, "second.yaml")
    with watching(host, "-f", host.write(ONE)) as service:
        sentence = f'the set "default" is already managed by process {service.pid} (mvapply watch -f network.yaml)'
        done = host.run(host.binary, "watch", "-f", "network.yaml", "-o", "json", code=4)
        line, = [json.loads(line) for line in done.out.splitlines()]
        same((line["level"], line["code"], sentence in line["message"], done.err), ("error", "MV0924", True, ""),
             "a service that starts")
        with second(host, "-f", "second.yaml", "-o", "json") as other:
            other.until(lambda: host.routes("db"), "the other set")
            host.write(TWO, "second.yaml")
            other.until(lambda: any(line.get("code") == "MV0924" for line in other.output()), "it is refused")
            line, = [line for line in other.output() if line.get("code") == "MV0924"]
            same((line["level"], sentence in line["message"]), ("error", True), "a service whose files change")
        with second(host, "-f", "second.yaml", code=4) as other:
            other.process.wait(20)
            assert any(f"{sentence} [MV0924]" in line for line in other.log()), other.log()


@test("watch keeps: a process without root that has the name has no effect")
def squatted(host):
    host.netns("web")
    with host.inside("host"):
        thief = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        thief.bind("\0mvapply-watch/default")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        same(host.mvapply("apply", "-f", "network.yaml", code=0).err, "", "an apply")
        assert any("cannot listen at @mvapply-watch/default" in line for line in service.log()), service.log()
    thief.close()
