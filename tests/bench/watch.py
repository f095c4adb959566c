#!/usr/bin/env python3
"""How fast `mvapply watch` repairs and follows, and what it costs meanwhile. All in one run, on a
host of its own, compared with a program that sends the same netlink messages and observes
nothing."""
import argparse
import contextlib
import fcntl
import json
import math
import os
import platform
import re
import socket
import statistics
import struct
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../kernel"))

import linux  # noqa: E402
import run  # noqa: E402
from declare import document, lan  # noqa: E402
from host import WORK, Host  # noqa: E402
from service import watching  # noqa: E402

DEBOUNCE_MS = 20  # QUIET_MS of cmd/watch/events.c
NET = {"subnet": "10.86.0.0/16", "gateway": "10.86.0.1"}
OTHER = "10.86.200.200"


def address(number):
    return f"10.86.{number // 200 + 1}.{number % 200 + 1}"


def text(count, middle):
    """`count` containers, of which the one in the middle has this address."""
    containers = {f"c{i}": {"n": {"ipv4_address": address(i)}} for i in range(count)}
    containers[f"c{count // 2}"]["n"]["ipv4_address"] = middle
    # Of the address alone: the MAC would be derived from it.
    containers[f"c{count // 2}"]["n"]["mac_address"] = "02:00:00:00:00:77"
    return document({"n": lan(**NET)}, containers)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    return f"{os.cpu_count()} x {model[1] if model else platform.machine()}, {platform.release()}"


def show(what, samples, minus=0):
    samples = sorted(sample / 1000 - minus for sample in samples)
    print(f"  {what:<44}{statistics.median(samples):8.2f}"
          f"{samples[math.ceil(len(samples) * 0.99) - 1]:8.2f}", flush=True)


class Rows:
    """Milliseconds of the service's processor time, for plot.py; printed as they are found."""

    def __init__(self, size):
        self.size, self.rows = size, []

    def add(self, what, samples):
        self.rows.append({"work": "service", "size": self.size, "program": what, "cpu": samples})
        print(f"  {'CPU: ' + what:<44}{statistics.median(samples):8.2f}{max(samples):8.2f}", flush=True)


CPUS = sorted(os.sched_getaffinity(0))


def react(host, options, count, kind, name, old, new, *more):
    """On a processor of its own, like the service: otherwise the scheduler decides which waits for
    the other."""
    done = host.run("taskset", "--cpu-list", str(CPUS[-1]), options.react, kind, f"/run/netns/{name}", "eth0",
                    str(count), old, new, "10.86.0.1", *more, code=0, seconds=120)
    return [float(line) for line in done.out.split()]


def drifts(host, options, count, *more):
    """Of ten containers in turn: a link that another program changes again and again is repaired with pauses
    (RETRY_REPAIRS of cmd/watch/backoff.h)."""
    samples = []
    for number in range(count // 2 - 5, count // 2 + 5):
        samples += react(host, options, options.count // 10, "drift", f"c{number}", address(number), address(number),
                         *more)
    return samples


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        found = file.read()
    return {key: int(value) for key, value in re.findall(r"^(\w+):\s+(\d+)", found, re.M)}


def cpu(pid):
    """Milliseconds of processor time of all threads."""
    spent = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            spent += int(file.read().split()[0])
    return spent / 1e6


def idle(service, seconds):
    """Its cost while nothing changes."""
    service.quiet(3, 120)
    keys, pid = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"), service.pid
    before, ticks = status(pid), cpu(pid)
    time.sleep(seconds)
    after = status(pid)
    print(f"  idle for {seconds} s: {sum(after[key] - before[key] for key in keys)} wake-ups, "
          f"{cpu(pid) - ticks:.1f} ms of CPU; RssAnon {after['RssAnon']} kB, "
          f"VmRSS {after['VmRSS']} kB", flush=True)


# --- what it costs: processor time of the service

def repair_costs(host, service, names, damage):
    """Of the repairs of these containers in turn, looks after them included: one that is damaged again and again is
    repaired with pauses."""
    samples = []
    service.quiet(3, 120)
    for name in names:
        spent = cpu(service.pid)
        host.batch(name, [damage(name)])
        host.until(lambda name=name: has_address(host, name), f"{name} is repaired", 20)
        time.sleep(0.1)
        samples.append(cpu(service.pid) - spent)
    return samples


def has_address(host, name):
    with host.inside(name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
        return bool(fcntl.ioctl(sock, SIOCGIFADDR, struct.pack("16s24x", b"eth0")))
    return False


def repairs(host, service, size, count, rows):
    names = [f"c{number % min(size, 100)}" for number in range(count)]
    rows.add(ADDRESS, repair_costs(host, service, names,
                                   lambda name: f"address delete {address(int(name[1:]))}/16 dev eth0"))
    rows.add(LINK, repair_costs(host, service, names, lambda _: "link delete eth0"))


SIOCGIFADDR, SIOCSIFFLAGS = 0x8915, 0x8914
IFF_UP = 1


def meanwhile(service, seconds, rate, once):
    """Its processor time in that many seconds in which something happens that often a second, and the rate reached."""
    service.quiet(3, 120)
    spent, begin, done = cpu(service.pid), time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds:
        if done < passed * rate:
            done += once(done)
        else:
            time.sleep(0.002)
    service.quiet(1, 120)
    return cpu(service.pid) - spent, done / seconds


def flap(host, service, name, seconds):
    """A container sets its loopback up and down without end."""
    with host.inside(name), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        def once(number):
            fcntl.ioctl(sock, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", number % 2 * IFF_UP))
            return 1
        return meanwhile(service, seconds, 90, once)


def unrelated(host, service, seconds):
    """Namespaces of other programs, each with a veth pair, come and go."""
    def once(number):
        names = [f"u{number + i}" for i in range(10)]
        host.batch("host", [f"netns add {name}" for name in names] +
                   [f"link add v0 netns {name} type veth peer name v1 netns {name}" for name in names] +
                   [f"netns delete {name}" for name in names])
        return len(names)
    return meanwhile(service, seconds, 100, once)


def disturbances(host, service, name, seconds, rows):
    for what, (spent, rate) in ((FLAP, flap(host, service, name, seconds)),
                                (UNRELATED, unrelated(host, service, seconds))):
        print(f"  {what}: {rate:.0f} a second for {seconds} s, {spent / seconds / 10:.2f} % of a processor", flush=True)
        rows.add(what, [spent * 10 / seconds])


# The rows of --json; the last two are of ten seconds.
ADDRESS, LINK = "an address was deleted", "a link was deleted"
FLAP, UNRELATED = "a loopback flaps", "unrelated namespaces"


def bench(options, count, rows):
    host = Host(options.binary)
    host.netns(*(f"c{i}" for i in range(count)))
    middle, name = address(count // 2), f"c{count // 2}"
    for file, which in (("old.yaml", middle), ("new.yaml", OTHER), ("network.yaml", middle)):
        os.makedirs("/run/files", exist_ok=True)
        host.write(text(count, which), file if file == "network.yaml" else f"../files/{file}")
    files = (f"{WORK}/network.yaml", "/run/files/old.yaml", "/run/files/new.yaml")
    print(f"\n{count} attachments, of which one changes{'':<8}median ms  99 % ms", flush=True)
    with watching(host, "-f", "network.yaml", "-q", seconds=120) as service:
        os.sched_setaffinity(service.pid, CPUS[:1])
        idle(service, options.idle)
        show("drift to repaired", drifts(host, options, count))
        followed = react(host, options, options.count, "file", name, middle, OTHER, *files)
        show("file change to converged", followed)
        show(f"the same without the {DEBOUNCE_MS} ms of quiet", followed, DEBOUNCE_MS)
        repairs(host, service, count, options.count, rows)
        disturbances(host, service, name, options.idle, rows)
    show("bare: the messages of the repair", drifts(host, options, count, "bare"))
    show("bare: the messages of the change", react(host, options, options.count, "file", name, middle, OTHER,
                                                   *files, "bare"))


def collected(options, size):
    """The rows of one size, measured in namespaces of its own."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        def body():
            rows = Rows(size)
            bench(options, size, rows)
            json.dump(rows.rows, file)
            file.flush()

        def entered():
            run.enter_namespaces(linux.CLONE_NEWPID)
            return run.with_own_proc(body)()
        if run.in_child(entered) != 0:
            sys.exit("bench: failed")
        file.seek(0)
        return json.load(file)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.path.join(HERE, "../../build/mvapply"))
    parser.add_argument("--react", default=os.path.join(HERE, "../../build/tests/bench/react"))
    parser.add_argument("--count", type=int, default=100, help="measurements of each")
    parser.add_argument("--idle", type=int, default=10, help="seconds")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("sizes", type=int, nargs="*", default=[10, 100, 1000, 3000])
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    options.react = os.path.abspath(options.react)
    print(f"mvapply watch on {machine()}", flush=True)
    found = []
    for size in options.sizes:
        found += collected(options, size)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"rows": found}, file)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
