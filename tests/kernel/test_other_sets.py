"""A set that was renamed, or whose files are gone: what it left is named, and can be removed."""
from declare import document, lan
from host import same
from registry import test
from service import watching
from test_json import fits

OLD = document({"n": lan()}, {"web": ["n"]}, name="old")
NEW = document({"m": lan()}, {"web": ["m"], "db": ["m"]}, name="new")
HINT = "`mvapply delete --name old` removes all of it"


@test("other sets: a set that was renamed attaches nobody twice, says what is left, and how to remove it")
def renamed(host):
    host.netns("web", "db")
    host.apply(OLD)
    before = host.link("web", "eth0")["ifindex"]
    for done in (host.diff(NEW, code=1), host.apply(NEW, code=1)):
        assert '! blocked web/m set "old" has attached it already: eth0 172.16.86.2/24 on eth0 [MV0611]' \
            in " ".join(done.out.split()) and HINT in " ".join(done.out.split()), done
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    same(host.link("web", "eth0")["ifindex"], before, "the old link is as it was")
    assert HINT in " ".join(host.mvapply("status", "-f", "network.yaml").out.split()), "status"
    assert "MV0611" in host.mvapply("doctor", "-f", "network.yaml", code=1).out, "doctor"
    done = host.mvapply("delete", "--name", "old", "-o", "json").json
    fits(done, "plan")
    same([(step["action"], step["set"], step["outcome"]) for step in done["steps"]],
         [("delete", "old", "done")], "what is deleted")
    same((host.names("web"), host.names("db")), (set(), {"eth0"}), "links, without the old set's")
    host.apply(NEW)
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "web's address")
    host.unchanged(NEW)


@test("other sets: two sets on one host are no mistake where they do not put one container on one LAN twice")
def living(host):
    host.netns("web", "db")
    host.apply(OLD)
    others = (document({"m": lan()}, {"db": ["m"]}, name="others"),
              document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"web": ["m"]}, name="subnet"))
    for text in others:
        done = host.apply(text)
        same(done.err, "", "what it says")
        host.unchanged(text)
    host.unchanged(OLD)


def both(host, first, second):
    return "-f", host.write(first, "first.yaml"), "-f", host.write(second, "second.yaml")


def joined(done):
    return " ".join((done.out + done.err).split())


@test("other sets: two links on one LAN that are live already are warned of, with what removes one")
def live_twice(host):
    host.netns("web", "db")
    host.apply(OLD)
    # As a version that blocked nothing left it: a link of each set.
    host.batch("web", ["link set eth0 alias mvapply:attach:new/m/web", "link set eth0 name eth9"])
    host.batch("host", ["link add link eth0 name m0 type macvlan mode bridge", "link set m0 netns web name eth1"])
    host.batch("web", ["link set eth1 alias mvapply:attach:old/n/web", "address add 172.16.86.9/24 dev eth1",
                       "link set eth1 up"])
    host.apply(NEW)
    path = host.write(NEW)
    for words, code in ((("diff",), 0), (("apply",), 0), (("status",), 0), (("doctor",), 0)):
        done = host.mvapply(*words, "-f", path, code=code)
        assert 'web has a second link on the LAN of eth9, of set "old": eth1 172.16.86.9/24 on eth0' in joined(done), \
            done
        assert HINT in joined(done), done
    said = host.mvapply("diff", "-f", path, "-o", "json").json["warnings"]
    same(["second link" in sentence for sentence in said], [True], "warnings in JSON")
    with watching(host, "-f", path) as service:
        service.quiet()
        same(" ".join(service.everything().split()).count("second link"), 1, "how often the service says it")
    same(host.names("web"), {"eth9", "eth1"}, "links")
    host.mvapply("delete", "--name", "old")
    same(joined(host.mvapply("diff", "-f", path)).count("second link"), 0, "warnings")


@test("other sets: two sets of one run do not attach a container to one LAN twice either")
def one_run(host):
    host.netns("web", "db")
    files = both(host, OLD, NEW)
    for done in (host.mvapply("diff", *files, code=1), host.mvapply("apply", *files, code=1)):
        assert '! blocked new:web/m set "old" attaches it to the same LAN: eth0 on eth0 [MV0611]' in joined(done), done
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    same(host.link("web", "eth0")["ifalias"], "mvapply:attach:old/n/web", "whose it is")
    before = host.link("web", "eth0")["ifindex"]
    done = host.mvapply("apply", *both(host, NEW, OLD), code=1)
    assert '! blocked new:web/m set "old" attaches it to the same LAN' in joined(done), done
    same(host.link("web", "eth0")["ifindex"], before, "what is live goes before what is first")
    moved = document({"n": lan()}, {"db": ["n"]}, name="old")
    host.mvapply("apply", *both(host, moved, document({"m": lan()}, {"web": ["m"]}, name="new")))
    same(host.link("web", "eth0")["ifalias"], "mvapply:attach:new/m/web", "after its move to the other set")
    other = document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"web": ["m"]}, name="new")
    host.mvapply("apply", *both(host, OLD, other), code=0)
    same(len(host.names("web")), 2, "links on two subnets")


@test("other sets: a set that is renamed under a service leaves the container attached once, and is told of once")
def renamed_watched(host):
    host.netns("web")
    path = host.write(OLD)
    with watching(host, "-f", path) as service:
        before = host.link("web", "eth0")["ifindex"]
        host.write(document({"m": lan()}, {"web": ["m"]}, name="new"))
        service.until_says('set "old" has attached it already', 20)
        host.netns("other")
        service.send(1)
        service.quiet()
        same(host.names("web"), {"eth0"}, "links")
        same(host.link("web", "eth0")["ifindex"], before, "the link")
        same(service.everything().count('set "old" has attached it already'), 1, "how often it is said")
    assert "old" in host.mvapply("status").out, "status without files"
    host.mvapply("delete", "--name", "old")
    same(host.names("web"), set(), "links")


@test("other sets: a mark that a container forges elsewhere blocks nobody but itself")
def forged(host):
    host.netns("web", "db", "evil")
    host.batch("host", ["link add link eth0 name m0 type macvlan mode bridge",
                        "link set m0 netns evil name z0"])
    host.batch("evil", ["link set z0 alias mvapply:attach:old/n/web", "address add 172.16.86.2/24 dev z0"])
    host.apply(NEW)
    same((len(host.names("web")), len(host.names("db"))), (1, 1), "links")


@test("other sets: delete --name of a set that is not there, of several, and beside files")
def delete_names(host):
    host.netns("web", "db")
    host.apply(OLD)
    host.apply(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"]}, name="lab"))
    done = host.mvapply("delete", "--name", "odl", code=1)
    assert '[MV0915]' in done.err and 'nothing of the set "odl" is live here' in done.err, done
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    host.mvapply("delete", "--name", "old", "-f", host.write(OLD), code=3)
    host.mvapply("delete", code=3)
    host.mvapply("delete", "--name", "old", "--name", "lab")
    same((host.names("web"), host.names("db")), (set(), set()), "links")


@test("other sets: delete --name takes a VLAN with its last set", needs=["vlan"])
def with_vlan(host):
    host.netns("web", "db")
    for name, container in (("old", "web"), ("lab", "db")):
        host.apply(document({"n": lan(vlan=10)}, {container: ["n"]}, name=name))
    host.mvapply("delete", "--name", "old")
    same("eth0.10" in host.names("host"), True, "the VLAN, of the other set")
    host.mvapply("delete", "--name", "lab")
    same("eth0.10" in host.names("host"), False, "the VLAN")
