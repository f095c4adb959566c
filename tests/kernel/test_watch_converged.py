"""The service makes a plan, for which it takes the lock, only where the state differs from that in which nothing was left
to do. The tests hold the name at which a run queues for the lock."""
from declare import document, lan
from host import same
from registry import test
from service import queue_held, watching

TEXT = document({"n": lan()}, {"web": ["n"], "db": ["n"]})


@test("watch converged: a container's own loopback needs no plan, and no lock")
def loopback(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(TEXT)) as service:
        service.settle()
        for command in ("link set lo up", "link set lo down", "link set lo up", "address add 127.0.0.2/8 dev lo"):
            with queue_held() as waits:
                before = service.ticks()
                host.batch("web", [command])
                service.until(lambda: service.ticks() != before, "it wakes up")
                service.quiet()
                same(waits(), False, f"whether it waits for the lock after {command}")
        same(service.news(), [], "what it reports")


@test("watch converged: another address, a route, a link's name and a change of the host need a plan")
def others(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(TEXT)) as service:
        for ns, command in (("web", "address add 10.9.9.9/32 dev lo"), ("web", "route add 10.8.0.0/16 dev eth0"),
                            ("web", "link add stranger type veth peer name other"),
                            ("web", "address del 172.16.86.2/24 dev eth0"), ("host", "link set eth0 mtu 1400")):
            service.settle()
            with queue_held() as waits:
                host.batch(ns, [command])
                service.until(waits, f"it waits for the lock after {command}")
        service.settle()
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "the address that was deleted")


@test("watch converged: the same drift is repaired each time, and again after the file has changed")
def each_time(host):
    host.netns("web", "db")
    path = host.write(TEXT)
    with watching(host, "-f", path) as service:
        for number in range(3):
            service.settle()
            host.batch("web", ["address del 172.16.86.2/24 dev eth0"])
            service.until(lambda: host.addresses("web", "eth0") == {"172.16.86.2/24"}, f"repair {number}")
        service.settle()
        host.write(document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.77"}}, "db": ["n"]}))
        service.until(lambda: host.addresses("web", "eth0") == {"172.16.86.77/24"}, "the file's new address")
        service.settle()
        host.batch("web", ["address add 172.16.86.2/24 dev eth0", "address del 172.16.86.77/24 dev eth0"])
        service.until(lambda: "172.16.86.77/24" in host.addresses("web", "eth0"), "and that is repaired")


@test("watch converged: a repair reads the mount table only if it has changed")
def mount_table(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.2"}},
                                                                "db": ["n"]}))) as service:
        for what, reads in (("the first one", 1), ("nothing was mounted", 0), ("a link in a new namespace", 2),
                            ("nothing was mounted", 0)):
            if what == "a link in a new namespace":
                host.netns("another")
                host.ip("host", "link add link eth0 name mv0 netns another type macvlan mode bridge")
            with service.traced("lseek") as trace:  # to the beginning of a mount table (lib/file_text.c)
                host.batch("web", ["address del 172.16.86.2/24 dev eth0"])
                service.until(lambda: host.addresses("web", "eth0") == {"172.16.86.2/24"}, f"the repair: {what}")
            same(len(trace.calls("lseek")), reads, f"readings: {what}")
