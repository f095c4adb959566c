"""Counts of system calls while one container is attached: beside a service it enters no namespace of a hundred others, and
without one it lists the addresses in each, and nothing else; a container that no file names costs next to none. Times are
measured by tests/bench/attach.py."""
import collections
import json
import os
import re
import subprocess

import linux
import packets
from declare import document, lan
from docker_plugin import NETWORK, POOL, plugged
from engines import oci_state
from features import CREATION
from host import WORK, same
from registry import test
from service import watching
from test_counts import changes, counted_program, creation
from units import SERVICE, capabilities

FILE = f"{WORK}/counted.yaml"
OTHERS = 100
ID = "c0ffee" * 10 + "beef"
ENTERED = ("setns", "socket", "sendto")  # one of each where a namespace is entered for its addresses
SPARE = 20  # other namespaces of the machine, whose number changes
MEMORY = {"brk", "mmap", "munmap", "mremap", "madvise"}  # which the length of the files decides


class Cni:
    env = {"CNI_COMMAND": "ADD", "CNI_CONTAINERID": "new", "CNI_IFNAME": "eth0", "CNI_NETNS": "/run/netns/new",
           "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=new"}
    entry = {"cni": "bench/new"}
    stdin = json.dumps({"name": "lan", "cniVersion": "1.1.0", "type": "mvapply", "files": FILE})

    @staticmethod
    def argv(host):
        return [host.binary]


class Hook:
    """As Podman calls it, for a container that the file declares by its id."""
    env = {}
    entry = {"podman": ID}

    def __init__(self, host):
        self.process = subprocess.Popen(["ip", "netns", "exec", "new", "sleep", "100"])
        host.until(lambda: os.path.exists(f"/proc/{self.process.pid}/ns/net") and host.run(
            "ip", "netns", "identify", str(self.process.pid)).out.strip() == "new", "the container's process")
        self.stdin = oci_state(self.process.pid, ID)

    @staticmethod
    def argv(host):
        return [host.binary, "hook", "-f", FILE]


def others():
    """A hundred containers c0, c1 and so on, with an address each."""
    return {f"c{number}": {"lan": {"ipv4_address": f"172.16.86.{number + 2}"}} for number in range(OTHERS)}


def declare(host, entry):
    """Those, and the new one."""
    new = {**entry, "networks": {"lan": {"ipv4_address": "172.16.86.200"}}}
    host.write(document({"lan": lan()}, {**others(), "new": new}), "counted.yaml")


def calls(host, way):
    """The system calls of the attaching process itself, by name."""
    host.run("strace", "-qq", "-o", "calls", "-e", "signal=none", *way.argv(host), code=0, seconds=60,
             stdin=way.stdin.encode(), env={**way.env, "ASAN_OPTIONS": "detect_leaks=0"})
    with open("calls", encoding="utf-8", errors="replace") as file:
        names = (re.match(r"(\w+)\(", line) for line in file)
        counts = collections.Counter(match[1] for match in names if match and match[1] not in MEMORY)
    return counts


def attached(host):
    same(host.addresses("new", "eth0"), {"172.16.86.200/24"}, "the address")
    host.ip("new", "link delete eth0")


def costs(beside, alone, most):
    """Compares the number of calls with the most that the others may cause."""
    more = {call: beside[call] - alone[call] for call in (*ENTERED, "openat", "clone", "fork", "fsync")}
    assert all(count <= most.get(call, 0) + SPARE for call, count in more.items()), (more, most)


def attach_one(host, way):
    """Alone on the host, and beside a hundred others."""
    declare(host, way.entry)
    alone = calls(host, way)
    attached(host)
    host.netns(*others())
    host.apply(document({"lan": lan()}, others()))
    costs(calls(host, way), alone, {**dict.fromkeys(ENTERED, OTHERS), "openat": OTHERS})
    attached(host)
    with watching(host, "-f", FILE) as service:
        service.settle()
        costs(calls(host, way), alone, {})
        attached(host)


@test("counts: attach one by the CNI plugin with a hundred others, with a service and without")
def by_cni(host):
    host.netns("new")
    attach_one(host, Cni)


@test("counts: attach one by the hook with a hundred others, with a service and without")
def by_hook(host):
    host.netns("new")
    hook = Hook(host)
    try:
        attach_one(host, hook)
    finally:
        hook.process.kill()
        hook.process.wait()


def driver_entered(host, numbers):
    """How many namespaces Docker's driver has entered before and after it has made each link, with the capabilities of its
    unit."""
    trace, counts = f"{WORK}/entered", [0]
    with plugged(host, FILE, tracer=["strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=setns"]) as plugin:
        for number in numbers:
            address, endpoint = f"172.16.86.{number}", {"NetworkID": NETWORK, "EndpointID": f"{number}"}
            plugin.call("IpamDriver.RequestAddress", PoolID=POOL, Address=address)
            answer = plugin.call("NetworkDriver.CreateEndpoint", **endpoint, Interface={"Address": f"{address}/24"})
            same(answer["Interface"]["MacAddress"], f"02:42:ac:10:56:{number:02x}", "the link")
            with open(trace, encoding="utf-8") as file:
                counts.append(file.read().count("setns"))
            plugin.call("NetworkDriver.DeleteEndpoint", **endpoint)
    return [after - before for before, after in zip(counts, counts[1:])]


@test("counts: Docker's driver with a hundred others and a process that it may not read, with a service and without")
def by_driver(host):
    host.netns(*others())
    declare(host, {"cni": "bench/new"})
    host.apply(document({"lan": lan()}, others()))
    with host.process():
        first, *later = driver_entered(host, [201, 202, 203])
        assert first <= OTHERS + SPARE and max(later) <= SPARE, (first, later)
        with watching(host, "-f", FILE, before=lambda: linux.keep_capabilities(capabilities(SERVICE))) as service:
            service.settle()
            counts = driver_entered(host, [204, 205])
            assert max(counts) <= SPARE, counts


@test("counts: attach one changes what an apply of one does, and its announcement reaches the LAN", features=[CREATION])
def messages(host):
    host.netns("new")
    declare(host, Cni.entry)
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0", packets.ETH_P_ARP)
    counts = counted_program(host, *Cni.argv(host), stdin=Cni.stdin.encode(), env=Cni.env)
    # The host's nsid in the namespace, and the namespace's in the host's: a service gets its events by that. One list
    # of the parent's MACs.
    same(changes(counts), {**creation(host, 1), "RTM_NEWNSID": 2, "RTM_GETNEIGH": 1}, "messages")
    same((counts["RTM_NEWNEIGH"], counts["packet sockets"]), (1, 0), "what announces")
    assert sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.200", "02:42:ac:10:56:c8"))


@test("counts: the hook opens no netlink socket for a container that no file names, nor without files")
def nothing_to_do(host):
    host.netns("new")
    hook = Hook(host)
    try:
        declare(host, {"cni": "bench/new"})
        for path in (FILE, "/run/nowhere"):
            counts = counted_program(host, host.binary, "hook", "-f", path, stdin=hook.stdin.encode())
            same({call: count for call, count in counts.items() if call in ("socket", "setns") or "RTM" in call}, {},
                 f"calls, with -f {path}")
    finally:
        hook.process.kill()
        hook.process.wait()


@test("counts: a repeated DEL, which has no namespace, lists the links of each namespace and nothing else")
def repeated_delete(host):
    names = [f"c{number}" for number in range(20)]
    host.netns(*names)
    declare(host, Cni.entry)
    host.apply(document({"lan": lan()}, {name: ["lan"] for name in names}))
    counts = counted_program(host, host.binary, stdin=Cni.stdin.encode(),
                             env={**Cni.env, "CNI_COMMAND": "DEL", "CNI_NETNS": ""})
    # The host's and the LAN's, too.
    same([counts[kind] for kind in ("RTM_GETLINK", "RTM_GETADDR", "RTM_GETROUTE", "RTM_DELLINK")],
         [len(names) + 2, 0, 0, 0], "messages")
