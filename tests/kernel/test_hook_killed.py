"""The hook of Podman and the runtime of Docker killed with SIGKILL before any system call of a start: nothing is left,
and the next start attaches the container."""
import concurrent.futures
import contextlib
import os
import signal
import stat

from declare import document, lan
from engines import running
from faults import WHOLE, tool
from host import WORK, same
from registry import test
from test_hook import Hooked, Wrapped, attached, declare, entry

CALLS = "all" if WHOLE else "sendto,sendmsg,write,setns,openat,clone,wait4"
LIMIT = 4000 if WHOLE else 200
NUMBER = f"{WORK}/number"
# It replaces a program: only the command that starts a container is killed, if a number is written.
SCRIPT = """#!/bin/sh
number=$(cat {number} 2>/dev/null)
case "$number: $* " in
[1-9]*:*"{word}"*) exec {killer} -e "$number" {calls} {program} "$@" ;;
esac
exec {program} "$@"
"""


def script(host, name, program, word):
    path = f"{WORK}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(SCRIPT.format(number=NUMBER, word=word, killer=tool(host, "killer"), calls=CALLS, program=program))
    os.chmod(path, stat.S_IRWXU)
    return path


class KilledHook(Hooked):
    """Podman whose hook can be killed."""
    @property
    def program(self):
        return script(self.host, "hook", super().program, "hook")


class KilledRuntime(Wrapped):
    """Docker whose runtime can be killed while it creates a container."""
    @property
    def program(self):
        return script(self.host, "runtime", super().program, " create ")


def kill_at(number):
    with open(NUMBER, "w", encoding="ascii") as file:
        file.write(str(number))


def starts(engine, name):
    try:
        engine.start(name)
        return True
    except AssertionError:
        return False


def processes(*words):
    """The process ids of the programs whose arguments have all of the words, without the tests' own."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            arguments = file.read().decode(errors="replace").split("\0")
            if all(word in arguments for word in words) and "--only" not in arguments:
                found.append(int(pid))
    return found


for made in (KilledHook, KilledRuntime):
    @test(f"hook killed: {made.kind}: before each call of a start", seconds=3600 if WHOLE else 400)
    def each(host, made=made):
        with running(host, made.kind, made) as engine:
            declare(entry(engine))
            before = host.snapshot("host")
            for number in range(1, LIMIT):
                kill_at(number)
                engine.create("my-web")
                started = starts(engine, "my-web")
                if started:
                    break
                kill_at(0)
                same(host.snapshot("host"), before, f"the host after a kill before call {number}")
                engine.start("my-web")
                attached(engine.log("my-web"))
                engine.remove("my-web")
                same(host.snapshot("host"), before, f"the host at the end, after a kill before call {number}")
            attached(engine.log("my-web"))
            assert 20 < number < LIMIT - 1, f"killed {number - 1} times"
            print(f"killed {number - 1} times")
            engine.remove("my-web")
            host.until(lambda: not processes("sleep", "1000") and not processes("hook"), "no process is left", 15)


for made, arguments in ((Hooked, ("hook",)), (Wrapped, ("hook",)), (Wrapped, ("create",))):
    @test(f"hook killed: {made.kind}: the program with the argument {arguments[0]}, while it waits for the parent", seconds=120)
    def waiting(host, made=made, arguments=arguments):
        with running(host, made.kind, made) as engine, concurrent.futures.ThreadPoolExecutor(1) as pool:
            declare(entry(engine, network=lan(parent="late0")))
            engine.create("my-web")
            start = pool.submit(starts, engine, "my-web")
            host.until(lambda: processes("hook", "-f" if made == Hooked else f"--file={engine.files}"), "the hook runs")
            for pid in processes(*arguments):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            same(start.result(30), False, "the start")
            host.batch("host", ["link add late0 type veth peer name late1", "link set late1 up", "link set late0 up"])
            engine.start("my-web")
            attached(engine.log("my-web"))
            engine.remove("my-web")
            host.until(lambda: not processes("hook"), "the hook has ended", 15)
            same(host.names("host"), {"eth0", "late0", "late1"}, "links of the host")
