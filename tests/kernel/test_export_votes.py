"""`export`: a single container's link decides nothing about a network with other attachments."""
import json

from declare import document, lan
from features import QUEUE_LENGTH
from host import same
from intruder import BOTH, intruder
from marked_address import marked_address
from registry import test
from test_export import exported

# In the order of names, the intruder's namespace is before the others'.
EVIL = "a-evil"


def declared(evil, network):
    return document({"n": network}, {EVIL: {**evil.source, "networks": ["n"]}, "web": ["n"], "db": ["n"]})


def attacks(evil):
    """By name: whether a note reports it, and the commands, as root in the container."""
    mac = evil.host.link(EVIL, "eth0")["address"]
    alone = "addr flush dev eth0 scope global"
    return {
        "mtu": (True, ["link set eth0 mtu 1280"]),
        "mode": (True, ["link set eth0 type macvlan mode private"]),
        **({"bcqueuelen": (True, ["link set eth0 type macvlan bcqueuelen 7"])} if evil.host.has(QUEUE_LENGTH) else {}),
        "shorter": (False, [alone, "marked eth0 172.16.86.2/16"]),
        "longer": (False, [alone, "marked eth0 172.16.86.2/28"]),
        "router": (True, ["route flush dev eth0 proto 77 default",
                          "route add default via 172.16.86.66 dev eth0 proto 77"]),
        "no router": (True, ["route flush dev eth0 proto 77 default"]),
        "router's address": (False, [alone, "marked eth0 172.16.86.1/24"]),
        "network's address": (False, [alone, "marked eth0 172.16.86.0/24"]),
        "further subnet": (False, [alone, "marked eth0 10.66.0.5/24", "marked eth0 172.16.86.2/24"]),
        "another's address": (False, [alone, "marked eth0 172.16.86.3/24", "marked eth0 172.16.86.4/24"]),
        "family": (True, ["marked eth0 fd66::5/64", "route add default via fd66::1 dev eth0 proto 77"]),
        "other network": (False, [f"link set eth0 alias mvapply:attach:default/m/{EVIL}", alone,
                                  "marked eth0 172.16.86.9/24",
                                  "route add default via 172.16.86.3 dev eth0 proto 77"]),
        "others' names": (False, [
            line for number in range(5) for line in (
                f"link add z{number} link eth0 address 02{mac[2:-2]}7{number} type macvlan mode vepa",
                f"link set z{number} up mtu 1280", f"link set z{number} alias mvapply:attach:default/n/a{number}",
                f"marked z{number} 10.66.{number}.5/24")]),
    }


def others_of(documents):
    """Without a subnet in which no other container has an address."""
    found = documents[0]
    network = dict(found["networks"]["n"])
    first, *further = network.pop("subnets", [{}])
    assert all(subnet["ip_range"].endswith("/32") for subnet in further), found
    return {"n": {**network, **first},
            **{name: found["containers"][name] for name in ("web", "db")}}


@test("export: a container's changes of its own link change neither the network nor other attachments", seconds=240,
      features=[QUEUE_LENGTH])
def one_word(host):
    host.netns("web", "db")
    for kind in BOTH:
        with intruder(host, kind, EVIL) as evil:
            text = declared(evil, lan())
            host.apply(text)
            before = others_of(exported(host)[1])
            for name, (reported, commands) in attacks(evil).items():
                evil.batch(*commands)
                done = host.mvapply("export")
                host.mvapply("validate", "-f", host.write(done.out, "exported.yaml"))
                same(others_of(exported(host)[1]), before, f"{name}, {kind}")
                assert not reported or ("note: network n: " in done.err and EVIL in done.err), (name, done)
                evil.clean()
                host.delete(text, code=None)
                host.apply(text)
                same(exported(host)[1][0]["networks"], {"n": before["n"]}, f"after {name}, {kind}")
            host.delete(text)
        if kind == "root":
            host.remove_netns(EVIL)


@test("export: a subnet that one container alone has gives no address to another")
def alone(host):
    host.netns("web", "db", "evil", "late")
    host.apply(document({"n": lan()}, {"evil": ["n"], "web": ["n"], "db": ["n"]}))
    host.ip("evil", "addr flush dev eth0 scope global")
    with host.inside("evil"):
        marked_address("eth0", "10.66.0.5/24")
    out, documents = exported(host)
    same(documents[0]["networks"]["n"]["subnets"],
         [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
          {"subnet": "10.66.0.0/24", "ip_range": "10.66.0.5/32"}], "subnets")
    assert "only evil has an address in 10.66.0.0/24" in out, out
    assert not [line for line in host.diff(out, code=None).plan if "evil" not in line], out


@test("export: several subnets of one family, dual stack, and a container on its own subnet: nothing to do")
def honest(host):
    host.netns("web", "db", "cache", "last")
    subnets = [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"}, {"subnet": "10.8.0.0/24"},
               {"subnet": "10.9.0.0/24", "gateway": "10.9.0.1"},
               {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}, {"subnet": "fd00:87::/64"}]
    whole = document(
        {"n": {"parent": "eth0", "mtu": 1400, "host": True, "subnets": subnets}, "m": lan(subnet="10.10.0.0/24", gateway="10.10.0.1")},
        {"web": {"networks": {"n": {}, "m": {"gw_priority": 3}}}, "db": ["n"],
         "cache": {"networks": {"n": {"ipv4_address": "10.9.0.7", "ipv6_address": "fd00:87::7"}}},
         "last": {"networks": {"n": {"ipv4_address": "10.8.0.7"}}}})
    for count in (4, 2, 1):
        part = json.loads(whole)
        part["containers"] = dict(list(part["containers"].items())[-count:])
        if count < 4:
            del part["networks"]["m"]
        host.apply(json.dumps(part), "--max-delete", "9")
        host.unchanged(exported(host)[0])


@test("export: of two different values the host's counts, or the first one, with a comment", seconds=240,
      features=[QUEUE_LENGTH])
def ties(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
    for name in ("web", "db"):
        host.ip(name, "link set eth0 mtu 1400")
        assert "mtu" not in exported(host)[1][0]["networks"]["n"], name
        host.ip(name, "link set eth0 mtu 1500")
    if host.has(QUEUE_LENGTH):
        host.ip("web", "link set eth0 type macvlan bcqueuelen 7")
        out, documents = exported(host)
        assert "bcqueuelen" not in documents[0]["networks"]["n"], out
        assert "# its containers disagree on its bcqueuelen: db has 1000, and web has 7" in " ".join(out.split()), out
        host.ip("db", "link set eth0 type macvlan bcqueuelen 8")
        same(exported(host)[1][0]["networks"]["n"]["bcqueuelen"], 8, "the first's")
    host.ip("host", "addr add 172.16.86.200/24 dev eth0")
    host.ip("host", "route add default via 172.16.86.1 dev eth0")
    for name in ("web", "db"):
        host.batch(name, ["route del default", "route add default via 172.16.86.66 dev eth0 proto 77"])
        same(exported(host)[1][0]["networks"]["n"]["gateway"], "172.16.86.1", f"{name}: the router")
        host.batch(name, ["route del default", "route add default via 172.16.86.1 dev eth0 proto 77"])
