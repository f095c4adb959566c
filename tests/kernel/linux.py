"""The few system calls that Python's os module lacks before 3.12."""
import ctypes
import os

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MS_SLAVE = 1 << 19
MS_SHARED = 1 << 20
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags):
    _check(_libc.unshare(flags), "unshare")


def setns(fd, kind=CLONE_NEWNET):
    _check(_libc.setns(fd, kind), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    def encoded(text):
        return os.fsencode(text) if text is not None else None
    _check(_libc.mount(encoded(source), encoded(target), encoded(kind), ctypes.c_ulong(flags),
                       encoded(data)), f"mount {target}")


def umount(target):
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def die_with_parent():
    _check(_libc.prctl(1, 9), "prctl")  # PR_SET_PDEATHSIG, SIGKILL


def drop_capability_bounds():
    """Drops every capability of this process and its children; it stays user 0."""
    for capability in range(64):
        _libc.prctl(24, capability)  # PR_CAPBSET_DROP; fails past the last capability
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _check(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


def keep_capabilities(kept):
    """Drops every other capability of its children, and the effect of set-uid programs."""
    for capability in range(64):
        if capability not in kept:
            _libc.prctl(24, capability)
    _check(_libc.prctl(38, 1, 0, 0, 0), "prctl")  # PR_SET_NO_NEW_PRIVS
