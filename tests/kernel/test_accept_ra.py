"""`accept_ra: true`: addresses of IPv6 and the default route come from a real router's advertisements,
dnsmasq, at the other end of the cable."""
import contextlib
import json

from declare import document, lan
from dhcp_server import Server
from host import same
from registry import test
from service import watching
from test_routing import second_lan

NET = lan(accept_ra=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})


@contextlib.contextmanager
def advertising(host, link="up0", prefix="2001:db8:86::", address=None, pool=None):
    """A router with SLAAC alone, or with the addresses of `pool` by DHCPv6. It sends its first advertisement at once, and answers
    solicitations."""
    host.ip("lan", f"address replace {address or prefix + '1'}/64 dev {link} nodad")
    host.set_sysctl("lan", "net/ipv6/conf/all/forwarding", 1)
    host.set_sysctl("host", f"net/ipv6/conf/{'eth0' if link == 'up0' else 'eth1'}/accept_ra", 0)
    server = Server(host, link=link, pool=pool or f"{prefix},ra-only",
                    options=["--enable-ra", f"--ra-param={link},4,60"],
                    ready="router advertisement on")
    server.begin()
    try:
        yield server
    finally:
        server.end()


def advertised(host, ns="web", link="eth0"):
    """The global addresses that the kernel made."""
    return {f"{item['local']}/{item['prefixlen']}" for item in host.link(ns, link)["addr_info"]
            if item["family"] == "inet6" and item["scope"] == "global" and item.get("dynamic")}


def numbered(host, prefix="2001:db8:86:", **where):
    return host.until(lambda: {address for address in advertised(host, **where)
                               if address.startswith(prefix)}, "an address by SLAAC", 15)


def defaults(host, ns="web"):
    """The links of the default routes of IPv6, and their protocols."""
    return {(route["dev"], str(route.get("protocol")))
            for route in json.loads(host.ip(ns, "-j -6 route show default") or "[]")}


@test("accept_ra: address and default route by SLAAC, which a second apply leaves unchanged")
def first(host):
    host.netns("web")
    with advertising(host):
        done = host.apply(TEXT)
        address, = advertised(host)
        assert f" eth0 accept_ra {address} 06:" in done.plan[0], done
        assert not any(item.get("tentative") for item in host.link("web", "eth0")["addr_info"]), "usable"
        same(host.until(lambda: defaults(host), "a default route"), {("eth0", "ra")}, "default routes")
        same((host.sysctl("web", "net/ipv6/conf/eth0/accept_ra"),
              host.sysctl("web", "net/ipv6/conf/eth0/accept_ra_defrtr")), ("2", "1"), "the settings")
        host.until(lambda: not any(item.get("tentative") for item in
                                   host.link("web", "eth0")["addr_info"]), "no duplicate")
        host.run("ping", "-c", "1", "-W", "5", "2001:db8:86::1", ns="web", code=0)
        host.unchanged(TEXT)
        same(numbered(host), {address}, "the address after a second apply")
        status = host.mvapply("status", "-f", "network.yaml", "-o", "json").json
        attachment, = status["attachments"]
        found, = attachment["addresses"]
        same((f"{found['address']}/{found['prefix_len']}", found["router_advertisement"]), (address, True),
             "status")
        assert f"{address} (RA)" in host.mvapply("status", "-f", "network.yaml").out
        exported = host.mvapply("export").out
        assert exported.count("accept_ra: true") == 1 and "2001:db8" not in exported and \
            "sysctls" not in exported, exported
        same(host.diff(exported, code=0).plan, [], "a diff against the export")
        host.delete(TEXT)
        same(host.names("web"), set(), "links")


@test("accept_ra: apply waits for an address, which is reported; a note where no router advertises one")
def awaited(host):
    host.netns("web", "db")
    text = document({"n": NET}, {"web": ["n"], "db": ["n"]})
    with advertising(host):
        steps = host.apply(text, "-o", "json").json["steps"]
        same({step["container"]: set(step["addresses"]) for step in steps},
             {space: advertised(host, ns=space) for space in ("web", "db")}, "the addresses in JSON")
        assert all(step["addresses"] for step in steps), steps
        host.unchanged(text)
        host.delete(text)
        done = host.apply(text, "--confirm=1", code=5)
        assert "accept_ra 2001:db8:86:" in done.out, done
    host.delete(text)
    done = host.apply(TEXT)
    assert "attach web/n: no router has advertised an address within 6 s" in done.err, done
    same((advertised(host), host.names("web")), (set(), {"eth0"}), "without a router")
    host.delete(TEXT)
    step, = host.apply(TEXT, "-o", "json").json["steps"]
    assert "no router has advertised" in step["note"] and step["outcome"] == "done", step


@test("accept_ra: in addition to addresses of the file; a gateway of the file has the default route")
def both(host):
    host.netns("web", "db")
    dual = lan(accept_ra=True, subnet=None, gateway=None, subnets=[
        {"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
        {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
    plain = lan(accept_ra=True)
    text = document({"n": dual, "p": plain}, {"web": ["n"], "db": ["p"]})
    with advertising(host):
        host.apply(text)
        numbered(host)
        numbered(host, ns="db")
        assert {"172.16.86.2/24", "fd00:86::2/64"} <= host.addresses("web", "eth0")
        same((defaults(host), defaults(host, "db")), ({("eth0", "77")}, {("eth0", "ra")}), "default routes")
        host.unchanged(text)


@test("accept_ra: the attachment with the default route is the first, or that of gw_priority")
def two(host):
    second_lan(host)
    host.netns("web")
    networks = {"n": NET, "m": {**NET, "parent": "eth1"}}
    text = document(networks, {"web": {"n": {}, "m": {}}})
    other = document(networks, {"web": {"n": {}, "m": {"gw_priority": 1}}})
    fixed = document({"n": NET, "m": lan(parent="eth1", subnet="fd00:87::/64", gateway="fd00:87::1")},
                     {"web": {"n": {}, "m": {"gw_priority": 1}}})
    with advertising(host), advertising(host, link="up1", prefix="2001:db8:87::"):
        host.apply(text)
        numbered(host)
        numbered(host, "2001:db8:87:", link="eth1")
        same(host.until(lambda: defaults(host), "a default route"), {("eth0", "ra")}, "default routes")
        host.unchanged(text)
        host.apply(other)
        numbered(host, "2001:db8:87:", link="eth1")
        same(host.until(lambda: defaults(host), "a default route", 15), {("eth1", "ra")}, "of the other")
        host.unchanged(other)
        host.apply(text)
        numbered(host)
        host.until(lambda: defaults(host) == {("eth0", "ra")}, "back", 15)
        host.apply(fixed)
        same(defaults(host), {("eth1", "77")}, "of the file")
        host.unchanged(fixed)


@test("accept_ra: without it again, nothing of the advertisements is left; and the other way round")
def changed(host):
    host.netns("web")
    fixed = document({"n": lan(subnet="fd00:86::/64", gateway="fd00:86::1")}, {"web": ["n"]})
    with advertising(host):
        host.apply(TEXT)
        numbered(host)
        host.apply(fixed)
        same((host.addresses("web", "eth0"), advertised(host), defaults(host)),
             ({"fd00:86::2/64"}, set(), {("eth0", "77")}), "addresses and default routes")
        same(host.sysctl("web", "net/ipv6/conf/eth0/accept_ra"), "0", "the setting")
        host.unchanged(fixed)
        host.apply(TEXT)
        numbered(host)
        same(host.addresses("web", "eth0") - advertised(host), set(), "other addresses")
        host.unchanged(TEXT)


@test("accept_ra: for single attachments, with settings of the file")
def combined(host):
    host.netns("web", "db")
    key = "net.ipv6.conf.IFNAME.accept_ra_defrtr"
    text = document({"n": lan(dhcp=True, subnet=None, gateway=None)},
                    {"web": {"n": {"accept_ra": True, "dhcp": False, "addresses": []}},
                     "db": {"n": {"accept_ra": True, "dhcp": False, "sysctls": {key: "0"}}}})
    with advertising(host):
        host.apply(text)
        numbered(host)
        numbered(host, ns="db")
        same((defaults(host), defaults(host, "db")), ({("eth0", "ra")}, set()), "default routes")
        host.unchanged(text)
        exported = host.mvapply("export").out
        same(host.diff(exported, code=0).plan, [], f"a diff against {exported}")


@test("accept_ra: an export has the sysctl for the default route where the file sets another than the plan")
def exported_defaults(host):
    second_lan(host)
    host.netns("web")
    key = "net.ipv6.conf.IFNAME.accept_ra_defrtr"
    networks = {"n": NET, "m": {**NET, "parent": "eth1"}}
    with advertising(host), advertising(host, link="up1", prefix="2001:db8:87::"):
        for n, m in (({}, {"gw_priority": 1}), ({}, {"sysctls": {key: "1"}}), ({"sysctls": {key: "0"}}, {})):
            host.apply(document(networks, {"web": {"n": n, "m": m}}))
            numbered(host)
            numbered(host, "2001:db8:87:", link="eth1")
            exported = host.mvapply("export").out
            same(host.diff(exported, code=0).plan, [], f"a diff of {n}, {m} against {exported}")
        host.apply(document({"n": {**NET, "internal": True}}, {"web": ["n"]}), "--max-delete=2")
        numbered(host)
        exported = host.mvapply("export").out
        same(host.diff(exported, code=0).plan, [], f"a diff of an internal network against {exported}")


@test("accept_ra: without advertisements, its sysctls change in place, and are exported as sysctls")
def sysctls_alone(host):
    host.netns("web")
    plain = document({"n": lan()}, {"web": ["n"]})
    host.apply(plain)
    index = host.link("web", "eth0")["ifindex"]
    host.set_sysctl("web", "net/ipv6/conf/eth0/accept_ra", 2)
    host.apply(plain)
    same(host.sysctl("web", "net/ipv6/conf/eth0/accept_ra"), "0", "the drift")
    dual = lan(subnet=None, gateway=None, subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                                                   {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
    for network, key, value in ((lan(), "accept_ra_defrtr", "0"), (lan(), "accept_ra", "2"), (dual, "accept_ra", "2"),
                                (dual, "accept_ra", "1")):
        setting = {f"net.ipv6.conf.IFNAME.{key}": value}
        given = document({"n": network}, {"web": {"n": {"sysctls": setting}}})
        host.apply(given)
        same(host.link("web", "eth0")["ifindex"], index, f"the link, {setting}")
        host.unchanged(given)
        exported = host.mvapply("export").out
        same(host.diff(exported, code=0).plan, [], f"a diff against {exported}")
        host.set_sysctl("web", "net/ipv6/conf/eth0/accept_ra_defrtr", 1)


@test("accept_ra: the service keeps the addresses, and the settings", seconds=60)
def service(host):
    host.netns("web")
    with advertising(host), watching(host, "-f", host.write(TEXT)) as running:
        address, = numbered(host)
        running.settle()
        host.set_sysctl("web", "net/ipv6/conf/eth0/accept_ra", 1)
        running.until(lambda: host.sysctl("web", "net/ipv6/conf/eth0/accept_ra") == "2", "restored", 20)
        same(numbered(host), {address}, "the address")
        host.remove_netns("web")
        host.netns("web")
        running.until(lambda: "eth0" in host.names("web"), "the link after a restart", 20)
        same(numbered(host), {address}, "the address after a restart")


@test("accept_ra: a warning where policy_routing does not cover the advertised addresses")
def policy(host):
    second_lan(host)
    host.netns("web")
    networks = {"n": NET, "m": {**NET, "parent": "eth1"}}

    def warned(attachments, of=networks, **keys):
        text = document(of, {"web": {"networks": attachments, **keys}})
        return [line.partition("advertises to ")[2].partition(":")[0] for line in host.diff(text).err.splitlines() if "[MV1207]" in line]
    same((warned({"n": {}, "m": {}}, policy_routing=True), warned({"n": {}, "m": {"gw_priority": 1}}, policy_routing=True)),
         (["web/m"], ["web/n"]), "of two networks")
    internal = {**networks, "m": {**networks["m"], "internal": True}}
    same((warned({"n": {}, "m": {}}), warned({"n": {}}, policy_routing=True),
          warned({"n": {}, "m": {}}, internal, policy_routing=True)), ([], [], []), "elsewhere")
