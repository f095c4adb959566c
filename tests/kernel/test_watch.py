"""`mvapply watch`: each source of events triggers exactly what it should."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

import linux
from declare import document, lan
from features import ADDRESS_PROTOCOL, CREATION
from host import WORK, same
from registry import test
from service import HERE, watching

MAC = "02:42:ac:10:56:02"
# The messages that create an attachment: an older kernel's links are created in the host and moved.
UP = ["new link", "new address", "new route"]
MADE = [["new link", "set link", *UP], ["new link", "set link", "new link", "set link", "set link",
                                        *UP]]
TWO = {"web": ["n"], "db": ["n"]}


def two(**keys):
    return document({"n": lan(**keys)}, TWO)


def indexes(host):
    """{"web": {"eth0": 7}, ...}: the identity of each link."""
    return {ns: {name: link["ifindex"] for name, link in host.links(ns).items()}
            for ns in host.spaces}


def put(path, text):
    """Into the file that is there, which at no moment has only a part of the text: a slow machine could read that."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    data = text.encode()
    os.write(descriptor, data.ljust(os.fstat(descriptor).st_size, b"\n"))
    os.ftruncate(descriptor, len(data))
    os.close(descriptor)


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


# --- files

class Files:
    """A service on files of which each edit changes nothing but the MTU of both containers."""
    def __init__(self, host, service):
        self.host, self.service = host, service
        self.before = indexes(host)

    def leads_to(self, mtu, *more, at_once=True):
        """Asserts that the files had this MTU a moment ago, and what the log contains besides. at_once=False: a slow
        machine lets the service read a part of the change, which it reports and does not apply."""
        self.service.until(lambda: all(self.host.link(ns, "eth0")["mtu"] == mtu for ns in TWO),
                           f"the MTU is {mtu}")
        self.service.quiet()
        news = self.service.news()
        for line in more:
            assert line in news, f"no {line!r} in {news}"
        changed = sorted(line for line in news if line.startswith("changed"))
        assert len(changed) == 2 and all(f"-> {mtu}" in line for line in changed), news
        same(indexes(self.host), self.before, "links")
        if at_once:
            same([line for line in news if line not in more and line not in changed],
                 [self.expected_notice()], "what else the log says")

    def expected_notice(self):
        """The log line of the last change: of the first valid files after invalid ones, once."""
        reported = [line for line in self.service.log() if re.search("files (have errors|changed$|are valid)", line)]
        return "the files are valid again" if "have errors" in "".join(reported[-2:-1]) else "the files changed"

    def leads_to_nothing(self, *news):
        self.service.quiet()
        same(self.service.news(), list(news), "the log")
        same(indexes(self.host), self.before, "links")


def files_test(name, path, **options):
    """Registers a test that is given Files; the service watches `path`."""
    def register(function):
        @test(f"watch files: {name}", **options)
        def run(host):
            host.netns(*TWO)
            function.prepare(host)
            with watching(host, "-f", path) as service:
                service.quiet()
                service.news()
                function(Files(host, service))
        return run
    return register


def prepared(prepare):
    """The state before the service starts."""
    def register(function):
        function.prepare = prepare
        return function
    return register


def one_file(host):
    host.write(two(mtu=1500))


def one_folder(host):
    os.makedirs(f"{WORK}/a/conf")
    host.write(two(mtu=1500), "a/conf/network.yaml")


@files_test("a new file is renamed over it, as editors do", "network.yaml")
@prepared(one_file)
def renamed_over(files):
    put("network.yaml.new", two(mtu=1400))
    os.rename("network.yaml.new", "network.yaml")
    files.leads_to(1400)
    files.service.send(signal.SIGSTOP)  # or it may look while there is none
    os.rename("network.yaml", "network.yaml~")  # with a backup
    put("network.yaml", two(mtu=1300))
    os.unlink("network.yaml~")
    files.service.send(signal.SIGCONT)
    files.leads_to(1300)


@files_test("overwritten by a copy, and written in place", "network.yaml")
@prepared(one_file)
def copied_over(files):
    put("other", two(mtu=1400))
    subprocess.run(["cp", "other", "network.yaml"], check=True)
    files.leads_to(1400)
    put("network.yaml", two(mtu=1300))
    files.leads_to(1300)


@files_test("a directory from which the last file is removed, and added again", "a/conf")
@prepared(one_folder)
def emptied(files):
    os.rename("a/conf/network.yaml", "away")
    files.leads_to_nothing("error: a/conf: contains no *.yaml or *.yml file [MV0101]; hint: give the "
                           "directory that contains the files",
                           "warning: the files have errors: the last valid configuration stays in effect")
    put("away", two(mtu=1400))
    os.rename("away", "a/conf/network.yaml")
    files.leads_to(1400)


@files_test("written in two parts", "network.yaml")
@prepared(one_file)
def half_written(files):
    text = two(mtu=1400)
    at = text.index('"db"')
    with open("network.yaml", "w", encoding="utf-8") as file:
        file.write(text[:at])
        file.flush()
        files.service.until_says("the last valid configuration stays in effect")
        files.service.quiet()
        wrong = files.service.news()
        assert re.match(r"error: network\.yaml:\d+:\d+: error", wrong[0]) is None, wrong
        assert re.match(r"error: network\.yaml:\d+:\d+: ", wrong[0]), wrong
        same(indexes(files.host), files.before, "links while the file is half there")
        file.write(text[at:])
    files.leads_to(1400)


@files_test("a burst of edits is one change", "network.yaml")
@prepared(one_file)
def burst(files):
    files.service.send(signal.SIGSTOP)  # or a slow machine has pauses in the burst
    for mtu in range(1300, 1311):
        put("network.yaml", two(mtu=mtu))
    files.service.send(signal.SIGCONT)
    files.leads_to(1310)


@files_test("a file that is touched, or written in another way, changes nothing", "network.yaml")
@prepared(one_file)
def touched(files):
    with files.service.traced() as trace:
        os.utime("network.yaml")
        put("unrelated.yaml", two(mtu=1400))
        time.sleep(0.2)
    same((trace.lines, files.service.news()), ([], []), "what was done")
    with files.service.traced() as trace:
        put("network.yaml", two(mtu=1500) + "\n# a comment\n")
        files.service.until_says("the files changed")
    same((trace.writes, files.service.news()), ([], ["the files changed"]), "what was done")


@files_test("an invalid file keeps the last good state, and is reported once, with its line",
            "network.yaml")
@prepared(one_file)
def wrong(files):
    bad = two(mtu=1400).replace('"gateway"', '"gatewy"')
    line = 1 + bad[:bad.index("gatewy")].count("\n")
    put("network.yaml", bad)
    files.service.until_says("the last valid configuration stays in effect")
    files.service.quiet()
    news = files.service.news()
    assert news[0].startswith(f"error: network.yaml:{line}:") and "gateway" in news[0], news
    same(len(news), 2, f"lines of {news}")
    os.utime("network.yaml")
    put("network.yaml", bad)
    time.sleep(0.1)
    files.leads_to_nothing()
    with files.service.traced():  # drift from the last valid state is repaired nevertheless
        files.host.ip("web", "link set eth0 mtu 1200")
        files.service.until(lambda: files.host.link("web", "eth0")["mtu"] == 1500, "repaired")
    same(files.service.news(), ["changed attach web/n  mtu 1200 -> 1500"], "the log")
    put("network.yaml", bad.replace("gatewy", "gatway"))
    files.service.until_says("gatway")
    files.service.news()
    put("network.yaml", two(mtu=1400))
    files.leads_to(1400)


@files_test("a missing file keeps the last good state, and is reported once", "network.yaml")
@prepared(one_file)
def missing(files):
    os.unlink("network.yaml")
    files.service.until_says("network.yaml")
    files.service.quiet()
    same(len(files.service.news()), 2, "lines of the log")
    put("unrelated.yaml", "x")
    files.leads_to_nothing()
    put("network.yaml", two(mtu=1400))
    files.leads_to(1400)


@files_test("a directory is removed and created again", "a/conf")
@prepared(one_folder)
def folder_returns(files):
    shutil.rmtree("a")
    files.service.until_says("the last valid configuration stays in effect")
    files.service.quiet()
    files.service.news()
    os.mkdir("a")
    time.sleep(0.1)
    os.mkdir("a/conf")
    time.sleep(0.1)
    files.service.quiet()
    files.service.news()
    put("a/conf/network.yaml", two(mtu=1400))
    files.leads_to(1400)


@files_test("a directory is replaced by another one", "a/conf")
@prepared(one_folder)
def folder_moved(files):
    os.makedirs("b/conf")
    put("b/conf/network.yaml", two(mtu=1400))
    os.rename("a", "c")
    os.rename("b", "a")
    files.leads_to(1400)
    put("c/conf/network.yaml", two(mtu=1300))  # not relevant now
    time.sleep(0.1)
    files.leads_to_nothing()


def configmap_write(folder, version, text):
    """As kubelet writes a ConfigMap: a new folder, to which the link ..data is changed."""
    os.makedirs(f"{folder}/..{version}")
    put(f"{folder}/..{version}/network.yaml", text)
    os.symlink(f"..{version}", f"{folder}/..data_tmp")
    old = os.readlink(f"{folder}/..data") if os.path.islink(f"{folder}/..data") else None
    os.rename(f"{folder}/..data_tmp", f"{folder}/..data")
    if not os.path.lexists(f"{folder}/network.yaml"):
        os.symlink("..data/network.yaml", f"{folder}/network.yaml")
    if old:
        shutil.rmtree(f"{folder}/{old}")


def configmap(_):
    configmap_write("map", "2024_1", two(mtu=1500))


def configmap_turns(files):
    for version, mtu in enumerate((1400, 1300, 1200)):
        configmap_write("map", f"2025_{version}", two(mtu=mtu))
        files.leads_to(mtu)


files_test("a ConfigMap is swapped", "map")(prepared(configmap)(configmap_turns))
files_test("a ConfigMap is swapped, of which one file is watched", "map/network.yaml")(
    prepared(configmap)(lambda files: configmap_turns(files)))


def links_in_other_netns(_):
    os.makedirs("conf")
    os.makedirs("elsewhere")
    put("elsewhere/real.yaml", two(mtu=1500))
    os.symlink("../elsewhere/real.yaml", "conf/network.yaml")


@files_test("a directory of symbolic links to files in other directories", "conf")
@prepared(links_in_other_netns)
def link_in_folder(files):
    put("elsewhere/real.yaml", two(mtu=1400))
    files.leads_to(1400)
    put("elsewhere/real.yaml.new", two(mtu=1300))
    os.rename("elsewhere/real.yaml.new", "elsewhere/real.yaml")
    files.leads_to(1300)


def git(*arguments):
    subprocess.run(["git", "-C", "repo", "-c", "user.name=x", "-c", "user.email=x@example.org",
                    "-c", "safe.directory=*", *arguments], check=True, capture_output=True)


def repository(_):
    os.makedirs("repo/conf")
    git("init", "-b", "main")
    for branch, mtu in (("main", 1500), ("next", 1400)):
        if branch != "main":
            git("checkout", "-b", branch)
        put("repo/conf/network.yaml", two(mtu=mtu))
        git("add", ".")
        git("commit", "-m", branch)
    git("checkout", "-b", "empty")
    git("rm", "-r", "conf")
    git("commit", "-m", "nothing")
    git("checkout", "main")


@files_test("git checks out another branch", "repo/conf")
@prepared(repository)
def checkout(files):
    git("checkout", "next")
    files.leads_to(1400, at_once=False)  # git writes one file after the other
    git("checkout", "main")
    files.leads_to(1500, at_once=False)
    git("checkout", "empty")  # the whole folder is gone: nothing that could be valid
    files.service.until_says("the last valid configuration stays in effect")
    files.service.quiet()
    files.service.news()
    git("checkout", "next")
    files.leads_to(1400, at_once=False)


@files_test("an overflow of inotify's queue", "network.yaml")
@prepared(one_file)
def overflow(files):
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as file:
        events = int(file.read())
    files.service.send(signal.SIGSTOP)
    for _ in range(events // 4 + 100):  # created, closed, deleted; equal consecutive ones count once
        for name in ("x", "y"):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            os.unlink(name)
    put("network.yaml", two(mtu=1400))
    files.service.send(signal.SIGCONT)
    files.leads_to(1400)


@test("watch files: a file is added to the directory, and one removed")
def folder_of_files(host):
    host.netns("web", "db", "job")
    os.mkdir("conf")
    host.write(two(), "conf/10-lan.yaml")
    with watching(host, "-f", "conf") as service:
        service.quiet()
        before = indexes(host)
        with service.traced() as trace:
            host.write(document({}, {"job": ["n"]}), "conf/20-job.yaml")
            service.until(lambda: host.names("job"), "attached")
        assert trace.writes in MADE, trace.writes
        with service.traced() as trace:
            os.unlink("conf/20-job.yaml")
            service.until(lambda: not host.names("job"), "removed")
        same(trace.writes, ["delete link"], "messages")
        same(indexes(host), before, "links")


# --- drift: the change, the messages that repair it, the log lines

DRIFT = [
    ("an address removed", "address del 172.16.86.2/24 dev eth0", ["new address", "new route"],
     "changed attach web/n  + address 172.16.86.2/24, + route default via 172.16.86.1"),
    ("a route removed", "route del default", ["new route"],
     "changed attach web/n  + route default via 172.16.86.1"),
    ("another default route", "route replace default via 172.16.86.200", None,
     None),
    ("the MAC changed", "link set eth0 address 02:00:00:00:00:77", ["set link"],
     f"changed attach web/n  mac_address 02:00:00:00:00:77 -> {MAC}"),
    ("the MTU changed", "link set eth0 mtu 1300", ["set link"],
     "changed attach web/n  mtu 1300 -> 1500"),
    ("the mode changed", "link set eth0 type macvlan mode private", ["new link"],
     "changed attach web/n  mode private -> bridge"),
    ("set down", "link set eth0 down", ["new link", "new route"],
     "changed attach web/n  state down -> up, + route default via 172.16.86.1"),
    ("all of it", "-all", None, None),
]


def drift_test(name, command, writes, log):
    @test(f"watch drift: {name}")
    def run(host):
        host.netns(*TWO)
        text = two()
        with watching(host, "-f", host.write(text)) as service:
            before = host.snapshot(final_state=True)
            with service.traced() as trace:
                if command == "-all":
                    host.batch("web", ["link set eth0 down", "link set eth0 mtu 1300",
                                       "link set eth0 address 02:00:00:00:00:77",
                                       "address flush dev eth0"])
                else:
                    host.ip("web", command)
                service.until(lambda: host.snapshot() == before, "repaired")
            same(host.snapshot(final_state=True), before, "after the repair")
            if writes:
                same(trace.writes, writes, "messages")
                same(service.news(), [log], "the log")
            host.unchanged(text)


for row in DRIFT:
    drift_test(*row)


@test("watch drift: a link deleted", both=True)
def link_deleted(host):
    host.netns(*TWO)
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)
        with service.traced() as trace:
            host.ip("web", "link del eth0")
            service.until(lambda: host.routes("web"), "attached again")
        assert trace.writes in MADE, trace.writes
        same(service.news(), [f"created attach web/n  eth0 172.16.86.2/24 {MAC} "
                              "default via 172.16.86.1"], "the log")
        after = indexes(host)
        assert after.pop("web") != before.pop("web"), "it is the same link"
        same(after, before, "the others")
        host.unchanged(text)


@test("watch drift: a link without its owner tag is unmanaged, and reported once")
def owner_tag_removed(host):
    host.netns(*TWO)
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}, "db": ["n"]})
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)
        with service.traced() as trace:
            host.ip("web", "link set eth0 alias ''")
            service.until_says("web/n")
            host.ip("web", "link set lo mtu 60000")
        same(trace.writes, [], "messages")
        news = service.news()
        same(len(news), 1, f"lines of {news}")
        assert news[0].startswith("warning: ") and "--adopt" in news[0], news
        with service.traced() as trace:
            host.ip("web", "link set eth0 alias mvapply:attach:default/n/web")
        same((trace.writes, indexes(host)), ([], before), "with its mark again")
        host.unchanged(text)


@test("watch drift: renamed, where the file sets the name")
def renamed(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "lan0"}}})
    with watching(host, "-f", host.write(text)) as service:
        before = host.snapshot(final_state=True)
        with service.traced():
            host.batch("web", ["link set lan0 down", "link set lan0 name other0",
                               "link set other0 up"])
            service.until(lambda: host.snapshot() == before, "repaired")
        host.unchanged(text)


@test("watch drift: the host's own link")
def host_access(host):
    host.netns("web")
    text = document({"n": lan(host={"ipv4_address": "172.16.86.250", "interface_name": "lan0"})},
                    {"web": ["n"]})
    with watching(host, "-f", host.write(text)) as service:
        before, link = host.snapshot(final_state=True), indexes(host)["web"]
        routes = host.routes("host")
        for command in ("route del 172.16.86.2/32", "address del 172.16.86.250/32 dev lan0",
                        "link set lan0 mtu 1300"):
            host.ip("host", command)
            service.until(lambda: host.snapshot() == before, f"repaired: {command}")
        host.ip("host", "link del lan0")
        service.until(lambda: host.routes("host") == routes, "made again")
        service.quiet()
        same(indexes(host)["web"], link, "the container's link")
        host.unchanged(text)


@test("watch drift: changes of the host that no event reports")
def host_access_alone(host):
    """After all events of the kernel about new links, which would cause another observation,
    too."""
    host.netns("web")
    network = {"n": lan(host={"ipv4_address": "172.16.86.250", "interface_name": "lan0"})}
    for containers, command in (({}, "address del 172.16.86.250/32 dev lan0"),
                                ({"web": ["n"]}, "route del 172.16.86.2/32")):
        with watching(host, "-f", host.write(document(network, containers))) as service:
            service.settle()
            service.quiet(2)
            before = host.snapshot(final_state=True)
            host.ip("host", command)
            service.until(lambda: host.snapshot() == before, f"repaired: {command}")


@test("watch drift: a VLAN link deleted", needs=["vlan"])
def vlan_deleted(host):
    host.netns(*TWO, "untagged")
    host.lan("172.16.87.1/24", vlan=10)
    text = document({"v": lan(vlan=10, subnet="172.16.87.0/24", gateway="172.16.87.1"),
                     "n": lan()}, {"web": ["v"], "db": ["v"], "untagged": ["n"]})
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)
        service.quiet()
        host.ip("host", "link del eth0.10")
        service.until(lambda: all(host.routes(ns) for ns in TWO), "all is back")
        service.quiet()
        after = indexes(host)
        same(after["untagged"], before["untagged"], "what hangs on eth0 itself")
        assert after["host"]["eth0.10"] != before["host"]["eth0.10"], "the VLAN link is the same"
        same(host.addresses("web", "eth0"), {"172.16.87.2/24"}, "addresses")
        host.unchanged(text)


@test("watch drift: a VLAN link set down", needs=["vlan"])
def vlan_changed(host):
    host.netns(*TWO)
    host.lan("172.16.87.1/24", vlan=10)
    text = document({"v": lan(vlan=10, subnet="172.16.87.0/24", gateway="172.16.87.1")},
                    {"web": ["v"], "db": ["v"]})
    with watching(host, "-f", host.write(text)) as service:
        before = host.snapshot(final_state=True)
        host.ip("host", "link set eth0.10 down")
        service.until_says("eth0.10")
        service.until(lambda: host.snapshot() == before, "repaired")
        host.unchanged(text)


# --- the parent

def parent_new(host, index):
    host.batch("host", [f"link add eth0 index {index} address 02:00:00:00:00:e0 type veth "
                        "peer name up0", "link set up0 netns /run/lan", "link set eth0 up"])
    host.lan("172.16.86.1/24")


@test("watch parent: it is removed, and returns under a new ifindex", both=True)
def parent_returns(host):
    host.netns(*TWO)
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        service.news()
        for index in (4000, 5000):
            host.ip("host", "link del eth0")
            service.until_says("eth0")
            service.quiet()
            news = service.news()
            same([line.split("  ")[0] for line in news],
                 ["warning: blocked network n", "warning: blocked attach web/n",
                  "warning: blocked attach db/n"], "the log")
            parent_new(host, index)
            service.until(lambda: all(host.routes(ns) for ns in TWO), "all is back")
            service.quiet()
            same({ns: host.addresses(ns, "eth0") for ns in TWO},
                 {"web": {"172.16.86.2/24"}, "db": {"172.16.86.3/24"}}, "addresses")
            news = service.news()
            same(sorted(line[:20] for line in news if not line.startswith("warning: ")),
                 ["created attach db/n ", "created attach web/n"], "the log")
        host.unchanged(text)


@test("watch parent: it is renamed away and back, set down and up")
def parent_renamed(host):
    host.netns(*TWO)
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)
        host.batch("host", ["link set eth0 down", "link set eth0 name away0",
                            "link set away0 up"])
        service.until_says("eth0")
        service.quiet()
        same(indexes(host)["web"], before["web"], "the container's link")
        host.batch("host", ["link set away0 down", "link set away0 name eth0",
                            "link set eth0 up"])
        service.until(lambda: all(host.routes(ns) for ns in TWO), "all is back")
        service.quiet()
        same(indexes(host), before, "links")
        host.unchanged(text)


@test("watch parent: missing at the start, and created afterwards")
def parent_born(host):
    host.netns(*TWO)
    text = two()
    host.ip("host", "link del eth0")
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        parent_new(host, 4000)
        service.until(lambda: all(host.routes(ns) for ns in TWO), "attached")
        service.quiet()
        host.unchanged(text)


# --- actions of others

@test("watch unmanaged: unmanaged links, addresses, routes and namespaces", features=[ADDRESS_PROTOCOL])
def unmanaged(host):
    host.netns(*TWO, "bystander")
    with watching(host, "-f", host.write(two())) as service:
        before = indexes(host)
        with service.traced() as trace:
            host.batch("host", ["link add other0 type veth peer name other1",
                                "link set other0 up", "address add 10.9.9.1/24 dev other0",
                                "route add 10.8.0.0/16 via 10.9.9.2", "link set other0 mtu 1400",
                                "link del other0"])
            host.batch("bystander", ["link add p0 type veth peer name p1", "link set p0 up"])
            host.netns("stranger")
            host.remove_netns("stranger")
        same((trace.writes, trace.lines, service.news()), ([], [], []), "what was done")
        with service.traced() as trace:  # in a container's namespace it has to observe
            host.batch("web", ["link set lo up", "link add p0 type veth peer name p1",
                               "link set p0 up", "address add 10.9.9.1/24 dev p0",
                               "route add 10.1.0.0/16 via 172.16.86.250",
                               # It counts as managed where addresses have no protocol.
                               *(["address add 192.168.7.7/24 dev eth0"] if host.has(ADDRESS_PROTOCOL) else [])])
        same((trace.writes, service.news()), ([], []), "what was done")
        after = indexes(host)
        for gone in ("p0", "p1"):
            del after["web"][gone], after["bystander"][gone]
        same(after, before, "links")


def listings(trace):
    """How often links or routes were listed."""
    return sum(len(re.findall(r"nlmsg_type=(?:RTM_GETLINK|RTM_GETROUTE|0x12|0x1a)\b", line))
               for line in trace.lines)


@test("watch unmanaged: thousands of routes of a routing daemon on the parent are not read again")
def routing_daemon(host):
    host.netns(*TWO)
    text = document({"n": lan(host={"ipv4_address": "172.16.86.250", "interface_name": "lan0"})}, TWO)
    some = [f"10.{number // 256}.{number % 256}.0/24" for number in range(3000)]
    host.batch("host", [f"route add {to} dev eth0 protocol bgp" for to in some])
    with watching(host, "-f", host.write(text)) as service:
        with service.traced() as trace:
            host.batch("host", [f"route {verb} {to} dev eth0 protocol bgp" for to in some[:200]
                                for verb in ("del", "add")] +
                       ["route add default dev eth0 protocol bgp metric 20",
                        "route add 172.16.0.0/16 dev eth0 protocol bgp",
                        "route add 172.16.86.2/32 dev eth0 table 100 protocol bgp"])
        same((listings(trace), service.news()), (0, []), "listings, and the log")
        # An object that can conflict with a managed one, or was one, is different.
        before = host.routes("host")
        host.ip("host", "route del 172.16.86.3/32")
        service.until(lambda: host.routes("host") == before, "put back")
        with service.traced() as trace:
            host.ip("host", "route replace 172.16.86.2/32 dev eth0 protocol bgp")
            service.until_says("172.16.86.2")
        assert listings(trace) >= 1, "it is not looked at"


@test("watch unmanaged: a link of the host whose peer has the parent's ifindex in another namespace")
def peer_of_same_number(host):
    host.netns(*TWO, "other")
    index = host.link("host", "eth0")["ifindex"]
    with watching(host, "-f", host.write(two())) as service:
        with service.traced() as trace:
            host.ip("other", f"link add peer1 index {index} type veth peer name peer0")
            host.ip("other", f"link set peer0 netns {service.pid}")
            host.batch("host", ["link set peer0 up", "link set peer0 down"] * 20)
        same(host.link("host", "peer0")["link_index"], index, "the peer's number")
        same((listings(trace), service.news()), (0, []), "listings, and the log")


@test("watch unmanaged: another set of the same parent")
def another_set(host):
    host.netns(*TWO, "other")
    other = document({"m": lan()}, {"other": {"m": {"ipv4_address": "172.16.86.99"}}}, name="two")
    with watching(host, "-f", host.write(two(), "one.yaml")) as service:
        service.quiet()
        service.news()
        with service.traced() as trace:
            host.mvapply("apply", "-f", host.write(other, "two.yaml"))
            host.mvapply("delete", "-f", "two.yaml")
        same((trace.writes, service.news()), ([], []), "what was done")


# --- namespaces

def born(host, service, name, address):
    service.until(lambda: "eth0" in host.names(name) and len(host.routes(name)) == 2
                  and f"{address}/24" in host.addresses(name, "eth0"), f"{name} is attached")


@test("watch namespaces: created, removed, and created again", both=True)
def namespaces(host):
    host.netns("db")
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        assert any("pending" in line and "web" in line for line in service.news()), "not told"
        before = indexes(host)["db"]
        for _ in range(3):
            host.netns("web")
            born(host, service, "web", "172.16.86.2")
            service.quiet()
            same([line[:20] for line in service.news()], ["created attach web/n"], "the log")
            host.remove_netns("web")
            service.until_says("pending")
            service.quiet()
            same(len(service.news()), 1, "lines of the log")
        same(indexes(host)["db"], before, "the other's link")


@test("watch namespaces: replaced at once by another of the same name")
def namespace_replaced(host):
    host.netns(*TWO)
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)["db"]
        for _ in range(5):
            host.remove_netns("web")
            host.netns("web")
            born(host, service, "web", "172.16.86.2")
        service.quiet()
        same(host.link("web", "eth0")["address"], MAC, "MAC")
        same(indexes(host)["db"], before, "the other's link")
        host.unchanged(text)


@test("watch namespaces: by path, and a mount over another")
def namespace_by_path(host):
    host.netns("db")
    text = document({"n": lan()}, {"web": {"netns": "/run/elsewhere/web", "networks": ["n"]},
                                   "db": ["n"]})
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        os.mkdir("/run/elsewhere")
        host._new_namespace("web", "/run/elsewhere/web")
        born(host, service, "web", "172.16.86.2")
        service.quiet()
        host.unchanged(text)
        # The lower one persists.
        host.netns("above")
        linux.mount("/run/netns/above", "/run/elsewhere/web", None, linux.MS_BIND)
        born(host, service, "above", "172.16.86.2")
        service.until(lambda: host.names("web") == set(), "it has left the one below")
        linux.umount("/run/elsewhere/web")
        born(host, service, "web", "172.16.86.2")
        service.until(lambda: host.names("above") == set(), "and is back")
        service.quiet()
        host.unchanged(text)


@test("watch namespaces: a path that refers to another namespace without an event")
def path_turned(host):
    """The change that the file then requests is not made to a link that has the same ifindex
    there."""
    host.netns("web", "other")
    os.symlink("/run/netns/web", "/run/turns")

    def text(mtu):
        return document({"n": lan(mtu=mtu)}, {"c": {"netns": "/run/turns", "networks": ["n"]}})
    with watching(host, "-f", host.write(text(1400))) as service:
        service.settle()
        index = host.link("web", "eth0")["ifindex"]
        host.batch("other", [f"link add theirs index {index} mtu 1500 type veth peer name peer0"])
        service.quiet()
        os.symlink("/run/netns/other", "/run/turned")
        os.rename("/run/turned", "/run/turns")
        host.write(text(1300))
        service.until(lambda: "eth0" in host.names("other"), "it is where the path leads")
        service.until(lambda: host.names("web") == set(), "it is nowhere else")
        service.quiet()
        same((host.link("other", "theirs")["mtu"], host.link("other", "eth0")["mtu"]), (1500, 1300),
             "mtu")
        host.unchanged(text(1300))


@test("watch namespaces: a process's, until it ends")
def process(host):
    host.netns("db")
    with host.process() as pid:
        host.hold("web", f"/proc/{pid}/ns/net")
        text = document({"n": lan()}, {"web": {"pid": pid, "networks": ["n"]}, "db": ["n"]})
        with watching(host, "-f", host.write(text)) as service:
            born(host, service, "web", "172.16.86.2")
            service.quiet()
            service.news()
            before = indexes(host)["db"]
            host.ip("web", "link del eth0")
            born(host, service, "web", "172.16.86.2")
            service.quiet()
            service.news()
            host.leave("web")
            os.kill(pid, signal.SIGKILL)
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            with host.inside("host"):  # reaped by process(); its namespace is destroyed immediately
                service.until_says("pending")
            service.quiet()
            same((len(service.news()), indexes(host)["db"]), (1, before), "what is left")


@test("watch namespaces: the service keeps none alive")
def not_kept_alive(host):
    host.netns(*TWO, "other")
    with watching(host, "-f", host.write(two())) as service:
        service.quiet()
        service.send(signal.SIGSTOP)
        host.remove_netns("web")
        # The MAC is free again once the namespace is destroyed.
        command = f"link add link eth0 name x address {MAC} type macvlan mode bridge"
        host.until(lambda: host.run("ip", *command.split()).code == 0 and
                   host.run("ip", "link", "set", "x", "up").code == 0
                   or host.run("ip", "link", "del", "x").code < 0, "the namespace dies")
        host.ip("host", "link del x")
        service.send(signal.SIGCONT)
        service.until_says("pending")


@test("watch namespaces: one restart among fifty causes a read of that one alone", features=[CREATION])
def one_of_many(host):
    names = [f"c{number}" for number in range(50)]
    host.netns(*names)
    text = document({"n": lan()}, {name: ["n"] for name in names})
    with watching(host, "-f", host.write(text)) as service:
        before = indexes(host)
        with service.traced("openat,setns,sendto,sendmsg") as trace:
            host.remove_netns("c7")
            host.netns("c7")
            born(host, service, "c7", "172.16.86.9")
        opened = set(re.findall(r'"/run/netns/([^"]*)"', "\n".join(trace.lines)))
        same(opened, {"c7"}, "namespaces that were opened")
        # The old namespace may still exist, with the MAC: then the new link is deleted, and created
        # again.
        tries = 1 + trace.writes.count("delete link")
        made = MADE[0] if host.has(CREATION) else MADE[1]
        same(trace.writes, [*made, "delete link"] * (tries - 1) + made, "messages")
        # Enters and returns: each observation, also of namespaces without events, the writes to its
        # sysctls, the announcement.
        assert len(trace.calls("setns")) <= 20 * tries, trace.calls("setns")
        assert trace.dumps <= 10 * tries, f"{trace.dumps} listings of links"
        after = indexes(host)
        del after["c7"], before["c7"]
        same(after, before, "the others")
        host.unchanged(text)


# --- signals

@test("watch signals: SIGHUP reads the files and the host again")
def sighup(host):
    host.netns(*TWO)
    with watching(host, "-f", host.write(two())) as service:
        with service.traced() as trace:
            service.send(signal.SIGHUP)
            service.until_says("SIGHUP")
        same(trace.writes, [], "messages")
        assert trace.dumps >= 3, f"{trace.dumps} listings of links"
        assert not any("error" in line for line in service.news()), service.log()
        host.write("networks: [\n")
        service.until_says("the last valid configuration")
        service.quiet()
        service.news()
        service.send(signal.SIGHUP)  # a client gets an answer again
        service.until_says("the last valid configuration")
        service.quiet()
        host.unchanged(two())


def ends_by(number, name):
    @test(f"watch signals: {name} ends it, and does not change the networks")
    def run(host):
        host.netns(*TWO)
        with watching(host, "-f", host.write(two())) as service:
            service.quiet()
            before = host.snapshot(final_state=True)
            host.silently(name, lambda: service.end(number) if service.process.poll() is None
                          else None)
            same(host.snapshot(), before, "after the end")


ends_by(signal.SIGTERM, "SIGTERM")
ends_by(signal.SIGINT, "SIGINT")


# --- failures

def with_mac():
    """A document whose container web needs the MAC: if another link has it, no other can be
    chosen."""
    return document({"n": lan()}, {"web": {"n": {"mac_address": MAC}}, "db": ["n"]})


@test("watch failures: retried with growing delays, and nothing else is affected")
def failure(host):
    host.netns("db", "other")
    text = with_mac()
    with watching(host, "-f", host.write(text), "--metrics", f"{HERE}/mvapply.prom") as service:
        service.quiet()
        service.news()
        before = indexes(host)["db"]
        host.batch("host", [f"link add link eth0 name x address {MAC} type macvlan mode bridge",
                            "link set x netns other"])
        host.ip("other", "link set x up")
        held = host.hide("other")
        service.quiet()
        host.netns("web")
        times = []

        def failed_again():
            if f"\nmvapply_failures_total {len(times) + 1}\n" in read(f"{HERE}/mvapply.prom"):
                times.append(time.monotonic())
            return len(times) >= 4
        service.until(failed_again, "four failures", 30)
        same(len(service.times("error: attach web/n")), 1, "the same failure is logged once")
        pauses = [after - this for this, after in zip(times, times[1:])]
        for pause, least in zip(pauses, (0.1, 0.2, 0.4)):
            assert pause > least * 0.8, f"pauses of {pauses}"
        same((host.names("web"), indexes(host)["db"]), (set(), before), "links meanwhile")
        os.close(held)
        born(host, service, "web", "172.16.86.2")
        service.quiet()
        same(indexes(host)["db"], before, "the other's link")
        assert "0 to be retried" in service.notes[-1], service.notes[-1]
        host.unchanged(text)


FIGHT = "yes 'link set eth0 mtu 1300' | ip -batch -"


@test("watch failures: changes that another program reverts continuously are suspended, and reported")
def fight(host):
    host.netns("web")
    with watching(host, "-f", host.write(document({"n": lan()}, {"web": ["n"]}))) as service:
        with host.inside("web"):
            other = subprocess.Popen(["sh", "-c", FIGHT], start_new_session=True)
        try:
            service.until_says("eth0 does not stay as configured: another program may change it",
                               30)
        finally:
            os.killpg(other.pid, signal.SIGKILL)
            other.wait()
        service.until(lambda: host.link("web", "eth0")["mtu"] == 1500, "repaired in the end", 30)
        service.quiet()
        same(host.link("web", "eth0")["mtu"], 1500, "mtu")


@test("watch failures: those of a removed container are dropped")
def failure_forgotten(host):
    host.netns("db", "other")
    with watching(host, "-f", host.write(with_mac())) as service:
        service.quiet()
        host.batch("host", [f"link add link eth0 name x address {MAC} type macvlan mode bridge",
                            "link set x netns other"])
        host.ip("other", "link set x up")
        held = host.hide("other")
        service.quiet()
        host.netns("web")
        service.until_says("error: attach web/n")
        host.remove_netns("web")
        service.until(lambda: sum("pending" in line for line in service.log()) == 2, "gone")
        service.quiet(1)
        same(service.notes[-1], "READY=1\nSTATUS=Converged, 1 live, 1 pending, "
             "0 to be retried", "the status")
        os.close(held)


@test("watch failures: an unmanaged link conflicts until it is removed")
def in_the_way(host):
    host.netns(*TWO)
    host.batch("web", ["link add eth0 type veth peer name peer0"])
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}, "db": ["n"]})
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        blocked = [line for line in service.news() if "blocked" in line]
        same(len(blocked), 1, "lines that say so")
        same(host.addresses("db", "eth0"), {"172.16.86.3/24"}, "the other's address")
        host.ip("web", "link del eth0")
        born(host, service, "web", "172.16.86.2")
        service.quiet()
        host.unchanged(text)


@test("watch guard: too many deletions are deferred, and reported once")
def guard(host):
    names = [f"c{number}" for number in range(12)]
    host.netns(*names)

    def some(count):
        return document({"n": lan()}, {name: ["n"] for name in names[:count]})
    with watching(host, "-f", host.write(some(12))) as service:
        service.quiet()
        service.news()
        before = indexes(host)
        with service.traced() as trace:
            host.write(some(4))
            service.until_says("held: ")
            host.ip("c1", "link set lo up")
        same(trace.writes, [], "messages")
        news = [line for line in service.news() if "held" in line]
        assert len(news) == 1 and "--max-delete=8" in news[0] and "warning" in news[0], news
        host.write(some(11))
        service.until(lambda: not host.names("c11"), "the one that may go")
        service.quiet()
        after = indexes(host)
        del after["c11"], before["c11"]
        same(after, before, "the others")


@test("watch guard: an empty file is deferred; --max-delete allows it")
def guard_empty(host):
    host.netns(*TWO)
    with watching(host, "-f", host.write(two())) as service:
        before = indexes(host)
        host.write("networks: {}\n")
        service.until_says("held: ")
        service.quiet()
        same(indexes(host), before, "links")
    with watching(host, "-f", "network.yaml", "--max-delete=100%") as service:
        service.until(lambda: not host.names("web") and not host.names("db"), "deleted")


@test("watch lost events: the whole state is read again, and nothing is changed")
def lost_events(host):
    host.netns(*TWO)
    text = two()
    with watching(host, "-f", host.write(text)) as service:
        service.quiet()
        service.news()
        before = host.snapshot(final_state=True)
        service.send(signal.SIGSTOP)
        flips = "link set lo mtu 60000\nlink set lo mtu 60001\n" * 8000  # 32 MiB of them
        host.run("ip", "-batch", "-", ns="db", stdin=flips.encode(), code=0, seconds=50)
        host.ip("db", "link set lo mtu 65536")
        host.ip("web", "address del 172.16.86.2/24 dev eth0")
        service.send(signal.SIGCONT)
        service.until(lambda: host.snapshot() == before, "repaired")
        service.quiet()
        news = service.news()
        same([line for line in news if "lost" not in line],
             ["changed attach web/n  + address 172.16.86.2/24, + route default via 172.16.86.1"],
             "the log")
        assert any("lost" in line for line in news), news
        host.unchanged(text)


@test("watch: a failed observation is reported, deletes nothing, and is repeated")
def broken_look(host):
    host.netns(*TWO)
    with watching(host, "-f", host.write(two())) as service:
        service.quiet()
        service.news()
        before = indexes(host)
        # What cannot be read in place is read again by an observation of everything, which is reported.
        strace = subprocess.Popen(["strace", "-f", "-o", "/run/service/inject", "-e", "trace=setns",
                                   "-e", "inject=setns:error=ENOMEM:when=1..2", "-p",
                                   str(service.pid)], stderr=subprocess.PIPE)
        strace.stderr.readline()
        host.ip("web", "address del 172.16.86.2/24 dev eth0")
        born(host, service, "web", "172.16.86.2")
        service.quiet()
        strace.send_signal(signal.SIGINT)
        strace.communicate()
        same(indexes(host), before, "links")
        news = service.news()
        assert any("Cannot allocate memory" in line for line in news), news


# --- idle

@test("watch: it sleeps while nothing changes")
def idle(host):
    host.netns(*TWO)
    with watching(host, "-f", host.write(two())) as service:
        host.settle()
        service.quiet(1.5)
        ticks = service.ticks()
        time.sleep(3)
        same(service.ticks(), ticks, "context switches in 3 s")
        with service.traced("all") as trace:
            time.sleep(3)
        # The tracer interrupts epoll_wait, and a clock that is not the TSC is read by a system call.
        calls = [line for line in trace.lines
                 if not any(word in line for word in ("epoll_wait", "resumed", "clock_gettime"))]
        same(calls, [], "system calls in 3 s")


@test("watch: without differences it starts without a message that changes an object")
def start_converged(host):
    host.netns(*TWO)
    text = two(ip_range="172.16.86.0/24")
    host.apply(text)
    before = host.snapshot(final_state=True)
    with watching(host, "-f", "network.yaml") as service:
        service.quiet()
        same((service.news(), host.snapshot()), ([], before), "what was done")


@test("watch: one line at its start has the version, the files, the sets and the live attachments")
def start_told(host):
    host.netns(*TWO)
    host.apply(document({"n": lan(ip_range="172.16.86.0/24")}, {"web": ["n"]}))
    files = [host.write(document({"n": lan(ip_range="172.16.86.0/24")}, {"web": ["n"], "db": ["n"]}), "a.yaml"),
             host.write(document({"n": lan(subnet="172.16.87.0/24", gateway=None)}, {"db": ["n"]}, name="b"),
                        "b.yaml")]
    version = host.mvapply("--version", "-o", "json").json["mvapply"]
    with watching(host, "-f", files[0]) as service:
        service.quiet()
        said = service.whole_log()
    same(said[0], f"started mvapply {version}; files: a.yaml; sets: default; live attachments: 1", "the start")
    assert said[1].startswith("created attach db/n  eth0 "), said
    with watching(host, "-f", files[0], "-f", files[1], "-o", "json") as service:
        service.quiet()
        with open(f"{HERE}/service.out", encoding="utf-8") as out:
            first = json.loads(out.readline())
    same((first["mvapply"], first["files"], first["sets"], first["live"]), (version, files, ["default", "b"], 2),
         "in JSON")
    with watching(host, "-q", "-f", files[0]) as service:
        same(service.whole_log(), [], "with -q")


@test("watch: a wrong command line ends it at the start")
def wrong_command_line(host):
    host.mvapply("watch", "-f", "-", code=3)
    host.mvapply("watch", "-f", host.write(two()), "--no-such-option", code=3)


def unreadable(path):
    put(path, two(ip_range="172.16.86.0/24"))
    os.chmod(path, 0)


def oversized(path):
    put(path, "#")
    os.truncate(path, (32 << 20) + 1)


def bound(path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)


def instead(path):
    os.unlink(path)
    right(path)


# What may be wrong at the start: how it is made, and how an administrator corrects it.
WRONG = {
    "an invalid file": (lambda path: put(path, "networks: [\n"), None),
    "a file that another user can write": (lambda path: (put(path, two(ip_range="172.16.86.0/24")),
                                                         os.chmod(path, 0o666)),
                                           lambda path: os.chmod(path, 0o644)),
    "a file that is too large": (oversized, None),
    "a missing file": (lambda path: None, None),
    "an empty folder": (lambda path: None, None),
    "a missing folder": (lambda path: os.rmdir(os.path.dirname(path)), None),
    "folders of which none exists": (lambda path: shutil.rmtree("etc"), None),
    "a folder in the place of the file": (os.mkdir, lambda path: (os.rmdir(path), right(path))),
    "a link to nowhere": (lambda path: os.symlink("target", path), None),
    "a link to nowhere in the folder": (lambda path: os.symlink("target", path), None),
    "a link to itself": (lambda path: os.symlink(os.path.basename(path), path), instead),
    "a FIFO": (os.mkfifo, instead),
    "a FIFO in the folder": (os.mkfifo, instead),
    "a socket": (bound, instead),
    "a link to a folder": (lambda path: os.symlink("/run", path), instead),
    "a device": (lambda path: os.symlink("/dev/null", path), instead),
    "a folder that is a file": (lambda path: (os.rmdir(os.path.dirname(path)), put(os.path.dirname(path), "networks: [\n")),
                                lambda path: (os.unlink(os.path.dirname(path)), right(path))),
    "a path through a file": (lambda path: (shutil.rmtree("etc"), put("etc", "")), lambda path: (os.unlink("etc"), right(path))),
}


def right(path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    put(path, two(ip_range="172.16.86.0/24"))


def wait_for_file(host, wrong):
    """Starts a service that has nothing to do yet, and corrects the files."""
    make, correct = WRONG[wrong]
    path, folder = "etc/mvapply/network.yaml", "etc/mvapply"
    os.makedirs(folder)
    make(path)
    with watching(host, "-f", folder if "folder" in wrong else path, "--metrics",
                  f"{HERE}/mvapply.prom") as service:
        same(service.notes, ["READY=1\nSTATUS=Waiting for valid files: see the log"], "to systemd")
        log = service.whole_log()
        assert len(log) == 2 and log[0].startswith("error: ") and log[1] == \
            "warning: the files have errors: no configuration is in effect yet", log
        service.until(lambda: "\nmvapply_input_valid 0\n" in read(f"{HERE}/mvapply.prom"), "the metrics say it")
        service.send(signal.SIGHUP)
        service.until_says("SIGHUP")
        service.quiet()
        same(len(service.news()), 5, "the errors are told again after SIGHUP")
        same((host.names("web"), host.names("db")), (set(), set()), "nothing was done")
        (correct or right)(path)
        service.until(lambda: host.names("web") and host.names("db"), "attached")
        service.settle()
        assert "the files are valid" in service.log(), service.log()
        assert service.notes[-1].startswith("READY=1\nSTATUS=Converged, 2 live, "), service.notes
        put(path, "networks: [\n")
        service.until_says("the last valid configuration stays in effect")


for _wrong in WRONG:
    @test(f"watch: it waits for valid files, of which there are none at the start: {_wrong}")
    def wrong_start(host, wrong=_wrong):
        host.netns(*TWO)
        wait_for_file(host, wrong)


DAC = {1, 2}  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, which the unit's processes lack


@test("watch: it waits for unreadable files to become readable, and for a folder to be mounted")
def wrong_start_mounted(host):
    host.netns(*TWO)
    os.mkdir("etc")
    with watching(host, "-f", "etc", before=lambda: linux.keep_capabilities(
            set(range(64)) - DAC)) as service:
        unreadable("etc/network.yaml")
        service.until_says("Permission denied")
        os.chmod("etc/network.yaml", 0o644)
        service.until(lambda: host.names("web"), "attached")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree("etc")
    os.makedirs("other")
    os.mkdir("etc")
    right("other/network.yaml")
    host.delete(two(ip_range="172.16.86.0/24"))
    with watching(host, "-f", "etc") as service:
        linux.mount("other", "etc", None, linux.MS_BIND)
        service.until(lambda: host.names("web"), "attached")


@test("watch: while a parent is down, each state is logged once")
def parent_down_once(host):
    down_once(host)


@test("watch: while the parent of a VLAN is down, each state is logged once", needs=["vlan"])
def vlan_parent_down_once(host):
    down_once(host, vlan=5)


def down_once(host, **keys):
    host.netns("web")
    with watching(host, "-f", host.write(two(ip_range="172.16.86.0/24", **keys))) as service:
        service.settle()
        host.ip("host", "link set eth0 down")
        time.sleep(2 * host.patience)
        host.netns("db")
        time.sleep(2 * host.patience)
        host.ip("web", "link del eth0")
        time.sleep(3 * host.patience)
        log = service.news()
        same(sorted(log), sorted(set(log)), "lines")
        same(sum("parent eth0 is down" in line for line in log), 3, "what is down")
        host.ip("host", "link set eth0 up")
        service.until(lambda: host.names("web") and host.names("db"), "attached")
