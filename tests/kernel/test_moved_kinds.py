"""A parent that was moved into another network namespace: with each kind of attachment, for apply, diff,
saved plans, delete and watch."""
import shutil

from declare import document, lan
from dhcp_server import HERE, serving
from host import same
from registry import test
from service import watching
from test_dhcp import lease_of
from test_moved import DEFAULT, WEB, move_away, move_back, new_eth0, reaches

CONTAINERS = {"web": ["n"]}


def kind(needs=(), parent="eth0", **keys):
    return {"text": document({"n": lan(**keys)}, CONTAINERS), "needs": needs, "parent": parent, **keys}


KINDS = {
    "private": kind(mode="private"),
    "passthru": kind(mode="passthru"),
    "the host's own": kind(host=True),
    "macvtap": kind(["macvtap"], driver="macvtap"),
    "ipvlan": kind(["ipvlan"], driver="ipvlan"),
    "ipvlan, the host's own": kind(["ipvlan"], driver="ipvlan", host=True),
    "VLAN": kind(["vlan"], "eth0.10", vlan=10),
    "VLAN, private": kind(["vlan"], "eth0.10", vlan=10, mode="private"),
    "VLAN, the host's own": kind(["vlan"], "eth0.10", vlan=10, host=True),
    "VLAN, ipvlan": kind(["vlan", "ipvlan"], "eth0.10", vlan=10, driver="ipvlan"),
}


def replaced(plan, was="in another namespace"):
    """The steps for links on the parent that was moved away, or on a VLAN of it."""
    return {line.split(" parent ")[0] for line in plan if f" parent {was} -> " in line}


def as_declared(host, case):
    """The output of `ip` when everything is on the host's current parent."""
    parent = host.link("host", case["parent"])
    same((host.names("web"), host.addresses("web", "eth0"), host.routes("web")),
         ({"eth0"}, {"172.16.86.2/24"}, DEFAULT), "web")
    same(host.link("web", "eth0")["link_index"], parent["ifindex"], "the number of web's parent")
    same("eth0.10" in host.names("host"), "vlan" in case, "the VLAN link")
    if "vlan" in case:
        same((parent.get("link"), parent["linkinfo"]["info_data"]["id"], parent["ifalias"]),
             ("eth0", 10, "mvapply:vlan:default"), "the VLAN link")
        same([name for name in host.names("host") if name.startswith("mvtmp")], [], "temporary links")
    else:
        reaches(host)
    same("mv-n" in host.names("host"), "host" in case, "the host's own link")
    if "host" in case:
        own = host.link("host", "mv-n")
        same((own["link"], host.addresses("host", "mv-n")), (case["parent"], {"172.16.86.254/32"}), "its own")
        same("172.16.86.2 dev mv-n scope link src 172.16.86.254" in host.routes("host"), True, "the way to web")


def kinds(label):
    """Registers a test for each kind of attachment."""
    def register(function):
        for name, case in KINDS.items():
            def body(host, case=case):
                host.netns("web", "elsewhere")
                function(host, case)
            test(f"moved, {name}: {label}", needs=case["needs"], both=not case["needs"])(body)
        return function
    return register


@kinds("apply and diff create it again, and a saved plan is stale")
def applied(host, case):
    host.apply(case["text"])
    mac = host.link("web", "eth0")["address"]
    host.diff(case["text"], "--out", "nothing.json", code=0)
    number = host.link("host", "eth0")["ifindex"]
    move_away(host)
    new_eth0(host, f"index {number}")
    done = host.mvapply("apply", "nothing.json", code=4)
    place = "eth0.10 in the host" if "vlan" in case else "eth0 in web"
    assert f"is: link {place}: " in done.err and ", parent in another namespace" in done.err, done
    diff = host.diff(case["text"], "--out", "plan.json")
    was = case["parent"] if "vlan" in case else "in another namespace"
    same(replaced(diff.plan, was), {"-/+ attach web/n"} | ({"-/+ host n"} if "host" in case else set()), "diff")
    same(host.mvapply("apply", "plan.json").plan, diff.plan, "apply")
    as_declared(host, case)
    same(host.link("web", "eth0")["address"], mac, "web's MAC")
    host.unchanged(case["text"])


@kinds("delete removes all of it, with or without a new parent")
def deleted(host, case):
    host.apply(case["text"])
    for new in (False, True):
        move_away(host)
        if new:
            new_eth0(host)
        host.delete(case["text"])
        same((host.names("web"), host.routes("web")), (set(), set()), "web")
        same(host.names("host"), {"eth0"} if new else set(), "the host")
        if not new:
            move_back(host)
            host.apply(case["text"])


@kinds("watch creates it again if the parent was down and the new one has its ifindex")
def watched(host, case):
    with watching(host, "-f", host.write(case["text"])) as service:
        service.until(lambda: host.routes("web") == DEFAULT, "attached")
        service.settle()
        before, number = host.link("web", "eth0")["ifindex"], host.link("host", "eth0")["ifindex"]
        host.ip("host", "link set eth0 down")
        service.settle()
        move_away(host)
        service.until_says("the host has no link", 20)
        service.quiet()
        same(host.link("web", "eth0")["ifindex"], before, "the link, with nothing to replace it")
        new_eth0(host, f"index {number}")
        service.until(lambda: host.links("web").get("eth0", {"ifindex": before})["ifindex"] != before,
                      "made anew", 30)
        service.quiet()
        as_declared(host, case)


@test("moved: watch does not change the attachment when the parent returns, though it was down", both=True)
def watched_back(host):
    host.netns("web", "elsewhere")
    with watching(host, "-f", host.write(WEB)) as service:
        service.until(lambda: host.routes("web") == DEFAULT, "attached")
        service.settle()
        before = host.link("web", "eth0")
        host.ip("host", "link set eth0 down")
        service.settle()
        move_away(host)
        service.until_says("the host has no link", 20)
        service.quiet()
        move_back(host)
        service.quiet(1)
        same(host.link("web", "eth0")["ifindex"], before["ifindex"], "the link")
        reaches(host)


DHCP = document({"n": lan(dhcp=True, subnet=None, gateway=None)}, CONTAINERS)


@test("moved, DHCP: the lease is kept on the new parent, and released by delete")
def leased(host):
    host.netns("web", "elsewhere")
    with serving(host):
        host.apply(DHCP)
        lease, mac, routes = lease_of(host)["local"], host.link("web", "eth0")["address"], host.routes("web")
    move_away(host)
    new_eth0(host)
    shutil.copy(f"{HERE}/up0.leases", f"{HERE}/up1.leases")
    with serving(host, link="up1") as server:
        diff = host.diff(DHCP)
        same(replaced(diff.plan), {"-/+ attach web/n"}, "diff")
        host.apply(DHCP)
        same((lease_of(host)["local"], lease_of(host)["dynamic"], host.link("web", "eth0")["address"],
              host.routes("web")), (lease, True, mac, routes), "the lease")
        reaches(host)
        host.unchanged(DHCP)
        host.delete(DHCP)
        same((server.leases(), host.names("web")), ({}, set()), "after delete")
