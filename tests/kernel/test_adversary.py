"""Random attacks, from a seed: a container with all capabilities in its own namespace creates links, owner
tags, addresses, routes and names while `mvapply watch` and `mvapply apply` run. No other container is
affected at any time, and in the end the host is as the file declares. ADVERSARY_OPERATIONS and ADVERSARY_SEED
set how many, and which."""
import os
import random

from declare import document, lan
from host import same
from intruder import intruder, victims
from registry import test
from service import watching

LONG = any(os.environ.get(name) for name in ("SLOW", "SOAK"))
OPERATIONS = int(os.environ.get("ADVERSARY_OPERATIONS", "3000" if LONG else "150"))
SEED = int(os.environ.get("ADVERSARY_SEED", "1"))
NAMES = [f"v{number}" for number in range(1, 7)]
LINKS = 12  # limit of the intruder's objects
SWITCHES = 400  # of the service, for each attack: it observes one namespace, and repairs one link


def text(evil):
    others = {name: {"n": {"ipv4_address": f"172.16.86.{20 + number}"} if number % 2 else {}}
              for number, name in enumerate(NAMES)}
    return document({"n": lan(host={"ipv4_address": "172.16.86.250", "interface_name": "lan0"})},
                    {"evil": {**evil.source, "networks": ["n"]}, **others})


class Adversary:
    def __init__(self, host, evil, seed):
        self.host, self.evil, self.random = host, evil, random.Random(seed)

    def one(self):
        self.random.choice((self.link, self.link, self.unlink, self.alias, self.alias, self.address,
                            self.address, self.address_removed, self.route, self.name, self.mac,
                            self.mtu, self.down, self.own_gone))()

    def ip(self, *commands):
        self.evil.batch(*commands, force=True)

    def any_link(self):
        return self.random.choice(sorted(self.host.names("evil")) or ["eth0"])

    def any_address(self):
        return f"172.16.86.{self.random.choice([*range(1, 30), 250])}"

    def link(self):
        names = self.host.names("evil")
        if len(names) < LINKS and names:
            mode = self.random.choice(["bridge", "private", "vepa", "passthru", "source"])
            name = f"z{self.random.randint(0, 99)}"
            self.ip(f"link add link {self.any_link()} name {name} type macvlan mode {mode}",
                    f"link set {name} up")

    def unlink(self):
        self.ip(f"link del {self.any_link()}")

    def alias(self):
        who = self.random.choice([*NAMES, "evil", "nobody"])
        mark = self.random.choice([f"attach:default/n/{who}", f"attach:other/n/{who}", "host:default/n",
                                   f"attach:default/m/{who}", "vlan:default", "dummy:default/n"])
        self.ip(f"link set {self.any_link()} alias mvapply:{mark}")

    def address(self):
        length = self.random.choice([16, 24, 32])
        self.ip(f"address add {self.any_address()}/{length} dev {self.any_link()}")

    def address_removed(self):
        self.ip(f"address flush dev {self.any_link()}")

    def route(self):
        to = self.random.choice(["default", "10.0.0.0/8", f"{self.any_address()}/32"])
        proto = self.random.choice(["", " proto 77"])
        self.ip(f"route add {to} dev {self.any_link()}{proto}")

    def name(self):
        self.ip(f"link set {self.any_link()} name {self.random.choice(['eth0', 'eth1', 'x'])}")

    def mac(self):
        last = self.random.randint(2, 30)
        self.ip(f"link set {self.any_link()} address 02:42:ac:10:56:{last:02x}")

    def mtu(self):
        self.ip(f"link set {self.any_link()} mtu {self.random.randint(1280, 1500)}")

    def down(self):
        self.ip(f"link set {self.any_link()} {self.random.choice(['up', 'down'])}")

    def own_gone(self):
        self.ip("link del eth0")

    def leave(self):
        for name in self.host.names("evil"):
            self.ip(f"link del {name}")


def switches(service):
    return sum(int(number) for number in service.ticks())


def played(host, kind):
    host.netns(*NAMES)
    with intruder(host, kind) as evil:
        whole = text(evil)
        with watching(host, "-f", host.write(whole)) as service:
            service.settle()
            adversary = Adversary(host, evil, SEED)
            with victims(host, *NAMES) as others:
                before = switches(service)
                for number in range(OPERATIONS):
                    adversary.one()
                    if number % 25 == 24:
                        host.apply(whole, code=None)
                        service.drain()
                        others.unharmed(f"deed {number} of seed {SEED}")
                service.quiet(limit=60)
                spent = switches(service) - before
                assert spent < SWITCHES * OPERATIONS, f"{spent} switches for {OPERATIONS} operations"
                print(f"seed {SEED}: {spent} switches of the service for {OPERATIONS} operations")
                # The service may have created its link again meanwhile: wait until it exists, and
                # is right.
                host.until(lambda: adversary.leave() or host.apply(whole, code=None).code == 0,
                           "the container is as the file says", 20)
                # The service observes a container that changes all the time only sometimes, and may
                # have deleted the host's route to it meanwhile.
                host.until(lambda: host.diff(whole, code=None).code == 0, "nothing is left to do", 60)
                service.quiet(limit=60)
                others.unharmed(f"all of seed {SEED}")
                same(len(host.addresses("evil", "eth0")), 1, "the intruder's own")
        host.unchanged(whole)


@test(f"adversary: {OPERATIONS} random operations of root in a container", seconds=20 + OPERATIONS)
def root(host):
    played(host, "root")


@test(f"adversary: {OPERATIONS} random operations of a user's container", seconds=20 + OPERATIONS)
def user(host):
    played(host, "user")
