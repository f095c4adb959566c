"""The CNI plugin killed with SIGKILL before any system call of an ADD: the runtime's DEL leaves nothing, and the
next ADD attaches the container."""
import contextlib
import json
import os

from declare import document, lan
from faults import STRIDE, WHOLE, killed
from host import WORK, same
from registry import test

FILE = f"{WORK}/cni.yaml"
CALLS = "all" if WHOLE else "sendto,sendmsg,write,setns"
POD = {"db": {"cni": "default/db", "networks": ["lan"]}}


class Killed:
    """One container of a runtime that is as `args` say."""

    def __init__(self, host, args):
        self.host = host
        self.stdin = json.dumps({"cniVersion": "1.1.0", "name": "lan", "type": "mvapply", "files": FILE}).encode()
        self.env = {"CNI_CONTAINERID": "id", "CNI_IFNAME": "eth0", "CNI_NETNS": "/run/netns/web", "CNI_ARGS": args}

    def call(self, command, **env):
        self.host.run(self.host.binary, "cni", stdin=self.stdin, env={**self.env, "CNI_COMMAND": command, **env}, code=0)

    def killed(self, command, number):
        return killed(self.host, number, CALLS, "cni", stdin=self.stdin, env={**self.env, "CNI_COMMAND": command})


def reap():
    """Orphans of the test's own process namespace: the programs look at each process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def each_call(host, args, text):
    host.netns("web")
    host.write(text, "cni.yaml")
    plugin = Killed(host, args)
    nothing = host.snapshot("host", "web")
    plugin.call("ADD")
    wanted = host.addresses("web", "eth0"), host.routes("web"), host.link("web", "eth0")["ifalias"]
    plugin.call("DEL")
    total = plugin.killed("ADD", 0)
    plugin.call("DEL")
    number, made = 1, 0
    while plugin.killed("ADD", number):
        made += "eth0" in host.names("web")
        plugin.call("DEL", **({"CNI_NETNS": ""} if number % 3 == 0 and "cni" not in text else {}))
        same(host.snapshot("host", "web"), nothing, f"DEL after a kill before call {number} of {total} of ADD")
        plugin.call("ADD")
        same((host.addresses("web", "eth0"), host.routes("web"), host.link("web", "eth0")["ifalias"]), wanted,
             f"ADD after a kill before call {number} of {total} of ADD")
        plugin.call("DEL")
        reap()
        number += STRIDE
    assert number > total - 10 and 0 < made < number, f"killed {number} times of {total}, {made} with a link"
    print(f"killed {number} times")


@test("cni killed: the ADD of a guest, before each call", seconds=3600 if WHOLE else 0)
def guest(host):
    each_call(host, "", document({"lan": lan(ip_range="172.16.86.0/25")}, {}))


@test("cni killed: the ADD of a declared pod, before each call", seconds=3600 if WHOLE else 0)
def declared(host):
    each_call(host, "K8S_POD_NAMESPACE=default;K8S_POD_NAME=db",
              document({"lan": lan(ip_range="172.16.86.0/25")}, POD))
