"""`import`: Docker's networks from a real engine, Compose files and CNI configurations, and their state on a
real kernel. The inputs have the shape of the examples that each project publishes."""
import json
import os

import yaml

from declare import document
from engines import running
from host import same
from registry import test


def imported(host, kind, *files, code=0, **options):
    """The declaration, parsed by another program, its text, and the messages."""
    done = host.mvapply("import", kind, *files, code=code, **options)
    return yaml.safe_load(done.out), done.out, done.err


def valid(host, text):
    host.mvapply("validate", "-f", host.write(text, "imported.yaml"))


def cni(host, *confs):
    files = [host.write(json.dumps(conf), f"conf{number}.json")
             for number, conf in enumerate(confs)]
    return imported(host, "cni", *files)


# --- CNI

MACVLAN = {"cniVersion": "1.0.0", "name": "mynet", "type": "macvlan", "master": "eth0",
           "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                    "routes": [{"dst": "0.0.0.0/0"}]}}
IPVLAN = {"cniVersion": "1.0.0", "name": "ipv", "type": "ipvlan", "master": "eth1", "mode": "l3",
          "mtu": 1400, "ipam": {"type": "host-local", "ranges": [
              [{"subnet": "10.3.0.0/16", "rangeStart": "10.3.16.0", "rangeEnd": "10.3.31.255",
                "gateway": "10.3.0.254"}], [{"subnet": "3ffe:ffff:0:1ff::/64"}]],
                   "routes": [{"dst": "::/0", "gw": "3ffe:ffff:0:1ff::1"},
                              {"dst": "192.168.0.0/16", "gw": "10.3.5.1"}]}}
VLAN = {"cniVersion": "1.0.0", "name": "vl", "type": "vlan", "master": "eth0", "vlanId": 5,
        "linkInContainer": False,
        "ipam": {"type": "static", "addresses": [
            {"address": "10.10.0.1/24", "gateway": "10.10.0.254"},
            {"address": "3ffe:ffff:0:1ff::1/64"}],
                 "routes": [{"dst": "0.0.0.0/0"}, {"dst": "192.168.0.0/16", "gw": "10.10.0.5"}],
                 "dns": {"nameservers": ["10.10.0.53"]}}}
CHAIN = {"cniVersion": "1.0.0", "name": "chain", "plugins": [
    {"type": "macvlan", "master": "eth0", "mode": "private", "bcqueuelen": 50,
     "ipam": {"type": "host-local", "subnet": "10.4.0.0/24", "rangeStart": "10.4.0.20",
              "rangeEnd": "10.4.0.50", "gateway": "10.4.0.1"}},
    {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
    {"type": "bandwidth", "ingressRate": 123}]}


@test("import cni: invalid JSON is quoted without terminal control sequences")
def cni_escape(host):
    done = host.mvapply("import", "cni", host.write('{"a": \x1bc', "bad.conf"), code=3)
    assert "bad.conf:1:7: invalid token near '?'" in done.err, repr(done.err)


@test("import cni: macvlan, ipvlan, VLAN, host-local, static, conf and conflist")
def cni_networks(host):
    declared, text, err = cni(host, MACVLAN, IPVLAN, VLAN, CHAIN)
    same(err, "", "nothing needs an edit")
    valid(host, text)
    same(declared["networks"], {
        "mynet": {"parent": "eth0", "subnet": "10.1.2.0/24", "gateway": "10.1.2.1"},
        "ipv": {"driver": "ipvlan", "parent": "eth1", "mode": "l3", "mtu": 1400, "subnets": [
            {"subnet": "10.3.0.0/16", "ip_range": "10.3.16.0/20"},
            {"subnet": "3ffe:ffff:0:1ff::/64", "gateway": "3ffe:ffff:0:1ff::1"}],
                "routes": [{"to": "192.168.0.0/16", "via": "10.3.5.1"}]},
        "vl": {"parent": "eth0", "vlan": 5, "subnets": [
            {"subnet": "10.10.0.0/24", "gateway": "10.10.0.254"},
            {"subnet": "3ffe:ffff:0:1ff::/64"}],
               "routes": [{"to": "192.168.0.0/16", "via": "10.10.0.5"}]},
        "chain": {"parent": "eth0", "mode": "private", "bcqueuelen": 50, "subnet": "10.4.0.0/24",
                  "ip_range": "10.4.0.20-10.4.0.50"}}, "networks")
    same(declared["containers"], {"vl": {"networks": {"vl": {
        "ipv4_address": "10.10.0.1", "ipv6_address": "3ffe:ffff:0:1ff::1"}}}}, "containers")
    for left in ("the gateway 10.4.0.1 is not converted",
                 "the gateway 10.3.0.254 is not", "the sysctl net.ipv4.conf.IFNAME.arp_filter belongs",
                 '"bandwidth"', "nameservers", "CNI puts the VLAN's link itself",
                 "which container has this address"):
        assert left in " ".join(text.replace("#", " ").split()), f"no {left!r} in\n{text}"


@test("import cni: the simplest form leaves nothing unconverted, and dhcp stays dhcp")
def cni_plain(host):
    plain = {"name": "plain", "type": "ipvlan", "master": "eth1", "linkInContainer": False,
             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}}
    asked = {"name": "asked", "type": "macvlan", "master": "eth0",
             "ipam": {"type": "dhcp", "daemonSocketPath": "/run/x.sock"}}
    lost = {"name": "lost", "type": "macvlan", "master": "eth0", "ipam": {
        "type": "host-local", "ranges": [[{"rangeStart": "10.9.0.9"}], [{"subnet": "10.8.0.0/24"}]]}}
    declared, text, err = cni(host, plain, asked, lost)
    same(err, "", "nothing needs an edit")
    valid(host, text)
    same(declared["networks"], {
        "plain": {"driver": "ipvlan", "parent": "eth1", "subnet": "10.1.2.0/24",
                  "aux_addresses": {"gateway": "10.1.2.1"}},
        "asked": {"parent": "eth0", "dhcp": True},
        "lost": {"parent": "eth0", "subnet": "10.8.0.0/24",
                 "aux_addresses": {"gateway": "10.8.0.1"}}}, "networks")
    same([line.strip() for line in text.splitlines()[1:] if "#" in line],
         ['# daemonSocketPath: "/run/x.sock" is not converted',
          '# a range: {"rangeStart":"10.9.0.9"} is not converted'], "comments")


@test("import cni: invalid values, and plugins of another kind")
def cni_left(host):
    strange = {"name": "odd", "type": "macvlan", "mode": "source", "mtu": "big", "vlanId": 3,
               "ipam": {"type": "host-local", "subnet": "10.5.0.0/33"}}
    others = [{"name": "b", "type": "bridge"}, {"name": "d", "type": "macvlan", "master": "eth0",
                                                "ipam": {"type": "dhcp"}}]
    declared, text, err = cni(host, strange, *others)
    same(set(declared["networks"]), {"odd", "d"}, "networks")
    for left in ('macvlan has no mode source', 'mtu: "big"', 'subnet: "10.5.0.0/33"', "no master is set",
                 "plugin bridge", "the configuration has no subnet"):
        assert left in text, f"no {left!r} in\n{text}"
    assert "needs an edit" in err and "networks.odd" in err, err


@test("import cni: the imported configuration creates what CNI creates")
def cni_applied(host):
    host.netns("web")
    conf = {**MACVLAN, "ipam": {**MACVLAN["ipam"], "subnet": "172.16.86.0/24"}}
    declared, _, _ = cni(host, conf)
    declared["containers"] = {"web": {"networks": ["mynet"]}}
    host.apply(json.dumps(declared))
    same((host.addresses("web", "eth0"), host.routes("web")),
         ({"172.16.86.2/24"}, {"default via 172.16.86.1 dev eth0",
                               "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}), "web")


# --- Compose

COMPOSE = """
services:
  web:
    image: example/web
    networks:
      lan:
        ipv4_address: 172.16.86.20
        ipv6_address: fd00:86::20
        interface_name: lan0
        gw_priority: 1
        aliases: [www]
        driver_opts:
          com.docker.network.endpoint.sysctls: net.ipv4.conf.IFNAME.rp_filter=2
      back:
  db:
    container_name: the-db
    mac_address: 02:42:ac:10:56:99
    networks: [lan]
  worker:
    deploy: {replicas: 3}
    networks: [fast]
  side: {image: example/side}
  tool: {network_mode: host}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: eth0, macvlan_mode: bridge, foo: bar}
    enable_ipv6: true
    labels: [a=b]
    ipam:
      driver: default
      config:
        - subnet: 172.16.86.0/24
          gateway: 172.16.86.1
          ip_range: 172.16.86.128/25
          aux_addresses: {nas: 172.16.86.130}
        - subnet: fd00:86::/64
          gateway: fd00:86::1
      options: {x: y}
  fast:
    driver: ipvlan
    driver_opts: {parent: eth0.10, ipvlan_mode: l2, ipvlan_flag: private}
    ipam: {config: [{subnet: 10.8.0.0/16}]}
  back:
  old: {external: true}
  island: {driver: macvlan, internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}}
"""


@test("import compose: networks and services, and a comment for all else")
def compose_whole(host):
    os.mkdir("My.Shop")
    declared, text, err = imported(host, "compose", host.write(COMPOSE, "My.Shop/compose.yaml"))
    same(err, "", "nothing needs an edit")
    valid(host, text)
    same(declared, {
        "name": "myshop",
        "networks": {
            "lan": {"parent": "eth0", "subnets": [
                {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
                 "ip_range": "172.16.86.128/25", "aux_addresses": {"nas": "172.16.86.130"}},
                {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]},
            "fast": {"driver": "ipvlan", "parent": "eth0.10", "ipvlan_flag": "private", "subnet": "10.8.0.0/16"},
            "island": {"internal": True, "subnet": "10.9.0.0/24"}},
        "containers": {
            "web": {"docker": "myshop/web", "networks": {"lan": {
                "ipv4_address": "172.16.86.20", "ipv6_address": "fd00:86::20",
                "interface_name": "lan0", "gw_priority": 1,
                "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}}},
            "db": {"docker": "the-db", "networks": {"lan": {"mac_address": "02:42:ac:10:56:99"}}},
            "worker": {"docker": "myshop/worker", "networks": {"fast": {}}}}}, "the declaration")
    notes = {(note["at"], note["text"]) for note in host.mvapply(
        "import", "compose", "My.Shop/compose.yaml", "-o", "json").json["notes"]}
    for at, words in (("networks.lan", "foo: \"bar\""), ("networks.lan", "options: {\"x\":\"y\"}"),
                      ("networks.fast", "Docker before 29 uses 10.8.0.1"),
                      ("networks", "back: its driver bridge"), ("networks", "old is external"),
                      ("containers", "network_mode: none"),
                      ("containers.web.networks.lan", "aliases"),
                      ("containers.web.networks", "back is left"),
                      ("containers.worker", "3 containers"), ("containers", "side: it is on none"),
                      ("containers", "tool: its network_mode host")):
        assert any(place == at and words in said for place, said in notes), (at, words, notes)


@test("import compose: standard input, and invalid files")
def compose_bad(host):
    text = "name: lab\nservices: {}\nnetworks: {lan: {driver: macvlan}}\n"
    declared, _, err = imported(host, "compose", "-", stdin=text.encode())
    same(declared, {"name": "lab", "networks": {"lan": {}}}, "from a pipe")
    assert "networks.lan has no subnet" in err, err
    for bad, words in (("networks: [", ":1:"), ("[a, b]", "not a map"), ("a: *x\n", "no anchor"),
                       ("a: 1\na: 2\n", "duplicate")):
        done = host.mvapply("import", "compose", host.write(bad, "bad.yaml"), code=None)
        assert done.code == 3 and words in done.err and not done.out, done
    for arguments in ([], ["compose"], ["docker", "a"], ["swarm"]):
        assert "hint" in host.mvapply("import", *arguments, code=3).err, arguments
    done = host.mvapply("import", "cni", host.write("{", "bad.json"), code=3)
    assert "bad.json:1:" in done.err, done
    host.mvapply("import", "compose", "missing.yaml", code=3)


LABELS = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}


@test("docker: import compose, and the services get the values of the file", seconds=240)
def compose_applied(host):
    with running(host, "docker") as engine:
        engine.run("shop-web-1", labels=LABELS)
        os.mkdir("shop")
        file = host.write("""
services: {web: {networks: {lan: {ipv4_address: 172.16.86.20}}}}
networks:
  lan:
    driver: macvlan
    driver_opts: {parent: eth0}
    ipam: {config: [{subnet: 172.16.86.0/24, gateway: 172.16.86.1}]}
""", "shop/compose.yaml")
        _, text, _ = imported(host, "compose", file)
        host.apply(text, env=engine.env)
        with engine.space("shop-web-1") as space:
            same((host.addresses(space, "eth0"), host.routes(space)),
                 ({"172.16.86.20/24"}, {"default via 172.16.86.1 dev eth0",
                                        "172.16.86.0/24 dev eth0 scope link src 172.16.86.20"}),
                 "the service")
        host.delete(text, env=engine.env)


# --- Docker

@test("docker: import docker, then the same containers on the same addresses without its driver",
      seconds=240)
def docker_networks(host):
    host.batch("host", ["link add eth1 type veth peer name up1", "link set dev eth1 up"])
    with running(host, "docker") as engine:
        engine.call("POST", "/networks/create", {
            "Name": "lan", "Driver": "macvlan", "Options": {"parent": "eth0"},
            "IPAM": {"Config": [{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.1",
                                 "IPRange": "172.16.86.128/25",
                                 "AuxiliaryAddresses": {"nas": "172.16.86.129"}}]}})
        engine.call("POST", "/networks/create", {
            "Name": "spare", "Driver": "macvlan", "Internal": True,
            "Options": {"parent": "eth1", "macvlan_mode": "private"},
            "IPAM": {"Config": [{"Subnet": "10.20.0.0/24"}]}})
        engine.create("web", network="lan")
        engine.create("db", network="lan")
        engine.run("other")
        engine.start("web")
        inspected = engine.call("GET", "/containers/web/json")
        endpoint = inspected["NetworkSettings"]["Networks"]["lan"]
        declared, text, err = imported(host, "docker", env=engine.env)
        same(err, "", "nothing needs an edit")
        valid(host, text)
        same(declared["networks"], {
            "lan": {"parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
                    "ip_range": "172.16.86.128/25", "aux_addresses": {"nas": "172.16.86.129"}},
            "spare": {"parent": "eth1", "mode": "private", "internal": True, "subnet": "10.20.0.0/24"}}, "networks")
        same(set(declared["containers"]), {"web", "db"}, "containers")
        same(declared["containers"]["web"]["docker"], "web", "the source")
        same(declared["containers"]["web"]["networks"]["lan"]["ipv4_address"],
             endpoint["IPAddress"], "the address")
        assert "--network none" in text, text
        for name in ("web", "db"):
            engine.remove(name)
            engine.run(name)
        lasting = document({"lan": declared["networks"]["lan"]}, declared["containers"])
        host.apply(lasting, env=engine.env)
        with engine.space("web") as space:
            same(host.addresses(space, "eth0"), {f"{endpoint['IPAddress']}/24"}, "as before")
            same(host.link(space, "eth0")["address"], endpoint["MacAddress"], "MAC as before")
        host.delete(lasting, env=engine.env)


@test("import docker: a clear error if it cannot be reached")
def docker_missing(host):
    done = host.mvapply("import", "docker", code=1,
                        env={"DOCKER_HOST": "unix:///run/work/nothing.sock"})
    assert "docker cannot be reached" in done.err and done.out == "", done


# --- words that would be lines

BREAKS = ["\n", "\r", "\x85", "\u2028", "\u2029", "\x0b", "\0", "\ufeff", "\u202e", "\x1b[2J"]


def hostile(line_end):
    return f"x{line_end}containers:{line_end}  evil: {{pid: 1, networks: [x]}}{line_end}#"


def in_every_place(value, words):
    """The value with the words in one place after the other: each text, and each key."""
    if isinstance(value, str):
        yield words
        yield value + words
    elif isinstance(value, list):
        for number, item in enumerate(value):
            for changed in in_every_place(item, words):
                yield value[:number] + [changed] + value[number + 1:]
    elif isinstance(value, dict):
        for key, item in value.items():
            yield {**{k: v for k, v in value.items() if k != key}, words: item}
            yield {**value, words: item}
            for changed in in_every_place(item, words):
                yield {**value, key: changed}


def adds_nothing(host, kind, name):
    """The import has no container for evil in its place, as two readers of YAML parse it, and
    neither has a file that is reported as valid."""
    done = host.run(host.binary, "import", kind, name)
    assert done.code in (0, 1, 3), done
    assert not any(character in done.out for character in "\x85\u2028\u2029\ufeff\u202e\x1b\r"), done
    read = yaml.safe_load(done.out) or {}
    assert "evil" not in (read.get("containers") or {}), done
    for line in done.out.splitlines():
        assert not line.lstrip().startswith("evil"), done


@test("import: libyaml's line breaks add nothing to a file", seconds=120)
def line_breaks(host):
    compose = {"services": {"web": {"image": "i", "networks": {"n": {"ipv4_address": "10.0.0.5"}}}},
               "networks": {"n": {"driver": "macvlan", "driver_opts": {"parent": "eth0"},
                                  "ipam": {"config": [{"subnet": "10.0.0.0/24"}]}}}}
    for number, line_end in enumerate(BREAKS):
        words = hostile(line_end)
        cases = [("cni", changed) for conf in (MACVLAN, CHAIN) for changed in in_every_place(conf, words)]
        cases += [("compose", changed) for changed in in_every_place(compose, words)]
        for kind, changed in cases[number % 3::3]:
            adds_nothing(host, kind, host.write(json.dumps(changed), "hostile.json"))
