#!/usr/bin/env python3
"""How fast mvapply is, compared with the minimum that any program needs and with the tools in use.
Each round runs every program once, in turn, on the same namespaces, and checks the kernel's state
afterwards; ratios are those of one round. Prints a table; --json keeps everything, for plot.py."""
import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile

import stage
from programs import PROGRAMS

HERE = os.path.dirname(os.path.abspath(__file__))
LARGE = 1000  # from this size on, works that take minutes are run once
THREADS = (8, 32, 128, 256)  # of the floor's deletes: the best counts


class Results:
    """Samples of milliseconds, by work, size and program."""

    def __init__(self):
        self.rows = {}

    def add(self, work, size, program, spent):
        row = self.rows.setdefault((work, size, program), {"wall": [], "cpu": [], "kib": []})
        for key, value in zip(("wall", "cpu", "kib"), spent):
            row[key].append(value)

    def listed(self):
        return [{"work": work, "size": size, "program": program, **row}
                for (work, size, program), row in self.rows.items()]


# --- the works; each does one round

def apply_pass(at, programs, results, turn):
    order = programs[turn % len(programs):] + programs[:turn % len(programs)]
    for program in order:
        if turn and at.size >= LARGE and not program.patient:
            continue
        at.reset()
        results.add("apply", at.size, program.name, program.apply(at))
        at.check(at.size, program.same_state, type(program).link)


def nothing_round(at, _programs, results, turn):
    def floor():
        results.add("nothing", at.size, "floor", at.floor("look")[0])

    def mvapply():
        results.add("nothing", at.size, "mvapply", at.mvapply("apply", "-q", "-f", at.file)[0])
    at.reset()
    at.floor("apply")
    for one in (floor, mvapply) if turn % 2 else (mvapply, floor):
        one()
    at.check(at.size, True)


def added_round(at, _programs, results, _turn):
    """The last attachment is new; the difference to an observation of all is its cost."""
    last = at.size - 1
    at.reset()
    at.floor("apply", 0, last)
    results.add("added", at.size, "floor", at.floor("apply", last)[0])
    at.floor("delete", last)
    fewer = at.declare("fewer.yaml", last) if last else None
    if fewer:
        results.add("added", at.size, "the look", at.mvapply("apply", "-q", "-f", fewer)[0])
    results.add("added", at.size, "mvapply", at.mvapply("apply", "-q", "-f", at.file)[0])
    at.check(at.size, True)


def check_addresses(at, expected):
    """Of the first and the last attachment."""
    for number in (0, at.size - 1):
        stage.same(at.host.addresses(f"c{number}", "eth0"), {expected(number)}, "address")
        at.host.unread(f"c{number}")


def widened_round(at, _programs, results, turn):
    """The network's prefix gets one bit shorter. The floor observes, too, as another program has to."""
    wider = at.declare("wider.yaml", at.size, subnet="10.86.0.0/15")

    def floor():
        look, widen = at.floor("look")[0], at.floor("widen")[0]
        results.add("widened", at.size, "floor", [sum(both) for both in zip(look, widen)])

    def mvapply():
        results.add("widened", at.size, "mvapply", at.mvapply("apply", "-q", "-f", wider)[0])
    for one in (floor, mvapply) if turn % 2 else (mvapply, floor):
        at.reset()
        at.floor("apply")
        one()
        check_addresses(at, lambda number: f"{stage.address(number)}/15")


def renumbered_round(at, _programs, results, turn):
    """The network gets another subnet, and by it each attachment another address and MAC. Beside the way of those who
    delete all and create it again."""
    def numbered(subnet):
        return at.declare("renumbered.yaml", at.size, subnet=f"10.{subnet}.0.0/16", gateway=f"10.{subnet}.0.1",
                          address=lambda number: stage.address(number, subnet))

    def in_place():
        file = numbered(87)
        results.add("renumbered", at.size, "mvapply", at.mvapply("apply", "-q", "-f", file)[0])
        check_addresses(at, lambda number: f"{stage.address(number, 87)}/16")

    def again():
        delete = at.mvapply("delete", "-q", "-f", at.file)[0]
        apply = at.mvapply("apply", "-q", "-f", numbered(88))[0]
        results.add("renumbered", at.size, "mvapply, delete and apply", [sum(both) for both in zip(delete, apply)])
        check_addresses(at, lambda number: f"{stage.address(number, 88)}/16")
    if turn and at.size >= LARGE:
        return
    for one in (in_place, again) if turn % 2 else (again, in_place):
        at.reset()
        at.floor("apply")
        one()


def delete_round(at, _programs, results, turn):
    def floor(threads):
        results.add("delete", at.size, f"floor, {threads} threads",
                    at.floor("delete", threads=threads)[0])

    def mvapply(_):
        results.add("delete", at.size, "mvapply", at.mvapply("delete", "-q", "-f", at.file)[0])
    runs = [(floor, threads) for threads in THREADS if threads <= 2 * at.size] + [(mvapply, None)]
    for one, threads in runs[turn % len(runs):] + runs[:turn % len(runs)]:
        at.reset()
        at.floor("apply")
        one(threads)
        at.check(0, True)


def unlink_round(at, _programs, results, turn):
    """A network that has a VLAN link of its own is removed."""
    def floor():
        return at.spent(at.options.floor, "unlink", "eth0.1")[0]

    def mvapply():
        return at.mvapply("delete", "-q", "-f", at.file)[0]
    runs = [("floor", floor), ("mvapply", mvapply)]
    for name, one in runs if turn % 2 else runs[::-1]:
        at.reset()
        at.floor("apply")
        results.add("delete with its VLAN", at.size, name, one())
        at.check(0, True)
        stage.same("eth0.1" in at.host.names("host"), False, "the VLAN link is there")


def restorers(programs):
    """Those whose only way to restore or to change an attachment is to delete and to create it again."""
    return [program for program in programs if program.name in ("ip -batch", "CNI macvlan")]


def repaired_round(at, programs, results, _turn):
    """The link of the last attachment is deleted. Only mvapply finds it: the scripts of the others name it."""
    last = at.size - 1
    at.reset()
    at.floor("apply")
    at.floor("delete", last)
    results.add("repaired", at.size, "mvapply", at.mvapply("apply", "-q", "-f", at.file)[0])
    at.check(at.size, True)
    for program in restorers(programs):
        results.add("repaired", at.size, program.name, program.again(at, [last]))
        at.check(at.size, False)


def again_round(at, programs, results, turn):
    """All attachments are deleted and created again."""
    for program in restorers(programs):
        if turn and at.size >= LARGE:
            continue
        at.reset()
        program.apply(at)
        results.add("again", at.size, program.name, program.again(at, range(at.size)))
        at.check(at.size, False)


WORKS = {"apply": apply_pass, "nothing": nothing_round, "added": added_round,
         "widened": widened_round, "renumbered": renumbered_round, "repaired": repaired_round,
         "again": again_round, "delete": delete_round}


def bench_size(options, size, results):
    """All works on namespaces of one number. Run it in namespaces of its own."""
    at = stage.Stage(options, size, options.vlans)
    programs = [program for program in PROGRAMS if not program.missing() and
                program.takes(size, options.vlans) and
                program.name in (options.programs or [program.name])]
    for program in programs:
        program.prepare(at)
    works = WORKS if options.vlans != 1 else {**WORKS, "unlink": unlink_round}
    for turn in range(options.rounds if size < 2000 else min(options.rounds, 3)):
        for name, work in works.items():
            if not options.works or name in options.works:
                work(at, programs, results, turn)


def bench_docker(options, size, results):
    import docker
    at = stage.Stage(options, 1)
    for spent in docker.connects(at.host, size, options.rounds):
        results.add("apply", size, "Docker macvlan", (spent, 0, 0))


def collected(work, *arguments):
    """Runs it in namespaces of its own, and returns the rows that it found."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows")
        # Open beforehand: the host of the work covers /run, and may not be able to read this
        # folder.
        file = os.open(path, os.O_RDWR | os.O_CREAT)

        def body():
            results = Results()
            work(*arguments, results)
            os.write(file, json.dumps(results.listed()).encode())
            return 0
        if stage.entered(body) != 0:
            sys.exit("bench: failed")
        with open(path, encoding="utf-8") as rows:
            return json.load(rows)


def planned(options):
    """Reading, checking and planning alone, without the kernel: milliseconds of processor time,
    KiB."""
    done = subprocess.run([options.plan, *map(str, options.plans)], check=True, capture_output=True)
    rows = [[float(field) for field in line.split()] for line in done.stdout.splitlines()]
    return [{"size": int(size), "read": read / 1000, "plan": plan / 1000, "kib": int(kib)}
            for size, read, plan, kib in rows]


# --- reports

def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = re.search(r"(?:model name|host)\s*: (.*)", file.read())
    return {"processors": os.cpu_count(), "model": model[1] if model else platform.machine(),
            "kernel": platform.release(), "load": os.getloadavg()[0]}


def spread(values, unit):
    return (f"{statistics.median(values):10.2f} {unit:<2} "
            f"({min(values):.2f} to {max(values):.2f})")


def floors(rows):
    """The floor's samples for each work and size: the fastest if there are several."""
    best = {}
    for row in rows:
        key = row["work"], row["size"]
        if row["program"].startswith("floor") and (
                key not in best or
                statistics.median(row["wall"]) < statistics.median(best[key]["wall"])):
            best[key] = row
    return best


def ratios(row, floor, key="wall"):
    return [mine / max(theirs, 0.001) for mine, theirs in zip(row[key], floor[key])]


def table(found):
    at, rows = found["machine"], found["rows"]
    yield (f"{at['processors']} x {at['model']}, Linux {at['kernel']}, load {at['load']:.1f}; "
           "medians, with the least and the most")
    best, last = floors(rows), None
    for row in sorted(rows, key=lambda row: (list(WORKS).index(row["work"]) if row["work"] in WORKS
                                             else len(WORKS), row["size"])):
        key = row["work"], row["size"]
        if key != last:
            yield f"\n{row['work']}, {row['size']}"
            last = key
        line = f"  {row['program']:<20}{spread(row['wall'], 'ms')}"
        if row["cpu"][0]:
            line += f"{statistics.median(row['cpu']):10.1f} ms CPU"
        if row["kib"][0]:
            line += f"{statistics.median(row['kib']):8.0f} KiB"
        if key in best and row is not best[key]:
            line += f"   x {statistics.median(ratios(row, best[key])):.2f} of the floor"
            if row["cpu"][0]:
                line += f", CPU x {statistics.median(ratios(row, best[key], 'cpu')):.2f}"
        yield line


def plan_table(rows):
    yield "\nread and check, and plan; no kernel"
    for row in rows:
        yield (f"  {row['size']:<20}{row['read']:10.2f} + {row['plan']:.2f} ms CPU"
               f"{row['kib']:10} KiB")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    build = os.path.join(HERE, "../../build")
    parser.add_argument("--binary", default=f"{build}/mvapply")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--vlans", type=int, default=0,
                        help="so many VLAN links carry the attachments; 1: its deletion, too")
    parser.add_argument("--works", nargs="*", help=f"of {', '.join(WORKS)}, unlink; all if absent")
    parser.add_argument("--programs", nargs="*", help="of the first apply; all if absent")
    parser.add_argument("--docker", type=int, nargs="*", default=[], help="sizes with a dockerd")
    parser.add_argument("--plans", type=int, nargs="*", default=[], help="sizes to plan alone")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("sizes", type=int, nargs="*", default=[1, 10, 100, 1000, 5000])
    options = parser.parse_args()
    options.binary = os.path.abspath(options.binary)
    folder = os.path.join(os.path.dirname(options.binary), "tests/bench")
    options.floor, options.spent, options.plan = (f"{folder}/{name}"
                                                  for name in ("floor", "spent", "plan"))
    return options


def main():
    options = arguments()
    found = {"machine": machine(), "vlans": options.vlans, "rows": []}
    for program in PROGRAMS:
        if program.missing():
            print(f"bench: without {program.name}: {program.missing()} is not there")
    for size in options.sizes:
        print(f"bench: {size} attachments", file=sys.stderr)
        found["rows"] += collected(bench_size, options, size)
    for size in options.docker:
        print(f"bench: Docker, {size} attachments", file=sys.stderr)
        found["rows"] += collected(bench_docker, options, size)
    print("\n".join(table(found)))
    if options.plans:
        found["plans"] = planned(options)
        print("\n".join(plan_table(found["plans"])))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(found, file)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
