"""Addresses that mvapply chooses where the file does not say from which range: what is kept for a router, and
what is warned of."""
import json

from declare import document, lan
from host import same
from registry import test
from service import watching
from test_json import fits

OPEN = document({"lan": lan()}, {"web": ["lan"]})
NO_RANGE = "network lan has no `ip_range`"


def joined(done):
    return " ".join((done.out + done.err).split())


def chosen(host, networks, containers, *names):
    """The addresses that an apply chooses, of each namespace."""
    host.apply(document(networks, containers))
    found = [host.addresses(name, "eth0") for name in names]
    host.delete(document(networks, containers))
    return found


@test("ranges: without a gateway, the first and the last address of a LAN's subnet are a router's")
def router(host):
    host.netns("web", "db")
    both = {"web": ["n"], "db": ["n"]}
    for subnet, keys, expected in (
            ("10.7.0.0/24", {}, [{"10.7.0.2/24"}, {"10.7.0.3/24"}]),
            ("10.7.0.0/24", {"gateway": "10.7.0.9"}, [{"10.7.0.1/24"}, {"10.7.0.2/24"}]),
            ("10.7.0.0/24", {"ip_range": "10.7.0.0/28"}, [{"10.7.0.1/24"}, {"10.7.0.2/24"}]),
            ("10.7.0.0/24", {"internal": True}, [{"10.7.0.2/24"}, {"10.7.0.3/24"}]),
            ("10.7.0.0/24", {"internal": True, "parent": None}, [{"10.7.0.1/24"}, {"10.7.0.2/24"}]),
            ("10.7.0.0/31", {}, [{"10.7.0.0/31"}, {"10.7.0.1/31"}]),
            ("fd00:7::/64", {}, [{"fd00:7::2/64"}, {"fd00:7::3/64"}])):
        if keys.get("parent", "eth0") is None:
            continue  # a dummy link: see tests/unit/test_plan.c
        network = lan(**{"subnet": subnet, "gateway": None, **keys})
        same(chosen(host, {"n": network}, both, "web", "db"), expected, f"addresses in {subnet} with {keys}")


@test("ranges: a live address stays, also one that is reserved for a router now")
def stays(host):
    host.netns("web", "db")
    open_lan = lan(subnet="10.7.0.0/24", gateway=None)
    fixed = document({"n": open_lan}, {"web": {"n": {"ipv4_address": "10.7.0.1"}}})
    host.apply(fixed)
    index = host.link("web", "eth0")["ifindex"]
    host.apply(document({"n": open_lan}, {"web": ["n"], "db": ["n"]}))
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0"), host.link("web", "eth0")["ifindex"]),
         ({"10.7.0.1/24"}, {"10.7.0.2/24"}, index), "addresses")
    host.unchanged(document({"n": open_lan}, {"web": ["n"], "db": ["n"]}))


@test("ranges: several, from one address to another, with exclusions, in both families")
def several(host):
    host.netns("a", "b", "c", "d")
    subnets = [{"subnet": "172.16.86.0/24", "gateway": "172.16.86.21",
                "ip_range": ["172.16.86.40-172.16.86.41", "172.16.86.20-172.16.86.23"],
                "exclude": ["172.16.86.20", "172.16.86.41-172.16.86.99"]},
               {"subnet": "fd00:86::/64", "ip_range": "fd00:86::ff-fd00:86::200",
                "exclude": ["fd00:86::100/120", "fd00:86::201"]}]
    network = {"parent": "eth0", "subnets": subnets}
    whole = {"a": ["n"], "b": ["n"], "c": {"n": {"ipv4_address": "172.16.86.50", "ipv6_address": "fd00:86::100"}}}
    host.apply(document({"n": network}, whole))
    same([host.addresses(name, "eth0") for name in ("a", "b", "c")],
         [{"172.16.86.22/24", "fd00:86::ff/64"}, {"172.16.86.23/24", "fd00:86::200/64"},
          {"172.16.86.50/24", "fd00:86::100/64"}], "the lowest free ones, and an excluded one that is set")
    host.unchanged(document({"n": network}, whole))
    subnets[1]["exclude"] = "fd00:86::101-fd00:86::1ff"
    subnets[1]["ip_range"] = ["fd00:86::ff-fd00:86::200", "fd00:86::1000/126"]
    host.apply(document({"n": network}, {**whole, "d": ["n"]}))
    same(host.addresses("d", "eth0"), {"172.16.86.40/24", "fd00:86::1000/64"}, "the last of the IPv4 ranges")
    host.netns("e")
    done = host.apply(document({"n": network}, {**whole, "d": ["n"], "e": ["n"]}), code=1)
    assert "no free address in 172.16.86.21-172.16.86.23, 172.16.86.40/32" in joined(done), done
    assert "`exclude`" in joined(done), done


@test("ranges: an address that is excluded now, or outside of all ranges, is replaced in place")
def moved_out(host):
    host.netns("a", "b")
    both = {"a": ["n"], "b": ["n"]}
    host.apply(document({"n": lan(ip_range="172.16.86.20-172.16.86.30")}, both))
    index = host.link("a", "eth0")["ifindex"]
    host.apply(document({"n": lan(ip_range="172.16.86.20-172.16.86.30", exclude="172.16.86.20")}, both))
    same([host.addresses(name, "eth0") for name in ("a", "b")], [{"172.16.86.22/24"}, {"172.16.86.21/24"}],
         "the excluded one is replaced, the other stays")
    host.apply(document({"n": lan(ip_range=["172.16.86.21-172.16.86.21", "172.16.86.64/31"])}, both))
    same([host.addresses(name, "eth0") for name in ("a", "b")], [{"172.16.86.64/24"}, {"172.16.86.21/24"}],
         "the one outside of all ranges is replaced")
    same(host.link("a", "eth0")["ifindex"], index, "the link")
    host.delete(document({"n": lan()}, both))
    host.apply(document({"n": lan(exclude="172.16.86.2-172.16.86.254", gateway=None,
                                  ip_range="172.16.86.1-172.16.86.20", host={"interface_name": "mv0"})}, {}))
    same(host.addresses("host", "mv0"), {"172.16.86.1/32"}, "the host's, which is the highest one")


@test("ranges: a network with only `exclude` is not warned of")
def excluded_warning(host):
    host.netns("web")
    done = host.apply(document({"lan": lan(exclude="172.16.86.100-172.16.86.199")}, {"web": ["lan"]}))
    assert NO_RANGE not in joined(done), done
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "the address")


@test("ranges: the host's own link gets the highest address of the range, or below a router's")
def own_link(host):
    for keys, expected in (({"gateway": None}, "172.16.86.253/32"), ({}, "172.16.86.254/32"),
                           ({"ip_range": "172.16.86.192/27"}, "172.16.86.223/32"),
                           ({"gateway": None, "ip_range": "172.16.86.192/26"}, "172.16.86.254/32")):
        text = document({"n": lan(host={"interface_name": "mv0"}, **keys)}, {})
        host.apply(text)
        same(host.addresses("host", "mv0"), {expected}, f"the host's address with {keys}")
        host.delete(text)


@test("ranges: a network without ip_range is warned of once, with a range that fits")
def warned(host):
    host.netns("web", "db", "ci")
    text = document({"lan": lan()}, {"web": ["lan"], "db": ["lan"]})
    path = host.write(text)
    for words, code in ((("diff",), 2), (("doctor",), 0), (("apply",), 0)):
        done = joined(host.mvapply(*words, "-f", path, code=code))
        same((done.count(NO_RANGE), done.count("[MV1201]")), (1, 1), f"warnings of {words}")
        assert "`ip_range: 172.16.86.192/27`" in done, done
    # What is live is only doctor's business.
    host.unchanged(text)
    same(host.mvapply("apply", "-f", path).err, "", "a second apply")
    done = host.mvapply("doctor", "-f", path, "-o", "json").json
    same([one["code"] for one in done["findings"] if one["code"]], ["MV1201"], "doctor")
    # A range around the live addresses, so that they stay.
    more = host.write(document({"lan": lan()}, {"web": ["lan"], "db": ["lan"], "ci": ["lan"]}))
    done = host.mvapply("diff", "-f", more, "-o", "json", code=2).json
    fits(done, "plan")
    same([NO_RANGE in one and "`ip_range: 172.16.86.0/29`" in one and "[MV1201]" in one
          for one in done["warnings"]], [True], "warnings in JSON")
    ranged = document({"lan": lan(ip_range="172.16.86.0/29")}, {"web": ["lan"], "db": ["lan"], "ci": ["lan"]})
    done = host.apply(ranged)
    same((done.err, len(done.plan)), ("", 1), "with the range of the warning")


@test("ranges: no warning where the address is explicit, probed, leased, in a range, or on no LAN")
def quiet(host):
    host.netns("web")
    explicit = {"web": {"lan": {"ipv4_address": "172.16.86.9"}}}
    for networks, containers, flags in (
            ({"lan": lan()}, explicit, ()), ({"lan": lan(probe=True)}, {"web": ["lan"]}, ()),
            ({"lan": lan()}, {"web": ["lan"]}, ("--probe",)), ({"lan": lan(dhcp=True, gateway=None, subnet=None)},
                                                                {"web": ["lan"]}, ()),
            ({"lan": lan(ip_range="172.16.86.64/26")}, {"web": ["lan"]}, ()),
            ({"lan": lan(internal=True)}, {"web": ["lan"]}, ()),
            ({"lan": lan(subnet="10.7.0.0/30", gateway="10.7.0.1")}, {"web": ["lan"]}, ()),
            ({"lan": lan(subnet="fd00:7::/64", gateway=None)}, {"web": ["lan"]}, ()),
            ({"lan": lan()}, {"absent": ["lan"]}, ()), ({"lan": lan()}, {}, ())):
        path = host.write(document(networks, containers))
        done = host.run(host.binary, "apply", "--dry-run", "-f", path, "-o", "json", *flags)
        assert done.code in (0, 2), done
        same([one for one in json.loads(done.out)["warnings"] if "ip_range" in one], [],
             f"warnings of {networks}")


@test("ranges: the host's own link counts, and each network is warned of, with ranges that do not overlap")
def several(host):
    networks = {"a": lan(host=True), "b": lan(host=True), "c": lan(ip_range="172.16.86.192/26")}
    done = host.mvapply("diff", "-f", host.write(document(networks, {})), "-o", "json", code=2).json
    same([one.split(":")[0] for one in done["warnings"]],
         ["network a has no `ip_range`", "network b has no `ip_range`"], "warnings")
    for one in done["warnings"]:
        assert "`ip_range: 172.16.86.160/27`" in one, one


@test("ranges: a service warns about a network once, however often its containers restart")
def service_once(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(document({"lan": lan()}, {"web": ["lan"], "db": ["lan"]}))) as service:
        service.settle()
        for _ in range(2):
            host.ip("db", "link delete eth0")
            service.until(lambda: host.names("db") == {"eth0"}, "db is attached again")
        service.quiet()
        same(" ".join(service.everything().split()).count(NO_RANGE), 1, "how often it is said")
