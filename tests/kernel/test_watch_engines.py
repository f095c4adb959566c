"""`mvapply watch` with a real engine: its events trigger repairs without polling."""
import concurrent.futures
import os
import signal

from declare import document, lan
from events import Events
from host import same
from service import watching
from test_engines import identity, on_each

MANY = 50
LONG = bool(os.environ.get("SLOW"))
STORM = 30 if LONG else 8


def attached(host, engine, name, address):
    """Whether the running container has its address, according to the kernel."""
    def look():
        with engine.space(name) as space:
            return host.link(space, "eth0") is not None and \
                host.addresses(space, "eth0") == {address}
    try:
        return look()
    except (AssertionError, FileNotFoundError, KeyError):
        return False


def until_attached(host, engine, service, name, address):
    service.until(lambda: attached(host, engine, name, address), f"{name} has {address}", 60)


def one(engine, **keys):
    return document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": {"n": keys}},
                                   "other": {engine.kind: "other", "networks": ["n"]}})


@on_each("watch: started, restarted, killed, renamed, removed")
def lifecycle(host, engine):
    engine.run("other")
    with watching(host, "-f", host.write(one(engine)), env=engine.env) as service:
        until_attached(host, engine, service, "other", "172.16.86.3/24")
        with engine.space("other") as space:
            bystander = host.link(space, "eth0")["ifindex"]
        engine.run("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        with engine.space("my-web") as space:
            before = identity(host, space)
        engine.restart("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        with engine.space("my-web") as space:
            same(identity(host, space), before, "after a restart")
        engine.call("POST", "/containers/my-web/kill", signal="SIGKILL")
        service.until_says("is not running", 40)
        engine.start("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        # Podman reports an event about a second later.
        service.quiet(2)
        service.news()
        engine.rename("my-web", "your-web")
        service.until_says(f'{engine.kind} has no container "my-web" yet', 40)
        with engine.space("your-web") as space:
            same(identity(host, space), before, "renamed: nothing is deleted")
        engine.rename("your-web", "my-web")
        service.quiet(2)
        service.news()
        engine.remove("my-web")
        service.until_says(f'{engine.kind} has no container "my-web" yet', 40)
        with engine.space("other") as space:
            same(host.link(space, "eth0")["ifindex"], bystander, "the bystander's link")


@on_each("watch: a container is created again under its name, with which another one's id begins",
         seconds=900 if LONG else 120)
def created_again(host, engine):
    name = engine.run("stranger")[:6]
    text = document({"n": lan()}, {"web": {engine.kind: name, "networks": ["n"]}})
    with engine.space("stranger") as space:
        before = host.snapshot(space)
        with host.inside(space):
            events = Events()
        with watching(host, "-f", host.write(text), env=engine.env) as service:
            for number in range(100 if LONG else 3):
                engine.run(name)
                until_attached(host, engine, service, name, "172.16.86.2/24")
                service.news()
                if number % 2:
                    engine.rename(name, f"old{number}")
                    engine.remove(f"old{number}")
                else:
                    engine.remove(name)
                service.until_says(f'{engine.kind} has no container "{name}" yet', 40)
            service.quiet(2)
            same([line for line in service.log() if "blocked" in line], [], "what was blocked")
        same(events.drain(), [], "what happened in the stranger's namespace")
        same(host.snapshot(space), before, "the stranger")


# Events of a container that the files do not declare. Podman cannot read long lines of its own file
# of events.
LENGTH = {"docker": 3 << 20, "podman": 30 << 10}
NOISE = [{"a": "b\0c"}, {"a\0b": "c"}, {"a": "\ud800\u2028"}, {"a": "b\n\r\n{\\u0000\\\0"},
         {"com.docker.compose.project": "shop\0", "com.docker.compose.service": "web"},
         {"com.docker.compose.project": "shop", "com.docker.compose.service": "web\0"},
         {"com.docker.compose.project\0": "shop", "com.docker.compose.service": "web"}]


@on_each("watch: labels of other containers end no stream of events")
def noise(host, engine):
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    text = document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": ["n"]},
                                   "shop": {engine.kind: "shop/web", "networks": ["n"]}})
    engine.run("my-web", labels={"a": "b\0c", "a\0b": "c"})
    with watching(host, "-f", host.write(text), env=engine.env) as service:
        service.until_says("listening to its events")
        for number, noisy in enumerate(NOISE):
            engine.run(f"noisy{number}", labels=noisy)
        engine.run("long", labels={"a": "b" * LENGTH[engine.kind]})
        engine.run("shop-web-1", labels=labels)
        until_attached(host, engine, service, "shop-web-1", "172.16.86.3/24")
        for number in range(len(NOISE)):
            engine.remove(f"noisy{number}")
        engine.restart("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        service.quiet(2)
        log = service.log()
    same([line for line in log if "listening to its events" in line],
         [f"{engine.kind}: listening to its events"], "connections")
    same([line for line in log if "trying again" in line or "blocked" in line], [], "complaints")


@on_each("watch: a Compose service that is scaled keeps its attachment")
def scaled(host, engine):
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    text = document({"n": lan()}, {"web": {engine.kind: "shop/web", "networks": ["n"]}})
    engine.run("shop-web-1", labels=labels)
    with watching(host, "-f", host.write(text), env=engine.env) as service:
        until_attached(host, engine, service, "shop-web-1", "172.16.86.2/24")
        service.until_says("listening to its events")
        engine.run("shop-web-2", labels=labels)
        service.until_says("the attachments stay with shop-web-1 [MV0708]", 40)
        with engine.space("shop-web-1") as space:
            before = identity(host, space)
            for change in ("link set eth0 down", "address flush dev eth0", "link del eth0"):
                host.ip(space, change)
                service.until(lambda: host.names(space) == {"eth0"} and
                              identity(host, space) == before, f"healed after {change}")
        with engine.space("shop-web-2") as space:
            same(host.names(space), set(), "the second one")
        # One of the two is left, and is no longer ambiguous.
        engine.stop("shop-web-1")
        until_attached(host, engine, service, "shop-web-2", "172.16.86.2/24")
        service.quiet()
        same([line for line in service.log() if "blocked" in line], [], "what was blocked")


@on_each("watch: an engine stops and starts again")
def engine_away(host, engine):
    engine.run("other")
    engine.run("my-web")
    with watching(host, "-f", host.write(one(engine)), env=engine.env) as service:
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        with engine.space("my-web") as space:
            before = identity(host, space), host.link(space, "eth0")["ifindex"]
            service.settle()
            engine.end()
            service.until_says("[MV0704]; trying again", 40)
            same((identity(host, space), host.link(space, "eth0")["ifindex"]), before,
                 "while it is down")
            engine.begin()
            service.until_says("listening to its events", 40)
            service.quiet()
            same((identity(host, space), host.link(space, "eth0")["ifindex"]), before, "up again")
        engine.restart("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
    # One that it has never reported.
    host.delete(one(engine), env=engine.env)
    engine.end()
    with watching(host, "-f", host.write(one(engine)), env=engine.env) as service:
        service.until_says("[MV0704]; trying again", 40)
        engine.begin()
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")


@on_each("watch: one container's restart among fifty", seconds=400)
def among_many(host, engine):
    names = [f"c{number}" for number in range(MANY)]
    text = document({"n": lan()}, {name: {engine.kind: name, "networks": ["n"]} for name in names})
    with watching(host, "-f", host.write(text), env=engine.env) as service:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(engine.run, names))
        for number, name in enumerate(names):
            until_attached(host, engine, service, name, f"172.16.86.{number + 2}/24")
        with service.traced() as trace:
            engine.restart("c7")
            until_attached(host, engine, service, "c7", "172.16.86.9/24")
        # Its own, a few times as it ends and restarts: a full observation would be one each.
        assert 0 < trace.dumps < MANY / 2, \
            f"{trace.dumps} dumps of links for one container's restart"
        same(trace.writes, ["new link", "set link", "new link", "new address", "new route"],
             "made, marked, brought up, addressed, routed")


@on_each("watch: stopped during a full query, and continued", seconds=200)
def stopped_meanwhile(host, engine):
    engine.run("other")
    engine.create("my-web")
    host.netns("plain")
    text = document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": ["n"]},
                                   "other": {engine.kind: "other", "networks": ["n"]},
                                   "plain": ["n"]})
    with watching(host, "-f", host.write(text), env=engine.env) as service:
        until_attached(host, engine, service, "other", "172.16.86.3/24")
        with engine.space("other") as space:
            service.quiet(2)
            service.news()
            engine.process.send_signal(signal.SIGSTOP)
            service.send(signal.SIGHUP)
            service.until_says("no answer in time", 40)
            for ns in (space, "plain"):
                host.ip(ns, "link del eth0")
                service.until(lambda ns=ns: "eth0" in host.names(ns), f"{ns} is healed", 20)
            engine.process.send_signal(signal.SIGCONT)
        engine.start("my-web")
        until_attached(host, engine, service, "my-web", "172.16.86.2/24")
        engine.restart("other")
        until_attached(host, engine, service, "other", "172.16.86.3/24")


@on_each("watch: a storm of restarts", seconds=400)
def storm(host, engine):
    names = [f"c{number}" for number in range(STORM)]
    text = document({"n": lan()}, {name: {engine.kind: name, "networks": ["n"]} for name in names})
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(engine.run, names))
        with watching(host, "-f", host.write(text), env=engine.env) as service:
            for number, name in enumerate(names):
                until_attached(host, engine, service, name, f"172.16.86.{number + 2}/24")
            before = {name: engine.pid(name) for name in names}
            with service.traced("sendto") as trace:
                list(pool.map(engine.restart, names))
                for number, name in enumerate(names):
                    assert engine.pid(name) != before[name], f"{name} did not restart"
                    until_attached(host, engine, service, name, f"172.16.86.{number + 2}/24")
            asked = [line for line in trace.lines if "GET /containers/" in line]
            # One for each start; another one if it has ended by then, or the process is younger
            # than the clock's resolution.
            assert STORM <= len(asked) <= STORM * 4 // 3, f"{len(asked)} questions:\n" + "\n".join(asked)
