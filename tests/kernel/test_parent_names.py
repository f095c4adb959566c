"""A parent is the link of exactly that name; NAME.VID is a VLAN of NAME only where there is none."""
import json

from declare import document, lan
from host import same
from registry import test


def bridge(host, name, *more):
    host.batch("host", [f"link add {name} type bridge", f"link set {name} up", *more])


def parent_in_status(host):
    return [network["parent"] for network in
            host.mvapply("status", "-f", "network.yaml", "--output=json").json["networks"]]


def doctor(host):
    done = host.mvapply("doctor", "-f", "network.yaml", "--output=json", code=None)
    return [(found["check"], found["level"], found["subject"], found["message"])
            for found in json.loads(done.out)["findings"] if found["check"] in ("plan", "parents", "kernel")]


@test("parent names: a bridge with the name of a VLAN", needs=["bridge"])
def bridge_with_dot(host):
    host.netns("web")
    bridge(host, "br.10", "link add veth9 type veth peer name port9", "link set port9 master br.10",
           "link set port9 up", "link set veth9 up")
    text = document({"n": lan(parent="br.10", ip_range="172.16.86.0/25")}, {"web": ["n"]})
    before = host.snapshot("host", "web")
    host.mvapply("validate", "-f", host.write(text))
    done = host.apply(text)
    same((host.link("web", "eth0")["link_index"], host.names("host") - {"eth0"}),
         (host.link("host", "br.10")["ifindex"], {"br.10", "veth9", "port9"}), f"the parent\n{done}\n")
    same(parent_in_status(host), ["br.10"], "status")
    same(doctor(host), [], "doctor")
    graph = host.mvapply("graph", "-f", "network.yaml").out
    assert "br.10" in graph and "VLAN" not in graph, graph
    exported = host.mvapply("export").out
    assert "parent: br.10" in exported and "vlan" not in exported, exported
    same(host.apply(exported).plan, [], "what is exported")
    host.unchanged(text)
    host.delete(text)
    same(host.snapshot("host", "web"), before, "after delete")


@test("parent names: a bridge br0.20 and br0, of another VLAN", needs=["bridge"])
def bridge_beside(host):
    host.netns("web")
    bridge(host, "br0")
    bridge(host, "br0.20")
    text = document({"n": lan(parent="br0.20")}, {"web": ["n"]})
    done = host.apply(text)
    same(host.link("web", "eth0")["link_index"], host.link("host", "br0.20")["ifindex"], f"{done}\n")
    host.unchanged(text)
    host.delete(text)
    before = host.snapshot("host", "web")
    done = host.apply(document({"n": lan(parent="br0", vlan=20)}, {"web": ["n"]}), code=4)
    assert "parent: br0.20" in done.err + done.out and "name vlan20 type vlan id 20" in done.err + done.out, done
    assert "rename" not in done.err + done.out and "OTHER" not in done.err + done.out, done
    same(host.snapshot("host", "web"), before, "after a refusal")


@test("parent names: neither a link nor a VLAN of one")
def absent(host):
    host.netns("web")
    for parent, words in (("br.10", 'no link "br.10", and no "br" for its VLAN 10'),
                          ("eth0.5000", "an id from 1 to 4094"), ("eth0.010", "without leading zeros")):
        text = document({"n": lan(parent=parent)}, {"web": ["n"]})
        host.mvapply("validate", "-f", host.write(text))
        done = host.apply(text, code=None)
        assert words in " ".join((done.out + done.err).split()) and done.code == 1, done
        same(host.names("host"), {"eth0"}, "links of the host")


@test("parent names: an existing VLAN is used under any name on any link", needs=["vlan"])
def other_vlans(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name mgmt.10 type vlan id 30", "link set mgmt.10 up",
                        "link add link eth0 name vlan10 type vlan id 10", "link set vlan10 up"])
    before = host.snapshot("host", "web")
    for keys, link, warned in (({"parent": "mgmt.10"}, "mgmt.10", True),
                               ({"parent": "eth0.30"}, "mgmt.10", False),
                               ({"parent": "eth0", "vlan": 10}, "vlan10", False),
                               ({"parent": "eth0.10"}, "vlan10", False)):
        text = document({"n": lan(**keys)}, {"web": ["n"]})
        done = host.apply(text)
        same((host.link("web", "eth0")["link_index"], parent_in_status(host)),
             (host.link("host", link)["ifindex"], [link]), f"{keys}\n{done}\n")
        same("parent mgmt.10 is VLAN 30 and is used as it is" in done.err, warned, f"{keys}\n{done}\n")
        host.unchanged(text)
        host.delete(text)
        same(host.snapshot("host", "web"), before, f"after delete of {keys}")


@test("parent names: attachments stay when the link below the VLAN is renamed", needs=["vlan"])
def renamed_below(host):
    host.netns("web")
    text = document({"n": lan(parent="eth0.10", ip_range="172.16.86.0/24")}, {"web": ["n"]})
    for make in ([], ["link add link eth0 name eth0.10 type vlan id 10", "link set eth0.10 up"]):
        host.batch("host", make)
        host.apply(text)
        before = host.link("web", "eth0")["ifindex"], host.link("host", "eth0.10")["ifindex"]
        host.batch("host", ["link set eth0 down", "link set eth0 name lan0", "link set lan0 up"])
        same(host.apply(text).plan, [], "after the rename")
        same((host.link("web", "eth0")["ifindex"], host.link("host", "eth0.10")["ifindex"]), before, "links")
        same(parent_in_status(host), ["eth0.10"], "status")
        same(doctor(host), [], "doctor")
        host.unchanged(text)
        same(host.apply(document({"n": lan(parent="lan0", vlan=10, ip_range="172.16.86.0/24")}, {"web": ["n"]})).plan, [], "by the new name")
        host.delete(text)
        same(host.names("host"), {"lan0", "eth0.10"} if make else {"lan0"}, "after delete")
        host.batch("host", ["link set lan0 down", "link set lan0 name eth0", "link set eth0 up"])


@test("parent names: two names of one VLAN are one LAN", needs=["vlan"])
def two_names(host):
    host.netns("web", "db")
    text = document({"a": lan(parent="eth0.10"), "b": lan(parent="eth0", vlan=10)}, {"web": ["a"], "db": ["b"]})
    host.apply(text)
    same((host.names("host"), host.addresses("web", "eth0"), host.addresses("db", "eth0")),
         ({"eth0", "eth0.10"}, {"172.16.86.2/24"}, {"172.16.86.3/24"}), "the links")
    same(parent_in_status(host), ["eth0.10", "eth0.10"], "status")
    same([host.link(ns, "eth0")["link_index"] for ns in ("web", "db")],
         [host.link("host", "eth0.10")["ifindex"]] * 2, "the parent")
    host.unchanged(text)
    host.delete(text)
    same(host.names("host"), {"eth0"}, "after delete")


@test("parent names: a link that appears afterwards takes precedence over the VLAN of that name",
      needs=["vlan", "bridge"])
def comes_later(host):
    host.netns("web")
    text = document({"n": lan(parent="eth0.10")}, {"web": ["n"]})
    host.apply(text)
    host.batch("host", ["link set eth0.10 down", "link set eth0.10 name vlan10", "link set vlan10 up"])
    host.unchanged(text)
    host.diff(document({"n": lan(parent="eth0.10")}, {"web": {"n": {"ipv4_address": "172.16.86.9"}}}),
              "--out", "plan.json")
    bridge(host, "eth0.10")
    stale = host.mvapply("apply", "plan.json", code=None)
    same((stale.code, host.addresses("web", "eth0")), (4, {"172.16.86.2/24"}), f"{stale}\n")
    done = host.apply(text)
    assert "-/+ attach web/n" in " ".join(done.plan), done
    same((host.link("web", "eth0")["link_index"], host.names("host")),
         (host.link("host", "eth0.10")["ifindex"], {"eth0", "eth0.10"}), "the parent")
    host.unchanged(text)
