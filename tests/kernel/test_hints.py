"""The hints of apply, by errno and operation: each row of the table (reconcile/apply/hints.c) is printed
beside an error that the kernel gives in that operation, and fits its cause. The table is the program's own
(tests/model/hints): a row without a case here fails, and so does a case without a row."""
import errno
import os

import linux
from declare import document, lan
from features import MULTICAST_LIMIT, QUEUE_LENGTH
from faults import before_request, hidden, hidden_link, noted, preload
from host import same
from registry import test

CREATE, NEW_RULE, NEW_ALTNAME = 16, 32, 108
CHANGING = (16, 17, 19, 20, 21, 24, 25, 32, 33, 108, 109)  # requests that change links, addresses and routes
MAC, OTHER_MAC = "02:00:00:00:00:09", "02:00:00:00:00:0a"
ROUTES = [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]
DUAL = {"subnet": None, "gateway": None, "subnets": [
    {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": "172.16.86.0/25"},
    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]}
TWO_ADDRESSES = {**DUAL, "subnets": [DUAL["subnets"][0], {"subnet": "fd00:86::/64"}]}

# What a case changed on the host; commands that fail are for the other cases.
HOST_AGAIN = ("link delete br0", "link delete peer", "link delete eth1",
              "link add eth1 type veth peer name up1", "link set eth1 up", "link set eth0 up mtu 1500")

SENTENCES = {"new": "cannot create ", "alias": "cannot set the owner tag of ", "move": "cannot move ",
             "delete": "cannot delete ", "rename": "cannot rename ", "mac": "cannot set the MAC address of ",
             "mtu": "cannot set the MTU of ", "mode": "cannot set the mode of ",
             "bcqueuelen": "cannot set bcqueuelen of ", "bclim": "cannot set bclim of ",
             "ipvlan_flag": "cannot set ipvlan_flag of ", "txqueuelen": "cannot set txqueuelen of ",
             "promisc": "cannot set promisc of ", "allmulticast": "cannot set allmulticast of ",
             "unaltname": "cannot remove altname ", "altname": "cannot add altname ", "up": "cannot bring ", "sysctl": "cannot set net.",
             "unaddress": "cannot remove address ", "address": "cannot add address ",
             "unroute": "cannot remove route ", "route": "cannot add route ",
             "unrule": "cannot remove rule ", "rule": "cannot add rule "}


def one(network=None, **attachment):
    """A network of eth0, and an attachment."""
    keys = {"ip_range": None if "subnets" in (network or {}) else "172.16.86.0/25", **(network or {})}
    return document({"n": lan(**keys)}, {"web": {"n": {"mac_address": MAC, **attachment}}})


def shared(network):
    """The same without a MAC of the attachment's own."""
    return document({"n": lan(ip_range="172.16.86.0/25", **network)}, {"web": ["n"]})


PLAIN = one()
OTHER_PARENT = shared({"parent": "eth1"})
OTHER_VLAN = shared({"parent": "eth1", "vlan": 10})
VLAN = shared({"vlan": 10})
# With an unmanaged default route.
BESIDE = one(interface_name="lan0", gw_priority=1)
ENGINE = ("link add eth0 type veth peer name up0", "address add 192.168.5.2/24 dev eth0",
          "link set eth0 up", "link set up0 up", "route add default via 192.168.5.1")
HOST = document({"n": lan(ip_range="172.16.86.0/25", host={"interface_name": "lan0"})}, {})


def ip_forced(host, namespace, commands):
    """Runs commands of ip, each whether or not the others fail."""
    host.run("ip", "-force", "-batch", "-", ns=namespace, stdin="\n".join(commands).encode() + b"\n")


class Case:
    """Applies `after` to a host where `before` was applied and then changed by the command `drift`
    of ip, in the namespace of its link. `words`: what the error has to say."""
    def __init__(self, host, words, before, drift, after):
        self.host, self.words, self.before, self.drift, self.after = host, words, before, drift, after
        self.arguments = ("apply", "-f", "network.yaml", *(["--adopt"] if before and drift else []))

    def prepare(self):
        host = self.host
        host.mvapply("delete", "--name", "default", code=None)
        if "web" in host.spaces:
            host.remove_netns("web")
        host.netns("web")
        ip_forced(host, "host", HOST_AGAIN)
        host.apply(PLAIN)  # the namespace has its nsid from now on
        if self.before != PLAIN:
            host.delete(PLAIN)
        if BESIDE in (self.before, self.after):
            host.batch("web", ENGINE)
        if self.before and self.before != PLAIN:
            host.apply(self.before)
        if self.drift:
            host.ip("host" if "eth0.10" in self.drift else "web", self.drift)
        host.write(self.after)

    def run(self, *prefix, **options):
        return self.host.run(*prefix, self.host.binary, *self.arguments, code=1, **options)

    def requests(self):
        return noted(self.host, "request", lambda env: self.host.mvapply(*self.arguments, env=env))

    def interrupted(self, act):
        """Calls act() directly before one of the requests: the last one before which that leads to
        the error."""
        self.prepare()
        kinds = self.requests()
        for number in [number for number, kind in reversed(kinds) if kind in CHANGING]:
            self.prepare()
            done = before_request(self.host, number, act, *self.arguments)
            if all(word in done.err for word in self.words):
                return done
        raise AssertionError(f"nothing leads to {self.words}; at last:\n{done}")


# Operation -> (before, drift, after) of a Case whose plan begins with that operation.
CHANGES = {
    "new": (None, None, PLAIN),
    "alias": (PLAIN, "link set eth0 alias none", PLAIN),
    "delete": (PLAIN, None, document({"n": lan(ip_range="172.16.86.0/25")}, {"web": []})),
    "rename": (PLAIN, None, one(interface_name="lan0")),
    "mac": (PLAIN, None, one(mac_address=OTHER_MAC)),
    "mtu": (one({"mtu": 1300}), None, one({"mtu": 1400})),
    "mode": (PLAIN, None, one({"mode": "private"})),
    "bcqueuelen": (PLAIN, None, one({"bcqueuelen": 2000})),
    "bclim": (PLAIN, None, one({"bclim": 7})),
    "txqueuelen": (PLAIN, None, one(txqueuelen=7)),
    "promisc": (PLAIN, None, one(promisc=True)),
    "allmulticast": (PLAIN, None, one(allmulticast=True)),
    "unaltname": (one(altnames=["uplink"]), None, one(altnames=[])),
    "altname": (PLAIN, None, one(altnames=["uplink"])),
    "up": (PLAIN, "link set eth0 down", PLAIN),
    "unaddress": (one(TWO_ADDRESSES), None, PLAIN),
    "address": (PLAIN, "address delete 172.16.86.2/24 dev eth0", PLAIN),
    "unroute": (one(routes=ROUTES), None, PLAIN),
    "route": (PLAIN, "route delete default", PLAIN),
    "unrule": (BESIDE, "address delete 192.168.5.2/24 dev eth0", BESIDE),
    "rule": (BESIDE, "rule delete pref 32765", BESIDE),
}
FLAG = (shared({"driver": "ipvlan"}), None, shared({"driver": "ipvlan", "ipvlan_flag": "private"}))
ROUTE_OF_IPV6 = (one(DUAL), "-6 route delete default", one(DUAL))


def meantime(namespace, *commands, of):
    """Between planning and the operation, another program runs these commands of ip: too late, they
    may fail."""
    return lambda host, words: Case(host, words, *of).interrupted(lambda: ip_forced(host, namespace, commands))


def without_right(operation):
    def case(host, words):
        changing = Case(host, words, *(CHANGES[operation] if isinstance(operation, str) else operation))
        changing.prepare()
        return changing.run("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    return case


def sysctl(key, value, network=None, before=lambda: None):
    def case(host, words):
        setting = Case(host, words, None, None, one(network, sysctls={key: value}))
        setting.prepare()
        before()
        return setting.run()
    return case


def sysctls_read_only():
    linux.mount("/proc/sys", "/proc/sys", None, linux.MS_BIND)
    linux.mount(None, "/proc/sys", None, linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)


def beside(hide, of):
    """A link on eth0 that nobody finds."""
    def case(host, words):
        taken = Case(host, words, *of)
        taken.prepare()
        with hide(host):
            return taken.run()
    return case


def not_supported(text, request=CREATE):
    """In place of a kernel without the module, or policy routing: the request is answered as by
    one."""
    def case(host, words):
        creating = Case(host, words, None, None, text)
        creating.prepare()
        number = next(number for number, kind in creating.requests() if kind == request)
        creating.prepare()
        return creating.run(env=preload(host, f"refuse@{number}={errno.EOPNOTSUPP}"))
    return case


NEW = CHANGES["new"]
TAKEN = "link add {} type veth peer name peer"

CASES = {
    **{f"EPERM {operation} any": without_right(operation) for operation in CHANGES},
    **{f"ENODEV {operation} any": meantime("web", "link delete eth0", of=CHANGES[operation])
       for operation in CHANGES if operation not in ("new", "delete", "unaddress", "unroute", "route", "unrule", "rule",
                             "unaltname")},
    "ENODEV route any": meantime("web", "link delete eth0", of=ROUTE_OF_IPV6),
    "EACCES address any": sysctl("net.ipv6.conf.IFNAME.disable_ipv6", "1", DUAL),
    "EACCES sysctl any": sysctl("net.ipv4.conf.IFNAME.mc_forwarding", "1"),
    "EROFS sysctl any": sysctl("net.ipv4.conf.IFNAME.rp_filter", "2", before=sysctls_read_only),
    "ENOENT sysctl any": sysctl("net.ipv4.conf.IFNAME.nonsense", "1"),
    "EINVAL sysctl any": sysctl("net.ipv4.conf.IFNAME.rp_filter", "yes"),
    "EOPNOTSUPP new any": not_supported(PLAIN),
    "EOPNOTSUPP rule any": not_supported(BESIDE, NEW_RULE),
    "EBUSY new driver": meantime("host", "link add br0 type bridge", "link set eth0 master br0", of=NEW),
    "EADDRINUSE mac driver": beside(lambda host: hidden_link(host, OTHER_MAC), CHANGES["mac"]),
    "EADDRINUSE up driver": beside(lambda host: hidden_link(host, MAC), NEW),
    "ENODEV new driver": meantime("host", "link delete eth1", of=(None, None, OTHER_PARENT)),
    "ENETUNREACH route any": meantime("web", "address flush dev eth0", of=CHANGES["route"]),
    "EHOSTUNREACH route any": meantime("web", "link set eth0 down", of=ROUTE_OF_IPV6),
    "EEXIST new driver": meantime("host", TAKEN.format("lan0"), of=(None, None, HOST)),
    "EEXIST move any": meantime("web", TAKEN.format("eth0"), of=NEW),
    "EEXIST rename any": meantime("web", TAKEN.format("lan0"), of=CHANGES["rename"]),
    "EEXIST altname any": meantime("web", TAKEN.format("uplink"), of=CHANGES["altname"]),
    "EOPNOTSUPP altname any": not_supported(one(altnames=["uplink"]), NEW_ALTNAME),
    "EEXIST route any": meantime("web", "link add other type veth peer name peer", "link set other up",
                                 "route add default dev other", of=CHANGES["route"]),
    "EINVAL new driver": beside(lambda host: hidden_link(host, "02:00:00:00:00:e0", "passthru"), NEW),
    "EINVAL mtu driver": meantime("host", "link set eth0 mtu 1350", of=CHANGES["mtu"]),
}

VLAN_CASES = {
    "EOPNOTSUPP new vlan": not_supported(VLAN),
    "ENODEV new vlan": meantime("host", "link delete eth1", of=(None, None, OTHER_VLAN)),
    "ENETDOWN up vlan": meantime("host", "link set eth0 down", of=(None, None, VLAN)),
    "EEXIST new vlan": beside(lambda host: hidden(host, "type vlan id 10"), (None, None, VLAN)),
    "EINVAL new vlan": meantime("host", "link set eth0 mtu 1350", of=(None, None, VLAN)),
    "ERANGE mtu vlan": meantime("host", "link set eth0 mtu 1350", of=(
        VLAN, "link set eth0.10 mtu 1300", VLAN)),
    "EPERM ipvlan_flag any": without_right(FLAG),
    "ENODEV ipvlan_flag any": meantime("web", "link delete eth0", of=FLAG),
    "EADDRINUSE address ipvlan": beside(
        lambda host: hidden(host, "type ipvlan mode l2", "address add 172.16.86.2/24 dev hidden"),
        (None, None, shared({"driver": "ipvlan"}))),
}


def rows(host):
    """"ERRNO OPERATION KIND" -> (code, text)."""
    program = os.path.join(os.path.dirname(host.binary), "tests/model/hints")
    table = {}
    for line in host.run(program, code=0).out.splitlines():
        *key, code, text = line.split(" ", 4)
        table[" ".join(key)] = (code, text)
    return table


def play(host, wanted, cases):
    table = {key: row for key, row in rows(host).items() if wanted(key)}
    same(set(cases), set(table), "the cases, and the rows of the table")
    for key, (code, text) in table.items():
        name, operation, kind = key.split()
        values = {"PARENT": "eth1" if key.startswith("ENODEV new") else "eth0", "LINK": "eth0",
                  "MODULE": "8021q" if kind == "vlan" else "macvlan"}
        for word, value in values.items():
            text = text.replace(word, value)
        words = (f"{SENTENCES[operation]}", os.strerror(getattr(errno, name)), f"[{code}]",
                 f"\n  hint: {text}\n")
        done = cases[key](host, words)
        for word in words:
            assert word in done.err, f"{key}: {word!r} is not said\n{done}"
        host.run("umount", "/proc/sys")


def of_vlans(key):
    return key.endswith((" vlan", " ipvlan")) or " ipvlan_flag " in key


def of_queues(key):
    return " bcqueuelen " in key


def of_limits(key):
    return " bclim " in key


def part_of_cases(applies):
    return {key: case for key, case in CASES.items() if applies(key)}


@test("hints: every row of the table", seconds=120)
def every(host):
    def applies(key):
        return not of_vlans(key) and not of_queues(key) and not of_limits(key)
    play(host, applies, part_of_cases(applies))


def play_of_feature(host, feature, applies, key):
    """Where the kernel lacks it, there is no such operation."""
    if host.has(feature):
        play(host, applies, part_of_cases(applies))
        return
    before, _, after = CHANGES[key]
    host.netns("web")
    host.apply(before)
    same(host.diff(after, code=0).plan, [], "the plan")


@test("hints: every row of bcqueuelen", features=[QUEUE_LENGTH])
def every_of_queues(host):
    play_of_feature(host, QUEUE_LENGTH, of_queues, "bcqueuelen")


@test("hints: every row of bclim", features=[MULTICAST_LIMIT])
def every_of_limits(host):
    play_of_feature(host, MULTICAST_LIMIT, of_limits, "bclim")


@test("hints: every row of VLAN and ipvlan links", needs=["vlan", "ipvlan"], seconds=120)
def every_vlan(host):
    play(host, of_vlans, VLAN_CASES)
