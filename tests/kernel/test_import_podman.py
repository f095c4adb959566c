"""`import podman`, of a real engine, and `import quadlet`, of Podman's unit files."""
import os

import yaml

import linux
from engines import running
from host import same
from registry import test


def imported(host, *arguments, code=0, **options):
    done = host.mvapply("import", *arguments, code=code, **options)
    return yaml.safe_load(done.out), done


def comments(done):
    return " ".join(done.out.replace("#", " ").split())


def quadlet(host, **files):
    """`lan_network`: the text of lan.network, and so on."""
    os.makedirs("/run/work/quadlet", exist_ok=True)
    for name, text in files.items():
        host.write(text, "quadlet/" + ".".join(name.rsplit("_", 1)))
    return imported(host, "quadlet", "quadlet")


@test("podman: import podman, then the same container on the same address without its network",
      seconds=240)
def podman_networks(host):
    if os.path.isdir("/var/lib/cni"):  # the folder of addresses of an older Podman's plugins
        linux.mount("tmpfs", "/var/lib/cni", "tmpfs")
    with running(host, "podman") as engine:
        engine.call("POST", "/v4.0.0/libpod/networks/create", {
            "name": "lan", "driver": "macvlan", "network_interface": "eth0",
            "options": {"mode": "bridge", "mtu": "1400"},
            "subnets": [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
                         "lease_range": {"start_ip": "172.16.86.65", "end_ip": "172.16.86.127"}}]})
        made = engine.call("POST", "/v4.0.0/libpod/containers/create", {
            "name": "web", "image": "localhost/box:latest", "command": ["sleep", "1000"],
            "netns": {"nsmode": "bridge"},
            "networks": {"lan": {"static_ips": ["172.16.86.70"], "static_mac": "02:00:00:00:00:70"}}})
        assert made["Id"], made
        engine.start("web")
        with engine.space("web") as space:
            theirs = host.addresses(space, "eth0"), host.routes(space), host.link(space, "eth0")["address"]
        declared, done = imported(host, "podman", env=engine.env)
        same(declared["networks"]["lan"], {
            "parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
            "ip_range": "172.16.86.65-172.16.86.127", "mtu": 1400}, f"the network\n{done}")
        same(declared["containers"]["web"]["podman"], "web", "the source")
        host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"))
        engine.remove("web")
        engine.run("web")
        host.apply(done.out, env=engine.env)
        with engine.space("web") as space:
            ours = host.addresses(space, "eth0"), host.routes(space), host.link(space, "eth0")["address"]
        same(({a for a in ours[0] if "fe80" not in a}, ours[2]),
             ({a for a in theirs[0] if "fe80" not in a}, theirs[2]), "as Podman's network made it")
        assert any("default via 172.16.86.1" in route for route in ours[1]), ours
        assert any("default via 172.16.86.1" in route for route in theirs[1]), theirs
        host.delete(done.out, env=engine.env)


@test("podman: import docker on Podman's socket refers to import podman", seconds=120)
def podman_behind_docker(host):
    with running(host, "podman") as engine:
        done = host.mvapply("import", "docker", code=3,
                            env={"DOCKER_HOST": engine.env["CONTAINER_HOST"]})
        assert "mvapply import podman" in done.err and not done.out, done


@test("import quadlet: networks with ranges and gateways, containers with addresses and MACs")
def quadlet_files(host):
    declared, done = quadlet(host, lan_network="""
# the LAN
[Unit]
Description=LAN
[Network]
NetworkName=lan
Driver=macvlan
Options=parent=eth0,mode=private
Options=mtu=1400
Subnet=10.40.0.0/24
Gateway=10.40.0.254
IPRange=10.40.0.64-10.40.0.127
Subnet=fd40::/64
Gateway=fd40::1
DNS=10.0.0.53
""", trunk_network="""
[Network]
Driver=ipvlan
Options=parent=eth0.10
Subnet=10.41.0.0/24
IPRange=10.41.0.128/25
""", web_container="""
[Container]
Image=localhost/box
ContainerName=web
Network=lan.network:ip=10.40.0.70,mac=02:00:00:00:00:70,interface_name=lan0
Network=trunk.network
Network=other
""", db_container="""
[Container]
Image=localhost/box
Network=lan.network
IP=10.40.0.71
IP6=fd40::71
""")
    same(declared["networks"], {
        "lan": {"parent": "eth0", "mode": "private", "mtu": 1400, "subnets": [
            {"subnet": "10.40.0.0/24", "gateway": "10.40.0.254", "ip_range": "10.40.0.64/26"},
            {"subnet": "fd40::/64", "gateway": "fd40::1"}]},
        "systemd-trunk": {"driver": "ipvlan", "parent": "eth0.10", "subnet": "10.41.0.0/24",
                          "gateway": "10.41.0.1", "ip_range": "10.41.0.128/25"}}, f"networks\n{done}")
    same(declared["containers"], {
        "web": {"podman": "web", "networks": {
            "lan": {"ipv4_address": "10.40.0.70", "mac_address": "02:00:00:00:00:70",
                    "interface_name": "lan0"}, "systemd-trunk": {}}},
        "systemd-db": {"podman": "systemd-db", "networks": {
            "lan": {"ipv4_address": "10.40.0.71", "ipv6_address": "fd40::71"}}}}, f"containers\n{done}")
    for left in ("10.0.0.53", "other is left to Podman"):
        assert left in comments(done), done
    host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"))


@test("import quadlet: continued lines, comments, empty assignments, and other endings")
def quadlet_syntax(host):
    declared, done = quadlet(host, lan_network=r"""
[Network]
Subnet=10.9.0.0/24
Subnet=
Driver = macvlan
Options=parent=eth0 \
; a comment between
  mtu=1300
Subnet=10.40.0.0/24
Internal=true
""", web_pod="[Pod]\n", note_txt="nothing")
    same(declared["networks"], {"systemd-lan": {
        "parent": "eth0", "internal": True, "subnet": "10.40.0.0/24", "mtu": 1300}}, done.out)


@test("import quadlet: without a parent the file is to be edited, as with a range outside of the subnet")
def quadlet_refused(host):
    for text, reason in (
            ("[Network]\nDriver=macvlan\nSubnet=10.40.0.0/24\n", "parent"),
            ("[Network]\nDriver=macvlan\nOptions=parent=eth0\n", "subnet"),
            ("[Network]\nDriver=macvlan\nOptions=parent=eth0,mode=source\nSubnet=10.40.0.0/24\n", "mode"),
            ("[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=10.40.0.0/24\n"
             "IPRange=10.40.0.90-10.40.0.20\n", "ip_range")):
        _, done = quadlet(host, lan_network=text)
        assert host.mvapply("validate", "-f", host.write(done.out, "i.yaml"), code=3), done
        assert "edit this: " in comments(done) and reason in comments(done), done


# Each key of a network, with a value that differs from the default.
KNOWN = [("Driver", "ipvlan"), ("Subnet", "fd40::/64"), ("Gateway", "10.40.0.9"), ("IPRange", "10.40.0.64/26"),
         ("Internal", "true"), ("IPv6", "true"), ("IPAMDriver", "dhcp"), ("InterfaceName", "eth1"),
         ("Options", "mtu=1300"), ("Options", "metric=5"), ("Options", "no_default_route=true"),
         ("NetworkName", "other"), ("DNS", "10.0.0.53"), ("DisableDNS", "true"), ("Label", "a=b"),
         ("PodmanArgs", "--opt x=y"), ("GlobalArgs", "--log-level=debug")]


@test("import quadlet: each key of a network is converted, or a comment")
def quadlet_silent(host):
    text = "[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=10.40.0.0/24\n"
    plain = quadlet(host, lan_network=text)[1].out
    for key, value in KNOWN:
        other = quadlet(host, lan_network=f"{text}{key}={value}\n")[1].out
        assert other != plain, f"{key}={value} is silent:\n{other}"


@test("import docker: a network without a parent is to be edited, from files and from the engine")
def docker_parent(host):
    for body in ("driver: macvlan", "driver: macvlan\n    driver_opts: {macvlan_mode: bridge}"):
        _, done = imported(host, "compose", host.write(f"""
services: {{}}
networks:
  lan:
    {body}
    ipam: {{config: [{{subnet: 10.40.0.0/24, gateway: 10.40.0.1}}]}}
""", "compose.yaml"))
        assert host.mvapply("validate", "-f", host.write(done.out, "i.yaml"), code=3), done
        assert "edit this: " in comments(done) and "no parent" in comments(done), done
        assert "internal" not in yaml.safe_load(done.out)["networks"]["lan"], done


@test("import quadlet: pods, arguments and networks of other files are reported")
def quadlet_other_units(host):
    network = "[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=172.16.86.0/24\nOptions=no_default_route=1\n"
    declared, done = quadlet(
        host, lan_network=network,
        web_container="[Container]\nImage=i\nPodmanArgs=--network lan --ip 172.16.86.99\n",
        db_container="[Container]\nImage=i\nPod=shop.pod\n",
        api_container="[Container]\nImage=i\nNetwork=other.network\nIP=172.16.86.7\n",
        two_container="[Container]\nImage=i\nNetwork=lan.network\nNetwork=host\nIP=172.16.86.8\n"
                      "Sysctl=net.ipv4.conf.eth0.rp_filter=2 net.ipv4.ip_forward=1\n",
        shop_pod="[Pod]\nNetwork=lan.network\nIP=172.16.86.50\n",
        k_kube="[Kube]\nYaml=k.yaml\nNetwork=lan.network\n")
    same(set(declared["containers"]), {"systemd-two"}, "containers")
    same(declared["networks"]["systemd-lan"].get("gateway"), None, "the default route")
    for words in ("systemd-web: PodmanArgs=--network lan --ip 172.16.86.99 is not converted",
                  "systemd-db: Pod=shop.pod is not converted", "systemd-shop: Network=lan.network is not converted",
                  "systemd-shop: IP=172.16.86.50", "systemd-k: Network=lan.network",
                  "systemd-api: its network other.network is in none of these files",
                  "systemd-two: IP=172.16.86.8 is not converted", "the sysctl net.ipv4.conf.eth0.rp_filter=2"):
        assert words in comments(done), f"no {words!r} in\n{done}"
    assert "ip_forward" not in done.out, done


@test("import quadlet: an address, range or mode that is invalid is to be edited")
def quadlet_invalid(host):
    network = "[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=172.16.86.0/24\n"
    container = "[Container]\nImage=i\nNetwork=lan.network\n"
    for more, own, words in (("IPRange=some\n", "", "some is not a range"),
                             ("IPRange=172.16.86.x-172.16.86.9\n", "", "172.16.86.x is not an address"),
                             ("Options=mode=Bridge\n", "", "macvlan has no mode Bridge"),
                             ("", "IP=172.16.86.700\n", "172.16.86.700 is not an address of IPv4"),
                             ("", "IP6=zz\n", "zz is not an address of IPv6")):
        _, done = quadlet(host, lan_network=network + more, web_container=container + own)
        assert f"edit this: {words}" in comments(done) and "EDIT-THIS" in done.out, f"no {words!r} in\n{done}"
        host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"), code=3)


@test("import quadlet: a directory of drop-ins is reported")
def quadlet_drop_ins(host):
    os.makedirs("/run/work/quadlet/web.container.d")
    _, done = quadlet(host, lan_network="[Network]\nDriver=macvlan\nOptions=parent=eth0\nSubnet=172.16.86.0/24\n",
                      web_container="[Container]\nImage=i\nNetwork=lan.network\n")
    assert "edit this: the files in quadlet/web.container.d are not read" in comments(done), done
    assert "lan.network.d" not in done.out, done
