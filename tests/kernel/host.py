"""A host of a test's own: a network, mount and process namespace in which eth0 is the parent of
everything, and a LAN on the other end of eth0's cable.

    host: eth0 <--veth--> up0 :lan (172.16.86.1/24 and more, a gateway and a peer)

What holds is read with `ip -j` and never with our own code."""
import contextlib
import json
import os
import re
import shlex
import socket
import subprocess
import time

import linux
import messages
from events import Events

WORK = "/run/work"

ETH0_MAC = "02:00:00:00:00:e0"
UP0_MAC = "02:00:00:00:00:01"

# Values that the kernel changes by itself, or because a child is created or deleted.
VOLATILE = ("stats64", "link_netnsid", "promiscuity", "allmulti", "operstate", "flags", "addr_info")

OPERATION = re.compile(r"(\+|~|-|-/\+|pending|kept|blocked|refused) ")
SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:")


class Result:
    def __init__(self, argv, code, out, err):
        self.argv, self.code, self.out, self.err = argv, code, out, err

    def __str__(self):
        return (f"$ {' '.join(self.argv)}\nexit code {self.code}\n--- stdout\n{self.out}"
                f"--- stderr\n{self.err}---")

    @property
    def lines(self):
        """The lines of the output, each with single spaces: alignment is not what is tested."""
        return [" ".join(line.split()) for line in self.out.splitlines() if line.strip()]

    @property
    def plan(self):
        """The lines of the plan, without the count at its end."""
        return [line for line in self.lines
                if OPERATION.match(line)]

    @property
    def json(self):
        return json.loads(self.out)


def same(actual, expected, what):
    """Fails, with the difference, unless both are equal."""
    if actual == expected:
        return
    if isinstance(actual, (set, frozenset)):
        raise AssertionError(f"{what}:\n  not expected: {sorted(actual - expected)}\n"
                             f"  missing: {sorted(expected - actual)}")
    if isinstance(actual, dict) and isinstance(expected, dict):
        raise AssertionError(f"{what}:\n" + "\n".join(differences(actual, expected, "  ")))
    raise AssertionError(f"{what}:\n  is       {actual!r}\n  expected {expected!r}")


def differences(actual, expected, prefix):
    for key in sorted(actual.keys() | expected.keys(), key=str):
        is_, should = actual.get(key, "absent"), expected.get(key, "absent")
        if isinstance(is_, dict) and isinstance(should, dict):
            yield from differences(is_, should, f"{prefix}{key} ")
        elif is_ != should:
            yield f"{prefix}{key}: is {is_}, expected {should}"


class Reader:
    """An `ip -j` in a namespace that answers repeatedly: on a slow machine, starting one for each
    query is most of a test's duration."""

    def __init__(self):
        self.process = subprocess.Popen(["ip", "-j", "-d", "-s", "-batch", "-"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.names = {}

    def ask(self, commands, count):
        """The `count` JSON values that the commands print."""
        self.process.stdin.write(commands)
        self.process.stdin.flush()
        decoder, values, text = json.JSONDecoder(), [], ""
        while len(values) < count:
            more = os.read(self.process.stdout.fileno(), 1 << 20).decode()
            if not more:
                raise AssertionError(f"ip ended with exit code {self.process.wait()}")
            text += more
            with contextlib.suppress(json.JSONDecodeError):  # the output is incomplete
                while len(values) < count:
                    value, end = decoder.raw_decode(text)
                    values.append(value)
                    text = text[end:].lstrip()
        return values

    def knows(self, names):
        """Whether the names of the routes' links are reliable: ip queries the name of each once."""
        stale = any(self.names.get(index, name) != name for index, name in names.items())
        self.names.update(names)
        return not stale

    def end(self):
        self.process.kill()
        self.process.communicate()


class NoLink(AssertionError):
    """The namespace has no link with that name."""


class Host:
    def __init__(self, binary, patience=1, features=None):
        self.binary = os.path.abspath(binary)
        self.features = features or {}  # of those that the test declares, whether the kernel has them
        self.patience = patience  # factor of this machine's slowness
        self.spaces = {}
        self.readers = {}
        self.order = ["host", "lan"]
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        linux.mount("tmpfs", "/run", "tmpfs")
        os.makedirs("/run/netns")
        os.makedirs(WORK)
        os.chdir(WORK)
        self.spaces["host"] = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._new_namespace("lan", "/run/lan")
        for ns in ("host", "lan"):  # no test needs to wait for these; containers keep the default
            self.set_sysctl(ns, "net/ipv6/conf/default/accept_dad", 0)
        self.batch("host", [
            f"link add eth0 address {ETH0_MAC} type veth peer name up0 address {UP0_MAC}",
            "link set up0 netns /run/lan", "link set lo up", "link set eth0 up"])
        self.lan("172.16.86.1/24")

    def has(self, feature):
        """Whether this kernel has it (features.py). The test declares it: see registry.py."""
        return self.features[feature]

    # --- namespaces

    def _new_namespace(self, name, path):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY))
        linux.unshare(linux.CLONE_NEWNET)
        linux.mount("/proc/thread-self/ns/net", path, None, linux.MS_BIND)
        self.hold(name, path)
        linux.setns(self.spaces["host"])

    def netns(self, *names):
        """Makes named network namespaces, as `ip netns add` does."""
        for name in names:
            self._new_namespace(name, f"/run/netns/{name}")

    def remove_netns(self, name):
        self.leave(name)
        linux.umount(f"/run/netns/{name}")
        os.unlink(f"/run/netns/{name}")

    def hide(self, name):
        """Removes the name of a namespace. The namespace persists until the returned descriptor is
        closed, although no name or process leads to it: it is a socket in the namespace."""
        self.unread(name)
        with self.inside(name):
            held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()
        self.remove_netns(name)
        return held

    def hold(self, name, path):
        """Mounts the namespace of the path, under a name of the test's."""
        if name in self.spaces:
            self.leave(name)
        self.spaces[name] = os.open(path, os.O_RDONLY)

    def leave(self, name):
        """Unmounts a namespace, which may destroy it."""
        self.unread(name)
        os.close(self.spaces.pop(name))

    @contextlib.contextmanager
    def inside(self, name):
        linux.setns(self.spaces[name])
        try:
            yield
        finally:
            linux.setns(self.spaces["host"])

    @contextlib.contextmanager
    def process(self, name=None):
        """A process in a namespace of that name (or in a new one without a name); returns its
        pid."""
        argv = ["unshare", "-n", "sleep", "1000"] if name is None else ["sleep", "1000"]
        with self.inside(name or "host"):
            child = subprocess.Popen(argv)
        try:
            if name is None:
                mine = os.readlink("/proc/self/ns/net")
                self.until(lambda: os.readlink(f"/proc/{child.pid}/ns/net") != mine, "unshare")
            yield child.pid
        finally:
            child.kill()
            child.wait()

    @contextlib.contextmanager
    def process_held(self, name):
        """A process in a new namespace that ends with it, and that the test knows by the name; returns its pid."""
        with self.process() as pid:
            self.hold(name, f"/proc/{pid}/ns/net")
            yield pid
            self.leave(name)

    # --- commands

    def run(self, *argv, ns="host", stdin=None, code=None, seconds=20, env=None, before=None):
        with self.inside(ns):
            done = subprocess.run(argv, input=stdin, stdin=None if stdin is not None
                                  else subprocess.DEVNULL, capture_output=True,
                                  timeout=seconds * self.patience, check=False,
                                  env={**os.environ, **(env or {})}, preexec_fn=before)
        result = Result(argv, done.returncode, done.stdout.decode(errors="replace"),
                        done.stderr.decode(errors="replace"))
        if code is not None and result.code != code:
            raise AssertionError(f"exit code {result.code}, expected {code}\n{result}")
        if SANITIZER.search(result.err):
            raise AssertionError(f"a sanitizer complains\n{result}")
        return result

    def ip(self, ns, command):
        return self.run("ip", *shlex.split(command), ns=ns, code=0).out

    def batch(self, ns, commands):
        """Several ip commands in one process."""
        self.run("ip", "-batch", "-", ns=ns, stdin="\n".join(commands).encode() + b"\n", code=0, seconds=60)

    def has_link(self, ns, name):
        """Sooner than `name in names(ns)`, for a test that has to be in time."""
        with self.inside(ns):
            return name in (link for _, link in socket.if_nameindex())

    def lan(self, *addresses, vlan=None, protocol="802.1q"):
        """Assigns addresses to the LAN side, on up0 or on a VLAN of it."""
        link, commands = "up0", ["link set up0 up", "link set lo up"]
        if vlan is not None:
            link = f"up0.{vlan}"
            commands += [f"link add link up0 name {link} type vlan id {vlan} protocol {protocol}",
                         f"link set {link} up"]
        commands += [f"address add {address} dev {link}{' nodad' if ':' in address else ''}"
                     for address in addresses]
        self.batch("lan", commands)

    # --- mvapply

    def mvapply(self, *arguments, code=0, **options):
        done = self.run(self.binary, *arguments, code=code, **options)
        messages.check(done)
        return done

    def write(self, text, name="network.yaml"):
        with open(f"{WORK}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def apply(self, text, *flags, code=0, **options):
        return self.mvapply("apply", "-f", self.write(text), *flags, code=code, **options)

    def diff(self, text, *flags, code=2, **options):
        return self.mvapply("diff", "-f", self.write(text), *flags, code=code, **options)

    def delete(self, text, *flags, code=0, **options):
        return self.mvapply("delete", "-f", self.write(text), *flags, code=code, **options)

    # --- the kernel's state

    def unread(self, ns):
        """Ends the process that queries the namespace, until the next query."""
        if ns in self.readers:
            self.readers.pop(ns).end()

    def _read(self, ns):
        """All links with their addresses, and all routes of all tables."""
        if ns not in self.readers:
            with self.inside(ns):
                self.readers[ns] = Reader()
        links, routes = self.readers[ns].ask(b"address show\nroute show table all\n", 2)
        links = [link for link in links if link]
        if self.readers[ns].knows({link["ifindex"]: link["ifname"] for link in links}):
            return links, routes
        self.readers.pop(ns).end()
        return self._read(ns)

    def links(self, ns):
        """name -> the output of `ip -d address` for each link except lo."""
        return {link["ifname"]: link for link in self._read(ns)[0] if link["ifname"] != "lo"}

    def link(self, ns, name):
        found = self.links(ns)
        if name not in found:
            raise NoLink(f"no link {name} in {ns}, only {sorted(found)}")
        return found[name]

    def names(self, ns):
        return set(self.links(ns))

    def addresses(self, ns, link):
        """{"172.16.86.2/24", ...} without the link-local ones that the kernel creates itself."""
        return {f"{item['local']}/{item['prefixlen']}"
                for item in self.link(ns, link)["addr_info"] if not is_link_local(item)}

    def routes(self, ns):
        """The main table in the format of `ip route`, without protocol and metric, and without the
        routes of IPv6 link-local addresses."""
        return {route_text(route) for route in self._read(ns)[1] if is_ours_to_see(route)}

    def route_protocols(self, ns):
        return {route_text(route): str(route.get("protocol")) for route in self._read(ns)[1]
                if is_ours_to_see(route)}

    def sysctl(self, ns, key):
        with self.inside(ns):
            with open(f"/proc/sys/{key}", encoding="ascii") as file:
                return file.read().strip()

    def set_sysctl(self, ns, key, value):
        with self.inside(ns), open(f"/proc/sys/{key}", "w", encoding="ascii") as file:
            file.write(str(value))

    def snapshot(self, *names, final_state=False):
        """The state of the named namespaces (all, if none is named) that does not change by itself.
        Comparable; see `same`."""
        return {f"{ns}: {what}": value for ns in names or list(self.spaces)
                for what, value in self._snapshot_of(ns, final_state)}

    def _snapshot_of(self, ns, final_state):
        links, routes = self.until(lambda: self._settled(ns), f"{ns} settles") if final_state \
            else self._read(ns)
        for link in links:
            for item in link["addr_info"]:
                if not is_link_local(item):
                    yield f"{link['ifname']} {item['local']}", without_countdown(item)
            yield f"link {link['ifname']}", {key: value for key, value in link.items()
                                             if key not in VOLATILE and not has_timer(value)}
        for route in routes:
            if not route["dst"].startswith(("fe80:", "ff00:")):
                fixed = {key: value for key, value in route.items() if key != "expires"}
                yield f"route {sorted(fixed.items())}", "there"

    def counters(self, ns, link):
        stats = self.link(ns, link)["stats64"]
        return {f"{way} {what}": stats[way][what] for way in ("rx", "tx")
                for what in ("bytes", "packets")}

    # --- waiting

    def until(self, holds, what, seconds=5):
        """Waits until the condition holds. A missing link or file counts as not yet. It sleeps as long as it looked:
        what it waits for needs the processor, too, where a look takes long."""
        end = time.monotonic() + seconds * self.patience
        while True:
            start = time.monotonic()
            try:
                value = holds()
            except (OSError, NoLink):
                value = None
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s in vain: {what}")
            time.sleep(max(0.02, time.monotonic() - start))

    def settle(self):
        """Waits for the kernel's events about new links up to a second after they were set up."""
        for ns in self.spaces:
            self.until(lambda ns=ns: self._settled(ns), f"{ns} settles")

    def _settled(self, ns):
        """The state of a namespace, once its links are in their final state, and each IPv6 address
        has its route, which the kernel adds later (addrconf_dad_work)."""
        links, routes = self._read(ns)
        up = [link for link in links if "LOWER_UP" in link["flags"]]
        routed = {(route["dev"], route["dst"]) for route in routes if route.get("type") == "local"}
        final_state = all(link["operstate"] in ("UP", "UNKNOWN") for link in up) and \
            all((link["ifname"], item["local"]) in routed for link in up
                for item in link["addr_info"] if item["family"] == "inet6" and not has_flaw(item))
        return (links, routes) if final_state else None

    def silently(self, what, action, settle=True):
        """Runs action(), and fails if anything changes meanwhile, in any namespace. The kernel
        reports a link that was set up again, up to a second later (linkwatch). If there were only
        such events, it is repeated: effects of action() occur each time."""
        for attempt in range(4):
            if settle or attempt:
                self.settle()
            listeners = {}
            for ns in self.spaces:
                with self.inside(ns):
                    listeners[ns] = Events()
            result = action()
            heard = [f"{ns}: {event}" for ns, events in listeners.items()
                     for event in events.drain()]
            if not heard:
                return result
            if not all(": new link " in event for event in heard):
                break
        raise AssertionError(f"{what} changed something:\n  " + "\n  ".join(heard))

    def unchanged(self, text, *flags):
        """A second apply, and a diff after it: nothing happens, and every link is the same. Returns
        the snapshot of the state."""
        before = self.snapshot(final_state=True)

        def again():  # each time: a first one may have done something that `silently` takes for the kernel's events
            same(self.apply(text, *flags).plan, [], "a second apply's plan")
            same(self.diff(text, *flags, code=0).plan, [], "a diff after apply")
        self.silently("a second apply", again, settle=False)
        same(self.snapshot(), before, "after a second apply")
        return before


def has_flaw(address):
    return address.get("tentative") or address.get("dadfailed")


def has_timer(value):
    return isinstance(value, (dict, list)) and "timer" in repr(value)


def without_countdown(item):
    """An address without its remaining lifetimes."""
    return {key: value for key, value in item.items()
            if not (item.get("dynamic") and key.endswith("_life_time"))}


def is_link_local(item):
    return item["family"] == "inet6" and item["scope"] == "link"


def is_ours_to_see(route):
    if route.get("table", "main") != "main":
        return False
    return not route["dst"].startswith(("fe80:", "ff00:"))


def route_text(route):
    text = route["dst"]
    if "gateway" in route:
        text += f" via {route['gateway']}"
    text += f" dev {route['dev']}"
    if route.get("scope", "global") != "global":
        text += f" scope {route['scope']}"
    if "prefsrc" in route:
        text += f" src {route['prefsrc']}"
    return text


def fill(text, **values):
    """Replaces @KEY@ in a YAML text."""
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text
