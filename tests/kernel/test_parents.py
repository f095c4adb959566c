"""A managed VLAN or dummy link is kept while a link is on it that the run does not delete."""
import errno
import subprocess

from declare import document, lan
from faults import noted, preload
from host import Result, same
from registry import test
from service import watching

ISLAND = {"internal": True, "subnet": "10.9.0.0/24"}


def identity(host, ns, *names):
    """The state that must not change: the links' ifindexes, addresses and MACs."""
    return {name: (host.link(ns, name)["ifindex"], host.link(ns, name)["address"],
                   host.addresses(ns, name)) for name in names}


def manual_link(host, parent, ns="other"):
    """A manually created macvlan."""
    host.netns(ns)
    host.batch("host", [f"link add link {parent} name g0 type macvlan mode bridge",
                        f"link set g0 netns {ns}"])
    host.batch(ns, ["link set g0 up", "address add 10.9.0.200/24 dev g0"])


def kept(done, link, *users):
    line = next((line for line in done.plan if line.startswith(f"kept {link} used by ")), "")
    assert any(line == f"kept {link} used by {user}" for user in users), done


@test("parents: a dummy stays while other links are attached to it", needs=["dummy"])
def dummy_shared(host):
    host.netns("web", "db")
    text = document({"i": ISLAND}, {"web": ["i"]})
    theirs = document({"j": {"parent": "mvd-i", "subnet": "10.9.0.0/24"}},
                      {"db": {"j": {"ipv4_address": "10.9.0.77"}}}, name="theirs")
    host.apply(text)
    manual_link(host, "mvd-i")
    host.write(theirs, "theirs.yaml")
    host.mvapply("apply", "-f", "theirs.yaml")
    before = identity(host, "other", "g0"), identity(host, "db", "eth0")
    index = host.link("host", "mvd-i")["ifindex"]
    kept(host.delete(text), "mvd-i", "eth0 in db", "g0 in other")
    same((identity(host, "other", "g0"), identity(host, "db", "eth0")), before, "the others' links")
    same((host.names("host"), host.link("host", "mvd-i")["ifindex"], host.names("web")),
         ({"eth0", "mvd-i"}, index, set()), "the dummy and web")
    host.apply(text)
    same(host.link("host", "mvd-i")["ifindex"], index, "the dummy, used again")
    kept(host.apply(document({"n": lan()}, {"web": ["n"]}), "--max-delete=100%"), "mvd-i",
         "eth0 in db", "g0 in other")
    host.mvapply("delete", "-f", "theirs.yaml")
    kept(host.delete(text), "mvd-i", "g0 in other")
    host.ip("other", "link del g0")
    host.delete(text)
    same(host.names("host"), {"eth0"}, "links of the host")


@test("parents: a dummy with an unmanaged VLAN stays", needs=["dummy", "vlan"])
def dummy_under_vlan(host):
    host.netns("web")
    text = document({"i": ISLAND}, {"web": ["i"]})
    host.apply(text)
    host.ip("host", "link add link mvd-i name mine type vlan id 7")
    before = identity(host, "host", "mine")
    kept(host.delete(text), "mvd-i", "mine in the host")
    same(identity(host, "host", "mine"), before, "their VLAN")


@test("parents: under watch a dummy stays while other links are attached to it", needs=["dummy"])
def dummy_watched(host):
    host.netns("web", "db")
    host.apply(document({"i": ISLAND, "n": lan()}, {"web": ["i", "n"]}))
    manual_link(host, "mvd-i")
    with watching(host, "-f", "network.yaml") as service:
        before = identity(host, "other", "g0")
        service.quiet()
        host.write(document({"n": lan()}, {"web": ["n"]}))
        service.until_says("kept link mvd-i")
        service.quiet()
        same((identity(host, "other", "g0"), host.names("host"), len(host.names("web"))),
             (before, {"eth0", "mvd-i"}, 1), "what there is")


# --- a step that is not done keeps its parent

def on_vlan(number, name="web", **keys):
    return document({"n": lan(vlan=number, probe=True, **keys)}, {name: ["n"]})


def in_use(host, address, vlan, protocol="802.1q"):
    host.lan(address, vlan=vlan, protocol=protocol)
    return f"up0.{vlan}"


@test("parents: a VLAN stays under a link whose new address is in use", needs=["vlan"])
def conflict(host):
    host.netns("web", "db")
    host.apply(on_vlan(10), seconds=60)
    before, link = identity(host, "web", "eth0"), in_use(host, "172.16.86.2/24", 20)
    done = host.apply(on_vlan(20), code=1, seconds=60)
    assert "172.16.86.2 is already in use" in done.err, done
    assert "link eth0.10: kept: used by eth0 in web" in done.err, done
    same((identity(host, "web", "eth0"), "eth0.10" in host.names("host")), (before, True), "web")
    # One of two is deleted, and the other keeps the VLAN.
    two = document({"n": lan(vlan=20, probe=True)},
                   {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.7"}}})
    host.apply(two, code=1, seconds=60)
    same((identity(host, "web", "eth0"), host.names("host"), host.addresses("db", "eth0")),
         (before, {"eth0", "eth0.10", "eth0.20"}, {"172.16.86.7/24"}), "web and db")
    host.ip("lan", f"link del {link}")
    host.apply(two, seconds=60)
    same((host.names("host"), host.addresses("web", "eth0")),
         ({"eth0", "eth0.20"}, {"172.16.86.2/24"}), "after all")
    host.unchanged(two)


@test("parents: a VLAN does not get the name of one of another protocol, which another network uses",
      needs=["vlan"])
def two_protocols(host):
    host.netns("web", "db")

    def two(**keys):
        return document({"n": lan(vlan=10, **keys), "q": lan(parent="eth0.10", subnet="10.2.0.0/24", gateway=None)},
                        {"web": ["n"], "db": ["q"]})
    host.apply(two())
    before = identity(host, "web", "eth0"), identity(host, "db", "eth0")
    done = host.apply(two(vlan_protocol="802.1ad"), code=4)
    assert "eth0.10 is VLAN 10 (802.1q) of network q" in done.out and "File exists" not in done.err, done
    same((identity(host, "web", "eth0"), identity(host, "db", "eth0")), before, "as they were")
    same(host.names("host"), {"eth0", "eth0.10"}, "the host's links")
    # The hint: the second link under another name.
    host.ip("host", "link add link eth0 name other type vlan id 10 protocol 802.1ad")
    host.ip("host", "link set other up")
    host.apply(two(vlan_protocol="802.1ad"))
    same((host.link("web", "eth0")["link_index"], identity(host, "db", "eth0"), host.names("host")),
         (host.link("host", "other")["ifindex"], before[1], {"eth0", "eth0.10", "other"}), "on another name")
    host.unchanged(two(vlan_protocol="802.1ad"))


@test("parents: addresses are probed on a VLAN of another protocol before the old one is deleted", needs=["vlan"])
def protocol(host):
    host.netns("web")
    host.apply(on_vlan(10), seconds=60)
    before, link = identity(host, "web", "eth0"), in_use(host, "172.16.86.2/24", 10, "802.1ad")
    double = on_vlan(10, vlan_protocol="802.1ad")
    done = host.apply(double, code=1, seconds=60)
    assert "172.16.86.2 is already in use" in done.err and "File exists" not in done.err, done
    same((identity(host, "web", "eth0"), host.names("host"),
          host.link("host", "eth0.10")["linkinfo"]["info_data"]["protocol"]),
         (before, {"eth0", "eth0.10"}, "802.1Q"), "as it was")
    host.ip("lan", f"link del {link}")
    host.apply(double, seconds=60)
    same((host.names("host"), host.link("host", "eth0.10")["linkinfo"]["info_data"]["protocol"],
          host.addresses("web", "eth0")),
         ({"eth0", "eth0.10"}, "802.1ad", {"172.16.86.2/24"}), "after all")
    host.unchanged(double)
    host.delete(double)
    same(host.names("host"), {"eth0"}, "after delete")


@test("parents: a link whose replacement cannot be created is restored, and its VLAN kept",
      needs=["vlan"])
def put_back_on_vlan(host):
    host.netns("web")
    host.apply(document({"n": lan(vlan=10)}, {"web": ["n"]}))
    before = identity(host, "web", "eth0")
    routes = host.routes("web")
    done = host.apply(document({"n": lan(vlan=20)}, {"web": {"n": {
        "sysctls": {"net.ipv4.conf.IFNAME.no_such_key": "1"}}}}), code=1)
    assert "no_such_key" in done.err and "restored, because its replacement" in done.err, done
    same((identity(host, "web", "eth0"), host.routes("web"), "eth0.10" in host.names("host")),
         (before, routes, True), "web")
    done = host.apply(document({"n": lan(vlan=20)}, {"web": ["n"]}))
    same((host.names("host"), host.addresses("web", "eth0")),
         ({"eth0", "eth0.20"}, {"172.16.86.2/24"}), "after all")


@test("parents: a link whose replacement cannot be created is restored with its unmanaged objects",
      both=True)
def put_back(host):
    host.netns("web")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                        "link set up1 up"])
    host.apply(document({"n": lan()}, {"web": {"n": {"sysctls": {
        "net.ipv4.conf.IFNAME.rp_filter": "2"}}}}))
    host.set_sysctl("web", "net/ipv4/conf/eth0/arp_notify", 1)
    host.batch("web", ["address add 172.16.86.200/24 dev eth0 label eth0:x",
                       "route add 10.1.0.0/16 via 172.16.86.250 proto static metric 7",
                       "route add default via 172.16.86.9 dev eth0 table 100"])
    before = host.snapshot("web", final_state=True)
    done = host.apply(document({"n": lan(parent="eth1")}, {"web": {"n": {
        "sysctls": {"net.ipv4.conf.IFNAME.no_such_key": "1"}}}}), code=1)
    assert "no_such_key" in done.err and "restored, because its replacement" in done.err, done
    same(done.lines[-1], "Failed: 1.", "the count")
    same(host.snapshot("web", final_state=True), before, "web")
    same([host.sysctl("web", f"net/ipv4/conf/eth0/{key}") for key in ("rp_filter", "arp_notify")],
         ["2", "1"], "sysctls")


@test("parents: nothing is changed if the new parent cannot be created", needs=["vlan"])
def parent_fails(host):
    host.netns("web")
    old, text = (document({"n": lan(vlan=vlan)}, {"web": ["n"]}) for vlan in (10, 20))
    host.apply(old)
    host.write(text, "new.yaml")
    kinds = [kind for _, kind in noted(host, "request", lambda env: host.mvapply(
        "apply", "-f", "new.yaml", env=env))]
    host.apply(old)
    before = identity(host, "web", "eth0")
    done = host.mvapply("apply", "-f", "new.yaml", code=1, env=preload(
        host, f"refuse@{kinds.index(16) + 1}={errno.EPERM}"))
    assert "link eth0.20" in done.err and "not changed: its parent eth0.20" in done.err, done
    same([line.split()[:3] for line in done.lines[:-1]],
         [["skipped", "eth0.10", "vlan"], ["!", "failed", "eth0.20"], ["!", "failed", "web/n"]],
         "the signs")
    same(done.lines[-1], "Failed: 2. Skipped: 1.", "the count")
    same((identity(host, "web", "eth0"), host.names("host")), (before, {"eth0", "eth0.10"}), "web")
    host.apply(text)
    same((host.names("host"), host.addresses("web", "eth0")),
         ({"eth0", "eth0.20"}, {"172.16.86.2/24"}), "after all")


@test("parents: under watch, a VLAN of another id or protocol waits for the result of the probe",
      needs=["vlan"])
def watched(host):
    host.netns("web")
    host.apply(on_vlan(10), seconds=60)
    for text, vlan, kind in ((on_vlan(20), 20, "802.1q"),
                             (on_vlan(20, vlan_protocol="802.1ad"), 20, "802.1ad")):
        old = host.names("host") - {"eth0"}
        before, link = identity(host, "web", "eth0"), in_use(host, "172.16.86.2/24", vlan, kind)
        host.write(text, "next.yaml")
        with watching(host, "-f", "next.yaml") as service:
            service.until_says("172.16.86.2 is already in use", 40)
            same((identity(host, "web", "eth0"), old - host.names("host")), (before, set()), "web")
            assert not any("File exists" in line for line in service.log()), service.everything()
            host.ip("lan", f"link del {link}")
            service.until(lambda before=before: host.names("host") == {"eth0", "eth0.20"} and
                          identity(host, "web", "eth0") != before, "it moves", 60)
            service.until(lambda: host.addresses("web", "eth0") == {"172.16.86.2/24"}, "address")
            service.quiet()
        host.unchanged(text)


# --- a link that is attached to a parent after the observation of the plan

def macvlan(host, parent, ns="other"):
    """An unmanaged link beside managed ones."""
    host.ip("host", f"link add link {parent} name g0 netns /run/netns/{ns} type macvlan mode bridge")
    return host.link(ns, "g0")["ifindex"]


def while_requested(host, callback):
    """An apply, and an action during the probes on the new VLAN, which take seconds."""
    with host.inside("host"), subprocess.Popen(
            [host.binary, "apply", "-f", "network.yaml"], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        host.until(lambda: "eth0.20" in host.names("host"), "the new VLAN", 20)
        value = callback()
        out, err = child.communicate(timeout=60 * host.patience)
    return Result(child.args, child.returncode, out, err), value


@test("parents: a VLAN and a dummy stay for links that were attached to them during the probe",
      needs=["vlan", "dummy"])
def late_guest(host):
    host.netns("web", "other", "third")
    network = on_vlan(20)
    host.apply(document({"i": ISLAND, "n": lan(vlan=10, probe=True)}, {"web": ["n"], "other": ["i"]}),
               seconds=60)
    host.write(network)
    done, numbers = while_requested(host, lambda: (macvlan(host, "eth0.10"), macvlan(host, "mvd-i", "third")))
    same(done.code, 0, f"exit code\n{done}\n")
    for link, user in ("eth0.10", "g0 in other"), ("mvd-i", "g0 in third"):
        assert f"link {link}: kept: used by {user}" in done.err, done
    same((host.link("other", "g0")["ifindex"], host.link("third", "g0")["ifindex"]), numbers, "theirs")
    same((host.names("host"), host.names("other"), host.addresses("web", "eth0"),
          host.link("web", "eth0")["link_index"]),
         ({"eth0", "eth0.10", "eth0.20", "mvd-i"}, {"g0"}, {"172.16.86.2/24"},
          host.link("host", "eth0.20")["ifindex"]), "what there is")
    host.ip("other", "link del g0")
    host.ip("third", "link del g0")
    host.apply(network, seconds=60)
    same(host.names("host"), {"eth0", "eth0.20"}, "after all")


@test("parents: a VLAN to which nothing could be attached is deleted", needs=["vlan"])
def in_vain(host):
    host.netns("web", "other")
    link = in_use(host, "172.16.86.2/24", 20)
    for old in (None, 10):
        if old:
            host.apply(on_vlan(old), seconds=60)
        before = host.snapshot("host", "web", final_state=True)
        done = host.apply(on_vlan(20), code=1, seconds=60)
        assert "172.16.86.2 is already in use" in done.err, done
        assert "link eth0.20: not created: no link could be attached to it" in done.err, done
        same(host.snapshot("host", "web"), before, "what there is")
        # Except one that was used meanwhile: it is kept until the holder of the address is known.
        host.ip("lan", f"link set {link} down")
        done, _ = while_requested(host, lambda: (macvlan(host, "eth0.20"), host.ip("lan", f"link set {link} up")))
        same((host.names("other"), "eth0.20" in host.names("host")), ({"g0"}, True), f"guest\n{done}\n")
        host.ip("other", "link del g0")
        host.ip("host", "link del eth0.20")
    # Nor a nested VLAN with its parent, whatever failed.
    host.delete(on_vlan(10))
    outer = {"outer": {"parent": "eth0", "vlan": 30, "subnet": "10.9.0.0/24"}}
    inner = document({**outer, "n": lan(parent="eth0.30", vlan=7)}, {"web": {"n": {
        "sysctls": {"net.ipv4.conf.IFNAME.no_such_key": "1"}}}})
    done = host.apply(inner, code=1)
    assert "no_such_key" in done.err, done
    same((host.names("host"), host.names("web")), ({"eth0"}, set()), "nested")
    host.ip("lan", f"link del {link}")
    host.apply(on_vlan(20), "--max-delete=100%", seconds=60)
    same(host.names("host"), {"eth0", "eth0.20"}, "after all")
