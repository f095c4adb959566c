"""Docker by the driver, Podman by CNI and Podman by the hook on one network, while containers are killed and restarted."""
import concurrent.futures
import os
import signal

import engines
from declare import document, lan
from docker_plugin import plugged
from engines import running
from host import WORK, same
from registry import test
from service import watching
from test_docker_driver import Driven

FILE = f"{WORK}/mixed.yaml"
FIXED = {"hook-a": "172.16.86.120", "hook-b": "172.16.86.121"}
CNI, DOCKER = ("cni-a", "cni-b"), ("docker-a", "docker-b")


class Podman(engines.HookedPodman, engines.CniPodman):
    """Containers of its network `lan` are CNI's; those without a network may be the hook's."""
    files = FILE

    def __init__(self, host):
        super().__init__(host)
        with open(f"{self.home}/networks/lan.conflist", encoding="ascii") as file:
            text = file.read().replace(f"{WORK}/cni.yaml", FILE)
        with open(f"{self.home}/networks/lan.conflist", "w", encoding="ascii") as file:
            file.write(text)

    def create(self, name, network="lan", labels=None):
        return super().create(name) if network == "lan" else engines.Podman.create(self, name, network)


class Always(Driven):
    """Docker starts its containers again whenever they end."""

    def create(self, name, **options):
        found = super().create(name, **options)
        self.call("POST", f"/containers/{name}/update", {"RestartPolicy": {"Name": "always"}})
        return found


def killed(host, engine, name):
    """Its first process, from outside; the engine learns of it, and Docker starts it again."""
    pid = engine.pid(name)
    os.kill(pid, signal.SIGKILL)
    host.until(lambda: engine.pid(name) != pid, f"{name} has ended", 20)
    if engine.kind == "podman":
        engine.start(name)
    host.until(lambda: engine.pid(name), f"{name} runs again", 20)


def disturbed(host, engine, name):
    for number in range(4):
        if number % 2:
            engine.restart(name)
        else:
            killed(host, engine, name)


def attached(host, engine, name):
    """The container's addresses of eth0, and the link's index."""
    with engine.space(name) as space:
        assert "default via 172.16.86.1 dev eth0" in host.routes(space), host.routes(space)
        return host.addresses(space, "eth0"), host.link(space, "eth0")["ifindex"]


@test("mixed engines: Docker by the driver, Podman by CNI and by the hook, killed and restarted during applies, with a service", seconds=180)
def mixed(host):
    text = document({"lan": lan(ip_range="172.16.86.0/25")},
                    {name: {"podman": name, "networks": {"lan": {"ipv4_address": address}}} for name, address in FIXED.items()})
    host.write(text, "mixed.yaml")
    with plugged(host, FILE), running(host, "docker", Always) as docker, running(host, "podman", Podman) as podman, \
            watching(host, "-f", FILE, env={**docker.env, **podman.env}) as service:
        docker.network("lan")
        before = host.names("host")
        owner = {**{name: podman for name in (*FIXED, *CNI)}, **{name: docker for name in DOCKER}}
        for name, engine in owner.items():
            engine.create(name, network="none" if name in FIXED else "lan")
        for work in (lambda name: owner[name].start(name), lambda name: disturbed(host, owner[name], name)):
            with concurrent.futures.ThreadPoolExecutor(len(owner)) as pool:
                jobs = [pool.submit(work, name) for name in owner]
                for _ in range(5):
                    host.mvapply("apply", "-f", FILE, env={**docker.env, **podman.env}, code=None)
                for job in jobs:
                    job.result(120)
        found = {name: attached(host, engine, name) for name, engine in owner.items()}
        same({name: found[name][0] for name in FIXED}, {name: {f"{address}/24"} for name, address in FIXED.items()}, "declared")
        every = [address for addresses, _ in found.values() for address in addresses]
        same((len(every), len(set(every))), (len(owner), len(owner)), f"an address each, none twice: {found}")
        same({name: f"{docker.endpoint(name)[0]}/24" for name in DOCKER}, {name: min(found[name][0]) for name in DOCKER}, "what Docker knows")
        same(host.names("host"), before, "links of the host")
        service.quiet()
        host.mvapply("apply", "-f", FILE, env={**docker.env, **podman.env})
        same({name: attached(host, engine, name) for name, engine in owner.items()}, found, "under the service")
        for name in owner:
            owner[name].remove(name)
        for network in docker.call("GET", "/networks"):
            if network["Driver"] == "mvapply":
                docker.call("DELETE", f"/networks/{network['Id']}")
        same(host.names("host"), before, "afterwards")
