"""`manage_parent: true`: the parent is set up and its MTU raised, and both are undone with the last network that needs it.
Altnames of the parent say what it was and which sets need it."""
import yaml

from declare import document, lan
from host import same
from marked_address import marked_address
from registry import test
from service import watching


def network(*names, parent="eth0", **keys):
    return document({"n": lan(parent=parent, **{"manage_parent": True, **keys})}, {name: ["n"] for name in names})


def other_set(**keys):
    return document({"m": lan(subnet="10.8.0.0/24", gateway=None, **{"manage_parent": True, **keys})}, {"db": ["m"]}, "other")


def state(host, name="eth0"):
    link = host.link("host", name)
    return "up" if "UP" in link["flags"] else "down", link["mtu"]


def marks(host, name="eth0"):
    """Without the ifindex."""
    link = host.link("host", name)
    found = {name for name in link.get("altnames", []) if name.startswith("mvapply-")}
    for mark in found:
        same(mark.split(".")[1], str(link["ifindex"]), "the ifindex")
    return {".".join([mark.split(".")[0], *mark.split(".")[2:]]) for mark in found}


@test("manage_parent: set up and raised, kept so, and undone with the last network", both=True)
def life(host):
    host.netns("web")
    host.batch("host", ["link set eth0 down", "link set eth0 alias theirs", "link property add dev eth0 altname lan0"])
    refused = host.apply(network("web", manage_parent=None, mtu=9000), code=1)
    assert "[MV0605]" in refused.out and "`manage_parent: true`" in refused.out, refused
    same((state(host), marks(host)), (("down", 1500), set()), "without the key")
    text = network("web", mtu=9000)
    host.apply(text)
    same((state(host), marks(host), host.link("web", "eth0")["mtu"]),
         (("up", 9000), {"mvapply-was.down.1500", "mvapply-for.9000.default"}, 9000), "after apply")
    host.unchanged(text)
    exported = host.mvapply("export").out
    same(yaml.safe_load(exported)["networks"]["n"],
         {"parent": "eth0", "manage_parent": True, "mtu": 9000, "subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
         "exported")
    host.batch("host", ["link set eth0 down", "link set eth0 mtu 2000"])  # the kernel lowers the links on it, too
    host.apply(text)
    same((state(host), host.link("web", "eth0")["mtu"]), (("up", 9000), 9000), "after a drift")
    host.delete(text)
    link = host.link("host", "eth0")
    same((state(host), marks(host), link["ifalias"], link["altnames"]), (("down", 1500), set(), "theirs", ["lan0"]), "undone")


@test("manage_parent: several networks and sets; the last one that goes undoes it")
def several(host):
    host.netns("web", "db")
    host.ip("host", "link set eth0 down")
    host.apply(network("web", mtu=4000))
    host.apply(other_set(mtu=8000))
    same((state(host), marks(host)), (("up", 8000), {"mvapply-was.down.1500", "mvapply-for.4000.default",
                                                     "mvapply-for.8000.other"}), "of two sets")
    host.unchanged(network("web", mtu=4000))
    host.apply(network("web", mtu=2000))
    same((state(host), host.link("web", "eth0")["mtu"]), (("up", 8000), 2000), "the other set needs more")
    host.delete(other_set(mtu=8000))
    same((state(host), marks(host)), (("up", 2000), {"mvapply-was.down.1500", "mvapply-for.2000.default"}), "one is left")
    host.apply(network("web", manage_parent=None))
    same(state(host), ("up", 2000), "web is still on it")
    done = host.diff(network("web", manage_parent=None), code=0)
    assert "used by eth0 in web" in done.out, done
    host.delete(network("web", manage_parent=None))
    same((state(host), marks(host)), (("down", 1500), set()), "undone")


@test("manage_parent: export of a network without an MTU, on a parent that another one raised")
def raised(host):
    host.netns("web", "db")
    text = document({"n": lan(manage_parent=True, mtu=4000), "m": lan(subnet="10.9.0.0/24", gateway=None, manage_parent=True)},
                    {"web": ["n", "m"]})
    for declared in (text, other_set(mtu=8000), text):
        host.apply(declared)
    same({name: host.link("web", name)["mtu"] for name in ("eth0", "eth1")}, {"eth0": 4000, "eth1": 8000}, "the links")
    exported = host.mvapply("export").out
    same([{name: network.get("mtu") for name, network in part["networks"].items()} for part in yaml.safe_load_all(exported)],
         [{"n": 4000, "m": None}, {"m": 8000}], "exported")
    host.unchanged(exported)


@test("manage_parent: what others changed or use is left to them")
def theirs(host):
    host.netns("web")
    text = network("web", mtu=4000)
    host.apply(text)  # it was up
    host.ip("host", "link set eth0 mtu 9000")
    host.unchanged(text)
    host.delete(text)
    same((state(host), marks(host)), (("up", 9000), set()), "another program's MTU")
    host.batch("host", ["link set eth0 mtu 1500", "link set eth0 down"])
    host.apply(text)
    host.batch("host", ["link add theirs link eth0 mtu 4000 type macvlan mode bridge"])
    done = host.delete(text)
    assert "used by theirs in the host" in done.out, done
    same((state(host), host.link("host", "theirs")["mtu"]), (("up", 4000), 4000), "used by another link")
    host.batch("host", ["link delete theirs", "address add 192.168.7.2/24 dev eth0"])
    done = host.delete(text)
    assert "used by the host, with the address 192.168.7.2/24" in done.out, done
    host.ip("host", "address delete 192.168.7.2/24 dev eth0")
    host.delete(text)
    same((state(host), marks(host)), (("down", 1500), set()), "when nobody uses it")


@test("manage_parent: a larger MTU than the driver supports is refused, and nothing is changed")
def too_large(host):
    host.netns("web")
    host.batch("host", ["link add bond0 type bridge", "link add dum type veth peer name mud", "link set eth0 down"])
    largest = host.link("host", "eth0")["max_mtu"]
    if largest < 65535:
        done = host.apply(network("web", mtu=largest + 1), code=1)
        assert f"is larger than {largest}, the largest that eth0 supports [MV0605]" in done.out, done
    done = host.apply(network("web", mtu=9000, parent="eth7"), code=1)
    assert 'the host has no link "eth7"' in done.out, done
    same((state(host), marks(host)), (("down", 1500), set()), "nothing is changed")


@test("manage_parent: the commands of diff -o ip, a saved plan, and an unconfirmed change")
def carried(host):
    host.netns("web")
    host.ip("host", "link set eth0 down")
    text = network("web", mtu=4000)
    before = host.snapshot()
    host.apply(text, "--confirm=1", code=5)
    same((state(host), marks(host), host.names("web")), (("down", 1500), set(), set()), "after the rollback")
    same({key for key in host.snapshot() if key not in before}, set(), "nothing is left")
    script = host.diff(text, "-o", "ip").out
    host.run("sh", "-e", host.write(script, "plan.sh"), code=0)
    same(state(host), ("up", 4000), "by the commands")
    host.unchanged(text)
    host.apply("networks: {}", "--confirm=1", "--max-delete=1", code=5)
    same((state(host), marks(host), host.link("web", "eth0")["mtu"]),
         (("up", 4000), {"mvapply-was.down.1500", "mvapply-for.4000.default"}, 4000), "an undoing that is rolled back")
    host.write("networks: {}")
    host.mvapply("diff", "-f", "network.yaml", "--out", "plan.json", "--max-delete=1", code=2)
    host.mvapply("apply", "plan.json")
    same((state(host), marks(host)), (("down", 1500), set()), "by a saved plan")


@test("manage_parent: the service sets it up again")
def watched(host):
    host.netns("web")
    host.ip("host", "link set eth0 down")
    text = network("web", mtu=4000)
    with watching(host, "-f", host.write(text)):
        host.until(lambda: host.names("web") == {"eth0"}, "the link is there")
        host.ip("host", "link set eth0 down")
        host.until(lambda: state(host) == ("up", 4000), "it is up again")
    host.delete(text)
    same(state(host), ("down", 1500), "undone")


@test("manage_parent: a VLAN, and another program's VLAN link", needs=["vlan"])
def vlans(host):
    host.netns("web")
    host.ip("host", "link set eth0 down")
    text = network("web", vlan=10, mtu=4000)
    host.apply(text)
    same((state(host), state(host, "eth0.10"), host.link("web", "eth0")["mtu"]), (("up", 4000), ("up", 4000), 4000), "made")
    host.unchanged(text)
    host.delete(text)
    same((state(host), marks(host)), (("down", 1500), set()), "undone")
    host.batch("host", ["link add link eth0 name theirs type vlan id 10"])
    named = network("web", parent="theirs")
    done = host.apply(named, code=1)
    assert "eth0, which parent theirs is on, is down [MV0604]" in done.out, done
    same((state(host), marks(host), marks(host, "theirs")), (("down", 1500), set(), set()), "nothing is changed")
    host.apply(text)
    same((state(host), state(host, "theirs"), marks(host, "theirs")),
         (("up", 4000), ("up", 4000), {"mvapply-was.down.1500", "mvapply-for.4000.default"}), "both are named")
    host.unchanged(text)
    host.delete(text)
    same((state(host), state(host, "theirs"), marks(host, "theirs")), (("down", 1500), ("down", 1500), set()), "both undone")


@test("manage_parent: nothing of a parent is changed when another link has the altname it needs")
def unmarked(host):
    host.netns("web")
    index = host.link("host", "eth0")["ifindex"]
    host.batch("host", ["link add theirs type bridge", f"link property add dev theirs altname mvapply-was.{index}.up.1500"])
    done = host.apply(network("web", mtu=4000), code=1)
    assert f"mvapply-was.{index}.up.1500" in done.err, done
    same(state(host), ("up", 1500), "not changed")
    same(host.link("host", "theirs").get("altnames"), None, "a mark without a set is removed")
    host.apply(network("web", mtu=4000))
    same(state(host), ("up", 4000), "when the altname is free")


@test("manage_parent: of the parent, only its state, MTU and marks are changed")
def alone(host):
    host.netns("web")
    marked_address("eth0", "192.168.7.2/24")
    host.batch("host", ["link add theirs link eth0 type macvlan bcqueuelen 2000",
                        "link set theirs txqueuelen 500 promisc on", "link property add dev theirs altname mvapply-was.9.down.1500"])
    before = host.link("host", "theirs")["linkinfo"]
    text = network("web", mtu=4000)
    host.apply(text)
    host.unchanged(text)
    host.delete(text)
    link = host.link("host", "theirs")
    same((host.addresses("host", "eth0"), link["linkinfo"], link["txqlen"], "PROMISC" in link["flags"], link.get("altnames")),
         ({"192.168.7.2/24"}, before, 500, True, None), "left alone")


@test("manage_parent: a run of a set that does not use the parent leaves what another set needs")
def other_run(host):
    host.netns("web", "db")
    host.ip("host", "link set eth0 down")
    text = network("web", mtu=4000)
    host.apply(text)
    host.batch("host", ["link add br0 type bridge", "link set br0 up", "link set eth0 mtu 2000", "link set eth0 down",
                        "link set eth0 mtu 3000"])
    for other in (document({}, {}, "other"), document({"m": lan(parent="br0", subnet="10.8.0.0/24", gateway=None)}, {"db": ["m"]}, "other")):
        host.apply(other)
        same((state(host), marks(host)), (("down", 3000), {"mvapply-was.down.1500", "mvapply-for.4000.default"}), "of the other set")
    host.apply(text)
    same(state(host), ("up", 4000), "by its own run")
    host.delete(text)
    same((state(host), marks(host)), (("down", 1500), set()), "undone")


@test("manage_parent: the mark of another set with a larger MTU than the driver supports")
def mark_too_large(host):
    host.netns("web")
    link = host.link("host", "eth0")
    host.ip("host", f"link property add dev eth0 altname mvapply-for.{link['ifindex']}.999999999.other")
    host.apply(network("web", mtu=4000))
    same(state(host), ("up", link["max_mtu"]), "the largest")


@test("manage_parent: a network that is blocked does not change its parent, and keeps what it has requested")
def blocked(host):
    host.netns("web")
    host.batch("host", ["link add br0 type bridge", "link set br0 up", "link add mv0 link eth0 type macvlan mode bridge",
                        "link set eth0 down"])
    text = network("web", mtu=4000)
    done = host.apply(network("web", parent="mv0"), code=1)
    assert "[MV0602]" in done.out, done
    same((state(host, "mv0"), marks(host, "mv0")), (("down", 1500), set()), "a macvlan")
    host.batch("host", ["link delete mv0", "link set eth0 master br0"])
    done = host.apply(text, code=1)
    assert "[MV0603]" in done.out, done
    same((state(host), marks(host)), (("down", 1500), set()), "a port")
    host.ip("host", "link set eth0 nomaster")
    host.apply(text)
    host.ip("web", "link delete eth0")
    host.batch("host", ["link set eth0 master br0", "link set eth0 down"])
    for mtu in (4000, 8000):
        done = host.apply(network("web", mtu=mtu), code=1)
        assert "[MV0603]" in done.out, done
        same((state(host), marks(host)), (("up", 4000), {"mvapply-was.down.1500", "mvapply-for.4000.default"}), "requested before")
    host.ip("host", "link set eth0 nomaster")
    host.delete(text)
    same((state(host), marks(host)), (("down", 1500), set()), "undone")


@test("manage_parent: the marks of a set without a file hold the parent, and `delete --name` removes them")
def lost_set(host):
    host.netns("web", "db")
    host.ip("host", "link set eth0 down")
    host.apply(other_set(mtu=8000))
    host.apply(network("web", mtu=4000))
    host.ip("db", "link delete eth0")
    host.delete(network("web", mtu=4000))
    same((state(host), marks(host)), (("up", 8000), {"mvapply-was.down.1500", "mvapply-for.8000.other"}), "held")
    refused = host.mvapply("delete", "--name", "others", code=1)
    assert 'set "others" has no live objects' in refused.err, refused
    host.mvapply("delete", "--name", "other")
    same((state(host), marks(host)), (("down", 1500), set()), "undone")


@test("manage_parent: the MTU is not lowered under another program's link")
def others_mtu(host):
    host.netns("web")
    host.apply(network("web", mtu=9000))
    host.ip("host", "link add theirs link eth0 mtu 8000 type macvlan mode bridge")
    text = network("web", mtu=2000)
    host.apply(text)
    same((state(host), host.link("host", "theirs")["mtu"], host.link("web", "eth0")["mtu"]), (("up", 8000), 8000, 2000), "held")
    host.unchanged(text)
    host.ip("host", "link delete theirs")
    host.apply(text)
    same((state(host), marks(host)), (("up", 2000), {"mvapply-was.up.1500", "mvapply-for.2000.default"}), "without it")
    host.delete(text)
    same((state(host), marks(host)), (("up", 1500), set()), "undone")
