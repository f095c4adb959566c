"""Several at once, of one set and of several that share a parent: one after the other, without a
lock that can outlive its holder, and all end with the declared state. More applies at once are in
test_safety.py."""
import contextlib
import subprocess
import time

from declare import document, lan
from faults import killed, killer_of, meanwhile, state
from host import same
from registry import test
from service import watching

NAMES = ("web", "db")


def one_set(mtu):
    return document({"n": lan(mtu=mtu)}, {"web": ["n"], "db": ["n"]})


def own_set(number, **keys):
    return document({"n": lan(ip_range=f"172.16.86.{16 * number}/28", **keys)},
                    {f"s{number}": ["n"]}, name=f"set{number}")


def started(host, *arguments):
    return subprocess.Popen([host.binary, *arguments], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(host, *children):
    said = [child.communicate(timeout=60 * host.patience) for child in children]
    same([child.returncode for child in children], [0] * len(children), f"exit codes, of {said}")


def indexes(host, *names):
    return {ns: {name: link["ifindex"] for name, link in host.links(ns).items()} for ns in names}


@test("two at once: an apply and a service of one set")
def apply_and_watch(host):
    host.netns(*NAMES)
    with watching(host, "-f", host.write(one_set(1500))) as service:
        service.quiet()
        before = indexes(host, *NAMES)
        for mtu in (1400, 1300, 1400, 1280, 1500):
            host.write(one_set(mtu))
            host.run("ip", "address", "flush", "dev", "eth0", ns="db")
            ended(host, *(started(host, "apply", "-f", "network.yaml") for _ in range(2)))
            service.until(lambda mtu=mtu: host.link("web", "eth0")["mtu"] == mtu, "changed")
        service.quiet()
        same(indexes(host, *NAMES), before, "the links are the same all the time")
        host.unchanged(one_set(1500))


@contextlib.contextmanager
def two_services(host, *files):
    """The second is the one that is tested."""
    with open("/run/first.log", "wb") as log:
        first = subprocess.Popen([host.binary, "watch", "-f", files[0]], stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
    try:
        with watching(host, "-f", files[1]) as second:
            yield second
            same(first.poll(), None, "the first still runs")
    finally:
        first.terminate()
        first.wait()


@test("two at once: a second service of one set is refused, and the first continues")
def two_watches(host):
    host.netns(*NAMES)
    text = one_set(1400)
    with watching(host, "-f", host.write(text)) as service:
        wanted = state(host, *NAMES)
        host.run(host.binary, "watch", "-f", "network.yaml", code=4)
        for command in ("link del eth0", "address flush dev eth0", "link set eth0 mtu 1300") * 2:
            host.ip("web", command)
            service.until(lambda: state(host, *NAMES) == wanted, command)
        service.quiet()
        host.unchanged(text)


@test("two at once: services and applies of two sets that share a parent")
def sets_and_services(host):
    host.netns("s1", "s2")
    for number in (1, 2):
        host.write(own_set(number), f"s{number}.yaml")
    with two_services(host, "s1.yaml", "s2.yaml") as service:
        for number in (1, 2, 1, 2):
            service.until(lambda: all(host.names(ns) == {"eth0"} for ns in ("s1", "s2")), "there")
            for ns in ("s1", "s2"):
                host.ip(ns, "link del eth0")
            ended(host, *(started(host, "apply", "-f", f"s{n}.yaml") for n in (1, 2)))
            service.until(lambda: all(host.names(ns) == {"eth0"} for ns in ("s1", "s2")), "made")
            before = indexes(host, "s1", "s2")
            host.write(own_set(number, mtu=1400), f"s{number}.yaml")
            service.until(lambda n=number: host.link(f"s{n}", "eth0")["mtu"] == 1400, "changed")
            same(indexes(host, "s1", "s2"), before, "the links are the same")
        service.quiet()
        same({ns: host.addresses(ns, "eth0") for ns in ("s1", "s2")},
             {"s1": {"172.16.86.16/24"}, "s2": {"172.16.86.32/24"}}, "addresses")


@test("two at once: a run that is killed leaves no lock")
def killed_holder(host):
    host.netns(*NAMES)
    text = one_set(1400)
    host.write(text)
    for number in (1, 2, 3, 5, 8):
        host.apply(one_set(1500))
        host.write(text)
        with watching(host, "-f", "network.yaml") as service:
            service.quiet(0.1)
            killer = killer_of(host, service.pid, number, "sendto,write")
            host.ip("web", "link del eth0")
            children = [started(host, "apply", "-f", "network.yaml") for _ in range(3)]
            ended(host, *children)
            killer.terminate()
            killer.communicate()
            service.process.kill()
            service.process.wait()
            service.process.returncode = 0
        host.unchanged(text)


@test("two at once: two sets that share a VLAN link are applied and deleted together", needs=["vlan"])
def shared_vlan(host):
    host.netns("s1", "s2")
    for number in (1, 2):
        host.write(own_set(number, vlan=10), f"s{number}.yaml")
    for _ in range(3):
        ended(host, *(started(host, "apply", "-f", f"s{n}.yaml") for n in (1, 2)))
        same((host.names("host"), host.names("s1"), host.names("s2")),
             ({"eth0", "eth0.10"}, {"eth0"}, {"eth0"}), "links of both")
        before = host.link("host", "eth0.10")["ifindex"]
        ended(host, started(host, "delete", "-f", "s1.yaml"), started(host, "apply", "-f", "s2.yaml"))
        same((host.names("s1"), host.link("host", "eth0.10")["ifindex"]), (set(), before),
             "kept for the other")
        ended(host, started(host, "apply", "-f", "s1.yaml"))
        ended(host, *(started(host, "delete", "-f", f"s{n}.yaml") for n in (1, 2)))
        same((host.names("host"), host.names("s1"), host.names("s2")),
             ({"eth0"}, set(), set()), "links after both deletes")


@test("two at once: a service repairs nothing during an apply")
def service_waits(host):
    host.netns("web", "db")
    one = document({"n": lan()}, {"web": ["n"]}, name="one")
    host.write(document({"m": lan(subnet="10.8.0.0/24", gateway=None)}, {"db": ["m"]}, name="two"),
               "two.yaml")
    arguments = ("apply", "-f", "two.yaml")

    def callback():
        host.ip("web", "link set eth0 mtu 1400")
        time.sleep(1)
        same(host.link("web", "eth0")["mtu"], 1400, "the mtu, while the apply is at work")
    with watching(host, "-f", host.write(one)) as service:
        service.settle()
        total = killed(host, 0, "sendto", *arguments)
        host.mvapply("delete", "-f", "two.yaml")
        service.quiet()
        done, reached = meanwhile(host, total - 2, "sendto", callback, *arguments)
        assert reached and done.code == 0, done
        service.until(lambda: host.link("web", "eth0")["mtu"] == 1500, "repaired after it")
