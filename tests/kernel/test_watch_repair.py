"""A repair reads and searches only what can have changed: the drifted namespace, and unknown namespaces after the kernel
has reported another link on a parent."""
import contextlib
import os
import signal
import subprocess

from declare import document, lan
from host import same
from registry import test
from service import watching

ADDRESS = "172.16.86.2"
TEXT = document({"n": lan()}, {"web": {"n": {"ipv4_address": ADDRESS}}, "db": ["n"]}, name="one")


def drift(host, service, action=None):
    """web loses its address and gets it back."""
    host.batch("web", [action or f"address del {ADDRESS}/24 dev eth0"])
    service.until(lambda: host.addresses("web", "eth0") == {f"{ADDRESS}/24"}, "the repair")


@contextlib.contextmanager
def unnoticed(host, service):
    """What happens meanwhile, a service that has repaired something finds at once."""
    service.settle()
    drift(host, service)
    service.settle()
    service.send(signal.SIGSTOP)
    yield
    service.send(signal.SIGCONT)


def searches(trace):
    return sum('"/proc"' in line for line in trace.calls("openat"))


@test("watch repair: unknown namespaces are searched once, and again after another link was created on the parent")
def searched(host):
    host.netns("web", "db", "other")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        for what, expected in (("the first one", 1), ("nothing happened", 0), ("a link was created", 2),
                               ("nothing happened", 0)):
            if what == "a link was created":
                host.ip("host", "link add link eth0 name mv0 netns other type macvlan mode bridge")
            with service.traced("openat") as trace:
                drift(host, service)
            same(searches(trace), expected, f"searches: {what}")


@test("watch repair: only the namespace that has changed is opened and entered")
def one_namespace(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        service.settle()
        drift(host, service)
        with service.traced("openat,setns") as trace:
            drift(host, service)
        same(trace.entered("db"), 0, "visits to the other namespace")
        same(sum('"/run/netns/web"' in line for line in trace.calls("openat")), 1, "how often it is opened")


@test("watch repair: another set's container has the address meanwhile, in a namespace that the service does not know")
def taken_meanwhile(host):
    host.netns("web", "db", "other")
    two = document({"n": lan()}, {"other": {"n": {"ipv4_address": ADDRESS}}}, name="two")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        with unnoticed(host, service):
            host.batch("web", [f"address del {ADDRESS}/24 dev eth0"])
            host.apply(two)
        service.until_says('set "two") has the address 172.16.86.2 of web/n, too')


@test("watch repair: the link was moved into a namespace that the service does not know")
def moved(host):
    host.netns("web", "db", "other")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        with unnoticed(host, service):
            host.batch("web", ["link set eth0 netns other"])
        service.until(lambda: host.has_link("web", "eth0"), "the repair")
        service.settle()
        same((host.addresses("web", "eth0"), host.has_link("other", "eth0")), ({f"{ADDRESS}/24"}, False),
             "the address, and whether the moved link is left")


@test("watch repair: more namespaces than it lists drift at once")
def many(host):
    names = [f"c{number}" for number in range(20)]
    host.netns(*names)
    declared = {name: {"n": {"ipv4_address": f"172.16.86.{10 + number}"}} for number, name in enumerate(names)}
    with watching(host, "-f", host.write(document({"n": lan()}, declared))) as service:
        for number in range(2):
            service.settle()
            service.send(signal.SIGSTOP)
            for at, name in enumerate(names):
                host.batch(name, [f"address del 172.16.86.{10 + at}/24 dev eth0"])
            service.send(signal.SIGCONT)
            for at, name in enumerate(names):
                service.until(lambda at=at, name=name: host.addresses(name, "eth0") == {f"172.16.86.{10 + at}/24"},
                              f"{name}, {number}")


@test("watch repair: a namespace drifts, and another one's name leads to a new one, while the old one persists")
def renamed(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        with unnoticed(host, service):
            host.batch("web", [f"address del {ADDRESS}/24 dev eth0"])
            held = host.hide("db")
            host.netns("db")
        service.until(lambda: host.addresses("web", "eth0") == {f"{ADDRESS}/24"}, "the repair")
        service.until(lambda: host.has_link("db", "eth0"), "the link in the new namespace")
        os.close(held)


@test("watch repair: a link that was deleted is created again with its MAC and routes, and no other namespace is read")
def created(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        before = {}
        for number in range(3):
            service.settle()
            with service.traced("openat,setns") as trace:
                drift(host, service, "link del eth0")
            same(trace.entered("db"), 0, f"visits to the other namespace, {number}")
            link = host.link("web", "eth0")
            before = before or link
            same((link["address"], len(host.routes("web"))), (before["address"], 2), "MAC, and number of routes")


@contextlib.contextmanager
def descriptor_of(host, name):
    """Only the descriptor of a process keeps the namespace; returns its os.stat."""
    host.unread(name)
    holder = subprocess.Popen(["sleep", "1000"], stdin=host.spaces[name])
    status = os.fstat(host.spaces[name])
    host.remove_netns(name)
    try:
        yield status
    finally:
        holder.kill()
        holder.wait()


def keeps_open(service, namespace):
    """Whether the service has a descriptor of it."""
    folder = f"/proc/{service.pid}/fd"
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(f"{folder}/{name}"), namespace):
                return True
    return False


@test("watch repair: one that a descriptor alone keeps is found by a repair: it is not kept open, and gets an nsid")
def found_by_repair(host):
    host.netns("web", "db", "other")
    host.ip("host", "link add link eth0 name mv0 netns other type macvlan mode bridge")
    host.batch("other", ["link set mv0 up"])
    host.apply(TEXT)
    with descriptor_of(host, "other") as other, watching(host, "-f", host.write(TEXT, "one.yaml")) as service:
        service.settle()
        before = host.ip("host", "netns list-id")
        drift(host, service, "link del eth0")
        service.settle()
        same(keeps_open(service, other), False, "whether the service keeps it open")
        same(host.ip("host", "netns list-id").count("\n"), before.count("\n") + 1, "namespaces with an nsid")
