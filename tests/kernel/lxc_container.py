"""A container of the real LXC, with busybox alone: made offline."""
import contextlib
import os
import shutil

import linux

ADDRESS = "172.16.86.2/24"
MAC = "02:42:ac:10:56:02"


class Container:
    """A container of LXC; `folder` is that of lxc.lxcpath."""

    def __init__(self, host, name="web", folder="/var/lib/lxc", network="empty"):
        self.host, self.name, self.folder = host, name, folder
        self.flags = ["-P", folder, "-n", name]
        root = f"{folder}/{name}/rootfs"
        for path in ("bin", "proc", "dev", "sys"):
            os.makedirs(f"{root}/{path}")
        shutil.copy("/bin/busybox", f"{root}/bin/busybox")
        with open(f"{folder}/{name}/config", "w", encoding="utf-8") as file:
            file.write(f"lxc.uts.name = web\nlxc.rootfs.path = dir:{root}\nlxc.net.0.type = {network}\n"
                       "lxc.init.cmd = /bin/busybox sleep 1000\nlxc.apparmor.profile = unconfined\n")

    def start(self):
        self.host.run("lxc-start", *self.flags, "-o", "/run/lxc.log", code=0)
        self.host.hold(self.name, f"/proc/{self.pid}/ns/net")

    def stop(self):
        self.host.leave(self.name)
        self.host.run("lxc-stop", "-k", *self.flags, code=0)

    @property
    def pid(self):
        return int(self.host.run("lxc-info", *self.flags, "-pH", code=0).out)

    @property
    def attached(self):
        names = self.host.names(self.name)
        return names == {"eth0"} and self.host.addresses(self.name, "eth0") == {ADDRESS} and \
            self.host.link(self.name, "eth0")["address"] == MAC


@contextlib.contextmanager
def made(host, *arguments, begin=True, **options):
    """A container that runs, and is ended."""
    if not os.path.ismount("/var/lib"):
        linux.mount("tmpfs", "/var/lib", "tmpfs")
    container = Container(host, *arguments, **options)
    if begin:
        container.start()
    try:
        yield container
    finally:
        host.run("lxc-stop", "-k", *container.flags)
