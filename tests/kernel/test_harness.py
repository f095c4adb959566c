"""The test harness itself, with state that `ip` created."""
import packets
from host import same
from registry import test


@test("harness: a host and its LAN ping each other", both=True)
def host_and_lan(host):
    host.ip("host", "address add 172.16.86.9/24 dev eth0")
    assert packets.ping("172.16.86.1"), "no answer from the LAN"
    same(host.names("host"), {"eth0"}, "links of a new host")
    same(host.names("lan"), {"up0"}, "links of the LAN")
    same(host.routes("host"), {"172.16.86.0/24 dev eth0 scope link src 172.16.86.9"}, "routes")


@test("harness: a change is detected by events and by reading", both=True)
def change_is_heard(host):
    host.netns("web")
    before = host.snapshot()
    host.silently("looking", host.snapshot)
    same(host.snapshot(), before, "looking")
    try:
        host.silently("ip", lambda: host.batch("web", ["link set lo mtu 1000",
                                                       "link set lo mtu 1001"]))
    except AssertionError as error:
        assert "web: new link" in str(error), error
    else:
        raise AssertionError("a changed MTU was not heard")
    assert host.snapshot() != before, "a changed MTU was not seen"


@test("harness: a tagged frame is seen with its tag", needs=["vlan"])
def tagged_frame(host):
    host.batch("host", ["link add link eth0 name eth0.7 type vlan id 7", "link set eth0.7 up",
                        "address add 172.16.87.9/24 dev eth0.7"])
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0")
    packets.ping("172.16.87.1", 0.2)
    frame = sniffer.wait(lambda frame: frame.protocol == 0x0806)
    same(frame and frame.vlan, (0x8100, 7), "the tag")
