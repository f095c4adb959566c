"""Docker's plugin remembers the addresses of other namespaces between calls, and reads one again after a change. All links here
are down and have MAC addresses of their own: nothing but the addresses themselves shows that they are in use."""
import concurrent.futures
import contextlib
import os
import signal
import time

from declare import document, lan
from docker_plugin import POOL, children, plugged
from host import WORK, same
from registry import test
from test_docker_driver import FILE, RANGE, alone, slow_plugin
from units import CAPABILITIES


def link(host, ns, name="x0"):
    host.ip("host", f"link add link eth0 name {name} netns {ns} type macvlan mode bridge")


@contextlib.contextmanager
def free(plugin):
    """The address that a new container would get."""
    answer = plugin.call("IpamDriver.RequestAddress", PoolID=POOL)
    yield answer["Address"]
    plugin.call("IpamDriver.ReleaseAddress", PoolID=POOL, Address=answer["Address"].split("/")[0])


def gets(plugin, number, what):
    with free(plugin) as address:
        same(address, f"172.16.86.{number}/24", what)


@test("docker memory: addresses and namespaces that appear and disappear between two calls")
def changes(host):
    host.netns("one", "two")
    link(host, "one")
    with alone(host) as plugin:
        gets(plugin, 2, "none is in use")
        host.ip("one", "address add 172.16.86.2/24 dev x0")
        gets(plugin, 3, "one has the first")
        gets(plugin, 3, "nothing has changed")
        host.ip("one", "address delete 172.16.86.2/24 dev x0")
        host.ip("one", "address add 172.16.86.3/24 dev x0")
        gets(plugin, 2, "one has the second")
        host.ip("one", "link set x0 netns two")
        gets(plugin, 2, "a link that is moved loses its address")
        host.ip("two", "address add 172.16.86.2/24 dev x0")
        gets(plugin, 3, "two has the first")
        host.netns("new")
        link(host, "new")
        host.ip("new", "address add 172.16.86.3/24 dev x0")
        gets(plugin, 4, "a new namespace has the second")
        host.remove_netns("two")
        host.until(lambda: free_is(plugin, 2), "the addresses of a namespace that is gone are free")
        host.netns("two")
        link(host, "two")
        host.ip("two", "address add 172.16.86.2/24 dev x0")
        gets(plugin, 4, "another one of that name")
        plugin.restart()
        gets(plugin, 4, "a plugin that was started again")


def free_is(plugin, number):
    with free(plugin) as address:
        return address == f"172.16.86.{number}/24"


@test("docker memory: without the capability for events, each call reads the addresses")
def without(host):
    host.netns("one")
    link(host, "one")
    with alone(host) as plugin:
        plugin.kept = plugin.kept - {CAPABILITIES["CAP_NET_BROADCAST"]}
        plugin.restart()
        gets(plugin, 2, "none is in use")
        host.ip("one", "address add 172.16.86.2/24 dev x0")
        gets(plugin, 3, "one has the first")


@test("docker memory: more changes than the kernel keeps for the plugin")
def lost(host):
    host.netns("one", "two")
    link(host, "one")
    link(host, "two")
    with alone(host) as plugin:
        gets(plugin, 2, "none is in use")
        many = [f"address {verb} 10.9.{number // 250}.{number % 250}/32 dev x0" for number in range(2500) for verb in ("add", "delete")]
        host.batch("two", many)
        host.ip("one", "address add 172.16.86.2/24 dev x0")
        gets(plugin, 3, "an address after the events that were lost")


# Holds a worker before it reads the mount table.
HELD = ["strace", "-D", "-f", "-qq", "-o", f"{WORK}/trace", "-P", "/proc/self/mountinfo", "-e", "trace=open,openat",
        "-e", "inject=open,openat:delay_enter=2000000"]


def replaced(host, name, number):
    """Destroys a namespace and makes others until one has its inode, for the kernel gives the lowest that is free. Returns its
    name; None: another process of the machine has the inode."""
    former = os.stat(f"/run/netns/{name}").st_ino
    host.remove_netns(name)
    for new in (f"new{number}x{other}" for other in range(50)):
        host.netns(new)
        if os.stat(f"/run/netns/{new}").st_ino == former:
            return new
        time.sleep(0.02)
    return None


def replaced_meanwhile(host, plugin, pool, number):
    """Whether a namespace was replaced while a worker was held."""
    name = f"one{number}"
    host.netns(name)
    link(host, name)
    host.ip(name, "address add 172.16.86.2/24 dev x0")
    gets(plugin, 3, "a namespace has the first")
    host.netns(f"late{number}")  # a change of the mount table
    asked = pool.submit(plugin.call, "IpamDriver.RequestAddress", PoolID=POOL)
    time.sleep(0.4)  # the worker has taken the events and is held
    new = replaced(host, name, number)
    if new:
        link(host, new)
        host.ip(new, "address add 172.16.86.3/24 dev x0")
    replaced_in_time = new and not asked.done()
    address = asked.result()["Address"]
    plugin.call("IpamDriver.ReleaseAddress", PoolID=POOL, Address=address.split("/")[0])
    if replaced_in_time:
        same(address, "172.16.86.2/24", "the new namespace has the second alone")
    elif new:
        host.remove_netns(new)
    return replaced_in_time


@test("docker memory: a namespace that gets the inode of one destroyed before the mount table is read")
def same_inode(host):
    host.write(document({"lan": lan(ip_range=RANGE)}, {}), "driver.yaml")
    with plugged(host, FILE, tracer=HELD) as plugin, concurrent.futures.ThreadPoolExecutor(1) as pool:
        assert any(replaced_meanwhile(host, plugin, pool, number) for number in range(5)), "no inode was used again"


@test("docker memory: a worker that is killed while it reads a namespace")
def killed(host):
    with slow_plugin(host) as plugin, concurrent.futures.ThreadPoolExecutor(1) as pool:
        host.ip("other", "address add 172.16.86.2/24 dev x0")
        own = {plugin.process.pid, *children(plugin.process.pid)}
        for number in range(6):
            host.ip("other", f"address add 10.9.0.{number}/32 dev x0")  # it has to be read again
            before = entries()
            asked = pool.submit(plugin.call, "IpamDriver.RequestAddress", PoolID=POOL)
            host.until(lambda: asked.done() or entries() - before > number, "the worker enters a namespace", 20)
            if not asked.done():  # strace holds it before the next one
                for pid in set(children(plugin.process.pid)) - own:
                    os.kill(pid, signal.SIGKILL)
            address = asked.result().get("Address")
            if address:
                plugin.call("IpamDriver.ReleaseAddress", PoolID=POOL, Address=address.split("/")[0])
            gets(plugin, 3, f"after a worker that was killed when it had entered {number + 1}")


def entries():
    """How often a process of the plugin has entered a namespace."""
    with open(f"{WORK}/trace", encoding="ascii", errors="replace") as file:
        return file.read().count("setns(")
