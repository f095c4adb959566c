#!/usr/bin/env python3
"""How fast `mvapply watch` repairs and follows, and what it costs meanwhile. All in one run, on a
host of its own, compared with a program that sends the same netlink messages and observes
nothing."""
import argparse
import math
import os
import platform
import re
import statistics
import sys
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


def show_cost(pid, ticks, reactions):
    print(f"  CPU of the service for each repair, looks after it included{'':<8}"
          f"{(cpu(pid) - ticks) * 10 / reactions:8.2f} ms", flush=True)


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
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def idle(service, seconds):
    """Its cost while nothing changes."""
    service.quiet(3, 120)
    keys, pid = ("voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"), service.pid
    before, ticks = status(pid), cpu(pid)
    time.sleep(seconds)
    after = status(pid)
    print(f"  idle for {seconds} s: {sum(after[key] - before[key] for key in keys)} wake-ups, "
          f"{(cpu(pid) - ticks) * 10} ms of CPU; RssAnon {after['RssAnon']} kB, "
          f"VmRSS {after['VmRSS']} kB", flush=True)


def flap(host, service, name, seconds):
    """A container that sets its loopback up and down without end, 30 times a second."""
    service.quiet(3, 120)
    ticks = cpu(service.pid)
    changes, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        host.batch(name, ["link set lo down", "link set lo up"])
        changes += 2
        time.sleep(0.06)
    service.quiet(1, 120)
    spent = (cpu(service.pid) - ticks) * 10
    print(f"  {changes} changes of a container's loopback in {seconds} s: {spent} ms of CPU, "
          f"{spent / seconds / 10:.1f} % of a processor", flush=True)


def bench(options, count):
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
        ticks = cpu(service.pid)
        show("drift to repaired", drifts(host, options, count))
        show_cost(service.pid, ticks, options.count)
        followed = react(host, options, options.count, "file", name, middle, OTHER, *files)
        show("file change to converged", followed)
        show(f"the same without the {DEBOUNCE_MS} ms of quiet", followed, DEBOUNCE_MS)
        flap(host, service, name, options.idle)
    show("bare: the messages of the repair", drifts(host, options, count, "bare"))
    show("bare: the messages of the change", react(host, options, options.count, "file", name, middle, OTHER,
                                                   *files, "bare"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.path.join(HERE, "../../build/mvapply"))
    parser.add_argument("--react", default=os.path.join(HERE, "../../build/tests/bench/react"))
    parser.add_argument("--count", type=int, default=100, help="measurements of each")
    parser.add_argument("--idle", type=int, default=10, help="seconds")
    parser.add_argument("sizes", type=int, nargs="*", default=[10, 100, 1000])
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    options.react = os.path.abspath(options.react)
    print(f"mvapply watch on {machine()}", flush=True)

    def one(size):
        def body():
            bench(options, size)

        def entered():
            run.enter_namespaces(linux.CLONE_NEWPID)
            return run.with_own_proc(body)()
        return run.in_child(entered)
    return max(one(size) for size in options.sizes)


if __name__ == "__main__":
    sys.exit(main())
