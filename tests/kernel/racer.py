"""Run by an intruder (intruder.py passes it this source) against a container that is not attached yet: a
macvlan on the host's parent with the MAC that the container's link would get. It ends with its eth0.
HOW: hidden, in a namespace that only a descriptor keeps and no observation finds; or again, with an owner
tag, and created again whenever it is deleted."""
import ctypes
import os
import socket
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
SECONDS = 60

libc = ctypes.CDLL(None, use_errno=True)


def ip(*arguments):
    return subprocess.run(["ip", *arguments], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def make(name, mac, *where):
    return ip("link", "add", "link", "eth0", "name", name, "address", mac, *where,
              "type", "macvlan", "mode", "bridge")


def hide(mac):
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    assert libc.unshare(CLONE_NEWNET) == 0
    hidden = os.open("/proc/self/ns/net", os.O_RDONLY)
    assert libc.setns(own, CLONE_NEWNET) == 0
    assert make("h0", mac, "netns", f"/proc/{os.getpid()}/fd/{hidden}")
    assert libc.setns(hidden, CLONE_NEWNET) == 0
    assert ip("link", "set", "h0", "up")
    assert libc.setns(own, CLONE_NEWNET) == 0


def again(mac, alias):
    if make("z0", mac):
        ip("link", "set", "z0", "alias", alias)
    ip("link", "set", "z0", "up")


def lives(name):
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def main():
    how, mac, alias = sys.argv[1:]
    if how == "hidden":
        hide(mac)
    else:
        again(mac, alias)
    if os.fork():
        return
    os.setsid()
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and lives("eth0"):
        if how == "again" and not lives("z0"):
            again(mac, alias)
        time.sleep(0.001 if how == "again" else 0.1)


main()
