"""Docker's network and IPAM driver: dockerd calls the plugin, as `docker run --network lan` does."""
import concurrent.futures
import contextlib

import signal
import socket
import subprocess

import engines
from declare import document, lan
from engines import running
from host import WORK, same
from registry import test

FILE = f"{WORK}/driver.yaml"
SOCKET = "/run/docker/plugins/mvapply.sock"
SHOW = ["sh", "-c", "ip addr show; ip route show; echo end; sleep 1000"]
RANGE = "172.16.86.0/25"


class Plugin:
    """The plugin as a service without systemd: it can be killed and started again."""
    def __init__(self, host):
        self.host, self.process = host, None

    def begin(self):
        with open(f"{WORK}/plugin.log", "ab") as log, self.host.inside("host"):
            self.process = subprocess.Popen([self.host.binary, "docker-plugin", "-f", FILE],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.host.until(self.answers, "the plugin answers")

    def answers(self):
        assert self.process.poll() is None, open(f"{WORK}/plugin.log").read()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(SOCKET)
            return True

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.kill()
        self.begin()


class Driven(engines.Docker):
    """Docker, whose containers show their network first."""
    def network(self, name="lan", subnets=(), ipam_driver="mvapply", ipv6=False, **options):
        ipam = {"Driver": ipam_driver, "Config": list(subnets)}
        if options:
            ipam["Options"] = options
        return self.call("POST", "/networks/create", {
            "Name": name, "Driver": "mvapply", "IPAM": ipam, "Options": options, "EnableIPv6": ipv6})["Id"]

    def create(self, name, network="lan", labels=None, ip=None, mac=None):
        config = {"IPAMConfig": {"IPv4Address": ip}} if ip else {}
        made = self.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": SHOW, "Labels": labels or {}, **({"MacAddress": mac} if mac else {}),
            "HostConfig": {"NetworkMode": network}, "NetworkingConfig": {"EndpointsConfig": {network: config}}}, name=name)
        return made["Id"]

    def endpoint(self, name, network="lan"):
        found = self.call("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"][network]
        return found["IPAddress"], found["MacAddress"], found["Gateway"]

    def log(self, name, starts=1):
        def ended():
            text = self.call("GET", f"/containers/{name}/logs", raw=True, stdout="true")
            return text if text.count("end") >= starts else None
        return self.host.until(ended, f"{name} writes its log")

    def fails(self, action, *arguments, **options):
        """What Docker says."""
        try:
            action(*arguments, **options)
        except AssertionError as error:
            return str(error)
        raise AssertionError("Docker did not refuse")


def driver(name, **options):
    """Registers a test that gets the host, Docker and the running plugin."""
    def register(function):
        def body(host):
            plugin = Plugin(host)
            host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
            plugin.begin()
            try:
                with running(host, "docker", Driven) as docker:
                    function(host, docker, plugin)
                    for network in docker.call("GET", "/networks"):
                        if network["Driver"] == "mvapply":
                            docker.remove_all()
                            docker.call("DELETE", f"/networks/{network['Id']}")
            except BaseException:
                for path in (f"{WORK}/plugin.log", f"{docker.home}/log"):
                    with open(path, encoding="utf-8", errors="replace") as file:
                        print(file.read()[-6000:])
                raise
            finally:
                plugin.kill()
        test(f"docker driver: {name}", seconds=150, **options)(body)
        return function
    return register


def state(host, space, link="eth0"):
    """MAC address, addresses and default routes, as the kernel has them."""
    default = [route for route in host.routes(space) if route.startswith("default")]
    return host.link(space, link)["address"], host.addresses(space, link), default


@driver("create, run, inspect, exec, stop, start, remove")
def whole(host, docker, plugin):
    before = host.snapshot("host")
    docker.network(subnets=[{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.1"}], network="lan")
    docker.run("web")
    text = docker.log("web")
    assert "172.16.86.2/24" in text and "default via 172.16.86.1" in text, text
    same(docker.endpoint("web"), ("172.16.86.2", "02:42:ac:10:56:02", "172.16.86.1"), "docker inspect")
    with docker.space("web") as space:
        same(state(host, space), ("02:42:ac:10:56:02", {"172.16.86.2/24"}, ["default via 172.16.86.1 dev eth0"]), "the container")
        link = host.link(space, "eth0")
        same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["mode"]), ("macvlan", "bridge"), "its link")
        assert link["ifalias"].startswith("mvapply:guest:default/lan/172.16.86.2/docker."), link
        host.mvapply("apply", "-f", FILE)
        same(host.link(space, "eth0"), link, "the link after an apply")
    docker.stop("web")
    same(host.snapshot("host"), before, "the host after a stop")
    docker.start("web")
    same(docker.log("web", 2).count("default via 172.16.86.1"), 2, "after a start")
    docker.restart("web")
    docker.log("web", 3)
    docker.remove("web")
    same(host.snapshot("host"), before, "the host at the end")
