"""A Compose service that runs as several containers: its attachments are not moved."""
import contextlib
import subprocess

import linux
from declare import document, lan
from fake_daemon import daemon
from host import same
from registry import test
from service import watching

TEXT = document({"n": lan()}, {"web": {"docker": "shop/web", "networks": ["n"]}})
MARK = "mvapply:attach:default/n/web"
STAYS = "the attachments stay with shop-web-{} [MV0708]"


def labels(number):
    return {"com.docker.compose.project": "shop", "com.docker.compose.service": "web",
            "com.docker.compose.container-number": str(number)}


@contextlib.contextmanager
def service_of(host, *numbers):
    """The engine with a container of the service for each number, in namespaces of those names, and
    the processes in them. The later ones are first in the engine's list."""
    with daemon() as engine, contextlib.ExitStack() as stack:
        for number in reversed(numbers):
            host.netns(f"web{number}")
            engine.labels[f"shop-web-{number}"] = labels(number)
            engine.containers[f"shop-web-{number}"] = stack.enter_context(host.process(f"web{number}"))
        yield engine


def attach(host, engine, number):
    """The state before the service was scaled."""
    others = {name: pid for name, pid in engine.containers.items() if name != f"shop-web-{number}"}
    for name in others:
        del engine.containers[name]
    host.apply(TEXT, env=engine.env)
    engine.containers = {**others, **engine.containers}
    return host.link(f"web{number}", "eth0")["ifindex"], host.addresses(f"web{number}", "eth0")


def state(host, number):
    return host.link(f"web{number}", "eth0")["ifindex"], host.addresses(f"web{number}", "eth0")


@test("scaled: an apply keeps and repairs the attachment of the container that has it")
def kept(host):
    for number in (2, 9, 10):
        with service_of(host, 2, 9, 10) as engine:
            before = attach(host, engine, number)
            done = host.apply(TEXT, env=engine.env)
            same(done.plan, [], "apply")
            assert STAYS.format(number) in " ".join(done.err.split()), done
            host.ip(f"web{number}", "address flush dev eth0")
            host.ip(f"web{number}", "link set eth0 down")
            host.apply(TEXT, env=engine.env)
            same(state(host, number), before, "mended")
            same(host.diff(TEXT, code=0, env=engine.env).plan, [], "diff")
            host.mvapply("delete", "--name", "default")
            for name in ("web2", "web9", "web10"):
                same(host.names(name), set(), name)
                host.ip("host", f"netns del {name}")


@test("scaled: no container has the attachment, and none gets it")
def none(host):
    with service_of(host, 1, 2) as engine:
        done = host.apply(TEXT, code=1, env=engine.env)
        said = " ".join(done.out.split())
        assert "runs as 2 containers: shop-web-1, shop-web-2 [MV0708]" in said, done
        same((host.names("web1"), host.names("web2")), (set(), set()), "links")


@test("scaled: of two containers with the owner tag, the one with the lowest number counts")
def forged(host):
    with service_of(host, 9, 10) as engine:
        before = attach(host, engine, 9)
        host.ip("host", "link add link eth0 name z0 type macvlan mode bridge")
        host.ip("host", f"link set z0 alias {MARK}")
        host.ip("host", "link set z0 netns web10")
        done = host.apply(TEXT, env=engine.env)
        assert STAYS.format(9) in " ".join(done.err.split()), done
        same((state(host, 9), host.names("web10")), (before, set()), "links")


@test("scaled: owner tags of other containers and sets have no effect")
def others(host):
    with service_of(host, 1, 2) as engine:
        for number, mark in enumerate((MARK.replace("default", "other"), MARK + "2")):
            host.ip("host", f"link add link eth0 name z{number} type macvlan mode bridge")
            host.ip("host", f"link set z{number} alias {mark}")
            host.ip("host", f"link set z{number} netns web1")
        done = host.apply(TEXT, "--max-delete=100%", code=1, env=engine.env)
        assert "[MV0708]" in done.out, done
        assert "eth0" not in host.names("web1") | host.names("web2"), "attached"


SYS_PTRACE = 19


def without_ptrace():
    """It cannot read processes that have more capabilities."""
    linux.keep_capabilities(set(range(64)) - {SYS_PTRACE})


@contextlib.contextmanager
def lowly(host, ns):
    """A process in the namespace that every process of root can read."""
    with host.inside(ns):
        child = subprocess.Popen(["sleep", "1000"], preexec_fn=linux.drop_capability_bounds)
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


@test("scaled: an unreadable container is reported, and does not block the attachment of others")
def unreadable(host):
    with service_of(host, 1, 2) as engine, lowly(host, "web1") as seen1, lowly(host, "web2") as seen2:
        unseen2 = engine.containers["shop-web-2"]
        before = attach(host, engine, 2)
        engine.containers["shop-web-2"] = seen2
        host.ip("web2", "address flush dev eth0")
        done = host.apply(TEXT, env=engine.env, before=without_ptrace)
        assert STAYS.format(2) in " ".join(done.err.split()), done
        same(state(host, 2), before, "mended")
        # Now the container with the attachment is the unreadable one.
        engine.containers.update({"shop-web-1": seen1, "shop-web-2": unseen2})
        done = host.apply(TEXT, code=1, env=engine.env, before=without_ptrace)
        same((host.names("web1"), state(host, 2)), (set(), before), "no other gets it")
        said = " ".join(done.out.split())
        assert 'container "shop-web-2"' in said and "Permission denied" in said, done


@test("scaled: of two hundred containers the last has the attachment, and one does not answer", seconds=60)
def many(host):
    """Fewer on an emulated machine, where the made-up engine has no two hundred answers within the time for one."""
    count = 200 if host.patience == 1 else 50
    host.netns(f"web{count}")
    with daemon() as engine, host.process(f"web{count}") as pid, host.process("host") as other:
        names = [f"shop-web-{number}" for number in range(1, count + 1)]
        engine.labels.update({name: labels(number) for number, name in enumerate(names, 1)})
        engine.containers[names[-1]] = pid
        host.apply(TEXT, env=engine.env)
        before = state(host, count)
        engine.containers = {name: pid if name == names[-1] else other for name in names}
        engine.hold(names[0])
        done = host.apply(TEXT, env=engine.env)
        assert STAYS.format(count) in " ".join(done.err.split()), done
        same((done.plan, state(host, count)), ([], before), "kept")
        host.ip(f"web{count}", "address flush dev eth0")
        host.apply(TEXT, env=engine.env)
        same(state(host, count), before, "mended")


@test("watch: a service that starts after a scaling keeps the live attachments", seconds=60)
def watched(host):
    with service_of(host, 1, 2) as engine:
        before = attach(host, engine, 1)
        with watching(host, "-f", host.write(TEXT), env=engine.env) as service:
            service.until_says(STAYS.format(1), 20)
            host.ip("web1", "address flush dev eth0")
            service.until(lambda: state(host, 1) == before, "mended", 20)
            host.ip("web1", "link del eth0")
            service.until(lambda: host.addresses("web1", "eth0") == before[1], "made anew", 20)
            same(host.names("web2"), set(), "the other one")
            assert not [line for line in service.log() if "blocked" in line], service.log()


@test("watch: a restarted container of a scaled service has its attachment again", seconds=90)
def restarted(host):
    host.netns("again")
    with service_of(host, 1, 2) as engine, host.process("again") as again:
        attach(host, engine, 1)
        with watching(host, "-f", host.write(TEXT), env=engine.env) as service:
            service.until_says(STAYS.format(1), 20)
            engine.die("shop-web-1")
            service.until_says("is not running", 20)
            same(host.names("web2"), set(), "the other one meanwhile")
            engine.start("shop-web-1", again)
            service.until(lambda: "eth0" in host.names("again"), "attached again", 20)
            same(host.addresses("again", "eth0"), {"172.16.86.2/24"}, "its address")
            same(host.names("web2"), set(), "the other one")
            # It stays absent, and nothing is reported any more.
            engine.die("shop-web-1")
            service.until(lambda: "eth0" in host.names("web2"), "the other one takes over", 40)
            engine.start("shop-web-1", again)
            service.quiet()
            same(host.names("web2"), {"eth0"}, "it stays there")
