"""A link whose message is longer than most datagrams: its namespace is read like others."""
from declare import document, lan
from host import same
from intruder import BOTH, intruder
from registry import test
from service import watching

# As many altnames as one link can have: 60 KiB. A datagram of a dump mostly has at most 32 KiB.
ALTNAMES = [f"link property add dev long altname {number:0127}" for number in range(450)]


def long_link(run):
    run("link add long type veth peer name short", *ALTNAMES)


def declared(evil):
    return document({"n": lan()}, {"evil": {**evil.source, "networks": ["n"]}, "web": ["n"]})


@test("long link: in a container, which is attached, repaired and deleted like others", both=True)
def in_container(host):
    host.netns("web")
    for kind in BOTH:
        with intruder(host, kind) as evil:
            text = declared(evil)
            long_link(evil.batch)
            host.apply(text)
            host.unread("evil")
            same(host.names("evil") & {"eth0", "long"}, {"eth0", "long"}, "attached")
            evil.batch("link set eth0 mtu 1400")
            host.apply(text)
            same(host.link("evil", "eth0")["mtu"], 1500, "healed")
            status = host.mvapply("status", "-f", "network.yaml")
            assert "cannot read" not in status.err, status
            host.delete(text)
            same(host.names("evil") & {"eth0", "long"}, {"long"}, "deleted")
        if kind == "root":
            host.remove_netns("evil")


@test("long link: in the host's namespace")
def on_host(host):
    host.netns("web")
    long_link(lambda *commands: host.batch("host", commands))
    text = document({"n": lan(host=True)}, {"web": ["n"]})
    host.apply(text)
    host.unchanged(text)
    host.delete(text)
    same(host.names("web") & {"eth0"}, set(), "deleted")


@test("long link: its truncated messages are not lost events")
def events(host):
    host.netns("web")
    with intruder(host, "user") as evil:
        text = declared(evil)
        long_link(evil.batch)
        with watching(host, "-f", host.write(text)) as service:
            host.until(lambda: host.routes("web") and host.routes("evil"), "attached", 20)
            for _ in range(5):
                evil.batch("link set long up", "link set long down")
            host.ip("web", "link del eth0")
            host.until(lambda: host.routes("web"), "attached again", 20)
            lost = [line for line in service.log() if "lost" in line]
            same(lost, [], "events that were lost")
