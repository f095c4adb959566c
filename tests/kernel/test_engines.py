"""Containers by the name that a real engine gave them: dockerd and Podman's service."""
import concurrent.futures

import packets
from declare import document, lan
from engines import KINDS, running
from host import same
from registry import test

MANY = 50
COMPOSE = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}


def on_each(name, **options):
    """Registers the test for each engine; it gets the host and the running engine."""
    def register(function):
        for kind in KINDS:
            def body(host, kind=kind):
                with running(host, kind) as engine:
                    function(host, engine)
            test(f"{kind}: {name}", **options)(body)
        return function
    return register


CASES = []


def case(name):
    """One of the tests that share an engine, which takes time to start: it can use any container
    names, and removes its containers."""
    def register(function):
        CASES.append((name, function))
        return function
    return register


def one(engine, source="my-web", **keys):
    return document({"n": lan()}, {"web": {engine.kind: source, "networks": {"n": keys}}})


def prints(result, *words):
    for word in words:
        assert word in result.out + result.err, f"{word!r} is not said\n{result}"


def identity(host, space, name="eth0"):
    link = host.link(space, name)
    return link["address"], host.addresses(space, name), host.routes(space)


@case("a container without a network, by name, id and the beginning of one")
def by_name(host, engine):
    before = host.snapshot()
    text = one(engine)
    pending = host.apply(text, env=engine.env)
    same(pending.plan, [f'pending web/n {engine.kind} has no container "my-web" yet'], "no container")
    ident = engine.create("my-web")
    pending = host.apply(text, env=engine.env)
    same(pending.plan, ['pending web/n container "my-web" is not running'], "not running")
    engine.start("my-web")
    with engine.space("my-web") as space:
        host.apply(text, env=engine.env)
        same(identity(host, space), ("02:42:ac:10:56:02", {"172.16.86.2/24"},
             {"default via 172.16.86.1 dev eth0",
              "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}), "the attachment")
        with host.inside("lan"):
            assert packets.ping("172.16.86.2"), "the container does not answer"
        for source in ("my-web", ident, ident[:12]):
            for _ in range(2):
                done = host.apply(one(engine, source), env=engine.env)
                same(done.plan, [], f"by {source}")
        status = host.mvapply("status", "-f", host.write(text), env=engine.env)
        prints(status, "172.16.86.2")
        same(host.delete(text, env=engine.env).plan, ["- attach web/n eth0 172.16.86.2/24"],
             "delete")
        same(host.names(space), set(), "links after delete")
    engine.remove("my-web")
    same(host.snapshot(), before, "at the end")


@case("a name that is misspelt: a running container with a similar one is named")
def misspelt(host, engine):
    engine.run("my-web")
    engine.create("my-wab")
    text = one(engine, "my-wbe")
    for words, code in ((["apply"], 0), (["diff"], 0), (["status"], 0), (["doctor"], 0)):
        done = host.mvapply(*words, "-f", host.write(text), env=engine.env, code=code)
        prints(done, f'{engine.kind} has no container "my-wbe" yet', f"did you mean `{engine.kind}: my-web`?")
    step = host.mvapply("diff", "-f", host.write(text), "-o", "json", env=engine.env).json["steps"][0]
    same((step["action"], step["hint"]), ("pending", f"did you mean `{engine.kind}: my-web`?"), "as JSON")
    both = document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": ["n"]},
                                   "later": {engine.kind: "my-wbe", "networks": ["n"]}})
    done = host.mvapply("diff", "-f", host.write(both), env=engine.env, code=2)
    assert "did you mean" not in done.out + done.err, f"a container of the files is named\n{done}"
    done = host.mvapply("diff", "-f", host.write(one(engine, "something-else")), env=engine.env)
    assert "did you mean" not in done.out + done.err, f"a name that is not similar\n{done}"
    engine.remove("my-web")
    engine.remove("my-wab")


@case("a name that another container's id begins with")
def by_prefix(host, engine):
    """Engines resolve the beginning of an id. Fewer than twelve digits are a name here."""
    ident = engine.run("stranger")
    with engine.space("stranger") as space:
        before = host.snapshot(space)
        for source in (ident[:1], ident[:2], ident[:11]):
            done = host.apply(one(engine, source), env=engine.env)
            same(done.plan, [f'pending web/n {engine.kind} has no container "{source}" yet'], source)
            same(host.snapshot(space), before, f"the stranger, after an apply for {source}")
        shared, others = two_alike(engine)
        done = host.apply(one(engine, shared), env=engine.env)
        same(done.plan, [f'pending web/n {engine.kind} has no container "{shared}" yet'],
             "a digit that the ids of two begin with")
        same(host.snapshot(space), before, "the stranger, after that")
        # The name takes precedence over the beginning of an id, however long that is.
        for name in (ident[:4], ident[:12]):
            engine.run(name)
            host.apply(one(engine, name), env=engine.env)
            with engine.space(name) as its:
                same(host.addresses(its, "eth0"), {"172.16.86.2/24"}, f"of the name {name}")
            same(host.snapshot(space), before, f"the stranger, beside {name}")
            engine.remove(name)
    for name in others:
        engine.remove(name)


def two_alike(engine):
    """The first digit of two containers' ids, and the names of those that were made for it."""
    seen, names = set(), []
    while True:
        names.append(f"alike{len(names)}")
        digit = engine.create(names[-1])[0]
        if digit in seen:
            return digit, names
        seen.add(digit)


@case("by Compose's project and service")
def by_compose(host, engine):
    text = one(engine, "shop/web")
    pending = host.apply(text, env=engine.env)
    prints(pending, "has no container of Compose service \"shop/web\" yet")
    engine.run("shop-api-1", labels={**COMPOSE, "com.docker.compose.service": "api"})
    engine.create("shop-web-1", labels=COMPOSE)
    pending = host.apply(text, env=engine.env)
    same(pending.plan, ['pending web/n container "shop/web" is not running'], "not running")
    engine.start("shop-web-1")
    host.apply(text, env=engine.env)
    with engine.space("shop-web-1") as space:
        same(host.addresses(space, "eth0"), {"172.16.86.2/24"}, "the service")
        same(host.apply(text, env=engine.env).plan, [], "a second apply")
        with engine.space("shop-api-1") as other:
            same(host.names(other), set(), "the other service")
        engine.run("shop-web-2", labels=COMPOSE)
        done = host.apply(text, env=engine.env)
        prints(done, "runs as 2 containers: ", "shop-web-2", "the attachments stay with shop-web-1")
        same(done.plan, [], "what is live is kept")
        same(host.addresses(space, "eth0"), {"172.16.86.2/24"}, "after a second replica")


@case("--network host is refused, and nothing is touched")
def host_network(host, engine):
    engine.run("my-web", network="host")
    engine.run("db")
    text = document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": ["n"]},
                                   "db": {engine.kind: "db", "networks": ["n"]}})
    before = host.snapshot()
    done = host.apply(text, env=engine.env, code=4)
    prints(done, 'container "my-web" runs with --network host', "--network none")
    same(host.snapshot(), before, "after a refusal")
    with engine.space("db") as space:
        same(host.names(space), set(), "the other container")
    # Another container's network that is the host's is the host's too.
    engine.run("joined", network="container:my-web")
    done = host.apply(one(engine, "joined"), env=engine.env, code=4)
    prints(done, f"{engine.kind} joined is the host's own network namespace")


@on_each("a restart brings the same address, MAC and name back; renamed; removed")
def restart(host, engine):
    engine.run("first")
    engine.run("my-web")
    text = document({"n": lan()}, {"first": {engine.kind: "first", "networks": ["n"]},
                                   "web": {engine.kind: "my-web", "networks": ["n"]}})
    host.apply(text, env=engine.env)
    with engine.space("my-web") as space:
        before = identity(host, space)
        same(before[1], {"172.16.86.3/24"}, "before")
    with engine.space("first") as space:
        index = host.link(space, "eth0")["ifindex"]
    engine.restart("my-web")
    host.until(lambda: engine.pid("my-web"), "it runs again")
    done = host.apply(text, env=engine.env)
    same(len(done.plan), 1, "operations after a restart")
    with engine.space("my-web") as space:
        same(identity(host, space), before, "after a restart")
    engine.stop("my-web")
    done = host.apply(text, env=engine.env)
    same(done.plan, ['pending web/n container "my-web" is not running'], "stopped")
    engine.start("my-web")
    host.apply(text, env=engine.env)
    engine.rename("my-web", "your-web")
    done = host.apply(text, env=engine.env)
    same(done.plan, [f'pending web/n {engine.kind} has no container "my-web" yet'], "renamed")
    with engine.space("your-web") as space:
        same(identity(host, space), before, "renamed: nothing is deleted")
        renamed = text.replace('"my-web"', '"your-web"')
        same(host.apply(renamed, env=engine.env).plan, [], "by its new name")
        same(identity(host, space), before, "by its new name")
    engine.remove("your-web")
    done = host.apply(renamed, env=engine.env)
    same(done.plan, [f'pending web/n {engine.kind} has no container "your-web" yet'], "removed")
    with engine.space("first") as space:
        same(host.link(space, "eth0")["ifindex"], index, "the bystander's link")


@case("two names for one container, and one that joins another's network")
def shared(host, engine):
    engine.run("my-web")
    engine.run("sidecar", network="container:my-web")
    text = document({"n": lan()}, {
        "sidecar": {engine.kind: "sidecar", "networks": ["n"]}})
    host.apply(text, env=engine.env)
    with engine.space("my-web") as space:
        same(host.addresses(space, "eth0"), {"172.16.86.2/24"}, "the shared namespace")
    same(host.apply(text, env=engine.env).plan, [], "a second apply")


@on_each("an engine that is down makes its containers pending, and deletes nothing")
def down(host, engine):
    host.netns("plain")
    engine.run("my-web")
    text = document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": ["n"]},
                                   "gone": {engine.kind: "gone", "networks": ["n"]},
                                   "plain": ["n"]})
    host.apply(text, env=engine.env)
    with engine.space("my-web") as space:
        before = identity(host, space), host.link(space, "eth0")["ifindex"]
        engine.end()
        done = host.apply(text, env=engine.env)
        reason = f"{engine.kind} cannot be reached at {engine.socket}: No such file or directory [MV0704]"
        same(done.plan, [f"pending web/n {reason}", f"pending gone/n {reason}"], "while it is down")
        prints(done, "start it" if engine.kind == "docker" else "start its service")
        same((identity(host, space), host.link(space, "eth0")["ifindex"]), before,
             "while it is down")
        engine.begin()
        host.until(lambda: engine.pid("my-web"), "it knows its container")
        same(host.apply(text, env=engine.env).plan,
             [f'pending gone/n {engine.kind} has no container "gone" yet'], "up again")
        same((identity(host, space), host.link(space, "eth0")["ifindex"]), before, "up again")
    done = host.apply(text, env={engine.variable: "tcp://192.0.2.1:2375"}, code=1)
    prints(done, f'{engine.variable} is "tcp://192.0.2.1:2375", which is not an engine on this machine')


@on_each("fifty containers at once", seconds=400)
def fifty(host, engine):
    names = [f"c{number}" for number in range(MANY)]
    text = document({"n": lan()}, {name: {engine.kind: name, "networks": ["n"]} for name in names})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(engine.run, names))
    done = host.apply(text, env=engine.env)
    same(len(done.plan), MANY, "operations")
    for number, name in enumerate(names):
        with engine.space(name) as space:
            same(host.addresses(space, "eth0"), {f"172.16.86.{2 + number}/24"}, name)
    same(host.apply(text, env=engine.env).plan, [], "a second apply")
    for name in names[::10]:
        engine.restart(name)
    done = host.apply(text, env=engine.env)
    same(len(done.plan), 5, "operations after five of them restarted")
    with engine.space(names[40]) as space:
        same(host.addresses(space, "eth0"), {"172.16.86.42/24"}, names[40])
    same(len(host.delete(text, env=engine.env).plan), MANY, "operations of delete")


@case("a container with a network of its engine keeps that, and its default route")
def engine_network(host, engine):
    """The engine's own state: a link and a default route, created by hand, since the engines' own
    networks need kinds of links and packet filters that a kernel may lack."""
    engine.run("my-web")
    metric = " metric 100" if engine.kind == "podman" else ""
    with engine.space("my-web") as space:
        host.batch(space, ["link add eth0 type veth peer name br0", "link set eth0 up",
                           "link set br0 up", "address add 172.17.0.2/16 dev eth0",
                           f"route add default via 172.17.0.1 dev eth0{metric}"])
        before = host.link(space, "eth0")["ifindex"]
        text = one(engine)
        done = host.apply(text, env=engine.env)
        prints(done, "web keeps the default route of its container engine, via 172.17.0.1; the one of "
             "network n (via 172.16.86.1) is not added: set `gw_priority: 1` on that attachment to route through it")
        same((host.link(space, "eth0")["ifindex"], host.addresses(space, "lan0")),
             (before, {"172.16.86.2/24"}), "the links")
        same({route for route in host.routes(space) if route.startswith("default")},
             {"default via 172.17.0.1 dev eth0"}, "default routes")
        again = host.apply(text, env=engine.env)
        same(again.plan, [], "a second apply")
        prints(again, "keeps the default route of its container engine")
        host.diff(text, env=engine.env, code=0)
        host.batch(space, [f"route del default via 172.17.0.1 dev eth0{metric}"])
        done = host.apply(text, env=engine.env)
        prints(done, "default via 172.16.86.1")
        host.batch(space, ["route add default via 172.17.0.1 dev eth0 metric 100"])
        host.apply(text, env=engine.env)
        same({route for route in host.routes(space) if route.startswith("default")},
             {"default via 172.17.0.1 dev eth0"}, "default routes, where the engine's came later")
        same(host.apply(text, env=engine.env).plan, [], "the last apply")
        wanted = one(engine, gw_priority=1)
        host.apply(wanted, env=engine.env)
        for source, out in (("", "172.16.86.1 dev lan0"), (" from 172.17.0.2", "172.17.0.1 dev eth0")):
            route = host.ip(space, f"route get 9.9.9.9{source}")
            assert f"via {out}" in route, route
        host.batch(space, ["route del default via 172.17.0.1 dev eth0"])
        host.apply(wanted, env=engine.env)
        assert "via 172.16.86.1 dev lan0 table 77" in host.ip(space, "route get 9.9.9.9"), "it stays there"
        same([route for route in host.routes(space) if "default" in route], [], "main")
        same(host.apply(wanted, env=engine.env).plan, [], "nothing is left to do")


@on_each("containers in every state")
def every_case(host, engine):
    failed = []
    for name, function in CASES:
        try:
            function(host, engine)
        except AssertionError as error:
            failed.append(f"{name}: {error}")
        finally:
            engine.remove_all()
    if failed:
        raise AssertionError("\n".join(failed))
