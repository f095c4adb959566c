"""A default route on the LAN beside that of another program: `gw_priority` in a container that has
links of its engine, too. The engine here is a veth with a default route, made by hand; a router
forwards between it and a client beyond."""
import contextlib
import errno
import json
import socket

from declare import document, lan
from dhcp_server import serving
from faults import STRIDE, killed, noted, preload
from host import same
from registry import test

LAN4 = {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": "172.16.86.0/26"}
LAN6 = {"subnet": "fd00:86::/64", "gateway": "fd00:86::1", "ip_range": "fd00:86::/122"}
NETWORK = {"parent": "eth0", "subnets": [LAN4, LAN6]}
# Addresses on the LAN's side and on the client's; each has a default route for the other's answers.
BEYOND_LAN = {socket.AF_INET: "203.0.113.9", socket.AF_INET6: "2001:db8:1::9"}
CLIENT = {socket.AF_INET: "198.51.100.7", socket.AF_INET6: "2001:db8:2::7"}
ENGINE = {socket.AF_INET: "172.18.0.2", socket.AF_INET6: "fd00:18::2"}
OURS = {socket.AF_INET: "172.16.86.2", socket.AF_INET6: "fd00:86::2"}
COMMANDS = {socket.AF_INET: "", socket.AF_INET6: "-6 "}
FAMILIES = tuple(COMMANDS)
OWN = {(32764, "all", "main", 0), (32765, "all", "77", None)}


def text(networks=None, container=None, **keys):
    return document({"n": NETWORK, **(networks or {})},
                    {"web": container or {"networks": {"n": {"interface_name": "lan0", **keys}}}})


def rules(host, space, family):
    """The rules except the kernel's own: priority, source, table, suppressed prefix length."""
    found = json.loads(host.ip(space, f"-j {COMMANDS[family]}rule show"))
    return {(rule["priority"], rule["src"], rule["table"], rule.get("suppress_prefixlen"))
            for rule in found if rule["priority"] not in (0, 32766, 32767)}


def protocols(host, space):
    return {str(rule.get("protocol")) for family in FAMILIES
            for rule in json.loads(host.ip(space, f"-j {COMMANDS[family]}rule show"))
            if rule["priority"] not in (0, 32766, 32767)}


def defaults(host, space, family, table="main"):
    """A table does not exist until it has a route. Two routes of IPv6 with one metric are one with
    several routers."""
    done = host.run("ip", "-j", *COMMANDS[family].split(), "route", "show", "default", "table",
                    str(table), ns=space)
    return {(hop["gateway"], hop["dev"], str(route.get("protocol")))
            for route in (json.loads(done.out) if done.code == 0 and done.out.strip() else [])
            for hop in route.get("nexthops", [route])}


def engine(host, space="web"):
    """A container's namespace with eth0 of an engine, and the ways beyond both of its links."""
    host.netns(space, "router", "client")
    for name in (space, "router", "client"):  # no test waits for duplicate address detection
        host.set_sysctl(name, "net/ipv6/conf/default/accept_dad", 0)
    host.lan("fd00:86::1/64", *(f"{ip}/{128 if ':' in ip else 32}" for ip in BEYOND_LAN.values()))
    host.batch("router", [
        "link add br0 type veth peer name eth0", f"link set eth0 netns /run/netns/{space}",
        "link add out0 type veth peer name eth0", "link set eth0 netns /run/netns/client",
        "address add 172.18.0.1/16 dev br0", "address add fd00:18::1/64 dev br0 nodad",
        "address add 198.51.100.1/24 dev out0", "address add 2001:db8:2::1/64 dev out0 nodad",
        "link set br0 up", "link set out0 up", "link set lo up"])
    for key in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        host.set_sysctl("router", f"net/{key}", 1)
    host.batch(space, [f"address add {ENGINE[socket.AF_INET]}/16 dev eth0",
                       f"address add {ENGINE[socket.AF_INET6]}/64 dev eth0 nodad",
                       "link set eth0 up", "link set lo up"])
    engine_defaults(host, space)
    host.batch("client", [f"address add {CLIENT[socket.AF_INET]}/24 dev eth0",
                          f"address add {CLIENT[socket.AF_INET6]}/64 dev eth0 nodad",
                          "link set eth0 up", "link set lo up", "route add default via 198.51.100.1",
                          "route add default via 2001:db8:2::1"])


def engine_defaults(host, space="web", what="add"):
    host.batch(space, [f"route {what} default via 172.18.0.1 dev eth0",
                       f"route {what} default via fd00:18::1 dev eth0"])


def new_socket(host, space, family, kind, address=None):
    with host.inside(space):
        made = socket.socket(family, kind)
    made.settimeout(host.patience)
    if address:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, 8080))
    return made


def leaves_from(host, family, space="web"):
    """The source with which a datagram to an address beyond the LAN arrives there; None: it does
    not."""
    with contextlib.closing(new_socket(host, "lan", family, socket.SOCK_DGRAM,
                                       BEYOND_LAN[family])) as there, \
            contextlib.closing(new_socket(host, space, family, socket.SOCK_DGRAM)) as here:
        here.sendto(b"out", (BEYOND_LAN[family], 8080))
        try:
            return there.recvfrom(16)[1][0]
        except TimeoutError:
            return None


def answered(host, family, space="web"):
    """Whether a client beyond the engine's router reaches a port of the container's engine
    address, as it does by a published port."""
    with contextlib.closing(new_socket(host, space, family, socket.SOCK_STREAM,
                                       ENGINE[family])) as server, \
            contextlib.closing(new_socket(host, "client", family, socket.SOCK_STREAM)) as client:
        server.listen()
        try:
            client.connect((ENGINE[family], 8080))
        except TimeoutError:
            return False
        same(client.getpeername()[0], ENGINE[family], "who answers")
        return True


def check_beside(host, space="web"):
    """Our default route in its table, the engine's in main, and the rules."""
    for family in FAMILIES:
        gateway, other = (("172.16.86.1", "172.18.0.1") if family == socket.AF_INET
                          else ("fd00:86::1", "fd00:18::1"))
        same(defaults(host, space, family, 77), {(gateway, "lan0", "77")}, "ours")
        same({route[:2] for route in defaults(host, space, family)}, {(other, "eth0")}, "main's")
        same(defaults(host, space, family, 78), {(other, "eth0", "77")}, "that for answers")
        same(rules(host, space, family),
             OWN | {(32763, ENGINE[family], "78", None)}, "rules")
    same(protocols(host, space), {"77"}, "protocols")
    for family in FAMILIES:
        same(leaves_from(host, family, space), OURS[family], "leaves by the LAN")
        same(answered(host, family, space), True, "a client beyond the engine's router")


def check_gone(host, space="web"):
    for family in FAMILIES:
        same(rules(host, space, family), set(), "rules left")
        for table in (77, 78):
            same(defaults(host, space, family, table), set(), "routes left")


@test("policy routing: the default route is through the LAN, and replies through the engine's link", both=True)
def beside(host):
    engine(host)
    for family in FAMILIES:
        same((leaves_from(host, family), answered(host, family)), (None, True), "before")
    host.apply(text(gw_priority=1))
    check_beside(host)
    host.unchanged(text(gw_priority=1))
    host.delete(text(gw_priority=1))
    check_gone(host)
    same(host.names("web"), {"eth0"}, "links")
    for family in FAMILIES:
        same((leaves_from(host, family), answered(host, family)), (None, True), "after")


@test("policy routing: removed rules are repaired, and unmanaged ones ignored")
def repaired(host):
    engine(host)
    wanted = text(gw_priority=1)
    host.apply(wanted)
    for family in FAMILIES:
        command, address = COMMANDS[family], ENGINE[family]
        host.ip("web", f"{command}rule del pref 32763")
        same(answered(host, family), False, "without the rule for answers")
        same(host.apply(wanted).plan, [f"~ attach web/n + rule 32763 from {address} lookup 78"
                                       + (" (IPv6)" if command else "")], "repaired")
        same(answered(host, family), True, "with it")
        host.ip("web", f"{command}rule del pref 32765")
        host.ip("web", f"{command}route del default table 77")
        same(len(host.apply(wanted).plan), 1, "one step")
        host.ip("web", f"{command}rule add pref 100 to {CLIENT[family]} lookup main protocol 99")
        host.unchanged(wanted)
        host.ip("web", f"{command}rule del pref 100")
    check_beside(host)
    host.ip("web", "address add 172.18.0.3/16 dev eth0")
    same(host.apply(wanted).plan, ["~ attach web/n + rule 32763 from 172.18.0.3 lookup 78"], "more")
    host.ip("web", "address del 172.18.0.3/16 dev eth0")
    same(host.apply(wanted).plan, ["~ attach web/n - rule 32763 from 172.18.0.3 lookup 78"], "less")
    check_beside(host)


@test("policy routing: the other default route is removed and added again")
def other_default(host):
    engine(host)
    wanted = text(gw_priority=1)
    engine_defaults(host, what="del")
    host.apply(wanted)
    check_gone(host)
    same(defaults(host, "web", socket.AF_INET), {("172.16.86.1", "lan0", "77")}, "in main")
    host.ip("web", "route add default via 172.18.0.1 dev eth0 metric 5")
    host.ip("web", "-6 route add default via fd00:18::1 dev eth0 metric 5")
    host.apply(wanted)
    check_beside(host)
    host.unchanged(wanted)
    engine_defaults(host, what="del")
    host.apply(wanted)
    check_gone(host)
    for family in FAMILIES:
        same(leaves_from(host, family), OURS[family], "leaves by the LAN")
    host.unchanged(wanted)


@test("policy routing: gw_priority is removed, and an unmanaged rule conflicts")
def conflicts(host):
    engine(host)
    host.ip("web", "rule add pref 32764 lookup main suppress_prefixlength 0")
    done = host.apply(text(gw_priority=1), code=1)
    said = " ".join((done.out + done.err).split())
    assert "web already has the rule 32764 from all lookup main suppress_prefixlength 0" in said, said
    assert "ip rule del pref 32764" in said, said
    same(host.names("web"), {"eth0"}, "nothing was done")
    host.ip("web", "rule del pref 32764")
    host.apply(text(gw_priority=1))
    done = host.apply(text(), code=1)
    assert "web already has a default route via" in done.out, done
    check_beside(host)
    host.ip("web", "route del default via 172.18.0.1")
    host.ip("web", "-6 route del default via fd00:18::1")
    host.apply(text())
    check_gone(host)


@test("policy routing: -o ip, JSON, export, and the rollback of an unconfirmed apply")
def surfaces(host):
    engine(host)
    wanted = text(gw_priority=1)
    host.run("sh", "-e", host.write(host.diff(wanted, "-o", "ip").out, "plan.sh"), code=0)
    same(host.diff(wanted, code=0).plan, [], "what is left to do after the commands")
    check_beside(host)
    exported = host.mvapply("export").out
    assert exported.count("gw_priority: 1") == 1, exported
    same(host.apply(exported).plan, [], "what is exported")
    host.apply(text(gw_priority=-1), "--confirm=1", code=1)
    host.apply(document({"n": NETWORK}, {"web": []}), "--confirm=1", code=5)
    check_beside(host)
    host.mvapply("delete", "--name", "default")
    check_gone(host)
    done = host.diff(wanted, "-o", "json").json
    step = next(step for step in done["steps"] if step["object"] == "attach")
    same([route["table"] for route in step["routes"]], [77, 77], "tables")
    policy = step["policy_routing"]
    same(policy["rules"][:3], ["32763 from 172.18.0.2 lookup 78",
                               "32764 from all lookup main suppress_prefixlength 0",
                               "32765 from all lookup 77"], "rules")
    same(policy["routes"][:2], [{"to": "172.18.0.0/16", "via": None, "table": 78, "dev": "eth0"},
                                {"to": "default", "via": "172.18.0.1", "table": 78, "dev": "eth0"}],
         "routes")
    host.apply(wanted, "--confirm=1", code=5)
    check_gone(host)
    same(host.names("web"), {"eth0"}, "links")


@test("policy routing: which of two networks has it; the rules stay as they are when it moves")
def moves(host):
    engine(host)
    other = {"m": {"parent": "eth0", "subnets": [
        {"subnet": "10.8.0.0/24", "gateway": "10.8.0.1", "ip_range": "10.8.0.0/26"},
        {"subnet": "fd00:8::/64", "gateway": "fd00:8::1", "ip_range": "fd00:8::/122"}]}}

    def two(first, second):
        return text(other, {"networks": {"n": {"interface_name": "lan0", **first},
                                         "m": {"interface_name": "lan1", **second}}})

    def leads(link, gateways):
        for family, gateway in zip(FAMILIES, gateways, strict=True):
            same(defaults(host, "web", family, 77), {(gateway, link, "77")}, "ours")
            same(rules(host, "web", family), OWN | {(32763, ENGINE[family], "78", None)}, "rules")

    host.apply(two({"gw_priority": 1}, {}))
    leads("lan0", ("172.16.86.1", "fd00:86::1"))
    plan = host.apply(two({"gw_priority": 1}, {"gw_priority": 2})).plan
    leads("lan1", ("10.8.0.1", "fd00:8::1"))
    assert not any("rule" in line for line in plan), plan
    # The one that has it goes, and the other one gets it, in one run.
    host.apply(text(gw_priority=1))
    leads("lan0", ("172.16.86.1", "fd00:86::1"))
    host.unchanged(text(gw_priority=1))
    host.apply(two({}, {"gw_priority": 1}))
    leads("lan1", ("10.8.0.1", "fd00:8::1"))
    # The link is replaced: of another parent, and of another namespace.
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up", "link set up1 up"])
    other["m"]["parent"] = "eth1"
    host.apply(two({}, {"gw_priority": 1}))
    leads("lan1", ("10.8.0.1", "fd00:8::1"))
    host.unchanged(two({}, {"gw_priority": 1}))
    host.ip("web", "link delete lan1")
    host.apply(two({}, {"gw_priority": 1}))
    leads("lan1", ("10.8.0.1", "fd00:8::1"))
    host.unchanged(two({}, {"gw_priority": 1}))
    # Its route is gone, and with it what says whose the rules are.
    host.ip("web", "link set lan1 down")
    host.delete(two({}, {"gw_priority": 1}))
    check_gone(host)


@test("policy routing: the router of a DHCP lease, and the main table after it")
def leased(host):
    engine(host)
    wanted = document({"n": lan(dhcp=True, subnet=None, gateway=None)},
                      {"web": {"n": {"gw_priority": 1, "interface_name": "lan0"}}})
    with serving(host):
        host.apply(wanted)
        same(defaults(host, "web", socket.AF_INET, 77), {("172.16.86.1", "lan0", "77")}, "ours")
        same(rules(host, "web", socket.AF_INET), OWN | {(32763, "172.18.0.2", "78", None)}, "rules")
        same(rules(host, "web", socket.AF_INET6), set(), "rules of IPv6, which it does not have")
        leased_ip = next(item["local"] for item in host.link("web", "lan0")["addr_info"]
                         if item["family"] == "inet")
        same(leaves_from(host, socket.AF_INET), leased_ip, "leaves by the LAN")
        same(answered(host, socket.AF_INET), True, "a client beyond the engine's router")
        host.unchanged(wanted)
        engine_defaults(host, what="del")
        host.apply(wanted)
        check_gone(host)
        same(defaults(host, "web", socket.AF_INET), {("172.16.86.1", "lan0", "77")}, "in main")
        host.unchanged(wanted)
        engine_defaults(host, what="append")
        host.delete(wanted)
        check_gone(host)


NEW_RULE, GET_RULE = 32, 34


@test("policy routing: a kernel without it")
def without(host):
    engine(host)
    path = host.write(text(gw_priority=1))
    requests = noted(host, "request", lambda env: host.mvapply("apply", "-f", path, env=env))
    host.delete(text(gw_priority=1))
    before = host.snapshot("web")
    for number in [number for number, kind in requests if kind == NEW_RULE]:
        done = host.run(host.binary, "apply", "-f", path, code=1,
                        env=preload(host, f"refuse@{number}={errno.EOPNOTSUPP}"))
        assert "[MV0903]" in done.err and "CONFIG_IP_MULTIPLE_TABLES" in done.err, done
        check_gone(host)
        same(host.snapshot("web"), before, "the namespace, where a rule is refused")
    docker = document({"n": NETWORK}, {"app": {"docker": "app", "networks": {"n": {"gw_priority": 1}}}})
    arguments = ("doctor", "-f", host.write(docker, "docker.yaml"), "-o", "json")
    nowhere = {"DOCKER_HOST": "unix:///nowhere"}
    dumps = noted(host, "dump", lambda env: host.mvapply(*arguments, env={**env, **nowhere}, code=None))
    number = next(number for number, kind in dumps if kind == GET_RULE)
    for fault, expected in ((None, []), (f"broken@{number}={errno.EOPNOTSUPP}", ["MV0903"])):
        found = host.mvapply(*arguments, code=None, env={
            **nowhere, **(preload(host, fault) if fault else {})}).json["findings"]
        same([one["code"] for one in found if "policy routing" in one["message"]], expected, fault)


@test("policy routing: an apply and a delete that are killed before each call")
def interrupted(host):
    engine(host)
    wanted, path = text(gw_priority=1), host.write(text(gw_priority=1), "wanted.yaml")
    for command, prepare in (("apply", lambda: host.delete(wanted)), ("delete", lambda: host.apply(wanted))):
        host.apply(wanted)
        prepare()
        total = killed(host, 0, "sendto,write", command, "-f", path)
        host.apply(wanted)
        for number in range(1, total + 1, STRIDE):
            prepare()
            killed(host, number, "sendto,write", command, "-f", path)
            host.apply(wanted)
            for family in FAMILIES:
                same(rules(host, "web", family), OWN | {(32763, ENGINE[family], "78", None)},
                     f"{command}, killed before call {number} of {total}")
            host.delete(wanted)
            check_gone(host)
            host.apply(wanted)


@test("policy routing: two sets in one namespace; the first one has it until it is deleted")
def two_sets(host):
    engine(host)
    other = {"parent": "eth0", "subnet": "10.8.0.0/24", "gateway": "10.8.0.1", "ip_range": "10.8.0.0/26"}
    first = document({"n": {"parent": "eth0", "subnets": [LAN4]}}, {
        "web": {"n": {"interface_name": "lan0", "gw_priority": 1}}}, name="a")
    second = document({"m": other}, {"web": {"m": {"interface_name": "lan1", "gw_priority": 2}}}, name="b")
    wanted = OWN | {(32763, "172.18.0.2", "78", None)}
    host.apply(first)
    done = host.apply(second)
    assert 'web keeps the default route of set "a", via 172.16.86.1' in " ".join(done.err.split()), done
    for text_ in (first, second):
        host.unchanged(text_)
    same(defaults(host, "web", socket.AF_INET, 77), {("172.16.86.1", "lan0", "77")}, "the first set's")
    same(rules(host, "web", socket.AF_INET), wanted, "rules")
    host.delete(first)
    check_gone(host)
    host.apply(second)
    same(defaults(host, "web", socket.AF_INET, 77), {("10.8.0.1", "lan1", "77")}, "the second set's")
    same(rules(host, "web", socket.AF_INET), wanted, "rules")
    host.delete(second)
    check_gone(host)
