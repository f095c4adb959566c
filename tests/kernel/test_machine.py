"""`machine: NAME` with state files that the test writes in the form of systemd-machined's. Neither systemd nor systemd-nspawn runs
here: tests/systemd has both."""
import contextlib
import os

from declare import document, lan
from host import same
from registry import test
from service import restarts

TEXT = document({"n": lan(ip_range="172.16.86.0/25")}, {"web": {"machine": "web-1", "networks": ["n"]}})
FOLDER = "/run/systemd/machines"
PENDING = ['pending web/n machine "web-1" is not running']
ATTACHED = ({"eth0"}, {"172.16.86.2/24"})


def machine(pid, name="web-1", user=None, owner=0):
    """The file as systemd 252 writes it; with `user`, as 258 does."""
    os.makedirs(FOLDER, exist_ok=True)
    with open(f"{FOLDER}/.#new", "w", encoding="ascii") as file:
        file.write("# This is private data. Do not parse.\n" + f"NAME={name}\n" +
                   (f"UID={user}\n" if user is not None else "") +
                   f"SCOPE=machine-{name}.scope\nSERVICE=nspawn\nROOT=/var/lib/machines/LEADER=1\nLEADER={pid}\nCLASS=container\n"
                   'REALTIME=1\nMONOTONIC=1\nNETIF="3 4"\n')
    os.chown(f"{FOLDER}/.#new", owner, owner)
    os.rename(f"{FOLDER}/.#new", f"{FOLDER}/{name}")
    link = f"{FOLDER}/unit:machine-{name}.scope"
    if not os.path.lexists(link):
        os.symlink(name, link)


def links(host, name):
    return host.names(name), host.addresses(name, "eth0")


@test("machine: attached by its leader, also as systemd 258 writes it; delete removes the link")
def plain(host):
    same(host.diff(TEXT, code=0).plan, PENDING, "no machine")
    host.netns("web")
    with host.process("web") as pid:
        for user in (None, 0):
            machine(pid, user=user)
            host.apply(TEXT)
            same(links(host, "web"), ATTACHED, "attached")
            host.unchanged(TEXT)
            host.delete(TEXT)
            same(host.names("web"), set(), "after delete")


@test("machine: a user's, a file of a user, and a link in place of the file")
def untrusted(host):
    host.netns("web")
    with host.process("web") as pid:
        for options, owner in (({"user": 1000}, "1000"), ({"user": "0x"}, "0x"), ({"owner": 65534}, "65534")):
            machine(pid, **options)
            result = host.apply(TEXT, code=4)
            same(f'machine "web-1" belongs to user {owner}' in result.out and "MV0701" in result.out, True, str(result))
        os.unlink(f"{FOLDER}/web-1")
        machine(pid, "other")
        os.symlink("other", f"{FOLDER}/web-1")
        result = host.mvapply("diff", "-f", host.write(TEXT), code=None)
        same("/run/systemd/machines/web-1: Too many levels of symbolic links" in result.out, True, str(result))
        same(host.names("web"), set(), "the links")


@test("machine: no leader, an ended one, and the host's namespace", seconds=60)
def wrong(host):
    for pid, why in (("", "is not running"), ("-1", "is not running"), (2 ** 22 + 1, "is starting or stopping")):
        machine(pid)
        same(host.diff(TEXT, code=0).plan, [f'pending web/n machine "web-1" {why}'], str(pid))
    with host.process("host") as pid:
        machine(pid)
        host.until(lambda: "is starting" not in host.mvapply("diff", "-f", host.write(TEXT), code=None).out, "started")
        result = host.apply(TEXT, code=4)
        same("machine web-1 is the host's own network namespace [MV0702]" in result.out and
             "hint: start it with --private-network" in result.out, True, str(result))


@test("machine: a restart under watch", seconds=60)
def restarted(host):
    @contextlib.contextmanager
    def run():
        with host.process_held("web") as pid:
            machine(pid)
            yield
        os.unlink(f"{FOLDER}/web-1")
    restarts(host, TEXT, run, lambda: links(host, "web") == ATTACHED, 'machine "web-1" is not running')
