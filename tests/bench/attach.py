#!/usr/bin/env python3
"""One container attached while others are live: by mvapply as a CNI plugin, as an OCI hook and as a Docker driver, beside
the floor (floor.c), CNI's macvlan plugin with a static address and with host-local, and netavark, in turn, for several
rounds; without a service and with one. The host is this program's own. Then what mvapply takes for a container that is
none of its own; and a container that a real dockerd starts on the driver's network, on one of its own macvlan driver, and on
none."""
import argparse
import contextlib
import http.client
import json
import os
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

WORK = "/run/attach"
FILE = f"{WORK}/lan.yaml"
CNI_PLUGINS = "/usr/lib/cni"
SOCKET = "/run/docker/plugins/mvapply.sock"
STATIC = "CNI macvlan, static"  # which the others are compared with
PAUSE = 0.2  # seconds
ID = "c0ffee" * 10 + "beef"


def shell(command):
    subprocess.run(command, shell=True, check=True, capture_output=True)


def host():
    """A network namespace with an eth0, and an empty /run."""
    shell("mount -t tmpfs tmpfs /run && mkdir -p /run/netns " + WORK)
    shell("ip link add eth0 type veth peer name up0 && ip link set eth0 up && ip link set up0 up")


def others(binary, count):
    """As many live attachments, and the file that declares them and the new container."""
    containers = {f"c{n}": {"networks": {"lan": {"ipv4_address": f"10.0.{n // 250}.{n % 250 + 2}"}}}
                  for n in range(count)}
    lan = {"parent": "eth0", "subnet": "10.0.0.0/16", "gateway": "10.0.255.1"}

    def write(path, more):
        with open(path, "w", encoding="ascii") as file:
            json.dump({"networks": {"lan": lan}, "containers": {**containers, **more}}, file)
    names = [f"netns add c{n}" for n in range(count + 1)] + ["netns add new"]  # the last but one for the floor
    subprocess.run(["ip", "-batch", "-"], input="\n".join(names).encode(), check=True)
    write(f"{WORK}/others.yaml", {})
    if count:
        shell(f"{binary} apply -q -f {WORK}/others.yaml")
    write(FILE, {"pod": {"cni": "bench/new", "networks": {"lan": {"ipv4_address": "10.0.200.7"}}},
                 "hooked": {"podman": ID, "networks": {"lan": {"ipv4_address": "10.0.200.8"}}}})


def spent():
    """The milliseconds of processor time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def run(argv, stdin="", **env):
    """The milliseconds of a program, and of its processor time."""
    start, before = time.monotonic(), spent()
    done = subprocess.run(argv, input=stdin.encode(), capture_output=True, env={**os.environ, **env}, check=False)
    took = (time.monotonic() - start) * 1000
    if done.returncode:
        sys.exit(f"{argv}: {done.stdout.decode()}{done.stderr.decode()}")
    return took, spent() - before


class Cni:
    """A CNI plugin; `pod` is the name in Kubernetes."""
    def __init__(self, name, program, pod="", **configuration):
        self.name, self.program, self.pod = name, program, pod
        self.configuration = json.dumps({"cniVersion": "1.0.0", "name": "lan", **configuration})

    def call(self, command, **env):
        return run([self.program], self.configuration, CNI_COMMAND=command, **{
            "CNI_CONTAINERID": "new", "CNI_IFNAME": "eth0", "CNI_NETNS": "/run/netns/new", "CNI_PATH": CNI_PLUGINS,
            "CNI_ARGS": f"IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME={self.pod}", **env})

    def attach(self):
        return self.call("ADD")

    def detach(self):
        self.call("DEL")


class Hook:
    """As Podman calls it, for a process in the new namespace."""
    name = "mvapply hook"

    def __init__(self, binary, pid):
        self.argv = [binary, "hook", "-f", FILE]
        self.state = json.dumps({"ociVersion": "1.0.2", "id": ID, "status": "created", "pid": pid, "bundle": "/nowhere"})

    def attach(self):
        return run(self.argv, self.state)

    @staticmethod
    def detach():
        shell("ip -n new link delete eth0")


class UnixConnection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


class Driver:
    """Docker's calls for a container, without Docker: an address, an endpoint, and its link's name."""
    pool = {"PoolID": "default/lan/10.0.0.0/16"}
    endpoint = {"NetworkID": "f" * 64, "EndpointID": "e" * 64}

    def __init__(self, name, address=""):
        self.name, self.wanted, self.address = name, address, None

    @staticmethod
    def call(method, **body):
        connection = UnixConnection("localhost")
        connection.request("POST", f"/{method}", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if answer.get("Err") or answer.get("Error"):
            sys.exit(f"{method}: {answer}")
        return answer

    def attach(self):
        start = time.monotonic()
        self.address = self.call("IpamDriver.RequestAddress", **self.pool, Address=self.wanted)["Address"]
        self.call("NetworkDriver.CreateEndpoint", **self.endpoint, Interface={"Address": self.address})
        self.call("NetworkDriver.Join", **self.endpoint, SandboxKey="/run/netns/new")
        return (time.monotonic() - start) * 1000, None  # the plugin's, which goes on

    def detach(self):
        self.call("NetworkDriver.Leave", **self.endpoint)
        self.call("NetworkDriver.DeleteEndpoint", **self.endpoint)
        self.call("IpamDriver.ReleaseAddress", **self.pool, Address=self.address.split("/")[0])


class Netavark:
    name = "netavark"

    def __init__(self, program):
        self.program = program
        network = {"name": "lan", "id": "0" * 64, "driver": "macvlan", "internal": False, "network_interface": "eth0",
                   "ipv6_enabled": False, "dns_enabled": False, "options": {"mode": "bridge"},
                   "subnets": [{"subnet": "10.0.0.0/16", "gateway": "10.0.255.1"}], "ipam_options": {"driver": "host-local"}}
        self.request = json.dumps({
            "container_id": "1" * 64, "container_name": "new", "network_info": {"lan": network},
            "networks": {"lan": {"interface_name": "eth0", "static_ips": ["10.0.202.1"]}}})

    def call(self, command):
        return run([self.program, "--config", f"{WORK}/netavark", command, "/run/netns/new"], self.request)

    def attach(self):
        return self.call("setup")

    def detach(self):
        self.call("teardown")


class Floor:
    """The messages for the namespace behind those of the others."""
    name = "floor"

    def __init__(self, program, number):
        self.argv, self.number = [program, "apply", str(number), str(number + 1)], number

    def attach(self):
        return run(self.argv)

    def detach(self):
        shell(f"ip -n c{self.number} link delete eth0")


def ways(options, pid):
    """Each attaches the same container, and detaches it again."""
    binary, netavark = options.binary, options.netavark
    route, macvlan = {"routes": [{"dst": "0.0.0.0/0"}]}, {"type": "macvlan", "master": "eth0"}
    mine = {"type": "mvapply", "files": FILE}
    static = {"type": "static", "addresses": [{"address": "10.0.201.1/16", "gateway": "10.0.255.1"}], **route}
    local = {"type": "host-local", "subnet": "10.0.0.0/16", "rangeStart": "10.0.201.2", "rangeEnd": "10.0.201.250",
             "gateway": "10.0.255.1", "dataDir": f"{WORK}/host-local", **route}
    yield Floor(options.floor, options.count)
    if os.path.exists(CNI_PLUGINS):
        yield Cni(STATIC, f"{CNI_PLUGINS}/macvlan", **macvlan, ipam=static)
    yield Cni("mvapply cni", binary, "new", **mine)
    yield Hook(binary, pid)
    yield Driver("mvapply docker-plugin", "10.0.200.9")
    if os.path.exists(CNI_PLUGINS):
        yield Cni("CNI macvlan, host-local", f"{CNI_PLUGINS}/macvlan", **macvlan, ipam=local)
    yield Cni("mvapply cni, any address", binary, "guest", **mine)
    yield Driver("mvapply docker-plugin, any address")
    if os.path.exists(netavark):
        yield Netavark(netavark)


class Idle:
    """mvapply for a container with which it has nothing to do."""
    def __init__(self, name, argv, stdin="", **env):
        self.name, self.argv, self.stdin, self.env = name, argv, stdin, env

    def attach(self):
        return run(self.argv, self.stdin, **self.env)

    def detach(self):
        pass


def idle(binary, pid):
    state = json.dumps({"ociVersion": "1.0.2", "id": "f" * 64, "status": "created", "pid": pid, "bundle": "/nowhere"})
    conf = json.dumps({"cniVersion": "1.0.0", "name": "lan", "type": "mvapply", "files": FILE})
    env = {"CNI_COMMAND": "DEL", "CNI_CONTAINERID": "gone", "CNI_IFNAME": "eth0", "CNI_NETNS": "/run/netns/new"}
    runtime = f"{WORK}/mvapply-runtime"
    with contextlib.suppress(FileExistsError):
        os.symlink(binary, runtime)
    yield Idle("true(1)", ["true"])
    yield Idle("hook, no files", [binary, "hook", "-f", "/run/nowhere"], state)
    yield Idle("hook, in none of the files", [binary, "hook", "-f", FILE], state)
    yield Idle("runtime, start", [runtime, "--mvapply-runtime=true", "start", "id"])
    yield Idle("cni DEL, no link", [binary], conf, **env)
    yield Idle("cni DEL, no namespace", [binary], conf, **{**env, "CNI_NETNS": "/run/netns/gone"})
    yield Idle("cni DEL, repeated without a namespace", [binary], conf, **{**env, "CNI_NETNS": ""})


def measure(programs, rounds):
    """The milliseconds by name, and those of processor time. Each round is one turn of all; a first one is not counted.
    Between them is a pause, in which the service reads what has changed."""
    times = {program.name: [] for program in programs}
    for number in range(rounds + 1):
        for program in programs:
            time.sleep(PAUSE)
            took = program.attach()
            program.detach()
            if number:
                times[program.name].append(took)
    return times


def report(title, times, base):
    base = base if base in times else "floor"
    print(f"\n{title}")
    for name, pairs in times.items():
        values = [value for value, _ in pairs]
        ratio = statistics.median(value / other for value, (other, _) in zip(values, times[base]))
        processor = [cpu for _, cpu in pairs if cpu is not None]
        print(f"  {name:40} {statistics.median(values):7.2f} ms ({min(values):.2f} to {max(values):.2f}), {ratio:.2f} times" +
              (f"; processor {statistics.median(processor):.2f} ({min(processor):.2f})" if processor else ""))


@contextlib.contextmanager
def child(argv, **options):
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, **options) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


@contextlib.contextmanager
def plugin(binary):
    """The running Docker plugin, without Docker."""
    with open(f"{WORK}/plugin.log", "wb") as log, \
            child([binary, "docker-plugin", "-f", FILE], stdout=log, stderr=log,
                  env={**os.environ, "DOCKER_HOST": "unix:///run/nowhere.sock"}):
        for _ in range(500):
            with contextlib.suppress(OSError):
                Driver.call("NetworkDriver.GetCapabilities")
                break
            time.sleep(0.01)
        yield


@contextlib.contextmanager
def service(binary):
    """The service on the same files, which the others ask."""
    with child([binary, "watch", "-f", FILE], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        time.sleep(2)
        yield


def rows(work, count, times):
    """The results of --json, as plot.py reads them."""
    return [{"work": work, "size": count, "program": name, "wall": [round(wall, 2) for wall, _ in pairs],
             "cpu": [round(cpu, 2) for _, cpu in pairs if cpu is not None]} for name, pairs in times.items()]


def one(options):
    """The rows of one number of others."""
    binary, count = options.binary, options.count
    host()
    others(binary, count)
    with plugin(binary), child(["ip", "netns", "exec", "new", "sleep", "infinity"]) as sleeper:
        time.sleep(0.5)
        alone = measure(list(ways(options, sleeper.pid)), options.rounds)
        report(f"one attachment beside {count}", alone, STATIC)
        with service(binary):  # which deletes the floor's link: no file declares it
            programs = [way for way in ways(options, sleeper.pid) if way.name != Floor.name]
            beside = measure(programs + list(idle(binary, sleeper.pid))[-1:], options.rounds)
            report(f"one attachment beside {count}, with a service", beside, STATIC)
        nothing = measure(list(idle(binary, sleeper.pid)), options.rounds)
        report(f"nothing to do, beside {count}", nothing, "true(1)")
    return rows("attach", count, alone) + rows("attach with a service", count, beside) + rows("idle", count, nothing)


class Started:
    """`docker run` without its client: a container is created and started, and its first process runs."""
    def __init__(self, name, docker, network, ip=None):
        self.name, self.docker, self.network, self.ip = name, docker, network, ip

    def attach(self):
        config = {"IPAMConfig": {"IPv4Address": self.ip}} if self.ip else {}
        start = time.monotonic()
        self.docker.call("POST", "/containers/create", {
            "Image": "localhost/box:latest", "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": self.network},
            "NetworkingConfig": {"EndpointsConfig": {self.network: config}} if self.network != "none" else {}}, name="new")
        self.docker.start("new")
        return (time.monotonic() - start) * 1000, None

    def detach(self):
        self.docker.remove("new")


def started_ways(docker):
    subnet = {"Subnet": "10.86.0.0/16", "Gateway": "10.86.0.1"}
    for name, driver, ipam, own in (("own", "macvlan", {"Config": [subnet]}, {"parent": "eth0"}),
                                    ("n0", "mvapply", {"Driver": "mvapply", "Config": [subnet]}, {})):
        docker.call("POST", "/networks/create", {"Name": name, "Driver": driver, "IPAM": ipam, "Options": own})
    yield Started("Docker, no network", docker, "none")
    yield Started("Docker macvlan, --ip", docker, "own", "10.86.200.1")
    yield Started("mvapply docker-plugin, --ip", docker, "n0", "10.86.200.2")
    yield Started("Docker macvlan, any address", docker, "own")
    yield Started("mvapply docker-plugin, any address", docker, "n0")


def in_dockerd(options):
    """The same of a real dockerd, on a host of the kernel tests."""
    import stage  # pylint: disable=import-outside-toplevel

    def entered():
        import docker_plugin  # pylint: disable=import-outside-toplevel
        import engines  # pylint: disable=import-outside-toplevel
        at = stage.Stage(options, options.count)
        at.mvapply("apply", "-q", "-f", at.file)
        with docker_plugin.plugged(at.host, at.file), engines.running(at.host, "docker") as docker:
            times = measure(list(started_ways(docker)), options.rounds)
            for network in ("own", "n0"):
                docker.call("DELETE", f"/networks/{network}")
        report(f"docker run beside {options.count}", times, "Docker macvlan, --ip")
        found_add(options.json, rows("docker run", options.count, times))
    if stage.entered(entered):
        sys.exit("docker: failed")


def found_add(path, found):
    if not path:
        return
    with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as file:
        found = json.load(file)["rows"] + found
    with open(path, "w", encoding="ascii") as file:
        json.dump({"rows": found}, file, indent=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="build/mvapply")
    parser.add_argument("--spent", default="build/tests/bench/spent")
    parser.add_argument("--floor", default="build/tests/bench/floor")
    parser.add_argument("--netavark", default="/usr/lib/podman/netavark")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", metavar="FILE", help="adds the results to that file")
    parser.add_argument("--docker", action="store_true", help="with a count: in a dockerd")
    parser.add_argument("count", type=int, nargs="?", help="in a namespace of its own: this number of others")
    options = parser.parse_args()
    options.binary, options.floor, options.spent = map(os.path.abspath, (options.binary, options.floor, options.spent))
    if options.docker:
        in_dockerd(options)
    elif options.count is not None:
        found_add(options.json, one(options))
    else:
        again = [sys.executable, __file__, *sys.argv[1:]]
        for count in (0, 100, 1000):
            subprocess.run(["unshare", "-nm", *again, str(count)], check=True)
        for count in (0, 100, 1000):
            subprocess.run([*again, "--docker", str(count)], check=True)


main()
