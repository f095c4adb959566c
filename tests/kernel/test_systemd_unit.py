"""`systemd: UNIT` with a tree of control groups that the test makes: files in a tmpfs in the form of the kernel's. No systemd
runs here."""
import contextlib
import os
import time

import linux
from declare import document, lan
from host import same
from registry import test
from service import restarts

UNIT = "web@1.service"
TEXT = document({"n": lan(ip_range="172.16.86.0/25")}, {"web": {"systemd": UNIT, "networks": ["n"]}})
PENDING = [f'pending web/n unit "{UNIT}" is not running']


def group(host, folder, *pids, owner=0):
    """A control group with these processes."""
    if not host.__dict__.get("cgroups"):
        linux.mount("tmpfs", "/sys/fs/cgroup", "tmpfs")
        host.cgroups = True
    path = f"/sys/fs/cgroup/{folder}"
    os.makedirs(path, exist_ok=True)
    os.chown(path, owner, owner)
    with open(f"{path}/cgroup.procs", "w", encoding="ascii") as file:
        file.writelines(f"{pid}\n" for pid in pids)


@test("systemd unit: in a slice, by its oldest process", seconds=60)
def oldest(host):
    same(host.diff(TEXT, code=0).plan, PENDING, "no unit")
    host.netns("web", "other")
    with host.process("web") as first:
        time.sleep(0.05)
        with host.process("other") as second:
            group(host, f"a.slice/a-b.slice/{UNIT}", second, first)
            host.apply(TEXT)
            same((host.addresses("web", "eth0"), host.names("other")), ({"172.16.86.2/24"}, set()), "the links")
            host.unchanged(TEXT)
            host.delete(TEXT)
            same(host.names("web"), set(), "after delete")


@test("systemd unit: a group in a folder of a user, or below a delegated unit, is not the unit's", seconds=60)
def delegated(host):
    host.netns("web")
    with host.process("web") as pid:
        group(host, f"user.slice/user-1000.slice/user@1000.service/{UNIT}", pid)
        group(host, f"user.slice/user@1000.service/app.slice/{UNIT}", pid)
        group(host, "evil.slice", owner=65534)
        group(host, f"evil.slice/{UNIT}", pid)
        group(host, f"system.slice/{UNIT}", pid, owner=65534)
        same(host.diff(TEXT, code=0).plan, PENDING, "users' groups")


@test("systemd unit: no process, ended ones, and the host's namespace", seconds=60)
def none(host):
    group(host, f"system.slice/{UNIT}", 0, 2 ** 22 + 1)
    same(host.diff(TEXT, code=0).plan, PENDING, "no process")
    with host.process("host") as pid:
        group(host, f"system.slice/{UNIT}", pid)
        same(host.diff(TEXT, code=0).plan, [f'pending web/n unit "{UNIT}" is starting'], "a new process")
        host.until(lambda: "is starting" not in host.mvapply("diff", "-f", host.write(TEXT), code=None).out, "started")
        result = host.apply(TEXT, code=4)
        same("is the host's own network namespace [MV0702]" in result.out and
             "hint: set PrivateNetwork=yes in the unit, and restart it" in result.out, True, str(result))


@test("systemd unit: a restart under watch", seconds=60)
def restarted(host):
    @contextlib.contextmanager
    def run():
        with host.process_held("web") as pid:
            group(host, f"system.slice/{UNIT}", pid)
            yield
        group(host, f"system.slice/{UNIT}")
    group(host, f"system.slice/{UNIT}")
    restarts(host, TEXT, run, lambda: host.addresses("web", "eth0") == {"172.16.86.2/24"}, f'unit "{UNIT}" is not running')
