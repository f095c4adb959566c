"""Real engines: dockerd and Podman's service, started for one test on the test's host. Both use the
same HTTP API here, so that one test serves both. There is no registry: the image consists of
busybox alone."""
import concurrent.futures
import contextlib
import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import urllib.parse

from host import WORK

BUSYBOX = shutil.which("busybox.static") or shutil.which("busybox") or "/bin/busybox"
SLEEP = ["sleep", "1000"]
# A first process that shows its network.
SHOW = ["sh", "-c", "ip addr show; ip route show; echo end; sleep 1000"]

CONTAINERS_CONF = """[containers]
default_ulimits=["nofile=1024:1024","nproc=4096:4096"]
[engine]
cgroup_manager="cgroupfs"
events_logger="file"
[network]
network_config_dir="{home}/networks"
"""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def image():
    """A root file system with nothing but busybox, as a tar."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        tar.add(BUSYBOX, "bin/busybox")
        for name in ("sh", "ash", "sleep", "ip", "cat", "ping"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
        for name in ("proc", "sys", "dev", "etc", "tmp"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
    return file.getvalue()


class Engine:
    """The common part of both. `kind` is the key of the input."""
    kind = variable = None

    def __init__(self, host):
        self.host = host
        self.home = f"{WORK}/{self.kind}"
        self.socket = f"{self.home}/engine.sock"
        self.process = None
        os.makedirs(self.home, exist_ok=True)

    def argv(self):
        raise NotImplementedError

    # --- the service

    def begin(self):
        with open(f"{self.home}/log", "ab") as log, self.host.inside("host"):
            self.process = subprocess.Popen(self.argv(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, env=self.environment())
        try:
            self.host.until(self.answers, f"{self.kind} answers", 30)
        except AssertionError:
            with open(f"{self.home}/log", encoding="utf-8", errors="replace") as log:
                print(log.read()[-4000:])
            raise

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.kind} ended with {self.process.returncode}")
        return self.call("GET", "/_ping", raw=True) is not None

    def end(self):
        """Stops the engine; its containers may continue."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)

    def environment(self):
        return dict(os.environ)

    @property
    def env(self):
        """The environment in which mvapply finds it."""
        return {self.variable: f"unix://{self.socket}"}

    # --- its API

    def call(self, method, path, body=None, raw=False, **query):
        connection = Connection(self.socket)
        if query:
            path += "?" + urllib.parse.urlencode(query)
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else None
        kind = "application/x-tar" if isinstance(body, bytes) else "application/json"
        try:
            connection.request(method, path, data, {"Content-Type": kind})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        if response.status >= 300:
            raise AssertionError(f"{self.kind}: {method} {path}: {response.status} {text}")
        return text if raw or not text.strip() else json.loads(text)

    def load(self, name="localhost/box"):
        self.call("POST", "/images/create", image(), raw=True, fromSrc="-", repo=name, tag="latest")

    def create(self, name, network="none", labels=None):
        made = self.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": SLEEP, "Labels": labels or {},
            "HostConfig": {"NetworkMode": network}}, name=name)
        return made["Id"]

    def start(self, name):
        self.call("POST", f"/containers/{name}/start")

    def run(self, name, **options):
        found = self.create(name, **options)
        self.start(name)
        return found

    def stop(self, name):
        self.call("POST", f"/containers/{name}/stop", t=0)

    def restart(self, name):
        self.call("POST", f"/containers/{name}/restart", t=0)

    def rename(self, name, new):
        self.call("POST", f"/containers/{name}/rename", name=new)

    def remove(self, name):
        self.call("DELETE", f"/containers/{name}", force="true")

    def remove_all(self):
        """In two passes: a container that another one joined can only be removed after that one."""
        def attempt(container):
            with contextlib.suppress(AssertionError):
                self.remove(container["Id"])
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for _ in range(2):
                list(pool.map(attempt, self.call("GET", "/containers/json", all="true")))
        left = self.call("GET", "/containers/json", all="true")
        assert not left, f"{self.kind} keeps {left}"

    def log(self, name, starts=1):
        """What the first process wrote by its "end", in as many starts."""
        def ended():
            text = self.call("GET", f"/containers/{name}/logs", raw=True, stdout="true")
            return text if text.count("end") >= starts else None
        return self.host.until(ended, f"{name} writes its log")

    def pid(self, name):
        return self.call("GET", f"/containers/{name}/json")["State"]["Pid"]

    @contextlib.contextmanager
    def space(self, name):
        """The running container's namespace, under its own name among the host's."""
        self.host.hold(name, f"/proc/{self.pid(name)}/ns/net")
        try:
            yield name
        finally:
            self.host.leave(name)


class Docker(Engine):
    kind, variable = "docker", "DOCKER_HOST"

    def argv(self):
        return ["dockerd", "--iptables=false", "--bridge=none", "--ip-forward=false",
                "--data-root", f"{self.home}/data", "--exec-root", f"{self.home}/exec",
                "--pidfile", f"{self.home}/pid", "--host", f"unix://{self.socket}",
                "--live-restore", "--cgroup-parent", f"mvapply-test-{os.getpid()}",
                "--config-file", f"{self.home}/daemon.json"]

    settings = {}

    def configure(self, settings):
        """What its configuration file has, from its next start on."""
        self.settings = settings

    def begin(self):
        with open(f"{self.home}/daemon.json", "w", encoding="ascii") as file:
            json.dump(self.settings, file)
        super().begin()


class Podman(Engine):
    kind, variable = "podman", "CONTAINER_HOST"

    def configuration(self):
        return CONTAINERS_CONF.format(home=self.home)

    def argv(self):
        return ["podman", "--root", f"{self.home}/data", "--runroot", f"{self.home}/runroot",
                "--cgroup-manager", "cgroupfs", "--runtime", "runc", "--tmpdir", f"{self.home}/tmp",
                "system", "service", "--time=0", f"unix://{self.socket}"]

    def environment(self):
        path = f"{self.home}/containers.conf"
        with open(path, "w", encoding="ascii") as file:
            file.write(self.configuration())
        return {**os.environ, "CONTAINERS_CONF": path}


class NetworkPodman(Podman):
    """Podman whose containers show their network, which is one of its own: `lan`."""

    def create(self, name, network="lan", labels=None):
        made = self.call("POST", "/v4.0.0/libpod/containers/create", {
            "image": "localhost/box:latest", "command": SHOW, "name": name, "labels": labels or {}, "stop_timeout": 0,
            "netns": {"nsmode": "bridge"}, "Networks": {network: {}}, "log_configuration": {"driver": "k8s-file"}})
        return made["Id"]


class HookedPodman(Podman):
    """Podman with mvapply as a hook, which reads `files`."""
    files, flags = f"{WORK}/files", ()

    @property
    def program(self):
        return self.host.binary

    def __init__(self, host):
        super().__init__(host)
        self.hooks = f"{self.home}/hooks"
        os.makedirs(self.hooks, exist_ok=True)
        with open(f"{self.hooks}/50-mvapply.json", "w", encoding="ascii") as file:
            json.dump({"version": "1.0.0", "when": {"always": True}, "stages": ["createRuntime"],
                       "hook": {"path": self.program, "timeout": 30,
                                "args": ["mvapply", "hook", "-f", self.files, *self.flags]}}, file)

    def argv(self):
        argv = super().argv()
        at = argv.index("system")
        return [*argv[:at], "--hooks-dir", self.hooks, *argv[at:]]


class CniPodman(NetworkPodman):
    """Podman whose network `lan` is a CNI configuration with mvapply as its plugin."""

    def __init__(self, host, **keys):
        super().__init__(host)
        for folder in ("networks", "plugins"):
            os.makedirs(f"{self.home}/{folder}", exist_ok=True)
        plugin = {"type": "mvapply", "files": f"{WORK}/cni.yaml", **keys}
        with open(f"{self.home}/networks/lan.conflist", "w", encoding="ascii") as file:
            json.dump({"cniVersion": "0.4.0", "name": "lan", "plugins": [plugin]}, file)
        link = f"{self.home}/plugins/mvapply"
        if not os.path.islink(link):
            os.symlink(host.binary, link)

    def configuration(self):
        return super().configuration() + (f'network_backend="cni"\n'
                                          f'cni_plugin_dirs=["{self.home}/plugins", "/usr/lib/cni"]\n')


class RuntimeDocker(Docker):
    """Docker with mvapply as a runtime, which reads `files`."""
    files, flags, default = f"{WORK}/files", (), "mvapply"

    @property
    def program(self):
        path = f"{self.home}/mvapply-runtime"
        if not os.path.islink(path):
            os.symlink(self.host.binary, path)
        return path

    def begin(self):
        self.configure({"default-runtime": self.default, "runtimes": {"mvapply": {
            "path": self.program, "runtimeArgs": [f"--mvapply-file={self.files}", *self.flags]}}})
        super().begin()


class PageDocker(RuntimeDocker):
    """As a page has it: for the containers that ask for it, with the page's file."""
    files, default = f"{WORK}/network.yaml", "runc"


def bridge_networks(engine, *names):
    """Makes bridge networks of both families: 10.90.0.0/24 and fd00:90::/64, 10.91.0.0/24, ..."""
    for number, name in enumerate(names):
        engine.call("POST", "/networks/create", {
            "Name": name, "Driver": "bridge", "EnableIPv6": True, "IPAM": {"Config": [
                {"Subnet": f"10.9{number}.0.0/24"}, {"Subnet": f"fd00:9{number}::/64"}]}})


KINDS = {"docker": Docker, "podman": Podman}


def oci_state(pid, container):
    """What an engine tells a hook of the container's process."""
    return json.dumps({"ociVersion": "1.0.2", "id": container, "status": "created", "pid": pid, "bundle": "/nonexistent"})


def start_during_applies(host, start, names, file, applies, **options):
    """Starts all of them at the same time, while `file` is applied again and again."""
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        starts = [pool.submit(start, name) for name in names]
        for _ in range(applies):
            host.mvapply("apply", "-f", file, **options)
        for job in starts:
            job.result(60)


@contextlib.contextmanager
def running(host, kind, made=None):
    engine = (made or KINDS[kind])(host)
    engine.begin()
    try:
        engine.load()
        yield engine
    finally:
        if engine.process.poll() is not None:
            engine.begin()
        engine.remove_all()
        engine.end()
