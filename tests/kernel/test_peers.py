"""The kernel state that mvapply makes, and that of its peers for the same shape: CNI's plugins, netavark, systemd-networkd. A row of
ROWS each: both make a link with the same MAC address, one after the other, and what `ip -j` shows has to be equal, except for
what a row lists with its reason."""
import json
import os
import subprocess

import linux
from declare import document, lan
from host import same
from registry import test

MAC = "02:42:ac:10:56:14"
CNI, NETWORKD = "/usr/lib/cni", "/usr/lib/systemd/systemd-networkd"
NETAVARK = os.environ.get("NETAVARK", "").split()  # Debian 13's: tests/suites/run
TYPES = ("blackhole", "unreachable", "prohibit", "throw")


def shown(host, ns, dev, command):
    return json.loads(host.ip(ns, f"-j {command}") or "[]")


def options(found, *keys):
    return tuple((key, found[key]) for key in keys if key in found)


def routes(host, ns, dev):
    """Without those of the kernel's own: its local table, and link-local prefixes."""
    made = set()
    for family in ("-4", "-6"):
        for route in shown(host, ns, dev, f"{family} route show table all"):
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
            for rule in shown(host, ns, None, f"{family} rule show") if rule["table"] not in ("local", "main", "default")}


def state(host, ns, dev):
    """What a user of the link can tell."""
    link = shown(host, ns, dev, f"-d link show dev {dev}")[0]
    addresses = {(found["family"], found["local"], found["prefixlen"], found["scope"], found.get("broadcast"), found.get("secondary"))
                 for item in shown(host, ns, dev, f"address show dev {dev}") for found in item["addr_info"]
                 if found["scope"] != "link"}
    return {"kind": link["linkinfo"]["info_kind"], "mode": link["linkinfo"]["info_data"]["mode"], "mac": link["address"],
            "mtu": link["mtu"], "flags": tuple(sorted(set(link["flags"]) - {"LOWER_UP"})), "promiscuity": link["promiscuity"],
            "addresses": addresses, "routes": routes(host, ns, dev), "rules": rules(host, ns)}


def cni(host, conf, *chained):
    """Each plugin gets the result of the one before, as libcni does it."""
    host.netns("theirs")
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "web", "CNI_NETNS": "/run/netns/theirs", "CNI_IFNAME": "eth0", "CNI_PATH": CNI,
           "CNI_ARGS": f"IgnoreUnknown=1;MAC={MAC}"}
    result = None
    for plugin in (conf, *chained):
        plugin = {"cniVersion": "1.0.0", "name": "lan", **plugin, **({"prevResult": result} if result else {})}
        result = json.loads(host.run(f"{CNI}/{plugin['type']}", stdin=json.dumps(plugin).encode(), env=env, code=0).out)
    return "theirs", "eth0"


def netavark(host, network, addresses):
    host.netns("theirs")
    given = {"container_id": "0" * 64, "container_name": "web", "networks": {"lan": {
        "static_ips": addresses, "static_mac": MAC, "interface_name": "eth0"}}, "network_info": {"lan": {
            "name": "lan", "id": "1" * 64, "driver": "macvlan", "network_interface": "eth0", "ipv6_enabled": True, "internal": False,
            "dns_enabled": False, "ipam_options": {"driver": "host-local"}, **network}}}
    host.run(*NETAVARK, "--config", "/run/netavark", "setup", "/run/netns/theirs", stdin=json.dumps(given).encode(), code=0)
    return "theirs", "eth0"


def networkd(host, link, *sections):
    """It runs without systemd: it does not wait for udev where /sys is read-only, as in a container. Its link is the host's."""
    linux.mount("sysfs", "/sys", "sysfs", linux.MS_RDONLY)
    os.makedirs("/run/systemd/network", exist_ok=True)
    for folder in ("/run/systemd/netif/links", "/run/systemd/netif/leases"):
        os.makedirs(folder)
    host.run("chown", "-R", "systemd-network:", "/run/systemd/netif", code=0)
    files = {"mv0.netdev": f"[NetDev]\nName=mv0\nKind=macvlan\nMACAddress={MAC}\n[MACVLAN]\nMode=bridge\n",
             "10-eth0.network": "[Match]\nName=eth0\n[Network]\nMACVLAN=mv0\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n"
                                "KeepConfiguration=yes\n",
             "20-mv0.network": f"[Match]\nName=mv0\n{link}\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n" + "\n".join(sections)}
    for name, text in files.items():
        with open(f"/run/systemd/network/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with host.inside("host"):
        child = subprocess.Popen([NETWORKD], env={**os.environ, "SYSTEMD_LOG_TARGET": "console"}, stderr=subprocess.DEVNULL)
    try:
        done = "/run/systemd/netif/links/" + str(host.until(lambda: host.links("host").get("mv0"), "mv0", 20)["ifindex"])
        host.until(lambda: os.path.exists(done) and "ADMIN_STATE=configured" in open(done, encoding="ascii").read(), "configured", 30)
    finally:
        child.kill()
        child.wait()
    return "host", "mv0"


def static(addresses, given):
    return {"ipam": {"type": "static", "addresses": addresses, "routes": given}}


MACVLAN = {"type": "macvlan", "master": "eth0"}
DUAL = [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]
BOTH = {"addresses": ["172.16.86.20", "172.16.86.21", "fd00:86::20"]}


# (shape, the peer, our network, our attachment, {part: reason of a difference that is allowed})
ROWS = (
    ("CNI macvlan and static: several addresses of both families, and routes",
     lambda host: cni(host, {**MACVLAN, "mtu": 1400, **static(
         [{"address": "172.16.86.20/24", "gateway": "172.16.86.1"}, {"address": "172.16.86.21/24"}, {"address": "fd00:86::20/64"}],
         [{"dst": "0.0.0.0/0", "gw": "172.16.86.1"}, {"dst": "10.0.0.0/8", "gw": "172.16.86.254"},
          {"dst": "fd00:99::/32", "gw": "fd00:86::fe"}, {"dst": "::/0", "gw": "fd00:86::1"}])}),
     {"mtu": 1400, "subnets": DUAL},
     {**BOTH, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}, {"to": "fd00:99::/32", "via": "fd00:86::fe"}]}, {}),
    ("CNI macvlan, private, without addresses", lambda host: cni(host, {**MACVLAN, "mode": "private", "ipam": {}}),
     {"mode": "private", "subnets": []}, {}, {}),
    ("CNI macvlan and tuning: MTU, promiscuous, all multicast",
     lambda host: cni(host, {**MACVLAN, **static([{"address": "172.16.86.20/24"}], [])},
                      {"type": "tuning", "mtu": 1300, "promisc": True, "allmulti": True}),
     {"mtu": 1300, "promisc": True, "allmulticast": True, "subnet": "172.16.86.0/24"}, {"ipv4_address": "172.16.86.20"}, {}),
    ("CNI macvlan and sbr: answers by the link's own gateway",
     lambda host: cni(host, {**MACVLAN, **static([{"address": "172.16.86.20/24", "gateway": "172.16.86.1"}],
                                                 [{"dst": "0.0.0.0/0", "gw": "172.16.86.1"}])}, {"type": "sbr"}),
     {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"ipv4_address": "172.16.86.20"},
     {"tables": "sbr numbers tables from 100 on and rules from the kernel's lowest priority on, mvapply from 7700 and 32001 on",
      "main": "sbr moves the routes of the link out of the main table, mvapply adds them to its own",
      "prefsrc": "the route that sbr moves names the source address; that is the one of the rule anyway"}),
    ("netavark macvlan: both families",
     lambda host: netavark(host, {"subnets": DUAL, "options": {"mtu": "1400"}}, ["172.16.86.20", "fd00:86::20"]),
     {"mtu": 1400, "subnets": DUAL}, {"addresses": ["172.16.86.20", "fd00:86::20"]},
     {"metric": "netavark gives default routes the metric 100, mvapply the kernel's"}),
    ("networkd: addresses, a router elsewhere, tables, metrics, types and rules",
     lambda host: networkd(host, "[Link]\nMTUBytes=1400", *[f"Address={address}" for address in
                                                              ("172.16.86.20/24", "172.16.86.21/24", "fd00:86::20/64")],
                           "[Route]\nGateway=198.51.100.1\nGatewayOnLink=yes", "[Route]\nGateway=fd00:86::1",
                           "[Route]\nDestination=10.0.0.0/8\nGateway=172.16.86.254\nTable=100\nMetric=50\nMTUBytes=1300\n"
                           "TCPAdvertisedMaximumSegmentSize=1200",
                           "[Route]\nDestination=10.1.0.0/16\nType=blackhole", "[Route]\nDestination=10.2.0.0/16\nType=throw\nTable=100",
                           "[Route]\nDestination=10.3.0.0/16\nType=prohibit\nMetric=9",
                           "[Route]\nDestination=fd00:1::/64\nType=unreachable\nMetric=1024",
                           "[Route]\nDestination=192.0.2.0/24\nScope=link\nPreferredSource=172.16.86.21",
                           "[RoutingPolicyRule]\nFrom=172.16.86.20/32\nTo=10.0.0.0/8\nTable=100\nPriority=31000\n"),
     {"mtu": 1400, "subnets": [{"subnet": "172.16.86.0/24", "gateway": "198.51.100.1", "on_link": True}, DUAL[1]]},
     {**BOTH, "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254", "table": 100, "metric": 50, "mtu": 1300, "advmss": 1200},
                         {"to": "10.1.0.0/16", "type": "blackhole"}, {"to": "10.2.0.0/16", "type": "throw", "table": 100},
                         {"to": "10.3.0.0/16", "type": "prohibit", "metric": 9}, {"to": "fd00:1::/64", "type": "unreachable"},
                         {"to": "192.0.2.0/24", "source": "172.16.86.21"}],
      "rules": [{"from": "172.16.86.20", "to": "10.0.0.0/8", "table": 100, "priority": 31000}]}, {}),
)


def allowed(found, differences):
    """Both states, without what may differ."""
    found = dict(found)
    if "tables" in differences:
        tables = {dict(rule[1:])["table"] for rule in found["rules"]}
        found["rules"] = {tuple(item for item in rule if item[0] not in ("table", "priority")) for rule in found["rules"]}
        found["routes"] = {(*route[:3], tuple(item for item in route[3] if item != ("table", table) or table not in tables), *route[4:])
                           for route in found["routes"] for table in [dict(route[3]).get("table")]
                           if table in tables or "main" not in differences}
    if "prefsrc" in differences:
        found["routes"] = {(*route[:3], tuple(item for item in route[3] if item[0] != "prefsrc"), *route[4:])
                           for route in found["routes"]}
    if "metric" in differences:
        found["routes"] = {(*route[:3], tuple(item for item in route[3] if item[0] != "metric" or route[2] != "default"), *route[4:])
                           for route in found["routes"]}
    return found


def compare(host, peer, network, attachment, differences):
    ns, dev = peer(host)
    theirs = state(host, ns, dev)
    host.run("ip", "link", "delete", dev, ns=ns, code=0)
    for family in ("-4", "-6"):
        host.run("ip", family, "rule", "flush", "table", "100", ns=ns)
        host.run("ip", family, "route", "flush", "proto", "static", ns=ns)
    host.netns("ours")
    container = {"netns": "ours", "networks": {"n": {"mac_address": MAC, **attachment}}}
    container.update({"policy_routing": True} if "tables" in differences else {})
    networks = {"n": {key: value for key, value in lan(subnet=None, gateway=None, **network).items() if value is not None}
                if "subnet" not in network else {"parent": "eth0", **network}}
    if "tables" in differences:  # with one network alone, policy_routing does nothing
        networks["m"] = lan(subnet="10.99.0.0/24", gateway=None)
        container["networks"]["m"] = {"interface_name": "other"}
    host.apply(document(networks, {"web": container}))
    ours = state(host, "ours", "eth0")
    same(allowed(ours, differences), allowed(theirs, differences), "ours, and the peer's")


def row_test(shape, *row):
    @test(f"peers: {shape}", seconds=90)
    def compared(host):
        compare(host, *row)
    return compared


TESTS = [row_test(*row) for row in ROWS if NETAVARK or not row[0].startswith("netavark")]
