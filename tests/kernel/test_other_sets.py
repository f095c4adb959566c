"""A set that was renamed, or whose files are gone: its remaining objects are reported and can be removed."""
import os

from declare import document, lan
from host import same
from registry import test
from service import watching
from test_json import fits

OLD = document({"n": lan()}, {"web": ["n"]}, name="old")
NEW = document({"m": lan()}, {"web": ["m"], "db": ["m"]}, name="new")
HINT = "`mvapply delete --name old` removes all its objects"


@test("other sets: a renamed set attaches nothing twice, and reports the former set and its removal")
def renamed(host):
    host.netns("web", "db")
    host.apply(OLD)
    before = host.link("web", "eth0")["ifindex"]
    for done in (host.diff(NEW, code=1), host.apply(NEW, code=1)):
        assert '! blocked web/m already attached by set "old": eth0 172.16.86.2/24 on eth0 [MV0611]' \
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


@test("other sets: two sets on one host are valid unless they attach a container to one LAN twice")
def living(host):
    host.netns("web", "db")
    host.apply(OLD)
    others = (document({"m": lan(ip_range="172.16.86.64/26")}, {"db": ["m"]}, name="others"),
              document({"m": lan(subnet="10.8.0.0/16", gateway=None, ip_range="10.8.8.0/24")}, {"web": ["m"]},
                       name="subnet"))
    for text in others:
        done = host.apply(text)
        same(done.err, "", "what it says")
        host.unchanged(text)
    host.unchanged(OLD)


def both(host, first, second):
    return "-f", host.write(first, "first.yaml"), "-f", host.write(second, "second.yaml")


def joined(done):
    return " ".join((done.out + done.err).split())


@test("other sets: two live links on one LAN cause a warning with the command that removes one")
def live_twice(host):
    host.netns("web", "db")
    host.apply(OLD)
    # The state that an older version without this check left: a link of each set.
    host.batch("web", ["link set eth0 alias mvapply:attach:new/m/web", "link set eth0 down", "link set eth0 name eth9",
                       "link set eth9 up"])
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
        assert '! blocked new:web/m also attached to the same LAN by set "old": eth0 on eth0 [MV0611]' in joined(done), done
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    same(host.link("web", "eth0")["ifalias"], "mvapply:attach:old/n/web", "whose it is")
    before = host.link("web", "eth0")["ifindex"]
    done = host.mvapply("apply", *both(host, NEW, OLD), code=1)
    assert '! blocked new:web/m also attached to the same LAN by set "old"' in joined(done), done
    same(host.link("web", "eth0")["ifindex"], before, "what is live goes before what is first")
    moved = document({"n": lan()}, {"db": ["n"]}, name="old")
    host.mvapply("apply", *both(host, moved, document({"m": lan()}, {"web": ["m"]}, name="new")), "--max-delete=1")
    same(host.link("web", "eth0")["ifalias"], "mvapply:attach:new/m/web", "after its move to the other set")
    other = document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"web": ["m"]}, name="new")
    host.mvapply("apply", *both(host, OLD, other), "--max-delete=1", code=0)
    same(len(host.names("web")), 2, "links on two subnets")


@test("other sets: a set that is renamed under a service attaches once, and is reported once")
def renamed_watched(host):
    host.netns("web")
    path = host.write(OLD)
    with watching(host, "-f", path) as service:
        before = host.link("web", "eth0")["ifindex"]
        host.write(document({"m": lan()}, {"web": ["m"]}, name="new"))
        service.until_says('already attached by set "old"', 20)
        host.netns("other")
        service.send(1)
        service.quiet()
        same(host.names("web"), {"eth0"}, "links")
        same(host.link("web", "eth0")["ifindex"], before, "the link")
        same(service.everything().count('already attached by set "old"'), 1, "how often it is said")
    assert "old" in host.mvapply("status").out, "status without files"
    host.mvapply("delete", "--name", "old")
    same(host.names("web"), set(), "links")


@test("other sets: an owner tag that a container forges in another namespace blocks that container alone")
def forged(host):
    host.netns("web", "db", "evil")
    host.batch("host", ["link add link eth0 name m0 type macvlan mode bridge",
                        "link set m0 netns evil name z0"])
    host.batch("evil", ["link set z0 alias mvapply:attach:old/n/web", "address add 172.16.86.2/24 dev z0"])
    host.apply(NEW)
    same((len(host.names("web")), len(host.names("db"))), (1, 1), "links")


@test("other sets: delete --name of an unknown set, of several, and together with files")
def delete_names(host):
    host.netns("web", "db")
    host.apply(OLD)
    host.apply(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"]}, name="lab"))
    done = host.mvapply("delete", "--name", "odl", code=1)
    assert '[MV0915]' in done.err and 'set "odl" has no live objects on this host' in done.err, done
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    host.mvapply("delete", "--name", "old", "-f", host.write(OLD), code=3)
    host.mvapply("delete", code=3)
    host.mvapply("delete", "--name", "old", "--name", "lab")
    same((host.names("web"), host.names("db")), (set(), set()), "links")


@test("other sets: delete --name deletes a VLAN with its last set", needs=["vlan"])
def with_vlan(host):
    host.netns("web", "db")
    for name, container in (("old", "web"), ("lab", "db")):
        host.apply(document({"n": lan(vlan=10)}, {container: ["n"]}, name=name))
    host.mvapply("delete", "--name", "old")
    same("eth0.10" in host.names("host"), True, "the VLAN, of the other set")
    host.mvapply("delete", "--name", "lab")
    same("eth0.10" in host.names("host"), False, "the VLAN")


# --- a set that was renamed, whose containers were replaced, too

DISJOINT = document({"n": lan(ip_range="172.16.86.0/25")}, {"db": ["n"]}, name="new")
LEFT = 'set "old" is live on network n, but is not in these files; if that set was renamed or is no ' \
    "longer needed, `mvapply delete --name old` removes all its objects"


def warns_of_undeclared(host, text=DISJOINT, **options):
    """Whether apply and diff warn about the old set before any object of the text's set is live."""
    diff = joined(host.diff(text, code=None, **options))
    done = joined(host.apply(text, code=None, **options))
    same(LEFT in done, LEFT in diff, f"apply as diff\n{diff}\n{done}")
    host.delete(text)
    return LEFT in done


@test("other sets: a renamed set with other containers is named once, by diff and the first apply", both=True)
def left(host):
    host.netns("web", "db")
    host.apply(OLD)
    assert LEFT in joined(host.diff(DISJOINT)), "diff"
    same(host.mvapply("diff", "-f", "network.yaml", "-o", "json", code=2).json["warnings"], [LEFT], "diff in JSON")
    done = host.mvapply("apply", "-f", "network.yaml", "-o", "json").json
    fits(done, "plan")
    same(done["warnings"], [LEFT], "apply in JSON")
    same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "links")
    # Both may be intended.
    same(host.mvapply("apply", "-f", "network.yaml").err, "", "a second apply")
    host.unchanged(DISJOINT)
    host.unchanged(OLD)


@test("other sets: no warning about sets that are not a former name")
def not_left(host):
    host.netns("web", "db", "ci")
    host.apply(OLD)
    same(warns_of_undeclared(host), True, "the one other set on that network")
    other_parent = lan(parent="eth1")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up", "link set up1 up"])
    for what, text in (("network", document({"m": lan()}, {"db": ["m"]}, name="new")),
                       ("parent", document({"n": other_parent}, {"db": ["n"]}, name="new")),
                       ("subnet", document({"n": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["n"]}, name="new"))):
        same(warns_of_undeclared(host, text), False, f"another {what}")
    host.apply(document({"n": lan(), "m": other_parent}, {"web": ["n", "m"]}, name="old"))
    same(warns_of_undeclared(host), False, "one that is on another network, too")
    host.apply(OLD)
    host.apply(document({"n": lan()}, {"ci": ["n"]}, name="third"))
    same(warns_of_undeclared(host), False, "one of several on that network")
    host.mvapply("delete", "--name", "third")
    same(warns_of_undeclared(host), True, "once there is one again")
    with watching(host, "-f", host.write(OLD, "old.yaml")) as service:
        service.settle()
        same(warns_of_undeclared(host), False, "one that a service keeps")
    host.mvapply("delete", "--name", "old")
    host.batch("host", ["link add link eth0 name m0 type macvlan mode bridge", "link set m0 netns ci name z0"])
    host.batch("ci", ["link set z0 alias mvapply:attach:old/n/nobody", "address add 172.16.86.9/24 dev z0"])
    same(warns_of_undeclared(host), False, "a mark that a container forges")


@test("other sets: watch reports the former set of its files, and one that it finds at its start, once each")
def left_watched(host):
    host.netns("web", "db")
    path = host.write(OLD)
    with watching(host, "-f", path) as service:
        service.settle()
        host.write(DISJOINT)
        service.until(lambda: host.names("db") == {"eth0"}, "attached")
        service.quiet()
        same(service.everything().count('set "old" is no longer in the files, and its live objects stay; '
                                        "if that set was renamed or is no longer needed, `mvapply delete --name "
                                        "old` removes all its objects"), 1, "what it says")
        same(service.everything().count("delete --name old"), 1, "how often it says it")
        same(host.names("web"), {"eth0"}, "web")
        host.write(document({"n": lan()}, {"db": ["n"]}, name="third"))
        service.until_says('set "new" is no longer in the files')
    host.mvapply("delete", "--name", "new")
    with watching(host, "-f", host.write(DISJOINT)) as service:
        service.until(lambda: host.names("db") == {"eth0"}, "attached")
        service.quiet()
        same(service.everything().count(LEFT), 1, "what it says at its start")


@test("other sets: a set whose file was removed from the service's directory is reported")
def left_folder(host):
    host.netns("web", "db")
    os.mkdir("files")
    host.write(OLD, "files/old.yaml")
    host.write(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"]}, name="lab"), "files/lab.yaml")
    with watching(host, "-f", "files") as service:
        service.settle()
        os.unlink("files/old.yaml")
        service.until_says('set "old" is no longer in the files')
        service.quiet()
        same(host.names("web"), {"eth0"}, "web")


@test("other sets: delete --dry-run shows what would be removed, and removes nothing", both=True)
def delete_dry(host):
    host.netns("web", "db")
    host.apply(OLD)
    host.apply(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"]}, name="lab"))
    before = host.snapshot(final_state=True)
    for words in (("--name", "old"), ("-f", host.write(OLD))):
        done = host.silently("a dry run", lambda words=words: host.mvapply("delete", *words, "--dry-run", code=2))
        same((done.plan, "Plan: 1 to delete." in done.lines), (["- attach web/n eth0 172.16.86.2/24"], True), f"what it says\n{done}")
        done = host.mvapply("delete", *words, "--dry-run", "-o", "json", code=2).json
        fits(done, "plan")
        same([(step["action"], step["set"], "outcome" in step) for step in done["steps"]],
             [("delete", "old", False)], "JSON")
    same(host.snapshot(), before, "after dry runs")
    assert "[MV0915]" in host.mvapply("delete", "--name", "odl", "--dry-run", code=1).err
    with watching(host, "-f", host.write(OLD)) as service:
        service.settle()
        same(host.mvapply("delete", "-f", "network.yaml", "--dry-run", code=2).err, "", "of a set that a service keeps")
    host.mvapply("delete", "--name", "old")
    same(host.mvapply("delete", "-f", "network.yaml", "--dry-run").lines, ["Nothing to do."], "when it is gone")


@test("other sets: completion offers the names of live sets, each once, and those of the files if there are any")
def completed(host):
    host.netns("web", "db")
    host.apply(OLD)
    host.apply(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"], "web": ["m"]}, name="lab"))
    host.write(document({"n": lan()}, {}, name="filed"), "filed.yaml")

    def names(*words):
        return [line.split("\t")[0] for line in host.mvapply("complete", "--", *words).out.splitlines()]
    for command in ("delete", "export"):
        same(sorted(names(command, "--name", "")), ["lab", "old"], command)
        same(names(command, "--name", "ol"), ["old"], command)
        same(names(command, "--name=l"), ["--name=lab"], command)
        same(names(command, "-f", "filed.yaml", "--name", ""), ["filed"], command)
    same(names("delete", "--dr"), ["--dry-run"], "options")
