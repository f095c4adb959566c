"""The CNI plugin against the specification: a runtime that does what libcni does (AddNetworkList,
CheckNetworkList, DelNetworkList, GCNetworkList), beside the plugins of the CNI project."""
import json
import os
import re

from declare import document, lan
from host import WORK, same
from registry import test

FILE = f"{WORK}/cni.yaml"
OURS, THEIRS = "/run/plugins", "/usr/lib/cni"
VERSIONS = ("0.3.1", "0.4.0", "1.0.0", "1.1.0")
WITH_OTHERS = VERSIONS[:3]  # those that the installed plugins of the CNI project support

IP = r"[0-9a-f.:]+"
CIDR = rf"{IP}/\d+"
# The keys of a result, as section 5 of each version of the specification lists them: a pattern for text, a
# type for others; "?" marks what may be absent.
INTERFACE = {"name": r"\S{1,15}", "mac?": r"(..:){5}..", "sandbox?": r"/.*|"}
ADDRESS = {"address": CIDR, "gateway?": IP, "interface?": int}
ROUTE = {"dst": CIDR, "gw?": IP}
DNS = {"nameservers?": list, "domain?": r".*", "search?": list, "options?": list}
ITEMS = {
    "0.3.1": (INTERFACE, {**ADDRESS, "version": "[46]"}, ROUTE),
    "0.4.0": (INTERFACE, {**ADDRESS, "version": "[46]"}, ROUTE),
    "1.0.0": (INTERFACE, ADDRESS, ROUTE),
    "1.1.0": ({**INTERFACE, "mtu?": int, "socketPath?": "/.*", "pciID?": ".*"}, ADDRESS,
              {**ROUTE, "mtu?": int, "advmss?": int, "priority?": int, "table?": int, "scope?": int}),
}


class Failed(AssertionError):
    """A plugin's error, as section 5 of the specification describes it."""

    def __init__(self, plugin, error):
        super().__init__(f"{plugin}: {error}")
        self.plugin, self.error = plugin, error


def fits(value, keys, what):
    """The object has the keys, and no others."""
    assert isinstance(value, dict), f"{what} is {value!r}"
    known = {key.rstrip("?") for key in keys}
    assert set(value) <= known, f"{what} has {set(value) - known}: {value}"
    for key, kind in keys.items():
        if key.rstrip("?") not in value:
            assert key.endswith("?"), f"{what} lacks {key}: {value}"
        elif isinstance(kind, str):
            assert re.fullmatch(kind, value[key.rstrip("?")]), f"{key} of {what}: {value}"
        else:
            assert type(value[key.rstrip("?")]) is kind, f"{key} of {what}: {value}"


def valid_result(result, version):
    same(set(result) - {"cniVersion", "interfaces", "ips", "routes", "dns"}, set(), "other keys of a result")
    same(result["cniVersion"], version, "the version of a result")
    for key, keys in zip(("interfaces", "ips", "routes"), ITEMS[version]):
        for item in result.get(key, []):
            fits(item, keys, f"{key} of {version}")
    fits(result.get("dns", {}), DNS, "dns")
    for item in result.get("ips", []):
        if "interface" in item:
            assert 0 <= item["interface"] < len(result["interfaces"]), result


def valid_error(error, version):
    fits(error, {"cniVersion": re.escape(version), "code": int, "msg": ".+", "details?": ".+"}, "an error")
    assert 0 < error["code"] < 100 and error["code"] in (1, 2, 3, 4, 5, 6, 7, 11, 50, 51) or error["code"] >= 100, error


class Runtime:
    """One network configuration list, and what a runtime remembers of it."""

    def __init__(self, host, version, *plugins, name="lan"):
        self.host, self.version, self.name = host, version, name
        self.plugins = plugins or ({"type": "mvapply", "files": FILE},)
        self.results = {}
        os.makedirs(OURS, exist_ok=True)
        if not os.path.lexists(f"{OURS}/mvapply"):
            os.symlink(host.binary, f"{OURS}/mvapply")

    def _exec(self, command, plugin, env, **keys):
        path = next(path for path in (f"{OURS}/{plugin['type']}", f"{THEIRS}/{plugin['type']}") if os.path.exists(path))
        configuration = {key: value for key, value in plugin.items() if key != "capabilities"}
        done = self.host.run(path, env={"CNI_COMMAND": command, "CNI_PATH": f"{OURS}:{THEIRS}", **env},
                             stdin=json.dumps({**configuration, "name": self.name, "cniVersion": self.version,
                                               **keys}).encode())
        if done.code:
            valid_error(done.json, self.version)
            raise Failed(plugin["type"], done.json)
        if command == "ADD":
            valid_result(done.json, self.version)
            return done.json
        same((done.out, done.err), ("", ""), f"the output of {command} of {plugin['type']}")
        return None

    def _attachment(self, command, container, ifname, plugins, request=None, args="", netns=None, previous=None):
        """The call for each plugin in turn; `request` has what capabilities ask for."""
        env = {"CNI_CONTAINERID": f"id-of-{container}", "CNI_IFNAME": ifname, "CNI_ARGS": args,
               "CNI_NETNS": f"/run/netns/{container}" if netns is None else netns}
        for plugin in plugins:
            keys = {"prevResult": previous} if previous else {}
            config = {key: value for key, value in (request or {}).items() if plugin.get("capabilities", {}).get(key)}
            if config:
                keys["runtimeConfig"] = config
            result = self._exec(command, plugin, env, **keys)
            if command == "ADD":
                previous = result
        return previous

    def add(self, container, ifname="eth0", **options):
        result = self._attachment("ADD", container, ifname, self.plugins, **options)
        self.results[container, ifname] = result
        return result

    def check(self, container, ifname="eth0", **options):
        self._attachment("CHECK", container, ifname, self.plugins, previous=self.results[container, ifname], **options)

    def delete(self, container, ifname="eth0", **options):
        previous = None if self.version < "0.4.0" else self.results.get((container, ifname))
        self._attachment("DEL", container, ifname, self.plugins[::-1], previous=previous, **options)
        self.results.pop((container, ifname), None)

    def collect(self):
        """GC: what the runtime remembers is valid."""
        valid = [{"containerID": f"id-of-{container}", "ifname": ifname} for container, ifname in self.results]
        for plugin in self.plugins:
            self._exec("GC", plugin, {}, **{"cni.dev/valid-attachments": valid, "cni.dev/attachments": valid})

    def status(self):
        for plugin in self.plugins:
            self._exec("STATUS", plugin, {})


def refused(action, *arguments, **options):
    """The error of the plugin that refuses."""
    try:
        action(*arguments, **options)
    except Failed as failed:
        return failed
    raise AssertionError("no plugin refused")


def declare(host, *containers, **keys):
    host.write(document({"lan": lan(ip_range="172.16.86.0/25", **keys)}, dict(containers)), "cni.yaml")


@test("cni conformance: ADD, ADD again, CHECK, DEL and DEL again in each version")
def sequences(host):
    host.netns("web")
    declare(host)
    before = host.snapshot("host", "web")
    for version in VERSIONS:
        runtime = Runtime(host, version)
        result = runtime.add("web")
        link = host.link("web", "eth0")
        same((result["interfaces"][0]["mac"], {item["address"] for item in result["ips"]}),
             (link["address"], host.addresses("web", "eth0")), f"a result of {version}")
        if version >= "0.4.0":
            runtime.check("web")
        same(refused(Runtime(host, version).add, "web").error["code"], 1305, f"a second ADD of {version}")
        same(host.link("web", "eth0")["ifindex"], link["ifindex"], "the link after the second ADD")
        runtime.delete("web")
        same(host.snapshot("host", "web"), before, f"after DEL of {version}")
        if version >= "0.4.0":
            runtime.results["web", "eth0"] = result
            same(refused(runtime.check, "web").error["code"], 1306, "CHECK after DEL")
        runtime.delete("web")
        runtime.delete("web", netns="")
        runtime.delete("web", netns="/run/netns/gone")
    same(host.snapshot("host", "web"), before, "after all")


@test("cni conformance: VERSION answers in the version of its input")
def versions(host):
    for version in VERSIONS:
        for text in (b"", json.dumps({"cniVersion": version}).encode()):
            answer = host.run(host.binary, "cni", env={"CNI_COMMAND": "VERSION"}, stdin=text, code=0).json
            same(answer, {"cniVersion": version if text else "1.1.0", "supportedVersions": list(VERSIONS)}, text)


@test("cni conformance: a list with tuning")
def tuning(host):
    host.netns("web")
    declare(host)
    before = host.snapshot("host", "web")
    mac, request = "02:00:00:00:00:77", {"ips": ["172.16.86.9/24"], "mac": "02:00:00:00:00:77"}
    for version in WITH_OTHERS:
        runtime = Runtime(host, version, {"type": "mvapply", "files": FILE, "capabilities": {"ips": True, "mac": True}},
                          {"type": "tuning", "mtu": 1400, "sysctl": {"net.ipv4.conf.eth0.forwarding": "1"}})
        result = runtime.add("web", request=request)
        link = host.link("web", "eth0")
        same((link["mtu"], link["address"], host.addresses("web", "eth0"), host.sysctl("web", "net/ipv4/conf/eth0/forwarding")),
             (1400, mac, {"172.16.86.9/24"}, "1"), f"the link in {version}")
        same([item["address"] for item in result["ips"]], ["172.16.86.9/24"], "the result")
        if version >= "0.4.0":
            runtime.check("web", request=request)
            host.batch("web", ["address flush dev eth0 scope global"])
            same(refused(runtime.check, "web").plugin, "mvapply", "who refuses CHECK")
        runtime.delete("web")
        same(host.names("web"), set(), "after DEL")
    same(host.snapshot("host", "web"), before, "after all")


BRIDGE = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipam": {
    "type": "host-local", "dataDir": "/run/ipam", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}


@test("cni conformance: a second network in addition to a bridge, as under Multus", needs=["bridge"])
def beside(host):
    host.netns("web")
    declare(host, gateway=None)
    for version in WITH_OTHERS:
        first, second = Runtime(host, version, BRIDGE, name="pods"), Runtime(host, version)
        first.add("web")
        links = host.names("host")
        second.add("web", "net1")
        same((host.names("web"), host.addresses("web", "net1")), ({"eth0", "net1"}, {"172.16.86.1/24"}), "the links")
        for runtime, ifname in ((first, "eth0"), (second, "net1")) if version >= "0.4.0" else ():
            runtime.check("web", ifname)
        second.delete("web", "net1")
        same((host.names("web"), host.names("host")), ({"eth0"}, links), "after DEL of the second network")
        first.delete("web")
        same(host.names("web"), set(), "after DEL of both")


@test("cni conformance: in one list with a bridge, which has the interface", needs=["bridge"])
def same_name(host):
    host.netns("web")
    declare(host)
    runtime = Runtime(host, "1.0.0", BRIDGE, {"type": "mvapply", "files": FILE})
    failed = refused(runtime.add, "web")
    same((failed.plugin, failed.error["code"]), ("mvapply", 1305), "who refuses")
    index = host.link("web", "eth0")["ifindex"]
    Runtime(host, "1.0.0").delete("web")
    same(host.link("web", "eth0")["ifindex"], index, "the bridge's link after mvapply's DEL")
    runtime.delete("web")
    same(host.names("web"), set(), "after DEL of the list")


RANGES = {"type": "host-local", "dataDir": "/run/ipam", "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[
    {"subnet": "172.16.86.0/24", "rangeStart": "172.16.86.20", "rangeEnd": "172.16.86.21", "gateway": "172.16.86.1"},
    {"subnet": "172.16.86.0/24", "rangeStart": "172.16.86.30", "rangeEnd": "172.16.86.31", "gateway": "172.16.86.1"}]]}


def attached(host, runtime, names):
    """The kernel's state of each container after ADD of all of them in turn."""
    for name in names:
        runtime.add(name)
    found = [(host.addresses(name, "eth0"), host.routes(name)) for name in names]
    for name in names:
        runtime.delete(name)
    return found


@test("cni conformance: several ranges of one subnet, as host-local has them, and imported")
def several_ranges(host):
    names = ("a", "b", "c", "d")
    host.netns(*names, "more")
    theirs = {"type": "macvlan", "master": "eth0", "mode": "bridge", "ipam": RANGES}
    configuration = host.write(json.dumps({"cniVersion": "1.0.0", "name": "lan", **theirs}), "lan.conf")
    done = host.mvapply("import", "cni", configuration)
    assert "ip_range: [172.16.86.20/31, 172.16.86.30/31]" in done.out, done.out
    with open(FILE, "w", encoding="utf-8") as file:
        file.write(done.out)
    expected = attached(host, Runtime(host, "1.0.0", theirs), names)
    same([addresses for addresses, _ in expected], [{f"172.16.86.{last}/24"} for last in (20, 21, 30, 31)],
         "what host-local chooses")
    ours = Runtime(host, "1.0.0")
    same(attached(host, ours, names), expected, "addresses and routes")
    for name in names:
        ours.add(name)
    same((refused(ours.add, "more").plugin, host.names("more")), ("mvapply", set()), "a fifth container")


@test("cni conformance: GC and STATUS")
def collect(host):
    host.netns("a", "b")
    declare(host)
    runtime = Runtime(host, "1.1.0")
    runtime.status()
    for name in ("a", "b"):
        runtime.add(name)
    runtime.collect()
    same([host.names(name) for name in ("a", "b")], [{"eth0"}, {"eth0"}], "all are valid")
    del runtime.results["b", "eth0"]
    runtime.collect()
    same([host.names(name) for name in ("a", "b")], [{"eth0"}, set()], "one is not")
    runtime.add("b")
    runtime.status()
    os.unlink(FILE)
    same(refused(runtime.status).error["code"], 50, "without a file")
    runtime.delete("a")
    runtime.results.clear()
    runtime.collect()
    same([host.names(name) for name in ("a", "b")], [set(), set()], "DEL and GC need no file")


def seen(host, ns):
    """What the plugins have to agree about: all but the names and numbers that are one's own."""
    link = host.link(ns, "eth0")
    addresses = [{key: value for key, value in item.items() if key != "protocol"}
                 for item in link["addr_info"] if item["scope"] != "link"]
    return {"kind": link["linkinfo"]["info_kind"], "mode": link["linkinfo"]["info_data"]["mode"], "mtu": link["mtu"],
            "flags": sorted(link["flags"]), "MAC": int(link["address"].split(":")[0], 16) & 3, "group": link["group"],
            "addresses": addresses, "routes": host.routes(ns)}


@test("cni conformance: the kernel has the same state as with the CNI project's macvlan plugin")
def compared(host):
    host.netns("ours", "theirs")
    for version in WITH_OTHERS:
        for mtu in (None, 1400):
            declare(host, **({"mtu": mtu} if mtu else {}))
            ours = Runtime(host, version, {"type": "mvapply", "files": FILE, "capabilities": {"ips": True}})
            theirs = Runtime(host, version, {
                "type": "macvlan", "master": "eth0", "mode": "bridge", **({"mtu": mtu} if mtu else {}), "ipam": {
                    "type": "static", "addresses": [{"address": "172.16.86.9/24", "gateway": "172.16.86.1"}],
                    "routes": [{"dst": "0.0.0.0/0"}]}})
            results = [theirs.add("theirs")]
            state = seen(host, "theirs")
            theirs.delete("theirs")
            results.append(ours.add("ours", request={"ips": ["172.16.86.9"]}))
            same(seen(host, "ours"), state, f"the state of ours, beside macvlan's, in {version}")
            same(results[1]["ips"], results[0]["ips"], "the addresses of the results")
            same({route["dst"] for route in results[1]["routes"]}, {route["dst"] for route in results[0]["routes"]},
                 "the routes of the results")
            ours.delete("ours")
