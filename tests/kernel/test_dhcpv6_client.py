"""A DHCPv6 client beside mvapply, as docs/how-to/ipv6.md describes it: dhclient, with the script of the examples, on a link with
`accept_ra`; the server is dnsmasq."""
import contextlib
import os
import subprocess

from declare import document, lan
from documents import TOP
from host import same
from registry import test
from service import watching
from test_accept_ra import advertising, defaults

NET = lan(accept_ra=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})
POOL = "2001:db8:86::100,2001:db8:86::1ff,64"
SCRIPT = os.path.join(TOP, "examples/dhcpv6/dhclient-script")


def words(*more):
    return ["dhclient", "-6", *more, "-D", "LL", "-cf", "/dev/null", "-lf", "/run/web.lease6", "-pf", "/run/web.pid6", "-sf", SCRIPT,
            "eth0"]


@contextlib.contextmanager
def client(host):
    with host.inside("web"), subprocess.Popen(words("-d"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                              stderr=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.kill()


def leased(host):
    return {f"{item['local']}/{item['prefixlen']}" for item in host.link("web", "eth0")["addr_info"]
            if item["local"].startswith("2001:db8:86::1")}


@test("dhcpv6: an address by another client, which mvapply does not change", seconds=90)
def beside(host):
    host.netns("web")
    with advertising(host, pool=POOL):
        done = host.apply(TEXT)
        assert "no router has advertised an address" in done.err, done
        same(defaults(host), {("eth0", "ra")}, "the default route, which the router advertises")
        with client(host):
            address, = host.until(lambda: leased(host), "a lease", 15)
            assert address.endswith("/128"), address
            host.until(lambda: not any(item.get("tentative") for item in host.link("web", "eth0")["addr_info"]), "no duplicate")
            host.run("ping", "-c", "1", "-W", "5", "2001:db8:86::1", ns="web", code=0)
            host.unchanged(TEXT)
            assert f"{address} (RA)" in host.mvapply("status", "-f", "network.yaml").out
            exported = host.mvapply("export").out
            assert "accept_ra: true" in exported and "2001" not in exported, exported
            same(host.diff(exported, code=0).plan, [], "a diff against the export")
            with watching(host, "-f", host.write(TEXT)) as running:
                host.ip("web", "link set eth0 mtu 1400")
                running.until(lambda: host.link("web", "eth0")["mtu"] == 1500, "restored", 20)
            same(leased(host), {address}, "the address beside the service")
            host.apply(document({"n": {**NET, "mtu": 1400}}, {"web": ["n"]}), "--confirm=1", code=5)
            same(leased(host), {address}, "the address after a rollback")
        host.run(*words("-r"), ns="web", code=0)
        same(leased(host), set(), "after the release")
        with client(host):
            same(host.until(lambda: leased(host), "the next lease", 15), {address}, "the same address again")
        host.delete(TEXT)
        same(host.names("web"), set(), "links")
