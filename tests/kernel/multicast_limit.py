"""macvlan's bclim of a link in this namespace, which iproute2 has from 6.5 on: `multicast_limit.py LINK [LIMIT]` prints it
or sets it. IFLA_MACVLAN_BC_CUTOFF; the kernel leaves out its default, 1."""
import os
import socket
import struct
import sys

from marked_address import attribute

NEW_LINK, GET_LINK, REQUEST, ACK = 16, 18, 0x1, 0x4
LINKINFO, INFO_KIND, INFO_DATA, BC_CUTOFF = 18, 1, 2, 9


def attributes(data):
    while len(data) >= 4:
        size, kind = struct.unpack_from("HH", data)
        yield kind & 0x3fff, data[4:size]
        data = data[(size + 3) & ~3:]


def request(kind, link, body=b""):
    body = struct.pack("BBHiII", 0, 0, 0, socket.if_nametoindex(link), 0, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as end:
        end.send(struct.pack("IHHII", 16 + len(body), kind, REQUEST | ACK, 1, 0) + body)
        answer = end.recv(1 << 16)
    if struct.unpack_from("IH", answer)[1] == 2 and struct.unpack_from("i", answer, 16)[0]:
        raise OSError(-struct.unpack_from("i", answer, 16)[0], os.strerror(-struct.unpack_from("i", answer, 16)[0]))
    return answer


def multicast_limit(link):
    size = struct.unpack_from("I", answer := request(GET_LINK, link))[0]
    info = dict(attributes(answer[32:size]))[LINKINFO]
    data = dict(attributes(dict(attributes(info))[INFO_DATA]))
    return struct.unpack("i", data[BC_CUTOFF])[0] if BC_CUTOFF in data else 1


def set_multicast_limit(link, limit):
    request(NEW_LINK, link, attribute(LINKINFO, attribute(INFO_KIND, b"macvlan") + attribute(
        INFO_DATA, attribute(BC_CUTOFF, struct.pack("i", limit)))))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        set_multicast_limit(sys.argv[1], int(sys.argv[2]))
    else:
        print(multicast_limit(sys.argv[1]))
