"""containerd as Kubernetes uses it: its CRI, with mvapply as the CNI plugin of its pods. There is no kubelet; a test
calls as a kubelet does. The messages are those of k8s.io/cri-api v1, as numbers of fields."""
import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile

import engines
from host import WORK

IMAGE = "localhost/box:latest"
SHOW = "ip addr show; ip route show; echo end; exec sleep 1000"

CONFIGURATION = """version = 2
root = "{home}/data"
state = "{home}/state"
[grpc]
  address = "{home}/engine.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{home}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{home}/plugins"
    conf_dir = "{home}/networks"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
"""


# --- protobuf: a message is a dict of field numbers


def varint(number):
    text = b""
    while number > 0x7f:
        text, number = text + bytes([number & 0x7f | 0x80]), number >> 7
    return text + bytes([number])


def encode(message):
    """Values are integers, texts, messages, or lists of these."""
    text = b""
    for field, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                text += varint(field << 3) + varint(value)
                continue
            value = encode(value) if isinstance(value, dict) else value.encode()
            text += varint(field << 3 | 2) + varint(len(value)) + value
    return text


def decode(text):
    """Each field's values: integers, and bytes, which may be a message."""
    message, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = text[at], at + 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(text):
        field, kind = divmod(number(), 8)
        if kind == 2:
            size = number()
            value, at = text[at:at + size], at + size
        else:
            assert kind == 0, f"wire type {kind}"
            value = number()
        message.setdefault(field, []).append(value)
    return message


def map_of(entries):
    """A protobuf map of texts."""
    return {item[1][0].decode(): item[2][0].decode() for item in map(decode, entries)}


# --- the image


def add_bytes(tar, name, text):
    item = tarfile.TarInfo(name)
    item.size = len(text)
    tar.addfile(item, io.BytesIO(text))


def archive():
    """The image of engines.image as `docker save` writes it."""
    layer, file = engines.image(), io.BytesIO()
    config = {"architecture": "amd64", "os": "linux", "config": {"Cmd": engines.SLEEP, "Env": ["PATH=/bin"]},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}
    with tarfile.open(fileobj=file, mode="w") as tar:
        add_bytes(tar, "layer.tar", layer)
        add_bytes(tar, "config.json", json.dumps(config).encode())
        add_bytes(tar, "manifest.json", json.dumps(
            [{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode())
    return file.getvalue()


# --- the daemon


class Containerd:
    """`keys` are those of the plugin's configuration; it has a list of its own, `lan`."""

    def __init__(self, host, version="1.0.0", **keys):
        self.host, self.home, self.process, self.pods = host, f"{WORK}/containerd", None, {}
        self.socket, self.spaces = f"{self.home}/engine.sock", "/run/netns"
        for folder in ("networks", "plugins", "logs"):
            os.makedirs(f"{self.home}/{folder}")
        os.symlink(host.binary, f"{self.home}/plugins/mvapply")
        os.symlink("/usr/lib/cni/loopback", f"{self.home}/plugins/loopback")
        self.write_configuration()
        self.configure(version, **keys)

    def write_configuration(self):
        with open(f"{self.home}/config.toml", "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(home=self.home, image=IMAGE))

    def command(self):
        return ["containerd", "--config", f"{self.home}/config.toml"]

    def configure(self, version, **keys):
        plugin = {"type": "mvapply", "files": f"{WORK}/cni.yaml", **keys}
        with open(f"{self.home}/networks/lan.conflist", "w", encoding="ascii") as file:
            json.dump({"cniVersion": version, "name": "lan", "plugins": [plugin]}, file)

    def begin(self):
        with open(f"{self.home}/log", "ab") as log, self.host.inside("host"):
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.host.until(self.answers, "the daemon answers", 30)

    def answers(self):
        if self.process.poll() is not None:
            with open(f"{self.home}/log", encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"the daemon ended with {self.process.returncode}\n{log.read()[-4000:]}")
        with contextlib.suppress(Refused):
            return self.call("Version", {})
        return None

    def end(self, how=signal.SIGTERM):
        """Ends the daemon; its containers continue."""
        self.process.send_signal(how)
        self.process.wait(30)

    def load(self):
        with open(f"{self.home}/image.tar", "wb") as file:
            file.write(archive())
        self.host.run("ctr", "-a", self.socket, "-n", "k8s.io", "images", "import", "--local", "--snapshotter", "native",
                      f"{self.home}/image.tar", code=0, seconds=60)

    # --- its CRI

    def call(self, method, message, seconds=60):
        import grpc  # only the roots of tests/suites have it
        with grpc.insecure_channel(f"unix://{self.socket}") as channel:
            try:
                return channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=encode,
                                           response_deserializer=decode)(message, timeout=seconds)
            except grpc.RpcError as error:
                raise Refused(f"{method}: {error.code().name}: {error.details()}") from None

    def pod_config(self, name, attempt=0):
        """PodSandboxConfig; the uid is the same in each attempt, as a kubelet has it."""
        return {1: {1: name, 2: f"uid-of-{name}", 3: "default", 4: attempt}, 2: name, 3: f"{self.home}/logs",
                8: {1: f"/mvapply-test-{os.getpid()}"}}

    def run_pod(self, name, attempt=0):
        """The id of a new sandbox."""
        self.pods[name] = self.call("RunPodSandbox", {1: self.pod_config(name, attempt)})[1][0].decode()
        return self.pods[name]

    def container_config(self, pod, attempt, script):
        return {1: {1: "main", 2: attempt}, 2: {1: IMAGE, 18: IMAGE}, 3: ["sh", "-c", script], 11: f"{pod}-{attempt}.log"}

    def start_container(self, pod, attempt=0, script=SHOW):
        """A container in the pod, with a log of its own for each attempt."""
        message = {1: self.pods[pod], 3: self.pod_config(pod), 2: self.container_config(pod, attempt, script)}
        container = self.call("CreateContainer", message)[1][0].decode()
        self.call("StartContainer", {1: container})
        return container

    def run(self, name):
        """A pod with a container, as a kubelet starts it; returns the container's id."""
        self.run_pod(name)
        return self.start_container(name)

    def stop_container(self, container):
        self.call("StopContainer", {1: container, 2: 0})

    def stop_sandbox(self, sandbox):
        """As a kubelet does: the containers first, which have a time to end by themselves otherwise."""
        for item in self.call("ListContainers", {1: {3: sandbox}}).get(1, []):
            self.stop_container(decode(item)[1][0].decode())
        self.call("StopPodSandbox", {1: sandbox})

    def stop_pod(self, name):
        self.stop_sandbox(self.pods[name])

    def remove_pod(self, name):
        self.stop_pod(name)
        self.call("RemovePodSandbox", {1: self.pods.pop(name)})

    def remove_all(self):
        for item in self.call("ListPodSandbox", {}).get(1, []):
            sandbox = decode(item)[1][0].decode()
            self.stop_sandbox(sandbox)
            self.call("RemovePodSandbox", {1: sandbox})

    def log(self, pod, attempt=0):
        """What the container wrote by its "end", without the CRI's times and streams."""
        def ended():
            with open(f"{self.home}/logs/{pod}-{attempt}.log", encoding="utf-8") as file:
                lines = [line.split(" ", 3)[3] for line in file.read().splitlines()]
            return "\n".join(lines) if "end" in lines else None
        return self.host.until(ended, f"{pod} writes its log", 20)

    def status(self, pod):
        """PodSandboxStatus, and containerd's own description of the sandbox."""
        answer = self.call("PodSandboxStatus", {1: self.pods[pod], 2: 1})
        return decode(answer[1][0]), json.loads(map_of(answer[2])["info"])

    def addresses(self, pod):
        """What the daemon reports to a kubelet: CRI-O, after a start of its own, not at once."""
        def reported():
            network = decode(self.status(pod)[0].get(5, [b""])[0])
            return network if 1 in network else None
        network = self.host.until(reported, f"the addresses of {pod}", 20)
        return [network[1][0].decode(), *(decode(item)[1][0].decode() for item in network.get(2, []))]

    def netns(self, pod):
        """The path of the pod's network namespace, which the plugin was called with."""
        spaces = self.status(pod)[1]["runtimeSpec"]["linux"]["namespaces"]
        return next(space["path"] for space in spaces if space["type"] == "network")

    @contextlib.contextmanager
    def space(self, pod):
        """The pod's namespace, under the pod's name among the host's."""
        self.host.hold(pod, self.netns(pod))
        try:
            yield pod
        finally:
            self.host.leave(pod)

    def ready(self):
        """Whether NetworkReady holds, and the message otherwise."""
        conditions = [decode(item) for item in decode(self.call("Status", {})[1][0])[1]]
        found = next(item for item in conditions if item[1][0] == b"NetworkReady")
        return bool(found.get(2, [0])[0]), found.get(4, [b""])[0].decode()


class Refused(AssertionError):
    """The daemon answers with an error, or not at all."""


@contextlib.contextmanager
def running(host, kind=Containerd, **keys):
    daemon = kind(host, **keys)
    daemon.begin()
    try:
        daemon.load()
        yield daemon
    finally:
        if daemon.process.poll() is not None:
            daemon.begin()
        daemon.remove_all()
        daemon.end()
