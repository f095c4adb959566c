"""The model of the kernel that plans are tried in (tests/unit/kernel_model.h), compared with a real one:
random operations are done to both, and after each the errno and the state are the same. SLOW=1 takes more
of them, SOAK=1 thousands; MODEL_SEED is the first sequence's."""
import errno
import json
import os
import random
import socket
import struct
import subprocess

from features import QUEUE_LENGTH, RENAME_UP
from registry import test

SEQUENCES = 3000 if os.environ.get("SOAK") else 200 if os.environ.get("SLOW") else 3 if os.environ.get("SHORT") else 8
SEED = int(os.environ.get("MODEL_SEED", "1"))
OPERATIONS = 30  # a sequence

PARENTS = {"p0": "02:00:00:00:01:00", "p1": "02:00:00:00:01:01"}
SPACES = ["web", "db"]
NAMES = ["a0", "a1", "lan0"]
MACS = ["02:00:00:00:02:01", "02:00:00:00:02:02", "02:00:00:00:02:03", PARENTS["p0"]]
MTUS = [1300, 1400, 1500, 1501]
ADDRESSES = ["10.0.0.2/24", "10.0.0.3/24", "10.0.0.3/16", "10.0.1.2/24", "10.0.1.3/24",
             "fd00::2/64", "fd00::3/64"]
DESTINATIONS = ["0.0.0.0/0", "10.9.0.0/16", "10.9.1.0/24", "192.0.2.7/32"]
ROUTERS = ["10.0.0.1", "10.0.1.1", "10.0.2.1", "-"]
RULES = [["32763", "10.0.0.2/32", "78", "-"], ["32763", "10.0.0.3/32", "0", "-"],
         ["32764", "0.0.0.0/0", "0", "default"], ["32765", "0.0.0.0/0", "77", "-"]]
MACVLANS = ("macvlan", "macvtap")  # one driver in the kernel
MODES = {"bridge": 4, "private": 1, "vepa": 2}

# The kernel's numbers: rtnetlink.h, if_link.h, if_addr.h.
NEW_LINK, DELETE_LINK, SET_LINK = 16, 17, 19
NEW_ADDRESS, DELETE_ADDRESS, NEW_ROUTE, DELETE_ROUTE = 20, 21, 24, 25
NEW_RULE, DELETE_RULE = 32, 33
RULE_SOURCE, RULE_PRIORITY, RULE_SUPPRESS, RULE_PROTOCOL = 2, 6, 14, 21
REQUEST, ACK, CREATE_NEW = 0x1, 0x4, 0x600
ADDRESS, NAME, MTU, LINK, LINKINFO, ALIAS, NET_NS_FD = 1, 3, 4, 5, 18, 20, 28
INFO_KIND, INFO_DATA = 1, 2
MACVLAN_MODE, MACVLAN_BC_QUEUE_LEN, VLAN_ID = 1, 7, 1
IFF_UP = 1
PROTOCOL = 77


def attribute(kind, value):
    if isinstance(value, int):
        value = struct.pack("=I", value)
    elif isinstance(value, str):
        value = value.encode() + b"\0"
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def address_bytes(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return family, socket.inet_pton(family, text)


class Kernel:
    """The real one. Each operation gives its errno."""
    def __init__(self, host):
        self.host, self.sockets = host, {}
        for ns in ("host", *SPACES):
            with host.inside(ns):
                self.sockets[ns] = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)

    def send(self, ns, kind, body, flags=0):
        netlink = self.sockets[ns]
        netlink.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | flags, 1, 0) + body)
        return -struct.unpack_from("=i", netlink.recv(8192), 16)[0]

    def index(self, ns, name):
        with self.host.inside(ns):
            try:
                return socket.if_nametoindex(name)
            except OSError:
                return 0

    def link(self, ns, name, kind, attributes=b"", flags=0, mask=0):
        index = self.index(ns, name)
        if not index:
            return errno.ENODEV
        return self.send(ns, kind, struct.pack("=BBHiII", 0, 0, 0, index, flags, mask) + attributes)

    def add(self, ns, name, kind, parent, mode, mac, mtu, bcqueuelen, vlan):
        data = b""
        if kind in MACVLANS:
            data = attribute(MACVLAN_MODE, MODES[mode]) + \
                attribute(MACVLAN_BC_QUEUE_LEN, int(bcqueuelen))
        if kind == "vlan":
            data = attribute(VLAN_ID, struct.pack("=H", int(vlan)))
        body = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0) + attribute(NAME, name)
        if parent != "-":
            # No link has this index.
            body += attribute(LINK, self.index("host", parent) or 2**31 - 1)
        body += b"" if mac == "-" else attribute(ADDRESS, mac_bytes(mac))
        body += b"" if mtu == "-" else attribute(MTU, int(mtu))
        body += attribute(LINKINFO, attribute(INFO_KIND, kind.encode()) + attribute(INFO_DATA, data))
        if ns != "host":
            body += attribute(NET_NS_FD, self.host.spaces[ns])
        return self.send("host", NEW_LINK, body, CREATE_NEW)

    def delete(self, ns, name):
        return self.link(ns, name, DELETE_LINK)

    def rename(self, ns, name, new):
        return self.link(ns, name, SET_LINK, attribute(NAME, new))

    def alias(self, ns, name, text):
        return self.link(ns, name, SET_LINK, attribute(ALIAS, text.encode()))

    def mac(self, ns, name, mac):
        return self.link(ns, name, SET_LINK, attribute(ADDRESS, mac_bytes(mac)))

    def mtu(self, ns, name, size):
        return self.link(ns, name, SET_LINK, attribute(MTU, int(size)))

    def of_macvlan(self, ns, name, kind, data):
        return self.link(ns, name, NEW_LINK, attribute(LINKINFO, attribute(
            INFO_KIND, kind.encode()) + attribute(INFO_DATA, data)))

    def mode(self, ns, name, mode, kind):
        return self.of_macvlan(ns, name, kind, attribute(MACVLAN_MODE, MODES[mode]))

    def bcqueuelen(self, ns, name, length, kind):
        return self.of_macvlan(ns, name, kind, attribute(MACVLAN_BC_QUEUE_LEN, int(length)))

    def up(self, ns, name):
        return self.link(ns, name, NEW_LINK, flags=IFF_UP, mask=IFF_UP)

    def down(self, ns, name):
        return self.link(ns, name, NEW_LINK, mask=IFF_UP)

    def of_address(self, ns, name, prefix, kind, flags=0):
        address, length = prefix.split("/")
        family, value = address_bytes(address)
        return self.send(ns, kind, struct.pack("=BBBBi", family, int(length), 0, 0,
                                               self.index(ns, name))
                         + attribute(1, value) + attribute(2, value), flags)

    def address(self, ns, name, prefix):
        return self.of_address(ns, name, prefix, NEW_ADDRESS, CREATE_NEW)

    def unaddress(self, ns, name, prefix):
        return self.of_address(ns, name, prefix, DELETE_ADDRESS)

    def of_route(self, ns, name, to, via, kind, flags=0):
        """Not for a missing link: the kernel would find another route."""
        index = self.index(ns, name)
        if not index:
            return errno.ENODEV
        address, length = to.split("/")
        family, value = address_bytes(address)
        scope = 253 if via == "-" else 0
        body = struct.pack("=BBBBBBBBI", family, int(length), 0, 0, 254, PROTOCOL,
                           scope if kind == NEW_ROUTE else 255, 1, 0) + attribute(4, index)
        body += attribute(1, value) if int(length) else b""
        body += attribute(5, address_bytes(via)[1]) if via != "-" else b""
        return self.send(ns, kind, body, flags)

    def route(self, ns, name, to, via):
        return self.of_route(ns, name, to, via, NEW_ROUTE, CREATE_NEW)

    def unroute(self, ns, name, to):
        return self.of_route(ns, name, to, "-", DELETE_ROUTE)

    def of_rule(self, ns, words, kind, flags=0):
        priority, source, table, suppress = words
        address, length = source.split("/")
        family, value = address_bytes(address)
        body = struct.pack("=BBBBBBBBI", family, 0, int(length), 0, int(table) or 254, 0, 0, 1, 0)
        body += attribute(RULE_PRIORITY, int(priority)) + attribute(RULE_PROTOCOL, bytes([PROTOCOL]))
        body += attribute(RULE_SOURCE, value) if int(length) else b""
        body += attribute(RULE_SUPPRESS, 0) if suppress == "default" else b""
        return self.send(ns, kind, body, flags)

    def rule(self, ns, _, *words):
        return self.of_rule(ns, words, NEW_RULE, CREATE_NEW)

    def unrule(self, ns, _, *words):
        return self.of_rule(ns, words, DELETE_RULE)

    def rules(self, ns):
        """As the model prints them."""
        for rule in json.loads(self.host.ip(ns, "-j rule show")):
            if rule.get("protocol") == str(PROTOCOL):
                yield [str(rule["priority"]),
                       "0.0.0.0/0" if rule["src"] == "all" else f"{rule['src']}/{rule.get('srclen', 32)}",
                       rule["table"].replace("main", "0"),
                       "default" if rule.get("suppress_prefixlen") == 0 else "-"]

    def show(self, ns):
        links, routes = self.host._read(ns)
        lines = [line for link in links if link["ifname"] not in ("lo", "eth0")
                 for line in link_lines(link)]
        return lines + [f"route {route['dev']} {destination(route['dst'])} "
                        f"{route.get('gateway', '-')}" for route in routes
                        if str(route.get("protocol")) == str(PROTOCOL)] + [
                            " ".join(["rule", "-", *words]) for words in self.rules(ns)]


def destination(text):
    return "0.0.0.0/0" if text == "default" else text if "/" in text else f"{text}/32"


def link_lines(link):
    info = link.get("linkinfo", {})
    kind, data = info.get("info_kind", ""), info.get("info_data", {})
    words = ["link", link["ifname"], kind, link["address"], link["mtu"],
             "up" if "UP" in link["flags"] else "down"]
    words += [data[key] for key in ("mode", "bcqueuelen") if key in data] if kind in MACVLANS else []
    words += [data["id"]] if kind == "vlan" else []
    yield " ".join(map(str, words + [link.get("ifalias", "")])).strip()
    for item in link["addr_info"]:
        if item["scope"] != "link":
            yield f"address {link['ifname']} {item['local']}/{item['prefixlen']}"


class Model:
    def __init__(self, host):
        program = os.path.join(os.path.dirname(host.binary), "tests/model/operations")
        self.process = subprocess.Popen(
            [program, *(["live-rename"] if host.has(RENAME_UP) else []),
             *(["queue-length"] if host.has(QUEUE_LENGTH) else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def do(self, *words):
        """The errno, and the lines before it."""
        self.process.stdin.write(" ".join(words) + "\n")
        lines = []
        while True:
            line = self.process.stdout.readline().strip()
            assert line, f"the model died of {words}"
            if line.isdigit():
                return int(line), lines
            lines.append(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Sequence:
    """Random operations, the same for the same seed."""
    def __init__(self, host, kernel, model, seed, kinds):
        self.host, self.kernel, self.model, self.kinds = host, kernel, model, kinds
        self.random, self.done, self.seed = random.Random(seed), [], seed
        self.reported = {ns: [] for ns in SPACES}  # the existing objects, as the model prints them

    def begin(self):
        """Creates both parents again: the links on them are deleted with them."""
        if self.kernel.index("host", "p0"):
            self.host.batch("host", ["link del p0"])
        if self.kernel.index("host", "p1"):
            self.host.batch("host", ["link del p1"])
        for ns in SPACES:
            for words in list(self.kernel.rules(ns)):
                self.kernel.unrule(ns, "-", *words)
        self.model.do("reset")
        commands = []
        for number, (name, mac) in enumerate(PARENTS.items()):
            commands += [f"link add {name} address {mac} mtu 1500 type veth peer name q{number}",
                         f"link set {name} up", f"link set q{number} up"]
            self.model.do("add", "host", name, "veth", "-", "-", mac, "1500")
            self.model.do("up", "host", name)
        self.host.batch("host", commands)

    def add(self):
        kind, pick = self.random.choice(self.kinds), self.random.choice
        parent = pick(["p0", "p0", "p0", "p1", "v10"]) if "vlan" in self.kinds else \
            pick(["p0", "p0", "p0", "p1"])
        if kind == "vlan":
            return ["add", "host", pick(["v10", "v20"]), kind, pick(["p0", "p1"]), "-", "-",
                    str(pick(MTUS)), "-", str(pick([10, 20]))]
        mac = pick(MACS) if kind in MACVLANS else "-"
        mode, length = (pick(list(MODES)), str(pick([50, 1000]))) if kind in MACVLANS else \
            ("l2", "-")
        return ["add", pick(SPACES), pick(NAMES), kind, parent, mode, mac,
                pick(["-", str(pick(MTUS))]), length, "-"]

    def there(self, what):
        """A random existing link, address or route: namespace, name, and the rest."""
        found = [[ns, *line.split()[1:]] for ns in SPACES for line in self.reported[ns]
                 if line.startswith(what)]
        return self.random.choice(found) if found and self.random.random() < 0.9 else None

    def populated(self):
        """A few links with addresses, from which the sequence begins."""
        for ns in SPACES:
            for name in NAMES[:2]:
                parent, address = self.random.choice(list(PARENTS)), self.random.choice(ADDRESSES)
                mac = f"02:00:00:00:03:{len(self.done):02x}"
                yield ["add", ns, name, "macvlan", parent, "bridge", mac, "-", "1000", "-"]
                yield ["up", ns, name]
                yield ["address", ns, name, address]

    def operation(self):
        pick = self.random.choice
        *where, kind = (self.there("link") or [pick(SPACES), pick(NAMES), "macvlan"])[:3]
        address = self.there("address") or [*where, pick(ADDRESSES)]
        route = self.there("route") or [*where, pick(DESTINATIONS)]
        rule = self.there("rule") or [pick(SPACES), "-", *pick(RULES)]
        macvlan_only = [] if not set(self.kinds) <= set(MACVLANS) else [
            ["mac", *where, pick(MACS)], ["mode", *where, pick(list(MODES)), kind],
            ["bcqueuelen", *where, str(pick([50, 1000])), kind]]
        of_parents = [["delete", "host", pick(["v10", "v20", "p1"])],
                      ["mtu", "host", pick(["v10", "v20"]), str(pick(MTUS))]] \
            if self.random.random() < 0.1 else []
        return pick([self.add(), self.add(), ["up", *where], ["up", *where],
                     ["address", *where, pick(ADDRESSES)], ["address", *where, pick(ADDRESSES)],
                     ["unaddress", *address], ["unaddress", *address],
                     ["route", *where, pick(DESTINATIONS), pick(ROUTERS)],
                     ["route", *where, pick(DESTINATIONS), pick(ROUTERS)],
                     ["unroute", *route[:3]], ["delete", *where],
                     ["rule", pick(SPACES), "-", *pick(RULES)], ["unrule", *rule],
                     ["rename", *where, pick(NAMES)], ["alias", *where, pick(["x", "mvapply:y"])],
                     ["mtu", *where, str(pick(MTUS))], ["down", *where]]
                    + macvlan_only + of_parents)

    def fail(self, what, real, model):
        history = "\n  ".join(" ".join(words) + f"  -> {status}" for words, status in self.done)
        raise AssertionError(f"sequence {self.seed}: {what}\n  kernel {real}\n  model  {model}\n"
                             f"after\n  {history}")

    def name_taken(self, words):
        """Whether it creates a link with a used name. Which of two faults is then reported depends
        on the kernel."""
        return words[0] == "add" and any(line.startswith(f"link {words[2]} ")
                                         for line in self.model.do("show", words[1])[1])

    def step(self, words):
        taken = self.name_taken(words)
        real = getattr(self.kernel, words[0])(*words[1:])
        model, _ = self.model.do(*words)
        self.done.append((words, errno.errorcode.get(real, real)))
        if real != model and not (taken and model and real == errno.EEXIST):
            self.fail("errno", errno.errorcode.get(real, real), errno.errorcode.get(model, model))
        for ns in SPACES if words[1] == "host" else [words[1]]:
            there = sorted(self.kernel.show(ns))
            reported = sorted(self.model.do("show", ns)[1])
            self.reported[ns] = reported
            if there != reported:
                self.fail(f"in {ns}", sorted(set(there) - set(reported)), sorted(set(reported) - set(there)))

    def play(self):
        self.begin()
        for words in self.populated():
            self.step(words)
        for _ in range(OPERATIONS):
            self.step(self.operation())
        return sum(status == 0 for _, status in self.done)


def compare(host, kinds):
    host.netns(*SPACES)
    for ns in SPACES:
        for key, value in (("ipv4/conf/all/promote_secondaries", 0),
                           ("ipv4/conf/default/promote_secondaries", 0),
                           ("ipv6/conf/default/accept_dad", 0)):
            host.set_sysctl(ns, f"net/{key}", value)
    kernel, model = Kernel(host), Model(host)
    refusals, right = {}, 0
    # Under user-mode Linux a process takes long to start, such as an ip that queries names again.
    count = SEQUENCES if host.patience < 6 else max(SEQUENCES // 4, 1)
    for seed in range(SEED, SEED + count):
        sequence = Sequence(host, kernel, model, seed, kinds)
        right += sequence.play()
        for _, status in sequence.done:
            refusals[status] = refusals.get(status, 0) + 1
    model.end()
    print(f"{count} sequences of {OPERATIONS} operations: {refusals}")
    # Both accepted and refused operations occur.
    assert right > count * OPERATIONS / 4 and len(refusals) > 4, refusals


FEATURES = [RENAME_UP, QUEUE_LENGTH]


@test("model: random operations, as the kernel does them", both=True, seconds=SEQUENCES, features=FEATURES)
def macvlans(host):
    compare(host, ["macvlan"])


@test("model: random operations with macvtap", needs=["macvtap"], seconds=SEQUENCES, features=FEATURES)
def macvtaps(host):
    compare(host, list(MACVLANS))


@test("model: random operations with VLANs and ipvlan", needs=["vlan", "ipvlan"],
      seconds=SEQUENCES * 2, features=FEATURES)
def all_kinds(host):
    compare(host, ["macvlan", "macvlan", "ipvlan", "vlan"])
