"""Trust in files, and the privileges of a run."""
import os

import linux
from declare import document, lan
from host import WORK, same
from registry import test
from service import watching

TEXT = document({"n": lan()}, {"web": ["n"]})
# Of the user that runs the tests: the variable may name a user whose files are accepted.
ENV = {"SUDO_UID": ""}


# --- trusted files

@test("power: as root, a file that is writable by all is refused")
def writable_file(host):
    host.netns("web")
    path = host.write(TEXT)
    before = host.snapshot()
    os.chmod(path, 0o666)
    for command in ("apply", "diff", "status", "delete"):
        done = host.mvapply(command, "-f", path, code=3, env=ENV)
        same(done.err, f"{path}: error: is writable by everyone (mode 0666) [MV0102]\n"
             f"    hint: `chmod go-w {path}`, or pass --insecure to trust every user who can write it\n",
             command)
    same(host.snapshot(), before, "nothing is done")
    host.mvapply("validate", "-f", path, env=ENV)
    host.mvapply("apply", "-f", path, "--insecure", env=ENV)
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "taken with --insecure")
    os.chmod(path, 0o644)
    same(host.mvapply("apply", "-f", path, env=ENV).plan, [], "its mode put right")


@test("power: as root, a directory that is writable by all is refused")
def writable_folder(host):
    host.netns("web")
    os.mkdir("files")
    host.write(TEXT, "files/network.yaml")
    os.chmod("files", 0o1777)
    done = host.mvapply("apply", "-f", "files", code=3, env=ENV)
    assert done.err.startswith("files: error: is writable by everyone (mode 1777) [MV0102]\n"), done
    # A name there may be a link: its target counts.
    os.chmod("files", 0o755)
    os.rename("files/network.yaml", "elsewhere")
    os.chmod("elsewhere", 0o606)
    os.symlink(f"{WORK}/elsewhere", "files/network.yaml")
    done = host.mvapply("apply", "-f", "files", code=3, env=ENV)
    assert done.err.startswith("files/network.yaml: error: is writable by everyone "
                               "(mode 0606) [MV0102]\n"), done
    same(host.names("web"), set(), "nothing is done")


@test("power: the standard input is trusted as the user who opened it")
def standard_input(host):
    host.netns("web")
    path = host.write(TEXT)
    os.chmod(path, 0o666)
    with open(path, "rb") as file:
        host.mvapply("apply", "-f", "-", stdin=file.read(), env=ENV)
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("power: watch keeps its configuration when its file becomes writable by all")
def writable_later(host):
    host.netns("web")
    path = host.write(TEXT)
    with watching(host, "-f", path, env=ENV) as service:
        service.settle()
        os.chmod(path, 0o666)
        service.until_says("is writable by everyone (mode 0666)")
        host.write(document({"n": lan()}, {}))
        service.quiet()
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "what it had")
        os.chmod(path, 0o644)
        service.until(lambda: not host.names("web"), "the file is taken again")


# --- privileges that it keeps

# capabilities(7)
NAMES = {1: "DAC_OVERRIDE", 2: "DAC_READ_SEARCH", 11: "NET_BROADCAST", 12: "NET_ADMIN",
         13: "NET_RAW", 19: "SYS_PTRACE", 21: "SYS_ADMIN"}
KEPT = {"DAC_READ_SEARCH", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "SYS_ADMIN"}


def threads(pid):
    """The privileges of each thread, from the kernel."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
            yield dict(line.rstrip("\n").split(":\t") for line in file)


def capabilities(text):
    return {NAMES.get(bit, bit) for bit in range(64) if int(text, 16) >> bit & 1}


def kept(service):
    """The capabilities of a service, whose threads all have the same, and none inheritable."""
    found = list(threads(service.pid))
    for thread in found:
        same({key: thread[key] for key in ("CapInh", "CapAmb", "NoNewPrivs", "Seccomp")},
             {"CapInh": "0" * 16, "CapAmb": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"},
             "rights")
        same(thread["CapEff"], thread["CapPrm"], "effective capabilities")
        same(thread["CapPrm"], found[0]["CapPrm"], "capabilities of each thread")
    return capabilities(found[0]["CapPrm"])


@test("power: watch keeps the capabilities that it needs, and cannot get more", both=True)
def few_rights(host):
    host.netns("web")
    unset = {**ENV, "DOCKER_HOST": "", "CONTAINER_HOST": ""}
    with watching(host, "-v", "-f", host.write(TEXT), env=unset) as service:
        same(kept(service), KEPT, "capabilities")
        host.ip("web", "link del eth0")
        service.until(lambda: host.names("web"), "repaired")
        same(kept(service), KEPT, "capabilities later")
        assert not any(": note: " in line for line in service.log()), service.log()


@test("power: another user's directory or socket needs one more capability")
def in_other_netns(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), "--metrics", "/run/mvapply.prom",
                  env=ENV) as service:
        same(kept(service), KEPT | {"DAC_OVERRIDE"}, "capabilities")


@test("power: without privileges it does what is possible")
def no_rights(host):
    host.netns("web")
    path = host.write(TEXT)
    done = host.mvapply("validate", "-f", path, before=linux.drop_capability_bounds)
    same(done.err, "", "the standard error")
    done = host.mvapply("apply", "-v", "-f", path, code=1, env=ENV,
                        before=linux.drop_capability_bounds)
    assert ": note: " not in done.err, done
    same(host.names("web"), set(), "nothing is done")


# --- names that others choose

@test("power: terminal control characters in a link's name are escaped")
def escape_in_name(host):
    host.netns("web")
    host.ip("host", "link add link eth0 name '\033[31mevil' address 02:42:ac:10:56:02 type macvlan "
            "mode bridge")
    text = document({"n": lan()}, {"web": {"n": {"mac_address": "02:42:ac:10:56:02"}}})
    done = host.apply(text, code=4)
    assert "\\x1b[31mevil in the host already has the MAC address 02:42:ac:10:56:02" in done.out, done
    assert "\033" not in done.out + done.err, repr(done.out)
