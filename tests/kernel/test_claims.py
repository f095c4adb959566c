"""A container's claims are not trusted: whatever links, addresses, MACs and owner tags it creates in its own
namespace, no other container is moved, blocked or cut off."""
import functools
import os
import re
import subprocess

from declare import document, lan
from features import ADDRESS_PROTOCOL
from host import same
from intruder import BOTH, intruder, racer, victims
from marked_address import marked_address
from registry import test
from service import watching

import yaml

NAMES = [f"v{number}" for number in range(1, 5)]
HOST = {"ipv4_address": "172.16.86.250", "interface_name": "lan0"}
NET = lan(host=HOST)


def declared(evil, first=True, explicit=False, names=NAMES, network=None, **more):
    """A set with the intruder before or after the others."""
    others = {name: {"n": {"ipv4_address": f"172.16.86.{10 + number}"} if explicit else {}}
              for number, name in enumerate(names)}
    own = {"evil": {**evil.source, "networks": ["n"]}}
    return document({"n": network or NET}, {**own, **others, **more} if first
                    else {**others, **own, **more})


def stacked(name, *addresses, marked=(), alias=None, mac=None, kind="macvlan mode bridge"):
    """A link on the host's eth0, through the intruder's own."""
    at = f" address {mac}" if mac else ""
    yield f"link add link eth0 name {name}{at} type {kind}"
    for address in addresses:
        yield f"address add {address} dev {name}"
    for address in marked:
        yield f"marked {name} {address}"
    if alias:
        yield f"link set {name} alias {alias}"
    yield f"link set {name} up"


# Links without an owner tag, or with another set's, are kept and reported.
TOLD = {"a second link with the address", "the same with its subnet", "the same with our protocol",
        "all addresses", "the mark of another set", "the host's address", "the private mode",
        "the source mode", "its own link without its mark, but with the address"}


def attacks(host, victim):
    """name -> commands of ip."""
    address = next(iter(host.addresses(victim, "eth0"))).partition("/")[0]
    own = next(iter(host.addresses("evil", "eth0")))
    host_address = HOST["ipv4_address"]
    return {
        "a second link with the address": stacked("z0", f"{address}/32"),
        "the same with its subnet": stacked("z0", f"{address}/24"),
        "the same with our protocol": stacked("z0", marked=[f"{address}/24"]),
        "all addresses": stacked("z0", *(f"172.16.86.{n}/32" for n in range(2, 250))),
        "the mark of another set": stacked("z0", marked=[f"{address}/24"],
                                           alias="mvapply:attach:other/n/x"),
        "its MAC, on a link that is down": [f"link add link eth0 name z0 address {mac_of(address)} type macvlan"],
        "the victim's own mark": stacked("z0", marked=[f"{address}/24"],
                                         alias=f"mvapply:attach:default/n/{victim}"),
        "its own mark": stacked("z0", marked=[f"{address}/24"],
                                alias="mvapply:attach:default/n/evil"),
        "the mark of nobody": stacked("z0", marked=[f"{address}/24"],
                                      alias="mvapply:attach:default/n/nobody"),
        "the mark of the host": stacked("z0", marked=[f"{host_address}/32"],
                                        alias="mvapply:host:default/n"),
        "the host's address": stacked("z0", f"{host_address}/32"),
        "the private mode": stacked("z0", f"{address}/32", kind="macvlan mode private"),
        "the source mode": stacked("z0", f"{address}/32", kind="macvlan mode source"),
        "its own link with one more of ours": [f"marked eth0 {address}/24"],
        "its own link with that alone": [f"address del {own} dev eth0",
                                         f"marked eth0 {address}/24"],
        "its own link with a lease": [f"marked eth0 {address}/24 900 400"],
        "its own link without its mark": ["link set eth0 alias nonsense"],
        "its own link with the victim's mark": [
            f"link set eth0 alias mvapply:attach:default/n/{victim}"],
        "its own link without its mark, but with the address": [
            "link set eth0 alias nonsense", f"address add {address}/32 dev eth0"],
    }


FALSE_ROLES = ["mvapply:host:default/n", "mvapply:host:other/n", "mvapply:dummy:default/n",
               "mvapply:dummy:other/n", "mvapply:vlan:default", "mvapply:vlan:default,other"]


def alias_of_own(host, evil, text, alias):
    """The output of an apply, and the container's state afterwards, after the container gave its
    own link that alias."""
    host.apply(text)
    evil.batch(f"link set eth0 alias {alias}")
    plan = host.mvapply("diff", "-f", "network.yaml", code=None)
    done = host.mvapply("apply", "-f", "network.yaml", code=None)
    found = {name: (link.get("ifalias", "").replace(alias, "ALIAS"), link["address"])
             for name, link in host.links("evil").items()}
    host.delete(text)
    evil.batch("link del eth0", force=True)
    return plan.code, plan.out, plan.err, done.code, done.out, done.err, found


@test("claims: an alias with the role of the host's own link is ignored")
def false_roles(host):
    host.netns(*NAMES)
    with intruder(host, "root") as evil:
        text = declared(evil)
        expected = alias_of_own(host, evil, text, "nonsense")
        for alias in FALSE_ROLES:
            same(alias_of_own(host, evil, text, alias), expected, alias)
        # A service does not report it more often either.
        with watching(host, "-f", host.write(text)) as service:
            service.settle()
            evil.batch(f"link set eth0 alias {FALSE_ROLES[0]}")
            with victims(host, *NAMES) as others:
                service.until_says("File exists")
                others.unharmed(FALSE_ROLES[0])
            assert not any("keeps the default route" in line for line in service.log()), service.everything()


def restored(host, evil, text):
    """Restores the intruder's own link for the next attack."""
    evil.clean()
    evil.batch("link del eth0", force=True)
    host.apply(text)


def tried(host, kind, **keys):
    host.netns(*NAMES)
    with intruder(host, kind) as evil:
        text = declared(evil, **keys)
        host.apply(text)
        with victims(host, *NAMES) as others:
            for what in list(attacks(host, "v3")):
                evil.batch(*attacks(host, "v3")[what])
                done = host.apply(text, code=None)
                others.unharmed(what)
                assert done.code == 0 or " evil/n" in done.err, f"{what}\n{done}"
                if what in TOLD:
                    words = f' in {evil.label} (x/n of set "other") has the address' \
                        if what == "the mark of another set" \
                        else f" in {evil.label} also has the address"
                    assert words in done.err, f"{what}\n{done}"
                restored(host, evil, text)
                others.unharmed(f"{what}, and its end")


@test("claims: addresses of others, chosen by mvapply, claimed by root in a container", seconds=120)
def chosen(host):
    tried(host, "root")


@test("claims: addresses of others, chosen by mvapply, claimed by a user's container", seconds=120)
def chosen_user(host):
    tried(host, "user")


@test("claims: addresses of other attachments, claimed by the last container of the file", seconds=120)
def chosen_last(host):
    tried(host, "root", first=False)


@test("claims: addresses of other attachments, set in the file, claimed by a user's container", seconds=120)
def explicit(host):
    tried(host, "user", explicit=True)


def one_more(host, kind, variants):
    host.netns(*NAMES)
    with intruder(host, kind) as evil:
        for keys in variants:
            text = declared(evil, **keys)
            host.apply(text)
            with victims(host, *NAMES) as others:
                evil.batch(f"address add {next(iter(host.addresses('v3', 'eth0')))} dev eth0")
                done = host.apply(text, code=None)
                others.unharmed(str(keys))
            if host.has(ADDRESS_PROTOCOL):
                assert f" in {evil.label} also has the address" in done.err, done
            else:
                assert done.code == 0 and re.search(r"~ attach +evil/n +- address", done.out), done
            host.delete(text)


@test("claims: another attachment's address, added to the own link by root in a container", features=[ADDRESS_PROTOCOL])
def one_more_root(host):
    one_more(host, "root", [{}, {"first": False}])


@test("claims: another attachment's address, added to the own link by a user's container", features=[ADDRESS_PROTOCOL])
def one_more_user(host):
    one_more(host, "user", [{}, {"explicit": True}])


# --- absent containers, and explicit values

LATE = {"late": {"n": {}}}


def no_inheritance(host, kind):
    """A forged attachment of an absent container: its address, MAC, routes and name."""
    host.netns("v1")
    with intruder(host, kind) as evil:
        text = declared(evil, names=["v1"], **LATE)
        host.apply(text)
        evil.batch(*stacked("z0", marked=["172.16.86.66/24"], mac="02:42:ac:10:56:42",
                            alias="mvapply:attach:default/n/late"),
                   *stacked("z1", marked=["172.16.86.67/24 900 400"],
                            alias="mvapply:attach:default/n/late"),
                   "route add 172.16.86.200/32 dev z1 proto 77",
                   "route add 10.9.0.0/16 via 172.16.86.200 dev z0 onlink proto 77")
        with victims(host, "v1") as others:
            host.apply(text)
            same(host.names("evil"), {"eth0", "z0", "z1"}, "kept while it is unknown whose they are")
            host.netns("late")
            done = host.apply(text)
            same({line for line in done.plan if line.startswith("- ")},
                 {f"- stray late/n {link} in {evil.label}, which is not the namespace of late"
                  for link in ("z0", "z1")}, "how their end is told")
            same(host.names("evil"), {"eth0"}, "they are gone")
            same(host.addresses("late", "eth0") & {"172.16.86.66/24", "172.16.86.67/24"}, set(),
                 "the address is not theirs")
            assert host.link("late", "eth0")["address"] != "02:42:ac:10:56:42"
            same({route for route in host.routes("late") if route.startswith("default")},
                 {"default via 172.16.86.1 dev eth0"}, "the router")
            others.unharmed("a forged attachment")
        host.unchanged(text)


@test("claims: a pending container inherits nothing from a forged attachment")
def inherited(host):
    no_inheritance(host, "root")


@test("claims: the same, forged by a user's container")
def inherited_user(host):
    no_inheritance(host, "user")


@test("claims: a forged owner tag does not delete the link of a container that cannot be found")
def pending_kept(host):
    host.netns("v1", "evil")
    with host.process() as pid:
        host.hold("lost", f"/proc/{pid}/ns/net")
        nets = {"lost": {"pid": pid, "networks": ["n"]}, "evil": ["n"], "v1": ["n"]}
        host.apply(document({"n": lan()}, nets))
        before = host.link("lost", "eth0")
        host.batch("evil", stacked("z0", alias="mvapply:attach:default/n/lost"))
        nets["lost"] = {"docker": "lost", "networks": ["n"]}  # no engine could report it
        done = host.apply(document({"n": lan()}, nets), code=None)
        same(host.link("lost", "eth0")["ifindex"], before["ifindex"], f"kept\n{done}")
        assert "- " not in "".join(line[:2] for line in done.plan), done
        host.leave("lost")


HOSTILE = ["x: y", "..", "*a", "a\u2028b", "#", "ü"]


@test("export: forged owner tags with any names never give an invalid file")
def hostile_export(host):
    host.netns("v1", "v2", "evil")
    text = document({"n": lan(host=HOST)}, {"v1": ["n"], "v2": ["n"], "evil": ["n"]})
    host.apply(text)
    own = next(iter(host.addresses("v1", "eth0")))
    marks = [f"mvapply:attach:default/n/{name}" for name in (*HOSTILE, "v1", "web", "evil")] + \
        [f"mvapply:attach:{HOSTILE[0]}/n/x", f"mvapply:attach:default/{HOSTILE[0]}/x"] + \
        [f"mvapply:{role}:default{name}" for role, name in
         (("host", "/n"), ("host", "/*a"), ("vlan", ",*a"), ("dummy", "/n"), ("dummy", "/.."))]
    for number, mark in enumerate(marks):
        host.batch("evil", [f"link add link eth0 name z{number} type macvlan"])
        host.run("ip", "link", "set", f"z{number}", "alias", mark, ns="evil", code=0)
        host.batch("evil", [f"address add {own} dev z{number}"])
    host.batch("evil", ["link set eth0 down", "link set eth0 name x\x7fy", "link set x\x7fy up"])
    host.batch("v2", ["address add 172.16.86.77/24 dev eth0"])
    with host.inside("evil"):
        marked_address("x\x7fy", own)
    out = host.mvapply("export").out
    found = yaml.safe_load(out)
    host.write(out, "exported.yaml")
    host.mvapply("validate", "-f", "exported.yaml", code=0)
    same(set(found["containers"]), {"v1", "v2", "evil"}, "containers")
    same({name: value.get("netns", name) for name, value in found["containers"].items()},
         {"v1": "v1", "v2": "v2", "evil": "evil"}, "their namespaces")
    same(set(found["networks"]), {"n"}, "networks")


# --- many of them, and services

def forged(count, name="mvapply:attach:default/n/x{}"):
    for number in range(count):
        yield from stacked(f"z{number}", alias=name.format(number))


@test("claims: forged owner tags do not count for --max-delete, and are reported as such")
def guard(host):
    host.netns(*NAMES)
    for kind in ("root", "user"):
        with intruder(host, kind) as evil:
            text = declared(evil)
            host.apply(text)
            with victims(host, *NAMES) as others:
                for name in ("mvapply:attach:default/n/x{}", "mvapply:attach:default/n{}/evil",
                             "mvapply:attach:default/n/evil", "mvapply:attach:default/n/v1"):
                    evil.batch(*forged(14, name))
                    done = host.apply(text)
                    same(host.names("evil"), {"eth0"}, f"deleted\n{done}")
                    for line in done.plan:
                        assert f" in {evil.label}" in line or " evil/" in line, done
                    others.unharmed(f"14 forged marks: {name}")
                host.unchanged(text)
        if kind == "root":
            host.remove_netns("evil")


@test("claims: forged owner tags of an undeclared container do not block a service")
def guard_undeclared(host):
    host.netns(*NAMES, "evil")
    host.batch("host", ["link add e0 link eth0 netns /run/netns/evil type macvlan"])
    text = document({"n": NET}, {name: ["n"] for name in NAMES})
    with watching(host, "-f", host.write(text)) as service:
        with victims(host, *NAMES) as others:
            service.settle()
            host.batch("evil", [line.replace("link eth0", "link e0") for line in forged(14)])
            host.batch("v1", ["link set eth0 mtu 1400"])
            service.until(lambda: host.link("v1", "eth0")["mtu"] == 1500, "healed")
            service.quiet()
            assert not any("held" in line for line in service.log()), service.everything()
            others.unharmed("forged marks")


FIRST = document({"n": NET}, {"v1": ["n"]})


@test("claims: without live links, a forged owner tag does not turn the files into another set's", both=True)
def guard_first(host):
    host.netns("v1")
    for kind in BOTH:
        with intruder(host, kind) as evil:
            host.ip("host", f"link add e0 link eth0 netns {evil.source.get('pid', '/run/netns/evil')} type macvlan")
            evil.batch("link set e0 name eth0", "link set eth0 up")
            for text in (FIRST, "networks: {}\n"):
                for mark in ("default/other/nobody", "default/other/v2", "default/n2/evil2"):
                    evil.batch(*stacked("z0", alias=f"mvapply:attach:{mark}"))
                    host.write(text)
                    host.mvapply("diff", "-f", "network.yaml", code=2)
                    done = host.apply(text)
                    same(host.names("evil"), {"eth0"}, f"deleted\n{done}")
                    same(host.names("v1"), {"eth0"} if text == FIRST else set(), "v1")
                    host.delete(text)
            evil.batch(*stacked("z0", alias="mvapply:attach:default/other/nobody"))
            with watching(host, "-f", host.write(FIRST)) as service:
                service.until(lambda: host.names("v1") == {"eth0"}, "attached")
                service.quiet()
                assert not any("held" in line for line in service.log()), service.everything()
            host.delete(FIRST)


@test("claims: a forged owner tag does not make another set's files the set's own")
def guard_opened(host):
    host.netns("web", "evil")
    host.apply(document({"n": NET}, {"web": ["n"], "evil": ["n"]}))
    index = host.link("web", "eth0")["ifindex"]
    for mark in ("default/n/late", "default/lan/late", "default/n/db", "default/n/web"):
        host.batch("evil", stacked("z0", alias=f"mvapply:attach:{mark}"))
        for networks in ({"n": NET}, {"lan": NET}):
            for source in ({}, {"docker": "late"}, {"netns": "/run/netns/late"}):
                done = host.apply(document(networks, {"late": {"networks": list(networks), **source}}), code=4)
                assert "`name:`" in done.err, done
        host.batch("evil", ["link delete z0"])
    same((host.link("web", "eth0")["ifindex"], host.names("evil")), (index, {"eth0"}), "links")


def watched(host, kind, explicit):
    host.netns(*NAMES)
    with intruder(host, kind) as evil:
        text = declared(evil, explicit=explicit)
        with watching(host, "-f", host.write(text)) as service:
            service.settle()
            with victims(host, *NAMES[:3]) as others:
                address = next(iter(host.addresses("v4", "eth0"))).partition("/")[0]
                evil.batch(*stacked("z0", *(f"172.16.86.{n}/32" for n in range(2, 20))))
                service.quiet()
                others.unharmed("claims under a service")
                host.remove_netns("v4")
                evil.batch(*list(stacked("z1", f"{address}/24", mac=mac_of(address)))[:-1])
                # The kernel destroys v4 in the background; until then the link has the MAC.
                host.until(lambda: evil.up("z1"), "the intruder has the MAC")
                host.netns("v4")
                service.until(lambda: host.names("v4") == {"eth0"}, "attached again")
                service.until(lambda: host.addresses("v4", "eth0"), "with an address")
                if explicit:
                    same(host.addresses("v4", "eth0"), {f"{address}/24"}, "the file's address")
                assert host.link("v4", "eth0")["address"] != mac_of(address), "the MAC is taken"
                service.quiet()
                others.unharmed("a restart under claims")


def mac_of(address):
    return "02:42:" + ":".join(f"{int(part):02x}" for part in address.split("."))


@test("claims: a service under claims of addresses and MACs, chosen ones")
def watched_chosen(host):
    watched(host, "root", False)


@test("claims: a service under claims of addresses and MACs, the file's, by a user's container")
def watched_explicit(host):
    watched(host, "user", True)


@test("claims: addresses are chosen from a range although all of it is claimed")
def exhausted(host):
    host.netns("v1", "late")
    with intruder(host, "user") as evil:
        net = lan(subnet="172.16.86.0/29")
        text = declared(evil, names=["v1"], network=net, **LATE)
        before = text.replace('"late"', '"later"')
        host.apply(before)
        with victims(host, "v1") as others:
            evil.batch(*stacked("z0", *(f"172.16.86.{n}/32" for n in range(1, 8))))
            done = host.apply(text)
            same(len(host.addresses("late", "eth0")), 1, f"an address all the same\n{done}")
            assert f"z0 in {evil.label} also has the address" in done.err, done
            others.unharmed("a range used up")


@test("claims: a claimed MAC of the file fails that attachment alone")
def explicit_mac(host):
    host.netns("v1", "late", "v2")
    mac = "02:00:5e:00:00:07"
    with intruder(host, "user") as evil:
        host.apply(declared(evil, names=["v1"]))
        with victims(host, "v1") as others:
            evil.batch(*stacked("z0", mac=mac))
            text = declared(evil, names=["v1", "v2"], late={"n": {"mac_address": mac}})
            done = host.apply(text, code=1)
            assert f"! blocked late/n z0 in {evil.label} already has the MAC address {mac}" in \
                " ".join(done.lines), done
            same((host.names("v2"), host.names("late")), ({"eth0"}, set()), "the others")
            others.unharmed("a MAC")


# --- a MAC that another link has, whatever an observation finds

LATE_ADDRESS = "172.16.86.77"
LATE_MARK = "mvapply:attach:default/n/late"


def is_attached(host):
    """Not while a link that cannot be set up exists and is deleted again."""
    link = host.links("late").get("eth0", {"flags": [], "addr_info": []})
    return "UP" in link["flags"] and \
        any(item["local"] == LATE_ADDRESS for item in link["addr_info"])


def attached(host, how):
    """The late container is attached, with a MAC that no other link has: returns the state that
    must not change."""
    same(host.addresses("late", "eth0"), {f"{LATE_ADDRESS}/24"}, "its address")
    link = host.link("late", "eth0")
    assert "UP" in link["flags"], link
    assert how != "hidden" or link["address"] != mac_of(LATE_ADDRESS), link
    return link["ifindex"], link["address"]


def raced(host, kind, how):
    host.netns("v1", "late", "next")
    with intruder(host, kind) as evil:
        host.apply(declared(evil, names=["v1"]))
        text = declared(evil, names=["v1"], next={"n": {}}, late={"n": {"ipv4_address": LATE_ADDRESS}})
        with victims(host, "v1") as others, racer(evil, how, mac_of(LATE_ADDRESS), LATE_MARK):
            host.apply(text)
            before = attached(host, how)
            same(host.names("next"), {"eth0"}, "the others")
            for _ in range(3):
                done = host.apply(text)
                same([line for line in done.plan if " stray " not in line], [], f"nothing else\n{done}")
            same(attached(host, how), before, "it stays as it is")
            others.unharmed("a MAC that is taken again and again")


def raced_watch(host, kind, how):
    host.netns("v1")
    with intruder(host, kind) as evil:
        text = declared(evil, names=["v1"], late={"n": {"ipv4_address": LATE_ADDRESS}})
        with watching(host, "-f", host.write(text)) as service:
            service.settle()
            with victims(host, "v1") as others, \
                    racer(evil, how, mac_of(LATE_ADDRESS), LATE_MARK):
                host.netns("late")
                service.until(lambda: is_attached(host), "attached", 30)
                before = attached(host, how)
                host.batch("late", ["link set eth0 mtu 1400"])
                service.until(lambda: host.link("late", "eth0")["mtu"] == 1500, "healed", 30)
                same(attached(host, how), before, "it stays as it is")
                others.unharmed("a MAC that is taken again and again")


for name, race, kind, how in (
        ("an unreadable link has the MAC that a container's link would get", raced, "root", "hidden"),
        ("a user's container creates such a link again and again", raced, "user", "hidden"),
        ("the same, under a service", raced_watch, "user", "hidden"),
        ("a tagged link with a container's MAC is created again whenever it is deleted", raced, "root", "again"),
        ("such a link of a user's container", raced, "user", "again"),
        ("such a link under a service", raced_watch, "user", "again")):
    test(f"claims: {name}", seconds=60)(functools.partial(race, kind=kind, how=how))


@test("claims: a MAC of the file that an unreadable link has fails that attachment alone",
      seconds=60)
def explicit_hidden(host):
    host.netns("v1", "late", "v2")
    mac = "02:00:5e:00:00:07"
    with intruder(host, "user") as evil:
        host.apply(declared(evil, names=["v1"]))
        text = declared(evil, names=["v1", "v2"], late={"n": {"mac_address": mac}})
        with victims(host, "v1") as others, racer(evil, "hidden", mac, LATE_MARK):
            host.apply(text, code=1)
            same((host.names("v2"), host.names("late")), ({"eth0"}, set()), "the others")
            others.unharmed("a MAC of the file's")


def nested_namespace(host, ns):
    """A process in a network namespace of its own, made by root in that one."""
    with host.inside(ns):
        child = subprocess.Popen(["unshare", "-n", "sleep", "100"], stdin=subprocess.DEVNULL)
        own = os.stat("/proc/thread-self/ns/net").st_ino
    host.until(lambda: os.stat(f"/proc/{child.pid}/ns/net").st_ino != own, "the namespace")
    return child


def owner_tag_nested(host, number, child):
    host.batch("evil", ["link add link eth0 name z type macvlan",
                        f"link set z alias mvapply:attach:default/n/x{number}", f"link set z netns {child.pid}"])


@test("claims: owner tags in network namespaces that a container creates do not count for the guard")
def nested_owner_tags(host):
    names = [f"v{i}" for i in range(5)]
    host.netns("evil", *names)
    text = document({"n": lan()}, {name: ["n"] for name in ("evil", *names)})
    host.apply(text)
    children = [nested_namespace(host, "evil") for _ in range(16)]
    held = [os.open(f"/proc/{child.pid}/ns/net", os.O_RDONLY) for child in children]
    # Processes lead to the namespaces, and then only descriptors.
    for ended in (False, True):
        for number, child in enumerate(children):
            owner_tag_nested(host, number, child)
            if ended:
                child.kill()
                child.wait()
        host.ip("v1", "link set eth0 mtu 1400")
        host.ip("v2", "link del eth0")
        host.apply(text)
        same((host.link("v1", "eth0")["mtu"], host.addresses("v2", "eth0")), (1500, {"172.16.86.5/24"}),
             "what was mended")
    for descriptor in held:
        os.close(descriptor)
