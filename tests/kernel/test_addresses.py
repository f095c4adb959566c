"""Several addresses of a family on one link, chosen or of the file, and links of layer 2 only. Each
goes through the whole program: apply, changes in place, `-o ip`, export, and back."""
import json

import packets
from declare import document
from features import ADDRESS_PROTOCOL
from host import same
from registry import test
from test_export import exported
from test_output_ip import final_state, replay

LAN = {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1", "ip_range": "172.16.86.64/26"}
OTHER = {"subnet": "10.7.0.0/24", "ip_range": "10.7.0.128/25"}
SIX = {"subnet": "fd00:86::/64", "ip_range": "fd00:86::40/122"}
NETWORKS = {"n": {"parent": "eth0", "subnets": [LAN, OTHER, SIX]},
            "raw": {"parent": "eth0", "subnets": []}}

ADDRESSES = {
    "explicit": (["172.16.86.20", "172.16.86.21", "10.7.0.9", "fd00:86::20", "fd00:86::21"],
                 {"172.16.86.20/24", "172.16.86.21/24", "10.7.0.9/24", "fd00:86::20/64",
                  "fd00:86::21/64"}),
    "allocated": (["172.16.86.0/24", "172.16.86.0/24", "10.7.0.0/24", "fd00:86::/64", "fd00:86::/64"],
                  {"172.16.86.64/24", "172.16.86.65/24", "10.7.0.128/24", "fd00:86::40/64",
                   "fd00:86::41/64"}),
    "both, of one family": (["10.7.0.0/24", "172.16.86.20"], {"10.7.0.128/24", "172.16.86.20/24"}),
    "one family": (["fd00:86::20"], {"fd00:86::20/64"}),
    "none": ([], set()),
}


def text(addresses, **keys):
    return document(NETWORKS, {"web": {"n": {"addresses": addresses, **keys}}})


def primaries(host, space="web"):
    """The primary IPv4 address of each subnet, in the order of the kernel."""
    return [item["local"] for item in host.link(space, "eth0")["addr_info"]
            if item["family"] == "inet" and not item.get("secondary")]


for NAME, ROW in ADDRESSES.items():
    @test(f"addresses: {NAME}", features=[] if ROW[0] else [ADDRESS_PROTOCOL])
    def several(host, row=ROW):
        addresses, expected = row
        declared = text(addresses)
        host.netns("web")
        host.apply(declared)
        same(host.addresses("web", "eth0"), expected, "the addresses")
        host.unchanged(declared)
        created = final_state(host)
        export, _ = exported(host)
        host.unchanged(export)
        host.delete(declared)
        host.apply(export)
        same(host.addresses("web", "eth0"), expected, "the addresses of the export")
        host.delete(export)
        replay(host, declared)
        same(final_state(host), created, "after the commands of -o ip")
        host.apply(document(NETWORKS, {"web": ["n"]}))
        host.apply(declared)
        if not row[0] and not host.has(ADDRESS_PROTOCOL):  # those that it had count as the container's now
            expected = {"172.16.86.64/24", "fd00:86::40/64"}
        same(host.addresses("web", "eth0"), expected, "the addresses, changed on a live link")
        host.unchanged(declared)


@test("addresses: the first of the file is the primary one of its subnet, and remains so")
def primary(host):
    for promote in (0, 1):
        host.netns("web")
        host.set_sysctl("web", "net/ipv4/conf/all/promote_secondaries", promote)
        for order in (["172.16.86.20", "172.16.86.21", "10.7.0.9"],
                      ["172.16.86.21", "10.7.0.9", "172.16.86.20"],
                      ["172.16.86.22", "172.16.86.20", "172.16.86.21", "10.7.0.9"],
                      ["10.7.0.10", "172.16.86.20", "172.16.86.22", "10.7.0.9"]):
            host.apply(text(order, mac_address="02:00:00:00:00:05"))
            same(host.addresses("web", "eth0"), {f"{ip}/24" for ip in order}, "the addresses")
            firsts = {next(ip for ip in order if ip.startswith(prefix)) for prefix in ("172", "10")}
            same(set(primaries(host)), firsts, f"the primary addresses of {order}")
            same(host.routes("web") & {"default via 172.16.86.1 dev eth0"},
                 {"default via 172.16.86.1 dev eth0"}, "the default route")
            host.unchanged(text(order, mac_address="02:00:00:00:00:05"))
        host.remove_netns("web")


@test("addresses: a second one that another program removed comes back, and one of its own stays",
      features=[ADDRESS_PROTOCOL])
def drift(host):
    host.netns("web")
    declared = text(["172.16.86.20", "172.16.86.21"])
    host.apply(declared)
    host.ip("web", "address delete 172.16.86.21/24 dev eth0")
    host.ip("web", "address add 172.16.86.99/24 dev eth0")
    host.apply(declared)
    theirs = {"172.16.86.99/24"} if host.has(ADDRESS_PROTOCOL) else set()
    same(host.addresses("web", "eth0"), {"172.16.86.20/24", "172.16.86.21/24"} | theirs, "the addresses")
    host.delete(declared)


@test("addresses: no other attachment gets one of the list")
def unique(host):
    host.netns("web", "db")
    declared = document({"n": {"parent": "eth0", "subnet": "172.16.86.0/24",
                               "ip_range": "172.16.86.64/30"}},
                        {"db": ["n"],
                         "web": {"n": {"addresses": ["172.16.86.64", "172.16.86.0/24"]}}})
    host.apply(declared)
    same(host.addresses("db", "eth0"), {"172.16.86.65/24"}, "of db")
    same(host.addresses("web", "eth0"), {"172.16.86.64/24", "172.16.86.66/24"}, "of web")
    host.unchanged(declared)


@test("addresses: layer 2 only: a network without a subnet", features=[ADDRESS_PROTOCOL])
def layer2(host):
    host.netns("web", "db")
    declared = document(NETWORKS, {"web": ["raw"], "db": ["n"]})
    host.apply(declared)
    same(host.addresses("web", "eth0"), set(), "no address")
    same(host.sysctl("web", "net/ipv6/conf/eth0/accept_ra"), "1", "router advertisements")
    host.unchanged(declared)
    host.ip("web", "address add 172.16.86.9/24 dev eth0")
    with host.inside("web"):
        assert packets.ping("172.16.86.1"), "the LAN does not answer"
        assert packets.ping("172.16.86.64"), "db does not answer"
    host.unchanged(declared)
    export, documents = exported(host)
    subnets = {"subnets": []} if host.has(ADDRESS_PROTOCOL) else {"subnet": "172.16.86.0/24"}
    same(documents[0]["networks"]["raw"], {"parent": "eth0", **subnets}, "exported")
    host.unchanged(export)
    status = json.loads(host.mvapply("status", "-o", "json").out)
    assert "raw" in json.dumps(status), status
    host.delete(declared)
    same(host.names("web"), set(), "after delete")


@test("addresses: --confirm rolls back the primary address")
def confirmed(host):
    host.netns("web")
    keys = {"mac_address": "02:00:00:00:00:05"}
    host.apply(text(["172.16.86.20", "172.16.86.21"], **keys))
    host.apply(text(["172.16.86.21", "172.16.86.20"], **keys), "--confirm=1", code=5)
    same(primaries(host), ["172.16.86.20"], "the primary address")
    host.unchanged(text(["172.16.86.20", "172.16.86.21"], **keys))
