"""`mvapply hook`: a container has its network before its first process runs. Podman calls it."""
import concurrent.futures
import os
import threading

import engines
from declare import document, lan
from dhcp_server import serving
from engines import running, start_during_applies
from host import same
from registry import test

FOLDER = engines.RuntimeDocker.files
FILE = f"{FOLDER}/network.yaml"
ROUTE = "default via 172.16.86.1"


class Started:
    """What both engines have in common here: a container's first process shows its network."""

    def create(self, name, network="none", labels=None):
        made = self.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": engines.SHOW, "Labels": labels or {},
            "HostConfig": {"NetworkMode": network, "LogConfig": {"Type": self.log_type}}}, name=name)
        return made["Id"]

    def fails(self, name):
        """What the engine says when the container does not start."""
        try:
            self.start(name)
        except AssertionError as error:
            return str(error)
        raise AssertionError(f"{name} has started")


class Hooked(Started, engines.HookedPodman):
    log_type = "k8s-file"


class Wrapped(Started, engines.RuntimeDocker):
    log_type = "json-file"


def declare(text):
    os.makedirs(FOLDER, exist_ok=True)
    with open(FILE, "w", encoding="ascii") as file:
        file.write(text)


def entry(engine, source="my-web", network=None, **keys):
    return document({"n": network or lan()},
                    {"web": {engine.kind: source, "networks": {"n": keys}}})


def on_each(name, **options):
    """Registers the test for Podman with the hook and Docker with the runtime; it gets the host and
    the running engine."""
    def register(function):
        for made in (Hooked, Wrapped):
            def body(host, made=made):
                with running(host, made.kind, made) as engine:
                    function(host, engine)
            test(f"hook: {made.kind}: {name}", seconds=120, **options)(body)
        return function
    return register


def attached(text, address="172.16.86.2/24"):
    assert address in text and ROUTE in text, text


@on_each("the first process has its address and route; after a restart; concurrently with an apply")
def first(host, engine):
    declare(entry(engine))
    engine.run("my-web")
    attached(engine.log("my-web"))
    with engine.space("my-web") as space:
        link = host.link(space, "eth0")
        same(host.addresses(space, "eth0"), {"172.16.86.2/24"}, "the address")
        done = host.mvapply("apply", "-f", FILE, env=engine.env)
        same(done.plan, [], "an apply after it")
        same(host.link(space, "eth0")["ifindex"], link["ifindex"], "the link")
    engine.stop("my-web")
    engine.start("my-web")
    same(engine.log("my-web", 2).count(ROUTE), 2, "after a stop and a start")
    engine.restart("my-web")
    same(engine.log("my-web", 3).count(ROUTE), 3, "after a restart")
    same(host.names("host"), {"eth0"}, "links of the host")


@on_each("containers that the files do not name, or that have no network of their own")
def others(host, engine):
    declare(entry(engine))
    before = host.snapshot("host")
    engine.run("stranger")
    assert "172.16.86" not in engine.log("stranger"), "a container that is not named"
    engine.run("my-web", network="host")
    engine.log("my-web")
    same(host.snapshot("host"), before, "the host")
    os.unlink(FILE)
    engine.run("without")
    os.rmdir(FOLDER)
    engine.run("without-folder")
    declare("networks: [")
    engine.run("with-a-mistake")
    declare("networks: [my-db")
    engine.create("my-db")
    assert "MV0104" in engine.fails("my-db"), "a mistake in a file that names it"


@on_each("by the id, in a file with another engine's container, which is not looked up")
def by_id(host, engine):
    ident = engine.create("my-web")
    other = "docker" if engine.kind == "podman" else "podman"
    declare(document({"n": lan()}, {"other": {other: "gone", "networks": ["n"]},
                                    "web": {engine.kind: ident[:12], "networks": ["n"]}}))
    engine.start("my-web")
    attached(engine.log("my-web"), "172.16.86.3/24")


@on_each("a Compose service, and its second container")
def service(host, engine):
    """Podman's hooks do not learn of labels: its service attaches such a container afterwards."""
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    declare(entry(engine, "shop/web"))
    for number, there in (("1", True), ("2", False)):
        engine.run(f"shop-web-{number}",
                   labels={**labels, "com.docker.compose.container-number": number})
        same("172.16.86.2/24" in engine.log(f"shop-web-{number}"),
             there and engine.kind == "docker", f"container {number}")


@test("hook: docker: in addition to a network of Docker's own", seconds=120)
def beside(host):
    with running(host, "docker", Wrapped) as engine:
        engine.call("POST", "/networks/create", {
            "Name": "inner", "Driver": "bridge", "Internal": True,
            "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}})
        declare(entry(engine))
        engine.run("my-web", network="inner")
        text = engine.log("my-web")
        assert "172.16.86.2/24" in text and "10.9.0.2/24" in text, text
        with engine.space("my-web") as space:
            same(host.names(space), {"eth0", "lan0"}, "links of the container")
            same(host.addresses(space, "lan0"), {"172.16.86.2/24"}, "ours")
            same(host.addresses(space, "eth0"), {"10.9.0.2/24"}, "Docker's")
        done = host.mvapply("apply", "-f", FILE, env=engine.env)
        same(done.plan, [], "an apply after it")
        engine.remove("my-web")
        engine.call("DELETE", "/networks/inner")


@test("hook: docker: the default route through the LAN, in addition to Docker's", seconds=120)
def default_route(host):
    with running(host, "docker", Wrapped) as engine:
        engine.call("POST", "/networks/create", {
            "Name": "outer", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "10.9.0.0/24"}]}})
        declare(entry(engine, gw_priority=1))
        engine.run("my-web", network="outer")
        with engine.space("my-web") as space:
            for source, out in (("", "172.16.86.1 dev lan0"), (" from 10.9.0.2", "10.9.0.1 dev eth0")):
                route = host.ip(space, f"route get 203.0.113.9{source}")
                assert f"via {out}" in route, route
            same({route for route in host.routes(space) if route.startswith("default")},
                 {"default via 10.9.0.1 dev eth0"}, "main")
        done = host.mvapply("apply", "-f", FILE, env=engine.env)
        same(done.plan, [], "an apply after it")
        engine.remove("my-web")
        engine.call("DELETE", "/networks/outer")


@on_each("a parent that appears late, or never")
def late(host, engine):
    declare(entry(engine, network=lan(parent="late0")))
    engine.create("my-web")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        start = pool.submit(engine.start, "my-web")
        threading.Event().wait(1)
        host.batch("host", ["link add late0 type veth peer name late1", "link set late1 up",
                            "link set late0 up"])
        start.result(30)
    attached(engine.log("my-web"))
    host.ip("host", "link delete late0")
    engine.create("never")
    declare(entry(engine, "never", network=lan(parent="late0")))
    text = engine.fails("never")
    assert "web/n: " in text and "late0" in text and "MV0" in text, text


@on_each("a parent that exists, and is set up late")
def down(host, engine):
    host.batch("host", ["link add late0 type veth peer name late1", "link set late1 up"])
    declare(entry(engine, network=lan(parent="late0")))
    engine.create("my-web")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        start = pool.submit(engine.start, "my-web")
        threading.Event().wait(1)
        host.ip("host", "link set late0 up")
        start.result(30)
    attached(engine.log("my-web"))


@on_each("a container that cannot be attached does not start")
def fails(host, engine):
    declare(entry(engine, network=lan(mtu=9000)))
    engine.create("my-web")
    text = engine.fails("my-web")
    assert "web/n: network n: mtu" in text or "mtu" in text, text
    assert "MV0605" in text, text
    same(host.names("host"), {"eth0"}, "links of the host")
    declare(entry(engine))
    engine.start("my-web")
    attached(engine.log("my-web"))


@on_each("the address of a removed container, which the file assigns to another one")
def leaving(host, engine):
    """The start of one container changes no other one; so it must not take from it."""
    host.netns("old")
    host.apply(document({"n": lan()}, {"old": ["n"]}))
    same(host.addresses("old", "eth0"), {"172.16.86.2/24"}, "the first container")
    declare(entry(engine))
    engine.run("my-web")
    attached(engine.log("my-web"), "172.16.86.3/24")
    engine.remove("my-web")
    declare(document({"n": lan()}, {"web": {engine.kind: "my-web", "networks": {
        "n": {"ipv4_address": "172.16.86.2"}}}, "old": ["n"]}))
    engine.create("my-web")
    said = engine.fails("my-web")
    assert "172.16.86.2" in said, said
    same(host.addresses("old", "eth0"), {"172.16.86.2/24"}, "after the refused start")


@on_each("eight at once, concurrently with applies")
def eight(host, engine):
    names = [f"c{number}" for number in range(8)]
    declare(document({"n": lan()},
                     {name: {engine.kind: name, "networks": ["n"]} for name in names}))
    for name in names:
        engine.create(name)
    start_during_applies(host, engine.start, names, FILE, 5, env=engine.env, seconds=60)
    found = set()
    for name in names:
        attached(engine.log(name), "172.16.86.")
        with engine.space(name) as space:
            found |= host.addresses(space, "eth0")
    same(len(found), 8, f"addresses, {found}")
    same(host.names("host"), {"eth0"}, "links of the host")


class LenientHook(Hooked):
    flags = ("--on-failure=start",)


class LenientRuntime(Wrapped):
    flags = ("--mvapply-on-failure=start",)


for made in (LenientHook, LenientRuntime):
    @test(f"hook: {made.kind}: a container that cannot be attached starts without it, if the option allows it",
          seconds=120)
    def lenient(host, made=made):
        with running(host, made.kind, made) as engine:
            declare(entry(engine, network=lan(mtu=9000)))
            engine.run("my-web")
            assert "172.16.86" not in engine.log("my-web")
            same(host.names("host"), {"eth0"}, "links of the host")


@test("hook: an invalid container state")
def refused(host):
    declare(document({"n": lan()}, {"web": {"podman": "my-web", "networks": ["n"]}}))
    for text in (b"", b"{}", b"[]", b'{"id":"x","pid":-4}', b"\xff"):
        done = host.mvapply("hook", "-f", FOLDER, stdin=text, code=3)
        assert "MV1010" in done.err, done
    host.mvapply("hook", "-f", FOLDER, stdin=b'{"id":"x"}')


@on_each("on one network twice, with routes and rules of the network")
def twice(host, engine):
    network = lan(routes=[{"to": "10.9.0.0/16", "via": "172.16.86.9", "table": 100}, {"to": "10.7.0.0/16", "type": "blackhole"}],
                  rules=[{"to": "10.8.0.0/15", "table": 100}])
    declare(document({"n": network}, {"web": {engine.kind: "my-web", "networks": {"n": {}, "second": {"network": "n"}}}}))
    engine.run("my-web")
    attached(engine.log("my-web"))
    with engine.space("my-web") as space:
        same([host.addresses(space, link) for link in ("eth0", "eth1")], [{"172.16.86.2/24"}, {"172.16.86.3/24"}], "addresses")
        same(host.ip(space, "-4 route show table 100").split(" proto")[0].strip(), "10.9.0.0/16 via 172.16.86.9 dev eth0", "the route")
        assert "blackhole 10.7.0.0/16" in host.ip(space, "route show type blackhole"), "the type"
    same(host.mvapply("diff", "-f", FILE, env=engine.env, code=0).plan, [], "a diff")


@on_each("a lease of DHCP, and no server")
def leases(host, engine):
    network = lan(dhcp=True, subnet=None, gateway=None)
    declare(entry(engine, network=network))
    with serving(host) as server:
        engine.run("my-web")
        text = engine.log("my-web")
        with engine.space("my-web") as space:
            found = host.addresses(space, "eth0")
            same(set(server.leases()), {address.partition("/")[0] for address in found}, "the lease")
            link = host.link(space, "eth0")["ifindex"]
            same(host.mvapply("apply", "-f", FILE, env=engine.env).plan, [], "an apply after it")
            same(host.link(space, "eth0")["ifindex"], link, "the link")
        assert f"inet {found.pop()}" in text and ROUTE in text, text
    engine.remove("my-web")
    engine.create("my-web")
    host.netns("db")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        failure = pool.submit(engine.fails, "my-web")
        threading.Event().wait(2)
        assert not failure.done(), failure.result()
        host.apply(document({"m": lan()}, {"db": ["m"]}, name="other"))
        same(failure.done(), False, "the start, which waits for a server, delays an apply")
        said = failure.result()
    assert "no DHCP server answered" in said and "MV0916" in said, said
    same(host.names("host"), {"eth0"}, "links of the host")
