"""`import cni`: the conversion of each key, compared with what CNI's own plugins make of the same
configuration."""
import copy
import json
import os

import yaml

from host import same
from registry import test

PLUGINS = "/usr/lib/cni"

HOST_LOCAL = {"cniVersion": "1.0.0", "name": "lan", "type": "macvlan", "master": "eth0",
              "ipam": {"type": "host-local", "subnet": "10.40.0.0/16", "gateway": "10.40.0.1",
                       "routes": [{"dst": "0.0.0.0/0"}]}}
STATIC = {"cniVersion": "1.0.0", "name": "lan", "type": "macvlan", "master": "eth0",
          "ipam": {"type": "static", "addresses": [{"address": "10.40.0.5/24"}]}}
VLAN = {"name": "lan", "type": "vlan", "master": "eth0", "vlanId": 5,
        "ipam": {"type": "host-local", "subnet": "10.40.0.0/24"}}
WHEREABOUTS = {"name": "lan", "type": "macvlan", "master": "eth0",
               "ipam": {"type": "whereabouts", "range": "10.40.0.0/24"}}


def changed(conf, path, value):
    """The configuration with another value at the path; None: without it."""
    copied = copy.deepcopy(conf)
    place = copied
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copied


def imported(host, *confs, code=0):
    """The parsed YAML, and the text without the comments' line breaks."""
    files = [host.write(conf if isinstance(conf, str) else json.dumps(conf), f"conf{number}.json")
             for number, conf in enumerate(confs)]
    done = host.mvapply("import", "cni", *files, code=code)
    return yaml.safe_load(done.out), done


def comments(done):
    return " ".join(done.out.replace("#", " ").split())


def refused(host, done, *reasons):
    """The result is not valid, and each reason is a comment "edit this"."""
    assert host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"), code=None).code == 3, done
    text = comments(done)
    assert "edit this: " in text, done
    for reason in reasons:
        assert reason in text, f"no {reason!r} in\n{done}"


def network(host, conf):
    declared, done = imported(host, conf)
    host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"))
    return declared["networks"]["lan"], done


@test("import cni: a gateway is never assigned to a container, whether set, derived or routed")
def gateway_is_reserved(host):
    plain = changed(HOST_LOCAL, ["ipam", "routes"], None)
    unsaid = changed(plain, ["ipam", "gateway"], None)
    other = changed(HOST_LOCAL, ["ipam", "routes"], [{"dst": "0.0.0.0/0", "gw": "10.40.0.9"}])
    ranged = {**plain, "ipam": {"type": "host-local", "ranges": [
        [{"subnet": "10.40.0.0/16", "gateway": "10.40.0.1"}],
        [{"subnet": "fd40::/64"}]]}}
    six = changed(plain, ["ipam"], {"type": "host-local", "subnet": "fd40::/64"})
    for conf, gateway, taken in (
            (plain, None, {"10.40.0.1"}), (unsaid, None, {"10.40.0.1"}),
            (other, "10.40.0.9", {"10.40.0.1", "10.40.0.9"}), (HOST_LOCAL, "10.40.0.1", {"10.40.0.1"}),
            (ranged, None, {"10.40.0.1", "fd40::1"}), (six, None, {"fd40::1"})):
        declared, done = imported(host, conf)
        lan = declared["networks"]["lan"]
        same(lan.get("gateway"), gateway, f"the gateway of {conf}")
        host.netns("web")
        declared["containers"] = {"web": {"networks": ["lan"]}}
        host.apply(json.dumps(declared))
        given = {address.split("/")[0] for address in host.addresses("web", "eth0")}
        assert given and not given & taken, f"{given} of {conf}\n{done.out}"
        host.delete(json.dumps(declared))
        host.remove_netns("web")


@test("import cni: keys are read without regard to case, as CNI's plugins read them")
def keys_without_case(host):
    expected, _ = network(host, {**VLAN, "mtu": 1400, "ipam": {
        "type": "host-local", "ranges": [[{"subnet": "10.40.0.0/24", "rangeStart": "10.40.0.32",
                                           "rangeEnd": "10.40.0.63", "gateway": "10.40.0.1"}]],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.40.0.2"}]}})
    text = json.dumps({**VLAN, "mtu": 1400, "ipam": {
        "type": "host-local", "ranges": [[{"subnet": "10.40.0.0/24", "rangeStart": "10.40.0.32",
                                           "rangeEnd": "10.40.0.63", "gateway": "10.40.0.1"}]],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.40.0.2"}]}})
    for change in (str.lower, str.upper, str.title):
        other = text
        for key in ("type", "master", "vlanId", "mtu", "ipam", "ranges", "subnet", "rangeStart",
                    "rangeEnd", "gateway", "routes", "dst", "gw"):
            other = other.replace(f'"{key}"', f'"{change(key)}"')
        lan, _ = network(host, json.loads(other))
        same(lan, expected, f"with {change}")
    lan, _ = network(host, {"name": "lan", "type": "vlan", "ma\u017fter": "eth0", "vlanId": 4,
                            "VLANID": 5, "ipam": VLAN["ipam"]})
    same((lan["parent"], lan["vlan"]), ("eth0", 5), "letters that fold, and the last of two")


@test("import cni: without the LAN's values the result is invalid, and says what to edit")
def lan_is_decided(host):
    for conf, reason in (
            (changed(VLAN, ["vlanId"], None), "vlanId from 1 to 4094"),
            (changed(VLAN, ["vlanId"], 0), "vlanId from 1 to 4094"),
            (changed(VLAN, ["vlanId"], 5000), "vlanId: 5000"),
            (changed(VLAN, ["vlanId"], "x"), 'vlanId: "x"'),
            ({**HOST_LOCAL, "vlanId": 5}, "write `vlan: 5`"),
            ({**HOST_LOCAL, "vlan": 6}, "write `vlan: 6`"),
            (changed(HOST_LOCAL, ["master"], None), "`parent: `"),
            (changed(HOST_LOCAL, ["master"], ""), "`parent: `"),
            ({**HOST_LOCAL, "linkInContainer": True}, "linkInContainer"),
            ({**HOST_LOCAL, "linkincontainer": "true"}, "linkInContainer"),
            ({**HOST_LOCAL, "mode": "source"}, 'macvlan has no mode source'),
            ({**HOST_LOCAL, "mode": 3}, "macvlan has no mode 3"),
            ({**HOST_LOCAL, "type": "ipvlan", "mode": "bridge"}, 'ipvlan has no mode bridge'),
            (changed(HOST_LOCAL, ["ipam"], {}), "subnet"),
            (changed(HOST_LOCAL, ["ipam"], {"type": "other"}), '"other"')):
        refused(host, imported(host, conf)[1], reason)


@test("import cni: ranges that are not a block, are reversed, or are outside of the subnet")
def ranges(host):
    for start, end, block, said in (
            ("10.40.0.64", "10.40.0.127", "10.40.0.64/26", ""),
            ("10.40.0.1", "10.40.255.254", None, ""),
            ("10.40.0.20", "10.40.0.90", "10.40.0.20-10.40.0.90", ""),
            ("10.40.0.7", "10.40.0.7", "10.40.0.7/32", "")):
        ipam = {**HOST_LOCAL["ipam"], "rangeStart": start, "rangeEnd": end}
        lan, done = network(host, {**HOST_LOCAL, "ipam": ipam})
        same(lan.get("ip_range"), block, f"{start} to {end}")
        assert said in comments(done), done
    for start, end in (("10.40.0.90", "10.40.0.20"), ("10.40.0.20", "10.41.0.1"),
                       ("fd00::1", "10.40.0.20")):
        ipam = {**HOST_LOCAL["ipam"], "rangeStart": start, "rangeEnd": end}
        refused(host, imported(host, {**HOST_LOCAL, "ipam": ipam})[1], start)


@test("import cni: default routes in any spelling, and routes of other tables")
def default_routes(host):
    six = {"type": "host-local", "subnet": "fd40::/64", "gateway": "fd40::9"}
    for spelling in ("::/0", "::0/0", "0::/0", "0:0:0:0:0:0:0:0/0", "fd40::5/0"):
        lan, _ = network(host, {**HOST_LOCAL, "ipam": {**six, "routes": [{"dst": spelling}]}})
        same(lan["gateway"], "fd40::9", spelling)
    lan, _ = network(host, changed(HOST_LOCAL, ["ipam", "routes"], [{"dst": "10.1.2.3/0"}]))
    same(lan["gateway"], "10.40.0.1", "host bits")
    route = {"dst": "0.0.0.0/0", "gw": "10.40.0.1", "scope": 253}
    lan, done = network(host, changed(HOST_LOCAL, ["ipam", "routes"], [route]))
    same(lan.get("gateway"), None, "a scope without a router")
    assert '"scope":253' in comments(done), done
    route = {"dst": "0.0.0.0/0", "gw": "10.40.0.1", "table": 5000}
    lan, done = network(host, changed(HOST_LOCAL, ["ipam", "routes"], [route]))
    same((lan.get("gateway"), lan["routes"]),
         (None, [{"to": "0.0.0.0/0", "via": "10.40.0.1", "table": 5000}]), "another table")
    for key in ("priority", "mtu", "advmss"):
        route = {"dst": "0.0.0.0/0", key: 700}
        lan, done = network(host, changed(HOST_LOCAL, ["ipam", "routes"], [route]))
        same(lan["gateway"], "10.40.0.1", key)
        assert f"{key} of the route to 0.0.0.0/0: 700" in comments(done), done
    lan, done = network(host, changed(HOST_LOCAL, ["ipam", "routes"],
                                      [{"dst": "0.0.0.0/0", "gw": "10.99.0.1"}]))
    same((lan["gateway"], lan["on_link"]), ("10.99.0.1", True), "a router outside of the subnet")
    lan, done = network(host, {**HOST_LOCAL, "ipam": {
        **six, "routes": [{"dst": "::/0", "gw": "fe80::1"}]}})
    same((lan["gateway"], lan.get("on_link")), ("fe80::1", None), "a link-local router")
    lan, done = network(host, changed(HOST_LOCAL, ["ipam", "routes"], [
        {"dst": "10.8.0.0/16", "priority": 7, "mtu": 1300, "advmss": 1200, "table": 9}]))
    same(lan["routes"], [{"to": "10.8.0.0/16", "via": "10.40.0.1", "table": 9, "metric": 7,
                          "mtu": 1300, "advmss": 1200}], "what else a route has")


@test("import cni: a static address has its routes, sysctls and MAC; a second one is a comment")
def static(host):
    conf = {"name": "lan", "plugins": [
        {"type": "macvlan", "master": "eth0", "ipam": {"type": "static", "addresses": [
            {"address": "10.40.0.5/24", "gateway": "10.40.0.1"}, {"address": "10.40.0.6/24"},
            {"address": "fd40::5/64"}],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.8.0.0/16"},
                       {"dst": "10.9.0.0/16", "gw": "10.40.0.2", "mtu": 1300}]}},
        {"type": "tuning", "mac": "02:00:00:00:00:05", "mtu": 1400, "promisc": True,
         "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1", "net/ipv4/conf/IFNAME/rp_filter": "2",
                    "net.core.somaxconn": "500"}}]}
    declared, done = imported(host, conf)
    same(declared["containers"]["lan"]["networks"]["lan"], {
        "ipv4_address": "10.40.0.5", "ipv6_address": "fd40::5", "mac_address": "02:00:00:00:00:05",
        "sysctls": {"net.ipv4.conf.IFNAME.arp_filter": "1",
                    "net.ipv4.conf.IFNAME.rp_filter": "2"}}, "the attachment")
    same([declared["networks"]["lan"][key] for key in ("mtu", "promisc")], [1400, True], "of tuning")
    same(declared["networks"]["lan"]["routes"],
         [{"to": "10.8.0.0/16", "via": "10.40.0.1"},
          {"to": "10.9.0.0/16", "via": "10.40.0.2", "mtu": 1300}], "the network's routes")
    for left in ("10.40.0.6/24", "somaxconn"):
        assert left in comments(done), f"no {left!r} in\n{done}"
    alone = changed(STATIC, ["ipam"], {"type": "static", "routes": [{"dst": "0.0.0.0/0"}]})
    refused(host, imported(host, alone)[1], '"dst":"0.0.0.0/0"', "subnet")


@test("import cni: whereabouts' ranges and exclusions")
def whereabouts(host):
    for ipam, expected in (
            ({"range": "10.40.0.0/24"}, {"subnet": "10.40.0.0/24"}),
            ({"range": "10.40.0.5/24"}, {"subnet": "10.40.0.0/24"}),
            ({"range": "10.40.0.64-10.40.0.127/24"}, {"subnet": "10.40.0.0/24", "ip_range": "10.40.0.64/26"}),
            ({"range": "10.40.0.0/24", "range_start": "10.40.0.64", "range_end": "10.40.0.127"},
             {"subnet": "10.40.0.0/24", "ip_range": "10.40.0.64/26"}),
            ({"range": "10.40.0.0/24", "exclude": ["10.40.0.128/25", "10.40.0.7/32", "10.40.0.9"]},
             {"subnet": "10.40.0.0/24", "exclude": ["10.40.0.128/25", "10.40.0.7", "10.40.0.9"]}),
            ({"range": "10.40.0.0/24", "exclude": ["10.40.0.20-10.40.0.40", "10.128.0.0/9", "10.40.0.255-10.41.0.9"]},
             {"subnet": "10.40.0.0/24", "exclude": ["10.40.0.20-10.40.0.40", "10.40.0.255"]}),
            ({"range": "10.40.0.0/24", "gateway": "10.40.0.1", "routes": [{"dst": "0.0.0.0/0"}],
              "exclude": ["10.40.0.1/32"]}, {"subnet": "10.40.0.0/24", "gateway": "10.40.0.1", "exclude": "10.40.0.1"}),
            ({"ipRanges": [{"range": "10.40.0.0/24"}, {"range": "fd40::/64", "exclude": ["fd40::/127"]}]},
             {"subnets": [{"subnet": "10.40.0.0/24"},
                          {"subnet": "fd40::/64", "exclude": "fd40::/127"}]})):
        lan, done = network(host, {**WHEREABOUTS, "ipam": {"type": "whereabouts", **ipam}})
        del lan["parent"]
        same(lan, expected, f"{ipam}\n{done.out}")
    many = [f"10.40.{third}.{fourth}/32" for third in range(4) for fourth in range(10, 60)]
    lan, _ = network(host, {**WHEREABOUTS, "ipam": {"type": "whereabouts", "range": "10.40.0.0/16",
                                                    "exclude": many}})
    same([f"{address}/32" for address in lan["exclude"]], many, "each of many")
    refused(host, imported(host, {**WHEREABOUTS, "ipam": {
        "type": "whereabouts", "range": "10.40.0.0/24", "exclude": ["10.40.0.0/24"]}})[1], "excluded")


@test("import cni: NetworkAttachmentDefinitions, several documents, a List, and a directory")
def definitions(host):
    def definition(name, conf):
        return {"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
                "metadata": {"name": name, "namespace": "prod"}, "spec": {"config": json.dumps(conf)}}

    texts = {"one.yaml": yaml.safe_dump_all([definition("a", HOST_LOCAL), definition("b", VLAN)]),
             "two.json": json.dumps({"kind": "List", "items": [definition("c", HOST_LOCAL)]}),
             "three.conflist": json.dumps({"name": "d", "plugins": [HOST_LOCAL]}),
             "four.conf": json.dumps({**VLAN, "name": "e"}), "README": "no configuration",
             "five.yaml": yaml.safe_dump({"kind": "NetworkAttachmentDefinition",
                                          "metadata": {"name": "f"}})}
    os.makedirs("/run/work/net.d", exist_ok=True)
    for name, text in texts.items():
        host.write(text, f"net.d/{name}")
    done = host.mvapply("import", "cni", "net.d")
    declared = yaml.safe_load(done.out)
    same({name: (lan["parent"], lan.get("vlan")) for name, lan in declared["networks"].items()},
         {"a": ("eth0", None), "b": ("eth0", 5), "c": ("eth0", None), "d": ("eth0", None),
          "e": ("eth0", 5)}, "networks")
    assert "f has no spec.config" in comments(done), done
    host.write(yaml.safe_dump(definition("a", VLAN)), "net.d/six.yaml")
    again = host.mvapply("import", "cni", "net.d")
    assert "a-2 is another configuration with the name a" in comments(again), again
    os.unlink("/run/work/net.d/six.yaml")
    host.mvapply("validate", "-f", host.write(done.out, "imported.yaml"))
    os.makedirs("/run/work/empty", exist_ok=True)
    assert "*.conflist" in host.mvapply("import", "cni", "empty", code=3).err
    for bad in ("- a\n- b\n", "text\n", "kind: [\n"):
        assert host.mvapply("import", "cni", host.write(bad, "bad.yaml"), code=3).err, bad


# Each key of the plugins, with a value that differs from the default.
KNOWN = [(HOST_LOCAL, path, value) for path, value in (
    (["mode"], "vepa"), (["mtu"], 1400), (["bcqueuelen"], 50), (["mac"], "02:00:00:00:00:05"),
    (["linkInContainer"], True), (["master"], "eth1"), (["dns"], {"nameservers": ["10.0.0.53"]}),
    (["capabilities"], {"ips": True}), (["args"], {"cni": {"ips": ["10.40.0.7/16"]}}),
    (["runtimeConfig"], {"mac": "02:00:00:00:00:05"}), (["prevResult"], {"ips": []}),
    (["disableCheck"], True), (["disableGC"], True), (["promiscMode"], True), (["ipMasq"], True),
    (["ipam", "type"], "dhcp"), (["ipam", "subnet"], "10.41.0.0/16"), (["ipam", "gateway"], "10.40.0.9"),
    (["ipam", "rangeStart"], "10.40.0.9"), (["ipam", "rangeEnd"], "10.40.0.99"),
    (["ipam", "dataDir"], "/run/x"), (["ipam", "resolvConf"], "/etc/resolv.conf"),
    (["ipam", "ranges"], [[{"subnet": "10.44.0.0/24"}]]), (["ipam", "unknown"], 1),
    (["ipam", "routes"], [{"dst": "10.0.0.0/8"}]))]
KNOWN += [(HOST_LOCAL, ["ipam", "routes", 0, key], value) for key, value in (
    ("gw", "10.40.0.9"), ("table", 5000), ("priority", 9), ("mtu", 1300), ("advmss", 1000),
    ("scope", 253), ("unknown", 1))]
KNOWN += [(VLAN, path, value) for path, value in (
    (["vlanId"], 6), (["mtu"], 1400), (["mode"], "vepa"), (["master"], "eth1"), (["bcqueuelen"], 5),
    (["linkInContainer"], True))]
KNOWN += [(STATIC, path, value) for path, value in (
    (["ipam", "addresses", 0, "gateway"], "10.40.0.1"), (["ipam", "addresses", 0, "unknown"], 1),
    (["ipam", "dns"], {"search": ["x"]}), (["mac"], "02:00:00:00:00:05"))]
KNOWN += [(WHEREABOUTS, ["ipam", key], value) for key, value in (
    ("range_start", "10.40.0.9"), ("range_end", "10.40.0.99"), ("exclude", ["10.40.0.9/32"]),
    ("gateway", "10.40.0.9"), ("ipRanges", [{"range": "fd40::/64"}]), ("network_name", "x"),
    ("kubernetes", {"kubeconfig": "x"}), ("enable_overlapping_ranges", False), ("log_file", "x"))]
KNOWN += [({"name": "lan", "plugins": [HOST_LOCAL, {"type": "tuning"}]}, ["plugins", 1, key], value)
          for key, value in (("sysctl", {"net.ipv4.conf.IFNAME.rp_filter": "1"}), ("mtu", 1300),
                             ("mac", "02:00:00:00:00:05"), ("promisc", True), ("allmulti", True),
                             ("txQLen", 5), ("dataDir", "/run/x"))]


@test("import cni: each known key is converted, a comment, or refused", seconds=120)
def nothing_silent(host):
    for conf, path, value in KNOWN:
        plain, other = imported(host, conf)[1].out, imported(host, changed(conf, path, value))[1].out
        assert plain != other, f"{path} {value!r} is silent:\n{other}"


@test("import cni: the result has the addresses, MAC and routes of CNI's plugins")
def as_the_plugins(host):
    assert os.path.exists(f"{PLUGINS}/macvlan"), "the package of CNI's plugins is not installed"

    def plugin(command, conf, name):
        environment = {**os.environ, "CNI_COMMAND": command, "CNI_CONTAINERID": name,
                       "CNI_NETNS": f"/run/netns/{name}", "CNI_IFNAME": "eth0", "CNI_PATH": PLUGINS}
        host.run(f"{PLUGINS}/{conf['type']}", stdin=json.dumps(conf).encode(), env=environment, code=0)

    def seen():
        routes = {" ".join(word for word in route.replace("scope link ", "").split())
                  for route in host.routes("web")}
        return {address for address in host.addresses("web", "eth0") if not address.startswith("fe80")}, {
            route for route in routes if "fe80" not in route and "multicast" not in route}

    host.netns("web")
    for number, ipam in enumerate((
                 HOST_LOCAL["ipam"], changed(HOST_LOCAL, ["ipam", "routes"], [])["ipam"],
                 {"type": "host-local", "subnet": "10.40.0.0/24", "rangeStart": "10.40.0.64",
                  "rangeEnd": "10.40.0.127", "routes": [{"dst": "0.0.0.0/0", "gw": "10.40.0.9"}]},
                 {"type": "static", "addresses": [{"address": "10.40.0.5/24", "gateway": "10.40.0.1"}],
                  "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16"}]})):
        conf = {**HOST_LOCAL, "ipam": {**ipam}}
        played = copy.deepcopy(conf)
        if ipam["type"] == "host-local":
            played["ipam"]["dataDir"] = f"/run/work/cni{number}"
        plugin("ADD", played, "web")
        theirs = seen()
        plugin("DEL", played, "web")
        declared, done = imported(host, conf)
        containers = declared.get("containers", {"web": {"networks": ["lan"]}})
        declared["containers"] = {"web": next(iter(containers.values()))}
        host.apply(json.dumps(declared))
        same(seen(), theirs, f"{ipam}\n{done.out}")
        host.delete(json.dumps(declared))


@test("import cni: the device plugin's resource of a definition is reported")
def resource(host):
    conf = json.dumps({**HOST_LOCAL, "name": "lan"})
    text = json.dumps({"kind": "NetworkAttachmentDefinition", "spec": {"config": conf}, "metadata": {
        "name": "lan", "annotations": {"k8s.v1.cni.cncf.io/resourceName": "example.org/port"}}})
    done = host.mvapply("import", "cni", host.write(text, "definition.json"))
    assert "k8s.v1.cni.cncf.io/resourceName=example.org/port is not converted" in \
        " ".join(done.out.replace("#", " ").split()), done
