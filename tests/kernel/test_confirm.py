"""apply --confirm: without a confirmation, the previous state is restored."""
import contextlib
import glob
import os
import pty
import signal
import socket
import subprocess

from declare import VLAN, document, lan
from fake_daemon import daemon
from faults import LOG, STRIDE, WHOLE, hidden_link, killed, preload
from features import ADDRESS_PROTOCOL
from host import same
from registry import test

WEB_DB = document({"n": lan()}, {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}}})
WAITS = b"`mvapply confirm`"


@contextlib.contextmanager
def waiting(host, text, *flags, stdin=subprocess.DEVNULL, env=None, file="network.yaml"):
    """An apply that waits for its confirmation."""
    argv = [host.binary, "apply", "-f", host.write(text, file), "--confirm=600", *flags]
    with subprocess.Popen(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={**os.environ, **(env or {})}) as child:
        try:
            yield child, until_requested(child)
        finally:
            child.kill()
            host.run(host.binary, "confirm")


@contextlib.contextmanager
def confirming(host):
    """Confirms the next apply that waits."""
    loop = 'for i in $(seq 600); do "$0" confirm && break; sleep 0.1; done'
    with subprocess.Popen(["bash", "-c", loop, host.binary], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.terminate()


def until_requested(child):
    said = b""
    while WAITS not in said:
        line = child.stderr.readline()
        assert line, f"it does not ask, but says {said!r}"
        said += line
    return said


def ended(host, child, code):
    same(child.wait(timeout=20 * host.patience), code, "exit code")


def guard_of(child):
    """The guard process, which outlives the apply: the child that is not the DHCP broker."""
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="ascii") as file:
            comm, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            if rest.split()[1] == str(child.pid) and comm != "mvapply-dhcp":
                return int(name)
    raise AssertionError("no guardian")


def rolled_back(host, before):
    host.until(lambda: host.run(host.binary, "confirm").code == 1, "the guardian ends", 20)
    same(host.snapshot(final_state=True), before, "after it went back")


def goes_back_alone(host, before):
    """When no process waits for it any more. A request to the guard would confirm."""
    host.until(lambda: not host.names("web") and not host.names("db"), "it goes back", 20)
    same(host.snapshot(final_state=True), before, "after it went back")


# --- rollbacks

NET = lan(subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                   {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}], subnet=None, gateway=None)
BEFORE = document({"n": NET}, {
    "web": {"n": {"routes": [{"to": "10.9.0.0/16", "via": "172.16.86.9"}],
                  "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}},
    "db": {"n": {"ipv4_address": "172.16.86.20", "interface_name": "lan0"}}})


def only(**containers):
    return document({"n": NET}, containers)


EDITS = {
    "a created link": document({"n": NET}, {
        "web": {"n": {"routes": [{"to": "10.9.0.0/16", "via": "172.16.86.9"}],
                      "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}},
        "db": {"n": {"ipv4_address": "172.16.86.20", "interface_name": "lan0"}}, "ci": ["n"]}),
    "deleted links": only(ci=["n"]),
    "all changes in place": document({"n": {**NET, "mtu": 1400, "mode": "private",
                                                    "bcqueuelen": 50}}, {
        "web": {"n": {"ipv4_address": "172.16.86.77", "mac_address": "02:00:5e:00:00:77",
                      "interface_name": "other", "ipv6_address": "fd00:86::77",
                      "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "1"}}},
        "db": {"n": {"ipv4_address": "172.16.86.20", "interface_name": "lan0",
                     "routes": [{"to": "10.8.0.0/16", "via": "172.16.86.8"}]}}}),
    "swapped names and addresses": document({"n": NET}, {
        "web": {"n": {"ipv4_address": "172.16.86.20", "interface_name": "lan0"}},
        "db": {"n": {"ipv4_address": "172.16.86.2", "interface_name": "eth0"}}}),
    "replaced links": document({"n": {**NET, "parent": "eth1"}}, {
        "web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.21"}}}),
    "the host's own link": document({"n": {**NET, "host": True}}, {"web": ["n"], "db": ["n"]}),
}


# Addresses and routes that a plan cannot express: a second address in the managed one's subnet,
# whose order
# matters, labels, peers, other tables, metrics, next hops that are on the link or several.
THEIRS = [
    "address add 192.0.2.7/32 dev eth0", "address add 172.16.86.99/24 dev eth0",
    "address add 192.0.2.9/24 brd 192.0.2.200 label eth0:x dev eth0",
    "address add 192.0.2.11/24 dev eth0 noprefixroute",
    "address add 10.77.0.1 peer 10.77.0.2/32 dev eth0",
    "address add 10.77.0.1 peer 10.77.0.3/32 dev eth0",
    "address add fd00:99::1/64 dev eth0 nodad noprefixroute",
    "route add 198.51.100.0/24 via 172.16.86.3 proto static metric 7",
    "route add 198.51.101.0/24 via 172.16.86.3 mtu lock 1300 advmss 1200",
    "route add 198.51.102.0/24 via 172.16.86.3 table 100",
    "route add 198.51.103.0/24 tos 8 dev eth0 src 192.0.2.7",
    "route add 198.51.104.0/24 via 198.51.100.9 dev eth0 onlink",
    "route add 198.51.105.0/24 nexthop via 172.16.86.3 weight 2 nexthop via 172.16.86.5",
    "route add fd01::/64 via fd00:86::3 metric 99 mtu 1300",
    "route add fd02::/64 via fe80::3 dev eth0 table 100"]


def order_of(host):
    """IPv4 addresses in the order of the kernel's listing: the first of a subnet is the source
    address."""
    return [(item["local"], item["label"]) for item in host.link("web", "eth0")["addr_info"]
            if item["family"] == "inet"]


# Removed by the next apply where addresses have no protocol: all on a link count as managed there.
THEIR_ADDRESSES = {"192.0.2.7/32", "172.16.86.99/24", "192.0.2.9/24", "192.0.2.11/24", "10.77.0.1/32", "fd00:99::1/64"}


def nothing_left(host):
    """The old file is the live state, without the addresses of others."""
    if host.has(ADDRESS_PROTOCOL):
        same(host.diff(BEFORE, code=0).plan, [], "the old file is what is live")
        return
    plan, = host.diff(BEFORE).plan
    line, *removed = plan.split("- address ")
    same((line, {address.rstrip(", ") for address in removed}), ("~ attach web/n ", THEIR_ADDRESSES), "what is left")


def goes_back(text):
    def body(host):
        host.netns("web", "db", "ci")
        host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                            "link set up1 up"])
        host.apply(BEFORE)
        # Changes of others on managed links are part of the state to restore.
        host.batch("web", THEIRS)
        host.set_sysctl("web", "net/ipv4/conf/eth0/log_martians", 1)
        before, order = host.snapshot(final_state=True), order_of(host)
        done = host.apply(text, "--confirm=1", "--max-delete=2", code=5)
        assert "rolled back" in done.err and "the previous state is restored" in done.err, done
        same(host.snapshot(final_state=True), before, "after it went back")
        same(order_of(host), order, "the order of addresses")
        same([host.sysctl("web", f"net/ipv4/conf/eth0/{key}")
              for key in ("rp_filter", "log_martians")], ["2", "1"], "settings")
        nothing_left(host)
    return body


for what, edited in EDITS.items():
    test(f"confirm: rollback of {what}", features=[ADDRESS_PROTOCOL],
         both=what in ("deleted links", "all changes in place"))(goes_back(edited))


@test("confirm: a created VLAN is deleted, and a deleted one created again", needs=["vlan"])
def vlan(host):
    host.netns("web")
    empty = host.snapshot(final_state=True)
    host.apply(VLAN, "--confirm=1", code=5)
    same(host.snapshot(final_state=True), empty, "after the VLAN went again")
    host.apply(VLAN)
    before = host.snapshot(final_state=True)
    host.apply(document({"n": lan()}, {"web": ["n"]}), "--confirm=1", code=5)
    same(host.snapshot(final_state=True), before, "after the VLAN returned")


@test("confirm: the MAC address of a passthru link, which its parent shares, is the former one after the rollback")
def passthru(host):
    def file(mac, mode="passthru"):
        return document({"n": lan(mode=mode)}, {"web": {"n": {"mac_address": mac} if mac else {}}})
    host.netns("web")
    for old in ("02:00:00:00:86:20", None):
        host.apply(file(old))
        before = host.snapshot(final_state=True)
        for text in (file("02:00:00:00:86:21"), file(old, "private"), document({"n": lan()}, {})):
            host.apply(text, "--confirm=1", code=5)
            same(host.snapshot(final_state=True), before, f"after {text} went back")
        host.delete(file(old))


@test("confirm: an adopted link is unmanaged again, with its routes")
def adopted(host):
    host.netns("web")
    host.batch("web", ["link set lo up", "link add x0 type veth peer name x1", "link set x0 up",
                       "link set x1 up", "address add 10.0.0.2/24 dev x0",
                       "route add default via 10.0.0.1"])
    host.ip("host", "link add link eth0 name mine address 02:42:ac:10:56:02 netns web type "
                    "macvlan mode bridge")
    host.batch("web", ["link set mine name eth0", "address add 172.16.86.2/24 dev eth0"])
    host.ip("web", "link set eth0 up")
    before = host.snapshot(final_state=True)
    done = host.apply(document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}}),
                      "--adopt", "--confirm=1", code=5)
    assert "mark" in done.out, done
    same(host.snapshot(final_state=True), before, "after it went back")


@test("confirm: a link that was down is down after the rollback")
def was_down(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    host.ip("web", "link set eth0 down")
    before = host.snapshot("web")
    same(host.apply(WEB_DB, "--confirm=1", code=5).plan[0].split(" ", 3)[:3],
         ["~", "attach", "web/n"], "the plan")
    same(host.snapshot("web"), before, "after it went back")
    assert "UP" not in host.link("web", "eth0")["flags"], "it is up"


@test("confirm: a deleted link is created again on a parent that was created again meanwhile")
def parent_recreated(host):
    host.netns("web", "db")
    cable = ["link add eth1 type veth peer name up1", "link set eth1 up", "link set up1 up"]
    host.batch("host", cable)
    host.apply(document({"n": lan(parent="eth1")}, {"web": ["n"]}))
    before = host.link("web", "eth0")
    with waiting(host, document({"n": lan()}, {"db": ["n"]}), "--max-delete=1") as (child, _):
        host.batch("host", ["link del eth1", *cable])
        child.send_signal(signal.SIGINT)
        ended(host, child, 5)
    now, parent = host.link("web", "eth0"), host.link("host", "eth1")
    same([now[key] for key in ("ifindex", "address", "link_index")],
         [before["ifindex"], before["address"], parent["ifindex"]], "the link, and its parent")
    same(host.names("db"), set(), "db's links")


# --- confirmations

def on_terminal(host, text, *flags, typed=(), signals=()):
    """An apply with a terminal of its own, on which these lines are typed once it waits. Returns
    its exit code and its output."""
    path = host.write(text)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(host.binary, [host.binary, "apply", "-f", path, *flags])
    said = b""
    with contextlib.suppress(OSError):  # EIO: it has ended
        while WAITS not in said:
            said += os.read(terminal, 4096)
        for line in typed:
            os.write(terminal, line)
        for number in signals:
            os.kill(pid, number)
        while more := os.read(terminal, 4096):
            said += more
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


@test("confirm: ENTER on a terminal keeps it; other lines and the end of the input do not")
def enter(host):
    host.netns("web", "db")
    code, said = on_terminal(host, WEB_DB, "--confirm=600", typed=[b"\n"])
    same(code, 0, "exit code")
    assert b"press ENTER" in said and said.endswith(b"Confirmed.\r\n"), said
    host.unchanged(WEB_DB)
    host.delete(WEB_DB)
    for typed in ([b"no\n"], [b"\x04"], [b"x" * 255, b"y\n"], [b"no"]):
        code, said = on_terminal(host, WEB_DB, "--confirm=1", typed=typed)
        same((code, host.names("web")), (5, set()), f"after {typed}")
    code, said = on_terminal(host, WEB_DB, "--confirm=600", typed=[b"no\n", b"\n"])
    same(code, 0, "exit code, after another line")


@test("confirm: a terminal in whose background it waits is not read")
def background(host):
    host.netns("web", "db")
    path = host.write(WEB_DB)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-mc",
                           f"{host.binary} apply -f {path} --confirm=1 & read line; wait $!; "
                           'echo "code $? line $line."'])
    said = b""
    while b"mvapply confirm" not in said:
        said += os.read(terminal, 4096)
    os.write(terminal, b"\n")
    with contextlib.suppress(OSError):
        while more := os.read(terminal, 4096):
            said += more
    os.close(terminal)
    os.waitpid(pid, 0)
    assert b"code 5 line ." in said and b"press ENTER" not in said, said
    same(host.names("web"), set(), "links")


def closed_input():
    os.close(0)


@contextlib.contextmanager
def inputs(kind):
    """A standard input that is not a terminal, with lines in it; returns it, and a function that
    reads the rest."""
    lines = b"\n\nno\n\n"
    with contextlib.ExitStack() as stack:
        if kind == "file":
            with open("list", "wb") as file:
                file.write(lines)
            file = stack.enter_context(open("list", "rb", buffering=0))
            yield file, file.read
        elif kind == "socket":
            ours, theirs = (stack.enter_context(one) for one in socket.socketpair())
            ours.sendall(lines)
            ours.shutdown(socket.SHUT_WR)
            yield theirs, lambda: theirs.recv(4096)
        elif kind == "pipe":
            read, write = os.pipe()
            os.write(write, lines)
            os.close(write)
            yield stack.enter_context(os.fdopen(read, "rb", buffering=0)), lambda: os.read(read, 4096)
        elif kind == "FIFO":
            os.mkfifo("fifo")
            both = stack.enter_context(open("fifo", "r+b", buffering=0))
            os.write(both.fileno(), lines)
            yield both, lambda: os.read(both.fileno(), 4096)
        elif kind == "closed":
            yield None, lambda: lines
        else:
            yield subprocess.DEVNULL, lambda: lines


for kind in ("file", "pipe", "socket", "FIFO", "closed", "/dev/null"):
    def no_terminal(host, kind=kind):
        host.netns("web", "db")
        path = host.write(WEB_DB)
        with inputs(kind) as (stdin, left):
            done = subprocess.run([host.binary, "-f", path, "--confirm=1"], stdin=stdin, check=False,
                                  capture_output=True, timeout=20 * host.patience,
                                  preexec_fn=closed_input if stdin is None else None)
            same(done.returncode, 5, f"exit code: {done.stderr}")
            same(left(), b"\n\nno\n\n", "what is left of the input")
        assert b"`mvapply confirm`" in done.stderr and b"ENTER" not in done.stderr, done.stderr
        same(host.names("web"), set(), "links")

    test(f"confirm: standard input that is no terminal is not read ({kind})")(no_terminal)


@test("confirm: in a loop over a list or a script on standard input, it reads neither")
def in_a_loop(host):
    host.netns("web", "db")
    for name in ("web", "db"):
        host.write(document({"n": lan()}, {name: ["n"]}, name=name), f"{name}.yaml")
    host.write("web.yaml\n\ndb.yaml\n\n", "list")
    loop = (f'while read f; do [ -z "$f" ] || {{ {host.binary} apply -q -f "$f" --confirm=1; '
            'echo "$f $?"; }; done')
    done = host.run("bash", "-c", f"{loop} <list", code=0)
    same(done.lines, ["web.yaml 5", "db.yaml 5"], "a loop over a list")
    script = f"{host.binary} apply -q -f web.yaml --confirm=1\n\necho $?\n"
    same(host.run("bash", "-s", stdin=script.encode(), code=0).lines, ["5"], "a script")
    same((host.names("web"), host.names("db")), (set(), set()), "links")


@test("confirm: `mvapply confirm` keeps the changes, and names the set")
def by_command(host):
    host.netns("web", "db")
    host.mvapply("confirm", code=1)
    with waiting(host, document({"n": lan()}, {"web": ["n"]}, name="lab")) as (child, _):
        same(host.mvapply("confirm").lines, ["Confirmed: lab."], "what it says")
        ended(host, child, 0)
    same(host.names("web"), {"eth0"}, "links")
    with waiting(host, document({"n": lan()}, {"db": ["n"], "web": ["n"]}, name="lab")):
        same(host.mvapply("confirm", "-o", "json").json["confirmed"], "lab", "JSON")


@test("confirm: SIGUSR1 keeps it")
def by_signal(host):
    host.netns("web", "db")
    with waiting(host, WEB_DB) as (child, said):
        assert f"SIGUSR1 to {child.pid}".encode() in said, said
        child.send_signal(signal.SIGUSR1)
        ended(host, child, 0)
    same(host.names("web"), {"eth0"}, "links")


@test("confirm: no question if there is nothing to do")
def nothing(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    same(host.apply(WEB_DB, "--confirm").lines, ["Nothing to do."], "what it says")
    host.mvapply("apply", "--confirm", "--wait", "-f", "network.yaml", code=3)
    for wrong in ("0", "-1", "soon", ""):
        host.mvapply("apply", f"--confirm={wrong}", "-f", "network.yaml", code=3)


@test("confirm: failed steps are reported, and the others can stay")
def failures(host):
    host.netns("web", "db")
    host.apply(document({"n": lan()}, {"db": ["n"]}))
    with hidden_link(host, "02:42:ac:10:56:03"):
        text = document({"n": lan()}, {"db": ["n"], "web": {"n": {"mac_address": "02:42:ac:10:56:03"}}})
        with waiting(host, text) as (child, said):
            assert b"attach web/n: cannot bring eth0 up" in said and b"[MV0905]" in said, said
            host.mvapply("confirm")
            ended(host, child, 1)
    same(host.names("web"), set(), "web's links")
    same(host.names("db"), {"eth0"}, "db's links")


@test("confirm: a saved plan, and JSON")
def saved(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    host.diff(WEB_DB, "--out", "plan.json")
    done = host.mvapply("apply", "plan.json", "--confirm=1", "-o", "json", code=5).json
    same((done["confirmed"], done["exit_code"], len(done["steps"])), (False, 5, 2), "the report")
    same([one["code"] for one in done["errors"]], ["MV0912"], "what it says of the run")
    same(host.snapshot(final_state=True), before, "after it went back")
    with confirming(host):
        host.mvapply("apply", "plan.json", "--confirm=600")
    same(host.names("web"), {"eth0"}, "links")


@test("confirm: objects that cannot be restored are reported", both=True)
def in_part(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    with waiting(host, document({"n": lan()}, {"web": ["n"]})) as (child, _):
        host.batch("db", ["link add eth0 type veth peer name peer"])
        child.send_signal(signal.SIGINT)
        ended(host, child, 1)
        said = child.stderr.read().decode()
    assert "rolled back: cancelled; the rollback is incomplete [MV0913]\n" in said, said
    assert "eth0 in namespace db: File exists" in said, said
    same(host.link("db", "eth0")["linkinfo"]["info_kind"], "veth", "what was in the way")


def container_restart(host, name):
    host.remove_netns(name)
    host.netns(name)


ANEW = {
    "changed in place": only(web={"n": {"ipv4_address": "172.16.86.77", "interface_name": "other"}}),
    "deleted, in a container that the files do not name any more": only(ci=["n"]),
    "deleted, with the container that has another network": document(
        {"n": NET, "m": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")},
        {"web": ["m"], "db": ["m"]}),
    "replaced": document({"n": {**NET, "parent": "eth1"}}, {"web": ["n"], "db": ["n"]}),
}


@test("confirm: a container that was restarted meanwhile gets its former link in its new namespace", seconds=120)
def restarted(host):
    host.netns("web", "db", "ci")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up", "link set up1 up"])
    host.apply(BEFORE)
    before = host.snapshot(final_state=True)
    for how, text in ANEW.items():
        with waiting(host, text, "--max-delete=2") as (child, _):
            for name in ("web", "db", "ci"):
                container_restart(host, name)
            child.send_signal(signal.SIGINT)
            ended(host, child, 5)
            assert b"the previous state is restored" in child.stderr.read(), how
        same(host.snapshot(final_state=True), before, how)


@test("confirm: so has a container that was removed from the files, whose namespace has a blank in its name")
def restarted_blank(host):
    host.netns("my web", "db")
    host.apply(document({"n": NET}, {"web": {"netns": "my web", "networks": ["n"]}, "db": ["n"]}))
    before = host.snapshot(final_state=True)
    with waiting(host, only(db=["n"])) as (child, _):
        container_restart(host, "my web")
        child.send_signal(signal.SIGINT)
        ended(host, child, 5)
    same(host.snapshot(final_state=True), before, "all")


@test("confirm: a link that was created meanwhile in the new namespace becomes the former one")
def restarted_and_attached(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    alias = host.link("web", "eth0")["ifalias"]
    with waiting(host, document({"n": lan(mtu=1400)}, {"web": ["n"], "db": ["n"]})) as (child, _):
        container_restart(host, "web")
        host.ip("host", "link add x0 link eth0 type macvlan mode bridge")
        host.ip("host", "link set x0 netns web")
        host.ip("web", f"link set x0 alias {alias}")
        child.send_signal(signal.SIGINT)
        ended(host, child, 5)
    same(host.names("web"), {"eth0"}, "links")
    same(host.link("web", "eth0")["mtu"], 1500, "MTU")
    same(host.link("web", "eth0")["address"], "02:42:ac:10:56:02", "MAC")


@test("confirm: a stopped container whose link is not restored is named")
def away(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    with waiting(host, document({"n": lan()}, {"db": {"n": {"ipv4_address": "172.16.86.20"}}})) as (child, _):
        host.remove_netns("web")
        child.send_signal(signal.SIGINT)
        ended(host, child, 1)
        said = child.stderr.read().decode()
    assert "eth0 is not restored: its network namespace web no longer exists" in said and "[MV0913]" in said, said
    same(host.names("db"), {"eth0"}, "links")


@test("confirm: a conflict in a container's new namespace is named")
def restarted_in_the_way(host):
    host.netns("web", "db")
    host.apply(WEB_DB)
    with waiting(host, document({"n": lan(mtu=1400)}, {"web": ["n"], "db": ["n"]})) as (child, _):
        container_restart(host, "web")
        host.ip("web", "link add eth0 type veth peer name other")
        child.send_signal(signal.SIGINT)
        ended(host, child, 1)
        said = child.stderr.read().decode()
    assert "eth0" in said and "web" in said and "[MV0913]" in said, said
    same(host.link("web", "eth0")["linkinfo"]["info_kind"], "veth", "what was in the way")
    same(host.link("db", "eth0")["mtu"], 1500, "the other container's MTU")


@contextlib.contextmanager
def renewing():
    """A process in a namespace of its own, which gets another one for a line of input."""
    argv = ["unshare", "-n", "sh", "-c", "read line; exec unshare -n sleep 1000"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def space_of(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


@test("confirm: a process that has moved to a new namespace gets its former link there")
def process_renewed(host):
    with renewing() as process:
        mine, pid = os.readlink("/proc/self/ns/net"), process.pid
        host.until(lambda: space_of(pid) != mine, "unshare")
        first = space_of(pid)
        host.apply(document({"n": lan()}, {"web": {"pid": pid, "networks": ["n"]}}))
        with waiting(host, document({"n": lan(mtu=1400)}, {"web": {"pid": pid, "networks": ["n"]}})) as (child, _):
            process.stdin.write(b"\n")
            process.stdin.flush()
            host.until(lambda: space_of(pid) not in (mine, first), "another namespace")
            child.send_signal(signal.SIGINT)
            ended(host, child, 5)
        host.hold("renewed", f"/proc/{pid}/ns/net")
        same(host.link("renewed", "eth0")["mtu"], 1500, "MTU")


@test("confirm: an ended process whose link is not restored is named")
def process_ended(host):
    with host.process() as pid:
        host.apply(document({"n": lan()}, {"web": {"pid": pid, "networks": ["n"]}}))
        with waiting(host, document({"n": lan(mtu=1400)}, {"web": {"pid": pid, "networks": ["n"]}})) as (child, _):
            os.kill(pid, signal.SIGKILL)
            host.until(lambda: not os.path.exists(f"/proc/{pid}/ns/net") or not os.path.lexists(f"/proc/{pid}/exe")
                       or open(f"/proc/{pid}/stat", encoding="ascii").read().split()[2] == "Z", "it ends")
            child.send_signal(signal.SIGINT)
            ended(host, child, 1)
            said = child.stderr.read().decode()
        assert "is not restored: its network namespace" in said, said


def docker(mtu):
    return document({"n": lan(mtu=mtu)}, {"app": {"docker": "app", "networks": ["n"]}, "db": ["n"]})


@test("confirm: an engine's container that was restarted meanwhile gets its former link in its new namespace")
def container_restarted(host):
    for running in (True, False):
        host.netns("web", "db", "new")
        with daemon() as engine, host.process("web") as first:
            engine.containers["app"] = first
            host.apply(docker(1450), env=engine.env)
            mac = host.link("web", "eth0")["address"]
            with waiting(host, docker(1400), env=engine.env) as (child, _), host.process("new") as second:
                os.kill(first, signal.SIGKILL)
                os.waitpid(first, 0)
                host.remove_netns("web")
                engine.containers["app"] = second if running else 0
                child.send_signal(signal.SIGINT)
                ended(host, child, 5 if running else 1)
                said = child.stderr.read().decode()
            same(host.link("db", "eth0")["mtu"], 1450, "MTU of the other")
            if running:
                same(host.link("new", "eth0")["mtu"], 1450, "MTU")
                same(host.link("new", "eth0")["address"], mac, "MAC")
            else:
                same(host.names("new"), set(), "links")
                assert "eth0 is not restored: its network namespace docker app no longer exists" in said, said
            host.delete(docker(1450), env=engine.env)
        host.remove_netns("new")
        host.remove_netns("db")


@test("confirm: a silent engine prevents the rollback of its restarted container alone")
def engine_slow(host):
    host.netns("web", "db", "new")
    with daemon() as engine, host.process("web") as first:
        engine.containers["app"] = first
        host.apply(docker(1450), env=engine.env)
        with waiting(host, docker(1400), env=engine.env) as (child, _), host.process("new") as second:
            os.kill(first, signal.SIGKILL)
            os.waitpid(first, 0)
            host.remove_netns("web")
            engine.containers["app"] = second
            engine.hold("all")
            asked = engine.count("app")
            child.send_signal(signal.SIGINT)
            host.until(lambda: engine.count("app") > asked, "the engine is asked", 20)
            same(host.link("db", "eth0")["mtu"], 1450, "MTU of the other, before the engine answers")
            same(child.poll(), None, "exit code")
            engine.release()
            ended(host, child, 5)
        same(host.link("new", "eth0")["mtu"], 1450, "MTU")


def under_faults(host, *rules):
    """An apply that is cancelled once it waits; all under these faults."""
    argv = [host.binary, "apply", "-f", "network.yaml", "--confirm=600", "--max-delete=2"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **preload(host, *rules, log=LOG)}) as child:
        said = ""
        for line in child.stderr:
            said += line
            if WAITS.decode() in line:
                child.send_signal(signal.SIGINT)
        return child.wait(timeout=30 * host.patience), said


@test("confirm: any single failure is rolled back")
def broken(host):
    """Both processes count for themselves, so that each fault occurs in the apply and in the
    rollback."""
    host.netns("web", "db", "ci")
    host.apply(BEFORE)
    host.write(document({"n": NET}, {"web": {"n": {"ipv4_address": "172.16.86.77"}}, "ci": ["n"]}))
    before = host.snapshot(final_state=True)
    same(under_faults(host)[0], 5, "exit code without a fault")
    with open(LOG, encoding="ascii") as file:
        counts = {kind: int(number) for kind, number, _ in map(str.split, file)}
    codes = set()
    for kind, rule in (("request", "refuse@{}=16"), ("dump", "interrupt@{}"), ("answer", "lost@{}"),
                       ("answer", "cut@{}=20")):
        assert counts[kind] > 10, counts
        for number in range(1, counts[kind] + 1, 1 if WHOLE else 2 * STRIDE):
            fault = rule.format(number)
            code, said = under_faults(host, fault)
            codes.add(code)
            assert code in (1, 5) and "incomplete" not in said, f"{fault}: {code}\n{said}"
            same(host.snapshot(final_state=True), before, f"after {fault}\n{said}")
    assert 5 in codes, codes


# --- processes that end

@test("confirm: killed during its changes, it rolls back at once", both=True)
def killed_within(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    with hidden_link(host, "02:42:ac:10:56:02"):
        argv = [host.binary, "apply", "-f", host.write(WEB_DB), "--confirm=600"]
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE) as child:
            # Web's attachment is retried again and again, for two seconds.
            host.until(lambda: host.has_link("db", "eth0"), "db's link is made", 20)
            child.kill()
            assert WAITS not in child.stderr.read(), "it was not in the middle of it"
        rolled_back(host, before)


def guarded(host):
    """Whether a thread of mvapply is left: one that ends in the kernel still has the sockets when
    the program and its first thread have ended."""
    for path in glob.glob("/proc/[0-9]*/task/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            command, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            if command == os.path.basename(host.binary) and rest.split()[0] not in "ZX":
                return True
    return False


@test("confirm: killed before each system call, it rolls back, at the latest after the timeout")
def killed_anywhere(host):
    host.netns("web", "db", "ci")
    host.apply(BEFORE)
    host.write(document({"n": NET}, {"web": {"n": {"ipv4_address": "172.16.86.77"}}, "ci": ["n"]}))
    before = host.snapshot(final_state=True)
    for number in range(1, 1000, STRIDE):
        if not killed(host, number, "sendto,sendmsg,write", "apply", "-f", "network.yaml",
                      "--confirm=1"):
            break
        host.until(lambda: not guarded(host), "the guardian ends", 20)
        same(host.snapshot(final_state=True), before, f"after a kill before call {number}")
    assert number > 30, f"killed {number - 1} times"


@test("confirm: killed while it waits, it can still be confirmed, or cancelled")
def killed_waiting(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    with waiting(host, WEB_DB) as (child, _):
        guardian = guard_of(child)
        child.kill()
        child.wait()
        same(host.names("web"), {"eth0"}, "links, once it is killed")
        os.kill(guardian, signal.SIGTERM)
        rolled_back(host, before)
    with waiting(host, WEB_DB) as (child, _):
        child.kill()
        child.wait()
        host.mvapply("confirm")
    same(host.names("web"), {"eth0"}, "links, once it is confirmed")
    host.mvapply("confirm", code=1)


@test("confirm: killed while it waits, it rolls back after the timeout")
def killed_time(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    argv = [host.binary, "apply", "-f", host.write(WEB_DB), "--confirm=2"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as child:
        until_requested(child)
        child.kill()
    goes_back_alone(host, before)


@test("confirm: a hangup of the terminal is rolled back")
def hangup(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    path = host.write(WEB_DB)
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup(1) ignores it, and children inherit that
        os.execv(host.binary, [host.binary, "apply", "-f", path, "--confirm=3"])
    said = b""
    while WAITS not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    status = os.waitpid(pid, 0)[1]
    same(os.WTERMSIG(status), signal.SIGHUP, "what ended it")
    same(host.names("web"), {"eth0"}, "links, after the hangup")
    goes_back_alone(host, before)


@test("confirm: a kill of the whole process group is rolled back")
def group_killed(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    # The guard is slow to create a session of its own.
    argv = ["strace", "-f", "-o", "/dev/null", "-e", "trace=setsid", "-e",
            "inject=setsid:delay_enter=500000", host.binary, "apply", "-f", host.write(WEB_DB),
            "--confirm=1"]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, start_new_session=True,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}) as child:
        until_requested(child)
        os.killpg(child.pid, signal.SIGKILL)
    goes_back_alone(host, before)


@test("confirm: Ctrl-Z during the changes waits for their end, and the changes are rolled back")
def suspended(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    command = f"{host.binary} apply -f {host.write(WEB_DB)} --confirm=1"
    with hidden_link(host, "02:42:ac:10:56:02"):
        # A shell's job: without a shell that could continue it, it is not stopped.
        with subprocess.Popen(["bash", "-mc", f"{command} & echo $!; wait; kill -CONT $!; wait"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as shell:
            job = int(shell.stdout.readline())
            host.until(lambda: "eth0" in host.names("web"), "web's link is made", 20)
            os.kill(job, signal.SIGTSTP)
            host.until(lambda: not host.names("db") and not host.names("web"), "it goes back", 20)
            os.kill(job, signal.SIGCONT)
            shell.wait(20 * host.patience)
        rolled_back(host, before)


@test("confirm: after a kill of the guard process, the apply itself rolls back")
def guard_killed(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    with waiting(host, WEB_DB) as (child, _):
        os.kill(guard_of(child), signal.SIGKILL)
        ended(host, child, 5)
    same(host.snapshot(final_state=True), before, "after it went back")


@test("confirm: SIGINT and SIGTERM roll back at once")
def cancelled(host):
    host.netns("web", "db")
    before = host.snapshot(final_state=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        with waiting(host, WEB_DB) as (child, _):
            child.send_signal(number)
            ended(host, child, 5)
            assert b"cancelled" in child.stderr.read()
        same(host.snapshot(final_state=True), before, f"after {number.name}")


# --- concurrent changes of others

@test("confirm: while one waits, other applies are refused, and nothing is touched")
def others(host):
    host.netns("web", "db", "ci")
    with waiting(host, WEB_DB) as (child, _):
        other = host.write(document({"n": lan()}, {"ci": ["n"]}, name="other"), "other.yaml")
        before = host.snapshot(final_state=True)
        for argv in (("apply", "--confirm"), ("apply",), ("delete",)):
            done = host.mvapply(*argv, "-f", other, code=4)
            assert "waits for its confirmation; nothing was changed [MV0809]" in done.err, done
            assert "mvapply confirm" in done.err, done
        same(host.snapshot(), before, "after the refusals")
        host.mvapply("diff", "-f", other, code=2)
        host.mvapply("confirm")
        ended(host, child, 0)
    host.mvapply("apply", "-f", other)


@test("confirm: a VLAN to which other links were attached meanwhile is kept", needs=["vlan"])
def vlan_used(host):
    host.netns("web")
    with waiting(host, VLAN) as (child, _):
        host.ip("host", "link add link eth0.10 name theirs type macvlan")
        child.send_signal(signal.SIGINT)
        ended(host, child, 5)
    same(host.names("web"), set(), "web's links")
    same(host.names("host"), {"eth0", "eth0.10", "theirs"}, "the host's links")
