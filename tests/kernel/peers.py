"""The kernel state that mvapply makes, compared with that of another program for the same shape. Both make a link with the same
MAC address, one after the other, and what `ip -j` shows has to be equal, except for what a row lists with its reason."""
import contextlib
import json
import os
import subprocess

import incus
import linux
from declare import document, lan
from host import same
from registry import test

MAC = "02:42:ac:10:56:14"
CNI, NETWORKD = "/usr/lib/cni", "/usr/lib/systemd/systemd-networkd"
NETAVARK = os.environ.get("NETAVARK", "/usr/lib/podman/netavark")
UNITS = "/run/systemd/network"
TYPES = ("blackhole", "unreachable", "prohibit", "throw")


# --- the state

def shown(host, ns, command):
    return json.loads(host.ip(ns, f"-j {command}") or "[]")


def options(found, *keys):
    return tuple((key, found[key]) for key in keys if key in found)


def routes(host, ns, dev):
    """Without those of the kernel's own: its local table, and link-local prefixes."""
    made = set()
    for family in ("-4", "-6"):
        for route in shown(host, ns, f"{family} route show table all"):
            typed = route.get("type", "unicast") in TYPES
            if route.get("table") == "local" or route["dst"].startswith(("fe80::", "ff00::", "multicast")):
                continue
            if route.get("dev") == dev or (typed and route.get("protocol") != "kernel"):
                flags = tuple(flag for flag in route["flags"] if flag != "linkdown")
                metrics = tuple(sorted((key, value) for item in route.get("metrics", []) for key, value in item.items()))
                made.add((family, route.get("type", "unicast"), route["dst"],
                          options(route, "gateway", "table", "metric", "scope", "prefsrc"), flags, metrics))
    return made


def rules(host, ns):
    return {(family, *options(rule, "priority", "src", "srclen", "dst", "dstlen", "table")) for family in ("-4", "-6")
            for rule in shown(host, ns, f"{family} rule show") if rule["table"] not in ("local", "main", "default")}


def link_state(host, ns, dev):
    """What a user of the link can tell."""
    link = shown(host, ns, f"-d link show dev {dev}")[0]
    data = link["linkinfo"]["info_data"]
    addresses = {(found["family"], found["local"], found["prefixlen"], found["scope"], found.get("broadcast"), found.get("secondary"))
                 for item in shown(host, ns, f"address show dev {dev}") for found in item["addr_info"]
                 if found["scope"] != "link"}
    return {"kind": link["linkinfo"]["info_kind"], "mac": link["address"], "mtu": link["mtu"], "txqlen": link.get("txqlen", 0),
            "data": {key: data[key] for key in ("mode", "flags", "protocol", "id", "bcqueuelen", "bclim") if key in data},
            "flags": tuple(sorted(set(link["flags"]) - {"LOWER_UP"})), "promiscuity": link["promiscuity"],
            "addresses": addresses, "routes": routes(host, ns, dev)}


def state(host, ns, dev, parents):
    return {**link_state(host, ns, dev), "rules": rules(host, ns),
            "parents": {parent: link_state(host, "host", parent) for parent in parents}}


# --- the peers: each returns the namespace and the name of its link, or a context with both

def cni_add(conf, netns, dev, result=None, mac=None):
    """What libcni passes to a plugin: its input and its environment."""
    conf = {"cniVersion": "1.0.0", "name": "lan", **conf, **({"prevResult": result} if result else {})}
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "web", "CNI_NETNS": netns, "CNI_IFNAME": dev, "CNI_PATH": CNI,
           "CNI_ARGS": "IgnoreUnknown=1" + (f";MAC={mac}" if mac else "")}
    return json.dumps(conf).encode(), env


def cni(host, conf, *chained, mac=MAC):
    """Each plugin gets the result of the one before, as libcni does it."""
    host.netns("theirs")
    result = None
    for plugin in (conf, *chained):
        stdin, env = cni_add(plugin, "/run/netns/theirs", "eth0", result, mac)
        result = json.loads(host.run(f"{CNI}/{plugin['type']}", stdin=stdin, env=env, code=0).out)
    return "theirs", "eth0"


def cni_on_vlan(host, conf, vlan):
    """CNI's VLAN is a link of the namespace that it is called for: here the host's, where the plugin of `conf` finds it. The plugin
    requires an address."""
    made = {"type": "vlan", "master": "eth0", "vlanId": vlan, **static([{"address": "192.0.2.1/32"}], [])}
    stdin, env = cni_add(made, "/proc/self/ns/net", f"eth0.{vlan}")
    host.run(f"{CNI}/vlan", stdin=stdin, env=env, code=0)
    return cni(host, {**conf, "master": f"eth0.{vlan}"})


def static(addresses, given):
    return {"ipam": {"type": "static", "addresses": addresses, "routes": given}}


def netavark(host, network, addresses, mac=MAC):
    host.netns("theirs")
    mac = {"static_mac": mac} if mac else {}
    given = {"container_id": "0" * 64, "container_name": "web", "networks": {"lan": {
        "static_ips": addresses, "interface_name": "eth0", **mac}}, "network_info": {"lan": {
            "name": "lan", "id": "1" * 64, "driver": "macvlan", "network_interface": "eth0", "ipv6_enabled": True, "internal": False,
            "dns_enabled": False, "ipam_options": {"driver": "host-local"}, **network}}}
    host.run(NETAVARK, "--config", "/run/netavark", "setup", "/run/netns/theirs", stdin=json.dumps(given).encode(), code=0)
    return "theirs", "eth0"


def netavark_version():
    """(1, 4) for Debian 12's, (1, 14) for Debian 13's; (0, 0) if there is none, as beside a Podman that uses CNI."""
    if not os.path.exists(NETAVARK):
        return 0, 0
    text = subprocess.run([NETAVARK, "version"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return tuple(map(int, json.loads(text)["version"].split(".")[:2]))


def networkd_run(host, files, dev):
    """It runs without systemd: it does not wait for udev where /sys is read-only, as in a container. Its links are the host's."""
    if os.access("/sys", os.W_OK):
        linux.mount("sysfs", "/sys", "sysfs", linux.MS_RDONLY)
    for folder in (UNITS, "/run/systemd/netif/links", "/run/systemd/netif/leases"):
        os.makedirs(folder, exist_ok=True)
    host.run("chown", "-R", "systemd-network:", "/run/systemd/netif", code=0)
    for name, text in files.items():
        with open(f"{UNITS}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with host.inside("host"):
        child = subprocess.Popen([NETWORKD], env={**os.environ, "SYSTEMD_LOG_TARGET": "console"}, stderr=subprocess.DEVNULL)
    try:
        done = "/run/systemd/netif/links/" + str(host.until(lambda: host.links("host").get(dev), dev, 20)["ifindex"])
        host.until(lambda: os.path.exists(done) and "ADMIN_STATE=configured" in open(done, encoding="ascii").read(), "configured", 30)
    finally:
        child.kill()
        child.wait()
    return "host", dev


QUIET = "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def networkd(host, *sections, link="", kind="MACVLAN", netdev="Mode=bridge", vlan=None):
    """A link mv0 of that kind on eth0, or on its VLAN (vlan: the lines of its section), and the sections of its .network file."""
    mac = "" if kind == "IPVLAN" else f"MACAddress={MAC}\n"
    files = {"mv0.netdev": f"[NetDev]\nName=mv0\nKind={kind.lower()}\n{mac}[{kind}]\n{netdev}\n",
             "10-eth0.network": f"[Match]\nName=eth0\n[Network]\n{QUIET}KeepConfiguration=yes\n" +
                                (f"{kind}=mv0\n" if vlan is None else "VLAN=eth0.10\n"),
             "20-mv0.network": f"[Match]\nName=mv0\n[Link]\n{link}\n[Network]\n{QUIET}\n" + "\n".join(sections)}
    if vlan is not None:
        files["eth0.10.netdev"] = f"[NetDev]\nName=eth0.10\nKind=vlan\n[VLAN]\n{vlan}\n"
        files["15-eth0.10.network"] = f"[Match]\nName=eth0.10\n[Network]\n{QUIET}{kind}=mv0\n"
    return networkd_run(host, files, "mv0")


def netplan(host, device, vlan=None):
    """netplan has no macvlan: it configures one that is there, `device` is its part of the file. networkd applies the units that
    netplan generates. A VLAN of eth0 is netplan's own."""
    quiet = {"link-local": [], "accept-ra": False}
    network = {"version": 2, "renderer": "networkd", "ethernets": {"mv0": {**quiet, **device}}}
    parent = "eth0"
    if vlan is not None:
        parent = "eth0.10"
        network["ethernets"]["eth0"] = {**quiet, "critical": True}
        network["vlans"] = {parent: {"link": "eth0", **quiet, **vlan}}
    os.makedirs("/run/root/etc/netplan")
    with open("/run/root/etc/netplan/lan.yaml", "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        json.dump({"network": network}, file)
    host.run("netplan", "generate", "--root-dir", "/run/root", code=0)
    os.makedirs("/run/systemd", exist_ok=True)
    host.run("cp", "-a", f"/run/root{UNITS}", "/run/systemd", code=0)  # with the group that may read them
    if vlan is not None:
        networkd_run(host, {}, parent)
    host.ip("host", f"link add link {parent} name mv0 address {MAC} type macvlan mode bridge")
    return networkd_run(host, {}, "mv0")


@contextlib.contextmanager
def incus_nic(host, *options):
    """A container of the real Incus with a link of Incus's own."""
    with incus.running(host) as engine:
        web = engine.make(start=False)
        engine.call("config", "device", "add", "web", "eth0", "nic", "parent=eth0", "name=eth0", *options)
        web.call("start")
        with web.netns() as box:
            yield box, "eth0"


# --- the comparison

def without(found, dropped):
    """The routes' options without those that `dropped` (option, destination) names."""
    return {(*route[:3], tuple(item for item in route[3] if not dropped(item, route[2])), *route[4:]) for route in found}


def allowed(found, differences):
    """A state, without what may differ."""
    found = dict(found)
    if "txqlen" in differences:
        found = {**found, "txqlen": 0, "parents": {name: {**parent, "txqlen": 0} for name, parent in found["parents"].items()}}
    if "parents' addresses" in differences:
        found["parents"] = {name: {**parent, "addresses": set(), "routes": set()} for name, parent in found["parents"].items()}
    if "tables" in differences:
        tables = {dict(rule[1:])["table"] for rule in found["rules"]}
        found["rules"] = {tuple(item for item in rule if item[0] not in ("table", "priority")) for rule in found["rules"]}
        found["routes"] = {(*route[:3], tuple(item for item in route[3] if item != ("table", table) or table not in tables), *route[4:])
                           for route in found["routes"] for table in [dict(route[3]).get("table")]
                           if table in tables or "main" not in differences}
    if "prefsrc" in differences:
        found["routes"] = without(found["routes"], lambda item, to: item[0] == "prefsrc")
    if "metric" in differences:
        found["routes"] = without(found["routes"], lambda item, to: item[0] == "metric" and to == "default")
    return found


def clean(host, ns, dev, parents):
    """Ends the peer's state, which would be in the way of ours."""
    for link, where in ((dev, ns), *((parent, "host") for parent in parents)):
        host.run("ip", "link", "delete", link, ns=where, code=0)
    for family in ("-4", "-6"):
        host.run("ip", family, "rule", "flush", "table", "100", ns=ns)
        host.run("ip", family, "route", "flush", "proto", "static", ns=ns)


def compare(host, peer, network, attachment, differences, parents):
    made = peer(host)
    with contextlib.nullcontext(made) if isinstance(made, tuple) else made as (ns, dev):
        theirs = state(host, ns, dev, parents)
        clean(host, ns, dev, parents)
    host.netns("ours")
    mac = {} if network.get("driver") == "ipvlan" else {"mac_address": MAC}
    container = {"netns": "ours", "networks": {"n": {key: value for key, value in {**mac, **attachment}.items() if value is not None}}}
    container.update({"policy_routing": True} if "tables" in differences else {})
    networks = {"n": {"parent": "eth0", **network}}
    if "tables" in differences:  # with one network alone, policy_routing does nothing
        networks["m"] = lan(subnet="10.99.0.0/24", gateway=None)
        container["networks"]["m"] = {"interface_name": "other"}
    text = document(networks, {"web": container})
    host.apply(text)
    ours = state(host, "ours", "eth0", parents)
    same(allowed(ours, differences), allowed(theirs, differences), "ours, and the peer's")
    host.unchanged(text)


def row(shape, peer, network, attachment, differences=None, parents=(), needs=()):
    """A test. `peer` is called with the host; `network` and `attachment` are ours; `differences`: {part: the reason why it may
    differ}; `parents`: links of the host that both make, whose states are compared, too; `needs`: kinds of link."""
    @test(f"peers: {shape}", needs=needs, seconds=90)
    def compared(host):
        compare(host, peer, network, attachment, differences or {}, parents)
    return compared
