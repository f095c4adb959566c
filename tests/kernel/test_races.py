"""Changes by others between two of mvapply's system calls, at each call in turn: objects that now belong to
others are kept, and a file that others can write by now is not trusted."""
import os
import threading

from declare import document, lan
from faults import before_request, killed, meanwhile, noted
from host import same
from registry import test

ONE = document({"n": lan()}, {"web": ["n"]})


def moments(host, calls, prepare, callback, *arguments, last=0):
    """Runs the command once for each of these calls except the last ones, and calls the function
    directly before it. Yields the call's number and the run."""
    prepare()
    total = killed(host, 0, calls, *arguments)
    assert total - last > 5, f"there are {total} calls of {calls}"
    for number in range(1, total + 1 - last):
        prepare()
        done, reached = meanwhile(host, number, calls, callback, *arguments)
        if reached:
            yield number, done


@test("meanwhile: a link that reuses the ifindex of a managed one is not deleted")
def number_taken(host):
    """Between the last observation and the deletion itself, which is the last message, there is no
    protection."""
    host.netns("web")

    def prepare():
        host.run("ip", "link", "del", "eth0", ns="web")
        host.apply(ONE)

    for what in ("alias mvapply:attach:default/n/web", "link add link eth0 {} type macvlan mode bridge"):
        def callback():
            index = host.link("web", "eth0")["ifindex"]
            host.ip("web", "link del eth0")
            if what.startswith("alias"):
                host.ip("web", f"link add eth0 index {index} type veth peer name peer0")
                host.ip("web", f"link set eth0 {what}")
            else:
                host.ip("host", f"link add link eth0 name x index {index} type macvlan mode bridge")
                host.ip("host", "link set x netns /run/netns/web name eth0")
            same(host.link("web", "eth0")["ifindex"], index, "the number")
        for number, done in moments(host, "sendto", prepare, callback, "delete", "-f", "network.yaml",
                                    last=1):
            assert done.code in (0, 1), done
            assert "eth0" in host.names("web"), f"before message {number}: {what}\n{done}"


@test("meanwhile: a link that is attached to a VLAN link keeps it", needs=["vlan"], seconds=240)
def vlan_used(host):
    """Until the VLAN link itself is compared, directly before its deletion. A namespace whose links are known already is
    read again, as the VLAN link has more links on it than are known."""
    host.netns("web", "first")
    host.ip("host", "link add link eth0 name known netns /run/netns/first type macvlan mode bridge")
    text = document({"n": lan(vlan=10)}, {"web": ["n"]})

    def prepare():
        host.run("ip", "link", "del", "theirs", ns="first")
        host.apply(text)

    def attach():
        host.ip("host", "link add link eth0.10 name theirs netns /run/netns/first type macvlan mode bridge")
        host.ip("first", "link set theirs up")
    prepare()
    total = len(noted(host, "request", lambda env: host.mvapply("delete", "-f", "network.yaml", env=env)))
    assert total > 10, total
    for number in range(1, total - 1):
        prepare()
        done = before_request(host, number, attach, "delete", "-f", "network.yaml")
        same(("theirs" in host.names("first"), "eth0.10" in host.names("host")), (True, True),
             f"what there is, before request {number}\n{done}")
        assert "eth0.10" in done.out + done.err and "used by theirs in" in done.out + done.err, done


@test("meanwhile: a route that is added before the managed one stays")
def route_before_ours(host):
    host.netns("web")
    host.batch("web", ["link add other type veth peer name peer0", "link set other up",
                       "link set peer0 up", "address add 192.168.5.2/24 dev other"])
    added = []

    def callback():
        added.append(host.run("ip", "route", "add", route, "via", "192.168.5.1", "dev", "other",
                              ns="web").code == 0)

    for route, before, after in (
            ("default", document({"n": lan(gateway=None)}, {}), ONE),
            ("10.0.0.0/8", ONE, document({"n": lan()}, {"web": {"n": {"routes": [
                {"to": "10.0.0.0/8", "via": "172.16.86.254"}]}}}))):
        def prepare():
            host.run("ip", "route", "del", route, "dev", "other", ns="web")
            host.apply(before)
            host.write(after)
        for number, done in moments(host, "sendto", prepare, callback, "apply", "-f", "network.yaml"):
            assert done.code in (0, 1, 4), done
            there = f"{route} via 192.168.5.1 dev other" in host.routes("web")
            same(there, added[-1], f"the other's route, before message {number}\n{done}")
    same(set(added), {True, False}, "whether it came before ours")


@test("meanwhile: a file that changes while it is read is not trusted")
def file_swapped(host):
    host.netns("web")
    good, evil = ONE, document({"n": lan(subnet="10.66.0.0/16", gateway=None)}, {"web": ["n"]})
    seen = set()

    def everybodys():
        os.chmod(host.write(evil, "evil"), 0o666)
        os.rename("evil", "network.yaml")

    def pipe():
        os.mkfifo("evil")
        writer = os.open("evil", os.O_RDWR)
        os.write(writer, evil.encode())
        os.rename("evil", "network.yaml")
        threading.Timer(0.3, os.close, [writer]).start()

    for callback in everybodys, pipe:
        for _, done in moments(host, "openat", lambda: host.write(good), callback, "diff", "-f",
                               "network.yaml"):
            assert done.code in (2, 3), done
            assert "10.66." not in done.out, f"it was believed\n{done}"
            seen.add(done.code)
            os.unlink("network.yaml")
    same(seen, {2, 3}, "exit codes")
