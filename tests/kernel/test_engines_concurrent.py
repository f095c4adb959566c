"""Engines are queried concurrently and before the lock, never while it is held. The tests assert the order of
events while an engine delays its answer."""
import contextlib
import os
import re
import resource
import select
import signal
import socket
import subprocess
import time

from declare import document, lan
from fake_daemon import Daemon, daemon, ident
from host import same
from registry import test
from service import queue_held, watching



def attached(host, ns):
    return "eth0" in host.names(ns)


def until_attached(host, service, *spaces):
    for ns in spaces:
        service.until(lambda ns=ns: attached(host, ns), f"{ns} is attached", 20)


def until_requested(host, engine, name, times=1):
    host.until(lambda: engine.count(name) >= times, f"the engine is asked for {name}", 20)


def docker(*names, networks=("n",), plain=()):
    """Containers of the engine by these names, and namespaces."""
    containers = {name: {"docker": name, "networks": list(networks)} for name in names}
    return document({"n": lan()}, {**containers, **{name: list(networks) for name in plain}})


@contextlib.contextmanager
def applying(host, *arguments, env):
    """An mvapply that runs beside the test."""
    running = subprocess.Popen([host.binary, *arguments], env={**os.environ, **env},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@test("engines: a hanging engine does not delay other sets")
def unrelated_apply(host):
    host.netns("web", "plain", "later")
    path = host.write(docker("app"), "docker.yaml")
    unrelated = document({"n": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")},
                         {"plain": ["n"]}, name="other")
    with daemon() as engine, processes(host, "web") as (app,):
        engine.containers["app"] = app.pid
        engine.hold("all")
        with applying(host, "apply", "-f", path, env=engine.env) as running:
            until_requested(host, engine, "app")
            asked = len(engine.asked)
            host.apply(unrelated, env=engine.env)
            same(host.names("plain"), {"eth0"}, "the unrelated set")
            host.delete(unrelated, env=engine.env)
            host.mvapply("delete", "-f", path, env=engine.env)
            same(host.names("plain"), set(), "the unrelated set after delete")
            same(running.poll(), None, "the first apply still waits for its engine")
            same(len(engine.asked), asked, "questions for what needs no answer")
            engine.release()
            same(running.wait(20 * host.patience), 0, "exit code of the first")
        same(host.names("web"), {"eth0"}, "its container")


@test("engines: a container without an answer does not affect the others", seconds=90)
def one_silent(host):
    host.netns("slow", "fast")
    text = docker("slow", "fast")
    with daemon() as engine, host.process("slow") as slow, host.process("fast") as fast:
        engine.containers.update(slow=slow)
        host.apply(text, env=engine.env)
        before = host.link("slow", "eth0")
        engine.containers.update(fast=fast)
        engine.hold("slow")
        done = host.apply(text, env=engine.env)
        said = done.out + done.err
        assert "pending" in said and "no answer in time" in said and "[MV0704]" in said, done
        assert "docker ps" in said, f"no hint\n{done}"
        same(host.names("fast"), {"eth0"}, "the other container")
        same(host.link("slow", "eth0")["ifindex"], before["ifindex"], "the link of the slow one")
        engine.release()
        same(host.apply(text, env=engine.env).plan, [], "once it answers")


@test("engines: many containers of a hanging engine share one time budget", seconds=90)
def one_budget(host):
    names = [f"c{number}" for number in range(150)]
    host.netns("plain")
    with daemon() as engine:
        engine.hold("all")
        done = host.apply(docker(*names, plain=["plain"]), env=engine.env, seconds=80)
        same(len([line for line in done.plan if line.startswith("pending")]), len(names), "pending")
        same(host.names("plain"), {"eth0"}, "what needs no engine")
        assert len(engine.asked) < len(names), f"{len(engine.asked)} questions to one that hangs"


def attempts(host, attempt, count=3):
    """Waits until it is True: a slow machine may take longer than the time limit of an answer."""
    for number in range(count):
        if attempt(number):
            return
    raise AssertionError(f"{count} attempts in vain")


@test("engines: a hanging engine does not delay a container that an apply waits for", seconds=90)
def wait_for_others(host):
    host.netns("web")
    def attempt(number):
        """Two namespaces are created, one after the other, before the first query is answered."""
        plain = [f"p{number}a", f"p{number}b"]
        path = host.write(docker("app", "silent", plain=plain))
        with daemon() as engine, host.process("web") as app:
            engine.containers["app"] = app
            engine.hold("all")
            with applying(host, "apply", "--wait=600", "-f", path, env=engine.env) as running:
                until_requested(host, engine, "silent")
                for ns in plain:
                    host.netns(ns)
                    host.until(lambda ns=ns: attached(host, ns), f"{ns} is attached", 40)
                asked = engine.count("silent")
                engine.release()
                engine.hold("silent")
                host.until(lambda: attached(host, "web"), "app is attached", 40)
                same(running.poll(), None, "it waits for the other one")
                engine.containers["silent"] = app
                engine.release()
                same(running.wait(40 * host.patience), 0, "exit code")
        host.mvapply("delete", "--name", "default")
        return asked == 1
    attempts(host, attempt)


@test("engines: a hanging engine does not delay `status --watch`", seconds=90)
def status_goes_on(host):
    def attempt(number):
        """The table is printed, and printed again with the changes, before the first query is
        answered."""
        text = document({"n": lan()}, {f"p{number}": ["n"]})
        path = host.write(docker("app", plain=[f"p{number}"]), "both.yaml")
        with daemon() as engine:
            engine.hold("all")
            with applying(host, "status", "--watch=1", "-f", path, env=engine.env) as running:
                lines = []
                def until_shown(word):
                    while not (lines and f"p{number}/n" in lines[-1] and word in lines[-1]):
                        lines.append(running.stdout.readline())
                until_shown("pending")
                host.netns(f"p{number}")
                host.apply(text)
                until_shown("live")
                asked = engine.count("app")
                running.send_signal(signal.SIGTERM)
                running.wait(20 * host.patience)
        host.delete(text)
        return asked == 1
    attempts(host, attempt)


@test("engines: export and -o ip query all engines concurrently, within one time budget", seconds=60)
def origins_at_once(host):
    names = [f"c{number}" for number in range(8)]
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    other = host.write(document({"n": lan(subnet="172.16.80.0/24", gateway=None)}, {"web": ["n"]}))
    for words in (("export",), ("diff", "-f", other, "-o", "ip")):
        with daemon() as engine, host.process("web") as pid:
            engine.containers.update({name: pid for name in names})
            engine.hold(*(f"/containers/{ident(name)}/json" for name in names))
            with applying(host, *words, env=engine.env) as running:
                # The engine answers none before it was queried for all, by each of its two names.
                host.until(lambda: all(engine.count(name) == 2 for name in names), "all are asked about", 20)
                engine.release()
                running.wait(20 * host.patience)
            # One that does not answer is waited for once, for its list and all of its containers.
            engine.asked.clear()
            engine.hold("all")
            host.mvapply(*words, code=None, env=engine.env)
            same(sorted(engine.asked), ["/containers/json"] * 2, "questions to one that hangs")


class Process:
    """A container's first process, in a namespace of that name."""
    def __init__(self, host, ns):
        with host.inside(ns):
            self.child = subprocess.Popen(["sleep", "1000"])
        # An engine starts a process, and reports it a while later.
        time.sleep(0.05)

    @property
    def pid(self):
        return self.child.pid

    def end(self):
        self.child.kill()
        self.child.wait()


@contextlib.contextmanager
def processes(host, *spaces):
    started = [Process(host, ns) for ns in spaces]
    try:
        yield started
    finally:
        for process in started:
            process.end()


@test("engines: a container that restarts during the wait for the lock is found again")
def restart_at_lock(host):
    host.netns("web", "other")
    path = host.write(docker("app"))
    with daemon() as engine, processes(host, "web", "other") as (first, second), \
            host.inside("host"), contextlib.ExitStack() as stack:
        waits_for_lock = stack.enter_context(queue_held())
        engine.containers["app"] = first.pid
        with applying(host, "apply", "-f", path, env=engine.env) as running:
            host.until(waits_for_lock, "it waits for the lock", 20)
            assert engine.count("app") == 1, f"asked before the lock: {engine.asked}"
            first.end()
            engine.containers["app"] = second.pid
            stack.close()
            same(running.wait(20 * host.patience), 0, "exit code")
        same((host.names("web"), host.names("other")), (set(), {"eth0"}), "links")


@test("engines: more containers than a process may have descriptors")
def many_descriptors(host):
    host.netns("web")
    names = [f"c{number}" for number in range(40)]
    networks = {"n": lan(subnet="172.16.0.0/16", gateway="172.16.0.1")}
    text = document(networks, {name: {"docker": name, "networks": ["n"]} for name in names})
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (32, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with daemon() as engine, processes(host, "web") as (app,):
        engine.containers.update({name: app.pid for name in names})
        done = host.diff(text, env=engine.env, before=few)
        same([line[0] for line in done.plan], ["+"] * len(names), "operations")


# --- the service

@test("watch: a hanging engine delays nothing else", seconds=90)
def watch_hung(host):
    host.netns("web", "plain", "second")
    with daemon() as engine, processes(host, "web") as (app,):
        engine.containers["app"] = app.pid
        engine.hold("all")
        env = {**engine.env, "WATCHDOG_USEC": "400000"}
        with watching(host, "-f", host.write(docker("app", plain=["plain"])), env=env) as service:
            until_requested(host, engine, "/events")
            until_attached(host, service, "plain")
            host.ip("plain", "link del eth0")
            until_attached(host, service, "plain")
            host.write(docker("app", plain=["plain", "second"]))
            until_attached(host, service, "second")
            service.drain()
            for _ in range(3):
                while "WATCHDOG=1" not in service.note():
                    pass
            assert not attached(host, "web"), "the engine held back its answer"
            engine.release()
            until_attached(host, service, "web")
            # It stops answering again, while its events are received.
            engine.hold("all")
            service.send(1)
            until_requested(host, engine, "app", 2)
            for ns in ("plain", "web"):
                host.ip(ns, "link del eth0")
                until_attached(host, service, ns)
            host.write(docker("app", "app2", plain=["plain"]))
            until_requested(host, engine, "app2")
            service.until(lambda: not attached(host, "second"), "what left the files is removed", 20)
            same(attached(host, "web"), True, "the engine's container")
            service.end()
            same(engine.held, {"all"}, "held back to the end")
        same(host.names("web"), {"eth0"}, "its link when the service has ended")


@test("watch: systemd is notified of readiness, whatever the state of an engine")
def watch_ready(host):
    host.netns("web", "plain")
    path = host.write(docker("app", plain=["plain"]))
    with processes(host, "web") as (app,):
        for hangs in (True, False):
            with contextlib.ExitStack() as stack:
                engine = stack.enter_context(daemon()) if hangs else Daemon()
                engine.containers["app"] = app.pid
                engine.hold("all")
                with watching(host, "-f", path, env=engine.env) as service:
                    first = dict(line.split("=", 1) for line in service.notes[-1].splitlines())
                    same((first["READY"], first["STATUS"].split(", ")[1:3]), ("1", ["1 live", "1 pending"]),
                         "the first that systemd is told")
                    same((attached(host, "plain"), attached(host, "web")), (True, False), "attached")
                    service.send(signal.SIGHUP)
                    service.until(lambda: "RELOADING=1" in service.note(), "it reloads")
                    service.until(lambda: "READY=1" in service.note(), "the end of the reload")
                    if not hangs:
                        engine.begin()
                        stack.callback(engine.end)
                    engine.release()
                    until_attached(host, service, "web")
            host.mvapply("delete", "--name", "default")


@test("watch: a container that starts slowly does not affect the others", seconds=120)
def watch_slow_start(host):
    host.netns("slow", "fast", "later")
    with daemon() as engine, processes(host, "slow", "fast", "later") as (slow, fast, later):
        engine.containers.update(slow=slow.pid, fast=fast.pid)
        engine.hold("slow")
        with watching(host, "-f", host.write(docker("slow", "fast", "later")),
                      env=engine.env) as service:
            until_attached(host, service, "fast")
            service.until_says("no answer in time", 20)
            engine.start("later", later.pid)
            until_attached(host, service, "later")
            until_requested(host, engine, "slow", 2)
            engine.release()  # and nothing is reported
            until_attached(host, service, "slow")
            same(engine.count("/events"), 1, "streams of events")


@test("watch: a socket that was absent while the event stream was open", seconds=60)
def watch_socket_moved(host):
    host.netns("web")
    with daemon() as engine, processes(host, "web") as (app,):
        with watching(host, "-f", host.write(docker("app")), env=engine.env) as service:
            service.until_says('has no container "app" yet', 20)
            os.rename(engine.path, engine.path + ".away")
            # No idle connection is left for further requests.
            engine.drop_idle()
            engine.start("app", app.pid)
            service.until_says("cannot be reached", 20)
            os.rename(engine.path + ".away", engine.path)
            until_attached(host, service, "web")
            same(engine.count("/events"), 1, "streams of events")


@test("watch: an engine that was stopped during a full query", seconds=120)
def watch_stopped_meanwhile(host):
    host.netns("web", "late")
    with daemon() as engine, processes(host, "web", "late") as (app, late):
        engine.containers["app"] = app.pid
        with watching(host, "-f", host.write(docker("app", "late")), env=engine.env) as service:
            until_attached(host, service, "web")
            engine.hold("all")
            engine.containers["late"] = late.pid  # and nothing is reported
            service.send(1)
            service.until_says("no answer in time", 30)
            host.ip("web", "link del eth0")
            until_attached(host, service, "web")
            engine.release()
            until_attached(host, service, "late")
            same(engine.count("/events"), 1, "streams of events")


@test("watch: a restarted engine is connected to as soon as its socket exists", seconds=60)
def watch_coming_back(host):
    host.netns("web")
    path = "/run/one/two/engine.sock"
    with processes(host, "web") as (app,):
        engine = Daemon(path)
        engine.containers["app"] = app.pid
        with watching(host, "-f", host.write(docker("app")), env=engine.env) as service:
            # During a pause of its back-off, which is 6.4 s or longer then.
            service.quiet(4)
            with service.traced("epoll_wait,connect") as trace:
                # strace does not show the call in progress when it attaches: this starts another
                # one.
                os.mkdir("/run/unrelated")
                service.quiet()
                engine.begin()
                until_attached(host, service, "web")
            calls = [line for line in trace.lines if "resumed" in line or "= " in line]
            first = next(number for number, line in enumerate(calls) if "connect(" in line)
            # curl's immediate actions have a time-out of 0.
            woken = [re.search(r" 64, [1-9]\d*\) += (\d+)$", line) for line in calls[:first]]
            woken = [found for found in woken if found]
            assert woken and int(woken[-1][1]) > 0, \
                "it connected when its pause was over\n" + "\n".join(calls)
            engine.end()
            service.until_says("trying again", 20)
            same(host.names("web"), {"eth0"}, "while it is away again")
            host.ip("web", "link del eth0")
            until_attached(host, service, "web")
            engine.begin()
            until_requested(host, engine, "/events", 2)
        engine.end()


@test("watch: the events that an engine is subscribed for")
def watch_counts(host):
    host.netns("web", "again")
    with daemon() as engine, processes(host, "web", "again") as (app, again):
        # Two sets name the same container.
        other = document({"m": lan(subnet="172.16.87.0/24", gateway=None)},
                         {"too": {"docker": "app", "networks": ["m"]}}, name="other")
        with watching(host, "-f", host.write(docker("app")), "-f", host.write(other, "other.yaml"),
                      env=engine.env) as service:
            service.until_says('has no container "app" yet', 20)
            same(engine.count("app"), 1, "questions at the start")
            engine.start("app", app.pid)
            until_attached(host, service, "web")
            same(engine.count("app"), 2, "questions for one start")
            app.end()
            engine.die("app")
            service.until_says('container "app" is not running', 20)
            same(engine.count("app"), 2, "questions for a death")
            engine.start("app", again.pid)
            engine.report("restart", "app")
            until_attached(host, service, "again")
            service.quiet()
            same(engine.count("app"), 3, "questions for a restart")
            asked = len(engine.asked)
            for number in range(200):
                engine.start(f"stranger{number}", 1)
                engine.die(f"stranger{number}")
                engine.report("destroy", f"stranger{number}")
            service.quiet()
            same(len(engine.asked), asked, "questions for what is none of its business")


@test("watch: a storm of thirty restarts, while one container is being started", seconds=120)
def watch_storm(host):
    names = [f"c{number}" for number in range(30)]
    host.netns(*names, *(f"{name}b" for name in names))
    with daemon() as engine, processes(host, *names) as before, \
            processes(host, *(f"{name}b" for name in names)) as after:
        engine.containers.update({name: process.pid for name, process in zip(names, before)})
        with watching(host, "-f", host.write(docker(*names)), env=engine.env) as service:
            until_attached(host, service, *names)
            service.quiet()
            engine.asked.clear()
            engine.hold("c0")
            for name, old, new in zip(names, before, after):
                old.end()
                engine.die(name)
                engine.start(name, new.pid)
                engine.report("restart", name)
            until_attached(host, service, *(f"{name}b" for name in names[1:]))
            assert not attached(host, "c0b"), "the engine held back its answer"
            engine.release()
            until_attached(host, service, "c0b")
            service.quiet()
            for name in names:
                same(engine.count(name), 1, f"questions for the restart of {name}")


@test("watch: a hanging engine that is removed from the files", seconds=60)
def watch_removed(host):
    host.netns("web", "plain")
    with daemon() as engine, processes(host, "web") as (app,):
        engine.containers["app"] = app.pid
        with watching(host, "-f", host.write(docker("app")), "--max-delete=1", env=engine.env) as service:
            until_attached(host, service, "web")
            engine.hold("all")
            service.send(1)
            until_requested(host, engine, "app", 2)
            host.write(document({"n": lan()}, {"plain": ["n"]}))
            until_attached(host, service, "plain")
            service.until(lambda: not attached(host, "web"), "its container is let go", 20)
            service.quiet()
            asked = len(engine.asked)
            engine.release()
            service.quiet()
            same(len(engine.asked), asked, "questions to one that is not named any more")
