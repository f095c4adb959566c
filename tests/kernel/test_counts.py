"""Counts of mvapply's kernel requests: messages that read and messages that change, sockets, and visits to
namespaces. Speed depends on these counts; times are measured by tests/bench."""
import collections
import json
import os
import re

import packets
from declare import document, lan
from features import ADDRESS_PROTOCOL, CREATION, QUEUE_LENGTH, RENAME_UP
from host import same
from registry import test
from service import SOCKETS_DUMP

COUNT = 20
NAMES = [f"c{number}" for number in range(COUNT)]
TEXT = document({"n": lan()}, {name: ["n"] for name in NAMES})

# strace shows the types of messages as numbers if the socket is in another namespace.
TYPES = {16: "RTM_NEWLINK", 17: "RTM_DELLINK", 18: "RTM_GETLINK", 19: "RTM_SETLINK",
         20: "RTM_NEWADDR", 21: "RTM_DELADDR", 22: "RTM_GETADDR", 24: "RTM_NEWROUTE",
         25: "RTM_DELROUTE", 26: "RTM_GETROUTE", 28: "RTM_NEWNEIGH", 29: "RTM_DELNEIGH", 30: "RTM_GETNEIGH",
         32: "RTM_NEWRULE", 33: "RTM_DELRULE", 34: "RTM_GETRULE", 88: "RTM_NEWNSID", 90: "RTM_GETNSID"}
ANNOUNCEMENTS = {"RTM_NEWNEIGH", "RTM_DELNEIGH"}  # which have no lasting effect
LOOKS = {"RTM_GETLINK", "RTM_GETADDR", "RTM_GETROUTE", "RTM_GETNSID"}
RULES = {"RTM_NEWRULE": 0, "RTM_DELRULE": 0, "RTM_GETRULE": 0}
BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../bench/bench.py")


def counted(host, *argv):
    """Runs mvapply with these arguments, quietly."""
    return counted_program(host, host.binary, *argv, "-q")


def counted_program(host, *argv, stdin=None, env=None):
    """How often a program sent each type of message, and other calls by their names."""
    host.run("strace", "-f", "-qq", "-o", "trace", "-s", "65536", "-e", "abbrev=none",
             "-e", "trace=sendto,setns,socket,openat", *argv, code=0, seconds=60, stdin=stdin,
             env={"ASAN_OPTIONS": "detect_leaks=0", **(env or {})})  # leaks cannot be searched in a traced process
    counts = collections.Counter()
    with open("trace", encoding="utf-8", errors="replace") as file:
        for line in file:
            call = re.match(r"\d+ +(\w+)\(", line)
            counts["folders of descriptors"] += bool(re.search(r'"/proc/\d+/fd"', line))
            counts["lists of groups"] += "net/dev_mcast" in line
            if call and call[1] == "sendto" and SOCKETS_DUMP not in line:
                counts.update(name or TYPES[int(number, 16)] for name, number in
                              re.findall(r"nlmsg_type=(?:(RTM_\w+)|(0x[0-9a-f]+))", line))
            elif call and call[1] == "openat":
                counts["accept_ra"] += "accept_ra" in line
            elif call and (call[1] != "socket" or "AF_NETLINK" in line):
                counts[call[1]] += 1
            if call and call[1] == "socket":
                counts["packet sockets"] += "AF_PACKET" in line
    return counts


def changes(counts):
    return {kind: count for kind, count in counts.items()
            if kind.startswith("RTM_") and kind not in LOOKS | ANNOUNCEMENTS}


def announcements(counts):
    """The kernel's own sockets, and sockets whose close waits for a grace period."""
    return {kind: counts[kind] for kind in sorted(ANNOUNCEMENTS | {"packet sockets"})}


def creation(host, count):
    """The messages that create links: created and set up; tagged; an address; a route; the host's nsid in each
    namespace. Where a link is born in its parent's namespace, the first one is refused under its name, with its owner
    tag, and all are moved from there, which needs no nsid."""
    messages = {"RTM_NEWLINK": 2 * count, "RTM_SETLINK": count, "RTM_NEWADDR": count, "RTM_NEWROUTE": count,
                "RTM_NEWNSID": count}
    if not host.has(CREATION):
        messages.update(RTM_NEWLINK=2 * count + 1, RTM_SETLINK=2 * count + 1, RTM_NEWNSID=1)
    return messages


@test("counts: a first apply", features=[CREATION])
def first_apply(host):
    host.netns(*NAMES)
    counts = counted(host, "apply", "-f", host.write(TEXT))
    same(changes(counts), creation(host, COUNT), "messages that change")
    # A new namespace has only its loopback link, which is down; the host and the LAN have more. A link that was moved
    # can have another ifindex.
    same([counts[kind] for kind in ("RTM_GETLINK", "RTM_GETADDR", "RTM_GETROUTE")],
         [COUNT + 2 + (0 if host.has(CREATION) else COUNT), 2, 2], "messages that look")
    same(counts["accept_ra"], COUNT, "files of /proc/sys written")
    same((counts["lists of groups"], counts["folders of descriptors"]), (1, 0), "what is searched")
    same(announcements(counts), {"RTM_NEWNEIGH": COUNT, "RTM_DELNEIGH": 2 * COUNT,
                                 "packet sockets": 0}, "what announces")


@test("counts: many on a parent that had none are announced by the parent, over one socket")
def announced_by_parent(host):
    names = [f"m{number}" for number in range(65)]
    host.netns(*names, "more")
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0", packets.ETH_P_ARP)
    text = document({"n": lan()}, {name: ["n"] for name in names})
    same(announcements(counted(host, "apply", "-f", host.write(text))),
         {"RTM_NEWNEIGH": 0, "RTM_DELNEIGH": 0, "packet sockets": 1}, "what announces")
    for number in (2, 66):
        assert sniffer.wait(lambda f, n=number: packets.is_arp_announcement(
            f, f"172.16.86.{n}", f"02:42:ac:10:56:{n:02x}")), number
    more = document({"n": lan()}, {name: ["n"] for name in [*names, "more"]})
    same(announcements(counted(host, "apply", "-f", host.write(more))),
         {"RTM_NEWNEIGH": 1, "RTM_DELNEIGH": 2, "packet sockets": 0}, "what announces one more")
    assert sniffer.wait(lambda f: packets.is_arp_announcement(f, "172.16.86.67",
                                                              "02:42:ac:10:56:43")), "one more"
    same(host.run("ip", "-j", "neigh", "show", ns="more", code=0).json, [], "neighbours left behind")


@test("counts: another prefix length is not announced, and takes four messages an attachment")
def prefix_changed(host):
    names = [f"m{number}" for number in range(65)]
    host.netns(*names)
    host.apply(document({"n": lan()}, {name: ["n"] for name in names}))
    counts = counted(host, "apply", "-f", host.write(document(
        {"n": lan(subnet="172.16.86.0/23")}, {name: ["n"] for name in names})))
    same(announcements(counts), {"RTM_NEWNEIGH": 0, "RTM_DELNEIGH": 0, "packet sockets": 0}, "what announces")
    # The address once more and the route: restored if the kernel removed them.
    same(changes(counts), {"RTM_DELADDR": 65, "RTM_NEWADDR": 2 * 65, "RTM_NEWROUTE": 65}, "messages that change")
    same(host.addresses(names[0], "eth0"), {"172.16.86.2/23"}, "addresses")


@test("counts: many changed addresses are announced by the parent, and outdated neighbour entries deleted")
def addresses_changed(host):
    names = [f"m{number}" for number in range(65)]
    host.netns(*names, "old")

    def text(first):
        mine = {name: {"n": {"ipv4_address": f"172.16.86.{first + number}"}} for number, name in enumerate(names)}
        return document({"n": lan()}, {**mine, "old": {"n": {"ipv4_address": "172.16.86.200"}}})
    host.apply(text(2))
    was = {"172.16.86.50": ("02:00:5e:00:00:01", "stale"),      # outdated
           "172.16.86.51": ("02:42:ac:10:56:33", "reachable"),  # correct already
           "172.16.86.52": ("02:00:5e:00:00:01", "permanent"),  # static
           "172.16.86.99": ("02:00:5e:00:00:01", "stale")}      # another address
    host.batch("old", [f"neigh add {ip} lladdr {mac} nud {state} dev eth0" for ip, (mac, state) in was.items()])
    with host.inside("lan"):
        sniffer = packets.Sniffer("up0", packets.ETH_P_ARP)
    counts = counted(host, "apply", "-f", host.write(text(3)))
    same((counts["RTM_NEWNEIGH"], counts["RTM_DELNEIGH"], counts["RTM_GETNEIGH"], counts["packet sockets"]),
         (0, 1, len(names) + 2, 1), "what announces and is forgotten; the LAN's cable ends at the host, too")
    for number in (3, 67):
        assert sniffer.wait(lambda f, n=number: packets.is_arp_announcement(
            f, f"172.16.86.{n}", f"02:42:ac:10:56:{n:02x}")), number
    same({entry["dst"] for entry in host.run("ip", "-j", "neigh", "show", ns="old", code=0).json
          if "lladdr" in entry}, {"172.16.86.51", "172.16.86.52", "172.16.86.99"}, "neighbours that are left")


@test("counts: many renumbered attachments are replaced, those with other objects and few are changed in place",
      features=[ADDRESS_PROTOCOL])
def renumbered(host):
    names = [f"m{number}" for number in range(33)]
    host.netns(*names)

    def text(subnet, count):
        return document({"n": lan(subnet=f"{subnet}.0/24", gateway=f"{subnet}.1")},
                        {name: {"n": {"ipv4_address": f"{subnet}.{10 + number}"}}
                         for number, name in enumerate(names[:count])})

    def planned(new):
        return collections.Counter((step["action"], step.get("reason")) for step in host.diff(new, "-o", "json").json["steps"])
    host.apply(text("172.16.86", 31))
    same(planned(text("172.16.99", 31)), {("change", None): 31}, "31 attachments")
    host.apply(text("172.16.86", 33))
    host.batch(names[0], ["route add 10.9.0.0/16 via 172.16.86.1"])
    new, why = text("172.16.99", 33), "replaced: many MAC addresses change, which is slower in place"
    if not host.has(ADDRESS_PROTOCOL):  # an address could be anybody's, and a new link would not have it
        same(planned(new), {("change", None): 33}, "33 attachments")
        return
    same(planned(new), {("change", None): 1, ("replace", why): 32}, "33 attachments")
    before = {name: host.link(name, "eth0")["ifindex"] for name in names[:2]}
    counts = counted(host, "apply", "-f", host.write(new))
    same(counts["RTM_DELLINK"], 32, "deleted links")
    same([host.link(name, "eth0")["ifindex"] == before[name] for name in names[:2]], [True, False], "same link")
    for number, name in enumerate(names):
        same(host.addresses(name, "eth0"), {f"172.16.99.{10 + number}/24"}, name)
        same(host.link(name, "eth0")["address"], f"02:42:ac:10:63:{10 + number:02x}", f"MAC of {name}")
    same(host.apply(new).plan, [], "a second apply")


@test("counts: an apply with nothing to do")
def nothing_to_do(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    counts = counted(host, "apply", "-f", host.write(TEXT))
    same(changes(counts), {}, "messages that change")
    # The host's namespace and the LAN's, whose end of the cable has its peer in the host's, too.
    same({kind: counts[kind] for kind in LOOKS},
         {"RTM_GETLINK": COUNT + 2, "RTM_GETADDR": COUNT + 2, "RTM_GETROUTE": COUNT + 2,
          "RTM_GETNSID": COUNT + 1}, "messages that look")
    same(counts["socket"], COUNT + 5, "netlink sockets, one of them the lock, and two that look for it")
    same(counts["setns"], COUNT + 2, "visits, the last of them back home")
    same(counts["accept_ra"], 0, "files of /proc/sys")
    same((counts["lists of groups"], counts["folders of descriptors"]), (0, 0), "what is searched")


# Calls of the C library for memory and threads, whose number is not mvapply's.
LIBRARY_CALLS = {"brk", "mmap", "munmap", "sigaltstack", "mprotect", "madvise", "mremap", "futex", "clone", "clone3",
                 "set_robust_list", "rseq", "rt_sigprocmask", "exit", "sched_yield"}


def system_calls(host, *argv):
    """The number of calls of each kind."""
    host.run("strace", "-f", "-qq", "-o", "trace", *argv, code=0, seconds=60,
             env={"ASAN_OPTIONS": "detect_leaks=0"})
    with open("trace", encoding="utf-8", errors="replace") as file:
        calls = collections.Counter(re.findall(r"^\d+ +(\w+)\(", file.read(), re.MULTILINE))
    return collections.Counter({name: count for name, count in calls.items() if name not in LIBRARY_CALLS})


@test("counts: an apply with nothing to do takes 15 system calls a namespace")
def calls_of_nothing(host):
    found = []
    for count in (COUNT // 2, COUNT):
        host.netns(*NAMES[len(found) * count // 2:count])
        text = document({"n": lan()}, {name: ["n"] for name in NAMES[:count]})
        host.apply(text)
        found.append(system_calls(host, host.binary, "apply", "-q", "-f", host.write(text)))
    each = {name: count / (COUNT // 2) for name, count in (found[1] - found[0]).items()}
    # The name is opened, identified and proved to be a network namespace. One datagram asks for the links and the nsid of
    # the host's namespace, one for the addresses, one for the routes.
    calls = {name: round(count) for name, count in each.items() if count >= 0.5}
    received = calls.pop("recvmmsg")
    same(calls, {"openat": 1, "newfstatat": 1, "ioctl": 1, "setns": 1, "socket": 1, "connect": 1, "setsockopt": 1,
                 "sendto": 3, "close": 2}, "calls for each namespace")
    # The end of a list is a message of its own on older kernels.
    assert 3 <= received <= 6, f"{received} calls of recvmmsg for each namespace"


@test("counts: rules are listed where a default route is in addition to another one, and nowhere else")
def rules_listed(host):
    host.netns(*NAMES)
    for name in NAMES[:2]:
        host.batch(name, ["link add engine type veth peer name other", "link set engine up",
                          "link set other up", "address add 10.9.0.2/24 dev engine",
                          "route add default via 10.9.0.1"])
    network = lan(ip_range="172.16.86.0/25")
    text = document({"n": network}, {name: {"n": {"gw_priority": 1}} if name == NAMES[0] else ["n"]
                                     for name in NAMES if name != NAMES[1]})
    counts = counted(host, "apply", "-f", host.write(text))
    same({kind: counts[kind] for kind in RULES}, {"RTM_NEWRULE": 3, "RTM_DELRULE": 0, "RTM_GETRULE": 1},
         "of rules, for a first apply")
    counts = counted(host, "apply", "-f", host.write(text))
    same({kind: counts[kind] for kind in RULES}, {**RULES, "RTM_GETRULE": 1}, "of rules, nothing to do")
    same(counts["RTM_GETROUTE"], COUNT - 1 + 2, "lists of routes")
    host.apply(document({"n": network}, {name: ["n"] if name != NAMES[0] else [] for name in NAMES
                                         if name != NAMES[1]}))
    counts = counted(host, "apply", "-f", host.write(document({"n": network}, {
        name: ["n"] for name in NAMES if name not in NAMES[:2]}), "rest.yaml"))
    same({kind: counts[kind] for kind in RULES}, RULES, "of rules, without such a route")


@test("counts: one more attachment", features=[CREATION])
def one_added(host):
    host.netns(*NAMES, "more")
    host.apply(TEXT)
    more = document({"n": lan()}, {name: ["n"] for name in [*NAMES, "more"]})
    same(changes(counted(host, "apply", "-f", host.write(more))), creation(host, 1), "messages that change")


@test("counts: all changes of a link in one message", features=[RENAME_UP, QUEUE_LENGTH])
def changed(host):
    host.netns(*NAMES)
    # A link that has to be down for its new name needs more.
    name = "lan0" if host.has(RENAME_UP) else "eth0"
    host.apply(TEXT)
    edited = document({"n": lan(mtu=1400, bcqueuelen=77)}, {ns: {"n": {"interface_name": name}} for ns in NAMES})
    same(changes(counted(host, "apply", "-f", host.write(edited))), {
        "RTM_NEWLINK" if host.has(QUEUE_LENGTH) else "RTM_SETLINK": COUNT}, "for the name, MTU and bcqueuelen")
    link = host.link(NAMES[0], name)
    same((link["mtu"], link["linkinfo"]["info_data"].get("bcqueuelen")),
         (1400, 77 if host.has(QUEUE_LENGTH) else None), "the link")


@test("counts: a VLAN link gets its owner tag and is set up in one message", needs=["vlan"])
def vlan_link(host):
    # The host's own link on it has a sysctl to be set before it comes up.
    text = document({"n": lan(vlan=10, host=True)}, {})
    same(changes(counted(host, "apply", "-f", host.write(text))),
         {"RTM_NEWLINK": 4, "RTM_SETLINK": 1, "RTM_NEWADDR": 1}, "messages that change")
    link = host.link("host", "eth0.10")
    same((link["ifalias"], "UP" in link["flags"]), ("mvapply:vlan:default", True), "the VLAN link")


@test("counts: a delete")
def delete(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    same(changes(counted(host, "delete", "-f", host.write(TEXT))), {"RTM_DELLINK": COUNT},
         "messages that change")


@test("counts: a network that owns its VLAN is deleted by one message", needs=["vlan"])
def delete_with_vlan(host):
    names = NAMES[:4]
    host.netns(*names)
    text = document({"n": lan(vlan=10)}, {name: ["n"] for name in names})
    host.apply(text)
    counts = counted(host, "delete", "-f", host.write(text))
    same(changes(counts), {"RTM_DELLINK": 1}, "messages that change")
    # One look at each namespace, the host's, the LAN's, and directly before its deletion at the VLAN link.
    same([counts[kind] for kind in ("RTM_GETLINK", "RTM_GETADDR", "RTM_GETROUTE")],
         [len(names) + 3, len(names) + 2, len(names) + 2], "messages that look")
    same(counts["lists of groups"], 2, "searches for other links on the VLAN link")
    same(set().union(*(host.names(name) for name in names)), set(), "what is left")
    same("eth0.10" in host.names("host"), False, "the VLAN link is there")


@test("counts: where something else precedes the deletion of a VLAN, links alone are listed again", needs=["vlan"],
      features=[CREATION])
def vlan_deleted_late(host):
    names = NAMES[:4]
    host.netns(*names, "more")
    host.apply(document({"n": lan(vlan=10)}, {name: ["n"] for name in names}))
    counts = counted(host, "apply", "--max-delete=100%", "-f",
                     host.write(document({"m": lan()}, {"more": ["m"]})))
    same((host.names("host"), host.names("c0"), host.names("more")), ({"eth0"}, set(), {"eth0"}), "links")
    # The namespace of the new link is bare at first. Its link is looked up again if it was moved.
    same([counts[kind] for kind in ("RTM_GETADDR", "RTM_GETROUTE")], [len(names) + 2] * 2, "messages that look")
    same(counts["RTM_GETLINK"], 2 * (len(names) + 3) + (1 if host.has(CREATION) else 2),
         "all namespaces twice, and the VLAN link directly before its deletion")


@test("counts: the benchmark's floor sends the messages that mvapply sends", features=[CREATION])
def floor(host):
    host.netns(*NAMES)
    mine = collections.Counter(changes(counted(host, "apply", "-f", host.write(TEXT))))
    if not host.has(CREATION):  # which the first link shows, and the floor knows
        mine -= collections.Counter({"RTM_NEWNSID": 1, "RTM_NEWLINK": 1, "RTM_SETLINK": 1})
    host.delete(TEXT)
    program = os.path.join(os.path.dirname(host.binary), "tests/bench/floor")
    same(changes(counted_program(host, program, "apply", "0", str(COUNT))), mine, "messages")
    same(host.names(NAMES[-1]), {"eth0"}, "links")


@test("bench: one repetition of each workload, with a check of the kernel's state after each program",
      seconds=240, features=[CREATION])
def bench(host):
    """In the short run of other kernels the workloads and programs that it asserts."""
    some = ["--works", "apply", "nothing", "added", "delete", "--programs", "floor", "mvapply", "ip", "ip -batch"] \
        if os.environ.get("SHORT") else []
    host.run(BENCH, "--binary", host.binary, "--rounds", "1", "--json", "/run/work/bench.json", "3", *some,
             "--plans", "10", code=0, seconds=180)
    with open("bench.json", encoding="utf-8") as file:
        found = json.load(file)
    ran = {(row["work"], row["program"]) for row in found["rows"]
           if row["size"] == 3 and len(row["wall"]) == 1}
    needed = {(work, program) for work in ("apply", "nothing", "added")
              for program in ("floor", "mvapply")} | {("delete", "mvapply")}
    if host.has(CREATION):  # which `ip link add ... netns` relies on
        needed |= {("apply", "ip"), ("apply", "ip -batch")}
    same(needed - ran, set(), "what did not run")
    same([row["size"] for row in found["plans"]], [10], "plans")
