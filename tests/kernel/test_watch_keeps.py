"""A set that a running service keeps: an apply or delete of it says so first, a second service is refused,
and what a one-off apply attached besides is removed."""
import socket

from declare import document, lan
from host import same
from registry import test
from service import watching

ONE = document({"n": lan()}, {"web": ["n"]})
TWO = document({"n": lan()}, {"web": ["n"], "extra": ["n"]})
OTHER = document({"n": lan()}, {"db": ["n"]}, name="other")
LINE = 'mvapply: warning: process {} (mvapply watch -f network.yaml) keeps the set "default" as its own ' \
    "files say, and undoes what differs from them"


@test("watch keeps: an apply and a delete of the set say so first, others do not", both=True)
def said_first(host):
    host.netns("web", "extra", "db")
    host.write(TWO, "two.yaml")
    host.write(OTHER, "other.yaml")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        done = host.mvapply("apply", "-f", "two.yaml", code=0)
        assert done.err.startswith(LINE.format(service.pid)), done
        service.until(lambda: not host.names("extra"), "what its files do not name is removed")
        done = host.mvapply("delete", "-f", "two.yaml", code=0)
        assert done.err.startswith(LINE.format(service.pid)), done
        service.until(lambda: host.routes("web"), "attached again")
        same(host.mvapply("apply", "-f", "other.yaml", code=0).err, "", "of another set")
        same(host.mvapply("diff", "-f", "two.yaml", code=2).err, "", "of a diff")
        service.quiet()
        same((host.names("db"), host.names("extra")), ({"eth0"}, set()), "links")
    same(host.mvapply("apply", "-f", "two.yaml", code=0).err, "", "once it has ended")


@test("watch keeps: a second service on the set is refused, and takes no such file later")
def second_refused(host):
    host.netns("web", "db")
    with watching(host, "-f", host.write(ONE)) as service:
        done = host.run(host.binary, "watch", "-f", "network.yaml", code=4)
        assert f'the set "default" is kept by process {service.pid} (mvapply watch -f network.yaml)' in \
            done.err, done
        same(host.routes("web") != set(), True, "the first goes on")


@test("watch keeps: who is not root has the name, and nothing comes of it")
def squatted(host):
    host.netns("web")
    with host.inside("host"):
        thief = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        thief.bind("\0mvapply-watch/default")
    with watching(host, "-f", host.write(ONE)) as service:
        service.settle()
        same(host.mvapply("apply", "-f", "network.yaml", code=0).err, "", "an apply")
        assert any("cannot take the name" in line for line in service.log()), service.log()
    thief.close()
