"""`mvapply docker-plugin` as a test runs it: without systemd, so that it can be killed and started again, but with
the unit's capabilities alone."""
import contextlib
import http.client
import json
import os
import signal
import subprocess

import engines
import linux
from host import WORK
from units import DOCKER, capabilities

SOCKET = "/run/docker/plugins/mvapply.sock"
# As Docker names its network, and the plugin the addresses of `lan` in the set `default`.
NETWORK, POOL = "5" * 64, "default/lan/172.16.86.0/24"


class Plugin:
    """A plugin that reads the file at `path`."""
    def __init__(self, host, path):
        self.host, self.path, self.process, self.tracer = host, path, None, []
        self.kept = capabilities(DOCKER)
        self.log = f"{WORK}/plugin.log"

    def begin(self):
        with open(self.log, "ab") as log, self.host.inside("host"):
            self.process = subprocess.Popen(
                [*self.tracer, self.host.binary, "docker-plugin", "-f", self.path], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**os.environ, "DOCKER_HOST": f"unix://{WORK}/docker/engine.sock"},
                preexec_fn=lambda: linux.keep_capabilities(self.kept))
        self.host.until(self.answers, "the plugin answers")

    def answers(self):
        if self.process.poll() is not None:
            with open(self.log, encoding="utf-8") as log:
                raise AssertionError(f"the plugin ended: {log.read()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.call("NetworkDriver.GetCapabilities")

    def call(self, method, **body):
        """What it answers, as Docker would ask."""
        connection = engines.Connection(SOCKET)
        connection.request("POST", f"/{method}", json.dumps(body))
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def text(self):
        """Its messages."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        self.kill()
        self.begin()


def runs(pid):
    """Whether it is a process of a plugin, and no zombie, which has no command line."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")[1:2] == [b"docker-plugin"]
    return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def processes(host):
    """The ids of the plugin's processes in the host's namespace."""
    with host.inside("host"):
        own = os.stat("/proc/self/ns/net").st_ino
    found = set()
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with contextlib.suppress(OSError):
            if runs(pid) and os.stat(f"/proc/{pid}/ns/net").st_ino == own:
                found.add(pid)
    return found


@contextlib.contextmanager
def plugged(host, path, tracer=()):
    """A running plugin; `tracer`: the words in front of its command."""
    plugin = Plugin(host, path)
    plugin.tracer = tracer
    plugin.begin()
    try:
        yield plugin
    finally:
        plugin.kill()
