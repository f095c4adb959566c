"""A default route on the LAN beside that of a real engine: published ports, networks that are connected and
disconnected, restarts."""
import contextlib
import json
import socket

from declare import document
from engines import SLEEP, Docker, Podman, bridge_networks, running
from host import same
from registry import test
from service import watching
from test_policy_routing import COMMANDS, FAMILIES, NETWORK, check_gone, defaults, rules
from test_routing import SOURCES, TWO, rules_of, second_lan, way

PORT = 8080
HOST = {socket.AF_INET: "198.51.100.1", socket.AF_INET6: "2001:db8:2::1"}
CLIENT = {socket.AF_INET: "198.51.100.7", socket.AF_INET6: "2001:db8:2::7"}
LAN = {socket.AF_INET: "172.16.86.1", socket.AF_INET6: "fd00:86::1"}
BEYOND = {socket.AF_INET: "203.0.113.9", socket.AF_INET6: "2001:db8:1::9"}


class NatDocker(Docker):
    """Docker with its own rules of iptables, which publish ports."""
    def argv(self):
        argv = [word for word in super().argv()
                if word not in ("--iptables=false", "--ip-forward=false")]
        return [*argv, "--experimental", "--iptables=true", "--ip6tables=true", "--ip-forward=true",
                "--userland-proxy=false"]

    def publish(self):
        self.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": SLEEP, "ExposedPorts": {f"{PORT}/tcp": {}},
            "HostConfig": {"NetworkMode": "front",
                           "PortBindings": {f"{PORT}/tcp": [{"HostPort": str(PORT)}]}}}, name="app")
        self.start("app")


class NatPodman(Podman):
    """Podman with netavark, which publishes ports by rules of iptables."""
    def publish(self):
        self.call("POST", "/v4.0.0/libpod/containers/create", {
            "image": "localhost/box:latest", "command": SLEEP, "name": "app", "stop_timeout": 0,
            "netns": {"nsmode": "bridge"}, "Networks": {"front": {}},
            "portmappings": [{"container_port": PORT, "host_port": PORT, "protocol": "tcp"}]})
        self.start("app")


def text(engine, **keys):
    return document({"n": NETWORK}, {"web": {engine.kind: "app", "networks": {"n": keys}}})


@contextlib.contextmanager
def published(host, kind=NatDocker):
    """The container app, with a published port, on the first of two bridge networks of the engine;
    and a client that reaches the host by another of its links."""
    host.netns("client")
    host.set_sysctl("client", "net/ipv6/conf/default/accept_dad", 0)
    host.lan("fd00:86::1/64", *(f"{ip}/{128 if ':' in ip else 32}" for ip in BEYOND.values()))
    host.batch("host", ["link add out0 type veth peer name eth9",
                        "link set eth9 netns /run/netns/client name eth0",
                        f"address add {HOST[socket.AF_INET]}/24 dev out0",
                        f"address add {HOST[socket.AF_INET6]}/64 dev out0 nodad", "link set out0 up"])
    host.batch("client", [f"address add {CLIENT[socket.AF_INET]}/24 dev eth0",
                          f"address add {CLIENT[socket.AF_INET6]}/64 dev eth0 nodad",
                          "link set eth0 up", "link set lo up"])
    with running(host, kind.kind, kind) as engine:
        bridge_networks(engine, "front", "back")
        engine.publish()
        yield engine


def connect(engine, network, what="connect"):
    engine.call("POST", f"/networks/{network}/{what}", {"Container": "app"}, raw=True)


def made(host, space, family, kind, address=None):
    with host.inside(space):
        new = socket.socket(family, kind)
    new.settimeout(host.patience)
    if address:
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new.bind((address, PORT))
    return new


def serves(host, space, family, client="client", address=None):
    """Whether a client of the published port gets an answer, and the answer's sender."""
    any_address = "0.0.0.0" if family == socket.AF_INET else "::"
    with contextlib.closing(made(host, space, family, socket.SOCK_STREAM, any_address)) as server, \
            contextlib.closing(made(host, client, family, socket.SOCK_STREAM)) as caller:
        server.listen()
        try:
            caller.connect((address or HOST[family], PORT))
            accepted = server.accept()[0]
        except (TimeoutError, ConnectionError):
            return False
        with contextlib.closing(accepted):
            accepted.sendall(b"hello")
            return caller.recv(5) == b"hello"


def way_out(host, space, family):
    """The link and the router that the kernel would use."""
    found = json.loads(host.ip(space, f"-j route get {BEYOND[family]}"))[0]
    return found["dev"], found.get("gateway")


def leads_out(host, engine):
    """Whether the kernel leads out through the LAN, and has a rule for each address of the link that
    has the engine's default route."""
    with engine.space("app") as space:
        if "lan0" not in host.names(space):
            return False
        for family in FAMILIES:
            links = {dev for _, dev, _ in defaults(host, space, family)}
            sources = {ip.split("/")[0] for dev in links for ip in host.addresses(space, dev)
                       if (":" in ip) == (family == socket.AF_INET6)}
            answers = {source for priority, source, *_ in rules(host, space, family)
                       if priority == 32763}
            if way_out(host, space, family) != ("lan0", LAN[family]) or answers != sources:
                return False
    return True


def each_engine(name):
    """Registers the test for each engine."""
    def register(function):
        for kind in (NatDocker, NatPodman):
            def body(host, kind=kind):
                function(host, kind)
            test(f"policy engines: {kind.kind} {name}", seconds=120)(body)
        return function
    return register


@each_engine("connects and disconnects its networks under watch, and publishes a port")
def reconnects(host, kind):
    with published(host, kind) as engine:
        with engine.space("app") as space:
            for family in FAMILIES:
                same(serves(host, space, family), True, "the engine alone")
        with watching(host, "-f", host.write(text(engine, gw_priority=1)), env=engine.env) as service:
            service.until(lambda: leads_out(host, engine), "the LAN leads out", 20)
            for network, what, port in (
                    (None, None, True), ("back", "connect", True), ("front", "disconnect", None),
                    ("front", "connect", True), ("back", "disconnect", True),
                    ("front", "disconnect", None), ("front", "connect", True)):
                if network:
                    connect(engine, network, what)
                service.until(lambda: leads_out(host, engine), f"{what} {network}", 20)
                with engine.space("app") as space:
                    for family in FAMILIES if port else ():
                        same(serves(host, space, family), True, f"published: {what} {network}")
            engine.restart("app")
            service.until(lambda: leads_out(host, engine), "restarted", 20)
            with engine.space("app") as space:
                for family in FAMILIES:
                    same(serves(host, space, family), True, "restarted")
                    host.ip(space, f"{COMMANDS[family]}rule del pref 32763")
            service.until(lambda: leads_out(host, engine), "repaired", 20)
        with engine.space("app") as space:
            same(host.apply(text(engine, gw_priority=1), env=engine.env).plan, [], "nothing is left to do")
            host.apply(text(engine), env=engine.env)
            check_gone(host, space)
            same([way_out(host, space, family)[0] for family in FAMILIES], ["eth0", "eth0"],
                 "without a gw_priority")
            same(host.apply(text(engine), env=engine.env).plan, [], "a second apply without one")
            host.apply(text(engine, gw_priority=1), env=engine.env)
            host.delete(text(engine, gw_priority=1), env=engine.env)
            check_gone(host, space)
            for family in FAMILIES:
                same((way_out(host, space, family)[0], serves(host, space, family)), ("eth0", True),
                     "deleted")


@each_engine("without the rule for its address, a published port is answered by the LAN")
def without_rule(host, kind):
    """What the rules are for: the test fails if they make no difference. The client beside the
    other one is on the LAN, in a subnet of the container's own link there."""
    on_lan = {socket.AF_INET: "172.16.86.200", socket.AF_INET6: "fd00:86::200"}
    host.batch("host", [f"address add {on_lan[socket.AF_INET]}/24 dev eth0",
                        f"address add {on_lan[socket.AF_INET6]}/64 dev eth0 nodad"])
    with published(host, kind) as engine, engine.space("app") as space:
        for family in FAMILIES:
            same(serves(host, space, family, "lan", on_lan[family]), True, "the engine alone")
        for _ in range(2):
            host.apply(text(engine, gw_priority=1), env=engine.env)
            for family in FAMILIES:
                same(serves(host, space, family), True, "with it")
                same(serves(host, space, family, "lan", on_lan[family]), True, "the LAN, with it")
                host.ip(space, f"{COMMANDS[family]}rule del pref 32763")
                same(serves(host, space, family), False, "without it")
                same(serves(host, space, family, "lan", on_lan[family]), False, "the LAN, without")


def answers(host, space):
    """Whether each address of the file's networks answers through the gateway of its network."""
    return {"lan0", "dmz0"} <= host.names(space) and SOURCES <= rules_of(host, space) and \
        way(host, "172.16.86.64", space=space) == ("172.16.86.1", "lan0") and \
        way(host, "172.16.87.64", space=space) == ("172.16.87.1", "dmz0") and \
        way(host, "fd00:87::40", "2001:db8::9", space) == ("fe80::1", "dmz0")


@each_engine("answers on each network of the file beside the engine's own, whichever of those it has")
def answers_on_each(host, kind):
    with published(host, kind) as engine:
        second_lan(host)
        declared = document(TWO, {"web": {engine.kind: "app", "policy_routing": True, "networks": {
            "lan": {"interface_name": "lan0", "gw_priority": 2}, "dmz": {"interface_name": "dmz0", "gw_priority": 1}}}})
        with watching(host, "-f", host.write(declared), env=engine.env) as service:
            with engine.space("app") as space:
                service.until(lambda: answers(host, space), "the networks of the file", 20)
                links = {name: host.link(space, name)["ifindex"] for name in ("lan0", "dmz0")}
                for network, what in (("back", "connect"), ("front", "disconnect"), ("front", "connect"), ("back", "disconnect")):
                    connect(engine, network, what)
                    service.until(lambda: answers(host, space), f"{what} {network}", 20)
                service.quiet()
                same({name: host.link(space, name)["ifindex"] for name in links}, links, "the links")
                service.until(lambda: all(serves(host, space, family) for family in FAMILIES), "published", 20)
                host.ip(space, "rule del pref 32001 from 172.16.86.64")
                service.until(lambda: answers(host, space), "a rule that was removed is back", 20)
            engine.restart("app")
            with engine.space("app") as space:
                service.until(lambda: answers(host, space), "restarted", 20)
        with engine.space("app") as space:
            same(host.apply(declared, env=engine.env).plan, [], "nothing is left to do")
            host.until(lambda: all(serves(host, space, family) for family in FAMILIES), "published, restarted", 20)
            host.delete(declared, env=engine.env)
            same((rules_of(host, space), host.names(space)), (set(), {"eth0"}), "deleted")
