"""`mvapply watch` as a test runs it: started, supervised as by systemd, traced by strace, ended."""
import contextlib
import datetime
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
import time

from host import SANITIZER, same

# Not in the folder that it watches: its changes would be events.
HERE = "/run/service"

# The system calls to trace. strace names the messages of sockets that were created in its own
# namespace.
CALLS = "sendmsg,sendto,setns"
TYPE = re.compile(r"nlmsg_type=(\w+)")
WRITES = {"RTM_NEWLINK": "new link", "0x10": "new link", "RTM_DELLINK": "delete link",
          "0x11": "delete link", "RTM_SETLINK": "set link", "0x13": "set link",
          "RTM_NEWADDR": "new address", "0x14": "new address", "RTM_DELADDR": "delete address",
          "0x15": "delete address", "RTM_NEWROUTE": "new route", "0x18": "new route",
          "RTM_DELROUTE": "delete route", "0x19": "delete route"}
# As strace shows SOCK_DIAG_BY_FAMILY of the search for the lock where it does not know the socket's protocol: it has the
# number of RTM_NEWADDR, which is never as short.
SOCKETS_DUMP = "nlmsg_len=36, nlmsg_type=0x14"
START = re.compile(r"(?:<5>)?started mvapply ")
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")


class Trace:
    """The service's system calls: strace's lines."""
    def __init__(self):
        self.lines = []

    def calls(self, name):
        return [line for line in self.lines if re.search(rf"\b{name}\(", line)]

    def entered(self, ns):
        """How often the service entered the namespace with that name."""
        return sum(f"/run/netns/{ns}>" in line for line in self.calls("setns"))

    @property
    def writes(self):
        """The netlink messages that change something, in their order: ["new address", ...]."""
        return [WRITES[kind] for line in self.lines if SOCKETS_DUMP not in line
                for kind in TYPE.findall(line) if kind in WRITES]

    @property
    def dumps(self):
        """How often links were listed."""
        return self.dumps_outside(None)

    def dumps_outside(self, ns):
        """Those in other namespaces than the one with that name."""
        count, inside = 0, False
        for line in self.lines:
            if "setns(" in line:
                inside = f"/run/netns/{ns}>" in line
            count += not inside and sum(kind in ("RTM_GETLINK", "0x12") for kind in TYPE.findall(line))
        return count


class Service:
    """A running service. `notes` has its messages to NOTIFY_SOCKET, `log` its log."""
    def __init__(self, host, *arguments, env=None, before=None, notify=True):
        os.makedirs(HERE, exist_ok=True)
        self.host, self.arguments = host, arguments
        self.path = f"{HERE}/service.log"
        self.notes, self.seen, self.process = [], 0, None
        self.arrived, self.arrival, self.over = [], threading.Condition(), False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{HERE}/notify")
        self.socket.bind(f"{HERE}/notify")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.env = {**os.environ, "NOTIFY_SOCKET": f"{HERE}/notify" if notify else "",
                    **(env or {})}
        self.before = before

    def begin(self):
        with open(self.path, "wb") as log, open(f"{HERE}/service.out", "wb") as out, \
                self.host.inside("host"):
            self.process = subprocess.Popen([self.host.binary, "watch", *self.arguments],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                            env=self.env, preexec_fn=self.before)

    @property
    def pid(self):
        return self.process.pid

    # --- its output

    def whole_log(self):
        """All lines of the log, without the time, including the parts after a line break."""
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return [TIME.sub("", line.rstrip("\n")) for line in file]

    def log(self):
        """The same without the line of the start."""
        return [line for line in self.whole_log() if not START.match(line)]

    def times(self, words):
        """The times at which it wrote each line with the words, in seconds."""
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return [datetime.datetime.fromisoformat(line[:23]).timestamp() for line in file
                    if words in line and TIME.match(line)]

    def news(self):
        """The lines of the log since the last call."""
        lines = self.log()
        fresh, self.seen = lines[self.seen:], len(lines)
        return fresh

    def output(self):
        with open(f"{HERE}/service.out", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        return [line for line in lines if not START.match(line["message"])]

    def _receive(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                self.arrived.append(self.socket.recv(4096, socket.MSG_DONTWAIT).decode())
        return self.arrived

    def _read(self):
        """The socket's queue has little room (net.unix.max_dgram_qlen); further messages are
        lost."""
        poll = select.poll()  # select(2) knows 1,024 descriptors, and a host has one for each namespace
        poll.register(self.socket, select.POLLIN)
        while not self.over:
            if poll.poll(100):
                with self.arrival:
                    self._receive()
                    self.arrival.notify()

    def note(self, seconds=10):
        """The next datagram that it sends to systemd; fails if none arrives."""
        with self.arrival:
            if not self.arrival.wait_for(self._receive, seconds * self.host.patience):
                raise AssertionError("the service tells systemd nothing\n" + self.everything())
            self.notes.append(self.arrived.pop(0))
        return self.notes[-1]

    def drain(self):
        """Its messages to systemd meanwhile."""
        with self.arrival:
            self.notes += self._receive()
            self.arrived = []

    def close(self):
        self.over = True
        self.reader.join()
        self.socket.close()

    def everything(self):
        return "--- the service's log\n" + "\n".join(self.log()) + \
            "\n--- to systemd\n" + "\n".join(self.notes[-5:]) + "\n---"

    # --- waiting

    def until(self, holds, what, seconds=10):
        """As Host.until, with the log where it fails."""
        def alive():
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with {self.process.returncode}")
            return holds()
        try:
            return self.host.until(alive, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.everything()}") from None

    def until_says(self, words, seconds=10):
        """Waits for a line of the log that news() has not returned yet."""
        def says():
            self.drain()
            return any(words in line for line in self.log()[self.seen:])
        self.until(says, f"the log says {words!r}", seconds)

    def ticks(self):
        """How often it was scheduled, and for how long: constant while it sleeps."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            status = file.read()
        return re.findall(r"ctxt_switches:\s+(\d+)", status)

    def quiet(self, seconds=0.3, limit=20):
        """Waits until it has slept for that long: all events are processed."""
        end = time.monotonic() + limit * self.host.patience
        before, since = self.ticks(), time.monotonic()
        while time.monotonic() - since < seconds * self.host.patience:
            time.sleep(0.02)
            now = self.ticks()
            if now != before:
                before, since = now, time.monotonic()
            if since > end:
                raise AssertionError("the service does not come to rest\n" + self.everything())
        self.drain()

    def settle(self):
        """The same, after all events of the kernel about new links and IPv6 addresses."""
        self.host.settle()
        for ns in self.host.spaces:
            self.until(lambda ns=ns: not any(item.get("tentative") for link in
                                             self.host.links(ns).values()
                                             for item in link["addr_info"]), f"{ns} settles")
        self.quiet()
        self.news()

    # --- its system calls

    @contextlib.contextmanager
    def traced(self, calls=CALLS):
        """Its system calls, until it sleeps again after the action."""
        self.settle()
        path, trace = f"{HERE}/strace", Trace()
        strace = subprocess.Popen(["strace", "-f", "-y", "-v", "-s", "100000", "-e", f"trace={calls}",
                                   "-e", "signal=none", "-o", path, "-p", str(self.pid)],
                                  stderr=subprocess.PIPE)
        strace.stderr.readline()  # "strace: Process 4711 attached"
        try:
            yield trace
            self.quiet()
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate()
        with open(path, encoding="utf-8", errors="replace") as file:
            trace.lines = file.read().splitlines()

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGTERM, code=0):
        """Ends it by a signal, and checks how it ended."""
        self.send(number)
        got = self.process.wait(10 * self.host.patience)
        text = "\n".join(self.log())
        if SANITIZER.search(text):
            raise AssertionError("a sanitizer complains\n" + text)
        same(got, code, f"the service's exit code\n{self.everything()}\n")


@contextlib.contextmanager
def watching(host, *arguments, converged=True, seconds=10, **options):
    """A service on the files named, after its first observation."""
    service = Service(host, *arguments, **options)
    service.begin()
    try:
        if converged:
            service.until(lambda: "READY=1" in service.note(seconds), "the first round", seconds)
        yield service
        if service.process.poll() is None:
            service.end()
        elif service.process.returncode != 0:
            raise AssertionError(f"the service ended with {service.process.returncode}\n"
                                 + service.everything())
    finally:
        service.process.kill()
        service.process.wait()
        service.close()


def restarts(host, text, run, attached, gone):
    """Twice under watch, the container of the file starts, is attached and left alone by the look-ups, and ends. `run` is a
    context in which it runs; `attached` says whether it has its link, and `gone` is what the log says of its end."""
    with watching(host, "-f", host.write(text)) as service:
        for number in range(2):
            with run():
                service.until(attached, f"the container is attached, {number}", 20)
                host.silently("two look-ups", lambda: time.sleep(2.5))
                service.news()
            service.until_says(gone, 20)


@contextlib.contextmanager
def queue_held():
    """Binds the name at which applies wait for each other; returns a function that returns whether
    one waits."""
    with socket.socket(socket.AF_UNIX) as queue:
        queue.bind("\0mvapply")
        queue.listen()
        yield lambda: bool(select.select([queue], [], [], 0)[0])
