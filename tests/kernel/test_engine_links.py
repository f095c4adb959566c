"""A container that has links of its engine beside those of mvapply: their names."""
import contextlib

from declare import document, lan
from engines import running
from host import same
from registry import test


@contextlib.contextmanager
def bridged(host):
    """dockerd with two bridge networks, and the container c on the first of them."""
    with running(host, "docker") as engine:
        for number, name in enumerate(("front", "back")):
            engine.call("POST", "/networks/create", {
                "Name": name, "Driver": "bridge", "EnableIPv6": True, "IPAM": {"Config": [
                    {"Subnet": f"10.9{number}.0.0/24"}, {"Subnet": f"fd00:9{number}::/64"}]}})
        engine.run("app", network="front")
        yield engine


def attached(**keys):
    return document({"n": lan()}, {"web": {"docker": "app", "networks": {"n": keys}}})


def connect(engine, network, what="connect"):
    engine.call("POST", f"/networks/{network}/{what}", {"Container": "app"}, raw=True)


@test("engine links: docker connects another network beside ours")
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
