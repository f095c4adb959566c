"""The Docker driver announces a container's addresses to the LAN, after Docker has moved its link and set it up."""
import contextlib

import packets
import spoofer
from declare import document, lan
from docker_plugin import NETWORK, POOL, children, processes, runs
from host import same
from registry import test
from test_announce import announced, sniffer_of
from test_docker_driver import ENDPOINT, RANGE, alone, driver

IPV6 = 0x86dd
MAC = "02:42:ac:10:56:02"
IDS = {"NetworkID": NETWORK, "EndpointID": ENDPOINT}


@driver("both addresses are announced by a container that Docker has started")
def started(host, docker, _plugin):
    host.write(document({"lan": {"parent": "eth0", "subnets": [
        {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": RANGE},
        {"subnet": "fd00:86::/64", "gateway": "fd00:86::1", "ip_range": "fd00:86::/112"}]}}, {}), "driver.yaml")
    four, six = sniffer_of(host), sniffer_of(host, IPV6)
    docker.network(ipv6=True)
    docker.run("web")
    assert announced(four, "172.16.86.2", MAC, 10), four.frames
    assert six.wait(lambda frame: packets.is_neighbour_advertisement(frame, "fd00:86::2"), 10), six.frames


@contextlib.contextmanager
def joined(host):
    """A running plugin that has answered Join; the name of its link, and the process that waits for it."""
    host.netns("web")
    with alone(host) as plugin:
        plugin.call("IpamDriver.RequestAddress", PoolID=POOL, Address="172.16.86.2")
        plugin.call("NetworkDriver.CreateEndpoint", **IDS, Interface={"Address": "172.16.86.2/24"})
        before = processes(host)
        answer = plugin.call("NetworkDriver.Join", **IDS, SandboxKey="/run/netns/web")
        waiting = host.until(lambda: processes(host) - before - set(children(plugin.process.pid)),
                             "a process waits for the link, and the one that answered has ended")
        yield plugin, answer["InterfaceName"]["SrcName"], waiting.pop()


@test("docker driver: no address is announced before the link is set up in the container")
def steps(host):
    with joined(host) as (_, name, waiting):
        sniffer = sniffer_of(host)
        host.ip("host", f"link set {name} netns web")
        host.ip("web", f"link set {name} name eth0")
        host.ip("web", "link set eth0 up")
        same(announced(sniffer, "172.16.86.2", MAC, 0.5), None, "before the address")
        host.ip("web", "address add 172.16.86.2/24 dev eth0")
        assert announced(sniffer, "172.16.86.2", MAC), sniffer.frames
        host.until(lambda: not runs(waiting), "its process has ended")


def event_listeners():
    """The sockets of NETLINK_ROUTE in the network namespace of this thread that are in a group."""
    with open("/proc/thread-self/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return [row for row in rows if row[1] == "0" and row[2] != "0" and int(row[3], 16)]


@test("docker driver: events that a process in the container forges before the link is set up")
def forged(host):
    with joined(host) as (_, name, waiting):
        sniffer = sniffer_of(host)
        host.ip("host", f"link set {name} netns web")
        with host.inside("web"):
            host.until(event_listeners, "its process listens in the container")
            for _ in range(5):
                spoofer.broadcast_once()
        host.ip("web", f"link set {name} name eth0")
        host.ip("web", "link set eth0 up")
        host.ip("web", "address add 172.16.86.2/24 dev eth0")
        assert announced(sniffer, "172.16.86.2", MAC), sniffer.frames
        host.until(lambda: not runs(waiting), "its process has ended")


@test("docker driver: the process that announces ends with the endpoint")
def deleted(host):
    with joined(host) as (plugin, _, waiting):
        plugin.call("NetworkDriver.DeleteEndpoint", **IDS)
        host.until(lambda: not runs(waiting), "its process has ended")


@test("docker driver: the process that announces ends with the plugin")
def killed(host):
    with joined(host) as (plugin, _, waiting):
        plugin.kill()
        host.until(lambda: not runs(waiting), "its process has ended")
        plugin.begin()
        plugin.call("NetworkDriver.DeleteEndpoint", **IDS)
