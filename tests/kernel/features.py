"""What this kernel can do that not every kernel can. A test whose expectation depends on a feature declares it
(`features=`) and asks `host.has`: never for a version, since distributions carry features back. The names are also
those of the columns of docs/reference/kernels.md (scripts/kernels)."""
import json
import subprocess

from marked_address import has_owner_tag, marked_address
from multicast_limit import multicast_limit, set_multicast_limit

CREATION = "creation in place"  # of a link in another namespace under its final name
ADDRESS_PROTOCOL = "address protocol"  # IFA_PROTO
QUEUE_LENGTH = "queue length"  # IFLA_MACVLAN_BC_QUEUE_LEN
MULTICAST_LIMIT = "multicast limit"  # IFLA_MACVLAN_BC_CUTOFF
RENAME_UP = "rename up"  # of a link that is up


def ip(*words, before=()):
    return subprocess.run([*before, "ip", *words], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True)


def create_in_place():
    """From inside the other namespace, as mvapply does it. A kernel that creates the link in its parent's namespace
    first finds the name in use there."""
    with subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdin.write(b"\n")
        other.stdin.flush()
        other.stdout.read(1)  # it is in its namespace
        inside = ["nsenter", "-t", str(other.pid), "-n"]
        ip("link", "add", "parent", "type", "veth", "peer", "name", "child", "netns", str(other.pid))
        ip("link", "add", "taken", "type", "veth", "peer", "name", "peer")
        child = json.loads(ip("-j", "link", "show", "dev", "child", before=inside).stdout)[0]
        return ip("link", "add", "link", f"if{child['link_index']}", "link-netnsid", str(child["link_netnsid"]),
                  "name", "taken", "type", "macvlan", before=inside).returncode == 0


def address_protocol():
    marked_address("lo", "192.0.2.1/32")
    return has_owner_tag("192.0.2.1/32")


def queue_length():
    ip("link", "add", "queue0", "type", "veth", "peer", "name", "queue1")
    ip("link", "add", "link", "queue0", "name", "queue", "type", "macvlan", "bcqueuelen", "77")
    return "bcqueuelen 77" in ip("-d", "link", "show", "dev", "queue").stdout


def has_multicast_limit():
    ip("link", "add", "limit0", "type", "veth", "peer", "name", "limit1")
    ip("link", "add", "link", "limit0", "name", "limit", "type", "macvlan")
    set_multicast_limit("limit", 77)
    return multicast_limit("limit") == 77


def rename_up():
    ip("link", "add", "before", "type", "veth", "peer", "name", "after")
    ip("link", "set", "before", "up")
    return ip("link", "set", "before", "name", "renamed").returncode == 0


PROBES = {CREATION: create_in_place, ADDRESS_PROTOCOL: address_protocol, QUEUE_LENGTH: queue_length,
          MULTICAST_LIMIT: has_multicast_limit, RENAME_UP: rename_up}


def probe():
    """{feature: whether this kernel has it}. In a network namespace of its own, whose links it does not remove."""
    return {name: bool(function()) for name, function in PROBES.items()}
