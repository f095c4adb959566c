"""Docker's macvlan driver, in a dockerd of the bench's own: the containers run already, on another
network, since Docker connects no running container without one; then a network is created, and each
is connected. The requests use the engine's API directly, without starting a client for each."""
import time

import engines
from stage import GATEWAY, NET, address, mac, same


def _network(engine, name, subnet, gateway, parent):
    engine.call("POST", "/networks/create", {
        "Name": name, "Driver": "macvlan", "Options": {"parent": parent},
        "IPAM": {"Config": [{"Subnet": subnet, "Gateway": gateway}]}})


def _check(engine, number):
    with engine.space(f"c{number}") as ns:
        # It continues counting, with each connection.
        (link,) = engine.host.names(ns) - {"eth0"}
        same(engine.host.addresses(ns, link), {f"{address(number)}/16"}, f"addresses of {ns}")
        same(engine.host.link(ns, link)["address"], mac(number), f"MAC of {ns}")


def _round(engine, size):
    start = time.monotonic()
    _network(engine, "n0", NET["subnet"], GATEWAY, "eth0")
    for number in range(size):
        engine.call("POST", "/networks/n0/connect", {
            "Container": f"c{number}",
            "EndpointConfig": {"IPAMConfig": {"IPv4Address": address(number)},
                               "MacAddress": mac(number)}})
    spent = (time.monotonic() - start) * 1000
    for number in (0, size - 1):
        _check(engine, number)
    for number in range(size):
        engine.call("POST", "/networks/n0/disconnect", {"Container": f"c{number}"})
    engine.call("DELETE", "/networks/n0")
    return spent


def connects(host, size, rounds):
    """Returns the milliseconds of each round."""
    with engines.running(host, "docker") as engine:
        # A parent takes one network of Docker's.
        host.batch("host", ["link add base0 type veth peer name base1", "link set base0 up"])
        _network(engine, "base", "10.87.0.0/16", "10.87.0.1", "base0")
        for number in range(size):
            engine.run(f"c{number}", network="base")
        return [_round(engine, size) for _ in range(rounds)]
