"""Unmanaged objects are not changed, failures are reported, and interrupted runs are repaired."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

import linux
import packets
from declare import BRIDGE, document, lan
from features import ADDRESS_PROTOCOL
from host import same
from registry import test
from service import watching

ONE = document({"n": lan()}, {"web": ["n"]})


def refused(host, text, *words, flags=(), code=4):
    """The apply and the diff refuse, with these words as the reason, and change nothing."""
    before = host.snapshot()

    def both():
        for command in ("diff", "apply"):
            done = host.mvapply(command, "-f", host.write(text), *flags, code=code)
            for word in words:
                assert word in done.out + done.err, f"{word!r} is not said\n{done}"
        return done
    done = host.silently("a refused apply", both)
    same(host.snapshot(), before, "after a refusal")
    return done


# --- unmanaged objects

@test("unmanaged: a link with the desired name", both=True)
def unmanaged_name(host):
    host.netns("web", "other")
    host.batch("web", ["link add eth0 type veth peer name peer0", "link set eth0 up"])
    before = host.snapshot("web")
    done = host.apply(document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}},
                                              "other": ["n"]}), code=1)
    for word in "! blocked", "web/n", "a link eth0":
        assert word in done.out, f"{word!r} is not said\n{done}"
    same(host.snapshot("web"), before, "web")
    same(host.addresses("other", "eth0"), {"172.16.86.3/24"}, "the other's address")


@test("unmanaged: a name that is not declared is skipped")
def unmanaged_name_passed(host):
    host.netns("web")
    host.batch("web", ["link add eth0 type veth peer name peer0", "link set eth0 up"])
    before = host.link("web", "eth0")["ifindex"]
    host.apply(ONE)
    same((host.link("web", "eth0")["ifindex"], host.addresses("web", "eth1")),
         (before, {"172.16.86.2/24"}), "the links")
    host.unchanged(ONE)


@test("unmanaged: a default route", both=True)
def unmanaged_default(host):
    host.netns("web")
    host.batch("web", ["link add engine0 type veth peer name peer0", "link set engine0 up",
                       "link set peer0 up", "address add 192.168.5.2/24 dev engine0",
                       "route add default via 192.168.5.1"])
    refused(host, ONE, "192.168.5.1", "--adopt", code=1)
    host.apply(ONE, "--adopt")
    same({route for route in host.routes("web") if route.startswith("default")},
         {"default via 172.16.86.1 dev eth0"}, "default routes after --adopt")
    same(host.addresses("web", "engine0"), {"192.168.5.2/24"}, "the engine's address")
    host.unchanged(ONE)


@test("unmanaged: a macvlan with the desired MAC")
def unmanaged_mac(host):
    host.netns("web", "other")
    wanted = "02:42:ac:10:56:02"
    host.ip("host", f"link add link eth0 name x address {wanted} type macvlan mode bridge")
    explicit = document({"n": lan()}, {"web": {"n": {"mac_address": wanted}}})
    refused(host, explicit, wanted)
    host.ip("host", "link set x netns other")
    done = host.apply(explicit, code=1)
    assert wanted in done.out, done
    same(host.names("web"), set(), "links in web")
    # One that is derived from the address is another then.
    host.apply(ONE)
    link = host.link("web", "eth0")
    same((host.addresses("web", "eth0"), link["address"] == wanted), ({"172.16.86.2/24"}, False),
         "address, and whether the MAC is the taken one")


@test("unmanaged: an explicit address that the parent has")
def unmanaged_address(host):
    host.netns("web")
    host.ip("host", "address add 172.16.86.2/24 dev eth0")
    refused(host, document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.2"}}}),
            "172.16.86.2", "eth0")


def refused_beside(host, kind, word):
    """An unmanaged link on the parent, in the host and then in another namespace."""
    host.netns("web", "other")
    host.ip("host", f"link add link eth0 name x type {kind}")
    refused(host, ONE, word, "eth0")
    host.ip("host", "link set x netns other")
    done = host.apply(ONE, code=1)
    assert word in done.out and "eth0" in done.out, done
    same(host.names("web"), set(), "links in web")


@test("unmanaged: an ipvlan on the parent", needs=["ipvlan"])
def unmanaged_kind(host):
    refused_beside(host, "ipvlan", "ipvlan")


@test("unmanaged: a passthru on the parent")
def unmanaged_passthru(host):
    refused_beside(host, "macvlan mode passthru", "passthru")


@test("unmanaged: another set's links are not touched")
def other_set(host):
    host.netns("web", "db")
    one = document({"n": lan()}, {"web": ["n"]}, name="one")
    two = document({"n": lan()}, {"db": ["n"]}, name="two")
    host.apply(one)
    index = host.link("web", "eth0")["ifindex"]
    host.apply(two)
    same(host.addresses("db", "eth0"), {"172.16.86.3/24"}, "the other set's address")
    host.apply("{name: two, networks: {}}\n", "--max-delete=100%")
    same((host.names("db"), host.link("web", "eth0")["ifindex"]), (set(), index), "links")
    host.unchanged(one)


@test("unmanaged: addresses and routes on a managed link are not changed", features=[ADDRESS_PROTOCOL])
def unmanaged_on_ours(host):
    host.netns("web")
    host.apply(ONE)
    host.batch("web", ["address add 192.168.7.7/24 dev eth0",
                       "route add 10.1.0.0/16 via 172.16.86.250"])
    if host.has(ADDRESS_PROTOCOL):
        host.unchanged(ONE)
    else:
        same(host.apply(ONE).plan, ["~ attach web/n - address 192.168.7.7/24"], "an address without protocol")
    host.apply(document({"n": lan(mtu=1400)}, {"web": ["n"]}))
    same("192.168.7.7/24" in host.addresses("web", "eth0"), host.has(ADDRESS_PROTOCOL), "the address is there")
    assert "10.1.0.0/16 via 172.16.86.250 dev eth0" in host.routes("web"), "the route is gone"


@test("unmanaged: routes by a managed link stay when its address changes", both=True)
def unmanaged_routes(host):
    host.netns("web")

    def text(address):
        return document({"n": lan()}, {"web": {"n": {"ipv4_address": address}}})
    host.apply(text("172.16.86.20"))
    theirs = ["10.1.0.0/16 via 172.16.86.250 dev eth0 proto static",
              "10.2.0.0/16 dev eth0 proto boot scope link",
              "10.0.3.0/24 via 10.2.0.1 dev eth0 proto 99 metric 7"]
    host.batch("web", [f"route add {route}" for route in theirs])
    before = host.route_protocols("web")
    host.apply(text("172.16.86.30"))
    same({route: protocol for route, protocol in host.route_protocols("web").items()
          if route.startswith("10.")},
         {route: protocol for route, protocol in before.items() if route.startswith("10.")}, "routes")


@test("unmanaged: an address added to a managed link does not replace the chosen one", features=[ADDRESS_PROTOCOL])
def unmanaged_is_not_chosen(host):
    host.netns("web")
    text = document({"n": lan(subnet=None, gateway=None, subnets=[{"subnet": "172.16.86.0/24"},
                                                                  {"subnet": "fd00:86::/64"}])},
                    {"web": ["n"]})
    host.apply(text)
    chosen = host.addresses("web", "eth0")
    host.batch("web", ["address add 172.16.86.77/24 dev eth0",
                       "address add fd00:86::77/64 dev eth0 nodad"])  # which is listed first
    if not host.has(ADDRESS_PROTOCOL):  # they count as managed, and the oldest ones are the chosen ones
        host.apply(text)
        same(host.addresses("web", "eth0"), chosen, "addresses")
    host.unchanged(text)


@test("unmanaged: an address in the subnet of a managed one stays when that is removed", both=True,
      features=[ADDRESS_PROTOCOL])
def unmanaged_beside_ours(host):
    host.netns("web")

    def text(address):
        return document({"n": lan()}, {"web": {"n": {"ipv4_address": address}}})
    for promotes in "0", "1":
        host.apply(text("172.16.86.20"))
        host.set_sysctl("web", "net/ipv4/conf/eth0/promote_secondaries", promotes)
        host.ip("web", "address add 172.16.86.200/24 dev eth0 label eth0:theirs")
        host.apply(text("172.16.86.30"))
        if not host.has(ADDRESS_PROTOCOL):  # it counts as managed
            same(host.addresses("web", "eth0"), {"172.16.86.30/24"}, "addresses")
            continue
        same(host.addresses("web", "eth0"), {"172.16.86.30/24", "172.16.86.200/24"}, "addresses")
        same({item.get("label") for item in host.link("web", "eth0")["addr_info"]
              if item["local"] == "172.16.86.200"}, {"eth0:theirs"}, "its label")
        same(host.sysctl("web", "net/ipv4/conf/eth0/promote_secondaries"), promotes, "the setting")
        host.ip("web", "address delete 172.16.86.200/24 dev eth0")



@test("unmanaged: routes of any kind by a managed link stay when its address changes", both=True)
def unmanaged_routes_kept(host):
    host.netns("web")

    def text(address):
        return document({"n": lan()}, {"web": {"n": {"ipv4_address": address}}})
    host.apply(text("172.16.86.20"))
    host.batch("web", [f"route add {route}" for route in (
        "default via 172.16.86.1 dev eth0 table 100 metric 7 mtu 1400", "10.8.0.0/16 dev eth0 table 101",
        "10.6.0.0/16 nexthop via 172.16.86.3 dev eth0 weight 2 nexthop via 172.16.86.4 dev eth0",
        "10.7.0.0/16 via 198.51.100.1 dev eth0 onlink proto static", "blackhole 10.5.0.0/16")])

    def theirs():
        routes = host.run("ip", "-d", "-j", "route", "show", "table", "all", ns="web", code=0).json
        return sorted(str(route) for route in routes
                      if route.get("protocol") not in ("kernel", "77") and
                      not route["dst"].startswith(("ff", "fe80")))
    before = theirs()
    same(len(before), 5, f"of {before}")
    host.apply(text("172.16.86.30"))
    same(host.addresses("web", "eth0"), {"172.16.86.30/24"}, "addresses")
    same(theirs(), before, "the others' routes")
    host.unchanged(text("172.16.86.30"))


@test("unmanaged: others' address, route and stream stay when the subnet has another prefix length",
      both=True, features=[ADDRESS_PROTOCOL])
def unmanaged_prefix_length(host):
    host.netns("web")
    host.apply(document({"n": lan(ip_range="172.16.86.64/26")}, {"web": ["n"]}))
    index = host.link("web", "eth0")["ifindex"]
    host.batch("web", ["address add 172.16.86.200/24 dev eth0",
                       "route add 10.1.0.0/16 via 172.16.86.250 proto static",
                       "route add 10.2.0.0/16 via 172.16.86.3 proto static"])
    with host.inside("lan"):
        listener = socket.create_server(("172.16.86.1", 4711))
    with host.inside("web"):
        stream = socket.create_connection(("172.16.86.1", 4711), 5)
    accepted = listener.accept()[0]
    same(accepted.getpeername()[0], "172.16.86.64", "the stream's address")
    theirs = {"172.16.86.200/24"} if host.has(ADDRESS_PROTOCOL) else set()  # it counts as managed without
    for prefix, length in ("172.16.0.0/16", 16), ("172.16.86.0/25", 25):
        host.apply(document({"n": lan(subnet=prefix)}, {"web": ["n"]}))
        same((host.addresses("web", "eth0"), host.link("web", "eth0")["ifindex"],
              host.link("web", "eth0")["address"]),
             ({f"172.16.86.64/{length}"} | theirs, index, "02:42:ac:10:56:40"),
             "the link")
        routes = {"10.2.0.0/16 via 172.16.86.3 dev eth0"}
        if theirs or length < 25:  # only their address reaches its gateway then
            routes.add("10.1.0.0/16 via 172.16.86.250 dev eth0")
        same(host.routes("web") & routes, routes, "the others' routes")
        stream.sendall(b"still there")
        accepted.settimeout(10 * host.patience)
        same(accepted.recv(100), b"still there", "what the stream brings")


@test("adopt: a macvlan without an owner tag is adopted in place", both=True)
def adopt_link(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name mine address 02:42:ac:10:56:02 type macvlan "
                        "mode bridge", "link set mine netns /run/netns/web name eth0"])
    host.batch("web", ["address add 172.16.86.2/24 dev eth0", "link set eth0 up",
                       "route add default via 172.16.86.1"])
    index = host.link("web", "eth0")["ifindex"]
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}})
    refused(host, text, "eth0", "--adopt", code=1)
    host.apply(text, "--adopt")
    link = host.link("web", "eth0")
    same((link["ifindex"], link["ifalias"]), (index, "mvapply:attach:default/n/web"), "adopted")
    same(host.routes("web"), {"default via 172.16.86.1 dev eth0",
                              "172.16.86.0/24 dev eth0 scope link src 172.16.86.2"}, "routes")
    host.unchanged(text)
    host.delete(text)
    same(host.names("web"), set(), "after delete")


# --- guards

def crowd(count, start=0):
    return document({"n": lan()}, {f"c{i}": ["n"] for i in range(start, count)})


@test("guard: more than half of ten or more is refused")
def guard(host):
    host.netns(*(f"c{i}" for i in range(12)))
    host.apply(crowd(12))
    done = refused(host, crowd(12, 7), "--max-delete")
    assert "7 of the 12" in done.out + done.err, done
    host.apply(crowd(12, 6))
    same(sum(1 for i in range(12) if host.names(f"c{i}")), 6, "attachments left")


@test("guard: --max-delete as a number and as a share")
def guard_flags(host):
    host.netns(*(f"c{i}" for i in range(12)))
    host.apply(crowd(12))
    refused(host, crowd(12, 2), flags=["--max-delete=1"])
    refused(host, crowd(12, 2), flags=["--max-delete=10%"])
    host.apply(crowd(12, 2), "--max-delete=2")
    host.apply(crowd(12, 9), "--max-delete=70%")
    same(sum(1 for i in range(12) if host.names(f"c{i}")), 3, "attachments left")
    host.delete(crowd(12, 9))
    same(sum(1 for i in range(12) if host.names(f"c{i}")), 0, "attachments after delete")


@test("guard: below ten attachments the file is applied")
def guard_few(host):
    host.netns(*(f"c{i}" for i in range(9)))
    host.apply(crowd(9))
    host.apply(crowd(9, 8))
    same(sum(1 for i in range(9) if host.names(f"c{i}")), 1, "attachments left")


@test("guard: an empty input counts as all, however few there are")
def guard_empty(host):
    host.netns("web")
    host.apply(BRIDGE)
    for empty in ("", "networks: {}\ncontainers: {}\n", "---\n"):
        refused(host, empty, "--max-delete")


@test("guard: a file that declares no live object of the set counts as another one", both=True)
def guard_strange(host):
    host.netns("web", "db", "ci")
    host.apply(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
    index = host.link("web", "eth0")["ifindex"]
    other = document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"ci": ["m"]})
    done = refused(host, other, "2 of the 2", "`name:`", "-f", "--max-delete=2")
    assert "[MV0807]" in done.err, done
    host.mvapply("diff", "-f", "network.yaml", "--out", "plan.json", code=4)
    same(host.link("web", "eth0")["ifindex"], index, "web's link")
    with watching(host, "-f", "network.yaml") as service:
        service.until_says("`name:`")
        same(host.link("web", "eth0")["ifindex"], index, "web's link")
    # A set of its own, and both files together.
    host.apply(other.replace("{", '{"name": "second", ', 1))
    same((host.link("web", "eth0")["ifindex"], host.addresses("ci", "eth0")),
         (index, {"10.8.0.2/16"}), "links")
    host.delete("name: second\n")
    # A declared container, by its name or its namespace, does not count as another file's.
    host.apply(document({"k": lan()}, {"web": ["k"]}))
    host.apply(document({"k": lan()}, {"c": {"netns": "web", "networks": ["k"]}}))
    host.apply(document({"z": lan()}, {"db": ["z"]}), "--max-delete=1")
    same((host.names("web"), host.names("db")), (set(), {"eth0"}), "links in the end")
    host.delete(document({"z": lan()}, {"db": ["z"]}))
    same(host.names("db"), set(), "after delete")


def kept(host, text, *flags):
    """A delete of the file is refused, in text and as JSON, and so is its preview."""
    path = host.write(text)
    before = host.snapshot()
    done = host.mvapply("delete", "-f", path, *flags, code=4)
    assert "[MV0807]" in done.err and "`mvapply delete --name default`" in " ".join(done.err.split()), done
    host.mvapply("delete", "-f", path, "--dry-run", *flags, code=4)
    told = host.mvapply("delete", "-f", path, "-o", "json", *flags, code=4).json
    same([one["code"] for one in told["errors"]], ["MV0807"], "codes in JSON")
    same(host.snapshot(), before, "after a delete that was refused")
    return done


@test("guard: a delete with a file that declares no live object is refused, as an apply is", both=True)
def guard_delete(host):
    host.netns("web", "db", "ci")
    mine = document({"n": lan(host=True)}, {"web": ["n"], "db": ["n"]})
    host.apply(mine)
    for other in ("", "networks: {}\ncontainers: {}\n", document({"m": lan()}, {"ci": ["m"]}),
                  document({"n": lan()}, {"ci": ["n"]}), document({"n": lan(host=True)}, {"absent": ["n"]}),
                  document({"m": lan()}, {}), document({"n": lan()}, {"web2": {"docker": "web", "networks": ["n"]}})):
        kept(host, other)
        kept(host, other, "--max-delete=2")
    # Another set's file is no danger, and a part of this set's files, or one of a name alone, is meant.
    host.delete(document({"n": lan()}, {"ci": ["n"]}, name="other"))
    host.delete(document({"m": lan()}, {"ci": ["m"]}), "--max-delete=3")
    same((host.names("web"), host.names("db")), (set(), set()), "with a flag")
    for right in (mine, document({"n": lan()}, {"db": ["n"], "ci": ["n"]}), document({"n": lan(host=True)}, {}),
                  document({"k": lan()}, {"c": {"netns": "web", "networks": ["k"]}})):
        host.apply(mine)
        host.delete(right)
        same((host.names("web"), host.names("db"), host.names("host")), (set(), set(), {"eth0"}), "by its own file")
    host.apply(mine)
    host.mvapply("delete", "--name", "default")
    host.apply(mine.replace("{", '{"name": "own", ', 1))
    kept_other = document({"n": lan()}, {"ci": ["n"]}, name="own")
    done = host.mvapply("delete", "-f", host.write(kept_other), code=4)
    assert "--name own" in " ".join(done.err.split()), done
    host.delete("name: own\n")
    same((host.names("web"), host.names("db")), (set(), set()), "by its name")


@test("guard: a delete with the set's file is done if its containers or their namespaces are gone")
def guard_delete_gone(host):
    host.netns("web", "db")
    for text in (document({"n": lan(host=True)}, {"web": ["n"]}),
                 document({"n": lan(host=True)}, {"web": {"netns": "/run/netns/web", "networks": ["n"]}})):
        host.apply(text)
        host.remove_netns("web")
        host.netns("web")
        host.delete(text)
        same(host.names("host"), {"eth0"}, "the host's link")


FILE = document({"lan": lan()}, {"web": ["lan"]})


@test("guard: a file with a live network and none of its containers counts as another one", both=True)
def guard_network(host):
    host.netns("web", "db")
    host.apply(FILE)
    index = host.link("web", "eth0")["ifindex"]
    for other in (document({"lan": lan()}, {"db": ["lan"]}),
                  document({"lan": lan()}, {"absent": ["lan"]}),
                  document({"lan": lan(), "b": lan()}, {"absent": ["lan"], "db": ["b"]}),
                  document({"lan": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["lan"]}),
                  document({"lan": lan(host=True)}, {"db": ["lan"]}),
                  document({"lan": lan(host=True)}, {})):
        done = refused(host, other, "1 of the 1", "`name:`", "--max-delete=1")
        assert "[MV0807]" in done.err, done
    host.mvapply("diff", "-f", "network.yaml", "--out", "plan.json", code=4)
    with watching(host, "-f", "network.yaml") as service:
        service.until_says("`name:`")
        same(host.link("web", "eth0")["ifindex"], index, "web's link")
    with watching(host, "-f", host.write(FILE)) as service:
        host.write(document({"lan": lan()}, {"db": ["lan"]}))
        service.until_says("`name:`")
        same((host.link("web", "eth0")["ifindex"], host.names("db")), (index, set()), "links, after an edit")
    host.apply(document({"lan": lan()}, {"web": ["lan"], "db": ["lan"]}))
    last = document({"lan": lan()}, {"absent": ["lan"]})
    refused(host, last, "2 of the 2")
    same(host.link("web", "eth0")["ifindex"], index, "web's link")
    host.apply(last, "--max-delete=2")
    same((host.names("web"), host.names("db")), (set(), set()), "if it is meant")


@test("guard: the host's own link counts as an attachment")
def guard_host(host):
    host.netns("web")
    host.apply(document({"lan": lan(host=True)}, {}))
    before = host.names("host")
    for other in (document({"n": lan()}, {"web": ["n"]}), document({"lan": lan()}, {"web": ["lan"]}),
                  document({"n": lan(host=True)}, {}), "networks: {}\n"):
        refused(host, other, "1 of the 1")
    host.apply(document({"lan": lan(host=True)}, {"web": ["lan"]}))
    host.apply(document({"lan": lan()}, {"web": ["lan"]}))
    same((len(before - host.names("host")), host.names("web")), (1, {"eth0"}), "the links of an edit")


EDITS = {
    "another name": {"containers": {"www": {"netns": "web", "networks": ["lan"]}}},
    "another name, and another network": {"networks": {"home": lan()},
                                          "containers": {"www": {"netns": "web", "networks": ["home"]}}},
    "another name, by a path": {"containers": {"www": {"netns": "/run/netns/web", "networks": ["lan"]}}},
    "another namespace": {"containers": {"web": {"netns": "web2", "networks": ["lan"]}}},
    "another namespace, which is not there yet": {"containers": {"web": {"netns": "late", "networks": ["lan"]}}},
    "another network": {"networks": {"home": lan(subnet="10.8.0.0/16", gateway=None)},
                        "containers": {"web": ["home"]}},
    "another container beside it": {"containers": {"web": ["lan"], "db": ["lan"]}},
    "the host on it, too": {"networks": {"lan": lan(host=True)}, "containers": {"web": ["lan"]}},
    "the last container away": {"containers": {}},
    "the last container away, and a new network": {"networks": {"lan": lan(), "b": lan()}, "containers": {}},
    "no more networks for it": {"containers": {"web": []}},
}


@test("guard: an edit of a set's only container needs no flag")
def guard_edits(host):
    host.netns("web", "web2", "db")
    for what, edit in EDITS.items():
        host.apply(FILE)
        done = host.apply(document(**{"networks": {"lan": lan()}, **edit}))
        assert "MV0807" not in done.err, (what, done)
        host.delete(FILE)


@test("guard: of two containers one is moved to another namespace, and the other removed")
def guard_moved(host):
    host.netns("web", "web2", "db")
    host.apply(document({"lan": lan()}, {"web": ["lan"], "db": ["lan"]}))
    host.apply(document({"lan": lan()}, {"web": {"netns": "web2", "networks": ["lan"]}}))
    same([host.names(ns) for ns in ("web", "web2", "db")], [set(), {"eth0"}, set()], "links")
    with watching(host, "-f", host.write(document({"lan": lan()}, {"web": ["lan"], "db": ["lan"]}))) as service:
        service.settle()
        host.write(document({"lan": lan()}, {"web": {"netns": "web2", "networks": ["lan"]}}))
        service.until(lambda: [host.names(ns) for ns in ("web", "web2", "db")] == [set(), {"eth0"}, set()],
                      "moved by a service")


@test("guard: a namespace that only a process refers to counts while the files declare it")
def guard_process(host):
    host.netns("db")
    other = document({"lan": lan()}, {"db": ["lan"]})
    with host.process() as pid:
        for source in ({"pid": pid}, {"netns": f"/proc/{pid}/ns/net"}):
            text = document({"lan": lan()}, {"web": {**source, "networks": ["lan"]}})
            with watching(host, "-f", host.write(text)) as service:
                service.settle()
                host.write(other)
                service.until_says("`name:`")
                same(host.names("db"), set(), "held by a service")
            host.apply(other)
            same(host.names("db"), {"eth0"}, "an apply, to which the namespace has no name")
            host.mvapply("delete", "-f", "network.yaml")
    # A name of its own anywhere counts.
    os.makedirs("/run/other")
    with open("/run/other/web", "wb"):
        pass
    host.run("mount", "--bind", "/run/netns/db", "/run/other/web", code=0)
    host.remove_netns("db")
    host.netns("db")
    host.apply(document({"lan": lan()}, {"web": {"netns": "/run/other/web", "networks": ["lan"]}}))
    refused(host, other, "1 of the 1", "`name:`")
    host.run("umount", "/run/other/web", code=0)


# --- impossible steps

@test("cannot: no such parent")
def no_parent(host):
    host.netns("web", "db")
    text = document({"n": lan(parent="eth7"), "m": lan(subnet="10.8.0.0/16", gateway=None)},
                    {"web": ["n"], "db": ["m"]})
    done = host.apply(text, code=1)
    assert "eth7" in done.out + done.err, done
    same((host.names("web"), host.addresses("db", "eth0")), (set(), {"10.8.0.2/16"}),
         "the rest is done")


@test("cannot: the parent is down")
def parent_down(host):
    host.netns("web")
    host.ip("host", "link set eth0 down")
    before = host.snapshot()
    done = host.apply(ONE, code=1)
    assert "eth0" in done.out + done.err and "down" in done.out + done.err, done
    same(host.snapshot(), before, "after it")


@test("cannot: the parent is down, with live attachments on it")
def parent_down_live(host):
    host.netns("web")
    host.apply(ONE)
    index = host.link("web", "eth0")["ifindex"]
    host.ip("host", "link set eth0 down")
    for command, code in (("apply", 0), ("diff", 0)):
        done = host.mvapply(command, "-f", host.write(ONE), code=code)
        same(done.plan, [], "the plan")
        assert "parent eth0 is down" in done.err and "ip link set eth0 up" in done.err, done
    same(host.link("web", "eth0")["ifindex"], index, "the live link")


@test("cannot: the parent is enslaved", needs=["bridge"], both=True)
def parent_enslaved(host):
    host.netns("web")
    host.batch("host", ["link add br0 type bridge", "link set eth0 master br0",
                        "link set br0 up"])
    before = host.snapshot()
    done = host.apply(ONE, code=1)
    assert "eth0" in done.out + done.err and "br0" in done.out + done.err, done
    same(host.snapshot(), before, "after it")
    host.apply(document({"n": lan(parent="br0")}, {"web": ["n"]}))
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "on the bridge itself")


@test("cannot: a parent without carrier is warned of, and used all the same", both=True)
def no_carrier(host):
    host.netns("web")
    host.ip("lan", "link set up0 down")
    host.until(lambda: "LOWER_UP" not in host.link("host", "eth0")["flags"], "no carrier")
    done = host.apply(ONE)
    assert "eth0" in done.err and "carrier" in done.err, done
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
    host.ip("lan", "link set up0 up")
    host.until(lambda: "LOWER_UP" in host.link("web", "eth0")["flags"], "carrier")
    host.unchanged(ONE)


@test("cannot: the loopback as a parent")
def loopback(host):
    host.netns("web")
    text = document({"n": lan(parent="lo")}, {"web": ["n"]})
    before = host.snapshot()
    done = host.apply(text, code=3)
    assert "networks.n.parent lo cannot be a parent" in done.err, done
    same(host.snapshot(), before, "after it")


@test("cannot: an mtu above the parent's")
def mtu_too_large(host):
    host.netns("web")
    before = host.snapshot()
    done = host.apply(document({"n": lan(mtu=9000)}, {"web": ["n"]}), code=1)
    assert "9000" in done.out + done.err and "1500" in done.out + done.err, done
    same(host.snapshot(), before, "after it")


@test("cannot: no capability")
def no_capability(host):
    host.netns("web")
    before = host.snapshot()
    done = host.apply(ONE, code=1, before=linux.drop_capability_bounds)
    assert re.search(r"root|CAP_NET_ADMIN", done.err + done.out), done
    same(host.snapshot(), before, "after it")


@test("cannot: not root")
def not_root(host):
    host.netns("web")
    text = host.write(ONE)
    os.chmod("/run/work", 0o755)

    def become_nobody():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    if int(open("/proc/self/uid_map", encoding="ascii").read().split()[2]) < 65535:
        become_nobody = linux.drop_capability_bounds  # there is no other user in this namespace
    before = host.snapshot()
    done = host.mvapply("apply", "-f", text, code=1, before=become_nobody)
    assert re.search(r"root|CAP_NET_ADMIN|CAP_SYS_ADMIN", done.err + done.out), done
    same(host.snapshot(), before, "after it")


@test("target: the host's own namespace, by process and by path")
def host_namespace(host):
    for source in ({"pid": 1}, {"netns": "/proc/1/ns/net"}, {"netns": "/proc/self/ns/net"}):
        refused(host, document({"n": lan()}, {"web": {**source, "networks": ["n"]}}), "host")


@test("target: the host's own namespace, under a name")
def host_namespace_named(host):
    os.close(os.open("/run/netns/web", os.O_CREAT | os.O_RDONLY))
    linux.mount("/proc/self/ns/net", "/run/netns/web", None, linux.MS_BIND)
    refused(host, ONE, "host")


@test("target: no network namespace at all")
def no_namespace(host):
    for path in ("/etc/passwd", "/proc/1/ns/uts", "/dev/null"):
        refused(host, document({"n": lan()}, {"web": {"netns": path, "networks": ["n"]}}),
                "namespace")


@test("target: a name whose file is not a namespace, or no longer")
def stale_name(host):
    with open("/run/netns/web", "w", encoding="ascii"):
        pass
    before = host.snapshot()
    same(host.apply(ONE).plan, ['pending web/n no network namespace "web" yet'], "the plan")
    same(host.snapshot(), before, "after it")


@test("target: a path without a mounted namespace is pending")
def bare_path(host):
    os.close(os.open("/run/web", os.O_CREAT | os.O_RDONLY))
    text = document({"n": lan()}, {"web": {"netns": "/run/web", "networks": ["n"]}})
    same(host.apply(text).plan, ['pending web/n no network namespace "/run/web" yet'], "the plan")
    os.unlink("/run/web")
    host._new_namespace("web", "/run/web")
    host.apply(text)
    same(host.names("web"), {"eth0"}, "links")


RESTLESS = """import os
while True:
    os.close(os.open("/run/netns/web", os.O_CREAT))
    os.unlink("/run/netns/web")"""


@test("target: a name that is created and removed continuously is never mistaken for another")
def restless_name(host):
    """`ip netns` creates an empty file first and removes it last: in between the container is
    pending."""
    churn = subprocess.Popen([sys.executable, "-c", RESTLESS])
    try:
        for _ in range(60):
            same(host.diff(ONE, code=0).plan, ['pending web/n no network namespace "web" yet'],
                 "the plan")
    finally:
        churn.kill()
        churn.wait()


@test("input: a FIFO is not even opened, so that its writer keeps waiting")
def fifo_input(host):
    os.mkdir("folder")
    os.mkfifo("folder/fifo.yaml")
    with subprocess.Popen(["sh", "-c", "echo opened >folder/fifo.yaml"]) as writer:
        for path in "folder/fifo.yaml", "folder":
            done = host.mvapply("apply", "-f", path, code=3)
            assert "folder/fifo.yaml: error: is a FIFO, not a file" in done.err, done
        time.sleep(0.1)
        same(writer.poll(), None, "the writer's exit code")
        writer.kill()


@test("one container's failure does not stop another's", both=True)
def partial_failure(host):
    host.netns("web", "db")
    text = document({"n": lan()}, {"web": {"n": {"sysctls": {
        "net.ipv4.conf.IFNAME.no_such_key": "1"}}}, "db": ["n"]})
    done = host.apply(text, code=1)
    assert "no_such_key" in done.out + done.err, done
    same((host.names("web"), host.addresses("db", "eth0")), (set(), {"172.16.86.3/24"}),
         "web is taken back, db is there")
    assert "1 created" in done.out and "Failed: 1" in done.out, done


# --- messages, and interrupted runs

MESSAGES = re.compile(r"nlmsg_type=(RTM_\w+|0x[0-9a-f]+)")


def writes(kind):
    """Whether a message changes something. Types come in fours, of which the third reads; strace
    gives the number if the socket is in another namespace. RTM_NEWNSID (88) only assigns an nsid to
    a namespace."""
    if kind.startswith("RTM_"):
        return not kind.startswith("RTM_GET") and kind != "RTM_NEWNSID"
    number = int(kind, 16)
    return number >= 16 and number % 4 != 2 and number != 88


@test("messages: a second apply sends none that changes an object")
def no_messages(host):
    host.netns("web", "db")
    text = document({"n": lan(host={}, mtu=1400)},
                    {"web": {"n": {"sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"},
                                   "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}},
                     "db": ["n"]})
    host.apply(text)
    for command in ("apply", "diff", "status"):
        host.run("strace", "-f", "-e", "trace=sendmsg,sendto,sendmmsg,write,openat", "-o",
                 "/run/work/trace", host.binary, command, "-f", "network.yaml", code=0,
                 env={"ASAN_OPTIONS": "detect_leaks=0"}, seconds=60)
        with open("/run/work/trace", encoding="utf-8", errors="replace") as file:
            trace = file.read()
        sent = MESSAGES.findall(trace)
        assert {"RTM_GETLINK", "0x12"} & set(sent), f"no dump of links?\n{trace[-3000:]}"
        same([kind for kind in sent if writes(kind)], [],
             f"messages of a second {command}")
        written = [line for line in trace.splitlines()
                   if "/proc/sys" in line and re.search(r"O_(WRONLY|RDWR)", line)]
        same(written, [], f"sysctls written by a second {command}")


BEFORE = document({"n": lan(), "m": lan(subnet="10.8.0.0/16", gateway=None)},
                  {"stays": ["n"], "goes": ["n"], "moves": {"n": {}, "m": {}},
                   "changes": {"n": {"ipv4_address": "172.16.86.30"}}})
AFTER = document({"n": lan(mtu=1400, host={}),
                  "m": lan(subnet="10.8.0.0/16", gateway=None, mode="private"),
                  "k": lan(subnet="10.7.0.0/16", gateway=None)},
                 {"stays": ["n"], "comes": ["n", "k"], "moves": {"m": {}},
                  "changes": {"n": {"ipv4_address": "172.16.86.31", "interface_name": "lan0",
                                    "routes": [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]}}})
CAST = ("stays", "goes", "moves", "changes", "comes")


def end_state(host):
    """The state that must be the same however often it was interrupted."""
    return {f"{ns} {name}": (link["address"], link["mtu"], link.get("ifalias"),
                             sorted(f"{a['local']}/{a['prefixlen']}" for a in link["addr_info"]
                                    if a["scope"] != "link"))
            for ns in ("host", *CAST) for name, link in host.links(ns).items()}, \
        {ns: host.routes(ns) for ns in ("host", *CAST)}


def reference(host):
    host.apply(BEFORE)
    host.apply(AFTER)
    wanted = end_state(host)
    host.delete(AFTER)
    return wanted


def mended(host, wanted, what):
    host.apply(AFTER)
    links, routes = end_state(host)
    same(links, wanted[0], f"links after {what}")
    same(routes, wanted[1], f"routes after {what}")
    same(host.diff(AFTER, code=0).plan, [], f"a diff after {what}")
    host.delete(AFTER)
    same({ns: host.names(ns) for ns in ("host", *CAST)},
         {**{ns: set() for ns in CAST}, "host": {"eth0"}}, f"links after delete, after {what}")


@test("interrupted: killed after any time, the next apply completes the rest", both=True)
def killed_after_a_while(host):
    host.netns(*CAST)
    wanted = reference(host)
    host.apply(BEFORE)
    start = time.monotonic()
    host.apply(AFTER)
    whole = time.monotonic() - start
    host.delete(AFTER)
    count = 20 if host.patience == 1 else 4
    for number in range(count):
        host.apply(BEFORE)
        host.write(AFTER)
        with subprocess.Popen([host.binary, "apply", "-f", "network.yaml"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            time.sleep(whole * number / count)
            child.send_signal(signal.SIGKILL)
        mended(host, wanted, f"a kill after {number}/{count} of {whole:.3f} s")


@test("two at once: one waits for the other, and nothing is done twice", both=True)
def two_at_once(host):
    host.netns(*CAST)
    host.apply(BEFORE)
    host.write(AFTER)
    children = [subprocess.Popen([host.binary, "apply", "-f", "network.yaml"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                for _ in range(4)]
    outputs = [(child.communicate(timeout=30 * host.patience), child.returncode)
               for child in children]
    same([code for _, code in outputs], [0] * 4, f"exit codes, of {outputs}")
    idle = sum(1 for (out, _), _ in outputs if b"Nothing to do" in out)
    same(idle, 3, f"applies that had nothing to do, of {outputs}")
    host.unchanged(AFTER)


@test("two at once: applies of two sets")
def two_sets_at_once(host):
    names = [f"s{i}" for i in range(6)]
    host.netns(*names)
    children = []
    for i, name in enumerate(names):
        file = host.write(document({"n": lan(ip_range=f"172.16.86.{16 * (i + 1)}/28")},
                                   {name: ["n"]}, name=name), f"{name}.yaml")
        children.append(subprocess.Popen([host.binary, "apply", "-f", file],
                                         stdout=subprocess.DEVNULL))
    same([child.wait(30 * host.patience) for child in children], [0] * 6, "exit codes")
    same({name: host.addresses(name, "eth0") for name in names},
         {name: {f"172.16.86.{16 * (i + 1)}/24"} for i, name in enumerate(names)}, "addresses")


@test("announced: after a change of address and of MAC")
def announced_after_change(host):
    host.netns("web")
    host.apply(ONE)
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    host.apply(document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20"}}}))
    assert sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.20",
                                                              "02:42:ac:10:56:14")), "address"
    host.apply(document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20",
                                                     "mac_address": "02:00:5e:00:00:14"}}}))
    assert sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.20",
                                                              "02:00:5e:00:00:14")), "MAC"


@test("announced: of several at once, to the LAN and to those that were there before")
def announced_to_links_on_one_parent(host):
    host.netns("web", "db", "old")
    host.apply(document({"n": lan()}, {"old": {"n": {"ipv4_address": "172.16.86.9"}}}))
    with host.inside("lan"):
        outside = packets.Sniffer("up0")
    with host.inside("old"):
        beside = packets.Sniffer("eth0")
    host.apply(document({"n": lan()}, {name: {"n": {"ipv4_address": f"172.16.86.{number}"}}
                                       for name, number in (("old", 9), ("web", 2), ("db", 3))}))
    for sniffer, where in ((outside, "the LAN"), (beside, "the sibling")):
        for number in (2, 3):
            assert sniffer.wait(lambda f, n=number: packets.is_arp_announcement(
                f, f"172.16.86.{n}", f"02:42:ac:10:56:{n:02x}")), f"{where}: {number}"


@test("announced: several at once on a parent that had none")
def announced_first(host):
    host.netns("web", "db")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    host.apply(document({"n": lan(subnets=[{"subnet": "172.16.86.0/24"}, {"subnet": "fd00::/64"}],
                                  subnet=None, gateway=None)}, {"web": ["n"], "db": ["n"]}))
    for number in (2, 3):
        mac = f"02:42:ac:10:56:{number:02x}"
        heard = sniffer.wait(lambda f, n=number, m=mac: packets.is_arp_announcement(
            f, f"172.16.86.{n}", m))
        assert heard, f"no ARP of {number}"
        same(heard.source, mac, "whose frame it is")
    for address in ("fd00::2", "fd00::3"):
        assert sniffer.wait(lambda f, a=address: packets.is_neighbour_advertisement(f, a)), address


@test("many: 200 containers in one apply, and no change in the next")
def many(host):
    names = [f"c{i}" for i in range(200)]
    host.netns(*names)
    text = document({"n": lan()}, {name: ["n"] for name in names})
    host.apply(text)
    same({next(iter(host.addresses(name, "eth0"))) for name in (names[0], names[199])},
         {"172.16.86.2/24", "172.16.86.201/24"}, "the first and the last")
    same(host.apply(text).plan, [], "a second apply")
    host.delete(text)
    same(host.names(names[0]) | host.names(names[199]), set(), "after delete")
