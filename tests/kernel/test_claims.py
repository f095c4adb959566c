"""A container's word is not believed: whatever links, addresses, MACs and marks it makes in its own
namespace, nobody else is moved, blocked or cut off."""
from declare import document, lan
from host import same
from intruder import intruder, victims
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
    """A link on the host's eth0, by way of the intruder's own."""
    at = f" address {mac}" if mac else ""
    yield f"link add link eth0 name {name}{at} type {kind}"
    for address in addresses:
        yield f"address add {address} dev {name}"
    for address in marked:
        yield f"marked {name} {address}"
    if alias:
        yield f"link set {name} alias {alias}"
    yield f"link set {name} up"


# What is not marked, or not as one of the set, stays: it is told.
TOLD = {"a second link with the address", "the same with its subnet", "the same with our protocol",
        "all addresses", "the mark of another set", "the host's address", "the private mode",
        "the source mode", "its own link with one more",
        "its own link without its mark, but with the address"}


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
        "its own link with one more": [f"address add {address}/24 dev eth0"],
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


def restored(host, evil, text):
    """The intruder's own link as it was, for the next attack."""
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
                    assert f" in {evil.label} has the address" in done.err, f"{what}\n{done}"
                restored(host, evil, text)
                others.unharmed(f"{what}, and its end")


@test("claims: addresses of others, chosen by mvapply, claimed by root in a container", seconds=120)
def chosen(host):
    tried(host, "root")


@test("claims: addresses of others, chosen by mvapply, claimed by a user's container", seconds=120)
def chosen_user(host):
    tried(host, "user")


@test("claims: addresses of others, claimed by a container that comes last in the file", seconds=120)
def chosen_last(host):
    tried(host, "root", first=False)


@test("claims: addresses of others, given by the file, claimed by a user's container", seconds=120)
def explicit(host):
    tried(host, "user", explicit=True)


# --- what is not there yet, and what is written down

LATE = {"late": {"n": {}}}


def no_inheritance(host, kind):
    """A forged attachment of a container that is not there: its address, MAC, routes and name."""
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


@test("claims: nothing is inherited from a forged attachment of a container that is not there yet")
def inherited(host):
    no_inheritance(host, "root")


@test("claims: the same, forged by a user's container")
def inherited_user(host):
    no_inheritance(host, "user")


@test("claims: while a container cannot be found, no forged mark makes its link leave")
def pending_kept(host):
    host.netns("v1", "evil")
    with host.process() as pid:
        host.hold("lost", f"/proc/{pid}/ns/net")
        nets = {"lost": {"pid": pid, "networks": ["n"]}, "evil": ["n"], "v1": ["n"]}
        host.apply(document({"n": lan()}, nets))
        before = host.link("lost", "eth0")
        host.batch("evil", stacked("z0", alias="mvapply:attach:default/n/lost"))
        nets["lost"] = {"docker": "lost", "networks": ["n"]}  # there is no engine that could tell
        done = host.apply(document({"n": lan()}, nets), code=None)
        same(host.link("lost", "eth0")["ifindex"], before["ifindex"], f"kept\n{done}")
        assert "- " not in "".join(line[:2] for line in done.plan), done
        host.leave("lost")


HOSTILE = ["x: y", "..", "*a", "a\u2028b", "#", "ü"]


@test("export: forged marks, of any names, never end in a file that is wrong")
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
