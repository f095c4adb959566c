"""Settings of an attachment's link: promisc, allmulticast, txqueuelen, altnames, and those that all links of a parent
share, bclim of macvlan and ipvlan_flag of ipvlan."""
import os
import socket
import struct
import sys

import yaml

import multicast_limit
from declare import document, lan
from features import MULTICAST_LIMIT, QUEUE_LENGTH
from host import same
from registry import test
from service import watching

SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC = 263, 1, 1
DEFAULTS = {"promisc": False, "allmulticast": False, "txqueuelen": 1000, "altnames": set()}
ALL = {"promisc": True, "allmulticast": True, "txqueuelen": 77, "altnames": ["uplink", "lan.of-the-office"]}
ALL_LIVE = {**ALL, "altnames": set(ALL["altnames"])}


def web(attachment=None, network=None, **containers):
    return document({"n": lan(**(network or {}))}, {"web": {"n": attachment or {}}, **containers})


def settings(host, ns="web", name="eth0"):
    link = host.link(ns, name)
    return {"promisc": "PROMISC" in link["flags"], "allmulticast": "ALLMULTI" in link["flags"],
            "txqueuelen": link.get("txqlen", 0), "altnames": set(link.get("altnames", []))}


def limit(host, ns="web", name="eth0"):
    return int(host.run(sys.executable, multicast_limit.__file__, name, ns=ns, code=0).out)


@test("settings: created, kept, restored after a drift, and removed with their keys", both=True)
def life(host):
    host.netns("web")
    host.apply(web(ALL))
    same(settings(host), ALL_LIVE, "created")
    host.unchanged(web(ALL))
    index = host.link("web", "eth0")["ifindex"]
    host.batch("web", ["link set eth0 promisc off allmulticast off txqueuelen 5",
                       "link property del dev eth0 altname uplink", "link property add dev eth0 altname theirs"])
    done = host.apply(web(ALL))
    same(done.plan, ["~ attach web/n txqueuelen 5 -> 77, promisc false -> true, allmulticast false -> true, "
                     "- altname theirs, + altname uplink"], "the plan")
    same(settings(host), ALL_LIVE, "restored")
    host.apply(web({**ALL, "altnames": []}))
    same(settings(host), {**ALL_LIVE, "altnames": set()}, "without altnames")
    host.ip("web", "link property add dev eth0 altname theirs")
    host.apply(web())
    same(settings(host), {**DEFAULTS, "altnames": {"theirs"}}, "without the keys: altnames of others stay")
    host.unchanged(web())
    same(host.link("web", "eth0")["ifindex"], index, "the link")


@test("settings: of a network, which an attachment overrides")
def inherited(host):
    host.netns("web", "db")
    keys = {name: ALL[name] for name in ("promisc", "allmulticast", "txqueuelen")}
    text = web({"promisc": False, "txqueuelen": 0}, {**keys, "host": True}, db=["n"])
    host.apply(text)
    same(settings(host), {**ALL_LIVE, "promisc": False, "txqueuelen": 0, "altnames": set()}, "web")
    same(settings(host, "db"), {**ALL_LIVE, "altnames": set()}, "db")
    same(settings(host, "host", "mv-n"), DEFAULTS, "the host's own link")
    host.unchanged(text)


@test("settings: a packet socket's promiscuity is neither taken for a drift nor ended")
def counted(host):
    host.netns("web")
    host.apply(web())
    with host.inside("web"):
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        index = socket.if_nametoindex("eth0")
    sniffer.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b""))
    for keys, promiscuity in (({}, 1), ({"promisc": True}, 2), ({"promisc": False}, 1)):
        host.apply(web(keys))
        same(host.link("web", "eth0")["promiscuity"], promiscuity, f"requests for it with {keys}")
        host.unchanged(web(keys))
    sniffer.close()
    same(host.link("web", "eth0")["promiscuity"], 0, "without the socket")


@test("settings: an altname that another link of the namespace has")
def taken(host):
    host.netns("web", "db")
    host.batch("web", ["link add theirs type veth peer name peer", "link property add dev theirs altname uplink"])
    for name in ("uplink", "peer"):
        done = host.apply(web({"altnames": [name]}, db=["n"]), code=1)
        assert f"web has a link {name} (veth) that mvapply did not create [MV0801]" in done.out, done
        same((host.names("web"), host.addresses("db", "eth0")), ({"theirs", "peer"}, {"172.16.86.3/24"}), name)
    host.ip("web", "link delete theirs")
    host.apply(web({"altnames": ["uplink"]}, db=["n"]))
    two = {"n": lan(), "m": lan(subnet="10.8.0.0/24", gateway=None)}
    shared = document(two, {"web": {"n": {"altnames": ["uplink"]}},
                            "too": {"netns": "/run/netns/web", "networks": {"m": {"interface_name": "uplink"}}}})
    done = host.apply(shared, code=1)
    assert "web/n also gets the name uplink in web [MV0405]" in done.out, done
    host.delete(shared)


@test("settings: altnames and names that links of one container exchange")
def exchanged(host):
    host.netns("web")
    two = {"n": lan(), "m": lan(subnet="10.8.0.0/24", gateway=None)}

    def text(first, second):
        return document(two, {"web": {"n": first, "m": second}})
    host.apply(text({"interface_name": "a", "altnames": ["x"]}, {"interface_name": "b", "altnames": ["y", "z"]}))
    host.apply(text({"interface_name": "a", "altnames": ["y"]}, {"interface_name": "b", "altnames": ["z", "x"]}))
    same([settings(host, "web", name)["altnames"] for name in ("a", "b")], [{"y"}, {"z", "x"}], "altnames")
    host.apply(text({"interface_name": "z", "altnames": ["y"]}, {"interface_name": "b", "altnames": ["x"]}))
    same([settings(host, "web", name)["altnames"] for name in ("z", "b")], [{"y"}, {"x"}], "an altname became a name")
    after = text({"interface_name": "c", "altnames": ["y"]}, {"interface_name": "b", "altnames": ["x", "z"]})
    done = host.apply(after, code=1)
    assert "z in web is still called z [MV0405]" in done.out, done
    host.apply(after)
    same([settings(host, "web", name)["altnames"] for name in ("c", "b")], [{"y"}, {"x", "z"}], "a name became an altname")
    # A name that no other file has: ethN is chosen beside altnames.
    host.apply(text({"altnames": ["eth0"]}, {}))
    same(host.names("web"), {"eth1", "eth2"}, "names")
    host.unchanged(text({"altnames": ["eth0"]}, {}))


@test("settings: export, adopt, and the commands of diff -o ip", both=True)
def carried(host):
    host.netns("web", "db")
    text = web(ALL, db=["n"])
    host.apply(text)
    exported = host.mvapply("export").out
    attachment = yaml.safe_load(exported)["containers"]["web"]["networks"]["n"]
    same({**attachment, "altnames": set(attachment["altnames"])}, {"ipv4_address": "172.16.86.2", **ALL_LIVE}, "exported")
    host.unchanged(exported)
    same(yaml.safe_load(exported)["containers"]["db"]["networks"]["n"], {"ipv4_address": "172.16.86.3"}, "the other one")
    host.delete(text)
    for after in (text, web({**ALL, "promisc": False, "altnames": ["other"]}, db=["n"])):
        script = host.diff(after, "-o", "ip").out
        host.run("sh", "-e", host.write(script, "plan.sh"), code=0)
        host.unchanged(after)
    host.delete(after)
    host.batch("web", ["link set eth0 name old"] if "eth0" in host.names("web") else [])
    host.batch("host", ["link add theirs link eth0 txqueuelen 9 type macvlan mode bridge", "link set theirs promisc on",
                        f"link set theirs netns /proc/{os.getpid()}/fd/{host.spaces['web']} name eth0"])
    host.batch("web", ["address add 172.16.86.9/24 dev eth0", "link set eth0 up", "link property add dev eth0 altname k"])
    adopted = host.mvapply("export", "--adopt").out
    host.apply(adopted, "--adopt")
    same(settings(host), {"promisc": True, "allmulticast": False, "txqueuelen": 9, "altnames": {"k"}}, "adopted")
    host.unchanged(adopted)


@test("settings: an unconfirmed change is undone")
def undone(host):
    host.netns("web")
    host.apply(web(ALL))
    before = host.snapshot()
    host.apply(web({"altnames": ["other"]}), "--confirm=1", code=5)
    same(host.snapshot(), before, "after the rollback")
    host.apply(document({"n": lan()}, {}), "--confirm=1", code=5)
    same(settings(host), ALL_LIVE, "a link that was created again")


@test("settings: bcqueuelen, which an older kernel drops in silence: a warning from the first run on", features=[QUEUE_LENGTH])
def of_queue(host):
    host.netns("web", "db")
    first, text = (web({}, {"bcqueuelen": 50, "ip_range": "172.16.86.0/25"}, **more) for more in ({}, {"db": ["n"]}))
    for command, file, code in (("diff", first, 2), ("apply", first, 0), ("diff", first, 0), ("apply", text, 0)):
        done = host.mvapply(command, "-f", host.write(file), code=code)
        same("this kernel has no `bcqueuelen`" in done.err, not host.has(QUEUE_LENGTH), f"a warning of {done}")
        same("[MV0903]" in done.err, not host.has(QUEUE_LENGTH), f"its code, of {done}")
    same([host.link(ns, "eth0")["linkinfo"]["info_data"].get("bcqueuelen") for ns in ("web", "db")],
         [50 if host.has(QUEUE_LENGTH) else None] * 2, "the kernel's")
    host.delete(text)
    with watching(host, "-f", "network.yaml") as service:
        host.ip("web", "link del eth0")
        service.until(lambda: "eth0" in host.names("web"), "repaired")
        service.quiet()
        same(sum("this kernel has no `bcqueuelen`" in line for line in service.log()), 0 if host.has(QUEUE_LENGTH) else 1,
             "warnings of the service")


@test("settings: bclim, of all links of a parent", features=[MULTICAST_LIMIT])
def of_macvlan(host):
    host.netns("web", "db")

    def text(number):
        return web({}, {} if number is None else {"bclim": number}, db=["n"])
    if not host.has(MULTICAST_LIMIT):
        done = host.apply(text(5))
        assert "this kernel has no `bclim`" in done.err, done
        same(host.diff(text(5), code=0).plan, [], "the plan")
        return
    for number, live in ((5, 5), (-1, -1), (-2147483648, -2147483648), (None, 1), (7, 7)):
        host.apply(text(number))
        same([limit(host, ns) for ns in ("web", "db")], [live, live], f"bclim {number}")
        host.unchanged(text(number))
    same(yaml.safe_load(host.mvapply("export").out)["networks"]["n"]["bclim"], 7, "exported")
    host.run(sys.executable, multicast_limit.__file__, "eth0", "9", ns="web", code=0)
    same(host.diff(text(7)).plan, ["~ attach web/n bclim 9 -> 7", "~ attach db/n bclim 9 -> 7"], "a drift")
    host.apply(text(7), "--confirm=1", code=5)
    same(limit(host), 9, "after the rollback")
    host.apply(text(None), "--confirm=1", code=5)
    same(limit(host), 9, "after the rollback of the key's removal")
    host.apply(text(None))
    host.apply(text(5), "--confirm=1", code=5)
    same(limit(host), 1, "after the rollback of the key")
    host.apply(text(7))
    host.delete(text(7))
    for number in (None, 6):  # a port that macvlan makes anew has the default
        host.apply(text(number))
        same(limit(host), number or 1, "of a new parent")
        host.delete(text(number))


@test("settings: bclim of one set stays where another set on the parent has none", features=[MULTICAST_LIMIT])
def of_two_sets(host):
    host.netns("web", "db")
    one = document({"n": lan(bclim=5, ip_range="172.16.86.0/26")}, {"web": ["n"]}, name="one")
    two = document({"n": lan(ip_range="172.16.86.64/26")}, {"db": ["n"]}, name="two")
    for text in (one, two):
        host.apply(text)
    for text in (one, two):
        same(host.diff(text, code=0).plan, [], "the plan of either")
    bare = document({"n": lan(ip_range="172.16.86.0/26")}, {"web": ["n"]}, name="one")
    same(host.diff(bare, code=0).plan, [], "without the key, beside the other set")
    host.delete(two)
    if host.has(MULTICAST_LIMIT):
        same(host.diff(bare).plan, ["~ attach web/n bclim 5 -> 1"], "without the other set")
        host.ip("host", "link add theirs link eth0 type macvlan mode bridge")
        same(host.diff(bare, code=0).plan, [], "beside another program's link")


@test("settings: ipvlan_flag, of all links of a parent", needs=["ipvlan"])
def of_ipvlan(host):
    host.netns("web", "db")

    def flag(ns="web"):
        data = host.link(ns, "eth0")["linkinfo"]["info_data"]
        return next((word for word in ("private", "vepa") if data.get(word)), "bridge")

    def text(word, **keys):
        return web({}, {"driver": "ipvlan", "gateway": None, "ipvlan_flag": word, **keys}, db=["n"])
    for word, keys in (("private", {}), ("vepa", {}), ("bridge", {}), ("private", {"mode": "l3"}), ("vepa", {"mode": "l2"})):
        host.apply(text(word, **keys))
        same([flag(ns) for ns in ("web", "db")], [word, word], f"{word} {keys}")
        host.unchanged(text(word, **keys))
        index = host.link("web", "eth0")["ifindex"]
    host.ip("web", "link set eth0 type ipvlan mode l2 private")
    same(host.diff(text("vepa")).plan, ["~ attach web/n ipvlan_flag private -> vepa",
                                        "~ attach db/n ipvlan_flag private -> vepa"], "a drift")
    script = host.diff(text("vepa"), "-o", "ip").out
    host.run("sh", "-e", host.write(script, "plan.sh"), code=0)
    same((flag(), host.link("web", "eth0")["ifindex"]), ("vepa", index), "by the commands")
    exported = host.mvapply("export").out
    same(yaml.safe_load(exported)["networks"]["n"]["ipvlan_flag"], "vepa", "exported")
    host.unchanged(exported)
    host.apply(text("bridge"), "--confirm=1", code=5)
    same(flag(), "vepa", "after the rollback")
    # The parent by another name, which the input alone does not show.
    host.ip("host", "link property add dev eth0 altname lan0")
    both = document({"n": lan(driver="ipvlan", gateway=None, ipvlan_flag="vepa"),
                     "m": lan(parent="lan0", driver="ipvlan", subnet="10.8.0.0/24", gateway=None)}, {"web": ["n"], "db": ["m"]})
    done = host.diff(both, code=None)
    assert "cannot be ipvlan mode l2 on eth0, where network n is ipvlan mode l2 vepa" in done.out, done
