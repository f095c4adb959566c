"""The doctor's findings, and the fixes that it suggests."""
import errno
import os

import linux
from declare import BRIDGE, document, lan
from faults import noted, preload
from features import ADDRESS_PROTOCOL, MULTICAST_LIMIT, QUEUE_LENGTH, RENAME_UP
from host import ETH0_MAC, same
from registry import test

NEW_LINK_PROPERTY = 108


def devices(**files):
    """Replaces the entries of /sys for network devices: link -> files, or its driver's name."""
    linux.mount("tmpfs", "/sys/class/net", "tmpfs")
    for link, content in files.items():
        os.makedirs(f"/sys/class/net/{link}/device")
        with open(f"/sys/class/net/{link}/address", "w", encoding="ascii") as file:
            file.write(f"{ETH0_MAC}\n")
        if content.startswith("driver "):
            os.symlink(f"/drivers/{content.split()[1]}", f"/sys/class/net/{link}/device/driver")
        else:
            os.mkdir(f"/sys/class/net/{link}/{content}")


def findings(host, text, code, *flags):
    """(level, check, subject) -> the finding, from JSON; the text must contain the same."""
    done = host.mvapply("doctor", "-f", host.write(text), "-o", "json", *flags, code=code).json
    same(done["exit_code"], code, "exit code in JSON")
    shown = host.mvapply("doctor", "-f", "network.yaml", *flags, code=code)
    words = " ".join(shown.out.split())
    for finding in done["findings"]:
        for part in ("level", "check", "subject", "message", "fix"):
            assert not finding[part] or finding[part] in words, f"no {finding[part]!r}\n{shown}"
    # Networks without ip_range are the subject of test_ranges.py.
    return {(one["level"], one["check"], one["subject"]): one for one in done["findings"]
            if one["code"] != "MV1201"}


@test("doctor: a host without problems: no finding, no change, exit 0")
def fit(host):
    devices()
    host.netns("web")
    same(host.silently("doctor", lambda: findings(host, BRIDGE, 0)), {}, "findings")
    host.apply(BRIDGE)
    same(host.silently("doctor", lambda: findings(host, BRIDGE, 0)), {}, "findings, converged")
    assert "No problem found." in host.mvapply("doctor", "-f", "network.yaml").out


def lacks(host, text, code=0):
    """level -> what the doctor finds about the kernel's features, in JSON and as text."""
    done = host.silently("doctor", lambda: host.mvapply("doctor", "-f", host.write(text), "-o", "json", code=code).json)
    found = {}
    shown = " ".join(host.mvapply("doctor", "-f", "network.yaml", code=code).out.split())
    for finding in done["findings"] + done["notes"]:
        if finding["code"] == "MV0903":
            found.setdefault(finding["level"], []).append(finding["message"])
            assert finding["message"] in shown, f"no {finding['message']!r} in {shown}"
    return {level: [[word for word in ("`bcqueuelen`", "`bclim`", "rename", "protocol of addresses", "alternative names") if word in text]
                    for text in texts] for level, texts in found.items()}


@test("doctor: what the kernel lacks of what the files ask for, before the first apply and after it",
      features=[ADDRESS_PROTOCOL, MULTICAST_LIMIT, QUEUE_LENGTH, RENAME_UP])
def kernel_lacks(host):
    devices()
    host.netns("web")
    host.ip("host", "link set lo up")

    def text(name):
        return document({"n": lan(bcqueuelen=50, bclim=5, ip_range="172.16.86.0/25")}, {"web": {"n": {"interface_name": name}}})
    queue = [*([] if host.has(QUEUE_LENGTH) else [["`bcqueuelen`"]]), *([] if host.has(MULTICAST_LIMIT) else [["`bclim`"]])]
    note = {} if host.has(ADDRESS_PROTOCOL) else {"note": [["protocol of addresses"]]}

    def expected(*others):
        warned = [*([] if host.has(RENAME_UP) else others), *queue]
        return {**({"warning": warned} if warned else {}), **note}
    same(lacks(host, text("eth0")), expected(), "before")
    host.apply(text("eth0"))
    same(lacks(host, text("eth0")), expected(), "converged")
    same(lacks(host, text("lan0")), expected(["rename"]), "with another name")
    host.ip("host", "link set lo down")
    same(lacks(host, text("lan0")), expected(), "where the loopback cannot say")
    same(lacks(host, document({"n": lan(ip_range="172.16.86.0/25")}, {})), {}, "what the files do not ask for")


@test("doctor: a kernel without alternative names of links")
def no_altnames(host):
    devices()
    host.netns("web")
    for text in (document({"n": lan(manage_parent=True, ip_range="172.16.86.0/25")}, {"web": ["n"]}),
                 document({"n": lan(ip_range="172.16.86.0/25")}, {"web": {"n": {"altnames": ["uplink"]}}})):
        host.write(text)
        numbers = [number for number, kind in noted(host, "request", lambda env: host.mvapply(
            "doctor", "-f", "network.yaml", env=env)) if kind == NEW_LINK_PROPERTY]
        same(len(numbers), 1, "requests")
        done = host.mvapply("doctor", "-f", "network.yaml", "-o", "json", code=1,
                            env=preload(host, f"refuse@{numbers[0]}={errno.EOPNOTSUPP}")).json
        same([(one["level"], one["code"]) for one in done["findings"] if "`altnames`" in one["message"]],
             [("problem", "MV0903")], "findings")


def rows(done):
    """check -> the text of its ok row."""
    return {line.split()[1]: " ".join(line.split()[2:]) for line in done.out.splitlines()
            if line.startswith("ok ")}


@test("doctor: /sys of another network namespace is ignored")
def other_sys(host):
    devices(eth0="driver vmxnet3")
    with open("/sys/class/net/eth0/address", "w", encoding="ascii") as file:
        file.write("02:00:00:00:0e:e0\n")
    host.netns("web")
    same(findings(host, BRIDGE, 0), {}, "findings")
    done = rows(host.mvapply("doctor", "-f", "network.yaml"))
    same((done["hardware"], done["parents"], done["containers"]),
         ("the hardware of eth0 is unknown: /sys shows another network namespace", "eth0 is up, mtu 1500", "1 of 1 running"), "rows")


@test("doctor: parents are not called ok if one is missing")
def parent_missing(host):
    devices()
    done = host.mvapply("doctor", "-f", host.write(document({"a": lan(parent="eth7")}, {})), code=1)
    assert "parents" not in rows(done) and "hardware" not in rows(done), done
    both = document({"a": lan(parent="eth7"), "b": lan()}, {})
    done = host.mvapply("doctor", "-f", host.write(both), code=1)
    same(rows(done)["parents"], "eth0 is up, mtu 1500", "of the other")


@test("doctor: an engine that does not answer")
def engine_down(host):
    devices()
    text = document({"n": lan()}, {name: {"docker": name, "networks": ["n"]}
                                   for name in ("app", "shop")})
    found = findings(host, text, 1)
    same(set(found), {("problem", "containers", "docker")}, "findings")
    found = found["problem", "containers", "docker"]
    same(found["code"], "MV0704", "the code")
    assert "cannot be reached" in found["message"] and found["fix"], found


@test("doctor: kinds of links that the kernel cannot create", both=True)
def kinds(host):
    devices()
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                        "link set up1 up"])
    # The kernel's features, which `ip` detects by trying.
    commands = {"macvlan": "link eth0 name probe type macvlan", "dummy": "name probe type dummy",
                "vlan": "link eth0 name probe type vlan id 9",
                "macvtap": "link eth0 name probe type macvtap",
                "ipvlan": "link eth1 name probe type ipvlan"}
    missing = set()
    for kind, command in commands.items():
        if host.run("ip", "link", "add", *command.split()).code == 0:
            host.ip("host", "link delete probe")
        else:
            missing.add(kind)
    text = document({"m": lan(vlan=10), "i": lan(driver="ipvlan", parent="eth1", gateway=None),
                     "t": lan(driver="macvtap", subnet="10.8.0.0/24", gateway=None),
                     "d": {"internal": True, "subnet": "10.9.0.0/24"}}, {})
    found = host.silently("doctor", lambda: host.mvapply(
        "doctor", "-f", host.write(text), "-o", "json", code=1 if missing else 0).json)
    reported = {one["message"].split()[4] for one in found["findings"] if one["check"] == "kernel"}
    same(reported, missing, "kinds that are told as missing")


@test("doctor: missing capabilities")
def rights(host):
    devices()
    done = host.mvapply("doctor", "-f", host.write(BRIDGE), "-o", "json", code=1,
                        before=linux.drop_capability_bounds).json
    same([(one["level"], one["message"].split()[1]) for one in done["findings"]
          if one["check"] == "rights"],
         [("problem", "CAP_NET_ADMIN,"), ("problem", "CAP_SYS_ADMIN,"),
          ("warning", "CAP_NET_RAW,")], "rights")


@test("doctor: a parent that is missing, down, or too small for IPv6")
def parents(host):
    devices()
    host.netns("web")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 mtu 1270"])
    networks = {"a": lan(parent="eth7"), "b": lan(parent="eth1", subnet="fd00:86::/64",
                                                   gateway=None)}
    found = findings(host, document(networks, {"web": ["b"]}), 1)
    same({key: finding["code"] for key, finding in found.items()},
         {("problem", "plan", "a"): "MV0601", ("problem", "plan", "b"): "MV0605"}, "findings")
    host.batch("host", ["link set eth1 mtu 1500"])
    found = findings(host, document(networks, {"web": ["b"]}), 1)
    same(set(found), {("problem", "plan", "a"), ("problem", "parents", "eth1")}, "with that MTU")
    done = host.mvapply("doctor", "-f", "network.yaml", code=1)
    for words in ('the host has no link "eth7"', "is down", "`ip link set eth1 up`"):
        assert words in done.out, f"no {words!r}\n{done}"
    host.batch("host", ["link set eth1 up", "link set up1 up"])
    same(findings(host, document({"b": networks["b"]}, {}), 0), {}, "once they are mended")


@test("doctor: two parents, one with a name that ends in the other's")
def parents_listed(host):
    devices()
    host.batch("host", ["link add veth0 type veth peer name up1", "link set veth0 up", "link set up1 up"])
    networks = {"a": lan(parent="veth0", subnet="172.16.99.0/24", gateway="172.16.99.1"),
                "b": lan(), "c": lan(subnet="172.16.98.0/24", gateway="172.16.98.1")}
    done = host.mvapply("doctor", "-f", host.write(document(networks, {})))
    same(rows(done)["parents"], "veth0 is up, mtu 1500, eth0 is up, mtu 1500", "the parents, once each")


@test("doctor: an unmanaged link, an unmanaged holder of the MAC, an MTU over the parent's")
def conflicts(host):
    devices()
    host.netns("web", "db", "ci")
    host.batch("host", ["link add link eth0 name other address 02:00:5e:00:00:09 type macvlan "
                        "mode bridge"])
    host.batch("web", ["link add eth0 type veth peer name eth9"])
    networks = {"n": lan(), "big": lan(mtu=9000, ip_range="172.16.86.128/25")}
    found = findings(host, document(networks, {
        "web": {"n": {"interface_name": "eth0"}}, "db": {"n": {"mac_address": "02:00:5e:00:00:09"}},
        "ci": ["big"]}), 1)
    same(set(found), {("problem", "plan", "web/n"), ("problem", "plan", "db/n"),
                      ("problem", "plan", "big")}, "findings")
    assert "has a link eth0 (veth)" in found["problem", "plan", "web/n"]["message"], found
    assert "02:00:5e:00:00:09" in found["problem", "plan", "db/n"]["message"], found
    assert "mtu 9000" in found["problem", "plan", "big"]["message"], found


@test("doctor: a wireless parent, for macvlan alone")
def wireless(host):
    devices(eth0="phy80211")
    found = findings(host, document({"n": lan()}, {}), 1)
    same(set(found), {("problem", "hardware", "eth0")}, "findings")
    assert "ipvlan" in found["problem", "hardware", "eth0"]["fix"], found
    done = host.mvapply("doctor", "-f", host.write(document({"n": lan(driver="ipvlan")}, {})),
                        "-o", "json", code=None).json
    same([one for one in done["findings"] if one["check"] == "hardware"], [], "with ipvlan")


@test("doctor: hypervisors that drop unknown MACs, and devices with few filters")
def drivers(host):
    devices(eth0="driver vmxnet3")
    found = findings(host, document({"n": lan(), "o": lan(subnet="172.16.87.0/24", gateway=None)}, {}), 0)
    same(set(found), {("warning", "hardware", "eth0")}, "findings of vmxnet3")
    assert "forged transmits" in found["warning", "hardware", "eth0"]["fix"], found
    linux.umount("/sys/class/net")
    devices(eth0="driver igb")
    text = {f"c{i}": {"pid": 99990 - i, "networks": ["n"]} for i in range(16)}
    found = findings(host, document({"n": lan()}, text), 0)
    assert "with 16 macvlans" in found["warning", "hardware", "eth0"]["message"], found
    del text["c0"]
    same(findings(host, document({"n": lan()}, text), 0), {}, "findings of 15")


@test("doctor: strict filtering by reverse path, for containers on several networks")
def rp_filter(host):
    devices()
    host.netns("web", "db")
    host.set_sysctl("host", "net/ipv4/conf/default/rp_filter", 0)
    host.set_sysctl("host", "net/ipv4/conf/all/rp_filter", 1)
    networks = {"a": lan(), "b": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")}
    loose = {"sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}
    found = findings(host, document(networks, {"web": ["a", "b"], "db": ["a"]}), 0)
    same(set(found), {("warning", "rp_filter", "web")}, "findings")
    same(findings(host, document(networks, {"web": {"a": loose, "b": loose}}), 0), {}, "loose")
    host.set_sysctl("host", "net/ipv4/conf/all/rp_filter", 2)
    same(findings(host, document(networks, {"web": ["a", "b"]}), 0), {}, "not strict")


def alone(host, code, **options):
    """The findings of a doctor without files, by check and subject, and the text."""
    shown = host.silently("doctor", lambda: host.mvapply("doctor", code=code, **options))
    written = host.mvapply("doctor", "-o", "json", code=code, **options).json
    assert "Only the host was checked." in shown.out, shown
    # Kinds of links that this kernel lacks are warnings.
    return {(one["level"], one["check"], one["subject"]): one for one in written["findings"]
            if one["check"] != "kernel"}, shown


@test("doctor: without files, of the host alone")
def host_alone(host):
    devices()
    found, shown = alone(host, 0)
    same(found, {}, "findings")
    for check, text in (("parents", "no default route, which would show the link to the LAN"),
                        ("containers", "no socket of Docker or Podman")):
        same(rows(shown)[check], text, check)
    host.batch("host", ["address add 172.16.86.9/24 dev eth0", "route add default via 172.16.86.1"])
    found, shown = alone(host, 0)
    same((found, rows(shown)["parents"]), ({}, "eth0 is up, mtu 1500"), "with a default route")
    host.netns("web")
    host.apply(BRIDGE)
    same(alone(host, 0)[0], {}, "what is live does not matter")
    done = host.mvapply("doctor", "--traffic", code=3)
    assert "doctor --traffic needs a file [MV1005]" in done.err, done


@test("doctor: without files, the link of the default route and an engine that does not answer")
def host_alone_unfit(host):
    devices(eth0="phy80211")
    host.batch("host", ["address add fd00:86::9/64 dev eth0 nodad", "route add default via fd00:86::1"])
    with open("/run/engine.sock", "w", encoding="ascii"):
        found, _ = alone(host, 1, env={"DOCKER_HOST": "unix:///run/engine.sock"})
    same(set(found), {("problem", "hardware", "eth0"), ("problem", "containers", "docker")}, "findings")
    same(found["problem", "containers", "docker"]["code"], "MV0704", "of the engine")
