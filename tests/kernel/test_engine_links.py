"""A container that has links of its engine beside those of mvapply: their names."""
import contextlib
import json

from declare import document, lan
from engines import SLEEP, bridge_networks, running
from host import same
from registry import test


@contextlib.contextmanager
def bridged(host):
    """dockerd with two bridge networks, and the container c on the first of them."""
    with running(host, "docker") as engine:
        bridge_networks(engine, "front", "back")
        engine.run("app", network="front")
        yield engine


def attached(**keys):
    return document({"n": lan()}, {"web": {"docker": "app", "networks": {"n": keys}}})


def connect(engine, network, what="connect"):
    engine.call("POST", f"/networks/{network}/{what}", {"Container": "app"}, raw=True)


@test("engine links: docker connects another network in addition to a managed link")
def names(host):
    with bridged(host) as engine:
        with engine.space("app") as space:
            same(host.names(space), {"eth0"}, "as Docker makes it")
            host.apply(attached(), env=engine.env)
            same(host.addresses(space, "lan0"), {"172.16.86.2/24"}, "ours")
            index = host.link(space, "lan0")["ifindex"]
            connect(engine, "back")
            same(host.names(space), {"eth0", "eth1", "lan0"}, "connected")
            same(host.apply(attached(), env=engine.env).plan, [], "a second apply")
            for network in ("front", "back"):
                connect(engine, network, "disconnect")
            same(host.names(space), {"lan0"}, "disconnected")
            same(host.apply(attached(), env=engine.env).plan,
                 ["~ attach web/n + route default via 172.16.86.1"], "a name that is live stays")
            same(host.link(space, "lan0")["ifindex"], index, "the link")


@test("engine links: a container of Docker that is declared as a network namespace")
def declared_as_netns(host):
    with running(host, "docker") as engine:
        engine.run("app")
        host.netns("plain")
        text = document({"n": lan()}, {"app": ["n"], "plain": ["n"]})
        done = host.apply(text, env=engine.env)
        assert 'no network namespace "app" yet' in done.out, done
        assert "a container of Docker is declared with `docker: app`" in warnings_of(done), done
        same(host.mvapply("status", "-f", "network.yaml", env=engine.env).lines[2].split()[1],
             "pending", "status")
    done = host.apply(text, env={"DOCKER_HOST": "unix:///nowhere"})
    assert "hint" not in done.out, done


def warnings_of(result):
    return " ".join((result.out + result.err).split())


@test("engine links: Docker's own macvlan conflicts, and is adopted")
def own_macvlan(host):
    with running(host, "docker") as engine:
        engine.call("POST", "/networks/create", {
            "Name": "mac", "Driver": "macvlan", "Options": {"parent": "eth0"},
            "IPAM": {"Config": [{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.1"}]}})
        engine.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": SLEEP, "HostConfig": {"NetworkMode": "mac"},
            "NetworkingConfig": {"EndpointsConfig": {"mac": {
                "IPAMConfig": {"IPv4Address": "172.16.86.20"}}}}}, name="app")
        engine.start("app")
        with engine.space("app") as space:
            before = host.link(space, "eth0")
            for keys in ({"mac_address": before["address"]}, {"interface_name": "eth0"}):
                text = attached(ipv4_address="172.16.86.20", **keys)
                done = host.apply(text, env=engine.env, code=1)
                assert "run the container with --network none" in warnings_of(done), done
                assert "--adopt" in warnings_of(done) and "another" not in warnings_of(done), done
            host.apply(text, "--adopt", env=engine.env)
            after = host.link(space, "eth0")
            same((host.names(space), after["ifindex"], after["address"],
                  host.addresses(space, "eth0")),
                 ({"eth0"}, before["ifindex"], before["address"], {"172.16.86.20/24"}), "adopted")
            same(host.apply(text, env=engine.env).plan, [], "a second apply, without --adopt")


def way_out(host, space, destination):
    """The link and the router that the kernel would use."""
    found = json.loads(host.ip(space, f"-j route get {destination}"))[0]
    return found["dev"], found.get("gateway")


@test("engine links: unmanaged policy routing through the LAN stays without a gw_priority", seconds=60)
def policy_routing(host):
    """As pages had it before there was one. With a gw_priority it conflicts."""
    with bridged(host) as engine, engine.space("app") as space:
        host.apply(attached(), env=engine.env)
        same(way_out(host, space, "9.9.9.9"), ("eth0", "10.90.0.1"), "Docker's default route")
        host.batch(space, ["route add default via 172.16.86.1 dev lan0 table 77",
                           "rule add pref 32764 lookup main suppress_prefixlength 0",
                           "rule add pref 32765 lookup 77"])
        for network, what in (("back", "connect"), ("front", "disconnect"), ("front", "connect"),
                              ("back", "disconnect")):
            connect(engine, network, what)
            same(way_out(host, space, "9.9.9.9"), ("lan0", "172.16.86.1"), f"{what} {network}")
        same(host.apply(attached(), env=engine.env).plan, [], "a second apply")
        same(way_out(host, space, "10.90.0.7")[1], None, "Docker's network")
        for command in ("ip rule del pref 32764", "ip rule del pref 32765"):
            done = host.apply(attached(gw_priority=1), env=engine.env, code=1)
            assert command in warnings_of(done) and "[MV0804]" in warnings_of(done), done
            host.ip(space, command.removeprefix("ip "))
        host.apply(attached(gw_priority=1), env=engine.env)
        same(way_out(host, space, "9.9.9.9"), ("lan0", "172.16.86.1"), "ours")
        host.delete(attached(), env=engine.env)
        same(way_out(host, space, "9.9.9.9")[1], "10.90.0.1", "deleted")
