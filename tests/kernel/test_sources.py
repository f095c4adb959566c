"""What `export`, `diff -o ip`, `status`, `doctor` and pending containers say of containers of LXC, Incus and systemd: the same for each
of these sources."""
import contextlib

from declare import document, lan
from host import same
from lxc_container import made
from registry import test
from test_machine import machine
from test_systemd_unit import group

import yaml


@contextlib.contextmanager
def lxc(host, name):
    with made(host, name):
        yield name


@contextlib.contextmanager
def lxc_folder(host, name):
    with made(host, name, "/run/more"):
        yield f"/run/more/{name}"


@contextlib.contextmanager
def incus(host, name):
    with made(host, f"shop_{name}", "/var/lib/incus/containers"):
        yield f"shop/{name}"


@contextlib.contextmanager
def unit(host, name):
    with host.process_held(name) as pid:
        group(host, f"system.slice/{name}.service", pid)
        yield f"{name}.service"
        group(host, f"system.slice/{name}.service")


@contextlib.contextmanager
def registered(host, name):
    with host.process_held(name) as pid:
        machine(pid, name)
        yield name


# Each with the command that starts a container called "web", and its path for `nsenter`.
SOURCES = (("lxc", lxc, "lxc-start -n web", "/proc/$(lxc-info -n web -pH)/ns/net"),
           ("lxc", lxc_folder, "lxc-start -P /run/more -n web", "/proc/$(lxc-info -P /run/more -n web -pH)/ns/net"),
           ("incus", incus, "incus start --project shop web",
            "/proc/$(incus info --project shop web | awk '/^PID:/ {print $2}')/ns/net"),
           ("systemd", unit, "systemctl start web.service", "/proc/$(systemctl show -p MainPID --value web.service)/ns/net"),
           ("machine", registered, "machinectl start web", "/proc/$(machinectl show -p Leader --value web)/ns/net"))


def text(**containers):
    return document({"n": lan(ip_range="172.16.86.0/25")},
                    {name: {kind: source, "networks": ["n"]} for name, (kind, source) in containers.items()})


@test("sources: export and the commands of a delete name the container, and the export changes nothing", seconds=120)
def exported(host):
    for kind, running, _, path in SOURCES:
        with running(host, "web") as source:
            host.apply(text(db=(kind, source)))
            out = host.mvapply("export").out
            same(yaml.safe_load(out)["containers"]["db"][kind], source, f"export of {kind}")
            host.unchanged(out)
            commands = [line for line in host.diff("{}", "-o", "ip").out.splitlines() if "nsenter" in line]
            same(commands, [f"nsenter --net={path} ip link delete dev eth0"], f"delete of {kind}")
            host.delete(text(db=(kind, source)))


@test("sources: a misspelt name, a container that does not run, and one that the files name themselves", seconds=120)
def hints(host):
    for kind, running, start, _ in SOURCES:
        with running(host, "web") as source:
            misspelt = source.replace("web", "webb")
            for others, hint in (({}, f"did you mean `{kind}: {source}`?"),
                                 ({"db": (kind, source)}, f"start it with `{start.replace('web', 'webb')}`")):
                done = host.diff(text(web=(kind, misspelt), **others), "-o", "json", code=None).json
                same([step["hint"] for step in done["steps"] if step["action"] == "pending"], [hint], f"{kind}, {others}")
            status = host.mvapply("status", "-f", host.write(text(web=(kind, misspelt))), code=None)
            same("is not running" in status.out, True, str(status))
            doctor = host.mvapply("doctor", "-f", host.write(text(web=(kind, misspelt))), code=None)
            same("is not running" in doctor.out, True, str(doctor))
