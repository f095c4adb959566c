"""A VLAN or dummy link of ours stays while a link hangs on it that the run does not delete."""
from declare import document, lan
from host import same
from registry import test
from service import watching

ISLAND = {"internal": True, "subnet": "10.9.0.0/24"}


def identity(host, ns, *names):
    """What has to stay: the links' numbers, addresses and MACs."""
    return {name: (host.link(ns, name)["ifindex"], host.link(ns, name)["address"],
                   host.addresses(ns, name)) for name in names}


def guest(host, parent, ns="guest"):
    """A macvlan that somebody made by hand."""
    host.netns(ns)
    host.batch("host", [f"link add link {parent} name g0 type macvlan mode bridge",
                        f"link set g0 netns {ns}"])
    host.batch(ns, ["link set g0 up", "address add 10.9.0.200/24 dev g0"])


def kept(done, link, *users):
    line = next((line for line in done.plan if line.startswith(f"kept {link} used by ")), "")
    assert any(line == f"kept {link} used by {user}" for user in users), done


@test("parents: a dummy stays while others hang on it", needs=["dummy"])
def dummy_shared(host):
    host.netns("web", "db")
    text = document({"i": ISLAND}, {"web": ["i"]})
    theirs = document({"j": {"parent": "mvd-i", "subnet": "10.9.0.0/24"}},
                      {"db": {"j": {"ipv4_address": "10.9.0.77"}}}, name="theirs")
    host.apply(text)
    guest(host, "mvd-i")
    host.write(theirs, "theirs.yaml")
    host.mvapply("apply", "-f", "theirs.yaml")
    before = identity(host, "guest", "g0"), identity(host, "db", "eth0")
    index = host.link("host", "mvd-i")["ifindex"]
    kept(host.delete(text), "mvd-i", "eth0 in db", "g0 in guest")
    same((identity(host, "guest", "g0"), identity(host, "db", "eth0")), before, "the others' links")
    same((host.names("host"), host.link("host", "mvd-i")["ifindex"], host.names("web")),
         ({"eth0", "mvd-i"}, index, set()), "the dummy and web")
    host.apply(text)
    same(host.link("host", "mvd-i")["ifindex"], index, "the dummy, used again")
    kept(host.apply(document({"n": lan()}, {"web": ["n"]}), "--max-delete=100%"), "mvd-i",
         "eth0 in db", "g0 in guest")
    host.mvapply("delete", "-f", "theirs.yaml")
    kept(host.delete(text), "mvd-i", "g0 in guest")
    host.ip("guest", "link del g0")
    host.delete(text)
    same(host.names("host"), {"eth0"}, "links of the host")


@test("parents: a dummy that a VLAN of somebody's is on stays", needs=["dummy", "vlan"])
def dummy_under_vlan(host):
    host.netns("web")
    text = document({"i": ISLAND}, {"web": ["i"]})
    host.apply(text)
    host.ip("host", "link add link mvd-i name mine type vlan id 7")
    before = identity(host, "host", "mine")
    kept(host.delete(text), "mvd-i", "mine in the host")
    same(identity(host, "host", "mine"), before, "their VLAN")


@test("parents: under watch a dummy stays while others hang on it", needs=["dummy"])
def dummy_watched(host):
    host.netns("web", "db")
    host.apply(document({"i": ISLAND, "n": lan()}, {"web": ["i", "n"]}))
    guest(host, "mvd-i")
    with watching(host, "-f", "network.yaml") as service:
        before = identity(host, "guest", "g0")
        service.quiet()
        host.write(document({"n": lan()}, {"web": ["n"]}))
        service.until_says("kept link mvd-i")
        service.quiet()
        same((identity(host, "guest", "g0"), host.names("host"), len(host.names("web"))),
             (before, {"eth0", "mvd-i"}, 1), "what there is")
