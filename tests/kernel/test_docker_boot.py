"""Containers with `restart=always` while dockerd starts: Docker starts them before its own API answers, and calls the
plugin or the runtime meanwhile."""
import concurrent.futures
import contextlib
import threading
import time

import engines
from declare import document, lan
from docker_plugin import Plugin, plugged
from engines import running
from host import same
from registry import test
from test_docker_driver import FILE, RANGE, Driven, identity
from test_hook import ROUTE, Wrapped, declare

# A query of Docker that waits for its answer takes 10 s.
PROMPT = 8


class Rebooted:
    """Docker that stops its containers when it ends, as at a shutdown."""
    def argv(self):
        return [word for word in super().argv() if word != "--live-restore"]

    def create(self, name, network="none", ip=None):
        config = {network: {"IPAMConfig": {"IPv4Address": ip} if ip else {}}}
        made = self.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": engines.SHOW, "StopTimeout": 1, "NetworkingConfig": {"EndpointsConfig": config},
            "HostConfig": {"NetworkMode": network, "RestartPolicy": {"Name": "always"}}}, name=name)
        return made["Id"]

    def timed_begin(self):
        """Starts the daemon; returns after how many seconds its API answered."""
        begun = time.monotonic()
        self.begin()
        return time.monotonic() - begun


class DrivenBoot(Rebooted, Driven):
    pass


class WrappedBoot(Rebooted, Wrapped):
    pass


def network_of(host, docker, name, starts):
    """The address and the link of the container, after its first process has shown them for the nth time."""
    text = docker.log(name, starts)
    same(text.count(ROUTE), starts, f"default routes that {name} has shown")
    with docker.space(name) as space:
        return host.addresses(space, "eth0"), identity(host, space)["address"]


@contextlib.contextmanager
def driven(host, containers=None):
    host.write(document({"lan": lan(ip_range=RANGE, docker=True)}, containers or {}), "driver.yaml")
    with plugged(host, FILE) as plugin, running(host, "docker", DrivenBoot) as docker:
        host.until(lambda: any(network["Name"] == "lan" for network in docker.call("GET", "/networks")), "the network", 20)
        yield docker, plugin


ADDRESSES = {"web": None, "db": "172.16.86.20", "log": "172.16.86.30"}
DECLARED = {"db": {"docker": "db", "networks": {"lan": {"ipv4_address": "172.16.86.20"}}}}


@test("docker boot: containers of the driver are restarted by dockerd while its API does not answer", seconds=240)
def driver(host):
    with driven(host, DECLARED) as (docker, plugin):
        for name, ip in ADDRESSES.items():
            docker.run(name, network="lan", ip=ip)
        first = {name: network_of(host, docker, name, 1) for name in ADDRESSES}
        before = host.names("host")
        for starts in (2, 3):
            docker.end()
            same(host.names("host"), {"eth0"}, "links of the host while Docker is stopped")
            if starts == 3:
                plugin.restart()
            took = docker.timed_begin()
            assert took < PROMPT * host.patience, f"dockerd took {took:.1f} s"
            same({name: network_of(host, docker, name, starts) for name in ADDRESSES}, first, "addresses")
        host.until(lambda: host.names("host") == before, "nothing is left", 15)


@test("docker boot: the plugin starts 4 s after dockerd", seconds=240)
def plugin_late(host):
    with driven(host) as (docker, plugin):
        docker.run("web", network="lan")
        first = network_of(host, docker, "web", 1)
        docker.end()
        plugin.kill()
        timer = threading.Timer(4, plugin.begin)
        timer.start()
        took = docker.timed_begin()
        timer.join()
        print(f"dockerd took {took:.1f} s")
        same(network_of(host, docker, "web", 2), first, "the address")
        host.until(lambda: host.names("host") == {"eth0"}, "nothing is left", 15)


@test("docker boot: containers of the runtime are restarted by dockerd; the parent comes late", seconds=240)
def runtime(host):
    names = ["one", "two", "three"]
    declare(document({"n": lan(parent="late0")}, {name: {"docker": name, "networks": ["n"]} for name in names}))
    late = ["link add late0 type veth peer name late1", "link set late1 up", "link set late0 up"]
    host.batch("host", late)
    with running(host, "docker", WrappedBoot) as docker, concurrent.futures.ThreadPoolExecutor(1) as pool:
        for name in names:
            docker.run(name)
        first = {name: network_of(host, docker, name, 1) for name in names}
        docker.end()
        took = docker.timed_begin()
        assert took < PROMPT * host.patience, f"dockerd took {took:.1f} s"
        same({name: network_of(host, docker, name, 2) for name in names}, first, "addresses")
        docker.end()
        host.ip("host", "link delete late0")
        begun = pool.submit(docker.timed_begin)
        threading.Event().wait(3)
        host.batch("host", late)
        took = begun.result()
        print(f"dockerd took {took:.1f} s, the parent 3")
        same({name: network_of(host, docker, name, 3) for name in names}, first, "addresses, after the parent came")
        same(host.names("host"), {"eth0", "late0", "late1"}, "links of the host")
