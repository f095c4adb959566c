"""The kernel state that mvapply makes, compared with that of another program for the same shape. Both make a link with the same
MAC address, one after the other, and what `ip -j` shows has to be equal, except for what a row lists with its reason."""
import contextlib
import copy
import json
import os
import subprocess

import incus
import linux
from declare import document
from dhcp_server import serving
from host import same
from registry import test

MAC, SECOND_MAC = "02:42:ac:10:56:14", "02:42:ac:10:56:15"
CNI, NETWORKD = "/usr/lib/cni", "/usr/lib/systemd/systemd-networkd"
NETAVARK = os.environ.get("NETAVARK", "/usr/lib/podman/netavark")
UNITS, NETIF = "/run/systemd/network", "/run/systemd/netif/links"
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
    addresses = {(found["family"], found["local"], found["prefixlen"], found["scope"], found.get("broadcast"), found.get("secondary"),
                  found.get("metric"))
                 for item in shown(host, ns, f"address show dev {dev}") for found in item["addr_info"]
                 if found["scope"] != "link"}
    return {"kind": link["linkinfo"]["info_kind"], "mac": link["address"], "mtu": link["mtu"], "txqlen": link.get("txqlen", 0),
            "data": {key: data[key] for key in ("mode", "flags", "protocol", "id", "bcqueuelen", "bclim") if key in data},
            "flags": tuple(sorted(set(link["flags"]) - {"LOWER_UP"})), "promiscuity": link["promiscuity"],
            "addresses": addresses, "routes": routes(host, ns, dev)}


def state(host, ns, links, parents):
    return {**{f"link {number}": link_state(host, ns, link) for number, link in enumerate(links)}, "rules": rules(host, ns),
            "parents": {parent: link_state(host, "host", parent) for parent in parents}}


# --- the peers: each returns the namespace and the names of its links, or a context with both

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


@contextlib.contextmanager
def leasing(host, *dnsmasq):
    """A server that leases both clients the same address."""
    with serving(host, options=["--dhcp-ignore-clid", f"--dhcp-host={MAC},172.16.86.60", *dnsmasq]):
        yield


@contextlib.contextmanager
def cni_dhcp(host, conf, *dnsmasq):
    """With CNI's DHCP client."""
    with leasing(host, *dnsmasq):
        with host.inside("host"):
            daemon = subprocess.Popen([f"{CNI}/dhcp", "daemon"], stderr=subprocess.DEVNULL)
        try:
            host.until(lambda: os.path.exists("/run/cni/dhcp.sock"), "CNI's DHCP client listens")
            yield cni(host, {**conf, "ipam": {"type": "dhcp", "request": [{"option": option} for option in ("1", "3", "33", "121")]}})
        finally:
            daemon.kill()
            daemon.wait()


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


def networkd_run(host, files, *links):
    """It runs without systemd: it does not wait for udev where /sys is read-only, as in a container. Its links are the host's."""
    if os.access("/sys", os.W_OK):
        linux.mount("sysfs", "/sys", "sysfs", linux.MS_RDONLY)
    for folder in (UNITS, NETIF, "/run/systemd/netif/leases"):
        os.makedirs(folder, exist_ok=True)
    host.run("chown", "-R", "systemd-network:", "/run/systemd/netif", code=0)
    for name, text in files.items():
        with open(f"{UNITS}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with host.inside("host"):
        child = subprocess.Popen([NETWORKD], env={**os.environ, "SYSTEMD_LOG_TARGET": "console"}, stderr=subprocess.DEVNULL)
    try:
        for link in links:
            file = f"{NETIF}/" + str(host.until(lambda link=link: host.links("host").get(link), link, 20)["ifindex"])
            host.until(lambda file=file: "ADMIN_STATE=configured" in open(file, encoding="ascii").read(), f"{link} is configured", 30)
    finally:
        child.kill()
        child.wait()
    return "host", *links


QUIET = "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"


def link_files(name, mac, sections, link="", kind="MACVLAN", netdev="Mode=bridge"):
    """The .netdev and the .network file of a link."""
    address = f"MACAddress={mac}\n" if mac else ""
    return {f"{name}.netdev": f"[NetDev]\nName={name}\nKind={kind.lower()}\n{address}[{kind}]\n{netdev}\n",
            f"20-{name}.network": f"[Match]\nName={name}\n[Link]\n{link}\n[Network]\n{QUIET}\n" + "\n".join(sections)}


def parent_file(lines):
    return {"10-eth0.network": f"[Match]\nName=eth0\n[Network]\n{QUIET}KeepConfiguration=yes\n{lines}\n"}


def networkd(host, *sections, kind="MACVLAN", vlan=None, **options):
    """A link of that kind on eth0, or on its VLAN (vlan: the lines of its section), and the sections of its .network file."""
    files = link_files("mv0", None if kind == "IPVLAN" else MAC, sections, kind=kind, **options)
    files.update(parent_file(f"{kind}=mv0" if vlan is None else "VLAN=eth0.10"))
    if vlan is not None:
        files["eth0.10.netdev"] = f"[NetDev]\nName=eth0.10\nKind=vlan\n[VLAN]\n{vlan}\n"
        files["15-eth0.10.network"] = f"[Match]\nName=eth0.10\n[Network]\n{QUIET}{kind}=mv0\n"
    return networkd_run(host, files, "mv0")


def networkd_two(host, first, second):
    """Two macvlans on eth0, and the sections of each."""
    files = {**link_files("mv0", MAC, first), **link_files("mv1", SECOND_MAC, second), **parent_file("MACVLAN=mv0\nMACVLAN=mv1")}
    return networkd_run(host, files, "mv0", "mv1")


@contextlib.contextmanager
def networkd_dhcp(host, *dnsmasq, settings="", **options):
    """A macvlan with a lease of networkd's client, and the lines of its section [DHCPv4]. The client's other id is made from
    /etc/machine-id, which is empty in a new root."""
    with leasing(host, *dnsmasq):
        yield networkd(host, "DHCP=ipv4", f"[DHCPv4]\nClientIdentifier=mac\n{settings}", **options)


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


def tables_alike(found, keeps_main):
    """The rules without numbers of tables and priorities, and the routes without those tables' numbers; without `keeps_main`, no
    other routes."""
    tables = {dict(rule[1:])["table"] for rule in found["rules"]}
    found["rules"] = {tuple(item for item in rule if item[0] not in ("table", "priority")) for rule in found["rules"]}
    for link in links_of(found):
        link["routes"] = {(*route[:3], tuple(item for item in route[3] if item != ("table", table) or table not in tables), *route[4:])
                          for route in link["routes"] for table in [dict(route[3]).get("table")] if table in tables or keeps_main}


def links_of(found):
    return [value for key, value in found.items() if key.startswith("link ")]


def allowed(found, differences):
    """A state, without what may differ."""
    found = copy.deepcopy(found)
    if "tables" in differences:
        tables_alike(found, "main" not in differences)
    for link in (*links_of(found), *found["parents"].values()):
        if "txqlen" in differences:
            link["txqlen"] = 0
        if "kept" in differences:
            link["routes"] = {route for route in link["routes"] if ("table", "7700") not in route[3]}
        if "metrics" in differences:
            link["routes"] = without(link["routes"], lambda item, to: item[0] == "metric")
            link["addresses"] = {address[:-1] for address in link["addresses"]}
        if "routers" in differences:
            routers = {value for route in link["routes"] for key, value in route[3] if key == "gateway"}
            link["routes"] = {(*route[:4], tuple(flag for flag in route[4] if flag != "onlink"), route[5])
                              for route in link["routes"] if route[2] not in routers}
        if "prefsrc" in differences:
            link["routes"] = without(link["routes"], lambda item, to: item[0] == "prefsrc")
        if "metric" in differences:
            link["routes"] = without(link["routes"], lambda item, to: item[0] == "metric" and to == "default")
    for parent in found["parents"].values():
        if "parents' addresses" in differences:
            parent.update(addresses=set(), routes=set())
    return found


def clean(host, ns, links, theirs):
    """Ends the peer's state, which would be in the way of ours."""
    for link, where in (*((link, ns) for link in links), *((parent, "host") for parent in theirs["parents"])):
        host.run("ip", "link", "delete", link, ns=where, code=0)
    for rule in theirs["rules"]:
        host.run("ip", rule[0], "rule", "flush", "table", str(dict(rule[1:])["table"]), ns=ns)
    for family in ("-4", "-6"):
        host.run("ip", family, "route", "flush", "table", "all", "proto", "static", ns=ns)


def declared(network, attachment, others, container):
    """Our file. `others`: name -> network or None, attachment."""
    mac = {} if network.get("driver") == "ipvlan" else {"mac_address": MAC}
    networks = {"n": {"parent": "eth0", **network}, **{name: other[0] for name, other in others.items() if other[0]}}
    attachments = {"n": {**mac, **attachment}, **{name: other[1] for name, other in others.items()}}
    attachments["n"] = {key: value for key, value in attachments["n"].items() if value is not None}
    return document(networks, {"web": {"netns": "ours", "networks": attachments, **container}})


def compare(host, peer, text, differences, parents):
    made = peer(host)
    with contextlib.nullcontext(made) if isinstance(made, tuple) else made as (ns, *links):
        theirs = state(host, ns, links, parents)
        clean(host, ns, links, theirs)
        host.netns("ours")
        host.apply(text)
        ours = state(host, "ours", ["eth0", "eth1"][:len(links)], parents)
        same(allowed(ours, differences), allowed(theirs, differences), "ours, and the peer's")
        host.unchanged(text)


def row(shape, peer, network, attachment, differences=None, parents=(), needs=(), others=None, **container):
    """A test. `peer` is called with the host; `network`, `attachment`, `others` and `container` are ours: see declared;
    `differences`: {part: the reason why it may differ}; `parents`: links of the host that both make, whose states are compared,
    too; `needs`: kinds of link."""
    @test(f"peers: {shape}", needs=needs, seconds=90)
    def compared(host):
        compare(host, peer, declared(network, attachment, others or {}, container), differences or {}, parents)
    return compared
