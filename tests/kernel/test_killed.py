"""Killed with SIGKILL right before any of its system calls: the next apply restores the declared state, no
stale link stays, and unmanaged objects are unchanged bit by bit.

Only calls that send, write or enter a namespace change anything beyond the process itself, so killing before
two of the others in a row is equivalent; SOAK=1 takes all calls nevertheless.
"""
import errno

from declare import document, lan
from faults import STRIDE, WHOLE, killed, killer_of, noted, preload, state
from features import ADDRESS_PROTOCOL, CREATION
from host import same
from registry import test
from service import watching

CALLS = "all" if WHOLE else "sendto,write"
NAMES = ("host", "web", "db", "ci")
FOREIGN = ("lan", "other")

BEFORE = document({"n": lan()}, {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.30"}}})
AFTER = document({"n": lan(mtu=1400)}, {
    "db": {"n": {"ipv4_address": "172.16.86.31", "interface_name": "lan0"}},
    "ci": {"n": {"sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}}})


class Scene:
    def __init__(self, host, text):
        self.host = host
        host.netns("web", "db", "ci", "other")
        host.batch("host", ["link add link eth0 name x address 02:00:00:00:01:01 type macvlan "
                            "mode bridge", "link set x netns other",
                            "link add y type veth peer name z", "address add 10.1.1.1/24 dev y"])
        host.batch("other", ["address add 172.16.86.200/24 dev x", "link set x up"])
        host.apply(BEFORE)
        host.apply(text)
        host.settle()
        self.text, self.wanted = text, state(host, *NAMES)
        self.unmanaged = self.unmanaged_now()

    def unmanaged_now(self):
        return {**self.host.snapshot(*FOREIGN),
                **{key: value for key, value in self.host.snapshot("host").items()
                   if " y" in key or " z" in key}}

    def mended(self, what):
        """One apply reaches the declared state, and the next has nothing to do."""
        self.host.apply(self.text)
        same(state(self.host, *NAMES), self.wanted, f"after {what}")
        same(self.unmanaged_now(), self.unmanaged, f"what is foreign, after {what}")
        same(self.host.diff(self.text, code=0).plan, [], f"a diff after {what}")

    def each_call(self, prepare, *arguments, env=None):
        """Runs the command repeatedly, killed before a later call each time, until it ends by itself."""
        prepare()
        total = killed(self.host, 0, CALLS, *arguments, env=env)
        hit = 0
        for number in range(1, 2 * total, STRIDE):
            prepare()
            if not killed(self.host, number, CALLS, *arguments, env=env):
                break
            hit += 1
            self.mended(f"a kill before call {number} of about {total} of {arguments[0]}")
        assert hit >= (total - 5) // STRIDE and hit > 15 // STRIDE, f"killed {hit} times, of {total} calls"
        print(f"killed {hit} times")


@test("killed: an apply, before each call", seconds=3600 if WHOLE else 0)
def killed_apply(host):
    scene = Scene(host, AFTER)
    host.write(AFTER, "after.yaml")
    scene.each_call(lambda: host.apply(BEFORE), "apply", "-f", "after.yaml")


NEW_LINK = 16


@test("killed: an apply that creates links, in their namespace and as on older kernels, before each call",
      seconds=3600 if WHOLE else 0, features=[CREATION])
def killed_creation(host):
    scene = Scene(host, AFTER)
    host.write(AFTER, "after.yaml")

    def delete():
        host.delete(AFTER)
    delete()
    requests = noted(host, "request", lambda env: host.mvapply("apply", "-f", "after.yaml", env=env))
    first = next(number for number, kind in requests if kind == NEW_LINK)
    ways = [None, preload(host, f"refuse@{first}={errno.EEXIST}")] if host.has(CREATION) else [None]
    for env in ways:
        scene.each_call(delete, "apply", "-f", "after.yaml", env=env)


@test("killed: an apply that changes the prefix length of addresses that were chosen",
      seconds=3600 if WHOLE else 0, features=[ADDRESS_PROTOCOL])
def killed_prefix(host):
    """The chosen address is only on the link."""
    host.netns("web", "db")
    both = ["web", "db"]

    def text(**keys):
        return document({"n": lan(subnet=None, gateway=None, subnets=[
            {"subnet": "172.16.86.0/24", **keys},
            {"subnet": "fd00:86::/64", "ip_range": "fd00:86::40/122"}])}, {ns: ["n"] for ns in both})
    wide = text().replace("86.0/24", "0.0/16").replace("fd00:86::/64", "fd00::/16") \
        .replace("fd00:86::40/122", "fd00::/16")
    host.write(wide, "wide.yaml")
    theirs = {"172.16.86.200/24"} if host.has(ADDRESS_PROTOCOL) else set()  # it counts as managed without
    number = 1
    while number < 1000:
        host.delete(wide)
        host.apply(text(ip_range="172.16.86.64/26"))
        host.ip("web", "address add 172.16.86.200/24 dev eth0")
        if not killed(host, number, CALLS, "apply", "-f", "wide.yaml"):
            break
        host.apply(wide)
        same([host.addresses(ns, "eth0") for ns in both],
             [{"172.16.86.64/16", "fd00:86::40/16"} | theirs,
              {"172.16.86.65/16", "fd00:86::41/16"}], f"addresses after a kill before call {number}")
        if theirs:
            host.ip("web", "address delete 172.16.86.200/24 dev eth0")
        number += STRIDE
    assert number > 10, f"killed {number} times"


@test("killed: a delete, before each call", seconds=3600 if WHOLE else 0)
def killed_delete(host):
    scene = Scene(host, AFTER)
    host.write(AFTER, "after.yaml")
    scene.each_call(lambda: host.apply(AFTER), "delete", "-f", "after.yaml")
    host.delete(AFTER)
    same({ns: host.names(ns) for ns in NAMES}, {"host": {"eth0", "y", "z"}, "web": set(),
                                                "db": set(), "ci": set()}, "after a delete")


@test("killed: a repair of the service, before each call", seconds=3600 if WHOLE else 0)
def killed_repair(host):
    scene = Scene(host, AFTER)
    hit = 0
    for number in range(1, 2000, STRIDE):
        with watching(host, "-f", host.write(AFTER)) as service:
            service.quiet(0.1)
            killer = killer_of(host, service.pid, number, CALLS)
            host.ip("db", "link del lan0")
            host.ip("ci", "address flush dev eth0")
            host.until(lambda: killer.poll() is not None or state(host, *NAMES) == scene.wanted,
                       "killed or repaired", 20)
            service.process.kill()  # then it was repaired without a kill
            service.process.wait()
            service.process.returncode = 0
            killer.communicate()
        if killer.returncode != 0:
            break
        hit += 1
        scene.mended(f"a kill before call {number} of a repair")
    assert hit > 15 // STRIDE, f"killed {hit} times"
    print(f"killed {hit} times")
