"""`lxc:` with the real LXC, a container of busybox that is made offline; `incus:` with the same monitor under the
names that Incus gives to liblxc, without Incus. The command socket is also bound by others."""
import contextlib
import subprocess

from declare import document, lan
from host import same
from intruder import become_nobody
from lxc_container import ADDRESS, made
from registry import test
from service import restarts, watching

BINDS = """import socket, struct, sys, time
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.bind("\\0/var/lib/lxc/web/command")
server.listen()
print("ready", flush=True)
while True:
    client = server.accept()[0]
    client.recv(16)
    if sys.argv[2] == "0":
        time.sleep(1000)
    client.sendall(struct.pack("iiq", 0, 0, int(sys.argv[1]))[:int(sys.argv[2])])
    client.close()
"""


def text(kind="lxc", source="web"):
    return document({"n": lan(ip_range="172.16.86.0/25")}, {"web": {kind: source, "networks": ["n"]}})


@contextlib.contextmanager
def bound(host, pid, *wrapper, before=None, size=16):
    """Another process has the socket, and answers with that many bytes of LXC's answer, with a pid; 0: never."""
    with host.inside("host"):
        child = subprocess.Popen([*wrapper, "/usr/bin/python3", "-c", BINDS, str(pid), str(size)], stdout=subprocess.PIPE,
                                 preexec_fn=before)
    try:
        same(child.stdout.readline(), b"ready\n", "the socket's owner")
        yield
    finally:
        child.kill()
        child.wait()


@test("lxc: a container is attached, and stays so; delete removes its link", seconds=60)
def plain(host):
    with made(host) as web:
        host.apply(text())
        same(web.attached, True, "the container's link, its address and MAC address")
        host.unchanged(text())
        host.delete(text())
        same(host.names("web"), set(), "its links after delete")
        web.stop()
        same(host.diff(text(), code=0).plan, ['pending web/n LXC container "web" is not running'], "stopped")


@test("lxc: the commands of `diff -o ip` attach it, too", seconds=60)
def as_commands(host):
    with made(host) as web, made(host, "db", "/run/more") as db:
        for container, source in ((web, "web"), (db, "/run/more/db")):
            host.run("sh", "-e", stdin=host.diff(text(source=source), "-o", "ip").out.encode(), code=0)
            same(container.attached, True, source)
            host.unchanged(text(source=source))


@test("lxc: a start, a restart and an end under watch", seconds=120)
def restarted(host):
    with made(host) as web:
        @contextlib.contextmanager
        def run():
            web.start()
            yield
            web.stop()
        web.stop()
        restarts(host, text(), run, lambda: web.attached, 'LXC container "web" is not running')


@test("lxc: a namespace that outlives its container is not taken for the next one's", seconds=120)
def outlived(host):
    with made(host) as web:
        with watching(host, "-f", host.write(text())) as service:
            service.until(lambda: web.attached, "the container is attached", 20)
            host.hold("old", f"/proc/{web.pid}/ns/net")
            web.stop()
            web.start()
            service.until(lambda: web.attached, "the next one is attached", 20)
            same(host.names("old"), set(), "the old namespace's links")


@test("lxc: the socket of an unprivileged user, or of root without capabilities, is refused", seconds=60)
def squatted(host):
    host.netns("victim")
    with host.process("victim") as pid:
        before = host.snapshot()
        for wrapper, preexec, owner in (((), become_nobody, "of user"),
                                        (("setpriv", "--bounding-set=-all", "--"), None,
                                         "without CAP_NET_ADMIN here")):
            with bound(host, pid, *wrapper, before=preexec):
                result = host.apply(text(), code=4)
                same("LXC's command socket @/var/lib/lxc/web/command belongs to process" in result.out and
                     owner in result.out and "MV0701" in result.out, True, str(result))
                same(host.snapshot(), before, "the host and the victim")


@test("lxc: a process in the host's namespace, or none, in the place of the container's", seconds=60)
def wrong(host):
    with bound(host, 2 ** 31 - 2):
        same(host.diff(text(), code=0).plan, ['pending web/n LXC container "web" is starting or stopping'], "no process")
    with bound(host, -1):
        same(host.diff(text(), code=0).plan, ['pending web/n LXC container "web" is not running'], "a negative one")
    with made(host, network="none"):
        host.until(lambda: "is starting" not in host.mvapply("diff", "-f", host.write(text()), code=None).out, "started")
        result = host.apply(text(), code=4)
        same("lxc web is the host's own network namespace [MV0702]" in result.out, True, str(result))


@test("lxc: a monitor that does not answer, or not as LXC does", seconds=60)
def silent(host):
    with bound(host, 1, size=7):
        result = host.mvapply("diff", "-f", host.write(text()), code=None)
        same("LXC's command socket @/var/lib/lxc/web/command: invalid answer" in result.out, True, str(result))
    with bound(host, 1, size=0):
        result = host.mvapply("diff", "-f", host.write(text()), code=None, seconds=5)
        same("no answer within a second" in result.out, True, str(result))


@test("incus: an instance by the name that Incus gives to liblxc, with LXC's own monitor", seconds=60)
def instances(host):
    for name, sources in (("web", ("web", "default/web")), ("shop_web", ("shop/web",))):
        with made(host, name, "/var/lib/incus/containers"):
            for source in sources:
                host.apply(text("incus", source))
                same((host.names(name), host.addresses(name, "eth0")), ({"eth0"}, {ADDRESS}), source)
                host.delete(text("incus", source))
        same(host.diff(text("incus", sources[0]), code=0).plan,
             [f'pending web/n Incus container "{sources[0]}" is not running'], name)
