"""Docker's network and IPAM driver: dockerd calls the plugin, as `docker run --network lan` does."""
import concurrent.futures
import contextlib
import json
import os
import socket
import subprocess

import engines
from declare import document, lan
from docker_plugin import NETWORK, POOL, SOCKET, plugged
from engines import running
from fake_engine import engine
from host import WORK, same
from registry import test
from service import watching
from test_route_types import TYPES, routes as typed_routes

FILE = f"{WORK}/driver.yaml"
RANGE = "172.16.86.0/25"

# A look into a namespace takes 0.2 s.
SLOW = ["strace", "-D", "-f", "-qq", "-o", f"{WORK}/trace", "-e", "trace=setns", "-e", "inject=setns:delay_enter=200000"]


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
            "Image": "localhost/box:latest", "Cmd": engines.SHOW, "Labels": labels or {}, **({"MacAddress": mac} if mac else {}),
            "HostConfig": {"NetworkMode": network}, "NetworkingConfig": {"EndpointsConfig": {network: config}}}, name=name)
        return made["Id"]

    def endpoint(self, name, network="lan"):
        found = self.call("GET", f"/containers/{name}/json")["NetworkSettings"]["Networks"][network]
        return found["IPAddress"], found["MacAddress"], found["Gateway"]

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
            host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
            with plugged(host, FILE) as plugin, running(host, "docker", Driven) as docker:
                try:
                    function(host, docker, plugin)
                    docker.remove_all()
                    for network in docker.call("GET", "/networks"):
                        if network["Driver"] == "mvapply":
                            docker.call("DELETE", f"/networks/{network['Id']}")
                except BaseException:
                    for path in (plugin.log, f"{docker.home}/log"):
                        with open(path, encoding="utf-8", errors="replace") as file:
                            print(file.read()[-6000:])
                    raise
        test(f"docker driver: {name}", seconds=150, **options)(body)
        return function
    return register


def state(host, space, link="eth0"):
    """MAC address, addresses and default routes, as the kernel has them."""
    default = [route for route in host.routes(space) if route.startswith("default")]
    return host.link(space, link)["address"], host.addresses(space, link), sorted(default)


def identity(host, space):
    """What changes if a link is made anew, or changed."""
    link = host.link(space, "eth0")
    return {key: link[key] for key in ("ifindex", "address", "ifalias", "mtu", "flags", "linkinfo")}


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
        status = host.mvapply("status", "-f", FILE).out
        assert "172.16.86.2/lan" in status and "guest" in status, status
        before_apply = identity(host, space)
        host.mvapply("apply", "-f", FILE)
        same(identity(host, space), before_apply, "the link after an apply")
    docker.stop("web")
    same(host.snapshot("host"), before, "the host after a stop")
    docker.start("web")
    same(docker.log("web", 2).count("default via 172.16.86.1"), 2, "after a start")
    docker.restart("web")
    docker.log("web", 3)
    docker.remove("web")
    same(host.snapshot("host"), before, "the host at the end")


def addresses_of(docker, names):
    return {docker.endpoint(name)[0] for name in names}


@driver("eight containers at the same time, beside an apply and a service")
def eight(host, docker, plugin):
    names = [f"web{number}" for number in range(8)]
    before = host.snapshot("host")
    docker.network()
    with watching(host, "-f", FILE) as service, concurrent.futures.ThreadPoolExecutor(9) as pool:
        service.settle()
        runs = [pool.submit(docker.run, name) for name in names]
        applied = [pool.submit(host.mvapply, "apply", "-f", FILE) for _ in range(3)]
        for future in runs + applied:
            future.result()
        same(addresses_of(docker, names), {f"172.16.86.{number}" for number in range(2, 10)}, "the addresses")
        for name in names:
            docker.log(name)
        with contextlib.ExitStack() as stack:
            spaces = [stack.enter_context(docker.space(name)) for name in names]
            links = [identity(host, space) for space in spaces]
            host.mvapply("apply", "-f", FILE)
            service.settle()
            same([identity(host, space) for space in spaces], links, "the links after an apply, with a service")
        list(pool.map(docker.remove, names))
        same(host.snapshot("host"), before, "the host at the end")


@driver("requested addresses and MAC, in use, of a gateway, of no host, and declared for a container")
def requested(host, docker, plugin):
    host.write(document({"lan": lan(ip_range=RANGE)}, {
        "db": {"netns": "db", "networks": {"lan": {"ipv4_address": "172.16.86.2"}}}}), "driver.yaml")
    docker.network(network="lan", subnets=[{"Subnet": "172.16.86.0/24"}])
    docker.run("web", ip="172.16.86.77", mac="02:00:00:00:00:77")
    same(docker.endpoint("web")[:2], ("172.16.86.77", "02:00:00:00:00:77"), "the requested ones")
    for ip, words in (("172.16.86.77", "MV1405"), ("172.16.86.1", "MV1405"), ("172.16.86.255", "MV1405"),
                      ("172.16.86.2", "MV1308")):
        said = docker.fails(docker.run, "other", ip=ip)
        assert words in said and "mvapply: " in said, said
        docker.remove("other")
    docker.run("other")
    same(docker.endpoint("other")[0], "172.16.86.3", "the lowest that nothing has and that is not declared")
    docker.remove("web")
    docker.run("again", ip="172.16.86.77")
    same(docker.endpoint("again")[0], "172.16.86.77", "an address that has been released")


@driver("networks that differ from the files are refused with the fix")
def refused(host, docker, plugin):
    host.write(document({"lan": lan(ip_range=RANGE), "dmz": lan(ip_range="172.16.86.128/26"), "leases": lan(dhcp=True),
                         "other": {"parent": "eth0", "subnet": "10.9.0.0/24"}}, {}), "driver.yaml")
    for words, options in (("MV1403", {}), ("MV1403", {"network": "lam"}), ("MV1403", {"network": "leases"}),
                           ("MV1403", {"subnets": [{"Subnet": "10.8.0.0/24"}]}),
                           ("MV1404", {"network": "lan", "subnets": [{"Subnet": "10.9.0.0/24"}]}),
                           ("MV1404", {"network": "lan", "subnets": [{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.9"}]}),
                           ("MV1408", {"network": "lan", "ipam_driver": "default", "subnets": [{"Subnet": "172.16.86.0/24"}]})):
        said = docker.fails(docker.network, **options)
        assert words in said, f"{options}: {said}"
    docker.network("by-subnet", subnets=[{"Subnet": "10.9.0.0/24"}])
    docker.run("web", network="by-subnet")
    with docker.space("web") as space:
        same(state(host, space)[1:], ({"10.9.0.2/24"}, []), "a network without a gateway")
    docker.network("dmz", network="default/dmz")
    docker.run("db", network="dmz")
    with docker.space("db") as space:
        assert "mvapply:guest:default/dmz/172.16.86.128/docker." in host.link(space, "eth0")["ifalias"], "the network of the option"
    host.write("networks: [", "driver.yaml")
    said = docker.fails(docker.run, "late", network="dmz")
    assert "MV0104" in said, said
    docker.remove_all()
    host.write(document({}, {}), "driver.yaml")


@driver("both families")
def dual(host, docker, plugin):
    host.write(document({"lan": {"parent": "eth0", "subnets": [
        {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": RANGE},
        {"subnet": "fd00:86::/64", "gateway": "fd00:86::1", "ip_range": "fd00:86::/112"}]}}, {}), "driver.yaml")
    docker.network(ipv6=True)
    docker.run("web")
    with docker.space("web") as space:
        _, addresses, routes = state(host, space)
        same({address for address in addresses if not address.startswith("fe80")},
             {"172.16.86.2/24", "fd00:86::2/64"}, "the addresses")
        same(routes, ["default via 172.16.86.1 dev eth0", "default via fd00:86::1 dev eth0"], "the default routes")


@driver("the daemon is stopped and the plugin killed, and both are started again, beside live containers")
def killed(host, docker, plugin):
    before = host.snapshot("host")
    docker.network()
    docker.run("web")
    with docker.space("web") as space:
        link = identity(host, space)
        docker.end()
        docker.begin()
        same(identity(host, space), link, "after the daemon's start")
        docker.run("second")
        plugin.restart()
        docker.run("third")
        same([docker.endpoint(name)[0] for name in ("web", "second", "third")],
             ["172.16.86.2", "172.16.86.3", "172.16.86.4"], "the addresses")
        docker.end()
        plugin.restart()
        docker.begin()
        docker.run("fourth")
        same(docker.endpoint("fourth")[0], "172.16.86.5", "after both")
        same(identity(host, space), link, "the first one's link")
    docker.remove_all()
    same(host.snapshot("host"), before, "the host at the end")


@driver("a parent that appears while a container waits for it")
def late(host, docker, plugin):
    host.write(document({"lan": lan(parent="late0", ip_range=RANGE)}, {}), "driver.yaml")
    docker.network()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        run = pool.submit(docker.run, "web")
        same(concurrent.futures.wait([run], 2).not_done, {run}, "the run, without the parent")
        host.ip("host", "link add late0 type veth peer name late1")
        host.ip("host", "link set late0 up")
        run.result()
    with docker.space("web") as space:
        same(state(host, space)[1], {"172.16.86.2/24"}, "the address")
    docker.remove("web")
    host.ip("host", "link delete late0")
    said = docker.fails(docker.run, "web")
    assert "late0" in said and "mvapply: " in said, said
    same(host.names("host"), {"eth0"}, "links of the host")


ENDPOINT = "e" * 64
CALLS = [
    ("Plugin.Activate", {}, {"Implements": ["NetworkDriver", "IpamDriver"]}),
    ("NetworkDriver.GetCapabilities", {}, {"Scope": "local", "ConnectivityScope": "local"}),
    ("IpamDriver.RequestPool", {"Pool": "172.16.86.0/24", "Options": {}, "V6": False},
     {"PoolID": POOL, "Pool": "172.16.86.0/24", "Data": {}}),
    ("IpamDriver.RequestAddress", {"PoolID": POOL, "Address": "", "Options": {"RequestAddressType": "com.docker.network.gateway"}},
     {"Address": "172.16.86.1/24", "Data": {}}),
    ("NetworkDriver.CreateNetwork", {"NetworkID": NETWORK, "IPv4Data": [{"AddressSpace": "mvapply", "Pool": "172.16.86.0/24"}]}, {}),
    ("IpamDriver.RequestAddress", {"PoolID": POOL, "Address": "", "Options": {}}, {"Address": "172.16.86.2/24", "Data": {}}),
    ("NetworkDriver.CreateEndpoint", {"NetworkID": NETWORK, "EndpointID": ENDPOINT, "Interface": {"Address": "172.16.86.2/24"}},
     {"Interface": {"MacAddress": "02:42:ac:10:56:02"}}),
    ("NetworkDriver.CreateEndpoint", {"NetworkID": NETWORK, "EndpointID": ENDPOINT, "Interface": {"Address": "172.16.86.2/24"}},
     {"Interface": {"MacAddress": "02:42:ac:10:56:02"}}),
    ("NetworkDriver.Join", {"NetworkID": NETWORK, "EndpointID": ENDPOINT, "SandboxKey": "/run/docker/netns/1"}, {
        "InterfaceName": {"SrcName": None, "DstPrefix": "eth"}, "StaticRoutes": [], "DisableGatewayService": False,
        "Gateway": "172.16.86.1"}),
    ("NetworkDriver.EndpointOperInfo", {"NetworkID": NETWORK, "EndpointID": ENDPOINT}, {"Value": {}}),
    ("NetworkDriver.Leave", {"NetworkID": NETWORK, "EndpointID": ENDPOINT}, {}),
    ("NetworkDriver.DeleteEndpoint", {"NetworkID": NETWORK, "EndpointID": ENDPOINT}, {}),
    ("NetworkDriver.DeleteEndpoint", {"NetworkID": NETWORK, "EndpointID": ENDPOINT}, {}),
    ("IpamDriver.ReleaseAddress", {"PoolID": POOL, "Address": "172.16.86.2"}, {}),
    ("NetworkDriver.DeleteNetwork", {"NetworkID": NETWORK}, {}),
    ("IpamDriver.ReleasePool", {"PoolID": POOL}, {}),
]


def alone(host):
    """The plugin without Docker."""
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    return plugged(host, FILE)


@test("docker driver: each call to a plugin that was killed and started again before it")
def each(host):
    before = host.snapshot("host")
    with alone(host) as plugin:
        for method, body, expected in CALLS:
            answer = plugin.call(method, **body)
            if "InterfaceName" in answer:
                name = answer["InterfaceName"]["SrcName"]
                answer["InterfaceName"]["SrcName"] = None
                link = host.link("host", name)
                assert "UP" not in link["flags"] and link["ifalias"].startswith("mvapply:guest:default/lan/"), link
                host.mvapply("apply", "-f", FILE)
                same(host.link("host", name), link, "the link after an apply")
            same(answer, expected, method)
            plugin.restart()
        same(host.snapshot("host"), before, "the host at the end")


@test("docker driver: a changed file of the same size and time, one with an error, and the one before")
def changed(host):
    with alone(host) as plugin:
        path = f"{WORK}/driver.yaml"

        def gateway():
            answer = plugin.call("IpamDriver.RequestAddress", PoolID=POOL,
                                 Options={"RequestAddressType": "com.docker.network.gateway"})
            return answer.get("Address") or answer["Error"]

        with open(path, encoding="utf-8") as file:
            first = file.read()
        times = os.stat(path)
        second, faulty = first.replace('"172.16.86.1"', '"172.16.86.9"'), first.replace('"172.16.86.1"', '"172.16.86.x"')
        for text, expected in ((first, "172.16.86.1/24"), (second, "172.16.86.9/24"), (faulty, "172.16.86.x"),
                               (faulty, "172.16.86.x"), (first, "172.16.86.1/24")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
            said = gateway()
            assert expected in said and len(text) == len(first), said
        os.remove(path)
        assert "MV0202" in gateway() or "cannot be opened" in gateway(), gateway()


@test("docker driver: a plugin that is killed while it makes a link")
def during(host):
    before = host.snapshot("host")
    body = {"NetworkID": NETWORK, "EndpointID": ENDPOINT, "Interface": {"Address": "172.16.86.2/24"}}
    with alone(host) as plugin:
        for wait in range(40):
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                answer = pool.submit(plugin.call, "NetworkDriver.CreateEndpoint", **body)
                concurrent.futures.wait([answer], wait / 1000)
                plugin.restart()
            answer = plugin.call("NetworkDriver.CreateEndpoint", **body)
            # The namespace of the killed plugin ends a moment later, and its link has the first MAC until then.
            links = [host.link("host", name)["address"] for name in host.names("host") - {"eth0", "lo"}]
            same([answer["Interface"]["MacAddress"]], links, f"the repeated call, after {wait} ms")
            plugin.call("NetworkDriver.DeleteEndpoint", **body)
            same(host.snapshot("host"), before, f"the host after {wait} ms")


@test("docker driver: requests that Docker does not send")
def odd(host):
    with alone(host) as plugin:
        assert "MV1401" in plugin.call("NetworkDriver.Leap")["Err"]
        assert "MV1401" in plugin.call("IpamDriver.Leap")["Error"]
        assert "MV1402" in plugin.call("NetworkDriver.Join")["Err"]
        assert "MV1407" in plugin.call("NetworkDriver.Join", NetworkID=NETWORK, EndpointID=ENDPOINT)["Err"]
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(SOCKET)
            client.sendall(b"HELO\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))  # up to the end of the connection
            assert answer.startswith(b"HTTP/1.1 400 "), answer
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(SOCKET)
            request = b"POST /Plugin.Activate HTTP/1.1\r\n\r\n"
            for byte in request + request:
                client.sendall(bytes([byte]))
            text = b""
            while text.count(b"Implements") < 2:
                text += client.recv(4096)


@driver("a container that the files declare, by its address; a service keeps its link")
def declared(host, docker, plugin):
    host.write(document({"lan": lan(ip_range=RANGE)}, {"db": {"docker": "my-db", "networks": {"lan": {
        "ipv4_address": "172.16.86.20", "mac_address": "02:00:00:00:00:20",
        "routes": [{"to": "10.9.0.0/16", "via": "172.16.86.9"}]}}}}), "driver.yaml")
    before = host.snapshot("host")
    docker.network(subnets=[{"Subnet": "172.16.86.0/24"}])
    with watching(host, "-f", FILE, env=docker.env) as service:
        docker.run("my-db", ip="172.16.86.20")
        text = docker.log("my-db")
        assert "172.16.86.20/24" in text and "10.9.0.0/16 via 172.16.86.9" in text, text
        same(docker.endpoint("my-db")[:2], ("172.16.86.20", "02:00:00:00:00:20"), "docker inspect")
        with docker.space("my-db") as space:
            link = identity(host, space)
            same(link["ifalias"], "mvapply:attach:default/lan/db", "its owner")
            service.settle()
            same(host.mvapply("apply", "-f", FILE, env=docker.env).plan, [], "an apply")
            same((identity(host, space), host.names(space)), (link, {"eth0"}), "its link")
        docker.restart("my-db")
        docker.log("my-db", 2)
        plugin.restart()
        said = docker.fails(docker.run, "other", ip="172.16.86.20")
        assert "MV1405" in said and "my-db, which has this address, is attached" in said, said
        docker.remove("other")
        docker.stop("my-db")
        said = docker.fails(docker.run, "other", ip="172.16.86.20")
        assert "MV1406" in said and "other needs another address" in said, said
        docker.remove("other")
        docker.remove("my-db")
        said = docker.fails(docker.run, "my-db")
        assert "MV1406" in said and "add --ip 172.16.86.20" in said, said
        docker.remove("my-db")
        service.settle()
    same(host.snapshot("host"), before, "the host at the end")


@test("docker driver: more containers than addresses, and a second plugin")
def full(host):
    with alone(host) as plugin:
        host.write(document({"lan": lan(ip_range="172.16.86.4/31")}, {}), "driver.yaml")
        asked = [plugin.call("IpamDriver.RequestAddress", PoolID=POOL) for _ in range(3)]
        same([answer.get("Address") for answer in asked], ["172.16.86.4/24", "172.16.86.5/24", None], "the addresses")
        assert "MV0609" in asked[2]["Error"], asked
        plugin.call("IpamDriver.ReleaseAddress", PoolID=POOL, Address="172.16.86.4")
        same(plugin.call("IpamDriver.RequestAddress", PoolID=POOL)["Address"], "172.16.86.4/24", "a released one")
        plugin.call("Plugin.Activate")
        same(plugin.call("IpamDriver.RequestAddress", PoolID=POOL)["Address"], "172.16.86.4/24", "after Docker's restart")
        second = host.mvapply("docker-plugin", "-f", FILE, code=1)
        assert "MV1409" in second.err, second
        plugin.call("IpamDriver.RequestAddress", PoolID=POOL)


@test("docker driver: Docker is queried only by files with a network for it")
def asked(host):
    """A Docker that does not answer delays no diff of other files."""
    with alone(host), socket.socket(socket.AF_UNIX) as hung:
        hung.bind(f"{WORK}/hung.sock")
        hung.listen()
        hung.setblocking(False)
        same(host.mvapply("diff", "-f", FILE, env={"DOCKER_HOST": f"unix://{WORK}/hung.sock"}).err, "", "diff")
        try:
            hung.accept()
            raise AssertionError("diff has connected to Docker")
        except BlockingIOError:
            pass
        host.write(document({"lan": lan(ip_range=RANGE, docker=True)}, {}), "driver.yaml")
        with engine({"/networks": [{"Name": "bridge", "Driver": "bridge", "Id": "1"}]}) as env:
            done = host.mvapply("diff", "-f", FILE, env=env)
    assert "Docker's network lan does not exist" in done.err and "[MV1411]" in done.err, done


@test("docker driver: an address of a process that the plugin cannot read is not given to another container")
def hidden(host):
    with host.process() as pid:
        host.write(document({"lan": lan(ip_range=RANGE)}, {"task": {"pid": pid, "networks": ["lan"]}}), "driver.yaml")
        host.mvapply("apply", "-f", FILE)
        with plugged(host, FILE) as plugin:
            same(plugin.call("IpamDriver.RequestAddress", PoolID=POOL)["Address"], "172.16.86.3/24", "the guest's")


@contextlib.contextmanager
def slow_plugin(host):
    """A plugin that is slow to enter the namespace of another container, for a free address."""
    host.netns("other")
    host.ip("host", "link add link eth0 name x0 netns other type macvlan mode bridge")
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    with plugged(host, FILE, tracer=SLOW) as plugin:
        yield plugin


@test("docker driver: an address that takes long to find delays no other call, and is given once")
def slow(host):
    with slow_plugin(host) as plugin, concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(plugin.call, "IpamDriver.RequestAddress", PoolID=POOL) for _ in range(2)]
        host.until(lambda: "setns" in open(f"{WORK}/trace", encoding="ascii", errors="replace").read(), "the look")
        same(plugin.call("NetworkDriver.GetCapabilities")["Scope"], "local", "another call")
        assert not any(call.done() for call in asked), "the look was over before"
        same({call.result()["Address"] for call in asked}, {"172.16.86.2/24", "172.16.86.3/24"}, "the addresses")


@test("docker driver: calls for addresses are answered in their order")
def order(host):
    with slow_plugin(host) as plugin, contextlib.ExitStack() as stack:
        asked = []
        for _ in range(4):
            asked.append(stack.enter_context(contextlib.closing(engines.Connection(SOCKET))))
            asked[-1].request("POST", "/IpamDriver.RequestAddress", json.dumps({"PoolID": POOL}))
            plugin.call("NetworkDriver.GetCapabilities")  # answered after the call before has been read
        same([json.loads(connection.getresponse().read())["Address"] for connection in asked],
             [f"172.16.86.{number}/24" for number in range(2, 6)], "the addresses")


@test("docker driver: concurrent calls for addresses of two networks")
def concurrent_addresses(host):
    host.write(document({"lan": lan(ip_range=RANGE), "dmz": lan(subnet="10.8.0.0/24", gateway="10.8.0.1")}, {}), "driver.yaml")
    pools = [POOL, "default/dmz/10.8.0.0/24"]
    with plugged(host, FILE) as plugin, concurrent.futures.ThreadPoolExecutor(20) as pool:
        found = [call.result().get("Address") for call in
                 [pool.submit(plugin.call, "IpamDriver.RequestAddress", PoolID=pools[number % 2]) for number in range(20)]]
        same(sorted(found), sorted(f"{net}.{number}/24" for number in range(2, 12) for net in ("172.16.86", "10.8.0")),
             "the addresses")
        found = [call.result().get("Address") for call in
                 [pool.submit(plugin.call, "IpamDriver.RequestAddress", PoolID=POOL, Address="172.16.86.77") for _ in range(8)]]
        same(sorted(map(str, found)), ["172.16.86.77/24"] + ["None"] * 7, "one address that eight ask for")


@driver("a link whose endpoint Docker deleted while the plugin was absent, beside one in use")
def removed(host, docker, plugin):
    docker.network()
    docker.run("stays")
    with docker.space("stays") as space:
        link = identity(host, space)
        plugin.kill()
        host.ip("host", "link add mv0123456789ab link eth0 type macvlan mode bridge")
        host.ip("host", "link set mv0123456789ab alias mvapply:guest:default/lan/172.16.86.9/docker.0123456789abcdef")
        host.ip("host", "link add mvfeedfeedfeed link eth0 type macvlan mode bridge")
        plugin.begin()
        host.until(lambda: host.names("host") == {"eth0", "mvfeedfeedfeed"}, "the links without an endpoint are deleted", 15)
        host.ip("host", "link delete mvfeedfeedfeed")
        same(identity(host, space), link, "the link of the other container")


@test("docker driver: a socket that systemd passes")
def activated(host):
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    path = f"{WORK}/passed.sock"
    with socket.socket(socket.AF_UNIX) as listener, host.inside("host"):
        listener.bind(path)
        listener.listen()
        command = f'exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" docker-plugin -f {FILE}'
        process = subprocess.Popen(["sh", "-c", command, host.binary], stdin=listener)
    try:
        connection = engines.Connection(path)
        connection.request("POST", "/Plugin.Activate")
        same(json.loads(connection.getresponse().read()), {"Implements": ["NetworkDriver", "IpamDriver"]}, "the answer")
        assert not os.path.exists(SOCKET), "it has bound a socket as well"
    finally:
        process.kill()
        process.wait()


@driver("networks that the files gave to Docker leave with the files, unless a container uses them")
def left_networks(host, docker, plugin):
    """Compares what Docker has, once the plugin has been started again."""
    def networks():
        return {network["Name"]: [(config["Subnet"], config.get("Gateway")) for config in network["IPAM"]["Config"]]
                for network in docker.call("GET", "/networks") if network["Driver"] == "mvapply"}

    def until(expected, what):
        host.until(lambda: networks() == expected, f"{what}: {networks()}", 20)

    def write(**declared):
        host.write(document(declared, {}), "driver.yaml")

    def diff():
        return host.mvapply("diff", "-f", FILE, env=docker.env).err

    lan_json, old = [("172.16.86.0/24", "172.16.86.1")], {"subnet": "10.8.0.0/24", "gateway": "10.8.0.1"}
    write(lan=lan(ip_range=RANGE, docker=True), old=lan(**old, docker="my-old"))
    text = diff()
    assert "network lan does not exist" in text and "my-old does not exist" in text and "MV1411" in text, text
    plugin.restart()
    until({"lan": lan_json, "my-old": [("10.8.0.0/24", "10.8.0.1")]}, "both are created")
    assert "MV1411" not in diff(), diff()
    docker.network("by-hand", subnets=[{"Subnet": "10.8.0.0/24", "Gateway": "10.8.0.1"}], network="old")
    hand = {"by-hand": [("10.8.0.0/24", "10.8.0.1")]}
    docker.create("stopped", network="my-old")

    write(lan=lan(ip_range=RANGE, docker=True), old=lan(**old))
    text = diff()
    assert "my-old is not in the files: remove its containers (stopped), then" in text, text
    plugin.restart()
    host.until(lambda: "MV1412" in plugin.text() and "cannot remove Docker's network my-old: containers use it: stopped" in plugin.text(),
               "the reason", 10)
    same(sorted(networks()), ["by-hand", "lan", "my-old"], "a network with a stopped container")
    docker.remove("stopped")
    assert "my-old is not in the files: `systemctl restart" in diff(), diff()
    plugin.restart()
    until({"lan": lan_json, **hand}, "the network without containers is removed")

    write(lan=lan(subnet="10.7.0.0/24", gateway="10.7.0.1", docker=True))
    found = host.mvapply("diff", "-f", FILE, "-o", "json", env=docker.env).json["warnings"]
    same(["network lan differs from the files" in warning for warning in found if "MV1411" in warning], [True], "the warning in JSON")
    plugin.restart()
    until({"lan": [("10.7.0.0/24", "10.7.0.1")], **hand}, "the network is replaced")
    write(lan=lan(subnet="10.7.0.0/24", gateway=None, docker=True))
    plugin.restart()
    until({"lan": [("10.7.0.0/24", None)], **hand}, "without a gateway")
    assert "MV1411" not in diff(), diff()
    docker.run("web")
    assert "10.7.0.2/24" in docker.log("web") or "10.7.0.1/24" in docker.log("web"), docker.log("web")
    write(lan=lan(subnet="10.7.0.0/24", gateway=None))
    assert "MV1411" not in diff(), diff()
    found = host.mvapply("doctor", "-f", FILE, "-o", "json", env=docker.env, code=None).json["findings"]
    same(["network lan is not in the files: remove its containers (web), then" in one["message"] for one in found
          if one["code"] == "MV1411"], [True], "the last network of the files, by doctor")
    host.write(json.dumps({"name": "other", **json.loads(document({"lan": lan()}, {}))}), "driver.yaml")
    assert "MV1411" not in diff(), diff()
    plugin.restart()
    same(sorted(networks()), ["by-hand", "lan"], "the network of another set")


@driver("networks that the files give to Docker exist without a command, and stay as they are")
def declared_networks(host, docker, plugin):
    def names():
        return {network["Name"] for network in docker.call("GET", "/networks") if network["Driver"] == "mvapply"}

    text = document({"lan": lan(ip_range=RANGE, docker=True),
                     "six": lan(subnets=[{"subnet": "10.8.0.0/24", "gateway": "10.8.0.1"}, {"subnet": "fd00:8::/64"}],
                                subnet=None, gateway=None, docker="my-six"),
                     "off": lan(subnet="10.9.0.0/24", gateway=None, docker=False),
                     "leased": lan(subnet=None, gateway=None, dhcp=True, docker=True)}, {})
    host.write(text, "driver.yaml")
    plugin.restart()
    host.until(lambda: names() == {"lan", "my-six"}, "the networks exist", 20)
    with open(plugin.log, encoding="utf-8") as file:
        host.until(lambda: "cannot create Docker's network leased" in file.read(), "an error", 10)
    docker.run("my-web")
    assert "172.16.86.2/24" in docker.log("my-web")
    docker.run("six", network="my-six")
    shown = docker.log("six")
    assert "10.8.0.2/24" in shown and "fd00:8::2/64" in shown, shown
    before = {network["Id"] for network in docker.call("GET", "/networks")}
    plugin.restart()
    docker.restart("my-web")
    same({network["Id"] for network in docker.call("GET", "/networks")}, before, "the networks after a restart")


@test("docker driver: the answer to Join has no routes of a type")
def joined(host):
    nowhere = [{"to": f"10.{number}.0.0/16", "type": kind} for number, kind in enumerate(TYPES)]
    with alone(host) as plugin:
        host.write(document({"lan": lan(ip_range=RANGE, routes=[*nowhere, {"to": "10.8.0.0/16", "via": "172.16.86.9"}])}, {}),
                   "driver.yaml")
        endpoint = {"NetworkID": NETWORK, "EndpointID": ENDPOINT}
        for method, body, _ in CALLS[2:7]:
            plugin.call(method, **body)
        same(plugin.call("NetworkDriver.Join", **endpoint)["StaticRoutes"],
             [{"Destination": "10.8.0.0/16", "RouteType": 0, "NextHop": "172.16.86.9"}], "the routes")
        plugin.call("NetworkDriver.DeleteEndpoint", **endpoint)


@driver("altnames and routes of a type, which an apply adds after the start, beside a link of the host with that altname")
def after_start(host, docker, _plugin):
    nowhere = [{"to": "10.0.0.0/8", "type": "blackhole"}, {"to": "10.1.0.0/16", "type": "throw"}]
    host.write(document({"lan": lan(ip_range=RANGE, routes=nowhere[:1])}, {"web": {"docker": "web", "networks": {"lan": {
        "ipv4_address": "172.16.86.20", "altnames": ["uplink"], "routes": nowhere[1:]}}}}), "driver.yaml")
    host.ip("host", "link property add dev eth0 altname uplink")
    docker.network(subnets=[{"Subnet": "172.16.86.0/24"}])
    docker.create("web", ip="172.16.86.20")
    docker.start("web")
    with docker.space("web") as space:
        before = identity(host, space)
        same((host.link(space, "eth0").get("altnames"), host.routes(space)),
             (None, {"default via 172.16.86.1 dev eth0", "172.16.86.0/24 dev eth0 scope link src 172.16.86.20"}), "after the start")
        host.mvapply("apply", "-f", FILE, env=docker.env)
        same((host.link(space, "eth0").get("altnames"), typed_routes(host, space)),
             (["uplink"], {("blackhole", "10.0.0.0/8", "main", 0, "77"), ("throw", "10.1.0.0/16", "main", 0, "77")}), "after an apply")
        same(identity(host, space), before, "the same link")
    same(host.link("host", "eth0")["altnames"], ["uplink"], "the host's link")


@driver("a container that is on the network twice, by interfaces with names: the first one is Docker's")
def twice(host, docker, _plugin):
    host.write(document({"lan": lan(ip_range=RANGE)}, {"web": {"docker": "web", "networks": {
        "lan": {"ipv4_address": "172.16.86.20", "interface_name": "eth0"},
        "mail": {"network": "lan", "ipv4_address": "172.16.86.21", "interface_name": "mail0"}}}}), "driver.yaml")
    docker.network(subnets=[{"Subnet": "172.16.86.0/24"}])
    docker.create("web", ip="172.16.86.20")
    docker.start("web")
    with docker.space("web") as space:
        before = identity(host, space)
        same((host.names(space), before["ifalias"]), ({"eth0"}, "mvapply:attach:default/lan/web"), "after the start")
        host.mvapply("apply", "-f", FILE, env=docker.env)
        same({name: host.addresses(space, name) for name in host.names(space)},
             {"eth0": {"172.16.86.20/24"}, "mail0": {"172.16.86.21/24"}}, "after an apply")
        same(identity(host, space), before, "the same link")


@driver("a gateway outside of the subnet, and the routes of the network and of a container")
def outside(host, docker, _plugin):
    host.write(document({"lan": lan(
        ip_range=RANGE, gateway="198.51.100.1", on_link=True,
        routes=[{"to": "10.8.0.0/16", "via": "172.16.86.2"}, {"to": "10.9.0.0/16", "via": "172.16.86.2"},
                {"to": "10.7.0.0/16", "via": "172.16.86.2", "metric": 5}])},
        {"web": {"docker": "web", "networks": {"lan": {
            "ipv4_address": "172.16.86.20", "routes": [{"to": "10.9.0.0/16", "via": "172.16.86.3"}]}}}}), "driver.yaml")
    docker.network(subnets=[{"Subnet": "172.16.86.0/24"}])
    docker.create("web", ip="172.16.86.20")
    docker.start("web")
    with docker.space("web") as space:
        same(host.routes(space), {
            "default via 198.51.100.1 dev eth0", "198.51.100.1 dev eth0 scope link",
            "172.16.86.0/24 dev eth0 scope link src 172.16.86.20",
            "10.8.0.0/16 via 172.16.86.2 dev eth0", "10.9.0.0/16 via 172.16.86.3 dev eth0"}, "the routes")
