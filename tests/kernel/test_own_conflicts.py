"""A conflict in a container's own namespace blocks only that container's attachment: whatever root in it has
created there, the others are attached and repaired. A conflict on the host itself still refuses the run."""
import os

from declare import document, lan
from host import same
from intruder import BOTH, intruder, victims
from registry import test
from service import watching

DUAL = {"subnet": None, "gateway": None,
        "subnets": [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]}
BEFORE, AFTER = ["v1", "v2"], ["late1", "late2"]
ROUTES = [{"to": "10.9.0.0/16", "via": "172.16.86.9"}, {"to": "fd00:9::/64", "via": "fd00:86::9"}]
OWN = {"interface_name": "lan0", "routes": ROUTES}


def declared(evil, **own):
    """The intruder is first, last and in the middle of the others by its three names."""
    others = [*BEFORE, *AFTER]
    containers = {name: ["n"] for name in others[:2]}
    containers["evil"] = {**evil.source, "networks": {"n": {**OWN, **own}}}
    containers.update({name: ["n"] for name in others[2:]})
    return document({"n": lan(**DUAL)}, containers)


def link(name, *more):
    return [f"link add {name} type veth peer name peer0", f"link set {name} up", "link set peer0 up",
            *more]


def route(to, more=""):
    """By a link of its own."""
    return link("own0", "address add 192.168.5.2/24 dev own0", "address add fd00:5::2/64 dev own0 nodad",
                f"route add {to} dev own0{more}")


STACKED = ["link add link e0 name own0 type macvlan mode bridge", "link set own0 up"]

# The action of root in the container -> the code of its attachment, and whether --adopt resolves
# it; "" if the kernel refuses it.
CONFLICTS = {
    "a link of the name": (link("lan0"), "MV0801", False),
    "a macvlan of the name on the parent": (
        ["link add link e0 name lan0 type macvlan mode bridge"], "MV0801", True),
    "a macvlan of the name with the mark of another set": (
        ["link add link e0 name lan0 type macvlan mode bridge",
         "link set lan0 alias mvapply:attach:other/n/evil"], "MV0801", False),
    "a link of the name with a mark and no parent": (
        link("lan0", "link set lan0 alias mvapply:attach:default/n/evil"), "MV0801", False),
    "another name of its own link": (link("own0", "link property add dev own0 altname lan0"), "MV0801",
                                    False),
    "a default route": (route("default"), "MV0804", True),
    "a default route by a router": (route("default via 192.168.5.1"), "MV0804", True),
    "a default route of IPv6": (route("::/0", " metric 1024"), "MV0804", True),
    "another route": (route("10.9.0.0/16"), "MV0804", True),
    "another route of IPv6": (route("fd00:9::/64", " metric 1024"), "MV0804", True),
    "a route with our protocol": (route("10.9.0.0/16", " proto 77"), "", False),
    "a default route that leads nowhere": (["route add unreachable default"], "", False),
    "a route of another set": (
        [*STACKED, "link set own0 alias mvapply:attach:other/m/evil",
         "route add 10.9.0.0/16 dev own0 proto 77"], "MV0804", False),
    "another set's attachment to the same LAN": (
        [*STACKED, "link set own0 alias mvapply:attach:other/n/evil",
         "address add 172.16.86.99/24 dev own0"], "MV0611", False),
    "all at once": (link("lan0", "address add 192.168.5.2/24 dev lan0",
                         "route add default via 192.168.5.1", "route add 10.9.0.0/16 dev lan0"),
                    "MV0801", False),
}


def given(host, evil, *commands):
    """The conflict in the intruder's namespace, which has an unmanaged link on the parent."""
    if any("link e0" in command for command in commands):
        with_parent(host, evil)
    evil.batch(*commands)


def with_parent(host, evil):
    target = evil.source.get("pid", f"/run/netns/{evil.name}")
    host.batch("host", [f"link add link eth0 name e0 netns {target} type macvlan mode bridge"])
    evil.batch("link set e0 up")


def cleared(host, evil):
    for name in host.names(evil.name):
        evil.batch(f"link del {name}", force=True)
    evil.batch("route del unreachable default", force=True)


def attached(host, *names):
    same({name: host.names(name) for name in names}, {name: {"eth0"} for name in names}, "links")
    for name in names:
        assert {"172.16.86", "fd00:86::"} == {address[:9] for address in
                                              host.addresses(name, "eth0")}, name


def reported(done, code):
    """It is reported, with its code, and no other attachment is."""
    wrong = [line for line in done.lines if line.startswith(("! ", "mvapply: error", "mvapply: attach"))]
    assert any("evil/n" in line for line in wrong) or "evil/n" in done.err, done
    assert not any(f"{name}/n" in line for name in (*BEFORE, *AFTER) for line in wrong), done
    assert "refused" not in done.out + done.err, done
    assert f"[{code}]" in done.out + done.err if code else True, done


def tried(host, kind, *flags):
    host.netns(*BEFORE, *AFTER)
    with intruder(host, kind) as evil:
        text = declared(evil)
        begun = document({"n": lan(**DUAL)}, {name: ["n"] for name in BEFORE})
        host.apply(begun)
        with victims(host, *BEFORE) as others:
            for what, (commands, code, adopts) in CONFLICTS.items():
                given(host, evil, *commands)
                mine = host.snapshot(evil.name, final_state=True)
                good = adopts and "--adopt" in flags
                foreseen = host.diff(text, *flags, code=1 if code and not good else 2)
                done = host.apply(text, *flags, code=0 if good else 1)
                attached(host, *AFTER)
                if not good:
                    reported(done, code)
                    assert not code or f"[{code}]" in foreseen.out, f"{what}\n{foreseen}"
                    same(host.snapshot(evil.name, final_state=True), mine, f"the intruder's own, after {what}")
                others.unharmed(what)
                cleared(host, evil)
                host.apply(begun, "--max-delete=100%")
                same(host.names(AFTER[0]), set(), "taken away again")
        host.apply(text)
        same(host.names(evil.name), {"lan0"}, "its own, when nothing is in the way")


for sort in BOTH:
    for flag in [], ["--adopt"]:
        test(f"own conflicts: of root in a container, as {sort} {' '.join(flag)}".strip(), seconds=180)(
            lambda host, sort=sort, flag=tuple(flag): tried(host, sort, *flag))


def watched(host, kind):
    """The service attaches and repairs the others, and the container itself once the conflict
    ends."""
    host.netns(*BEFORE, *AFTER[:1])
    with intruder(host, kind) as evil:
        evil.batch(*CONFLICTS["all at once"][0])
        text = declared(evil)
        with watching(host, "-f", host.write(text)) as service:
            service.quiet()
            attached(host, *BEFORE, AFTER[0])
            lines = [line for line in service.log() if "evil/n" in line]
            same(len(lines), 1, f"how often it is told\n{service.everything()}")
            assert "MV0801" in lines[0] and "refused" not in lines[0], lines
            with victims(host, BEFORE[0]) as others:
                host.ip("v2", "link set eth0 mtu 1400")
                service.until(lambda: host.link("v2", "eth0")["mtu"] == 1500, "v2 is mended")
                host.netns(AFTER[1])
                service.until(lambda: len(host.addresses(AFTER[1], "eth0")) == 2, "a new one")
                cleared(host, evil)
                service.until(lambda: host.names(evil.name) == {"lan0"}, "the container itself")
                evil.batch(*route("10.9.0.0/24"))  # not relevant
                service.settle()
                others.unharmed("all that")


@test("own conflicts: under a service, of root in a container", seconds=60)
def watched_root(host):
    watched(host, "root")


@test("own conflicts: under a service, of root in a user's container", seconds=60)
def watched_user(host):
    watched(host, "user")


@test("own conflicts: JSON, ip commands and a saved plan contain the other attachments")
def in_other_netns_reported(host):
    host.netns(*BEFORE, *AFTER)
    with intruder(host, "root") as evil:
        evil.batch(*CONFLICTS["a default route"][0])
        text = declared(evil)
        steps = host.diff(text, "-o", "json", code=1).json["steps"]
        same({step["container"]: (step["action"], step.get("code")) for step in steps},
             {"evil": ("blocked", "MV0804"),
              **{name: ("create", None) for name in (*BEFORE, *AFTER)}}, "the steps in JSON")
        out = host.diff(text, "-o", "ip", code=1).out
        assert "# blocked evil/n: " in out and out.count("link add") == 4, out
        assert "blocked" in host.diff(text, "-o", "markdown", code=1).out
        host.diff(text, "--out", "plan.json", code=1)
        assert os.path.exists("plan.json"), "the plan is not saved"
        done = host.mvapply("apply", "plan.json", code=1)
        reported(done, "MV0804")
        attached(host, *BEFORE, *AFTER)
        same(host.names(evil.name), {"own0", "peer0"}, "the container's own")


@test("own conflicts: two containers of one namespace with one name or one route")
def shared(host):
    host.netns("web", "db")
    for keys, code in (({"interface_name": "lan0"}, "MV0405"),
                       ({"routes": [{"to": "10.0.0.0/8", "via": "172.16.86.9"}]}, "MV0408")):
        text = document({"n": lan(gateway=None)}, {
            "one": {"netns": "web", "networks": {"n": keys}},
            "two": {"netns": "/run/netns/web", "networks": {"n": keys}}, "db": ["n"]})
        done = host.apply(text, code=1)
        assert f"[{code}]" in done.out and "! blocked two/n" in " ".join(done.out.split()), done
        same((len(host.names("web")), host.names("db")), (1, {"eth0"}), "links")
        host.delete(text)


@test("own conflicts: a conflict on the host is a refusal, with a container's in addition")
def host_refuses(host):
    host.netns("v1", "v2")
    with intruder(host, "root") as evil:
        evil.batch(*CONFLICTS["a default route"][0])
        host.ip("host", "address add 172.16.86.44/24 dev eth0")
        before = host.snapshot()
        text = document({"n": lan()}, {"evil": ["n"], "v1": ["n"],
                                       "v2": {"n": {"ipv4_address": "172.16.86.44"}}})
        done = host.apply(text, code=4)
        for words in "! blocked evil/n", "! refused v2/n":
            assert words in " ".join(done.out.split()), done
        assert "nothing was changed" in done.err, done
        same(host.snapshot(), before, "after a refusal")
