"""`incus:` with the real Incus (incus.py)."""
import contextlib

from declare import document, lan
from host import same
from incus import PRESENT, running
from registry import test
from service import restarts, watching

ADDRESS, SECOND = "172.16.86.20/24", "172.16.86.21/24"
MAC, NIC = "02:42:ac:10:56:14", "02:00:00:00:86:99"  # of ADDRESS, and of Incus's own link


def text(**sources):
    return document({"n": lan()}, {key: {"incus": source, "networks": {"n": {"ipv4_address": address.split("/")[0]}}}
                                   for (key, source), address in zip(sources.items(), (ADDRESS, SECOND))})


def plain(host):
    with running(host) as incus:
        web, shop = incus.make(), incus.make("web", "shop")
        both = text(web="web", shop="shop/web")
        host.apply(both)
        same((web.has(ADDRESS), shop.has(SECOND)), (True, True), "the containers of both projects")
        host.unchanged(both)
        exported = host.mvapply("export").out
        assert "incus: web" in exported and "incus: shop/web" in exported, exported
        host.delete(both)
        with web.netns() as box:
            same(host.names(box), set(), "its links after delete")
        web.call("stop")
        stopped = host.diff(text(web="web"), code=0)
        same(stopped.plan, ['pending web/n Incus container "web" is not running'], "stopped")
        assert "incus start web" in stopped.out, stopped


def as_commands(host):
    with running(host) as incus:
        web, shop = incus.make(), incus.make("web", "shop")
        both = text(web="web", shop="shop/web")
        host.run("sh", "-e", stdin=host.diff(both, "-o", "ip").out.encode(), code=0)
        same((web.has(ADDRESS), shop.has(SECOND)), (True, True), "both")
        host.unchanged(both)


def started_and_stopped(host):
    with running(host) as incus:
        web = incus.make(start=False)

        @contextlib.contextmanager
        def run():
            web.call("start")
            yield
            web.call("stop", "--force")
        restarts(host, text(web="web"), run, lambda: web.has(ADDRESS), 'Incus container "web" is not running')


def restarted(host):
    with running(host) as incus:
        web = incus.make()
        with watching(host, "-f", host.write(text(web="web"))) as service:
            service.until(lambda: web.has(ADDRESS), "attached", 20)
            for words in (("restart",), ("restart", "--force"), ("exec", "--", "/bin/busybox", "reboot", "-f")):
                before = web.pid
                web.call(*words)
                service.until(lambda before=before: web.pid not in (0, before), f"{words}: another process", 20)
                service.until(lambda: web.has(ADDRESS), f"attached after {words}", 20)
        host.unchanged(text(web="web"))


def daemon_away(host):
    """The container's monitor answers without the daemon."""
    with running(host) as incus:
        web = incus.make()
        box = f"/proc/{web.pid}/ns/net"
        incus.kill()
        host.apply(text(web="web"))
        host.hold("box", box)
        same(host.addresses("box", "eth0"), {ADDRESS}, "addresses")
        host.unchanged(text(web="web"))
        host.leave("box")
        incus.begin()
        same(web.has(ADDRESS), True, "after the daemon's start")
        host.unchanged(text(web="web"))


def beside_nic(host):
    """Incus's own link is made by each start, before ours."""
    def links():
        with web.netns() as box:
            return {name: (link["address"], host.addresses(box, name)) for name, link in host.links(box).items()}
    with running(host) as incus:
        web = incus.make(start=False)
        incus.call("config", "device", "add", "web", "eth0", "nic", "nictype=macvlan", "parent=eth0", "name=eth0", f"hwaddr={NIC}")
        web.call("start")
        with watching(host, "-f", host.write(text(web="web"))) as service:
            for _ in range(2):
                service.until(lambda: web.pid > 0 and len(links()) == 2, "both links", 20)
                same(links(), {"eth0": (NIC, set()), "lan0": (MAC, {ADDRESS})}, "links")
                web.call("restart", "--force")
            service.until(lambda: web.pid > 0 and len(links()) == 2, "both links", 20)
        host.unchanged(text(web="web"))
        host.delete(text(web="web"))
        same(links(), {"eth0": (NIC, set())}, "after delete")


def renamed(host):
    with running(host) as incus:
        web = incus.make()
        host.apply(text(web="web"))
        web.call("stop")
        web.call("rename", "db")
        incus.call("start", "db")
        other = host.diff(text(web="web"), code=0)
        same(other.plan, ['pending web/n Incus container "web" is not running'], "the old name")
        host.apply(text(db="db"))
        web.name = "db"
        same(web.has(ADDRESS), True, "the new name")


if PRESENT:
    test("incus, real: containers of two projects are attached, exported, detached", seconds=120)(plain)
    test("incus, real: the commands of `diff -o ip` attach them, too", seconds=120)(as_commands)
    test("incus, real: starts and stops under watch", seconds=120)(started_and_stopped)
    test("incus, real: restarts under watch, by Incus and by the container itself", seconds=180)(restarted)
    test("incus, real: without the daemon, and after its next start", seconds=120)(daemon_away)
    test("incus, real: in addition to a NIC of Incus's own, during restarts", seconds=120)(beside_nic)
    test("incus, real: a container that got another name", seconds=120)(renamed)
