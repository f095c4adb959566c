"""The real Incus with an image of busybox alone, made here. Only the roots of tests/suites have it: Debian has it from 13 on."""
import contextlib
import io
import json
import os
import subprocess
import tarfile

import linux

DAEMON = "/usr/libexec/incus/incusd"
PRESENT = os.path.exists(DAEMON)
INIT = b"#!/bin/busybox sh\ntrap 'exit 0' PWR TERM\nwhile :; do /bin/busybox sleep 1; done\n"
META = b"architecture: x86_64\ncreation_date: 1\nproperties: {os: busybox, description: box}\n"


def image(path):
    """Of metadata.yaml and rootfs/, as `incus image import` takes it."""
    def put(name, content, mode):
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), mode
        archive.addfile(info, io.BytesIO(content))
    with tarfile.open(path, "w") as archive:
        put("metadata.yaml", META, 0o644)
        for name in ("rootfs", *(f"rootfs/{name}" for name in ("bin", "sbin", "dev", "proc", "sys", "run", "tmp", "etc", "var"))):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(folder)
        with open("/bin/busybox", "rb") as file:
            put("rootfs/bin/busybox", file.read(), 0o755)
        put("rootfs/sbin/init", INIT, 0o755)


def own_sysfs():
    """Incus looks for parents in /sys, which shows the links of the namespace in which it was mounted."""
    os.makedirs("/run/cgroup")
    linux.mount("/sys/fs/cgroup", "/run/cgroup", None, linux.MS_BIND | linux.MS_REC)
    linux.mount("sysfs", "/sys", "sysfs")
    linux.mount("/run/cgroup", "/sys/fs/cgroup", None, linux.MS_BIND | linux.MS_REC)


class Incus:
    """The daemon, in the host's namespace, with a storage pool of directories and no network of its own."""

    def __init__(self, host):
        self.host = host
        for folder in ("lib", "log", "cache"):
            os.makedirs(f"/var/{folder}/incus", exist_ok=True)
            linux.mount("tmpfs", f"/var/{folder}/incus", "tmpfs")
        own_sysfs()
        self.begin()
        self.call("storage", "create", "default", "dir")
        self.call("profile", "device", "add", "default", "root", "disk", "path=/", "pool=default")
        image("/run/box.tar")
        self.call("image", "import", "/run/box.tar", "--alias", "box")

    def begin(self):
        with self.host.inside("host"), open("/run/incusd.log", "ab") as log:
            self.process = subprocess.Popen([DAEMON, "--group", "incus-admin"], stdout=log, stderr=log)
        self.host.run(DAEMON, "waitready", "--timeout=30", code=0, seconds=40)

    def kill(self):
        """The containers and their monitors live on."""
        self.process.kill()
        self.process.wait()

    def call(self, *words):
        return self.host.run("incus", *words, code=0, seconds=40).out

    def make(self, name="web", project="default", start=True):
        if project != "default":
            self.call("project", "create", project, "-c", "features.images=false", "-c", "features.profiles=false")
        self.call("launch" if start else "create", "box", name, "--project", project)
        return Instance(self, name, project)

    def names(self):
        """(project, name) of all instances."""
        return [(found["project"], found["name"]) for found in json.loads(self.call("list", "--all-projects", "-f", "json"))]

    def end(self):
        for project, name in self.names():
            self.call("delete", "-f", name, "--project", project)
        self.kill()


class Instance:
    """A container; the test knows its network namespace by its name."""

    def __init__(self, incus, name, project):
        self.incus, self.host, self.name, self.project = incus, incus.host, name, project

    def call(self, command, *words):
        return self.incus.call(command, self.name, "--project", self.project, *words)

    @property
    def pid(self):
        return json.loads(self.incus.call("query", f"/1.0/instances/{self.name}/state?project={self.project}"))["pid"]

    @contextlib.contextmanager
    def netns(self):
        """Its namespace at this time, which the host knows as `box`."""
        self.host.hold("box", f"/proc/{self.pid}/ns/net")
        try:
            yield "box"
        finally:
            self.host.leave("box")

    def has(self, address):
        """Whether it has one link, eth0, with the address."""
        if self.pid <= 0:
            return False
        with self.netns() as box:
            return self.host.names(box) == {"eth0"} and self.host.addresses(box, "eth0") == {address}


@contextlib.contextmanager
def running(host):
    incus = Incus(host)
    try:
        yield incus
    finally:
        incus.end()
