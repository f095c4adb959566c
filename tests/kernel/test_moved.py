"""A parent that was moved into another network namespace, as LXC and Incus do: its attachments are not on the
host's LAN any more, and are created again on the host's current parent."""
from declare import document, lan
from fake_daemon import daemon
from host import ETH0_MAC, same
from registry import test
from service import watching

WEB = document({"n": lan()}, {"web": ["n"]})
DEFAULT = {"default via 172.16.86.1 dev eth0", "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}
REPLACED = ["-/+ attach web/n parent in another namespace -> eth0 (cannot change in place)"]


def move_away(host, to="elsewhere"):
    host.ip("host", f"link set eth0 netns {to}")


def new_eth0(host, index=""):
    """Another cable to the same LAN, the only way there."""
    host.batch("host", [f"link add eth0 {index} address {ETH0_MAC} type veth peer name up1",
                        "link set up1 netns /run/lan", "link set eth0 up"])
    host.batch("lan", ["address flush dev up0", "link set up1 up", "address add 172.16.86.1/24 dev up1"])


def move_back(host):
    """Into the host's namespace, through one of its processes."""
    with host.process("host") as pid:
        host.ip("elsewhere", f"link set eth0 netns {pid}")
    host.ip("host", "link set eth0 up")


def reaches(host, ns="web"):
    """Whether it reaches the gateway through the host's eth0."""
    host.until(lambda: host.run("ping", "-c1", "-W1", "172.16.86.1", ns=ns).code == 0, "a ping", 10)


def web_as_before(host, before):
    link = host.link("web", "eth0")
    same((host.names("web"), host.addresses("web", "eth0"), link["address"], host.routes("web")),
         ({"eth0"}, {"172.16.86.2/24"}, before["address"], DEFAULT), "web")
    same(link["ifalias"], "mvapply:attach:default/n/web", "mark")
    same(link["link_index"], host.link("host", "eth0")["ifindex"], "the number of the parent")
    reaches(host)


@test("moved: the parent was moved into another namespace, and the host has a new one", both=True)
def replaced(host):
    host.netns("web", "elsewhere")
    host.apply(WEB)
    before = host.link("web", "eth0")
    move_away(host)
    new_eth0(host)
    done = host.diff(WEB)
    same(done.plan, REPLACED, "diff")
    done = host.apply(WEB)
    same((done.plan, done.err), (REPLACED, ""), "apply")
    web_as_before(host, before)
    host.unchanged(WEB)


@test("moved: the new parent has the ifindex, name and MAC of the old one", both=True)
def same_number(host):
    host.netns("web", "elsewhere")
    host.apply(WEB)
    before = host.link("web", "eth0")
    number = host.link("host", "eth0")["ifindex"]
    host.write(WEB)
    move_away(host)
    new_eth0(host, f"index {number}")
    same(host.apply(WEB).plan, REPLACED, "apply")
    web_as_before(host, before)
    host.unchanged(WEB)


@test("moved: the parent was moved into the container itself", both=True)
def into_container(host):
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": {"n": {"interface_name": "lan0"}}}))
    move_away(host, "web")
    new_eth0(host)
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "lan0"}}})
    host.apply(text)
    same((host.names("web"), host.addresses("web", "lan0")), ({"eth0", "lan0"}, {"172.16.86.2/24"}), "web")
    reaches(host)
    host.unchanged(text)


@test("moved: delete removes the attachment of an absent parent", both=True)
def deleted(host):
    host.netns("web", "elsewhere")
    for new in (False, True):
        host.apply(WEB)
        move_away(host)
        if new:
            new_eth0(host)
        same(host.delete(WEB).plan, ["- attach web/n eth0 172.16.86.2/24"], "delete")
        same((host.names("web"), host.routes("web")), (set(), set()), "web")
        if not new:
            move_back(host)


DOCKER = document({"n": lan()}, {"app": {"docker": "app", "networks": ["n"]}})


@test("moved: delete queries the engine where the parent is absent, and reports what is unknown",
      seconds=60)
def deleted_by_engine(host):
    host.netns("web", "elsewhere")
    with daemon() as engine, host.process("web") as app:
        engine.containers["app"] = app
        host.apply(DOCKER, env=engine.env)
        move_away(host)
        before = host.link("web", "eth0")
        engine.hold("all")
        done = host.delete(DOCKER, code=1, env=engine.env)
        assert "[MV0919]" in done.err and "no answer in time" in done.err, done
        same(host.link("web", "eth0")["ifindex"], before["ifindex"], "the link of who knows whom")
        engine.release()
        same(host.delete(DOCKER, env=engine.env).plan, ["- attach app/n eth0 172.16.86.2/24"], "delete")
        same(host.names("web"), set(), "web")


@test("moved: delete keeps the links in a container that the engine does not have")
def deleted_without(host):
    host.netns("web", "elsewhere")
    with daemon() as engine, host.process("web") as app:
        engine.containers["app"] = app
        host.apply(DOCKER, env=engine.env)
        move_away(host)
        del engine.containers["app"]
        same(host.delete(DOCKER, env=engine.env).plan, [], "delete")
        same(host.names("web"), {"eth0"}, "web")


@test("moved: an absent parent blocks, and after its return nothing has changed", both=True)
def comes_back(host):
    host.netns("web", "elsewhere")
    host.apply(WEB)
    before = host.link("web", "eth0")
    move_away(host)
    done = host.apply(WEB, code=1)
    assert 'the host has no link "eth0"' in done.out, done
    same(host.link("web", "eth0")["ifindex"], before["ifindex"], "the link, with nothing to replace it")
    move_back(host)
    host.unchanged(WEB)
    same(host.link("web", "eth0")["ifindex"], before["ifindex"], "the link")
    reaches(host)


@test("moved: links of another host on the same machine are unmanaged", both=True)
def other_host(host):
    """`other` is a host of its own, whose container `web` has another namespace than this one's."""
    host.netns("web", "web2", "other")
    host.batch("host", ["link add eth1 type veth peer name up2", "link set eth1 netns other name eth0",
                        "link set up2 netns /run/lan"])
    host.batch("lan", ["link set up2 up"])
    host.batch("other", ["link set lo up", "link set eth0 up"])
    theirs = document({"n": lan()}, {"web": {"netns": "web2", "networks": ["n"]}})
    host.mvapply("apply", "-f", host.write(theirs, "theirs.yaml"), ns="other")
    before = host.snapshot("web2", final_state=True)
    host.apply(WEB)
    host.unchanged(WEB)
    host.mvapply("diff", "-f", "theirs.yaml", ns="other")
    for text in (WEB, document({"n": lan()}, {"db": ["n"]})):
        host.delete(text)
        same(host.snapshot("web2", final_state=True), before, "the other host's")
    host.mvapply("delete", "--name", "default", code=1)
    same(host.snapshot("web2", final_state=True), before, "the other host's")


@test("moved: watch creates the attachment again, and reports it once")
def watched(host):
    host.netns("web", "elsewhere")
    with watching(host, "-f", host.write(WEB)) as service:
        service.until(lambda: host.names("web") == {"eth0"}, "attached")
        before = host.link("web", "eth0")
        move_away(host)
        service.until_says("the host has no link")
        new_eth0(host)
        service.until(lambda: host.links("web").get("eth0", before)["ifindex"] != before["ifindex"], "replaced", 30)
        service.quiet()
        web_as_before(host, before)


@test("moved: a replaced link is not restored, and the container keeps its link")
def confirmed_not(host):
    host.netns("web", "elsewhere")
    host.apply(WEB)
    before = host.link("web", "eth0")
    move_away(host)
    new_eth0(host)
    done = host.mvapply("apply", "-f", host.write(WEB), "--confirm=1", code=1)
    assert "[MV0913]" in done.err and "its parent was in another namespace" in done.err, done
    web_as_before(host, before)
    host.unchanged(WEB)
