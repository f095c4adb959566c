"""Attaching beside a running service: the service says which namespaces lack the address, and the CNI plugin enters the others
alone. Whatever the service does not know for certain is read as without a service."""
import concurrent.futures
import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import linux
from declare import document, lan
from faults import preload
from features import ADDRESS_PROTOCOL
from forger import forging
from host import WORK, same
from registry import test
from service import queue_held, watching
from test_cni import FILE, Plugin, declare
from units import SERVICE, capabilities

OTHERS = [f"o{number}" for number in range(6)]
NAME = "\0mvapply-watch/default"


def attached(host):
    """A host whose files declare OTHERS, which are attached; and the plugin."""
    host.netns(*OTHERS, "web")
    text = document({"lan": lan()}, {name: {"lan": {"ipv4_address": f"172.16.86.{number + 2}"}}
                                     for number, name in enumerate(OTHERS)})
    declare(host, text)
    host.apply(text)
    return Plugin(host), text


def entered(plugin, ip="172.16.86.200", command="ADD", name="web", slow=(), syscalls="setns,connect", **options):
    """The other containers' namespaces that ADD of a container enters, or another command."""
    trace, before = f"{WORK}/trace", plugin.command
    plugin.command = ["strace", "-f", "-y", "-e", f"trace={syscalls}", *slow, "-e", "signal=none", "-o", trace, *before]
    plugin.env = {"ASAN_OPTIONS": "detect_leaks=0"}  # the leak checker cannot run under strace
    answer = plugin.call(command, name, args=f"IP={ip}" if ip and command == "ADD" else "", **options)
    plugin.command, plugin.env = before, {}
    if command == "ADD" and not options.get("code"):
        plugin.call("DEL", name)
    with open(trace, encoding="ascii", errors="replace") as file:
        names = re.findall(r"setns\(\d+</run/netns/(\w+)>", file.read())
    return set(names) - {name, "web"}, answer


def enters(plugin, wanted, what, **options):
    """Asserts the namespaces that the plugin enters. On a busy machine, the answer of the service can be late: then the plugin
    enters all of them, in one of several calls. Returns the answer of the last one."""
    for _ in range(5):
        names, answer = entered(plugin, **options)
        if names == set(wanted):
            break
    same(names, set(wanted), what)
    return answer


def serving(host, *argv, before=None, **options):
    """A service with the capabilities of its unit: fewer than those of whoever asks it."""
    def confine():
        if before:
            before()
        linux.keep_capabilities(capabilities(SERVICE))
    return watching(host, *argv, before=confine, **options)


def inodes(names):
    return [str(os.stat(f"/run/netns/{name}").st_ino) for name in names]


def view(of="self"):
    """The mounts that a process sees, as requests name them."""
    root = os.stat(f"/proc/{of}/root/")
    return f"{os.stat(f'/proc/{of}/ns/mnt').st_ino} {root.st_dev:x} {root.st_ino}"


PROOF_GROUPS = 0x4d565052  # kernel/net_admin_proof.c
NETLINK_USERSOCK = 2


def prove(client, groups):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_USERSOCK) as proof:
        proof.bind((0, groups))
        socket.send_fds(client, [b"proof 1"], [proof.fileno()])


def prove_with(client, message, count):
    with open("/dev/null", "rb") as file, contextlib.suppress(OSError):
        socket.send_fds(client, [message], [file.fileno()] * count)


def query(of, prefix="172.16.86.0/24", seen="1 1 1"):
    """A service's answer about the namespaces with these inodes: the address in the prefix by inode. With the view of mounts
    `seen`, also the paths of the others that are mounted there; None: the service does not know these mounts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(10)
        client.connect(NAME)
        prove(client, PROOF_GROUPS)
        client.recv(1024)
        client.send(f"addresses 2 {prefix} {seen}".encode())
        answer = client.recv(1 << 20)
    count, declared, _, mounts = struct.unpack_from("=IIII", answer)
    end = 16 + 32 * (count + declared)
    addresses = {(str(inode), socket.inet_ntoa(address[:4]) if family else None)
                 for inode, family, address in struct.iter_unpack("=QB16s7x", answer[16:16 + 32 * count]) if str(inode) in of}
    paths = {record.split(b" ", 1)[1].decode() for record in answer[end:].split(b"\0")[:-1]}
    return addresses if seen == "1 1 1" else (addresses, paths if mounts else None)


def forger(host, prefix=(), names=(), mounts=None):
    """A process that has the service's name, and answers of each of the names that it lacks each address; without names, it does
    not answer. `mounts`: of these names alone it says that they are mounted, too."""
    answers = []
    if names:
        entries = b"".join(struct.pack("=Q24x", inode) for inode in sorted(map(int, inodes(names))))
        paths = b"".join(f"{inode} /run/netns/{name}".encode() + b"\0"
                         for name, inode in zip(mounts or (), inodes(mounts or ())))
        answers = [struct.pack("=IIII", len(names), 0, 0, mounts is not None) + entries + paths]
    return forging(host, NAME[1:], b"-f /etc/mvapply", *answers, prefix=prefix)


@test("attach with a service: no namespace is entered of which it is certain, and each without one")
def certain(host):
    plugin, text = attached(host)
    enters(plugin, OTHERS, "without a service")
    with serving(host, "-f", host.write(text)) as service:
        service.settle()
        enters(plugin, (), "a service")
        service.settle()
        enters(plugin, (), "a service, after an attachment")
        service.settle()  # it must not be stopped with the lock
        service.send(signal.SIGSTOP)
        enters(plugin, OTHERS, "a stopped service")
        service.send(signal.SIGCONT)
        service.settle()
        enters(plugin, (), "a service that goes on")
        host.netns("new")
        host.batch("new", ["link add v0 type veth peer name v1"])
        service.settle()
        enters(plugin, ["new"], "a namespace that the service does not know")
    enters(plugin, [*OTHERS, "new"], "the service has ended")


@test("attach with a service: its mount namespace does not matter, its network namespace and its set do")
def elsewhere(host):
    plugin, text = attached(host)
    other = host.write(document({"lan": lan()}, {}, "other"), "other.yaml")
    with serving(host, "-f", other) as service:
        service.settle()
        enters(plugin, OTHERS, "another set's service")
    with serving(host, "-f", host.write(text), before=lambda: linux.unshare(linux.CLONE_NEWNS)) as service:
        service.settle()
        enters(plugin, (), "a service in another mount namespace")
    host.netns("apart")
    path = host.write(text)
    with host.inside("apart"):
        service = subprocess.Popen([host.binary, "watch", "-f", path], stderr=subprocess.DEVNULL)
    try:
        host.until(lambda: b"@mvapply-watch/default" in host.run(
            "cat", f"/proc/{service.pid}/net/unix", code=0).out.encode(), "the service listens")
        enters(plugin, OTHERS + ["apart"], "a service in another network namespace")
    finally:
        service.kill()
        service.wait()


@test("attach with a service: after lost events, and of a namespace that is read less often")
def uncertain(host):
    plugin, text = attached(host)
    rules = [f"event-lost@{number}" for number in range(0, 160, 10)]
    with serving(host, "-f", host.write(text), env=preload(host, *rules)) as service:
        for _ in range(20):
            host.ip("o1", "link set eth0 mtu 1400")
            host.ip("o1", "link set eth0 mtu 1500")
            service.quiet(0.05)
        service.until_says("events of the kernel are lost repeatedly")
        enters(plugin, OTHERS, "lost events")
    with serving(host, "-f", host.write(text)) as service:
        service.settle()
        for number in range(200):
            host.batch("o1", [f"link add v{number} type veth peer name w{number}", f"link delete v{number}"])
        service.until_says("changes too often")
        enters(plugin, ["o1"], "a namespace with events without end")


@test("attach with a service: an older version, and an untrusted process")
def forged(host):
    plugin, _ = attached(host)
    with forger(host):
        enters(plugin, OTHERS, "a service that knows no query")
    weak = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
    with forger(host, weak, OTHERS):
        enters(plugin, OTHERS, "a process without CAP_NET_ADMIN")
    with forger(host, names=OTHERS[:2]):
        enters(plugin, OTHERS[2:], "a trusted process that knows some")
    with forger(host, names=OTHERS[:2], mounts=OTHERS[3:5]):
        enters(plugin, OTHERS[3:5], "a trusted process that knows some, and which others are mounted")


def read(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def reads_mounts():
    """Whether the last traced command read the mount table."""
    return re.search(r"read\(\d+<[^>]*/mountinfo>", read(f"{WORK}/trace")) is not None


MOUNTS = {"syscalls": "setns,connect,read"}


def descriptors(pid):
    folder = f"/proc/{pid}/fd"
    return [os.readlink(f"{folder}/{number}") for number in os.listdir(folder)]


@test("attach with a service: the mount table is read only where the service does not know its changes")
def mounted(host):
    plugin, text = attached(host)
    host.netns("empty")
    with serving(host, "-f", host.write(text)) as service:
        service.settle()
        enters(plugin, ["empty"], "a service", **MOUNTS)
        assert not reads_mounts(), "the service knows the mounts"
        for number in range(3):  # the service may not have noticed
            host.netns(f"new{number}")
            enters(plugin, ["empty", *(f"new{earlier}" for earlier in range(number + 1))], "a new name", **MOUNTS)
            assert not reads_mounts(), "the service knows the new name"
        names = {f"/run/netns/{name}" for name in ("empty", "new0", "new1", "new2", *OTHERS)}
        same(query((), seen=view())[1] & names, names - {f"/run/netns/{name}" for name in OTHERS}, "names of others")
        inode, device, root = view().split()
        for other in (f"{int(inode) + 1} {device} {root}", f"{inode} {device}1 {root}", f"{inode} {device} {root}1"):
            same(query(inodes(OTHERS), seen=other)[1], None, "another view")
    host.netns("new3")
    empty = {"empty", "new0", "new1", "new2", "new3"}
    with serving(host, "-f", host.write(text), before=lambda: linux.unshare(linux.CLONE_NEWNS)) as service:
        service.settle()
        enters(plugin, empty, "a service with a mount namespace of its own", **MOUNTS)
        assert not reads_mounts(), "it knows the mounts of process 1"
        host.netns("new4")
        enters(plugin, {*empty, "new4"}, "a new name", **MOUNTS)
        assert not reads_mounts(), "it reads them again"
        tables = [link for link in descriptors(service.pid) if link.endswith("/mountinfo")]
        same(len(tables), 3, "its own twice, and that of process 1 once")
        plugin.command = ["unshare", "-m", *plugin.command]
        enters(plugin, {*empty, "new4"}, "a plugin with a mount namespace of its own", **MOUNTS)
        assert reads_mounts(), "nobody knows its mounts"


def excerpts():
    """Whether the last traced command found a service that uses the same files."""
    return "mvapply-files#" in read(f"{WORK}/trace") and any(
        line.endswith(" = 0") for line in read(f"{WORK}/trace").splitlines() if "mvapply-files#" in line)


def pods(number=2, **more):
    """Files that declare pods of Kubernetes, "bench/p2" and so on, and other containers."""
    declared = {f"p{n}": {"lan": {"ipv4_address": f"172.16.86.{100 + n}"}} for n in range(number)}
    text = json.dumps({"networks": {"lan": lan()}, "containers": {
        name: {"cni": f"bench/{name}", "networks": networks} for name, networks in {**declared, **more}.items()}})
    return text


@test("attach with a service: of files that it uses, too, one container is parsed", features=[ADDRESS_PROTOCOL])
def excerpt(host):
    host.netns("p0", "p1", "q")
    text = pods(12, twice={"lan": {"ipv4_address": "172.16.86.101"}})
    plugin = Plugin(host)
    plugin.pods = {name: f"K8S_POD_NAMESPACE=bench;K8S_POD_NAME={name}" for name in ("p0", "p1")}

    def added(name, traced, **options):
        plugin.env = {"ASAN_OPTIONS": "detect_leaks=0"}
        before, plugin.command = plugin.command, ["strace", "-f", "-e", "trace=connect", "-e", "signal=none", "-o", f"{WORK}/trace",
                                                  *plugin.command]
        answer = plugin.call("ADD", name, **options)
        plugin.command = before
        same(excerpts(), traced, "a service with the same files")
        if not options.get("code"):
            same(host.addresses(name, "eth0"), {answer["ips"][0]["address"]}, "the address")
            plugin.call("DEL", name)
        return answer

    declare(host, text)
    assert "172.16.86.101" in added("p0", False, code=1)["msg"], "an address twice"
    text = pods(12)
    declare(host, text)
    alone = added("p0", False)
    with serving(host, "-f", FILE) as service:
        service.settle()
        same(added("p0", True), alone, "the answer")
        same(added("p1", True)["ips"][0]["address"], "172.16.86.101/24", "another one")
        if host.has(ADDRESS_PROTOCOL):  # without it, the service removes the address
            plugin.call("ADD", "p0")
            host.ip("p0", "address add 172.16.86.101/24 dev eth0")
            service.settle()
            assert "already has the address" in added("p1", True, code=1)["msg"], "a further address of another container"
            plugin.call("DEL", "p0")
        for more, address in (({}, 2), ({"low": {"lan": {"ipv4_address": "172.16.86.2"}}}, 3), ({"open": {"lan": {}}}, 3)):
            # `open` is not attached, and its address is chosen before a guest's
            declare(host, pods(12, **more))
            if more:
                service.until_says("the files changed")
            service.settle()
            same(added("q", True)["ips"][0]["address"], f"172.16.86.{address}/24", ("a guest", more))
            service.news()
        declare(host, text)
        service.until_says("the files changed")
        service.settle()
        service.news()
        service.send(signal.SIGSTOP)
        text = text.replace("172.16.86.100", "172.16.86.200")
        declare(host, text)
        same(added("p0", False)["ips"][0]["address"], "172.16.86.200/24", "files that the service has not read")
        service.send(signal.SIGCONT)
        service.until_says("the files changed")
        service.settle()
        same(added("p0", True)["ips"][0]["address"], "172.16.86.200/24", "files that it has read")
        declare(host, text.replace("172.16.86.110", "172.16.86.111"))
        service.until_says("MV")
        assert "172.16.86.111" in added("p0", False, code=1)["msg"], "files with an error"


UNPROVEN = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import linux, test_attach_service as service
def connected():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(service.NAME)
    return client
def closed(client, request):
    client.send(request)
    return client.recv(1024) == b""
clients = [connected() for _ in range(4)]
assert closed(clients[0], b"tags 1"), "no proof"
assert closed(clients[1], b"proof 1"), "no descriptor"
service.prove(clients[2], 0)
assert clients[2].recv(1024) == b"", "a socket that anybody may have"
try:
    service.prove(clients[3], service.PROOF_GROUPS)
    sys.exit("the proof needs no capability")
except PermissionError:
    linux.unshare(linux.CLONE_NEWNET)
    service.prove(clients[3], service.PROOF_GROUPS)
    assert clients[3].recv(1024) == b"", "a socket of another network namespace"
"""


@test("attach with a service: a client in a user namespace of its own is not trusted, whatever it passes")
def unproven(host):
    _, text = attached(host)
    with serving(host, "-f", host.write(text)) as service, host.inside("host"):
        service.settle()
        argv = ["unshare", "-Ur", sys.executable, "-c", UNPROVEN, os.path.dirname(os.path.abspath(__file__))]
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        same((done.returncode, done.stderr.decode()), (0, ""), "the client")
        many = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(40)]
        with open("/proc/net/unix", encoding="ascii") as file:
            names = re.findall(r" @(mvapply-(?:watch/|files#)\S+)", file.read())
        same(len(set(names)), 2, names)
        for number, client in enumerate(many):
            client.settimeout(10)
            client.connect("\0" + sorted(set(names))[number % 2])
        same([client.recv(1024) for client in many[:32]], [b""] * 32, "more than eight that prove nothing")
        prove(many[32], PROOF_GROUPS)
        assert many[32].recv(1024).startswith(b"-f "), "one that proves it in the end"
        for _ in range(30):  # two descriptors in the place of one, which is none in the end
            prove_with(many[33], b"", 1)
            prove_with(many[34], b"proof 2", 2)
        service.until(lambda: len(os.listdir(f"/proc/{service.pid}/fd")) < 40, "no descriptor stays")
        for client in many:
            client.close()
        service.settle()


@test("attach with a service: an apply that it cannot read names its files")
def named(host):
    _, text = attached(host)
    path = host.write(text)
    with serving(host, "-f", path) as service:
        service.settle()
        found = host.apply(text).err
        assert f"process {service.pid} (mvapply watch -f {path}) manages the set" in found, found


# What another container's namespace has, beside its own link. The service leaves it alone.
HELD = {
    "a further address": ["address add 172.16.86.200/24 dev eth0"],
    "a link that is not on the parent": ["link add v0 type veth peer name v1", "address add 172.16.86.200/24 dev v0"],
}


@test("attach with a service: an address that another namespace has, is not given, also before the service has read its events",
      features=[ADDRESS_PROTOCOL])
def held(host):
    plugin, text = attached(host)
    with serving(host, "-f", host.write(text)) as service:
        for what, batch in HELD.items():
            if "further" in what and not host.has(ADDRESS_PROTOCOL):
                continue  # the service removes it
            for stopped in (False, True):
                service.settle()
                if stopped:
                    service.send(signal.SIGSTOP)
                host.batch("o3", batch)
                if stopped:
                    service.send(signal.SIGCONT)
                names, taken = entered(plugin, code=None)
                same("already has the address" in (taken or {}).get("msg", ""), "further" in what, (what, taken))
                assert names or "further" not in what, (what, names)
                plugin.call("DEL", "web")
                host.batch("o3", ["address flush to 172.16.86.200/32"] + ["link delete v0"] * ("v0" in batch[0]))
        service.settle()
        enters(plugin, (), "afterwards")


@test("attach with a service: a guest gets the lowest address that no namespace has and no file declares", features=[ADDRESS_PROTOCOL])
def chosen(host):
    attached(host)
    names = {name: {"lan": {"ipv4_address": f"172.16.86.{number + 2}"}} for number, name in enumerate(OTHERS)}
    text = document({"lan": lan()}, {**names, "later": {"lan": {"ipv4_address": "172.16.86.8"}}})
    declare(host, text)
    plugin = Plugin(host)
    host.batch("o3", ["address add 172.16.86.9/24 dev eth0", "address add 172.16.86.10/32 dev lo"])
    for service in (contextlib.nullcontext(), serving(host, "-f", host.write(text))):
        with service as running:
            if running:
                running.settle()
            # Without the protocol, an added address counts as managed, and the service removes it.
            lowest = 9 if running and not host.has(ADDRESS_PROTOCOL) else 10
            answer = enters(plugin, () if running else OTHERS, "with a service" if running else "without one", ip=None)
            same([ip["address"] for ip in answer["ips"]], [f"172.16.86.{lowest}/24"], "the address")
            if running:
                host.netns("guest")
                plugin.add("guest", args="")
                host.ip("guest", "link set eth0 down")
                running.settle()
                answer = enters(plugin, (), "another guest, whose link is down", ip=None)
                same(answer["ips"][0]["address"], f"172.16.86.{lowest + 1}/24", "its address")


@test("attach with a service: a repeated DEL enters no namespace that has no link of the container")
def deleted(host):
    plugin, text = attached(host)
    host.netns("guest", "left")
    keys = {"name": "left", "netns": ""}
    for service in (contextlib.nullcontext(), serving(host, "-f", host.write(text))):
        with service as running:
            plugin.add("guest", args="")
            plugin.add("left", args="")
            if running:
                running.settle()
            plugin.call("DEL", **keys)
            same((host.names("left"), host.names("guest")), (set(), {"eth0"}), "deleted, and kept")
            if running:
                running.settle()
            enters(plugin, () if running else {*OTHERS, "guest"}, "nothing is left", command="DEL", **keys)
            plugin.call("DEL", "guest")


@test("attach with a service: it answers before it has the lock")
def waits(host):
    _, text = attached(host)
    numbers = inodes(OTHERS)
    known = {(inode, f"172.16.86.{number + 2}") for number, inode in enumerate(numbers)}
    with watching(host, "-f", host.write(text)) as service, host.inside("host"):
        service.settle()
        same(query(numbers), known, "at rest")
        same(query(numbers, "172.16.86.2/32"), {(inode, address if address == "172.16.86.2" else None) for inode, address in known},
             "one address")
        with queue_held() as waiting:
            host.batch("o0", ["link set eth0 mtu 1400"])
            service.until(waiting, "it waits for the lock")
            before = time.monotonic()
            same(query(numbers), known, "while it waits")
            assert time.monotonic() - before < 10 and host.link("o0", "eth0")["mtu"] == 1400
        service.until(lambda: host.link("o0", "eth0")["mtu"] == 1500, "repaired")


def locked(host):
    """Whether a process has the name at which others wait for the lock."""
    with host.inside("host"), open("/proc/thread-self/net/unix", encoding="ascii") as file:
        return any(line.endswith(" @mvapply\n") for line in file)


@test("attach with a service: it answers a plugin that has the lock for which it waits", seconds=60)
def during(host):
    plugin, text = attached(host)
    path = host.write(text)
    with serving(host, "-f", path) as service, concurrent.futures.ThreadPoolExecutor(1) as pool:
        service.settle()
        # The plugin connects netlink sockets and, with the lock, to the service.
        slow = ("-e", "inject=connect:delay_enter=200000")
        done = pool.submit(entered, plugin, slow=slow)
        host.until(lambda: locked(host), "the plugin has the lock")
        host.batch("o0", ["link set eth0 mtu 1400"])
        same(done.result(30)[0], set(), "entered")
        with open(f"{WORK}/trace", encoding="ascii", errors="replace") as file:
            assert "mvapply-watch/default" in file.read(), "it asked the service"
        service.until(lambda: host.link("o0", "eth0")["mtu"] == 1500, "repaired")
