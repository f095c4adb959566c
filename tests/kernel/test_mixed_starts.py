"""Containers that the hook, CNI, netavark and Docker's driver start on one network at the same time."""
import concurrent.futures

from declare import document, lan
from docker_plugin import NETWORK, POOL, plugged
from engines import oci_state
from forger import forging
from host import WORK, same
from registry import test
from service import watching
import test_cni
import test_netavark

FILE = f"{WORK}/mixed.yaml"
RANGE = "172.16.86.0/25"


class Endpoint:
    """A container of Docker's, by the calls that Docker makes and the changes of its own."""

    def __init__(self, host, plugin, name):
        self.host, self.plugin, self.name = host, plugin, name
        self.body = {"NetworkID": NETWORK, "EndpointID": (name.encode().hex() * 32)[:64]}

    def call(self, method, **body):
        answer = self.plugin.call(method, **{**self.body, **body})
        if answer.get("Err") or answer.get("Error"):
            raise AssertionError((self.name, method, answer))
        return answer

    def request(self):
        self.address = self.call("IpamDriver.RequestAddress", PoolID=POOL, Options={})["Address"]

    def create(self):
        self.call("NetworkDriver.CreateEndpoint", Interface={"Address": self.address})
        self.link = self.call("NetworkDriver.Join", SandboxKey="/run/docker/netns/1")["InterfaceName"]["SrcName"]

    def enter(self):
        self.host.ip("host", f"link set {self.link} netns {self.name}")
        self.host.batch(self.name, [f"link set {self.link} name eth0", f"address add {self.address} dev eth0", "link set eth0 up"])

    def start(self):
        self.request()
        self.create()
        self.enter()


@test("mixed starts: an address that Docker was given is no other runtime's, before and after it has a link")
def reserved(host):
    host.netns("web", "db", "docker", "later", "declared")
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "mixed.yaml")
    with plugged(host, FILE) as plugin:
        docker = Endpoint(host, plugin, "docker")
        docker.request()
        same(docker.address, "172.16.86.2/24", "Docker's")
        cni = test_cni.Plugin(host, files=FILE)
        cni.add("web")
        same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "CNI's, before Docker asks for its link")
        host.write(document({"lan": lan(ip_range=RANGE)}, {"declared": ["lan"]}), "mixed.yaml")
        host.mvapply("apply", "-f", FILE)
        same(host.addresses("declared", "eth0"), {"172.16.86.4/24"}, "that of a declared container")
        docker.create()
        test_netavark.Plugin(host, FILE).setup("db")
        same(host.addresses("db", "eth0"), {"172.16.86.5/24"}, "netavark's, before Docker has moved its link")
        docker.enter()
        cni.call("DEL", "web")
        plugin.call("IpamDriver.ReleaseAddress", PoolID=POOL, Address="172.16.86.2")
        host.ip("docker", "link delete eth0")
        cni.add("later")
        same(host.addresses("later", "eth0"), {"172.16.86.2/24"}, "after Docker has released it")


@test("mixed starts: the addresses of an untrusted process are ignored, and those of Docker differ")
def forged(host):
    host.netns("web")
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "mixed.yaml")
    weak = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    with forging(host, "mvapply-docker-plugin", b"default/lan 172.16.86.2\n", prefix=weak):
        test_cni.Plugin(host, files=FILE).add("web")
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "CNI's")
        with plugged(host, FILE) as plugin:
            assert "other programs cannot ask for the addresses that Docker was given: Address already in use" in plugin.text()
            first, second = (Endpoint(host, plugin, name) for name in ("a", "b"))
            for docker in first, second:
                docker.request()
            same((first.address, second.address), ("172.16.86.3/24", "172.16.86.4/24"), "Docker's")


def hooked(host, name, text):
    """Podman's hook for the container of that name, whose id is the name."""
    with host.process(name) as pid:
        done = host.run(host.binary, "hook", "-f", FILE, stdin=oci_state(pid, text).encode())
        same((done.code, done.err), (0, ""), name)


@test("mixed starts: eight at once by the hook, CNI, netavark and Docker's driver, with applies and a service", seconds=120)
def mixed(host):
    names = [f"c{number}" for number in range(8)]
    ids = {name: (name.encode().hex() * 16)[:64] for name in names[:2]}
    host.netns(*names)
    text = document({"lan": lan(ip_range=RANGE)}, {name: {"podman": ids[name], "networks": ["lan"]} for name in ids})
    host.write(text, "mixed.yaml")
    with plugged(host, FILE) as plugin, watching(host, "-f", FILE) as service:
        ways = [lambda name: hooked(host, name, ids[name])] * 2 + \
            [lambda name: test_cni.Plugin(host, files=FILE).add(name)] * 2 + \
            [lambda name: test_netavark.Plugin(host, FILE).setup(name)] * 2 + [lambda name: Endpoint(host, plugin, name).start()] * 2
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            jobs = [pool.submit(way, name) for way, name in zip(ways, names)]
            for _ in range(3):
                host.mvapply("apply", "-f", FILE, code=None)
            for job in jobs:
                job.result(60)
        found = [tuple(host.addresses(name, "eth0")) for name in names]
        same(sorted(found), sorted({(f"172.16.86.{number}/24",) for number in range(2, 128)} & set(found)), "an address each")
        same(len(set(found)), 8, f"no address twice: {found}")
        same(host.names("host"), {"eth0"}, "links of the host")
        links = {name: host.link(name, "eth0")["ifindex"] for name in names}
        service.quiet()
        host.mvapply("apply", "-f", FILE)
        same({name: host.link(name, "eth0")["ifindex"] for name in names}, links, "the links under a service")
