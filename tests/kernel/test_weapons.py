"""Names and paths that lead, now or a moment later, to another place: never into the host's
namespace, never outside, and always with a clear refusal. More cases are in test_safety.py."""
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys

import linux
from declare import document, lan
from fake_engine import ID, Failure, Turns, engine, inspected
from faults import WHOLE
from host import same
from registry import test
from service import watching

ONE = document({"n": lan()}, {"web": ["n"]})


def at_path(path):
    return document({"n": lan()}, {"web": {"netns": path, "networks": ["n"]}})


def refused(host, text, *words):
    """A refusal with these words, or a pending container; nothing is changed, nothing hangs."""
    before = host.snapshot()
    done = host.mvapply("apply", "-f", host.write(text), code=4 if words else 0)
    for word in words:
        assert word in done.out + done.err, f"{word!r} is not said\n{done}"
    assert words or done.plan[0].startswith("pending web/n"), done
    same(host.snapshot(), before, f"after\n{done}")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


NO_NAMESPACES = [
    ("an ordinary file", lambda path: open(path, "w", encoding="ascii").write("net:[1]"),
     "not a network namespace"),
    ("a folder", os.mkdir, "not a network namespace"),
    ("a FIFO", os.mkfifo, "not a network namespace"),
    ("a socket", make_socket, "not a network namespace"),
    ("a symbolic link to the host's", lambda path: os.symlink("/proc/1/ns/net", path),
     "symbolic link"),
    ("a symbolic link to another's", lambda path: os.symlink("/run/netns/other", path),
     "symbolic link"),
    ("a symbolic link to itself", lambda path: os.symlink(path, path), "symbolic link"),
]


@test("weapons: a file that is no namespace, under a namespace's name", both=True)
def no_namespaces(host):
    host.netns("other")
    for what, make, words in NO_NAMESPACES:
        make("/run/netns/web")
        refused(host, ONE, words)
        os.rename("/run/netns/web", f"/run/{what}")


@test("weapons: a file that is no namespace, by its path")
def no_namespaces_by_path(host):
    for what, make, words in NO_NAMESPACES[:4]:
        make("/run/target")
        refused(host, at_path("/run/target"), words)
        os.rename("/run/target", f"/run/{what}")
    os.symlink("/proc/1/ns/net", "/run/to-the-host")
    refused(host, at_path("/run/to-the-host"), "the host's own network namespace")
    os.symlink("/run/nowhere", "/run/to-nowhere")
    refused(host, at_path("/run/to-nowhere"))
    os.symlink("/run/round", "/run/round")
    done = host.mvapply("apply", "-f", host.write(at_path("/run/round")), code=1)
    assert "symbolic links" in done.out + done.err, done


@test("weapons: other kinds of namespaces, and the host's, mounted under a name")
def bound_namespaces(host):
    for kind, words in (("uts", "not a network namespace"), ("ipc", "not a network namespace"),
                        ("user", "not a network namespace"), ("pid", "not a network namespace"),
                        ("net", "the host's own network namespace")):
        os.close(os.open("/run/netns/web", os.O_CREAT | os.O_RDONLY))
        linux.mount(f"/proc/self/ns/{kind}", "/run/netns/web", None, linux.MS_BIND)
        refused(host, ONE, words)
        linux.umount("/run/netns/web")
        os.unlink("/run/netns/web")


@test("weapons: one namespace under two names has the attachments of both, once each")
def two_names(host):
    host.netns("web")
    os.close(os.open("/run/netns/db", os.O_CREAT | os.O_RDONLY))
    linux.mount("/run/netns/web", "/run/netns/db", None, linux.MS_BIND)
    text = document({"n": lan(gateway=None)}, {
        "web": {"n": {"interface_name": "eth0"}}, "db": {"n": {"interface_name": "eth1"}}})
    host.apply(text)
    same({name: host.addresses("web", name) for name in host.names("web")},
         {"eth0": {"172.16.86.2/24"}, "eth1": {"172.16.86.3/24"}}, "links")
    host.unchanged(text)
    host.delete(text)
    same((host.names("web"), host.names("host")), (set(), {"eth0"}), "after delete")


FLIPPING = """import os
while True:
    for target in ("/proc/1/ns/net", "/run/netns/web", "/run/plain", "/run/netns/other"):
        os.symlink(target, "/run/new")
        os.rename("/run/new", "/run/flips")"""


@test("weapons: a path whose target changes continuously")
def flips(host):
    """The namespace that is verified is the one that is used, and it is never the host's."""
    host.netns("web", "other")
    with open("/run/plain", "w", encoding="ascii") as file:
        file.write("plain")
    os.symlink("/run/netns/web", "/run/flips")
    host.write(at_path("/run/flips"))
    unmanaged = host.snapshot("host", "lan")
    codes = {}
    churn = subprocess.Popen([sys.executable, "-c", FLIPPING])
    try:
        for _ in range(2000 if WHOLE else 80):
            done = host.mvapply("apply", "-f", "network.yaml", code=None)
            assert done.code in (0, 1, 4), done
            codes[done.code] = codes.get(done.code, 0) + 1
            same(host.snapshot("host", "lan"), unmanaged, f"the host after\n{done}")
    finally:
        churn.kill()
        churn.wait()
    assert codes.get(0) and codes.get(4), f"exit codes {codes}"
    os.unlink("/run/flips")
    os.symlink("/run/netns/web", "/run/flips")
    host.mvapply("apply", "-f", "network.yaml", code=0)
    same((host.names("web"), host.names("other"), host.names("host")), ({"eth0"}, set(), {"eth0"}),
         "links")


def reborn(host, pid, ns):
    """A process with that number, in that namespace."""
    with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as file:
        file.write(str(pid - 1))
    with host.inside(ns):
        child = subprocess.Popen(["sleep", "1000"])
    return child


def replaced(host, child, ns):
    """Ends the process, and puts another one with its number into that namespace; other processes
    may get the number first, which is tried again."""
    pid = child.pid
    child.kill()
    child.wait()
    for _ in range(1000):
        child = reborn(host, pid, ns)
        if child.pid == pid:
            return child
        child.kill()
        child.wait()
        with contextlib.suppress(ChildProcessError):  # a child of mvapply's that has ended
            os.waitpid(pid, os.WNOHANG)
    listed = host.run("ps", "-eLo", "pid,lwp,ppid,pgid,sid,stat,args").out
    raise AssertionError(f"the number {pid} cannot be had again, but {child.pid}:\n{listed}")


@test("weapons: a process id that is reused at once")
def pid_reuse(host):
    host.netns("web", "other")
    child = reborn(host, 3000, "web")
    host.write(document({"n": lan()}, {"c": {"pid": child.pid, "networks": ["n"]}}))
    unmanaged = host.snapshot("host", "lan")
    codes = {}
    try:
        for number in range(400 if WHOLE else 24):
            running = subprocess.Popen([host.binary, "apply", "-f", "network.yaml"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            child = replaced(host, child, ("host", "other", "host", "web")[number % 4])
            said = running.communicate()[0].decode()
            assert running.returncode in (0, 1, 4), said
            codes[running.returncode] = codes.get(running.returncode, 0) + 1
            same(host.snapshot("host", "lan"), unmanaged, f"the host after\n{said}")
        same(host.mvapply("apply", "-f", "network.yaml", code=0).code, 0, "exit code")
        same((host.names("web"), host.names("other")), ({"eth0"}, set()), "links in the end")
        child = replaced(host, child, "host")
        done = host.mvapply("apply", "-f", "network.yaml", code=4)
        assert "the host's own network namespace" in done.out + done.err, done
        same(host.snapshot("host", "lan"), unmanaged, "the host")
    finally:
        child.kill()
        child.wait()


@test("weapons: a container that is restarted during the query of its engine")
def engine_between(host):
    """The engine is queried again when the namespace is open; a change since then was another
    run."""
    host.netns("web", "other")
    path = host.write(document({"n": lan()}, {"c": {"docker": "app", "networks": ["n"]}}))
    with host.process("web") as pid, host.process("other") as later:
        one, other = inspected(pid), inspected(later, started="later")
        renamed = inspected(pid, name="app_old")
        for second in inspected(pid, started="later"), inspected(later), other, renamed, None:
            with engine({"/containers/app/json": one, f"/containers/{ID}/json": second}) as env:
                done = host.mvapply("apply", "-f", path, env=env)
            assert done.plan[0].startswith("pending c/n"), done
            same((host.names("web"), host.names("other")), (set(), set()), f"links after {second}")
        # Once its restarts have ended, its new run counts.
        fresh = inspected(later, started="later", ident=ID[::-1])
        for first, second, third in ((one, other, {}), (one, None, {f"/containers/{ID[::-1]}/json": fresh})):
            with engine({"/containers/app/json": Turns([first, fresh if third else other]),
                         f"/containers/{ID}/json": Turns([second, other]), **third}) as env:
                host.mvapply("apply", "-f", path, env=env)
                same((host.names("web"), host.names("other")), (set(), {"eth0"}), "links")
                host.mvapply("delete", "-f", path, env=env)


@test("weapons: a container that Podman removes during the query")
def removed_between(host):
    """Podman still has the name, or the id, but not the rest of it."""
    host.netns("web")
    path = host.write(document({"n": lan()}, {"c": {"podman": "app", "networks": ["n"]}}))
    failure = Failure(cause="no such container", response=500,
                      message=f"container {ID} does not exist in database: no such container")
    with host.process("web") as pid:
        for first, second in (failure, None), (inspected(pid), failure):
            with engine({"/containers/app/json": first, f"/containers/{ID}/json": second},
                        "CONTAINER_HOST") as env:
                done = host.mvapply("apply", "-f", path, env=env)
            assert done.plan[0].startswith("pending c/n"), done
            assert "[MV" not in done.out + done.err, done
            same(host.names("web"), set(), "links")


@test("weapons: a service whose process is replaced by one with the same id")
def pid_reuse_watched(host):
    host.netns("web", "other")
    child = reborn(host, 3000, "web")
    text = document({"n": lan()}, {"c": {"pid": child.pid, "networks": ["n"]}})
    unmanaged = host.snapshot("host", "lan")
    try:
        with watching(host, "-f", host.write(text)) as service:
            for ns in ("other", "host", "web") * 2:
                child = replaced(host, child, ns)
                service.send(signal.SIGHUP)
                if ns != "host":
                    service.until(lambda ns=ns: host.names(ns) == {"eth0"}, f"attached in {ns}")
                else:
                    service.until_says("the host's own network namespace")
                service.quiet()
                service.news()
                same(host.snapshot("host", "lan"), unmanaged, "the host")
    finally:
        child.kill()
        child.wait()


@test("weapons: a container's own files, by /proc/PID/root, refer to no other namespace")
def proc_root(host):
    """Its links are followed like others: to the host's namespace, which is refused."""
    host.netns("web")
    script = ("mount -t tmpfs evil /run && ln -s /proc/1/ns/net /run/host && mkfifo /run/fifo && "
              "ln -s /proc/self/ns/net /run/self && ln -s /run/netns/web /run/web && "
              "touch /run/ready && exec sleep 1000")
    child = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c", script])
    root = f"/proc/{child.pid}/root/run"
    try:
        host.until(lambda: os.path.exists(f"{root}/ready"), "its files")
        refused(host, at_path(f"{root}/host"), "the host's own network namespace")
        refused(host, at_path(f"{root}/self"), "the host's own network namespace")
        refused(host, at_path(f"{root}/fifo"), "not a network namespace")
        refused(host, at_path(f"/proc/{child.pid}/ns/mnt"), "not a network namespace")
        refused(host, at_path(f"/proc/{child.pid}/root"), "not a network namespace")
    finally:
        child.kill()
        child.wait()


@test("weapons: an owner tag that a container set on its own link")
def forged_owner_tag(host):
    """It affects only the container itself: the other one is attached, and the host's are kept. One
    is on a link of a third namespace that has the ifindex of the host's. A link with the
    container's own owner tag and another parent is taken for its attachment whose parent was moved
    away, and replaced."""
    host.netns("web", "db", "third")
    host.batch("web", ["link add fake type veth peer name peer0",
                       "link set fake alias mvapply:attach:default/n/db",
                       "link set peer0 alias mvapply:vlan:default",
                       "link add link peer0 name eth9 type macvlan",
                       "link set eth9 alias mvapply:attach:default/n/web"])
    number = host.link("host", "eth0")["ifindex"]
    host.batch("third", [f"link add deep index {number} type veth peer name peer1",
                         "link add link deep name eth8 type macvlan",
                         "link set eth8 alias mvapply:attach:default/n/gone",
                         "link set eth8 netns /run/netns/web"])
    forged = {name: host.link("web", name) for name in ("fake", "peer0", "eth8")}
    unmanaged = host.snapshot("host", "lan")
    text = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    same((host.addresses("web", "eth9"), host.addresses("db", "eth0")),
         ({"172.16.86.2/24"}, {"172.16.86.3/24"}), "addresses")
    same(host.link("web", "eth9")["link_index"], number, "the parent of the one that is replaced")
    assert "link_netnsid" in host.link("web", "eth9"), "its parent is in the container"
    same(host.snapshot("host", "lan"), unmanaged, "the host")
    host.unchanged(text)
    host.delete(text)
    same((host.names("db"), host.names("host")), (set(), {"eth0"}), "after delete")
    same({name: host.link("web", name) for name in host.names("web")}, forged, "the container's own")


# --- texts of an engine, and of processes that can name a namespace

STEERING = ["\ntouch /run/mark\n", "\x1b[2J\x1b]0;x\x07", "\u0085touch /run/mark", "\u2028touch /run/mark",
            "\u202etxet", "\ufeff", "\u061c", "\u2066", "$(touch /run/mark)", "`touch /run/mark`",
            "';touch /run/mark;'"]


def steering_name(words):
    return f"x{words.replace('/', '_')}y"


def clean(text):
    """Whether it has no control characters and no line ends except those of its own lines."""
    unseen = {*range(0x20), *range(0x7f, 0xa0), 0x61c, 0x200e, 0x200f, *range(0x2028, 0x202f),
              *range(0x2066, 0x206a), 0xfeff} - {0x0a}
    return not any(ord(character) in unseen for character in text)


def output_is_harmless(host, env=None):
    """All outputs of a plan are clean, and the commands have no other effect."""
    for argv in (["diff", "-v"], ["diff", "--max-delete=100%", "-o", "ip"], ["diff", "-o", "markdown"], ["graph"],
                 ["graph", "--format", "dot"], ["graph", "--format", "svg"], ["status"], ["doctor"]):
        done = host.run(host.binary, *argv, "-f", "network.yaml", env=env)
        assert clean(done.out) and clean(done.err), (argv, done)
        assert not any(line.startswith("touch") for line in (done.out + done.err).splitlines()), done
        if argv[-1] == "ip":
            host.run("sh", stdin=done.out.encode())
    assert not os.path.exists("/run/mark"), "what was in a name ran"


@test("weapons: an engine's texts execute nothing, and control no terminal")
def steering_engine(host):
    for words in STEERING:
        host.netns(steering_name(words))
    with host.process() as pid:
        answers = [answer for words in STEERING for answer in (
            inspected(pid, f"/run/netns/{steering_name(words)}", started="2026-01-01T00:00:00Z"),
            inspected(pid, words, started="2026-01-01T00:00:00Z"),
            inspected(pid, started=words), inspected(pid, ident=f"0123456789ab{words}"),
            Failure({"message": words}))]
        for number, answer in enumerate(answers):
            if "Name" in answer:
                answer["Name"] = f"app{number}"
        host.write(document({"n": lan()}, {f"c{number}": {"docker": f"app{number}", "networks": ["n"]}
                                           for number in range(len(answers))}))
        with engine({f"/containers/app{number}/json": answer
                     for number, answer in enumerate(answers)}) as env:
            output_is_harmless(host, env)


@test("weapons: a namespace's name executes nothing, and controls no terminal")
def steering_names(host):
    """Managed links that are to be deleted, with the commands for it, are in such namespaces."""
    host.write(document({"n": lan()}, {}))
    for number, words in enumerate(STEERING):
        name = steering_name(words)
        host.netns(name)
        host.ip("host", f"link add link eth0 name mv{number} type macvlan mode bridge")
        host.run("ip", "link", "set", f"mv{number}", "alias", f"mvapply:attach:default/n/c{number}", code=0)
        host.run("ip", "link", "set", f"mv{number}", "netns", name, code=0)
    output_is_harmless(host)
    for number, words in enumerate(STEERING):
        assert f"mv{number}" not in host.names(steering_name(words)), "the command did not work"


# --- pipes, the environment, names that sysctl splits, and where a plan is written

@test("weapons: a FIFO is refused by its name, and accepted as a descriptor's pipe")
def fifo(host):
    host.netns("web")
    for path in ("/dev/shm/mvapply-fifo", "/run/fifo", "/proc/self/cwd/fifo"):
        where = path.replace("/proc/self/cwd", os.getcwd())
        os.makedirs(os.path.dirname(where), exist_ok=True)
        os.mkfifo(where)
        end = os.open(where, os.O_RDWR)
        try:
            os.write(end, ONE.encode())
            done = host.mvapply("apply", "-f", path, code=3)
            assert "is a FIFO, not a file" in done.err, done
        finally:
            os.close(end)
            os.unlink(where)
    same(host.names("web"), set(), "untouched")
    for path in ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"):
        same(len(host.mvapply("diff", "-f", path, stdin=ONE.encode(), code=2).plan), 1, path)
    same(host.run("bash", "-c", f"{host.binary} diff -f <(cat)", stdin=ONE.encode()).code, 2, "<(cat)")


COMMANDS = {
    "apply": "apply --dry-run -f network.yaml", "diff": "diff -f network.yaml", "import": "import docker",
    "graph": "graph -f network.yaml", "confirm": "confirm", "watch": "watch -f -",
    "status": "status -f network.yaml", "delete": "delete --dry-run -f network.yaml",
    "validate": "validate -f network.yaml", "doctor": "doctor -f network.yaml", "schema": "schema",
    "explain": "explain mtu", "export": "export", "help": "help", "complete": "complete -- d",
    "hook": "hook -f network.yaml", "cni": "cni", "netavark": "netavark info",
    "docker-plugin": "docker-plugin -f absent/network.yaml --help"}


@test("weapons: no variable of the environment suppresses a failure")
def environment(host):
    host.netns("web")
    host.write(ONE)
    same({line.split("\t")[0] for line in host.mvapply("complete", "--", "").out.splitlines()},
         set(COMMANDS), "the commands")
    wrong = [["bound"], ["deconfig"], ["bound", "x"], ["deconfig", "x"], ["renew", "diff"]]
    for argv in [text.split() for text in COMMANDS.values()] + wrong:
        usual = host.run(host.binary, *argv)
        assert usual.out + usual.err, argv
        for value in ("", "0", "1", "bound"):
            done = host.run(host.binary, *argv, env={"MVAPPLY_DHCP_EVENT": value})
            same((done.code, done.out, done.err), (usual.code, usual.out, usual.err), f"{value!r} {argv}")
    same(host.run(host.binary, "bound", env={"MVAPPLY_DHCP_EVENT": "1"}).code, 3, "an event")
    # Also by the script's name, but only with exactly its events.
    for argv in [text.split() for text in COMMANDS.values()] + wrong[2:]:
        usual = host.run("bash", "-c", 'exec -a /proc/self/fd/9 "$0" "$@"', host.binary, *argv)
        done = host.run("bash", "-c", 'exec -a /proc/self/fd/9 "$0" "$@"', host.binary, *argv,
                        env={"MVAPPLY_DHCP_EVENT": "1"})
        same((done.code, done.out, done.err), (usual.code, usual.out, usual.err), argv)


@test("weapons: the ip commands set the declared values, for any link name")
def sysctl_names(host):
    for number, name in enumerate(("a=b", "a.b", "a;b", "$(x)", "a`b", "a'b", "-n", "a\\b", "é")):
        host.netns(f"w{number}")
        host.write(document({"n": lan()}, {f"w{number}": {"n": {
            "interface_name": name, "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}}}))
        done = host.mvapply("diff", "-o", "ip", "-f", "network.yaml", code=2)
        host.run("sh", "-e", stdin=done.out.encode(), code=0)
        same(host.sysctl(f"w{number}", f"net/ipv4/conf/{name}/rp_filter"), "2", name)
        same(host.mvapply("delete", "-f", "network.yaml").code, 0, "deleted")


@test("weapons: a saved plan is synchronised before its rename, and the rename after it")
def plan_synced(host):
    host.netns("web")
    host.write(ONE)
    os.mkdir("folder")
    for out, folder in (("plan.json", "."), ("folder/plan.json", "folder"), ("/run/plan.json", "/run")):
        done = host.run("strace", "-y", "-qq", "-o", "trace", "-e",
                        "trace=open,openat,write,writev,fsync,rename,renameat,renameat2", host.binary, "diff",
                        "-f", "network.yaml", "--out", out,
                        env={"ASAN_OPTIONS": "detect_leaks=0"})
        same(done.code, 2, f"the exit code\n{done}")
        with open("trace", encoding="utf-8") as file:
            calls = file.read().splitlines()
        [new] = [line for line in calls if "O_EXCL" in line]
        assert "0600" in new, new
        path = re.search(r"<([^<>]*)>$", new)[1]
        ends = [(line.split("(")[0].removesuffix("at").removesuffix("at2"),
                 re.search(r"<(.*?)>", line)[1] if "<" in line else None)
                for line in calls[calls.index(new):] if line.startswith(("fsync", "rename"))]
        same([name for name, _ in ends], ["fsync", "rename", "fsync"], "the calls")
        same((ends[0][1], ends[2][1]), (path, os.path.realpath(folder)), "what is synced")
        names = [line.split("(")[0].removesuffix("v") for line in calls if f"<{path}>" in line]
        same(names[-2:], ["write", "fsync"], "what is done to it last")
    # A disk that refuses it: no plan, and no remaining file.
    os.unlink("plan.json")
    done = host.run("strace", "-qq", "-o", "trace", "-e", "trace=fsync", "-e",
                    "inject=fsync:error=EIO:when=1", host.binary, "diff", "-f", "network.yaml", "--out", "plan.json",
                    env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.code == 1 and "cannot write plan.json" in done.err and "[MV0901]" in done.err, done
    same([name for name in os.listdir(".") if "plan.json" in name], [], "what is left")


@test("weapons: a saved plan follows no symbolic link, and is readable by its owner alone")
def plan_file(host):
    host.netns("web")
    host.write(ONE)
    with open("/run/precious", "w", encoding="ascii") as file:
        file.write("precious")
    os.symlink("/run/precious", "plan.json")
    os.umask(0)
    host.mvapply("diff", "-f", "network.yaml", "--out", "plan.json", code=2)
    with open("/run/precious", encoding="ascii") as file:
        same(file.read(), "precious", "what the link led to")
    status = os.lstat("plan.json")
    same((oct(status.st_mode), status.st_nlink), ("0o100600", 1), "the plan")
    host.mvapply("apply", "plan.json")
    host.mvapply("diff", "-f", "network.yaml", "--out", "/nowhere/plan.json", code=1)
    os.mkdir("folder")
    host.mvapply("diff", "-f", "network.yaml", "--out", "folder", code=1)
    done = host.mvapply("diff", "-q", "-f", "network.yaml", "--out", "/dev/stdout", code=0)
    assert '"mvapply_plan"' in done.out, done
    same(sorted(name for name in os.listdir(".") if "tmp" in name), [], "what is left")
