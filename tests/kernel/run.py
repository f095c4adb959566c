#!/usr/bin/env python3
"""Runs the tests that need a real kernel, each on a host of its own: see host.py.

One line a test, and last 'N passed, N failed'. The log of each test is kept in BUILD/kernel/."""
import argparse
import fnmatch
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import features  # noqa: E402
import linux  # noqa: E402
from host import Host  # noqa: E402
from registry import TESTS  # noqa: E402

# A command that fails on a kernel without the kind of link.
PROBES = {
    "vlan": "link add link probe name probe.1 type vlan id 1",
    "ipvlan": "link add link probe name probe.2 type ipvlan",
    "dummy": "link add probe.3 type dummy",
    "bridge": "link add probe.4 type bridge",
    "macvlan": "link add link other name probe.5 type macvlan",
    "vrf": "link add probe.7 type vrf table 7",
    "vcan": "link add probe.8 type vcan",
    "macvtap": "link add link other name probe.6 type macvtap",
}


def enter_namespaces(kinds):
    """Creates namespaces for this process; works without root."""
    user, group = os.getuid(), os.getgid()
    if user != 0:
        linux.unshare(linux.CLONE_NEWUSER)
        for path, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{path}", "w", encoding="ascii") as file:
                file.write(text)
    linux.unshare(kinds | linux.CLONE_NEWNS | linux.CLONE_NEWNET)


def in_child(function):
    """Runs it in a child; returns its exit code."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            linux.die_with_parent()
            code = function() or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def with_own_proc(function):
    """In a pid namespace, with its own /proc."""
    def first():
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("proc", "/proc", "proc")
        return function()
    return lambda: in_child(first)


def probe_kernel():
    """The kinds of link of this kernel, and {feature: whether it has it} (features.py)."""
    read, write = os.pipe()

    def look():
        enter_namespaces(0)
        subprocess.run(["ip", "link", "add", "probe", "type", "veth", "peer", "name", "other"],
                       check=True)
        found = [kind for kind, command in PROBES.items()
                 if subprocess.run(["ip", *command.split()], check=False,
                                   stderr=subprocess.DEVNULL).returncode == 0]
        os.write(write, json.dumps([found, features.probe()]).encode())

    if in_child(look) != 0:
        sys.exit("run.py: cannot make a network namespace of its own here: run it as root, or "
                 "allow unprivileged user namespaces")
    os.close(write)
    kinds, present = json.loads(os.read(read, 4096))
    return set(kinds), present


def run_test(test, options, log):
    """In a child of the runner: the test's output goes to its log."""
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)

    def body():
        try:
            test.function(Host(options.binary, options.patience,
                               {name: options.features[name] for name in test.features}))
            return 0
        except Exception as error:
            traceback.print_exc()
            print(f"\n{type(error).__name__}: {error}" if not isinstance(error, AssertionError)
                  else f"\nfailed: {error}", flush=True)
            return 1

    enter_namespaces(linux.CLONE_NEWPID)
    return with_own_proc(body)()


def start(test, options):
    path = os.path.join(options.logs, test.name.replace("/", "_").replace(" ", "_") + ".log")
    log = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o644)
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(ours)
            os.set_inheritable(theirs, False)
            linux.die_with_parent()
            code = run_test(test, options, log)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(log)
    os.close(theirs)
    return {"pid": pid, "test": test, "log": path, "end": ours, "start": time.monotonic()}


def finish(job, code, reason=None):
    """Prints the test's line; returns whether it passed."""
    name, spent = job["test"].name, time.monotonic() - job["start"]
    if code == 0 and reason is None:
        print(f"ok      {name} ({spent:.1f} s)", flush=True)
        return True
    with open(job["log"], encoding="utf-8", errors="replace") as file:
        said = file.read().strip()
    if reason is None:
        at = said.rfind("\nfailed: ")
        reason = said[at + 9:] if at >= 0 else said[-3000:] or f"exit code {code}"
    print(f"not ok  {name} ({spent:.1f} s)", flush=True)
    for line in reason.splitlines()[:60]:
        print(f"        {line}", flush=True)
    return False


def patience(job, options):
    return max(options.seconds, job["test"].seconds) * options.patience


def run_all(tests, options, jobs):
    """Returns those that failed."""
    waiting, running, failed = list(tests), {}, []
    while waiting or running:
        while waiting and len(running) < jobs:
            job = start(waiting.pop(0), options)
            running[job["end"]] = job
        ready = select.select(list(running), [], [], 0.5)[0]
        late = [job["end"] for job in running.values()
                if time.monotonic() - job["start"] > patience(job, options)]
        for end in set(ready) | set(late):
            job, reason = running.pop(end), None
            if end not in ready:
                reason = f"ran out of time ({patience(job, options)} s)"
                os.kill(job["pid"], signal.SIGKILL)
            os.close(end)
            code = os.waitstatus_to_exitcode(os.waitpid(job["pid"], 0)[1])
            if not finish(job, code, reason):
                failed.append(job["test"])
    return failed


def run_twice(tests, options):
    """Runs tests that failed in parallel once more, alone, and reports that: the engines and
    user-mode Linux can keep a small machine so busy that a test exceeds its time. Returns how many
    failed then."""
    failed = run_all(tests, options, options.jobs)
    if not failed or options.jobs == 1:
        return len(failed)
    print(f"again, alone, the {len(failed)} that failed beside others:", flush=True)
    return len(run_all(failed, options, 1))


def select_tests(options):
    """The tests of this run, and those that this kernel cannot run."""
    wanted = [test for test in TESTS
              if not options.only
              or any(fnmatch.fnmatch(test.name, f"*{only}*") for only in options.only)]
    wanted = [test for test in wanted
              if not any(fnmatch.fnmatch(test.name, f"*{without}*")
                         for without in options.without)]
    if options.second_kernel:
        wanted = [test for test in wanted if test.needs or test.both]
    if options.dependent:
        wanted = [test for test in wanted if test.features]
    if options.shard:
        number, count = map(int, options.shard.split("/"))
        wanted = wanted[number - 1::count]
    options.kinds, options.features = probe_kernel()
    if "macvlan" not in options.kinds:
        sys.exit("run.py: this kernel has no macvlan: modprobe macvlan")
    able = [test for test in wanted if options.kinds.issuperset(test.needs)]
    return able, [test for test in wanted if test not in able]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default=os.path.join(HERE, "../../build/mvapply"))
    parser.add_argument("--only", action="append", metavar="PATTERN",
                        help="run the tests with this in their name; repeats")
    parser.add_argument("--without", action="append", metavar="PATTERN", default=[],
                        help="leave out the tests with this in their name; repeats")
    parser.add_argument("--list", action="store_true", help="only list the tests")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--seconds", type=float, default=120, help="a test may take this long")
    parser.add_argument("--patience", type=float, default=1,
                        help="by how much this machine is slower than a real one")
    parser.add_argument("--second-kernel", action="store_true",
                        help="only what the first kernel may have left out, and the tests that "
                             "are for both; what cannot run here counts as failed")
    parser.add_argument("--dependent", action="store_true",
                        help="only the tests whose expectation depends on a feature of the kernel")
    parser.add_argument("--stride", type=int, default=1, metavar="N",
                        help="of the faults before each call, message or answer only each Nth: for a slow machine")
    parser.add_argument("--kernel", metavar="FILE", help="write what the kernel has to this file, as JSON")
    parser.add_argument("--shard", metavar="I/N", help="only the Ith of N parts")
    parser.add_argument("--logs", help="a folder for the tests' logs")
    options = parser.parse_args()
    options.logs = options.logs or os.path.join(os.path.dirname(os.path.abspath(options.binary)),
                                                "kernel")
    if options.dependent:
        os.environ["SHORT"] = "1"  # for test_model.py and test_counts.py
    os.environ["STRIDE"] = str(options.stride)  # for faults.py
    for file in sorted(os.listdir(HERE)):
        if file.startswith("test_") and file.endswith(".py"):
            importlib.import_module(file[:-3])
    able, unable = select_tests(options)
    if options.list:
        for test in able + unable:
            print(f"{test.name}{'  needs ' + ', '.join(test.needs) if test.needs else ''}")
        return 0
    os.makedirs(options.logs, exist_ok=True)
    if options.kernel:
        with open(options.kernel, "w", encoding="ascii") as file:
            json.dump({"features": options.features, "missing": sorted(set(PROBES) - options.kinds)}, file)
    gc.freeze()  # the tests' processes share these objects, and need not collect them
    failed = run_twice(able, options)
    passed = len(able) - failed
    if options.second_kernel:
        for test in unable:
            print(f"not ok  {test.name}: this kernel lacks one of {', '.join(test.needs)}")
        failed += len(unable)
    elif unable:
        print(f"{len(unable)} more need kinds of link that this kernel lacks; they are part of "
              f"`make uml`: {', '.join(sorted({need for test in unable for need in test.needs} - options.kinds))}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
