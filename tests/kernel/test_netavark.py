"""The netavark plugin: as netavark calls it, and netavark itself where it is installed."""
import json
import os

import engines
from declare import EXAMPLES, document, lan
from host import WORK, same
from registry import test
from service import watching

FILE = f"{WORK}/netavark.yaml"


class Plugin:
    """What netavark sends."""

    def __init__(self, host, files=FILE):
        self.host = host
        self.network = {"driver": "mvapply", "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
                        "name": "lan", "network_interface": "mvapply0", "internal": False, "ipv6_enabled": False,
                        "dns_enabled": False, "options": {"files": files}, "ipam_options": {"driver": "none"}}

    def call(self, *words, code=0, stdin=None):
        done = self.host.run(self.host.binary, "netavark", *words, stdin=json.dumps(stdin or {}).encode(), code=code)
        same(done.err, "", "the standard error")
        return json.loads(done.out) if done.out else None

    def request(self, name, **options):
        return {"container_id": f"id-of-{name}", "container_name": name, "port_mappings": None,
                "network": self.network, "network_options": {"interface_name": "eth0", "aliases": [], **options}}

    def setup(self, name, code=0, **options):
        return self.call("setup", f"/run/netns/{name}", stdin=self.request(name, **options), code=code)

    def teardown(self, name, **options):
        return self.call("teardown", f"/run/netns/{name}", stdin=self.request(name, **options))


def declare(host, text):
    host.write(text, "netavark.yaml")


@test("netavark: a declared container, a guest, and their ends")
def whole(host):
    host.netns("db", "web")
    declare(host, document({"lan": lan(ip_range="172.16.86.0/25")}, {"my-db": {"podman": "db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}}))
    plugin = Plugin(host)
    before = host.snapshot("host", "db", "web")
    same(plugin.call("info")["api_version"], "1.0.0", "the API")
    made = plugin.call("create", stdin={**plugin.network, "ipam_options": None})
    same((made["ipam_options"], made["name"]), ({"driver": "none"}, "lan"), "the network")
    status = plugin.setup("db")
    mac = host.link("db", "eth0")["address"]
    same(status, {"dns_search_domains": [], "dns_server_ips": [], "interfaces": {"eth0": {
        "mac_address": mac, "subnets": [{"ipnet": "172.16.86.20/24", "gateway": "172.16.86.1"}]}}}, "the status")
    same((host.addresses("db", "eth0"), host.link("db", "eth0")["ifalias"]),
         ({"172.16.86.20/24"}, "mvapply:attach:default/lan/my-db"), "the declared container")
    same(plugin.setup("web")["interfaces"]["eth0"]["subnets"], [{"ipnet": "172.16.86.2/24", "gateway": "172.16.86.1"}],
         "the guest's status")
    alias = host.link("web", "eth0")["ifalias"]
    assert alias.startswith("mvapply:guest:default/lan/web/nv."), alias
    assert "attached by nv" in host.mvapply("status").out
    host.apply(open(FILE, encoding="utf-8").read())
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "the guest after an apply")
    plugin.teardown("web")
    plugin.teardown("db")
    plugin.teardown("db")
    same(host.snapshot("host", "db", "web"), before, "after teardown")


@test("netavark: requested addresses, and what is refused with a sentence")
def refused(host):
    host.netns("a", "b")
    declare(host, document({"lan": lan(ip_range="172.16.86.0/25")}, {"my-db": {"podman": "db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}}))
    plugin = Plugin(host)
    plugin.setup("a", static_ips=["172.16.86.9"], static_mac="02:00:00:00:00:09")
    same((host.addresses("a", "eth0"), host.link("a", "eth0")["address"]), ({"172.16.86.9/24"}, "02:00:00:00:00:09"),
         "as requested")
    assert "MV1308" in plugin.setup("b", static_ips=["172.16.86.20"], code=1)["error"]
    assert "MV1305" in plugin.setup("a", code=1)["error"]
    wrong = {**plugin.network, "options": {"files": FILE, "network": "dmz"}}
    assert "do not declare network dmz" in plugin.call("create", stdin=wrong, code=1)["error"]
    for words in ((), ("setup",), ("update", "/run/netns/a"), ("info", "x")):
        assert "MV1310" in plugin.call(*words, code=1)["error"], words
    for request in ({}, {"network": {"name": "lan"}}, {**plugin.request("b"), "network_options": {}},
                    plugin.request("b", static_ips=["x"]), plugin.request("b", static_mac="x"), []):
        assert "MV1310" in plugin.call("setup", "/run/netns/b", stdin=request or {"x": 1}, code=1)["error"], request
    same(host.names("b"), set(), "after the failures")


class Netavark(Plugin):
    """netavark itself, which starts the plugin by its file in a directory of plugins."""

    def __init__(self, host):
        super().__init__(host)
        os.makedirs(f"{WORK}/plugins")
        with open(f"{EXAMPLES}/../dist/netavark/mvapply", encoding="ascii") as file:
            script = file.read().replace("/usr/local/bin/mvapply", host.binary)
        with open(f"{WORK}/plugins/mvapply", "w", encoding="ascii") as file:
            file.write(script)
        os.chmod(f"{WORK}/plugins/mvapply", 0o755)

    def run(self, command, name, code=0, **options):
        request = self.request(name, **options)
        text = json.dumps({"container_id": request["container_id"], "container_name": name,
                           "networks": {"lan": request["network_options"]}, "network_info": {"lan": self.network}})
        done = self.host.run(*os.environ["NETAVARK"].split(), "--config", f"{WORK}/netavark", "--plugin-directory",
                             f"{WORK}/plugins", "--file", f"{WORK}/{self.host.write(text, 'request.json')}", command,
                             f"/run/netns/{name}", code=code)
        return json.loads(done.out) if done.out else None


def real(host):
    host.netns("db", "web")
    declare(host, document({"lan": lan(ip_range="172.16.86.0/25")}, {"my-db": {"podman": "db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}}))
    netavark = Netavark(host)
    for name, address in (("db", "172.16.86.20/24"), ("web", "172.16.86.2/24")):
        status = netavark.run("setup", name)
        same((status["lan"]["interfaces"]["eth0"]["subnets"], host.addresses(name, "eth0")),
             ([{"ipnet": address, "gateway": "172.16.86.1"}], {address}), name)
    for name in ("db", "web"):
        netavark.run("teardown", name)
        same(host.names(name), set(), f"{name} after teardown")
    failed = netavark.run("setup", "web", static_ips=["172.16.86.20"], code=1)
    assert "the requested address 172.16.86.20" in failed["error"] and "[MV1308]" in failed["error"], failed
    same(host.names("host"), {"eth0"}, "links of the host")


if "NETAVARK" in os.environ:
    test("netavark: the real one sets up and tears down, and shows an error word for word")(real)


@test("netavark: teardown in another container's namespace, and interface names that the kernel changes")
def reused(host):
    host.netns("a", "b", "web")
    declare(host, document({"lan": lan(ip_range="172.16.86.0/25")},
                           {name: {"podman": name, "networks": ["lan"]} for name in ("a", "b")}))
    plugin = Plugin(host)
    for name in ("a", "b", "web"):
        plugin.setup(name)
    for request in ("a", "unknown"):
        for name in ("b", "web"):
            plugin.call("teardown", f"/run/netns/{name}", stdin=plugin.request(request))
            same(host.names(name), {"eth0"}, f"the link of {name} after the teardown of {request}")
    plugin.call("teardown", "/proc/self/ns/net", stdin=plugin.request("a"))
    for name in ("a", "b", "web"):
        plugin.teardown(name)
        same(host.names(name), set(), "after its own teardown")
    for name in ("eth%d", "all", "a b"):
        assert "error" in plugin.setup("a", code=1, interface_name=name), name
        plugin.teardown("a", interface_name=name)
    for options in ({"static_ips": ["nonsense"]}, {"static_mac": "nonsense"}):
        assert "error" in plugin.setup("a", code=1, **options), options
        plugin.teardown("a", **options)
    same(host.names("a"), set(), "after the failures, whose teardown is no failure")


class Podman(engines.NetworkPodman):
    """Podman whose network `lan` has mvapply as its driver."""

    def __init__(self, host):
        super().__init__(host)
        self.plugins = Netavark(host)

    def configuration(self):
        return super().configuration() + (f'network_backend="netavark"\n'
                                          f'netavark_plugin_dirs=["{WORK}/plugins"]\n')

    def load(self, name="localhost/box"):
        super().load(name)
        self.call("POST", "/v5.0.0/libpod/networks/create", {
            "name": "lan", "driver": "mvapply", "options": {"files": FILE}})


def under_podman(host):
    declare(host, document({"lan": lan(ip_range="172.16.86.0/25")}, {"my-db": {"podman": "db", "networks": {
        "lan": {"ipv4_address": "172.16.86.20"}}}}))
    before = host.snapshot("host")
    with engines.running(host, "podman", Podman) as engine:
        for name, address in (("db", "172.16.86.20/24"), ("web", "172.16.86.2/24")):
            engine.run(name)
            text = engine.log(name)
            assert address in text and "default via 172.16.86.1" in text, text
        seen = engine.call("GET", "/v5.0.0/libpod/containers/db/json")["NetworkSettings"]["Networks"]["lan"]
        same((seen["IPAddress"], seen["Gateway"]), ("172.16.86.20", "172.16.86.1"), "what Podman knows")
        with engine.space("db") as space:
            index = host.link(space, "eth0")["ifindex"]
            with watching(host, "-f", FILE, env=engine.env) as service:
                service.quiet()
                same(host.link(space, "eth0")["ifindex"], index, "the link under watch")
        engine.restart("db")
        assert engine.log("db", 2).count("172.16.86.20/24") == 2
        names = [f"c{number}" for number in range(8)]
        for name in names:
            engine.create(name)
        engines.start_during_applies(host, engine.start, names, FILE, 5, env=engine.env)
        addresses = {word for name in names for word in engine.log(name).split()
                     if word.startswith("172.16.86.") and word.endswith("/24") and word != "172.16.86.0/24"}
        same(addresses, {f"172.16.86.{number}/24" for number in range(3, 11)}, "eight at once")
        engine.remove_all()
        same(host.snapshot("host"), before, "the host afterwards")


if "PODMAN_PLUGINS" in os.environ:
    test("netavark: Podman starts declared containers and guests on a network with the driver mvapply",
         seconds=120)(under_podman)
