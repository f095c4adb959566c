"""`mvapply watch` with a log without a reader, too few descriptors, and a metrics folder that
others can write: it repairs nevertheless."""
import contextlib
import fcntl
import os
import re
import resource
import signal
import subprocess
import termios

from declare import document, lan
from faults import STRIDE
from host import same
from registry import test
from service import watching

TEXT = document({"n": lan(ip_range="172.16.86.0/24")}, {"web": ["n"]})


@contextlib.contextmanager
def writing_to(host, descriptor, *arguments):
    """A service with that log."""
    child = subprocess.Popen([host.binary, "watch", *arguments], stdin=subprocess.DEVNULL,
                             stdout=descriptor, stderr=descriptor)
    try:
        yield child
        child.terminate()
        same(child.wait(10 * host.patience), 0, "the exit code")
    finally:
        child.kill()
        child.wait()


def repaired(host, child, times=1):
    for _ in range(times):
        host.until(lambda: child.poll() is not None or host.routes("web"), "attached", 20)
        same(child.poll(), None, "it still runs")
        host.ip("web", "link del eth0")
    host.until(lambda: host.routes("web"), "attached again", 20)


def small_pipe():
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    return read, write


for FORM in ([], ["-o", "json"]):
    @test(f"watch log: its reader ends, and the repairs continue{', as JSON' if FORM else ''}")
    def reader_gone(host, form=tuple(FORM)):
        host.netns("web")
        read, write = small_pipe()
        with writing_to(host, write, "-f", host.write(TEXT), *form) as child:
            os.close(write)
            host.until(lambda: host.routes("web"), "attached", 20)
            os.close(read)
            repaired(host, child, 4)


@test("watch log: a reader that returns gets the number of missed lines")
def reader_back(host):
    host.netns("web")
    os.mkfifo("log")
    reader = os.open("log", os.O_RDONLY | os.O_NONBLOCK)
    write = os.open("log", os.O_WRONLY)
    with writing_to(host, write, "-f", host.write(TEXT)) as child:
        os.close(write)
        host.until(lambda: host.routes("web"), "attached", 20)
        os.close(reader)
        repaired(host, child, 3)
        with open("log", "rb", buffering=0) as log:
            os.set_blocking(log.fileno(), False)
            host.ip("web", "link del eth0")
            text = b""
            def logged():
                nonlocal text
                text += log.read(65536) or b""
                return b"created attach web/n" in text
            host.until(logged, "it says what it does again", 20)
            lost = re.search(rb"warning: (\d+) lines of the log were lost: the reader was too slow", text)
            assert lost and int(lost[1]) >= 3, text


@test("watch log: with a full log the service keeps repairing; dropped lines are counted", seconds=120)
def full(host):
    host.netns("web")
    read, write = small_pipe()
    bad = document({"n": lan(**{f"{'wrong' * 40}{number}": 1 for number in range(99)})},
                   {"web": ["n"]})
    with writing_to(host, write, "-f", host.write(TEXT)) as child:
        os.close(write)
        host.until(lambda: host.routes("web"), "attached", 20)
        host.write(bad)  # 25 KiB of errors each time
        for _ in range(20):
            child.send_signal(signal.SIGHUP)
            repaired(host, child)
        os.set_blocking(read, False)
        text, over = b"", b"lines of the log were lost: the reader was too slow\n"

        def drained():
            nonlocal text
            with contextlib.suppress(BlockingIOError):
                while chunk := os.read(read, 65536):
                    text += chunk
            return over in text
        host.until(drained, "it says how many were lost", 30)
        lines = text.decode().splitlines()
        lost = int(re.search(rb"(\d+) " + over, text)[1])
        said = sum("is an unknown key" in line for line in lines)
        assert said >= 500 and lost >= 500 and said + lost >= 20 * 99, (said, lost)
        assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in lines), "half a line"
        repaired(host, child)
    os.close(read)


@test("watch log: a stopped terminal does not stop the repairs")
def stopped_terminal(host):
    host.netns("web")
    main, terminal = os.openpty()
    with writing_to(host, terminal, "-f", host.write(TEXT)) as child:
        host.until(lambda: host.routes("web"), "attached", 20)
        termios.tcflow(terminal, termios.TCOOFF)
        repaired(host, child, 3)
        termios.tcflow(terminal, termios.TCOON)
        repaired(host, child)
    os.close(terminal)
    os.close(main)


@test("watch metrics: unmanaged files in their directory are neither followed nor written to")
def metrics_planted(host):
    host.netns("web")
    os.mkdir("figures")
    with open("victim", "w", encoding="utf-8") as file:
        file.write("mine")
    with watching(host, "-f", host.write(TEXT), "--metrics", "figures/mvapply.prom") as service:
        service.quiet()
        for name in (f"mvapply.prom.{service.pid}.tmp", "mvapply.prom.tmp", "mvapply.prom"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"figures/{name}")
            os.symlink("../victim", f"figures/{name}")
        host.ip("web", "link del eth0")
        service.until(lambda: host.routes("web"), "attached again")
        service.until(lambda: not os.path.islink("figures/mvapply.prom"), "the figures are written")
        with open("figures/mvapply.prom", encoding="utf-8") as file:
            assert "mvapply_converged 1" in file.read()
        same(oct(os.stat("figures/mvapply.prom").st_mode), "0o100644", "the mode")
        with open("victim", encoding="utf-8") as file:
            same(file.read(), "mine", "the victim")
        same(len(os.listdir("figures")), 3, "what is there")


@test("apply: a reader of the output may end; all steps are done", both=True)
def apply_reader_gone(host):
    host.netns("web")
    path = host.write(document({"n": lan(ip_range="172.16.86.0/24")}, {"web": ["n"], "db": ["n"]}))
    read, write = small_pipe()
    child = subprocess.Popen([host.binary, "apply", "-f", path, "--wait=20"],
                             stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    os.close(read)
    host.until(lambda: host.routes("web"), "the first is attached", 20)
    host.netns("db")
    host.until(lambda: host.routes("db"), "the second is attached", 20)
    error = child.communicate(timeout=20 * host.patience)[1]
    same((child.returncode, b"cannot write the output" in error or b"not all of the output" in error),
         (1, True), f"how it ends, with {error}")


@test("watch limits: too few descriptors for its set are reported once", seconds=120)
def few_descriptors(host):
    names = [f"c{number}" for number in range(150)]
    host.netns(*names)
    text = document({"n": lan(ip_range="172.16.86.0/24")}, {name: ["n"] for name in names})

    def limit(hard):
        resource.setrlimit(resource.RLIMIT_NOFILE, (30, hard))
    with watching(host, "-f", host.write(text), before=lambda: limit(100), seconds=60) as service:
        service.quiet(1)
        news = service.news()
        said = [line for line in news if "open files" in line]
        same(["(limit 100)" in line for line in said], [True], f"what it says of them: {news[:20]}")
        same([line for line in news if "created" not in line], said, "what else it says")
        service.send(signal.SIGHUP)
        service.until_says("SIGHUP")
        service.quiet(1)
        # Neither the limit nor the set has changed, though an observation in between may have
        # succeeded.
        same([line for line in service.news() if "open files" in line], [], "told again")
    with watching(host, "-f", "network.yaml", before=lambda: limit(4096)) as service:
        service.until(lambda: all(host.names(name) for name in names), "all are attached", 30)


@test("watch limits: the failure of any descriptor is logged once, and has no other effect", seconds=240)
def one_too_many(host):
    names = [f"c{number:02}" for number in range(30)]
    host.netns(*names)
    text = document({"n": lan(ip_range="172.16.86.0/24")}, {name: ["n"] for name in names})
    for hard in range(38, 68, 3 * STRIDE):
        with watching(host, "-f", host.write(text),
                      before=lambda hard=hard: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)),
                      converged=False) as service:
            service.quiet(1)
            for name in names[:3]:
                host.batch(name, ["link del eth0"] if "eth0" in host.names(name) else [])
            service.quiet(1)
            said = [line for line in service.news() if "created" not in line]
            same([line for line in said if f"open files (limit {hard}):" not in line], [],
                 f"what it says with {hard}")
            assert len(said) <= 1, said
        host.delete(text)


@test("watch limits: a limit of descriptors below the number that the DHCP broker polls ends nothing")
def fewer_than_polled(host):
    host.netns("c0", "c1", "c2")
    text = document({"n": lan(ip_range="172.16.86.0/24")}, {name: ["n"] for name in ("c0", "c1", "c2")})
    for hard in (40, 64, 65):
        with watching(host, "-f", host.write(text),
                      before=lambda hard=hard: resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard)),
                      converged=False) as service:
            for _ in range(2):
                service.until(lambda: "eth0" in host.names("c1"), "attached", 20)
                host.ip("c1", "link del eth0")
            service.until(lambda: "eth0" in host.names("c1"), "repaired", 20)
        host.delete(text)


@test("limits: a diff whose hard limit of descriptors is too small names the unread containers")
def diff_few_descriptors(host):
    names = [f"c{number}" for number in range(60)]
    host.netns(*names)
    done = host.run(host.binary, "diff", "-f", host.write(document({"n": lan(ip_range="172.16.86.0/24")}, {name: ["n"] for name in names})),
                    code=1, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (30, 50)))
    blocked = [line for line in done.lines if line.startswith("! blocked")]
    assert blocked and all(line.endswith("Too many open files [MV0923]") for line in blocked), done
