"""An attachment that is no longer in the files is kept until its replacement exists."""
from declare import document, lan
from host import same
from registry import test
from service import watching

OLD = document({"n": lan()}, {"web": ["n"]})


def aliases(host, ns):
    return [link.get("ifalias") for link in host.links(ns).values()]


def renamed(attachment=None, **keys):
    return document({"home": lan(**keys)}, {"web": {"home": attachment or {}}})


BROKEN = {"sysctls": {"net.ipv4.conf.IFNAME.no_such_key": "1"}}


@test("replaced: a network renamed and its parent mistyped", both=True)
def mistyped(host):
    host.netns("web", "db")
    host.apply(OLD)
    before = host.snapshot(final_state=True)
    text = renamed(parent="eht0")
    for done in (host.diff(text, code=1), host.apply(text, code=1)):
        assert "kept web/n its replacement web/home is blocked" in done.lines, done
    same(host.snapshot(), before, "what there is")
    step = next(step for step in host.mvapply("diff", "-f", "network.yaml", "-o", "json",
                                              code=1).json["steps"]
                if step["network"] == "n")
    same((step["action"], step["reason"]), ("kept", "its replacement web/home is blocked"),
         "the step in JSON")
    script = host.mvapply("diff", "-f", "network.yaml", "-o", "ip", code=1).out
    assert "link delete" not in script, script
    with watching(host, "-f", "network.yaml") as service:
        service.until_says("kept attach web/n")
        same(host.snapshot(), before, "what there is under watch")
        host.write(renamed())
        service.until(lambda: aliases(host, "web") == ["mvapply:attach:default/home/web"],
                      "replaced", 30)
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("replaced: a link whose replacement fails is restored", both=True)
def fails(host):
    host.netns("web")
    host.apply(OLD)
    before = host.snapshot("web", final_state=True)
    host.write(renamed(BROKEN))
    host.mvapply("diff", "-f", "network.yaml", "--out", "plan.json", code=2)
    for command in (("apply", "-f", "network.yaml"), ("apply", "plan.json")):
        done = host.mvapply(*command, code=1)
        assert "attach web/n: restored, because its replacement" in done.err, done
        same(host.snapshot("web", final_state=True), before, "web")
    steps = host.mvapply("apply", "-f", "network.yaml", "-o", "json", code=1).json["steps"]
    same({step["network"]: step["outcome"] for step in steps}, {"n": "not done", "home": "failed"},
         "outcomes in JSON")
    with watching(host, "-f", "network.yaml", converged=False) as service:
        service.until_says("no_such_key")
        service.quiet()
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses under watch")
        host.write(renamed())
        service.until(lambda: aliases(host, "web") == ["mvapply:attach:default/home/web"],
                      "replaced", 30)


@test("replaced: under watch, each attempt that interrupts the live link waits longer")
def fails_again(host):
    def pauses():
        return [line.split()[-2] for line in service.log() if "is restored; the next attempt is in" in line]

    def nudged():
        host.batch("web", ["address add 192.168.9.1/24 dev lo", "address del 192.168.9.1/24 dev lo"])
        return len(pauses()) >= 6
    host.netns("web")
    host.apply(OLD)
    host.write(renamed(BROKEN))
    with watching(host, "-f", "network.yaml", converged=False) as service:
        service.until_says("attach web/home: the link that it replaces was interrupted and is restored", 30)
        service.until(nudged, "six attempts", 30)
        same(pauses(), ["0.1", "0.2", "0.4", "0.8", "1.6", "3.2"], "pauses")
        host.write(renamed())
        service.until(lambda: aliases(host, "web") == ["mvapply:attach:default/home/web"], "replaced", 90)


def one(host, ns, link="eth0"):
    """The address and the MAC of the only link with an IPv4 address."""
    link = host.link(ns, link)
    return link["address"], host.addresses(ns, link["ifname"])


BAD = {"parent": "etho", "subnet": "172.16.87.0/24"}


@test("replaced: the identity of a link that stays is given to no other container")
def address_kept(host):
    host.netns("web", "c3")
    for text in (document({"n": lan(), "bad": BAD}, {"web": ["bad"], "c3": ["n"]}),
                 document({"home": lan()}, {"c3": {"home": {}}, "web": {"home": BROKEN}})):
        host.apply(OLD)
        before = one(host, "web")
        for _ in range(2):
            host.apply(text, code=1)
            same(one(host, "web"), before, "web's link")
            same(host.addresses("c3", "eth0"), {"172.16.86.3/24"}, "c3's address")
        host.apply(document({}, {}), "--max-delete=100%")


@test("replaced: a container with another name or another namespace keeps its link while the new one is blocked")
def another_name(host):
    host.netns("web", "web2")
    host.ip("web", "link add x0 type veth peer name x1")
    host.ip("web2", "link add eth0 type veth peer name x1")
    host.apply(OLD)
    before = one(host, "web")
    for text in (document({"n": lan(parent="etho")}, {"www": {"netns": "web", "networks": ["n"]}}),
                 document({"n": lan()}, {"www": {"netns": "web", "networks": {"n": {"interface_name": "x0"}}}}),
                 document({"n": lan()}, {"www": {"netns": "/run/netns/web",
                                                 "networks": {"n": {"interface_name": "x0"}}}}),
                 document({"n": lan()}, {"web": {"netns": "web2", "networks": {"n": {"interface_name": "eth0"}}}}),
                 document({"n": lan(parent="etho")}, {"web": {"netns": "web2", "networks": ["n"]}})):
        done = host.apply(text, code=1)
        assert "kept web/n" in " ".join(done.out.split()), done
        same(one(host, "web"), before, f"web's link\n{done}\n")
    host.apply(document({"n": lan()}, {"www": {"netns": "web", "networks": ["n"]}}), "--max-delete=100%")
    same(aliases(host, "web").count("mvapply:attach:default/n/www"), 1, "once it can be")


@test("replaced: an attachment of a renamed network keeps its address, in any order")
def renamed_order(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
    before = host.addresses("web", "eth0"), host.addresses("db", "eth0")
    host.apply(document({"home": lan()}, {"db": ["home"], "web": ["home"]}), "--max-delete=100%")
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0")), before, "addresses")
