"""`import compose`: each key of the format, the files of a project against docker-compose, and what the
result makes against what docker-compose and Docker make of the same project."""
import copy
import json
import os

import yaml

from engines import running
from host import same
from registry import test

LAN = {"driver": "macvlan", "driver_opts": {"parent": "eth0"},
       "ipam": {"config": [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}]}}
PLAIN = {"services": {"web": {"image": "i", "networks": {"lan": {"ipv4_address": "172.16.86.20"}}}},
         "networks": {"lan": LAN}}


# Of who runs the tests: it may name a user whose files are taken.
ENV = {"SUDO_UID": ""}


def project(host, files):
    """Writes the files, texts or values, into the folder of a project `shop`."""
    for name, content in files.items():
        os.makedirs(os.path.dirname(f"/run/work/shop/{name}"), exist_ok=True)
        host.write(content if isinstance(content, str) else json.dumps(content), f"shop/{name}")


def imported(host, *paths, code=0, **options):
    done = host.mvapply("import", "compose", *(f"shop/{path}" for path in paths or [""]), code=code,
                        **options)
    return yaml.safe_load(done.out), done


def comments(done):
    return " ".join(done.out.replace("#", " ").split())


def changed(value, path, new):
    value = copy.deepcopy(value)
    at = value
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = new
    return value


def of(host, content):
    project(host, {"compose.yaml": content})
    return imported(host)


# --- one file

@test("import compose: external networks that services use are kept as a skeleton")
def external(host):
    declared, done = of(host, {
        "services": {"web": {"image": "i", "networks": {
            "lan": {"ipv4_address": "192.168.5.7", "mac_address": "02:00:00:00:00:07"}}}},
        "networks": {"lan": {"external": True, "name": "home"}, "unused": {"external": True},
                     "default": {"external": {"name": "bridge"}}}})
    same(declared["networks"], {"lan": {"subnet": "EDIT-THIS"}}, "networks")
    same(declared["containers"]["web"]["networks"]["lan"],
         {"ipv4_address": "192.168.5.7", "mac_address": "02:00:00:00:00:07"}, "the addresses")
    for words in ("docker network inspect home", "unused is external", "Docker's own network bridge"):
        assert words in comments(done), f"no {words!r} in\n{done}"
    host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"), code=3)


@test("import compose: the first network by priority and name, its MAC address, and the default route")
def order(host):
    declared, done = of(host, {
        "services": {
            "web": {"image": "i", "mac_address": "02:00:00:00:00:07",
                    "networks": {"b": None, "a": None, "c": {"priority": 5}}},
            "gate": {"image": "i", "networks": {"a": None, "b": {"gw_priority": 2}}},
            "mixed": {"image": "i", "mac_address": "02:00:00:00:00:08", "networks": ["b", "zz"]}},
        "networks": {"a": LAN, "b": LAN, "c": LAN, "zz": None}})
    web = declared["containers"]["web"]["networks"]
    same(list(web), ["c", "a", "b"], "the order")
    same(web, {"c": {"mac_address": "02:00:00:00:00:07"}, "a": {"gw_priority": 1}, "b": {}}, "web")
    same(declared["containers"]["gate"]["networks"], {"a": {}, "b": {"gw_priority": 2}}, "gate")
    same(declared["containers"]["mixed"]["networks"],
         {"b": {"mac_address": "02:00:00:00:00:08", "gw_priority": 1}}, "mixed")
    # Beside a network that is left to Docker, a gw_priority above 0 takes the default route from it.
    others, _ = of(host, {
        "services": {
            "behind": {"image": "i", "networks": {"b": {"gw_priority": 2}, "c": {"gw_priority": 4},
                                                  "zz": {"gw_priority": 9}}},
            "last": {"image": "i", "networks": {"b": {"gw_priority": -7}, "zz": {"gw_priority": -9}}},
            "zero": {"image": "i", "networks": {"b": {"gw_priority": 0}, "aa": {}}}},
        "networks": {"b": LAN, "c": LAN, "zz": None, "aa": None}})
    others = {name: container["networks"] for name, container in others["containers"].items()}
    same(others, {"behind": {"b": {"gw_priority": -2}, "c": {}}, "last": {"b": {"gw_priority": 1}},
                  "zero": {"b": {}}}, "beside Docker's")
    assert "zz is left to Docker: in the Compose file, keep the service on this network only" \
        in comments(done), done
    assert "Compose file that has no network left to Docker" in comments(done), done
    _, done = of(host, {"services": {"web": {"image": "i", "mac_address": "02:00:00:00:00:07",
                                             "networks": ["aa", "lan"]}}, "networks": {"lan": LAN, "aa": None}})
    assert "mac_address 02:00:00:00:00:07 is that of aa" in comments(done), done


@test("import compose: services that Compose does not start, or gives no network")
def idle(host):
    lan = {"image": "i", "networks": ["lan"]}
    services = {"zero": {**lan, "scale": 0}, "none": {**lan, "deploy": {"replicas": 0}},
                "debug": {**lan, "profiles": ["debug", "more"]}, "made": {**lan, "provider": {"type": "x"}},
                "both": {**lan, "network_mode": "host"}, "with": {"network_mode": "service:zero"},
                "off": {"network_mode": "none"}, "two": {**lan, "scale": 2}, "other": {"image": "i"}}
    declared, done = of(host, {"services": services, "networks": {"lan": LAN}})
    same(set(declared["containers"]), {"two"}, "containers")
    for words in ("zero: it runs as 0 containers", "none: it runs as 0 containers",
                  "COMPOSE_PROFILES=debug", "made: a provider", "both: Compose refuses",
                  "its network_mode service:zero is left", "off: its network_mode none",
                  "runs as 2 containers", "other: it is on none"):
        assert words in comments(done), f"no {words!r} in\n{done}"
    declared, _ = imported(host, env={"COMPOSE_PROFILES": "x, debug"})
    assert "debug" in declared["containers"], declared


@test("import compose: families that are off, without a pool, ipvlan's l3, and the host's own link")
def pools(host):
    both = {"config": [{"subnet": "10.40.0.0/24", "gateway": "10.40.0.1",
                        "aux_addresses": {"host": "10.40.0.9", "nas": "10.40.0.10"}},
                       {"subnet": "fd40::/64", "gateway": "fd40::1"}]}
    only = {"config": both["config"][:1]}
    l3 = {"driver": "ipvlan", "driver_opts": {"parent": "eth1", "ipvlan_mode": "l3"},
          "ipam": {"config": [{"subnet": "10.50.0.0/24"}]}}
    declared, done = of(host, {"services": {}, "networks": {
        "off": {**LAN, "ipam": both}, "no": {**LAN, "enable_ipv6": False, "ipam": both},
        "on": {**LAN, "enable_ipv6": True, "ipam": both}, "without": {**LAN, "enable_ipv6": True},
        "six": {**LAN, "enable_ipv4": False, "enable_ipv6": True, "ipam": both},
        "l3": l3, "l3s": changed(changed(l3, ["driver_opts", "ipvlan_mode"], "l3s"),
                                 ["ipam", "config", 0, "gateway"], "10.50.0.7"),
        "private": {**LAN, "driver_opts": {"parent": "eth0", "macvlan_mode": "private"}, "ipam": only}}})
    networks = declared["networks"]
    v4 = {"subnet": "10.40.0.0/24", "gateway": "10.40.0.1", "aux_addresses": {"nas": "10.40.0.10"}}
    v6 = {"subnet": "fd40::/64", "gateway": "fd40::1"}
    lan = {"parent": "eth0", "host": {"ipv4_address": "10.40.0.9"}}
    same(networks["off"], {**lan, **v4}, "nothing said of IPv6")
    same(networks["no"], {**lan, **v4}, "IPv6 is off")
    same(networks["on"], {**lan, "subnets": [v4, v6]}, "IPv6 is on")
    same(networks["six"], {"parent": "eth0", **v6}, "IPv4 is off")
    same(networks["l3"], {"driver": "ipvlan", "parent": "eth1", "mode": "l3", "subnet": "10.50.0.0/24",
                          "gateway": "10.50.0.1"}, "l3")
    same(networks["l3s"]["gateway"], "10.50.0.7", "l3s")
    same(networks["private"]["aux_addresses"], {"host": "10.40.0.9", "nas": "10.40.0.10"}, "private")
    for words in ("enable_ipv6 is not true, so Docker does not use the subnet fd40::/64",
                  "enable_ipv4 is not true, so Docker does not use the subnet 10.40.0.0/24",
                  "enable_ipv6 is set without an IPv6 subnet", "aux_addresses.host reserves 10.40.0.9",
                  "in this mode Docker routes to the link itself"):
        assert words in comments(done), f"no {words!r} in\n{done}"


NETWORK_KEYS = {
    "name": "other", "driver": "ipvlan", "driver_opts": {"parent": "eth1"}, "external": True,
    "internal": True, "enable_ipv4": False, "enable_ipv6": True, "attachable": True,
    "labels": {"a": "b"}, "unknown": 1, "ipam": {"config": [{"subnet": "10.9.0.0/16"}]}}
IPAM_KEYS = {"driver": "x", "options": {"a": "b"}, "unknown": 1}
POOL_KEYS = {"subnet": "10.9.0.0/16", "gateway": "172.16.86.9", "ip_range": "172.16.86.128/25",
             "aux_addresses": {"nas": "172.16.86.9"}, "unknown": 1}
ATTACHMENT_KEYS = {
    "aliases": ["x"], "interface_name": "lan0", "ipv4_address": "172.16.86.21",
    "ipv6_address": "fd00::1", "link_local_ips": ["169.254.1.1"], "mac_address": "02:00:00:00:00:01",
    "driver_opts": {"a": "b"}, "gw_priority": 5, "unknown": 1}
SERVICE_KEYS = {
    "networks": ["other"], "network_mode": "host", "mac_address": "02:00:00:00:00:01", "scale": 0,
    "container_name": "box", "deploy": {"replicas": 2}, "profiles": ["x"], "ports": ["80:80"],
    "links": ["db"], "external_links": ["db"], "extends": {"service": "none"}, "provider": {"type": "x"},
    "unknown": 1}
# What has nothing to do with networks, or holds as before where mvapply attaches the container.
UNTOUCHED = {
    "annotations": {}, "attach": False, "build": ".", "cap_add": ["NET_ADMIN"], "command": "x",
    "configs": ["x"], "depends_on": ["db"], "devices": ["/dev/null"], "dns": ["1.1.1.1"],
    "entrypoint": "x", "env_file": ".x", "environment": {"A": "${NONE:?x}"}, "expose": ["80"],
    "extra_hosts": ["a:1.1.1.1"], "healthcheck": {"disable": True}, "hostname": "x", "labels": {"a": "b"},
    "logging": {}, "privileged": True, "restart": "always", "secrets": ["x"],
    "sysctls": {"net.ipv4.ip_forward": 1}, "user": "x", "volumes": ["a:/a"], "x-any": 1}
KNOWN = [(["networks", "lan", key], value) for key, value in NETWORK_KEYS.items()]
KNOWN += [(["networks", "lan", "ipam", key], value) for key, value in IPAM_KEYS.items()]
KNOWN += [(["networks", "lan", "ipam", "config", 0, key], value) for key, value in POOL_KEYS.items()]
KNOWN += [(["services", "web", "networks", "lan", key], value) for key, value in ATTACHMENT_KEYS.items()]
KNOWN += [(["services", "web", key], value) for key, value in SERVICE_KEYS.items()]
KNOWN += [(["services", "web", "deploy"], {key: "x"}) for key in ("mode", "endpoint_mode", "unknown")]
KNOWN += [(["name"], "other"), (["unknown"], 1), (["include"], ["missing.yaml"])]


@test("import compose: each key of networks is converted, a comment, or refused", seconds=120)
def nothing_silent(host):
    def text(content):
        project(host, {"compose.yaml": content})
        return host.run(host.binary, "import", "compose", "shop", code=0).out

    plain = text(PLAIN)
    for path, value in KNOWN:
        other = text(changed(PLAIN, path, value))
        assert plain != other, f"{path} {value!r} is silent:\n{other}"
    whole = copy.deepcopy(PLAIN)
    whole["services"]["web"].update(UNTOUCHED)
    whole.update({"version": "3", "volumes": {"a": None}, "secrets": {"x": {"file": "x"}}, "x-y": 1})
    same(text(whole), plain, "what stays in the Compose file")


@test("import compose: an address, MAC or mode that is invalid is to be edited, and never chosen instead")
def invalid_values(host):
    for path, value, words in (
            (("networks", "lan", "driver_opts", "macvlan_mode"), "PRIVATE", "macvlan has no mode PRIVATE"),
            (("services", "web", "networks", "lan", "ipv4_address"), "172.16.86.020", "172.16.86.020 is not an"),
            (("services", "web", "networks", "lan", "ipv4_address"), "172.16.86.20/24", "20/24 is not an address"),
            (("services", "web", "networks", "lan", "ipv4_address"), "fd00::5", "fd00::5 is not an address of IPv4"),
            (("services", "web", "networks", "lan", "ipv6_address"), "172.16.86.9", "is not an address of IPv6"),
            (("services", "web", "networks", "lan", "mac_address"), "02:42", "02:42 is not a MAC address"),
            (("networks", "lan", "ipam"), {"config": [{"subnet": "172.16.86.0/24", "ip_range": "some"}]},
             "some is not a prefix"),
            (("services", "web", "mac_address"), "02:42", "02:42 is not a MAC address")):
        _, done = of(host, changed(PLAIN, path, value))
        assert f"edit this: {words}" in comments(done) or words in comments(done), f"no {words!r} in\n{done}"
        assert "EDIT-THIS" in done.out, done
        host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"), code=3)


@test("import compose: sysctls of a link, and a second MAC address, are reported")
def of_links(host):
    service = {"image": "i", "mac_address": "02:00:00:00:00:07",
               "networks": {"lan": {"mac_address": "02:00:00:00:00:08"}},
               "sysctls": ["net.ipv4.conf.eth0.rp_filter=2", "net.ipv4.conf.all.rp_filter=2",
                           "net.ipv6.conf.default.accept_ra=0", "net.core.somaxconn=9"]}
    for sysctls in (service["sysctls"], dict(text.split("=") for text in service["sysctls"])):
        declared, done = of(host, {"services": {"web": {**service, "sysctls": sysctls}}, "networks": {"lan": LAN}})
        same(declared["containers"]["web"]["networks"]["lan"], {"mac_address": "02:00:00:00:00:08"}, "attachment")
        assert "the sysctl net.ipv4.conf.eth0.rp_filter" in comments(done), done
        assert "mac_address 02:00:00:00:00:07 is not converted" in comments(done), done
        for key in ("conf.all", "conf.default", "somaxconn"):  # these stay in effect
            assert key not in done.out, done


@test("import compose: a network that the file does not declare")
def undeclared(host):
    _, done = of(host, changed(PLAIN, ("services", "web", "networks"), {
        "lan": None, "typo": {"ipv4_address": "172.16.86.44"}, "default": None}))
    assert "typo is not declared under `networks`: Compose refuses it" in comments(done), done
    assert "default is left to Docker" in comments(done), done


@test("import compose: the name of the project from .env")
def name_of_env(host):
    project(host, {"compose.yaml": PLAIN, ".env": "COMPOSE_PROJECT_NAME=store\n"})
    declared, _ = imported(host)
    same((declared["name"], declared["containers"]["web"]["docker"]), ("store", "store/web"), "names")


# --- the files of a project

FILES = {
    "docker-compose.yml": """
x-options: &options {driver: macvlan, driver_opts: {parent: "${CARD}"}}
x-more: &more {internal: true, driver: ipvlan}
services:
  web:
    extends: {file: base/base.yaml, service: web}
    environment: {A: "${NOT_READ:?required by the container}"}
    networks:
      lan: {ipv4_address: "${WEB:-172.16.86.20}"}
  db:
    image: i
    container_name: "db-${SUFFIX-none}$$"
    networks: [lan, back]
  api: {extends: {service: db}, container_name: api}
networks:
  lan:
    <<: [*options, *more]
    internal: false
    ipam: {config: [{subnet: 172.16.86.0/24, gateway: 172.16.86.1}]}
  back: {<<: *options, driver_opts: {parent: "${CARD}", macvlan_mode: private}, ipam: {config: [{subnet: 10.8.0.0/16, gateway: "${GATEWAY}"}]}}
""",
    "docker-compose.override.yml": """
services:
  db: {networks: {lan: {ipv4_address: 172.16.86.30, priority: 7}}}
  more: {image: i, networks: [lan]}
""",
    "base/base.yaml": """
services:
  web: {extends: {service: root}, networks: {lan: {priority: 3}}}
  root: {image: "${IMAGE:-i}", networks: {back: {ipv4_address: 10.8.0.9}}}
""",
    ".env": "# comment\nCARD=eth0 # the LAN\nGATEWAY='10.8.0.1'\nWEB=\nSUFFIX=\"x\"\n"}


@test("import compose: variables, anchors, overrides and extends give the result of docker-compose")
def resolved(host):
    project(host, {**FILES, "docker-compose.yml": 'version: "3.9"\n' + FILES["docker-compose.yml"],
                   "docker-compose.override.yml": 'version: "3.9"\n' + FILES["docker-compose.override.yml"]})
    environment = {"SUFFIX": "of-the-environment", "NOT_READ": "1"}
    theirs = host.run("sh", "-c", "cd shop && docker-compose config", env=environment, code=0).out
    project(host, {"resolved.yaml": theirs})
    ours, done = imported(host, "docker-compose.yml", env=environment)
    expected, _ = imported(host, "resolved.yaml")
    same(ours, expected, f"{theirs}\n{done}")
    same(ours["containers"]["db"]["docker"], "db-of-the-environment$", "a name with variables")
    same(ours["networks"]["back"]["mode"], "private", "a key beside a merge key")
    same(imported(host, env=environment)[0], ours, "of the folder")
    alone, _ = imported(host, "docker-compose.yml", "base/base.yaml", env=environment)
    assert "more" not in alone["containers"], "an override that is not named beside others"


@test("import compose: include, profiles, tags and nested variables, as the Compose specification defines")
def specification(host):
    project(host, {
        "compose.yaml": """
name: "${COMPOSE_PROJECT_NAME:-of-the-file}"
include:
  - sub/compose.yaml
  - {path: [two.yaml, three.yaml], env_file: two.env}
services:
  web: {image: i, networks: {lan: {ipv4_address: "${A:-${B:-172.16.86.${LAST}}}"}}}
""",
        "sub/compose.yaml": "services: {sub: {image: i, networks: [lan]}}\nnetworks:\n  lan: {driver: macvlan, "
                            "driver_opts: {parent: $CARD}, ipam: {config: [{subnet: 172.16.86.0/24, "
                            "gateway: 172.16.86.1}]}}\n",
        "sub/.env": "CARD=eth7\n", ".env": "LAST=9\n", "two.env": "SIZE=2\n",
        "two.yaml": "services: {two: {image: i, scale: $SIZE, mac_address: x, networks: [lan]}}\n",
        "three.yaml": "services: {two: {mac_address: !reset x, networks: !override {lan: "
                      "{ipv4_address: 172.16.86.2}}}}\n",
        "compose.override.yaml": "networks: {lan: {driver_opts: {macvlan_mode: vepa}, ipam: {config: "
                                 "[{subnet: 172.16.86.0/24, ip_range: 172.16.86.128/25}]}}}\n"})
    declared, done = imported(host)
    same(declared["name"], "of-the-file", "the name")
    same(declared["networks"]["lan"], {
        "parent": "eth7", "mode": "vepa", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1",
        "ip_range": "172.16.86.128/25"}, "a variable of an included project, and an override of it")
    same({name: container["networks"]["lan"] for name, container in declared["containers"].items()},
         {"web": {"ipv4_address": "172.16.86.9"}, "sub": {}, "two": {"ipv4_address": "172.16.86.2"}}, "services")
    assert "runs as 2 containers" in comments(done), done
    same(imported(host, env={"COMPOSE_PROJECT_NAME": "prod"})[0]["containers"]["web"]["docker"], "prod/web",
         "the name of the environment")


@test("import compose: unresolved values are reported with their service and key")
def unresolved(host):
    _, done = of(host, """
include: [gone.yaml, "oci://example.org/x"]
services:
  web: {extends: {file: gone.yaml, service: x}, networks: {lan: {ipv4_address: "$NOTHING"}}}
  db: {image: i, networks: {lan: {ipv4_address: "${NEEDED:?say it}"}}}
  api: {image: i, networks: {lan: {mac_address: "${"}}}
networks: {lan: {driver: macvlan, driver_opts: {parent: eth0}, ipam: {config: [{subnet: 172.16.86.0/24}]}}}
""")
    for words in ("include: shop/gone.yaml is not read: there is no such file",
                  "include: oci://example.org/x is not read",
                  "services.web.extends: shop/gone.yaml is not read",
                  "services.web.networks.lan.ipv4_address: the variable NOTHING is not set",
                  "services.db.networks.lan.ipv4_address: the variable NEEDED is required, and not set: say it",
                  'edit this: ${NEEDED:?say it} is not an address of IPv4',
                  "services.api.networks.lan.mac_address: ${ is not a valid template",
                  "web: what it extends was not found"):
        assert words in comments(done), f"no {words!r} in\n{done}"


@test("import compose: as root, a file that another file names is read only if its owner can read it")
def trusted(host):
    project(host, {"compose.yaml": PLAIN | {"name": "${SECRET}", "include": ["other.yaml"]},
                   ".env": "SECRET=secret\n", "other.yaml": "services: {evil: {image: i, networks: [lan]}}"})
    same(imported(host)[0]["name"], "secret", "its own files")
    os.chmod("/run/work/shop/other.yaml", 0o666)
    declared, done = imported(host, env=ENV)
    assert "evil" not in declared["containers"] and "other.yaml is not read: is writable by everyone" \
        in comments(done), done
    assert "evil" in host.mvapply("import", "compose", "shop", "--insecure", env=ENV).out
    os.chown("/run/work/shop/compose.yaml", 1, 1)
    declared, done = imported(host, env=ENV)
    assert "secret" not in done.out and "belongs to user 0, and the file that names it to user 1" \
        in comments(done), done


# --- against the engine

@test("docker: import compose: two networks in the order, and with the default route, that Compose gives them",
      seconds=240)
def as_compose(host):
    host.batch("host", ["link add eth1 type veth peer name up1", "link set dev eth1 up",
                        "link set dev up1 up"])
    second = {"driver": "macvlan", "driver_opts": {"parent": "eth1"},
              "ipam": {"config": [{"subnet": "10.20.0.0/24", "gateway": "10.20.0.1"}]}}
    text = {"version": "2.4", "services": {"web": {
        "image": "localhost/box", "command": "sleep 1000", "mac_address": "02:00:00:00:00:07",
        "networks": {"aaa": {"ipv4_address": "172.16.86.20"},
                     "zzz": {"ipv4_address": "10.20.0.20", "priority": 10}}}},
            "networks": {"aaa": LAN, "zzz": second}}
    project(host, {"docker-compose.yml": text})

    def seen(engine, name):
        """Docker 20.10 connects a container's networks in no order, so that links are not compared."""
        with engine.space(name) as space:
            links = {frozenset(host.addresses(space, link)): host.link(space, link)["address"]
                     for link in ("eth0", "eth1")}
            return links, {route.split(" dev ")[0] for route in host.routes(space) if "default" in route}

    with running(host, "docker") as engine:
        host.run("sh", "-c", "cd shop && docker-compose up -d", env=engine.env, code=0, seconds=120)
        theirs = seen(engine, "shop_web_1")
        declared, done = imported(host)
        read = yaml.safe_load(host.mvapply("import", "docker", env=engine.env).out)["containers"]["shop_web_1"]
        same(list(read["networks"]), ["shop_zzz", "shop_aaa"], "import docker has the order, too")
        host.run("sh", "-c", "cd shop && docker-compose down -t 0", env=engine.env, code=0, seconds=120)
        engine.run("shop-web-1", labels={"com.docker.compose.project": "shop", "com.docker.compose.service": "web"})
        host.apply(done.out, env=engine.env)
        same(seen(engine, "shop-web-1"), theirs, f"{declared}")
        host.delete(done.out, env=engine.env)


@test("docker: import docker: a gateway that the engine took by itself, IPv6 that is off, and config-only networks",
      seconds=240)
def docker_gateways(host):
    with running(host, "docker") as engine:
        engine.call("POST", "/networks/create", {
            "Name": "base", "ConfigOnly": True, "Options": {"parent": "eth0"},
            "IPAM": {"Config": [{"Subnet": "172.16.86.0/24", "IPRange": "172.16.86.128/25"}]}})
        engine.call("POST", "/networks/create", {
            "Name": "lan", "Driver": "macvlan", "ConfigFrom": {"Network": "base"}})
        _, done = imported_docker(host, engine)
        assert "no gateway is set: Docker before 29 uses 172.16.86.128," in comments(done), done
        engine.create("web", network="lan")
        engine.start("web")
        with engine.space("web") as space:
            theirs = host.addresses(space, "eth0"), host.routes(space)
        declared, done = imported_docker(host, engine)
        same(declared["networks"], {"lan": {
            "parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.128",
            "ip_range": "172.16.86.128/25"}}, f"the network\n{done}")
        engine.remove("web")
        engine.run("web")
        host.apply(done.out, env=engine.env)
        with engine.space("web") as space:
            same((host.addresses(space, "eth0"), host.routes(space)), theirs, "as Docker had it")
        host.delete(done.out, env=engine.env)
        engine.call("DELETE", "/networks/lan")
        engine.call("POST", "/networks/create", {
            "Name": "six", "Driver": "macvlan", "Options": {"parent": "eth0"}, "EnableIPv6": False,
            "IPAM": {"Config": [{"Subnet": "172.16.86.0/24", "Gateway": "172.16.86.1"},
                                {"Subnet": "fd00:86::/64", "Gateway": "fd00:86::1"}]}})
        engine.create("web6", network="six")
        engine.start("web6")
        with engine.space("web6") as space:
            theirs = host.addresses(space, "eth0")
        declared, done = imported_docker(host, engine)
        same("subnets" in declared["networks"]["six"], len(theirs) > 1, f"{theirs} {done}")


def imported_docker(host, engine):
    done = host.mvapply("import", "docker", env=engine.env)
    return yaml.safe_load(done.out), done


@test("import compose: driver_opts that are not a map are reported")
def driver_opts_list(host):
    _, done = of(host, changed(PLAIN, ["networks", "lan", "driver_opts"], ["parent=eth0"]))
    assert "driver_opts" in comments(done) and "parent=eth0" in comments(done), done
