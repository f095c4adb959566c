"""Docker's macvlan tutorial, row by row."""
import packets
from declare import BRIDGE, VLAN, document, lan
from host import same
from registry import test

MAC = "02:42:ac:10:56:02"


@test("tutorial: the container's own view", both=True)
def own_view(host):
    host.netns("web")
    done = host.apply(BRIDGE)
    same(done.plan, ["+ attach web/my-macvlan-net eth0 172.16.86.2/24 02:42:ac:10:56:02 "
                     "default via 172.16.86.1"], "the plan")
    same(host.names("web"), {"eth0"}, "links of the container")
    link = host.link("web", "eth0")
    same(link["address"], MAC, "MAC")
    assert {"UP", "LOWER_UP"} <= set(link["flags"]), link["flags"]
    same(link["linkinfo"]["info_kind"], "macvlan", "kind")
    same(link["linkinfo"]["info_data"]["mode"], "bridge", "mode")
    same(link["ifalias"], "mvapply:attach:default/my-macvlan-net/web", "mark")
    ours = [item for item in link["addr_info"] if item["family"] == "inet"]
    same([(item["local"], item["prefixlen"], item["broadcast"], item["scope"]) for item in ours],
         [("172.16.86.2", 24, "172.16.86.255", "global")], "inet")
    same(host.routes("web"), {"default via 172.16.86.1 dev eth0",
                              "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}, "routes")
    same(host.route_protocols("web")["default via 172.16.86.1 dev eth0"], "77", "protocol")
    # As displayed: eth0@ifN, and the words of the tutorial.
    text = host.ip("web", "address show eth0")
    for words in ("eth0@if", "UP,LOWER_UP", f"link/ether {MAC}",
                  "inet 172.16.86.2/24 brd 172.16.86.255 scope global"):
        assert words in text, f"no {words!r} in\n{text}"
    host.unchanged(BRIDGE)


@test("tutorial: `mvapply -f` is apply")
def bare(host):
    host.netns("web")
    host.mvapply("-f", host.write(BRIDGE))
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("tutorial: the container announces itself to the LAN and answers it", both=True)
def on_the_lan(host):
    host.netns("web")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    host.apply(BRIDGE)
    heard = sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.2", MAC))
    assert heard, f"no announcement among {len(sniffer.frames)} frames"
    same(heard.source, MAC, "the announcement's source")
    with host.inside("web"):
        assert packets.ping("172.16.86.1"), "the gateway does not answer"
    with host.inside("lan"):
        assert packets.ping("172.16.86.2"), "the container does not answer"
    neighbours = host.ip("lan", "neighbour show 172.16.86.2")
    assert MAC in neighbours, neighbours


@test("tutorial: two containers ping each other")
def two_containers(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
    same(host.addresses("db", "eth0"), {"172.16.86.3/24"}, "db's address")
    with host.inside("web"):
        assert packets.ping("172.16.86.3"), "db does not answer web"
    with host.inside("db"):
        assert packets.ping("172.16.86.2"), "web does not answer db"


@test("tutorial: removal deletes everything of its own and changes nothing else", both=True)
def removal(host):
    host.netns("web", "bystander")
    host.batch("host", ["link add link eth0 name other type macvlan mode bridge",
                        "link set other netns bystander", "address add 172.16.86.9/24 dev eth0"])
    host.settle()
    before = host.snapshot()
    host.apply(BRIDGE)
    after = host.snapshot()
    for key in before:
        same(after.get(key), before[key], key)
    same(set(after) - set(before) and {key.split(":")[0] for key in set(after) - set(before)},
         {"web"}, "namespaces with something new")
    done = host.delete(BRIDGE)
    same(done.plan, ["- attach web/my-macvlan-net eth0 172.16.86.2/24"], "the plan of delete")
    same(host.snapshot(), before, "after delete")
    same(host.delete(BRIDGE).plan, [], "a second delete")


@test("tutorial: an empty set removes the attachments of the set")
def emptied(host):
    host.netns("web")
    before = host.snapshot()
    host.apply(BRIDGE)
    host.apply("networks: {}\n", code=4)  # an empty input always counts as all
    same(host.names("web"), {"eth0"}, "after a refused apply")
    host.apply("networks: {}\n", "--max-delete=100%")
    same(host.snapshot(), before, "after an empty apply")


@test("tutorial: VLAN 10 is created, tagged, shared and removed with its last network",
      needs=["vlan"])
def vlan(host):
    host.netns("web", "db")
    host.lan("172.16.86.1/24", vlan=10)
    host.batch("lan", ["address del 172.16.86.1/24 dev up0"])
    before = host.snapshot()
    done = host.apply(VLAN)
    same(done.plan, ["+ link eth0.10 vlan 10 on eth0",
                     "+ attach web/my-8021q-macvlan-net eth0 172.16.86.2/24 "
                     "02:42:ac:10:56:02 default via 172.16.86.1"], "the plan")
    link = host.link("host", "eth0.10")
    same((link["linkinfo"]["info_kind"], link["linkinfo"]["info_data"]["id"],
          link["linkinfo"]["info_data"]["protocol"], link["link"]),
         ("vlan", 10, "802.1Q", "eth0"), "eth0.10")
    assert {"UP", "LOWER_UP"} <= set(link["flags"]), link["flags"]
    same(link["ifalias"], "mvapply:vlan:default", "mark")
    same(host.names("host"), {"eth0", "eth0.10"}, "links of the host")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    with host.inside("web"):
        assert packets.ping("172.16.86.1"), "the gateway on VLAN 10 does not answer"
    frame = sniffer.wait(lambda f: f.source == MAC and f.protocol == 0x0800)
    same(frame and frame.vlan, (0x8100, 10), "the tag")
    host.unchanged(VLAN)

    second = VLAN.replace("containers:", """  second:
    parent: eth0
    vlan: 10
    subnet: 172.16.99.0/24
containers:
  db:
    networks: [second]""")
    done = host.apply(second)
    same(done.plan, ["+ attach db/second eth0 172.16.99.2/24 02:42:ac:10:63:02"],
         "a second network on the VLAN")
    same(host.link("host", "eth0.10")["ifindex"], link["ifindex"], "eth0.10 after a second one")

    only_second = document({"second": {"parent": "eth0.10", "subnet": "172.16.99.0/24"}},
                           {"db": ["second"]})
    done = host.apply(only_second)
    same(done.plan, ["- attach web/my-8021q-macvlan-net eth0 172.16.86.2/24"], "without the first network")
    same(host.link("host", "eth0.10")["ifindex"], link["ifindex"], "eth0.10 without the first")
    same(host.names("web"), set(), "links of web")

    done = host.delete(only_second)
    same(done.plan, ["- attach db/second eth0 172.16.99.2/24", "- link eth0.10 vlan 10 on eth0"],
         "the end")
    same(host.snapshot(), before, "after the last network")


@test("tutorial: an existing VLAN link stays", needs=["vlan"])
def vlan_there_before(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name trunk10 type vlan id 10", "link set trunk10 up"])
    host.settle()
    before = host.snapshot()
    done = host.apply(VLAN)
    same(len(done.plan), 1, "operations")
    same(host.names("host"), {"eth0", "trunk10"}, "links of the host")
    same(host.link("web", "eth0")["link_index"], host.link("host", "trunk10")["ifindex"],
         "the parent")
    host.unchanged(VLAN)
    same(host.delete(VLAN).plan, ["- attach web/my-8021q-macvlan-net eth0 172.16.86.2/24"],
         "delete")
    same(host.snapshot(), before, "after delete")


@test("tutorial: a VLAN whose name suggests another id is used, with a warning", needs=["vlan"])
def vlan_other_id(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name eth0.10 type vlan id 11", "link set eth0.10 up"])
    before = host.snapshot()
    done = host.apply(VLAN)
    assert "parent eth0.10 is VLAN 11 and is used as it is" in done.err, done
    same((host.names("host"), host.link("web", "eth0")["link_index"]),
         ({"eth0", "eth0.10"}, host.link("host", "eth0.10")["ifindex"]), "the parent")
    host.unchanged(VLAN)
    host.delete(VLAN)
    same(host.snapshot(), before, "after delete")


@test("tutorial: two sets share a VLAN link, which is deleted with the last", needs=["vlan"])
def vlan_two_sets(host):
    host.netns("web", "db")
    one = document({"n": {"parent": "eth0.10", "subnet": "172.16.86.0/24"}}, {"web": ["n"]},
                   name="one")
    two = document({"n": {"parent": "eth0.10", "subnet": "172.16.86.0/24",
                          "ip_range": "172.16.86.128/25"}}, {"db": ["n"]}, name="two")
    before = host.snapshot()
    host.apply(one)
    index = host.link("host", "eth0.10")["ifindex"]
    host.apply(two)
    link = host.link("host", "eth0.10")
    same((link["ifindex"], link["ifalias"]), (index, "mvapply:vlan:one,two"), "shared")
    host.unchanged(one)
    host.unchanged(two)
    host.delete(one)
    link = host.link("host", "eth0.10")
    same((link["ifindex"], link["ifalias"]), (index, "mvapply:vlan:two"), "after the first left")
    same(host.addresses("db", "eth0"), {"172.16.86.128/24"}, "the other set")
    host.delete(two)
    same(host.snapshot(), before, "after both left")


@test("tutorial: a VLAN link stays while an unmanaged link is attached to it", needs=["vlan"])
def vlan_kept(host):
    host.netns("web", "bystander")
    host.apply(VLAN)
    host.batch("host", ["link add link eth0.10 name foreign type macvlan mode bridge",
                        "link set foreign netns bystander"])
    done = host.delete(VLAN)
    assert "kept eth0.10 used by foreign in bystander" in done.lines, done
    same(host.names("host"), {"eth0", "eth0.10"}, "links of the host")
    same(host.names("bystander"), {"foreign"}, "links of the bystander")
    same(host.names("web"), set(), "links of web")
    host.ip("bystander", "link delete foreign")
    host.delete(VLAN)
    same(host.names("host"), {"eth0"}, "after the foreigner has gone")
