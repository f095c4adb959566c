"""A container's word is not believed: whatever links, addresses, MACs and marks it makes in its own
namespace, nobody else is moved, blocked or cut off."""
import os

from declare import document, lan
from host import same
from intruder import intruder, victims
from registry import test
from service import watching

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
