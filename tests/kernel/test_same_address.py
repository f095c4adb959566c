"""Two sets, or two networks of one container, with the same address: the result, and the messages."""
import json
import os

from declare import document, lan
from host import same
from registry import test
from service import watching
from test_json import fits

IP = "172.16.86.5"


def holder(name, attachment=None, host=None, network="n"):
    """A set with an explicit address, of a container or of the host."""
    address = {"ipv4_address": IP}
    if host:
        return document({network: lan(host=address)}, {}, name=name)
    return document({network: lan()}, {name: {network: {**address, **(attachment or {})}}}, name=name)


def joined(done):
    return " ".join((done.out + done.err).split())


@test("same address: of two sets, the address is reported before the MAC that is derived from it")
def address_first(host):
    host.netns("a", "b")
    mac = {"mac_address": "02:42:ac:10:56:05"}
    ours = 'mv-a.n in the host (the host\'s own link on n of set "a")'
    theirs = 'eth0 in a (a/n of set "a")'
    hint = "hint: give one of the two attachments another address"
    for first, second, code, expected in (
            (holder("a"), holder("b", mac, network="m"), 1, f"b/m {theirs} already has the address {IP} [MV0803] {hint}"),
            (holder("a", host=True), holder("b", network="m"), 4, f"b/m {ours} already has the address {IP} [MV0803] {hint}"),
            (holder("a", host=True), holder("b", mac, network="m"), 4, f"{ours} already has the address {IP} [MV0803]"),
            (holder("a"), holder("b", network="m"), 2,
             f"{theirs} has the address {IP} of b/m, too: give one of the two another address [MV1205]"),
            (holder("a"), holder("b", host=True, network="m"), 2,
             f"{theirs} has the address {IP} of the host's own link on m, too: give one of the two another address")):
        host.apply(first)
        done = host.mvapply("diff", "-f", host.write(second), code=code)
        assert expected in joined(done), (expected, done)
        assert "already has the MAC" not in joined(done), done
        host.delete(first)


@test("same address: an unmanaged link is not called an attachment")
def unmanaged(host):
    host.netns("b")
    host.batch("host", ["link add link eth0 name other address 02:42:ac:10:56:05 type macvlan mode bridge",
                        f"address add {IP}/24 dev other", "link set other up"])
    done = host.mvapply("diff", "-f", host.write(holder("b", {"mac_address": "02:42:ac:10:56:05"})), code=4)
    assert f"other in the host already has the address {IP} [MV0803] hint: give the attachment another address, " \
        "or remove the address from that link" in joined(done), done


@test("same address: a set's explicit address is not chosen for another set, whichever file is first")
def reserved(host):
    host.netns("web", "db")
    open_set = document({"n": lan()}, {"web": ["n"]}, name="a")
    fixed = document({"m": lan()}, {"absent": {"m": {"ipv4_address": "172.16.86.2"}}}, name="b")
    aux = document({"k": lan(aux_addresses={"printer": "172.16.86.3"})}, {}, name="c")
    paths = [host.write(open_set, "1.yaml"), host.write(fixed, "2.yaml"), host.write(aux, "3.yaml")]
    for order in (paths, paths[::-1]):
        files = [word for path in order for word in ("-f", path)]
        host.mvapply("apply", *files)
        same(host.addresses("web", "eth0"), {"172.16.86.4/24"}, "web's address")
        host.mvapply("delete", *files)


@test("same address: a service on a directory with several sets reserves the addresses of all its files")
def reserved_by_service(host):
    host.netns("web", "db")
    os.mkdir("folder")
    host.write(document({"n": lan()}, {"web": ["n"]}, name="z"), "folder/1.yaml")
    host.write(document({"m": lan()}, {"db": {"m": {"ipv4_address": "172.16.86.2"}}}, name="a"), "folder/2.yaml")
    with watching(host, "-f", "folder") as service:
        service.settle()
        same((host.addresses("web", "eth0"), host.addresses("db", "eth0")),
             ({"172.16.86.3/24"}, {"172.16.86.2/24"}), "addresses")


def second_parent(host):
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up", "link set up1 up"])


TWICE = "web has overlapping subnets on two parents"


@test("same address: overlapping subnets on two parents in one container are warned of, and get two addresses")
def two_parents(host):
    host.netns("web")
    second_parent(host)
    ranged = {"ip_range": "172.16.86.192/27"}
    text = document({"a": lan(**ranged), "b": lan(parent="eth1", gateway=None, **ranged)}, {"web": ["a", "b"]})
    done = host.apply(text)
    assert f"{TWICE}, 172.16.86.0/24 of network a and 172.16.86.0/24 of network b: packets for both leave through " \
        "one of the two links; change a subnet, remove one of the attachments, or set `policy_routing: true` on " \
        "the container [MV1202]" in joined(done), done
    same((host.addresses("web", "eth0"), host.addresses("web", "eth1")),
         ({"172.16.86.192/24"}, {"172.16.86.193/24"}), "addresses")
    same(host.link("web", "eth0")["address"] == host.link("web", "eth1")["address"], False, "one MAC for both")
    host.unchanged(text)
    done = host.mvapply("doctor", "-f", "network.yaml", "-o", "json").json
    same([one["code"] for one in done["findings"] if one["code"]], ["MV1202"], "doctor's codes")
    host.delete(text)


@test("same address: the overlapping subnets of one container that cause a warning")
def which(host):
    host.netns("web")
    second_parent(host)
    v6 = {"gateway": None, "subnet": "fd00:7::/64"}
    other = {"parent": "eth1", "gateway": None}
    for a, b, expected in (
            (lan(probe=True), lan(probe=True, subnet="172.16.0.0/16", **other), 1),
            (lan(**v6), lan(**{**v6, "parent": "eth1"}), 1),
            (lan(**v6), lan(**{**v6, "parent": "eth1", "subnet": "fd00::/16"}), 1),
            (lan(internal=True), lan(internal=True, subnet="172.16.86.128/25", **other), 1),
            (lan(probe=True), lan(probe=True), 0),
            (lan(probe=True), lan(probe=True, subnet="172.16.87.0/24", **other), 0),
            (lan(probe=True), lan(**{**v6, "parent": "eth1"}), 0)):
        text = document({"a": a, "b": b}, {"web": ["a", "b"]})
        done = host.mvapply("diff", "-f", host.write(text), "-o", "json", code=2).json
        fits(done, "plan")
        same(sum(TWICE in one for one in done["warnings"]), expected, f"warnings of {a} and {b}")
    # Two sets that name one container.
    files = ("-f", host.write(document({"a": lan(probe=True)}, {"web": ["a"]}, name="x"), "1.yaml"),
             "-f", host.write(document({"b": lan(probe=True, **other)}, {"web": ["b"]}, name="y"), "2.yaml"))
    warnings = host.mvapply("diff", *files, "-o", "json", code=2).json["warnings"]
    same(['network a of set "x" and 172.16.86.0/24 of network b of set "y"' in one for one in warnings], [True],
         json.dumps(warnings))
    # Two files of one set.
    files = ("-f", host.write(document({"a": lan(probe=True)}, {}), "1.yaml"),
             "-f", host.write(document({"b": lan(probe=True, **other)}, {"web": ["a", "b"]}), "2.yaml"))
    warnings = host.mvapply("diff", *files, "-o", "json", code=2).json["warnings"]
    same([TWICE in one for one in warnings], [True], json.dumps(warnings))


@test("same address: overlapping subnets on two VLANs of one parent are warned of", needs=["vlan"])
def two_vlans(host):
    host.netns("web")
    keys = {"ip_range": "172.16.86.192/27", "gateway": None}
    text = document({"a": lan(vlan=10, **keys), "b": lan(vlan=20, **keys)}, {"web": ["a", "b"]})
    assert TWICE in joined(host.apply(text)), "no warning"
    same((host.addresses("web", "eth0"), host.addresses("web", "eth1")),
         ({"172.16.86.192/24"}, {"172.16.86.193/24"}), "addresses")
    host.unchanged(text)


@test("same address: a gateway that is the parent's own address is warned of, and a subnet that is not the parent's")
def parents_subnet(host):
    host.netns("web")
    host.ip("host", "address add 172.16.86.7/24 dev eth0")
    host.ip("host", "address add fd00:7::7/64 dev eth0 nodad")
    own = "the gateway 172.16.86.7 of network n is an address of its parent eth0"
    keys = {"probe": True}
    for network, codes in (
            (lan(**keys), set()), (lan(gateway="172.16.86.7", **keys), {"MV1204"}),
            (lan(gateway="172.16.86.7", mode="vepa", **keys), set()),
            (lan(subnet="192.168.1.0/24", gateway="192.168.1.1", **keys), {"MV1203"}),
            (lan(subnet="172.16.0.0/16", **keys), {"MV1203"}),
            (lan(subnet="172.16.86.0/25", **keys), {"MV1203"}),
            (lan(subnet="fd00:7::/64", gateway=None), set()), (lan(subnet="fd00:8::/64", gateway=None), {"MV1203"}),
            (lan(subnet="2001:db8::/64", gateway=None), set())):
        path = host.write(document({"n": network}, {"web": ["n"]}))
        done = host.mvapply("doctor", "-f", path, "-o", "json").json
        same({one["code"] for one in done["findings"] if one["code"]}, codes, f"codes of {network}")
    path = host.write(document({"n": lan(gateway="172.16.86.7", **keys)}, {"web": ["n"]}))
    assert own in joined(host.mvapply("diff", "-f", path, code=2)), "the plan"
    path = host.write(document({"n": lan(subnet="192.168.1.0/24", gateway="192.168.1.1", **keys)}, {"web": ["n"]}))
    assert "eth0 has the address 172.16.86.7/24, but n declares the subnet 192.168.1.0/24 [MV1203]" in \
        joined(host.mvapply("doctor", "-f", path)), "doctor's text"
    # Without an address, or with one of no subnet, the parent says nothing.
    host.ip("host", "address flush dev eth0")
    for address in ("", "10.1.1.1/32", "169.254.7.7/16"):
        if address:
            host.ip("host", f"address add {address} dev eth0")
        done = host.mvapply("doctor", "-f", path, "-o", "json").json
        same([one for one in done["findings"] if one["code"]], [], f"findings with {address!r}")
