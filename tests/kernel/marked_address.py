"""An address with mvapply's protocol, which not every version of ip supports."""
import ipaddress
import os
import socket
import struct

RTM_NEWADDR, FLAGS = 20, 0x1 | 0x4 | 0x100 | 0x400  # request, acknowledged; replaced or created
RTM_GETADDR, DUMP = 22, 0x1 | 0x300
IFA_ADDRESS, IFA_LOCAL, IFA_CACHEINFO, IFA_PROTO = 1, 2, 6, 11
MARK_PROTOCOL = 77


def attribute(kind, value):
    return struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def marked_address(link, prefix, valid=0xffffffff, preferred=0xffffffff):
    """Adds it to the link in this namespace, for that many seconds."""
    at = ipaddress.ip_interface(prefix)
    family = socket.AF_INET if at.version == 4 else socket.AF_INET6
    body = struct.pack("BBBBi", family, at.network.prefixlen, 0, 0, socket.if_nametoindex(link))
    for kind in (IFA_LOCAL, IFA_ADDRESS):
        body += attribute(kind, at.packed)
    body += attribute(IFA_CACHEINFO, struct.pack("4I", int(preferred), int(valid), 0, 0))
    body += attribute(IFA_PROTO, bytes([MARK_PROTOCOL]))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as end:
        end.send(struct.pack("IHHII", 16 + len(body), RTM_NEWADDR, FLAGS, 1, 0) + body)
        errnum = -struct.unpack_from("i", end.recv(4096), 16)[0]
    if errnum:
        raise OSError(errnum, os.strerror(errnum))


def has_owner_tag(prefix):
    """Whether the kernel lists the IPv4 address with mvapply's protocol."""
    packed = attribute(IFA_LOCAL, ipaddress.ip_interface(prefix).packed)
    mark = attribute(IFA_PROTO, bytes([MARK_PROTOCOL]))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as end:
        end.send(struct.pack("IHHIIBBBBi", 24, RTM_GETADDR, DUMP, 1, 0, socket.AF_INET, 0, 0, 0, 0))
        listed = end.recv(1 << 16)
    at = 0
    while at < len(listed):
        size = struct.unpack_from("I", listed, at)[0]
        if packed in listed[at:at + size]:
            return mark in listed[at:at + size]
        at += size + -size % 4
    raise AssertionError(f"{prefix} is not listed")
