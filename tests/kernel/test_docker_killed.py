"""The plugin killed with SIGKILL at each call of real `docker run` and `docker rm`, before it reads the call and
before Docker gets the answer; systemd's socket starts it again. Docker repeats the call."""
import concurrent.futures
import contextlib
import os
import signal
import socket
import subprocess
import threading

from declare import document, lan
from docker_plugin import SOCKET, Plugin, children, plugged, processes
from engines import running
from host import WORK, same
from registry import test
from test_docker_driver import FILE, RANGE, SLOW, Driven, state

PASSED = f"{WORK}/passed.sock"
PASS = 'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" docker-plugin -f "$1"'


class Activated(Plugin):
    """A plugin with a listening socket that outlives it, as systemd has it."""
    def __init__(self, host, path):
        super().__init__(host, path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(PASSED)
        self.listener.listen()

    def begin(self):
        with open(self.log, "ab") as log, self.host.inside("host"):
            self.process = subprocess.Popen(
                ["sh", "-c", PASS, self.host.binary, self.path], stdin=self.listener, stdout=log, stderr=log,
                env={**os.environ, "DOCKER_HOST": f"unix://{WORK}/docker/engine.sock"})


def message(file):
    """The bytes of one HTTP request or answer, and its path; b"" at the end of the connection."""
    head = b""
    while (line := file.readline()).strip():
        head += line
    length = [int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-length:")]
    return head + line + file.read(*length) if head else b""


class Between:
    """A socket between Docker and the plugin. It knows the calls, and kills the plugin at one of them."""
    def __init__(self, plugin):
        self.plugin, self.calls, self.strike, self.lock = plugin, [], None, threading.Lock()
        self.outstanding = []  # methods without an answer of the plugin yet
        os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(SOCKET)
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def strikes(self, method, when):
        """Kills the plugin if that is the chosen moment, once."""
        with self.lock:
            if self.strike != (method, when):
                return False
            self.strike = None
            self.plugin.restart()
            return True

    def serve(self, client):
        with contextlib.suppress(OSError), client, client.makefile("rb") as requests:
            while request := message(requests):
                method = request.split()[1].decode().strip("/")
                self.calls.append(method)
                if self.strikes(method, "unread"):
                    return
                with self.unanswered(method), socket.socket(socket.AF_UNIX) as plugin:
                    plugin.connect(PASSED)
                    plugin.sendall(request)
                    answer = message(plugin.makefile("rb"))
                if not answer or self.strikes(method, "unanswered"):
                    return
                client.sendall(answer)

    @contextlib.contextmanager
    def unanswered(self, method):
        self.outstanding.append(method)
        try:
            yield
        finally:
            self.outstanding.remove(method)

    def calls_of(self, action):
        """The methods that Docker calls meanwhile, in their order."""
        self.calls.clear()
        action()
        return list(dict.fromkeys(self.calls))


@contextlib.contextmanager
def docker_between(host):
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    plugin = Activated(host, FILE)
    plugin.begin()
    try:
        between = Between(plugin)
        with running(host, "docker", Driven) as docker:
            yield docker, between
    except BaseException:
        for path in (plugin.log, f"{WORK}/docker/log"):
            with open(path, encoding="utf-8", errors="replace") as file:
                print(file.read()[-6000:])
        raise
    finally:
        plugin.kill()


def moments(between, action):
    """Calls the function once for each call and moment, with the plugin killed there."""
    action()
    methods = between.calls_of(action)
    for method in methods:
        for when in ("unread", "unanswered"):
            between.strike = method, when
            yield f"{method}, {when}"
            assert not between.strike, f"Docker did not call {method}"
    print(f"killed at {' '.join(methods)}, twice each")


def repeated(action):
    """Docker repeats an interrupted call without its arguments: some then fail, and say what to do. Returns whether
    this one did."""
    try:
        action()
        return False
    except AssertionError as error:
        assert "MV1410" in str(error), error
        return True


@test("docker killed: the plugin at each call of a network's creation and removal", seconds=240)
def networks(host):
    with docker_between(host) as (docker, between):
        def whole():
            docker.network()
            docker.call("DELETE", "/networks/lan")

        failed = []
        for moment in moments(between, whole):
            if repeated(whole):
                failed.append(moment)
            same([network["Name"] for network in docker.call("GET", "/networks") if network["Driver"] == "mvapply"],
                 [], f"networks of Docker, {moment}")
        same({moment.partition(",")[0] for moment in failed},
             {"IpamDriver.RequestPool", "IpamDriver.RequestAddress", "NetworkDriver.CreateNetwork"}, "calls that had to be repeated")
        docker.network()
        docker.run("web")
        same(docker.endpoint("web")[0], "172.16.86.2", "the address")
        docker.remove("web")


@test("docker killed: the plugin at each call of a run and a removal", seconds=240)
def one(host):
    with docker_between(host) as (docker, between):
        def start():
            docker.start("web")
            text = docker.log("web")
            assert "172.16.86.2/24" in text and "default via 172.16.86.1" in text, text

        def whole():
            docker.create("web")
            start()
            docker.remove("web")

        before = host.snapshot("host")
        docker.network()
        failed = []
        for moment in moments(between, whole):
            docker.create("web")
            if repeated(start):
                failed.append(moment)
                host.until(lambda: host.snapshot("host") == before, f"nothing is left, {moment}", 15)
                start()
            docker.remove("web")
            host.until(lambda: host.snapshot("host") == before, f"nothing is left at the end, {moment}", 15)
        same({moment.partition(",")[0] for moment in failed},
             {"IpamDriver.RequestAddress", "NetworkDriver.CreateEndpoint", "NetworkDriver.Join"}, "calls that had to be repeated")


def restarted(docker, between):
    """Docker 20.10 sometimes blocks for ever when it repeats a call while another container starts: it has made no call that
    the plugin has not answered, and answers no request of its own."""
    same(between.outstanding, [], "calls that the plugin has not answered")
    docker.process.kill()
    docker.process.wait()
    # Its containerd has ended with it; the first process of the test's PID namespace leaves a zombie with that id.
    os.unlink(f"{WORK}/docker/exec/containerd/containerd.pid")
    docker.begin()
    docker.remove_all()


@test("docker killed: the plugin at each call, while two containers start and stop", seconds=400)
def two(host):
    with docker_between(host) as (docker, between), concurrent.futures.ThreadPoolExecutor(2) as pool:
        names = ["one", "two"]

        def attempt(name):
            """Whether it has started."""
            docker.create(name)
            return not repeated(lambda: docker.start(name))

        def whole():
            started = [name for name, done in zip(names, list(pool.map(attempt, names))) if done]
            addresses = []
            for name in started:
                docker.log(name)
                with docker.space(name) as space:
                    addresses += state(host, space)[1]
            same(len(set(addresses)), len(started), f"addresses of {started}: {addresses}")
            list(pool.map(docker.remove, names))
            return len(started)

        before = host.snapshot("host")
        docker.network()
        total = blocked = 0
        for moment in moments(between, whole):
            try:
                total += whole()
            except TimeoutError:
                restarted(docker, between)
                blocked += 1
            host.until(lambda: host.snapshot("host") == before, f"nothing is left, {moment}", 15)
        same(whole(), 2, "at the end")
        print(f"{total} containers started")
        assert blocked <= 2, f"Docker has blocked itself {blocked} times"


@test("docker killed: a worker that has made a link and has not answered", seconds=120)
def worker(host):
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    with plugged(host, FILE, tracer=SLOW) as plugin, running(host, "docker", Driven) as docker, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        docker.network()
        docker.create("web")
        own = {plugin.process.pid, *children(plugin.process.pid)}
        host.until(lambda: processes(host) == own, "the comparison at the start of Docker is over", 20)
        failed = pool.submit(docker.fails, docker.start, "web")
        host.until(lambda: host.names("host") != {"eth0"}, "the link is there", 20)
        for pid in processes(host) - own:
            os.kill(pid, signal.SIGKILL)
        assert "without an answer" in failed.result() or "EOF" in failed.result(), failed.result()
        host.until(lambda: host.names("host") == {"eth0"}, "the link is deleted", 20)
        docker.start("web")
        docker.remove("web")
