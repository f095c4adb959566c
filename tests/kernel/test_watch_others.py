"""Objects that others created after the service's first observation, in unknown namespaces: before
it chooses an address it knows the whole live state, and it waits for no other process while it
holds the lock."""
import contextlib
import os
import re
import socket
import subprocess
import threading
import time

from declare import document, lan
from host import same
from registry import test
from service import watching

MACS = {"a1": "02:00:00:00:10:a1", "a2": "02:00:00:00:10:a2", "b1": "02:00:00:00:10:b1"}


def a_set(host, name, containers, **keys):
    host.write(document({"n": lan(**keys)}, containers, name=name), f"{name}.yaml")


def attached(host, ns):
    """The attachment's address, once the attachment is complete."""
    found = host.addresses(ns, "eth0") if "eth0" in host.names(ns) else set()
    return found.pop() if len(found) == 1 and len(host.routes(ns)) == 2 else None


def not_chosen(name, other, macs=None, needs=(), **keys):
    """a1 is live, and a2 is not there yet, when another object takes the next address."""
    @test(f"watch others: an address is not chosen that is used by {name}", needs=needs)
    def run(host):
        host.netns("a1", "b1")
        wanted = {ns: {"n": {"mac_address": mac} if macs else {}} for ns, mac in MACS.items()}
        a_set(host, "a", {ns: wanted[ns] for ns in ("a1", "a2")}, **keys)
        a_set(host, "b", {"b1": wanted["b1"]}, **keys)
        with watching(host, "-f", "a.yaml") as service:
            service.settle()
            other(host, service)
            before = host.snapshot("a1", "b1", final_state=True)
            service.quiet()
            host.netns("a2")
            service.until(lambda: attached(host, "a2"), "a2 is attached")
            service.quiet()
            same({ns: host.addresses(ns, "eth0") for ns in MACS},
                 {"a1": {"172.16.86.2/24"}, "a2": {"172.16.86.4/24"}, "b1": {"172.16.86.3/24"}},
                 "addresses")
            same(host.snapshot("a1", "b1"), before, "the others")
            same([line for line in service.news() if "error" in line], [], "errors")


def another_set(host, _):
    host.mvapply("apply", "-f", "b.yaml")


def by_hand(host, _=None, kind="macvlan mode bridge"):
    host.batch("host", [f"link add link eth0 name hand0 type {kind}", "link set hand0 netns b1"])
    host.batch("b1", ["link set hand0 name eth0", "link set eth0 up",
                      "address add 172.16.86.3/24 dev eth0"])


def without_a_name(host, _):
    """A process alone keeps the namespace."""
    by_hand(host)
    with host.inside("b1"):
        child = subprocess.Popen(["sleep", "1000"])
    host.remove_netns("b1")
    host.hold("b1", f"/proc/{child.pid}/ns/net")


not_chosen("another set", another_set)
not_chosen("another set, with the MACs of the file", another_set, macs=True)
not_chosen("another set's ipvlan", another_set, needs=["ipvlan"], driver="ipvlan")
not_chosen("an unmanaged macvlan", by_hand)
not_chosen("an unmanaged ipvlan", lambda host, _: by_hand(host, kind="ipvlan mode l2"), needs=["ipvlan"],
           driver="ipvlan")
not_chosen("a macvlan in an unnamed namespace", without_a_name)


@test("watch others: an address that was added in a known namespace is not chosen")
def known_namespace(host):
    """It is released once something has changed there, as it cannot be entered without a name."""
    host.netns("a1", "b1")
    a_set(host, "a", {"a1": ["n"], "a2": ["n"]})
    by_hand(host)
    with watching(host, "-f", "a.yaml") as service:
        service.settle()
        host.ip("b1", "link set lo up")
        service.quiet()
        host.batch("b1", ["address flush dev eth0", "address add 172.16.86.4/24 dev eth0",
                          "address add 172.16.86.3/32 dev eth0"])
        service.quiet()
        host.netns("a2")
        service.until(lambda: attached(host, "a2"), "a2 is attached")
        same(host.addresses("a2", "eth0"), {"172.16.86.5/24"}, "the address")


@test("watch others: an address that was added to a link of the host on the same parent is not chosen")
def host_link(host):
    host.netns("a1")
    a_set(host, "a", {"a1": ["n"], "a2": ["n"]})
    host.batch("host", ["link add link eth0 name hand0 type macvlan mode bridge", "link set hand0 up"])
    with watching(host, "-f", "a.yaml") as service:
        service.settle()
        host.ip("host", "address add 172.16.86.3/32 dev hand0")
        service.quiet()
        host.netns("a2")
        service.until(lambda: attached(host, "a2"), "a2 is attached")
        service.quiet()
        same(host.addresses("a2", "eth0"), {"172.16.86.4/24"}, "the address")
        same([line.split("  ")[0] for line in service.news()], ["created attach a2/n"], "the log")


@test("watch others: two services of two sets share a network, in any order")
def two_services(host):
    names = {letter: [f"{letter}{number}" for number in range(6)] for letter in "ab"}
    for letter, some in names.items():
        a_set(host, letter, {name: ["n"] for name in some})
    with open("/run/first.log", "wb") as log:
        first = subprocess.Popen([host.binary, "watch", "-f", "a.yaml"], stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
    try:
        with watching(host, "-f", "b.yaml") as service:
            for pair in zip(names["a"], names["b"]):
                host.netns(*pair)
            everybody = names["a"] + names["b"]
            service.until(lambda: all(attached(host, ns) for ns in everybody), "all are attached")
            before = host.snapshot(*everybody, final_state=True)
            same(len({attached(host, ns) for ns in everybody}), len(everybody), "addresses")
            for ns in ("a3", "b2"):
                host.ip(ns, "link del eth0")
                service.until(lambda ns=ns: attached(host, ns), f"{ns} is attached again")
            service.quiet()
            same(sorted(attached(host, ns) for ns in everybody),
                 sorted(value["local"] + "/24" for key, value in before.items()
                        if " 172.16.86." in key), "addresses")
        with open("/run/first.log", encoding="utf-8") as log:
            same([line for line in log if "error" in line], [], "what the first says")
    finally:
        first.terminate()
        first.wait()




# --- invisible conflicts

MAC = "02:42:ac:10:56:02"


def hidden_holder(host, mac=MAC):
    """An unreachable object has the MAC, until the returned descriptor is closed."""
    host.netns("hidden")
    host.batch("host", [f"link add link eth0 name x address {mac} type macvlan mode bridge",
                        "link set x netns hidden"])
    host.ip("hidden", "link set x up")
    return host.hide("hidden")


# Binding the lock's socket takes the lock, and closing the socket releases it (kernel/netlink_lock.c).
LOCK_CALLS = "bind,close,/nanosleep"
LOCK_TAKEN = re.compile(r"\bbind\((\d+)[^,]*, \{sa_family=AF_NETLINK,.*nl_groups=0x4d564150")


def with_lock(lines):
    """The sleeps, of strace's lines, while the lock was held; and those while it was not."""
    lock, locks, sleeps = None, 0, {True: [], False: []}
    for line in lines:
        taken = LOCK_TAKEN.search(line)
        if taken:
            lock, locks = taken[1], locks + 1
        elif lock and re.search(rf"\bclose\({lock}\b", line):
            lock = None
        elif re.search(r"nanosleep\(", line):
            sleeps[lock is not None].append(line.strip())
    assert locks, "the lock was never taken"
    return sleeps


def with_hidden_mac():
    """A document whose container web needs the MAC of hidden_holder: no other can be chosen."""
    return document({"n": lan()}, {"web": {"n": {"mac_address": MAC}}, "db": ["n"]})


@test("watch others: apply releases the lock while it waits for a retry", both=True)
def apply_without_waiting(host):
    host.netns("web", "db")
    held = hidden_holder(host)
    text = with_hidden_mac()
    done = host.run("strace", "-f", "-qq", "-o", "trace", "-e", f"trace={LOCK_CALLS}",
                    host.binary, "apply", "-f", host.write(text), code=1, seconds=60,
                    env={"ASAN_OPTIONS": "detect_leaks=0"})
    with open("trace", encoding="utf-8") as file:
        sleeps = with_lock(file)
    same(sleeps[True][:3], [], "sleeps with the lock")
    assert sleeps[False], sleeps  # fewer if each attempt takes long
    assert "attach web/n: cannot bring eth0 up in namespace web: Address already in use [MV0905]" in \
        done.err, done
    same((done.out.count("web/n"), done.out.splitlines()[-1]), (1, "Done: 1 created. Failed: 1."),
         "the report")
    same((host.names("web"), host.addresses("db", "eth0")), (set(), {"172.16.86.3/24"}), "links")
    os.close(held)
    host.apply(text)
    same(attached(host, "web"), "172.16.86.2/24", "once it is gone")


@test("watch others: a conflict that ends with a namespace is no failure of an apply")
def apply_after_death(host):
    host.netns("web")
    text = document({"n": lan(ip_range="172.16.86.0/24")}, {"web": ["n"]})
    for _ in range(3):
        held = hidden_holder(host)
        child = subprocess.Popen(["strace", "-f", "-qq", "-o", "trace", "-e", "trace=/nanosleep",
                                  host.binary, "apply", "-f", host.write(text)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                                 stderr=subprocess.PIPE, text=True)
        host.until(lambda: os.path.exists("trace") and os.stat("trace").st_size, "it waits")
        os.close(held)
        out, err = child.communicate(timeout=60 * host.patience)
        same((child.returncode, err, out.splitlines()[-1]), (0, "", "Done: 1 created."), "the apply")
        same(attached(host, "web"), "172.16.86.2/24", "the address")
        os.unlink("trace")
        host.unchanged(text)
        host.delete(text)


@test("watch others: the service releases the lock while it waits for a retry")
def service_without_waiting(host):
    host.netns("db")
    held = hidden_holder(host)
    with watching(host, "-f", host.write(with_hidden_mac())) as service:
        with service.traced(LOCK_CALLS) as trace:
            host.netns("web")
            service.until_says("error: attach web/n: cannot bring eth0 up in namespace web: Address "
                               "already in use")
        same(with_lock(trace.lines)[True][:3], [], "sleeps with the lock")
        same((host.names("web"), attached(host, "db")), (set(), "172.16.86.3/24"), "links")
        os.close(held)
        service.until(lambda: attached(host, "web") == "172.16.86.2/24", "attached")
        service.quiet()
        assert "0 to be retried" in service.notes[-1], service.notes[-1]


@test("watch others: a conflict that ends with a namespace is not reported")
def service_after_death(host):
    with watching(host, "-f", host.write(document({"n": lan()}, {"web": ["n"]}))) as service:
        for _ in range(3):
            host.netns("web")
            service.until(lambda: attached(host, "web"), "attached")
            service.quiet()
            service.news()
            held = host.hide("web")
            host.netns("web")
            time.sleep(0.2)  # it is tried, and fails
            os.close(held)
            service.until(lambda: attached(host, "web"), "attached")
            service.quiet()
            same([line.split("  ")[0] for line in service.news() if "pending" not in line],
                 ["created attach web/n"], "the log")
            host.remove_netns("web")
            service.until_says("pending")


# --- undone repairs

class Undoing(threading.Thread):
    """Undoes, in the namespace, each repair of the link's MTU as soon as the kernel reports it."""
    def __init__(self, host, ns):
        super().__init__()
        self.host, self.ns, self.repairs, self.over = host, ns, 0, False
        with host.inside(ns):
            self.events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
            self.events.bind((0, 1))  # RTMGRP_LINK
            self.events.settimeout(0.1)
            self.shell = subprocess.Popen(["ip", "-batch", "-"], stdin=subprocess.PIPE, text=True,
                                          bufsize=1)

    def run(self):
        self.undo()
        while not self.over:
            with contextlib.suppress(TimeoutError, OSError):
                message = self.events.recv(1 << 16)
                mtu = re.search(rb"\x08\0\x04\0(....)", message[32:], re.DOTALL)  # IFLA_MTU
                if mtu and int.from_bytes(mtu[1], "little") == 1500:
                    self.repairs += 1
                    self.undo()

    def undo(self):
        self.shell.stdin.write("link set eth0 mtu 1300\n")

    def end(self):
        self.over = True
        self.join()
        self.shell.communicate()
        self.events.close()


@test("watch undone: changes that a container reverts at once are repeated at growing intervals", seconds=120)
def undone_at_once(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))) \
            as service:
        service.settle()
        web = Undoing(host, "web")
        web.start()
        try:
            said = "eth0 does not stay as configured"
            service.until(lambda: sum(said in line for line in service.log()) >= 5, "five pauses", 60)
            # 16 are free, and the pass that detects it makes up to four; then one a pause.
            assert web.repairs <= 16 + 4 + 5 * 4, web.repairs
            host.ip("db", "link set eth0 mtu 1300")  # another one's are not delayed by it
            service.until(lambda: host.link("db", "eth0")["mtu"] == 1500, "repaired")
        finally:
            web.end()
        service.until(lambda: host.link("web", "eth0")["mtu"] == 1500, "repaired in the end", 60)
