"""`mvapply watch` as a service: its interfaces to systemd, the journal and Prometheus."""
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time

from declare import document, lan
from host import WORK, same
from registry import test
from service import HERE, TIME, watching

TWO = {"web": ["n"], "db": ["n"]}
# With a range: without one, a warning is due.
TEXT = document({"n": lan(ip_range="172.16.86.0/25")}, TWO)
METRICS = f"{HERE}/mvapply.prom"


def fields(note):
    return dict(line.split("=", 1) for line in note.splitlines())


# --- systemd

@test("service: systemd is notified of its start, its state, a reload and its end", both=True)
def notifications(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT)) as service:
        same(fields(service.notes[0]), {"READY": "1", "STATUS": "Converged, 1 live, 1 pending, "
                                        "0 to be retried"}, "the first")
        service.settle()
        start, service.notes[:] = time.monotonic_ns() // 1000, []
        service.send(signal.SIGHUP)
        reloading = fields(service.note())
        same(reloading.pop("RELOADING"), "1", "the reload")
        assert start <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000, reloading
        same(fields(service.note())["READY"], "1", "its end")
        host.write("networks: [\n")
        service.until(lambda: "the files have errors" in service.note(), "the status says it")
        service.quiet()
        service.notes[:] = []
        service.end()
        service.drain()
        same(service.notes, ["STOPPING=1"], "the end")


@test("service: the watchdog is notified at half its interval, if it is for this process")
def watchdog(host):
    host.write(TEXT)
    with watching(host, "-f", "network.yaml", env={"WATCHDOG_USEC": "400000"}) as service:
        times = []
        while len(times) < 5:
            if service.note() == "WATCHDOG=1":
                times.append(time.monotonic())
        for pause in (after - this for this, after in zip(times, times[1:])):
            assert 0.1 < pause < 0.35, f"fed at {times}"
    with watching(host, "-f", "network.yaml", env={"WATCHDOG_USEC": "100000",
                                                   "WATCHDOG_PID": "1"}) as service:
        time.sleep(0.5)
        service.drain()
        assert "WATCHDOG=1" not in service.notes, service.notes


@test("service: an absent notify socket is no error")
def no_socket(host):
    host.write(TEXT)
    with watching(host, "-f", "network.yaml") as service:
        os.unlink(f"{HERE}/notify")
        service.send(signal.SIGHUP)
        service.until_says("SIGHUP")
    with watching(host, "-f", "network.yaml", notify=False, converged=False) as service:
        service.until_says("pending")


# --- the log

@test("service: lines with priorities for the journal")
def journal(host):
    host.netns(*TWO)
    host.write(TEXT)
    os.makedirs(HERE, exist_ok=True)
    with open(f"{HERE}/service.log", "wb") as log:
        stat = os.fstat(log.fileno())
    with watching(host, "-f", "network.yaml",
                  env={"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}) as service:
        host.write("networks: [\n")
        service.until_says("the last valid configuration")
        service.send(signal.SIGHUP)
        service.until_says("<5>SIGHUP")
        log = service.log()
    assert all(re.match(r"<[3-6]>\S", line) for line in log), log
    assert "<6>created attach web/n  eth0 172.16.86.2/24 02:42:ac:10:56:02 " \
           "default via 172.16.86.1" in log, log
    assert any(re.match(r"<3>network\.yaml:\d+:\d+: ", line) for line in log), log
    assert any(line.startswith("<4>the files have errors") for line in log), log


@test("service: what it says before its log begins has priorities for the journal, too")
def journal_at_start(host):
    host.netns("web")
    os.makedirs(HERE, exist_ok=True)

    def priorities(*arguments, code):
        with open(f"{HERE}/early.log", "wb") as log:
            stat = os.fstat(log.fileno())
            done = subprocess.run([host.binary, *arguments], stderr=log, check=False, stdout=subprocess.DEVNULL,
                                  env={**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        same(done.returncode, code, f"the exit code of {arguments}")
        with open(f"{HERE}/early.log", encoding="utf-8") as log:
            lines = log.read().splitlines()
        assert lines and all(re.match(r"<[3-6]>", line) for line in lines), lines
        return {line[1] for line in lines}

    host.write("networks: [\n", "bad.yaml")
    same(priorities("watch", "--no-such-option", code=3), {"3"}, "an option")
    same(priorities("watch", code=3), {"3"}, "no file")
    same(priorities("watch", "-f", "-", code=3), {"3"}, "standard input")
    same(priorities("apply", "-f", "bad.yaml", code=3), {"3"}, "a unit that applies once")
    host.write(document({"n": lan()}, TWO))
    same(priorities("apply", "-f", "network.yaml", code=0), {"4"}, "a warning: no ip_range")


@test("service: JSON has priorities if the journal reads standard output")
def journal_json(host):
    os.makedirs(HERE, exist_ok=True)
    with open(f"{HERE}/service.out", "wb") as out:
        stat = os.fstat(out.fileno())
    with watching(host, "-f", "missing", "-o", "json",
                  env={"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}) as service:
        service.quiet()
        with open(f"{HERE}/service.out", encoding="utf-8") as out:
            lines = out.read().splitlines()
    same([line[:3] for line in lines], ["<3>", "<4>"], "priorities")
    assert [json.loads(line[3:])["level"] for line in lines] == ["error", "warning"], lines


@test("service: another JOURNAL_STREAM than stderr gives lines for a terminal")
def no_journal(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), env={"JOURNAL_STREAM": "1:2"}) as service:
        service.until_says("created")
        with open(service.path, encoding="utf-8") as file:
            assert all(TIME.match(line) for line in file), service.log()


@test("service: -q logs errors and warnings alone")
def quiet(host):
    host.netns("web")
    for form in ("text", "json"):
        with watching(host, "-f", host.write(TEXT), "-q", "-o", form) as service:
            service.settle()
            host.ip("web", "link del eth0")
            service.until(lambda: host.names("web"), "repaired")
            same((service.log(), service.output()), ([], []), f"what -q -o {form} says")
            host.write("networks: [\n")
            service.until(lambda: service.log() or service.output(), "the error is told")
            host.delete(TEXT)
            host.write(TEXT)


@test("service: -o json writes a line of JSON for each event")
def json_lines(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "-o", "json") as service:
        service.settle()
        host.ip("web", "link set eth0 mtu 1400")
        service.until(lambda: host.link("web", "eth0")["mtu"] == 1500, "repaired")
        host.write("networks: [\n")
        service.until(lambda: any(line["level"] == "error" for line in service.output()), "told")
        service.quiet()
        lines = service.output()
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), line
        assert line["level"] in ("error", "warning", "notice", "info"), line
    created = next(line for line in lines if line.get("action") == "create")
    same((created["container"], created["network"], created["outcome"], created["addresses"]),
         ("web", "n", "done", ["172.16.86.2/24"]), "what was created")
    changed = next(line for line in lines if line.get("action") == "change")
    same(changed["changes"], [{"field": "mtu", "from": "1400", "to": "1500"}], "the change")
    pending = next(line for line in lines if line.get("action") == "pending")
    same(pending["container"], "db", "who is pending")
    assert any(re.match(r"network\.yaml:\d+:", line["message"]) for line in lines), lines


@test("service: -o json stays valid whatever the files and their names contain")
def json_hostile(host):
    host.write(TEXT)
    os.mkdir(b"conf")
    with open(b"conf/10-\xff.yaml", "w", encoding="utf-8") as file:
        file.write(TEXT)
    with watching(host, "-f", "conf", "-o", "json") as service:
        for bad in (b"networks: {\xff\n", b"n\xc3\xa4me: 1\n" + b"\xc3\xa4" * 2000 + b": 1\n",
                    b'"a\\nb\\u0001": 1\n'):
            before = len(service.output())
            with open(b"conf/10-\xff.yaml", "wb") as file:
                file.write(bad)
            service.until(lambda: any(line["level"] == "warning" and "last valid configuration" in
                                      line["message"] for line in service.output()[before:]),
                          f"told of {bad[:20]}")
            assert any(line["level"] == "error" for line in service.output()[before:]), bad


# --- metrics

def metrics(path=METRICS):
    """{"mvapply_converged": 1.0, ...}"""
    with open(path, encoding="ascii") as file:
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in file.read().splitlines()
                 if not line.startswith("#"))}


def figures(service, **expected):
    expected = {f"mvapply_{name}": value for name, value in expected.items()}
    service.until(lambda: expected.items() <= metrics().items(), f"{expected}, not {metrics()}")


@test("service: the metrics follow the events")
def figures_follow(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "--metrics", METRICS,
                  before=lambda: os.umask(0o077)) as service:
        service.settle()
        same(os.stat(METRICS).st_mode & 0o777, 0o644, "who may read them")
        figures(service, converged=1, input_valid=1, attachments=1, pending=1, waiting=0,
                operations_total=1, drift_repaired_total=0, failures_total=0)
        assert abs(metrics()["mvapply_last_apply_timestamp_seconds"] - time.time()) < 60
        host.ip("web", "link set eth0 mtu 1400")
        figures(service, converged=1, operations_total=2, drift_repaired_total=1)
        host.write("networks: [\n")
        figures(service, converged=1, input_valid=0)
        host.write(TEXT)
        figures(service, converged=1, input_valid=1)
        host.ip("host", "link del eth0")
        figures(service, converged=0, attachments=0)
        same(metrics()["mvapply_round_duration_seconds_count"],
             metrics()['mvapply_round_duration_seconds_bucket{le="+Inf"}'], "the histogram")
        same([name for name in os.listdir(HERE) if name.endswith(".tmp")], [], "files left over")


@test("service: promtool accepts the metrics")
def promtool(host):
    path = shutil.which("promtool")
    assert path, "promtool is not installed (scripts/deps test)"
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "--metrics", METRICS) as service:
        service.settle()
        with open(METRICS, "rb") as file:
            done = host.run(path, "check", "metrics", stdin=file.read(), code=0)
        same(done.out + done.err, "", "promtool")


@test("service: a reader always gets complete metrics")
def atomic(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "--metrics", METRICS) as service:
        service.settle()
        whole, torn, reads, over = set(metrics()), [], 0, threading.Event()

        def flap():
            while not over.is_set():
                host_ip = ["ip", "-n", "web", "-batch", "-"]
                subprocess.run(host_ip, input=b"link set eth0 mtu 1400\n" * 20, check=False,
                               stderr=subprocess.DEVNULL)
        flapper = threading.Thread(target=flap)
        flapper.start()
        try:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                reads += 1
                if set(metrics()) != whole:
                    torn.append(reads)
        finally:
            over.set()
            flapper.join()
        service.quiet()
        same(torn, [], f"torn ones of {reads} reads")
        assert metrics()["mvapply_drift_repaired_total"] > 5, metrics()


@test("service: metrics that cannot be written are reported, and do not end the service")
def unwritable(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "--metrics", f"{WORK}/no/such/file") as service:
        service.until_says("warning: cannot write metrics: ")
        host.ip("web", "link del eth0")
        service.until(lambda: host.names("web"), "repaired")
