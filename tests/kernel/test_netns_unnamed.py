"""A container's namespace that persists after the container has left it: another program's process, mount or
descriptor keeps it, with the link that has the container's address and MAC."""
import contextlib
import itertools
import os
import subprocess

from declare import document, lan
from faults import STRIDE
from host import same
from registry import test
from service import watching
from test_engines import on_each
from test_watch_engines import until_attached

MAC = "02:42:ac:10:56:99"
ADDRESS = "172.16.86.2/24"


def text(source="netns", name="web", **keys):
    return document({"n": lan()}, {"web": {source: name, "networks": {"n": keys}}})


def attached(host, ns, mac="02:42:ac:10:56:02"):
    return host.names(ns) == {"eth0"} and host.addresses(ns, "eth0") == {ADDRESS} and \
        host.link(ns, "eth0")["address"] == mac


@contextlib.contextmanager
def mounted(host, name):
    """Another mount of the namespace."""
    path = f"/run/{name}-too"
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY))
    host.run("mount", "--bind", f"/run/netns/{name}", path, code=0)
    yield
    host.run("umount", path, code=0)


@contextlib.contextmanager
def opened(host, name):
    """A descriptor, which no process in the namespace has."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    yield
    os.close(fd)


@contextlib.contextmanager
def entered(host, name):
    with host.process(name) as pid:
        host.netns(f"{name}2")
        yield pid


CHANGES = {
    "nothing": [],
    "an address": ["address add 127.1.1.1/32 dev lo"],
    "a link": ["link add dummy0 type veth peer name dummy1", "link set dummy0 up"],
    "a route": ["link set lo up", "route add 10.99.0.0/16 dev lo"],
}


def lives_on(host, keep, changes, mac=None):
    """A new namespace gets the name while the old one persists, and something changes in that."""
    host.netns("web")
    with watching(host, "-f", host.write(text())) as service, keep(host, "web"):
        service.until(lambda: attached(host, "web"), "attached")
        service.settle()
        os.dup2(host.spaces["web"], 200)
        host.remove_netns("web")
        service.until_says('no network namespace "web" yet')
        host.spaces["old"] = os.dup(200)
        os.close(200)
        host.batch("old", CHANGES[changes])
        service.quiet()
        if mac:
            host.write(text(mac_address=mac))
            service.until_says("the files changed")
            service.quiet()
        host.netns("web")
        service.until(lambda: attached(host, "web", mac or "02:42:ac:10:56:02"), "attached anew")
        service.until(lambda: "eth0" not in host.names("old"), "the old namespace has no link of it")
        service.quiet()
        log = service.log()
        host.leave("old")
    same([line for line in log if "error" in line or "blocked" in line or "is already" in line], [],
         "what went wrong")
    same([line for line in log if "namespace web -> web" in line], [], "a step from a name to itself")


KEEPERS = {"a process": lambda host, name: host.process(name), "another mount": mounted,
           "a descriptor": opened}


@test("unnamed: a namespace that lost its name, whatever keeps it alive and changes in it", seconds=300)
def by_netns(host):
    """On an emulated machine each keeper and each change once."""
    pairs = itertools.product(KEEPERS, CHANGES) if STRIDE == 1 else zip(itertools.cycle(KEEPERS), CHANGES)
    for keeper, changes in pairs:
        try:
            lives_on(host, KEEPERS[keeper], changes)
        except AssertionError as error:
            raise AssertionError(f"{keeper} holds it, {changes} changes: {error}") from None
        host.delete(text())
        host.remove_netns("web")


@test("unnamed: with another MAC than that of the link there")
def other_mac(host):
    lives_on(host, KEEPERS["a process"], "an address", MAC)


@on_each("unnamed: a container restarts whose namespace another one joined")
def joined(host, engine):
    engine.run("xx")
    engine.run("yy", network="container:xx")
    with watching(host, "-f", host.write(text(engine.kind, "xx")), env=engine.env) as service, \
            engine.space("yy") as old:
        until_attached(host, engine, service, "xx", ADDRESS)
        service.settle()
        for number in range(2):
            engine.stop("xx")
            service.until_says('"xx" is not running', 40)
            host.batch(old, [f"address add 127.1.1.{number + 1}/32 dev lo"])
            service.quiet()
            engine.start("xx")
            until_attached(host, engine, service, "xx", ADDRESS)
            service.until(lambda: "eth0" not in host.names(old), "the old one has no link of it")
            service.quiet()
            service.news()
        log = service.log()
    same([line for line in log if "error" in line or "blocked" in line], [], "what went wrong")


OTHER = {"parent": "eth0", "subnet": "10.8.0.0/24", "gateway": "10.8.0.1"}
FIRST = "default via 172.16.86.1 dev eth0"
SECOND = "default via 10.8.0.1 dev eth1"


def two(kind, first, second):
    """Two containers that share a namespace: the first has its default route."""
    return document({"n": lan(), "m": OTHER}, {"xx": {kind: first, "networks": ["n"]},
                                               "yy": {kind: second, "networks": ["m"]}})


def defaults(host, ns):
    return {route for route in host.routes(ns) if route.startswith("default")}


def clean(log):
    same([line for line in log if "error" in line or "blocked" in line], [], "what went wrong")
    same([line for line in log if "replaced" in line], [], "a step from a name to itself")


@test("unnamed: one of the two names of a namespace is removed, and another is added")
def two_names(host):
    host.netns("xx")
    os.close(os.open("/run/netns/yy", os.O_CREAT | os.O_RDONLY))
    host.run("mount", "--bind", "/run/netns/xx", "/run/netns/yy", code=0)
    host.hold("yy", "/run/netns/yy")
    document_of_two = two("netns", "xx", "yy")
    with watching(host, "-f", host.write(document_of_two)) as service:
        service.until(lambda: host.names("yy") == {"eth0", "eth1"}, "attached")
        service.settle()
        before = host.snapshot("yy", final_state=True)
        host.remove_netns("xx")
        service.until_says('no network namespace "xx" yet')
        host.batch("yy", ["address add 127.1.1.1/32 dev lo", "address del 127.1.1.1/32 dev lo"])
        service.quiet()
        same(host.snapshot("yy", final_state=True), before, "while one of the names is away")
        host.netns("xx")
        service.until(lambda: attached(host, "xx") and host.names("yy") == {"eth1"} and
                      defaults(host, "yy") == {SECOND}, "each in its own")
        service.quiet()
        clean(service.log())
        host.silently("nothing", lambda: host.apply(document_of_two), settle=True)


@on_each("unnamed: one of two containers that share a namespace restarts")
def two_containers(host, engine):
    engine.run("xx")
    engine.run("yy", network="container:xx")
    with watching(host, "-f", host.write(two(engine.kind, "xx", "yy")), env=engine.env) as service, \
            engine.space("yy") as old:
        service.until(lambda: host.names(old) == {"eth0", "eth1"}, "attached", 40)
        service.settle()
        same(defaults(host, old), {FIRST}, "the default route")
        engine.stop("xx")
        service.until_says('"xx" is not running', 40)
        host.batch(old, ["address add 127.1.1.1/32 dev lo"])
        service.quiet()
        same((host.names(old), defaults(host, old)), ({"eth0", "eth1"}, {FIRST}), "while one is away")
        engine.start("xx")
        until_attached(host, engine, service, "xx", ADDRESS)
        service.until(lambda: host.names(old) == {"eth1"} and defaults(host, old) == {SECOND},
                      "the other has its own")
        service.quiet()
        clean(service.log())


# --- found without an earlier observation

@contextlib.contextmanager
def hidden(host):
    """web's namespace without its name: another process, outside of it, has a descriptor of it.
    Returns a function that lets the test observe it."""
    host.unread("web")
    holder = subprocess.Popen(["sleep", "1000"], stdin=host.spaces["web"])
    host.remove_netns("web")

    @contextlib.contextmanager
    def look():
        host.hold("old", f"/proc/{holder.pid}/fd/0")
        try:
            yield
        finally:
            host.leave("old")
    try:
        yield look
    finally:
        holder.kill()
        holder.wait()


def moved_on(host, look, mac="02:42:ac:10:56:02"):
    """The new namespace has the address, and the old one has no link any more."""
    with look():
        same(host.names("old"), set(), "links in the old one")
    same(attached(host, "web", mac), True, f"attached: {host.links('web')}")


@test("unnamed: one that a descriptor alone keeps is found by a single apply")
def apply_alone(host):
    for mac in (None, MAC):
        host.netns("web")
        host.apply(text())
        with hidden(host) as look:
            host.netns("web")
            wanted = text(**({"mac_address": mac} if mac else {}))
            planned = host.diff(wanted).plan
            assert any("descriptor of pid" in line for line in planned), planned
            host.apply(wanted)
            moved_on(host, look, mac or "02:42:ac:10:56:02")
            host.unchanged(wanted)
        host.delete(wanted)
        host.remove_netns("web")


@test("unnamed: delete removes the links in one that a descriptor alone keeps")
def delete_alone(host):
    host.netns("web")
    host.apply(text())
    with hidden(host) as look:
        same(len(host.delete(text()).plan), 1, "operations of delete")
        with look():
            same(host.names("old"), set(), "links in the old one")


@test("unnamed: a service's first observation finds one that a descriptor alone keeps")
def first_look(host):
    for mac in (None, MAC):
        host.netns("web")
        host.apply(text())
        with hidden(host) as look:
            with watching(host, "-f", host.write(text(**({"mac_address": mac} if mac else {})))) as service:
                service.quiet()
                host.netns("web")
                service.until(lambda: attached(host, "web", mac or "02:42:ac:10:56:02"), "attached")
                service.quiet()
                clean(service.log())
                moved_on(host, look, mac or "02:42:ac:10:56:02")
        host.delete(text())
        host.remove_netns("web")


@on_each("unnamed: a container restarts while a descriptor alone keeps its old namespace", seconds=200)
def engine_descriptor(host, engine):
    """The service is not running when it happens."""
    wanted = text(engine.kind, "xx")
    engine.run("xx")
    host.apply(wanted, env=engine.env)
    holder = subprocess.Popen(["sleep", "1000"], stdin=os.open(f"/proc/{engine.pid('xx')}/ns/net", os.O_RDONLY))
    try:
        engine.restart("xx")
        host.until(lambda: engine.pid("xx"), "it runs again")
        with watching(host, "-f", host.write(wanted), env=engine.env) as service:
            until_attached(host, engine, service, "xx", ADDRESS)
            service.quiet()
            clean(service.log())
        host.hold("old", f"/proc/{holder.pid}/fd/0")
        same(host.names("old"), set(), "links in the old one")
        host.leave("old")
    finally:
        holder.kill()
        holder.wait()


def searches(lines):
    """How often descriptors were searched: each process's folder of descriptors is opened then."""
    return len([line for line in lines if '/fd"' in line and "/proc/1/" in line])


def searched(host, *words):
    host.run("strace", "-f", "-qq", "-o", "trace", "-e", "trace=openat", host.binary, *words,
             env={"ASAN_OPTIONS": "detect_leaks=0"})
    with open("trace", encoding="utf-8", errors="replace") as file:
        return searches(file)


@test("unnamed: descriptors are searched once, if a link on the parent is in no known namespace")
def searched_if_missing(host):
    host.netns("web")
    host.apply(text())
    with hidden(host) as look:
        host.netns("web")
        same(searched(host, "apply", "-f", host.write(text())), 1, "when it attaches")
        moved_on(host, look)
    same(searched(host, "apply", "-f", host.write(text())), 0, "when there is nothing to do")
    same(searched(host, "status", "-f", host.write(text())), 0, "when it only reads")


@test("unnamed: a service searches descriptors once for two repairs")
def service_searches_once(host):
    host.netns("web", "lost")
    host.apply(text())
    host.batch("host", ["link add link eth0 name lost0 type macvlan", "link set lost0 netns lost"])
    host.batch("lost", ["link set lost0 up"])
    held = host.hide("lost")  # by a socket, which no search finds
    with watching(host, "-f", "network.yaml") as service:
        with service.traced("openat") as trace:
            for _ in range(2):
                host.ip("web", "link del eth0")
                service.until(lambda: attached(host, "web"), "attached again")
                service.quiet()
        same(searches(trace.lines), 1, "searches for two repairs")
    os.close(held)


def no_search(host, driver="macvlan", **keys):
    """All that is on the parent is known: in a container, in the host's namespace, managed or not."""
    network = lan(driver=driver, **keys)
    parent = f"eth0.{keys['vlan']}" if "vlan" in keys else "eth0"
    host.netns("web", "db", "other")
    host.write(document({"n": network}, {"web": ["n"]}))
    same(searched(host, "apply", "-f", "network.yaml"), 0, "searches for the first")
    host.batch("host", [f"link add link {parent} name one type {driver}", "link set one netns other",
                        f"link add link {parent} name two type {driver}", "link set two up",
                        f"link add link {parent} name three type {driver}"])
    host.batch("other", ["link set one up"])
    host.write(document({"n": network}, {"web": ["n"], "db": ["n"]}))
    same(searched(host, "apply", "-f", "network.yaml"), 0, "searches for one more")
    same(searched(host, "delete", "-f", "network.yaml"), 0, "searches for a delete")
    same(host.names("web") | host.names("db"), set(), "what is left")


@test("unnamed: descriptors are not searched if all links on the parent are known")
def not_searched(host):
    no_search(host)


@test("unnamed: descriptors are not searched for a VLAN", needs=["vlan"])
def not_searched_on_vlan(host):
    no_search(host, vlan=10)


@test("unnamed: descriptors are not searched for ipvlan", needs=["ipvlan"])
def not_searched_with_ipvlan(host):
    no_search(host, "ipvlan")


def found_again(host, **keys):
    whole = document({"n": lan(**keys)}, {"web": ["n"]})
    host.netns("web")
    host.apply(whole)
    with hidden(host) as look:
        host.netns("web")
        host.apply(whole)
        with look():
            same(host.names("old"), set(), "links in the old one")
        same((host.names("web"), host.addresses("web", "eth0")), ({"eth0"}, {ADDRESS}), "attached")
        host.unchanged(whole)


@test("unnamed: on a VLAN, one that a descriptor alone keeps is found", needs=["vlan"])
def found_on_vlan(host):
    found_again(host, vlan=10)


@test("unnamed: of ipvlan, one that a descriptor alone keeps is found", needs=["ipvlan"])
def found_with_ipvlan(host):
    found_again(host, driver="ipvlan")
