"""`resolv_conf`: the name servers and domains of a lease in a file on the host, from a real server."""
import os
import stat

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from service import watching
from test_dhcp import grow_old, lease_of
from test_dhcp_client import LEASE, client

FILE = "/run/mvapply/web.resolv.conf"
HEADER = "# mvapply:attach:default/n/web: by DHCP, do not edit\n"
OPTIONS = ["--dhcp-option=6,172.16.86.2,172.16.86.3", "--dhcp-option=15,lan.example"]
CONTENT = HEADER + "nameserver 172.16.86.2\nnameserver 172.16.86.3\nsearch lan.example\n"


def text(path=FILE, **keys):
    return document({"n": lan(dhcp=True, subnet=None, gateway=None)},
                    {"web": {"n": {**({"resolv_conf": path} if path else {}), **keys}}})


def content(path=FILE):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return None


@test("resolv_conf: name servers and domain, changed with a renewal, and removed with the lease")
def first(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    with serving(host, options=OPTIONS) as server:
        host.apply(text(), before=lambda: os.umask(0o077))
        same((content(), stat.S_IMODE(os.stat(FILE).st_mode)), (CONTENT, 0o644), "the file")
        same(os.listdir("/run/mvapply").count("web.resolv.conf"), 1, "files")
        asked = server.count("DHCPREQUEST")
        host.unchanged(text())
        same(server.count("DHCPREQUEST"), asked, "what a second apply asks")
        # Nobody remembers its content but the server.
        os.unlink(FILE)
        same(host.diff(text()).plan, [f"~ attach web/n dhcp {lease_of(host)['local']}/24 -> renewed"],
             "the plan without the file")
        host.apply(text())
        same(content(), CONTENT, "written again")
        same(host.mvapply("export").out.count(f"resolv_conf: {FILE}"), 1, "in an export")
    with serving(host, options=["--dhcp-option=6,172.16.86.9",
                                "--dhcp-option=option:domain-search,a.example,b.example"]):
        grow_old(host)
        host.apply(text())
        same(content(), HEADER + "nameserver 172.16.86.9\nsearch a.example b.example\n", "after a renewal")
        other = "/run/mvapply/other.conf"
        host.apply(text(other))
        same((content(), content(other) is not None), (None, True), "at another path")
        host.unchanged(text(other))
        host.apply(text(None))
        same(content(other), None, "without the key")
        host.unchanged(text(None))
        for end in (document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20"}}}),
                    document({"n": lan()}, {})):
            host.apply(text())
            assert content(), "the file is there"
            host.apply(end)
            same(content(), None, "without the lease or the attachment")
        host.apply(text())
        host.delete(text())
        same(content(), None, "after delete")


@test("resolv_conf: a hostile server, whose text is no address and no domain name")
def hostile(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    for words, expected in (
            ("dns=127.0.0.1,224.0.0.1,0.0.0.0,172.16.86.5,x", "nameserver 172.16.86.5\n"),
            ("search=a..b,-a.example,a_b.example.,x/y,a\\b.example", "search a_b.example\n"),
            ("domain=" + "a" * 64 + ".example", ""),
            ("search=" + ",".join(f"d{number}.example" for number in range(100)),
             "search " + " ".join(f"d{number}.example" for number in range(6)) + "\n"),
            ("dns=" + ",".join(f"172.16.86.{number}" for number in range(2, 60)),
             "".join(f"nameserver 172.16.86.{number}\n" for number in range(2, 5)))):
        host.apply(text(), env=client(host, f"{LEASE} '{words}'"))
        same(content(), HEADER + expected, words)
        os.unlink(FILE)


@test("resolv_conf: no link is followed, and no file of another program is replaced")
def links(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    os.makedirs("/run/open")
    os.chmod("/run/open", 0o777)
    os.symlink("/run/mvapply", "/run/linked")
    with open("/run/mvapply/theirs", "w", encoding="ascii") as file:
        file.write("nameserver 192.0.2.1\n")
    os.symlink("/run/mvapply/theirs", "/run/mvapply/link")
    os.mkfifo("/run/mvapply/fifo")
    with serving(host, options=OPTIONS):
        for path, reason in (("/run/mvapply/theirs", "is not the file of this lease"),
                             ("/run/mvapply/link", "is not the file of this lease"),
                             ("/run/mvapply/fifo", "is not the file of this lease"),
                             ("/run/open/file", "Operation not permitted"),
                             ("/run/linked/file", "Not a directory"),
                             ("/run/absent/file", "No such file or directory")):
            done = host.apply(text(path), code=1)
            assert reason in done.err and "[MV0925]" in done.err, done
            assert lease_of(host)["dynamic"], "the lease is used"
            host.delete(text(path))
        same(content("/run/mvapply/theirs"), "nameserver 192.0.2.1\n", "their file")
        # The container changes its link's owner tag: the file of another attachment stays.
        host.apply(text())
        host.ip("web", "link set eth0 alias mvapply:attach:default/n/web=/run/mvapply/theirs")
        host.apply(text(None))
        same(content("/run/mvapply/theirs"), "nameserver 192.0.2.1\n", "their file")


@test("resolv_conf: the service writes it again", seconds=60)
def service(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    with serving(host, options=OPTIONS), watching(host, "-f", host.write(text()), converged=False) as running:
        running.until(lambda: content() == CONTENT, "the file", 20)
        running.settle()
        os.unlink(FILE)
        host.ip("web", "route delete default")
        running.until(lambda: content() == CONTENT, "written again", 20)
        host.write(document({"n": lan()}, {}))
        running.until(lambda: content() is None, "removed", 20)


@test("resolv_conf: the service writes it again with the repair of another container", seconds=60)
def other_repair(host):
    host.netns("web", "db")
    os.makedirs("/run/mvapply", exist_ok=True)
    declared = document({"n": lan(dhcp=True, subnet=None, gateway=None), "m": lan(subnet="10.8.0.0/24", gateway="10.8.0.1")},
                        {"web": {"n": {"resolv_conf": FILE}}, "db": {"m": {"ipv4_address": "10.8.0.9"}}})
    with serving(host, options=OPTIONS), watching(host, "-f", host.write(declared), converged=False) as running:
        running.until(lambda: content() == CONTENT, "the file", 20)
        running.settle()
        os.unlink(FILE)
        host.ip("db", "route delete default")
        running.until(lambda: content() == CONTENT, "written again", 20)


@test("resolv_conf: two attachments of one network, each with its file, which is removed with it")
def two(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    other = "/run/mvapply/other.conf"
    both = {"n": {"resolv_conf": FILE}, "second": {"network": "n", "resolv_conf": other}}
    networks = {"n": lan(dhcp=True, subnet=None, gateway=None)}
    with serving(host, options=OPTIONS):
        host.apply(document(networks, {"web": both}))
        same((content(), content(other)), (CONTENT, CONTENT.replace("n/web", "n/web/second")), "the files")
        host.unchanged(document(networks, {"web": both}))
        same(host.mvapply("export").out.count("resolv_conf: /run/mvapply/"), 2, "in an export")
        host.apply(document(networks, {"web": {"n": both["n"]}}))
        same((content(), content(other)), (CONTENT, None), "without the second")
        host.delete(document(networks, {"web": both}))
        same(content(), None, "after delete")
