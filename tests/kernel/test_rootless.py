"""A user's own engine: it reports the namespaces of that user's containers, and of no others."""
import contextlib
import os
import signal

import linux
from declare import document, lan
from fake_daemon import daemon
from host import same
from registry import test
from service import watching

USER, OTHER = 1000, 1001
FIRST, COUNT = 100000, 1000  # further users, as /etc/subuid gives them
KINDS = ("docker", "podman")


def has_users():
    """There are none in a user namespace that has root alone."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return int(file.read().split()[2]) > FIRST + COUNT


def become(user):
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def users_namespaces(user, inner, reported, mapped):
    """A network namespace in a user namespace of the user's; with `inner` in a nested one, which
    another user of it created."""
    become(user)
    linux.unshare(linux.CLONE_NEWUSER | (0 if inner else linux.CLONE_NEWNET))
    os.write(reported, b"!")
    os.read(mapped, 1)
    if inner:
        become(inner)
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNET)
    os.write(reported, b"!")
    signal.pause()


def write_maps(pid, user):
    for kind in ("uid", "gid"):
        with open(f"/proc/{pid}/{kind}_map", "w", encoding="ascii") as file:
            file.write(f"0 {user} 1\n1 {FIRST} {COUNT}\n")


@contextlib.contextmanager
def container(host, name, user, inner=0):
    """A process of a user's in network and user namespaces of its own, which the test knows by the
    name; returns its pid."""
    reported, report = os.pipe()
    mapped, maps = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            linux.die_with_parent()
            users_namespaces(user, inner, report, mapped)
        finally:
            os._exit(1)
    try:
        same(os.read(reported, 1), b"!", "its user namespace")
        write_maps(pid, user)
        os.write(maps, b"!")
        same(os.read(reported, 1), b"!", "its namespaces")
        host.hold(name, f"/proc/{pid}/ns/net")
        yield pid
    finally:
        for fd in (reported, report, mapped, maps):
            os.close(fd)
        if name in host.spaces:
            host.leave(name)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@contextlib.contextmanager
def roots(host, name):
    """The result of `unshare -n` by root."""
    with host.process() as pid:
        host.hold(name, f"/proc/{pid}/ns/net")
        try:
            yield pid
        finally:
            host.leave(name)


def declared(kind, **containers):
    return document({"n": lan()}, {**{name: {kind: name, "networks": ["n"]} for name in containers},
                                   "plain": ["n"]})


def attached(host, ns):
    return {name: host.addresses(ns, name) for name in host.names(ns)}


def refusal(kind, name, pid):
    return (f"{kind} at this socket runs as user {USER}, who does not own the network namespace of its container "
            f'"{name}", process {pid} [MV0709]')


def points_at(host, kind, others, own):
    """The user's engine reports processes: `others` do not belong to that user, and are not
    changed; `own` do."""
    text = declared(kind, **others, **own)
    with daemon(user=USER) as engine:
        engine.containers = {**others, **own}
        done = host.apply(text, code=1, env=engine.env)
        for name, pid in others.items():
            assert refusal(kind, name, pid) in " ".join(done.out.split()), done
            same(attached(host, name), {}, f"what is in {name}")
        for name in [*own, "plain"]:
            same(len(attached(host, name)["eth0"]), 1, f"addresses in {name}")
        same(host.diff(text, code=1, env=engine.env).code, 1, "the exit code of diff")
        status = host.mvapply("status", "-f", "network.yaml", code=1, env=engine.env)
        assert "[MV0709]" in status.out + status.err, status
        host.delete(text, env=engine.env)
        for name in own:
            same(attached(host, name), {}, f"what is left in {name}")


@test("engines: a user's own engine gives no access to namespaces of root or another user", both=True)
def others(host):
    if not has_users():
        return
    host.netns("plain")
    with roots(host, "bait") as bait, container(host, "alien", OTHER) as alien, \
            container(host, "mine", USER) as mine:
        for kind in KINDS:
            points_at(host, kind, {"bait": bait, "alien": alien}, {"mine": mine})


@test("engines: a user's own engine gives access to that user's namespaces, at any depth", both=True)
def own(host):
    if not has_users():
        return
    host.netns("plain")
    with container(host, "mine", USER) as mine, container(host, "deep", USER, inner=5) as deep, \
            container(host, "strange", OTHER, inner=5) as strange:
        for kind in KINDS:
            points_at(host, kind, {"strange": strange}, {"mine": mine, "deep": deep})


@test("engines: root's engine gives access to every namespace")
def root(host):
    if not has_users():
        return
    host.netns("plain")
    with roots(host, "bait") as bait, container(host, "mine", USER) as mine:
        for kind in KINDS:
            text = declared(kind, bait=bait, mine=mine)
            with daemon() as engine:
                engine.containers = {"bait": bait, "mine": mine}
                os.chown(engine.path, USER, USER)  # the owner of the socket file is not the listening user
                host.apply(text, env=engine.env)
                for name in ("bait", "mine"):
                    same(len(attached(host, name)["eth0"]), 1, f"addresses in {name}")
                host.delete(text, env=engine.env)


@test("watch: a user's own engine that names root's namespace", seconds=60)
def watched(host):
    if not has_users():
        return
    host.netns("plain")
    with roots(host, "bait") as bait, container(host, "mine", USER) as mine, \
            daemon(user=USER) as engine:
        engine.containers = {"bait": bait, "mine": 0}
        text = declared("docker", bait=bait, mine=mine)
        with watching(host, "-f", host.write(text), env=engine.env) as service:
            service.until_says(refusal("docker", "bait", bait), 20)
            engine.start("mine", mine)
            service.until(lambda: attached(host, "mine"), "mine is attached", 20)
            engine.report("start", "bait")
            engine.containers["mine"] = bait  # a container that moves
            engine.die("mine")
            engine.start("mine", bait)
            service.until_says(refusal("docker", "mine", bait), 20)
            same(attached(host, "bait"), {}, "what is in root's namespace")


@test("export: a user's own engine names that user's namespaces, and no others")
def exported(host):
    if not has_users():
        return
    with roots(host, "bait") as bait, container(host, "mine", USER) as mine:
        host.apply(document({"n": lan()}, {"bait": {"pid": bait, "networks": ["n"]},
                                           "mine": {"pid": mine, "networks": ["n"]}}))
        with daemon(user=USER) as engine:
            engine.containers = {"bait": bait, "mine": mine}
            text = host.mvapply("export", env=engine.env).out
        assert "docker: mine" in text and "docker: bait" not in text, text
        assert f"pid: {bait}" in text, text
