"""Hostile DHCP clients, as if a host on the LAN had taken one over: scripts that are found before the real
one."""
import contextlib
import os
import re
import select
import signal
import subprocess
import time

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from service import watching

NET = lan(dhcp=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})
LEASE = "echo LEASE ip=172.16.86.50 mask=24 router=172.16.86.1 lease=120"


def client(host, script):
    """The environment in which the script is the client."""
    os.makedirs("/run/work/clients", exist_ok=True)
    path = f"/run/work/{host.write(f'#!/bin/sh{chr(10)}{script}{chr(10)}', 'clients/udhcpc')}"
    os.chmod(path, 0o755)
    return {"PATH": f"/run/work/clients:{os.environ['PATH']}"}


def inside(host, ns="web"):
    """The clients in the namespace, and their child processes."""
    found, inode = [], os.fstat(host.spaces[ns]).st_ino
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
            if os.stat(f"/proc/{pid}/ns/net").st_ino == inode and \
                    file.read().strip() in ("udhcpc", "sleep"):
                found.append(int(pid))
    return found


def helper_of(pid):
    """The broker process that the process with that number forked, or None."""
    for other in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{other}/stat", encoding="ascii") as file:
            name, rest = file.read().split("(")[1].rsplit(") ", 1)
            if name == "mvapply-dhcp" and rest.split()[1] == str(pid):
                return int(other)
    return None


@test("dhcp client: a process that it leaves behind blocks nothing, and its group is ended")
def left_behind(host):
    host.netns("web")
    begun = time.monotonic()
    done = host.apply(TEXT, env=client(host, f"sleep 45 & {LEASE}"))
    assert time.monotonic() - begun < 10 * host.patience, time.monotonic() - begun
    same(done.plan[0].split(" dhcp")[0], "+ attach web/n eth0", "the plan")
    same(host.addresses("web", "eth0"), {"172.16.86.50/24"}, "the address")
    host.until(lambda: not inside(host), "nothing of it is left")


@test("dhcp client: one that does not end is killed after 20 s, also if it has closed its output",
      seconds=60)
def endless(host):
    host.netns("web")
    begun = time.monotonic()
    done = host.apply(TEXT, code=1, seconds=40,
                      env=client(host, "exec >&- 2>&-; trap '' TERM; sleep 45"))
    assert 19 < time.monotonic() - begun < 20 + 10 * host.patience, time.monotonic() - begun
    assert "[MV0916]" in done.err, done
    same(inside(host), [], "what is left of it")


@test("dhcp client: killed when the requesting process has ended, and does not keep the namespace")
def abandoned(host):
    host.netns("web", "db")
    text = document({"n": NET}, {"web": ["n"], "db": ["n"]})
    with watching(host, "-f", host.write(text), converged=False,
                  env=client(host, "exec sleep 45")) as running:
        running.until(lambda: inside(host) and inside(host, "db"), "the clients run")
        host.write(document({"n": NET}, {"db": ["n"]}))
        running.until(lambda: not inside(host), "the client ends")
        assert inside(host, "db"), "the other one goes on"


@test("dhcp client: an invalid lease is distinguished from a failure of the client")
def unfit(host):
    host.netns("web")
    for script, reported in (
            ("ip=172.16.86.50 mask=1 lease=120", "its subnet is larger than a /8"),
            ("ip=172.16.86.50 lease=120", "it has no subnet mask (option 1)"),
            ("ip=172.16.86.50 mask=24", "it has no lease time (option 51)"),
            ("ip=172.16.86.50 mask=24 lease=29", "it is for less than 30 s")):
        done = host.apply(TEXT, code=1, env=client(host, f"echo LEASE {script}"))
        assert f"web/n: invalid DHCP lease: {reported}: eth0 in namespace web has no " \
            "IPv4 address [MV0918]" in done.err, done
        same((host.addresses("web", "eth0"), host.routes("web")), (set(), set()), script)
    done = host.apply(TEXT, code=1, env=client(host, "exit 3"))
    assert "the DHCP client failed: it exited with code 3 and without a message: eth0" in done.err, done


@test("dhcp client: a compromised one writes, renames and removes no file, and has no rtnetlink")
def taken_over(host):
    host.netns("web")
    os.makedirs("/run/open")
    os.chmod("/run/open", 0o777)
    with open("/run/open/kept", "w", encoding="ascii"):
        pass
    os.chmod("/run/open/kept", 0o666)
    script = "cd /run/open; echo x >made; echo x >>kept; mv kept moved; rm -f kept; mkdir folder; " \
        f"ln -s / link; ip link set eth0 mtu 1000; {LEASE}"
    host.apply(TEXT, env=client(host, script))
    same({name: os.stat(f"/run/open/{name}").st_size for name in os.listdir("/run/open")}, {"kept": 0},
         "the files")
    same(host.addresses("web", "eth0"), {"172.16.86.50/24"}, "the address")
    same(host.link("web", "eth0")["mtu"], 1500, "the link")


@test("dhcp client: a router that is no host address of the subnet is ignored")
def no_router(host):
    host.netns("web")
    host.apply(TEXT, env=client(host, LEASE.replace("86.1 ", "86.255 ")))
    same(host.addresses("web", "eth0"), {"172.16.86.50/24"}, "the address")
    same(host.routes("web"), {"172.16.86.0/24 dev eth0 scope link src 172.16.86.50"}, "routes")
    host.unchanged(TEXT)


@test("dhcp client: the broker process has the capabilities that it needs; its end ends the service")
def helper_ends(host):
    host.netns("web")
    with serving(host), watching(host, "-f", host.write(TEXT)) as running:
        running.until(lambda: host.addresses("web", "eth0"), "the address")
        helper = helper_of(running.pid)
        with open(f"/proc/{helper}/status", encoding="ascii") as file:
            status = dict(re.findall(r"^(\w+):\t(.*)$", file.read(), re.MULTILINE))
        # KILL, SETGID, SETUID, NET_BIND_SERVICE, NET_RAW, SYS_ADMIN
        same(int(status["CapPrm"], 16), sum(1 << bit for bit in (5, 6, 7, 10, 13, 21)), "rights")
        same((status["CapInh"], status["NoNewPrivs"]), ("0" * 16, "1"), "what it can get")
        same(status["Seccomp"], "2", "a filter of system calls")
        os.kill(helper, signal.SIGKILL)
        same(running.process.wait(10 * host.patience), 1, "the service's exit code")
        assert any("the DHCP broker process has ended, so the service stops" in line
                   and "[MV0917]" in line for line in running.log()), running.everything()
        running.process.returncode = 0
    with watching(host, "-f", host.write(TEXT), converged=False,
                  env=client(host, "exec sleep 45")) as running:
        host.ip("web", "link del eth0")
        running.until(lambda: inside(host), "the client runs")
        os.kill(helper_of(running.pid), signal.SIGKILL)
        host.until(lambda: not inside(host), "the client ends with the helper")
        running.process.wait(10 * host.patience)
        running.process.returncode = 0


@test("dhcp client: a broker process that cannot start, or cannot drop its capabilities, is reported")
def no_helper(host):
    host.netns("web")
    for calls, error, reported in (
            ("clone,clone3,fork,vfork", "EAGAIN",
             "the DHCP broker cannot be started: Resource temporarily unavailable"),
            ("capset", "EPERM", "the DHCP broker cannot drop its capabilities: Operation not permitted")):
        done = host.run("strace", "-f", "-qq", "-o", "trace", "-e", f"trace={calls}", "-e",
                        f"inject={calls}:error={error}:when=1", host.binary, "apply", "-f",
                        host.write(TEXT), env={"ASAN_OPTIONS": "detect_leaks=0"}, seconds=60)
        same(done.code, 1, f"the exit code\n{done}")
        assert f"the DHCP client failed: {reported}: eth0 in namespace web has no" in done.err, done


@test("dhcp client: the broker process ends with a killed apply, also before a confirmation")
def helper_of_confirm(host):
    host.netns("web")
    with serving(host), subprocess.Popen(
            [host.binary, "apply", "-f", host.write(TEXT), "--confirm=600"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            host.until(lambda: "eth0" in host.names("web") and host.addresses("web", "eth0"),
                       "the address", 20)
            helper = os.pidfd_open(helper_of(child.pid))
        finally:
            child.kill()
        ended, _, _ = select.select([helper], [], [], 5 * host.patience)
        os.close(helper)
        host.until(lambda: host.run(host.binary, "confirm").code == 0, "it can be confirmed")
        assert ended, "the helper goes on"


@test("dhcp client: an absent server is waited for once, and not for each of its leases")
def gone(host):
    names = [f"c{number}" for number in range(70)]
    host.netns(*names)
    text = document({"n": NET, "m": NET}, {name: ["n"] for name in names} | {"c0": ["n", "m"]})
    release = 'case "$*" in *" -R "*) echo no lease; exit 1; esac'
    env = client(host, f"{release}; {LEASE}") | {"ASAN_OPTIONS": "detect_leaks=0"}
    host.apply(text, env=env, seconds=60)
    # A client cannot write a file to show that it was run.
    done = host.run("strace", "-f", "-v", "-qq", "-o", "trace", "-e", "trace=execve", host.binary,
                    "delete", "-f", host.write(text), env=env, seconds=60)
    same(done.code, 0, f"the exit code\n{done}")
    same(done.err.count("expires instead of being released: no DHCP server answered"), 71,
         "what is told")
    same(set().union(*(host.names(name) for name in names)), set(), "links")
    with open("trace", encoding="utf-8") as file:
        asked = sum('"-R"' in line and "clients/udhcpc" in line for line in file)
    assert 32 <= asked <= 33, f"{asked} clients were run"


@test("dhcp client: a container that restarts during a request gets its link and a new request")
def anew(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), converged=False,
                  env=client(host, "exec sleep 45")) as running:
        for _ in range(5):
            first, *_ = running.until(lambda: inside(host), "the client runs")
            host.remove_netns("web")
            host.netns("web")
            running.until(lambda: "eth0" in host.names("web"), "the link is made")
            # It would keep the namespace, and the MAC with it.
            running.until(lambda first=first: not os.path.exists(f"/proc/{first}"), "its end")


@test("dhcp client: a drift of another container, which the service plans alone, does not end a request")
def beside(host):
    host.netns("web", "db")
    text = document({"n": NET, "m": lan(subnet="10.8.0.0/16", gateway=None)}, {
        "web": ["n"], "db": {"m": {"ipv4_address": "10.8.0.2"}}})
    with watching(host, "-f", host.write(text), converged=False, env=client(host, "exec sleep 45")) as running:
        requests = running.until(lambda: inside(host), "the client runs")
        for command in ("address delete 10.8.0.2/16 dev eth0", "link delete eth0"):
            running.until(lambda: "db" in host.spaces and host.addresses("db", "eth0") == {"10.8.0.2/16"}, "attached")
            running.quiet(0.3)
            host.ip("db", command)
            running.until(lambda: "eth0" in host.names("db") and host.addresses("db", "eth0") == {"10.8.0.2/16"}, "repaired")
            running.quiet(0.3)
            same(inside(host), requests, ("the requests after", command))


@test("dhcp client: descriptors inherited from the caller do not collide with its own")
def inherited(host):
    host.netns("web")
    file, env = host.write(TEXT), client(host, LEASE)
    for count in range(9):
        opened = " ".join(f"{number}</dev/null" for number in range(3, 3 + count))
        done = host.run("bash", "-c", f"exec {opened}; exec \"$@\"", "bash", host.binary, "apply", "-f",
                        file, env=env)
        same((done.code, host.addresses("web", "eth0")), (0, {"172.16.86.50/24"}),
             f"with {count} more files: {done}")
        host.delete(TEXT, env=env)
