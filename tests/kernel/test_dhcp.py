"""`dhcp: true`: the address is a lease of a real server's, dnsmasq, at the other end of the cable."""
import contextlib
import os
import re
import signal
import subprocess
import time

import linux
from declare import document, lan
from dhcp_server import Server, serving, set_lifetime
from features import ADDRESS_PROTOCOL, RENAME_UP
from host import same
from registry import test
from service import watching
from test_dhcp_client import helper_of
from test_json import fits
from test_squatted import other_users

NET = lan(dhcp=True, subnet=None, gateway=None)
TEXT = document({"n": NET}, {"web": ["n"]})


def lease_of(host, ns="web", link="eth0"):
    """The link's one IPv4 address as `ip` reports it."""
    found = [item for item in host.link(ns, link)["addr_info"] if item["family"] == "inet"]
    same(len(found), 1, f"IPv4 addresses of {link} in {ns}")
    return found[0]


def grow_old(host, preferred=0, ns="web"):
    """As if half of the lease were over, or will be in that many seconds."""
    lease = lease_of(host, ns)
    index = host.link(ns, "eth0")["ifindex"]
    with host.inside(ns):
        set_lifetime(index, f"{lease['local']}/{lease['prefixlen']}", 60, preferred)


@test("dhcp: address, lifetime, default route, name and client id; a second apply sends nothing")
def first(host):
    host.netns("web")
    with serving(host) as server:
        diff = host.diff(TEXT)
        same(len(diff.plan), 1, "steps")
        assert re.fullmatch(r"\+ attach web/n eth0 dhcp 06(:..){5}", diff.plan[0]), diff
        same(server.log().count("DHCPDISCOVER"), 0, "what a diff asks")
        done = host.apply(TEXT)
        lease = lease_of(host)
        ip = lease["local"]
        same(done.plan, [f"+ attach web/n eth0 dhcp {ip}/24 {host.link('web', 'eth0')['address']} "
                         "default via 172.16.86.1"], "the plan, once it is done")
        same((lease["prefixlen"], lease["broadcast"], lease["dynamic"]), (24, "172.16.86.255", True),
             "the address")
        assert 110 <= lease["valid_life_time"] <= 120 and 50 <= lease["preferred_life_time"] <= 60, \
            lease
        same(host.routes("web"), {"default via 172.16.86.1 dev eth0",
                                  f"172.16.86.0/24 dev eth0 scope link src {ip}"}, "routes")
        same(server.leases(), {ip: (host.link("web", "eth0")["address"], "web",
                                    b"\0default/n/web")}, "the server's leases")
        host.run("ping", "-c", "1", "-W", "5", "172.16.86.1", ns="web", code=0)
        asked = server.count("DHCPDISCOVER")
        host.unchanged(TEXT)
        same(server.count("DHCPDISCOVER"), asked, "what a second apply asks")


@test("dhcp: a lease in status, JSON, doctor, graph and export")
def reported(host):
    host.netns("web", "db")
    text = document({"n": NET, "m": lan(subnet="10.8.0.0/16", gateway="10.8.0.254")},
                    {"web": ["n", "m"], "db": ["n"]})
    with serving(host):
        step = host.diff(text, "-o", "json").json["steps"][0]
        same((step["dhcp"], step["addresses"]), (True, []), "the plan")
        fits(host.apply(text, "-o", "json").json, "plan")
        ip, mac = lease_of(host)["local"], host.link("web", "eth0")["address"]
        path = host.write(text)
        lines = host.mvapply("status", "-f", path).lines
        assert any(re.fullmatch(rf"web/n live eth0 {ip}/24 \(lease: 1(20|1\d) s left\) {mac} "
                                "on eth0, default via 172.16.86.1", line) for line in lines), lines
        status = host.mvapply("status", "-f", path, "-o", "json").json
        fits(status, "status")
        of_network = {attachment["network"]: attachment["addresses"] for attachment in status["attachments"]
                      if attachment["container"] == "web"}
        address, = of_network["n"]
        assert address["address"] == ip and 110 <= address["lease"]["ends_in"] <= 120 and \
            50 <= address["lease"]["renewed_in"] <= 60, address
        assert "lease" not in of_network["m"][0], status
        assert any(line.startswith("ok dhcp the client is /") for line in
                   host.mvapply("doctor", "-f", path, code=None).lines)
        assert f"eth0 {ip}/24" in host.mvapply("graph", "-f", path).out
        # Applying the export changes nothing, and another host gets its own lease by it.
        exported = host.mvapply("export").out
        same(host.diff(exported, code=0).plan, [], "a diff against the export")
        assert ip not in exported and exported.count("dhcp: true") == 1, exported


@test("dhcp: a restarted container has the same address; delete releases it")
def kept(host):
    host.netns("web", "db")
    text = document({"n": NET}, {"web": ["n"], "db": ["n"]}, name="lab")
    with serving(host) as server:
        host.apply(text)
        before = server.leases()
        web = lease_of(host)["local"]
        assert web != lease_of(host, "db")["local"]
        host.remove_netns("web")
        host.netns("web")
        host.apply(text)
        same(lease_of(host)["local"], web, "the address after a restart")
        same(server.leases(), before, "the server's leases")
        host.apply(document({"n": NET}, {"db": ["n"]}, name="lab"), "--max-delete=1")
        same(set(server.leases()), set(before) - {web}, "leases without web's")
        host.delete(text)
        same((server.leases(), host.names("db")), ({}, set()), "leases, and links, after delete")
        same(server.count("DHCPRELEASE"), 2, "releases")


@test("dhcp: from the lease to an address of the file, and back")
def change(host):
    host.netns("web")
    static = document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.20"}}})
    with serving(host) as server:
        host.apply(TEXT)
        index = host.link("web", "eth0")["ifindex"]
        host.apply(static.replace("ipv4_address", "dhcp\": false, \"ipv4_address"))
        same((server.leases(), host.addresses("web", "eth0")), ({}, {"172.16.86.20/24"}),
             "leases and addresses")
        same(host.routes("web"), {"default via 172.16.86.1 dev eth0",
                                  "172.16.86.0/24 dev eth0 scope link src 172.16.86.20"}, "routes")
        host.unchanged(static)
        host.apply(TEXT)
        leases = server.leases()
        same(set(leases), {lease_of(host)["local"]}, "leases")
        same(host.link("web", "eth0")["ifindex"], index, "the link is the same")
        # The leased address itself, without expiry.
        static = document({"n": lan()},
                          {"web": {"n": {"ipv4_address": lease_of(host)["local"]}}})
        host.apply(static)
        same(server.leases(), {}, "leases: given back, though the file does not name dhcp any more")
        assert "dynamic" not in lease_of(host), lease_of(host)
        host.unchanged(static)


# The key, in each YAML spelling.
SPELLINGS = {
    "an escaped letter": '{parent: eth0, "\\x64hcp": true}',
    "escapes of all widths": '{parent: eth0, "\\x64\\u0068\\U00000063p": true}',
    "a word folded over lines": '\n    parent: eth0\n    ? "dh\\\n      cp"\n    : true',
    "an explicit key": "\n    parent: eth0\n    ? dhcp\n    : true",
    "JSON": '{"parent": "eth0", "dh\\u0063p": true}',
}


def spelled(spelling, container="web"):
    return f"networks:\n  n: {spelling}\ncontainers:\n  {container}: {{networks: [n]}}\n"


@test("dhcp: every spelling of the key in YAML, from every kind of file")
def spellings(host):
    host.netns("web", "db")
    with serving(host) as server:
        for how, spelling in SPELLINGS.items():
            host.apply(spelled(spelling))
            assert lease_of(host)["dynamic"], how
            host.unchanged(spelled(spelling))
            host.mvapply("delete", "-f", "network.yaml")
            same((server.leases(), host.names("web")), ({}, set()), f"after delete, {how}")
        text = spelled(SPELLINGS["an escaped letter"])
        os.mkdir("folder")
        host.write(text, "folder/a.yaml")
        host.write(f"{text}---\nname: other\n" + spelled(SPELLINGS["JSON"], "db"), "documents.yaml")
        host.diff(text, "--out", "plan.json")
        for argv, stdin in ((["-f", "-"], text.encode()), (["-f", "folder"], None),
                            (["-f", "documents.yaml"], None), (["plan.json"], None)):
            host.mvapply("apply", *argv, stdin=stdin)
            assert lease_of(host)["dynamic"], argv
            host.mvapply("delete", "-f", "documents.yaml")
            same(host.names("web"), set(), f"after delete, {argv}")
        with open("wide.yaml", "wb") as file:
            file.write(text.encode("utf-16"))
        wide = host.mvapply("apply", "-f", "wide.yaml", code=None)
        assert wide.code == 3 or lease_of(host)["dynamic"], wide


@test("dhcp: renewed after half of its lifetime, and restored if another program removes it", features=[RENAME_UP])
def renew(host):
    host.netns("web")
    with serving(host) as server:
        host.apply(TEXT)
        ip, acks = lease_of(host)["local"], server.count("DHCPACK")
        grow_old(host)
        same(host.diff(TEXT).plan, [f"~ attach web/n dhcp {ip}/24 -> renewed"], "the plan")
        host.apply(TEXT)
        lease = lease_of(host)
        assert lease["local"] == ip and lease["valid_life_time"] > 110 and \
            lease["preferred_life_time"] > 50, lease
        same(server.count("DHCPACK"), acks + 1, "acknowledgements")
        # From the kernel alone, without a request.
        routes = host.routes("web")
        host.ip("web", "route delete default")
        if host.has(RENAME_UP):  # down, it would lose the route that remembers the gateway
            host.ip("web", "link set eth0 name other")
        host.apply(TEXT)
        same(host.routes("web"), routes, "routes")
        lease = lease_of(host)
        assert lease["dynamic"] and 100 < lease["valid_life_time"] <= 120, lease
        same(server.count("DHCPACK"), acks + 1, "acknowledgements")
        host.ip("web", f"address delete {ip}/24 dev eth0")
        host.apply(TEXT)
        same((lease_of(host)["local"], host.routes("web")), (ip, routes), "put back")


@test("dhcp: without a server the link is created, and reported; then a server appears")
def silent(host):
    host.netns("web", "db")
    text = document({"n": NET, "m": lan(subnet="10.8.0.0/16", gateway=None)},
                    {"web": ["n"], "db": ["n", "m"]})
    begun = time.monotonic()
    done = host.apply(text, code=1)
    assert time.monotonic() - begun < 11 * host.patience, "one asked after the other"
    for what in ("web/n", "db/n"):
        assert f"attach {what}: no DHCP server answered within 6 s: eth0 in namespace " \
            f"{what[:-2]} has no IPv4 address [MV0916]" in done.err, done
    same((host.addresses("web", "eth0"), host.addresses("db", "eth1")),
         (set(), {"10.8.0.2/16"}), "addresses")
    same(done.lines[-1], "Done: 1 created. Failed: 2.", "the count")
    with serving(host) as server:
        host.apply(text)
        same(set(server.leases()), {lease_of(host)["local"], lease_of(host, "db")["local"]},
             "leases")
    # It keeps its objects.
    grow_old(host)
    ip = lease_of(host)["local"]
    done = host.apply(text, code=1)
    assert f"eth0 in namespace web keeps {ip}/24 until its lease ends [MV0916]" in done.err, done
    same(lease_of(host)["local"], ip, "the address")
    # No process releases it.
    done = host.delete(text)
    assert f"note: attach web/n: the lease of {ip} expires instead of being released: no DHCP " \
        "server answered" in done.err, done
    same((host.names("web"), host.names("db")), (set(), set()), "links")


@test("dhcp: the server assigns another address")
def other(host):
    host.netns("web")
    with serving(host):
        host.apply(TEXT)
        old = lease_of(host)["local"]
    os.unlink("/run/dhcp/up0.leases")
    host.lan("172.16.86.2/24")
    with serving(host, pool="172.16.86.200,172.16.86.210",
                 options=["--dhcp-option=option:router,172.16.86.2"]):
        grow_old(host)
        host.apply(TEXT)
        new = lease_of(host)["local"]
        assert new != old and new.startswith("172.16.86.2"), (old, new)
        same(host.routes("web"), {"default via 172.16.86.2 dev eth0",
                                  f"172.16.86.0/24 dev eth0 scope link src {new}"}, "routes")


@test("dhcp: a changed address leaves unmanaged addresses and routes of the link unchanged", features=[ADDRESS_PROTOCOL])
def other_beside(host):
    host.netns("web")
    for promotes, pool in ("0", "172.16.86.100,172.16.86.109"), ("1", "172.16.86.110,172.16.86.119"):
        with serving(host):
            host.apply(TEXT)
            grow_old(host)
            host.set_sysctl("web", "net/ipv4/conf/eth0/promote_secondaries", promotes)
            host.batch("web", ["address add 172.16.86.200/24 dev eth0 label eth0:theirs",
                               "route add 10.7.0.0/16 via 172.16.86.7",
                               "route add 10.8.0.0/16 dev eth0"])
        os.unlink("/run/dhcp/up0.leases")
        with serving(host, pool=pool):
            host.apply(TEXT)
            addresses = host.addresses("web", "eth0")
            same("172.16.86.200/24" in addresses, host.has(ADDRESS_PROTOCOL), "theirs is there")
            ours, = addresses - {"172.16.86.200/24"}
            assert ours.startswith(pool[:11]), ours
            protocols = host.route_protocols("web")
            same({route for route in protocols if route.startswith("10.")},
                 {"10.7.0.0/16 via 172.16.86.7 dev eth0", "10.8.0.0/16 dev eth0 scope link"}, "theirs")
            assert "default via 172.16.86.1 dev eth0" in protocols, protocols
            same(host.sysctl("web", "net/ipv4/conf/eth0/promote_secondaries"), promotes, "the setting")
            host.unchanged(TEXT)
            host.delete(TEXT)
        os.unlink("/run/dhcp/up0.leases")


@test("dhcp: the network with the default route; none by an internal one; IPv6 in addition")
def routes(host):
    host.netns("web", "db")
    dual = lan(dhcp=True, subnet=None, gateway=None, subnets=[
        {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
    text = document({"n": dual, "m": lan(subnet="10.8.0.0/16", gateway="10.8.0.254"),
                     "i": lan(dhcp=True, subnet=None, gateway=None, internal=True)},
                    {"web": {"n": {}, "m": {"gw_priority": 1}}, "db": ["i"]})
    with serving(host) as server:
        host.apply(text)
        ip = lease_of(host)["local"]
        same(host.addresses("web", "eth0"), {f"{ip}/24", "fd00:86::2/64"}, "addresses")
        same({route for route in host.routes("web") if "default" in route},
             {"default via 10.8.0.254 dev eth1", "default via fd00:86::1 dev eth0"}, "defaults")
        same([route for route in host.routes("db") if "default" in route], [], "of the internal one")
        asked = server.count("DHCPDISCOVER")
        host.unchanged(text)
        # The lease's router is known, whichever attachment has the default route.
        text = text.replace('"gw_priority": 1', '"gw_priority": -1')
        host.apply(text)
        assert "default via 172.16.86.1 dev eth0" in host.routes("web"), host.routes("web")
        same(server.count("DHCPDISCOVER"), asked, "what was asked")


@test("dhcp: for one attachment of a network that has a subnet")
def one(host):
    host.netns("web", "db")
    with serving(host) as server:
        host.apply(document({"n": lan()}, {"web": {"n": {"dhcp": True}}, "db": ["n"]}))
        same(set(server.leases()), {lease_of(host)["local"]}, "leases")
        same(host.addresses("db", "eth0"), {"172.16.86.2/24"}, "db's address")
        host.apply(document({"n": lan(dhcp=True)}, {"web": ["n"], "db": {"n": {"dhcp": False}}}))
        same(host.addresses("db", "eth0"), {"172.16.86.2/24"}, "db's address")


def clients(host, ns="web"):
    """The processes in the namespace: only DHCP clients are there."""
    found, inode = [], os.fstat(host.spaces[ns]).st_ino
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), \
                open(f"/proc/{pid}/cmdline", "rb") as file:
            if os.stat(f"/proc/{pid}/ns/net").st_ino == inode and \
                    file.read().startswith(b"udhcpc\0"):
                found.append(pid)
    return found


def files_of(pid):
    return {path for path in (os.readlink(f"/proc/{pid}/fd/{fd}")
                              for fd in os.listdir(f"/proc/{pid}/fd"))
            if not path.startswith(("pipe:", "socket:", "anon_inode:"))}


@test("dhcp: killed at any time, it leaves no client process, and the next apply has the lease")
def killed(host):
    host.netns("web")
    path = host.write(TEXT)
    with serving(host) as server:
        for milliseconds in (5, 15, 25, 40, 60, 90):
            with subprocess.Popen([host.binary, "apply", "-f", path], stdout=subprocess.DEVNULL) \
                    as child:
                time.sleep(milliseconds * host.patience / 1000)
                child.kill()
            host.until(lambda: not clients(host), "no client is left")
            host.apply(TEXT)
            same(set(server.leases()), {lease_of(host)["local"]}, "leases")
            host.unchanged(TEXT)
            host.delete(TEXT)
        same((server.leases(), host.names("web")), ({}, set()), "leases, and links")


@test("dhcp: the client has few capabilities, the host's files, and the container's network")
def rights(host):
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), converged=False) as running:
        pid = running.until(lambda: clients(host), "a client runs")[0]
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(re.findall(r"^(\w+):\t(.*)$", file.read(), re.MULTILINE))
        rights = 1 << 10 | 1 << 13  # NET_BIND_SERVICE, NET_RAW
        for which in ("CapEff", "CapPrm", "CapAmb", "CapInh"):
            same(int(status[which], 16), rights, which)
        same(status["NoNewPrivs"], "1", "no new privileges")
        user = "61077" if other_users() else "0"  # its own, where there is more than one
        same((status["Uid"].split(), status["Gid"].split(), status["Groups"].split()),
             ([user] * 4, [user] * 4, []), "who it is")
        same(status["Seccomp"], "2", "a filter of system calls")
        same(os.readlink(f"/proc/{pid}/ns/mnt"), os.readlink("/proc/self/ns/mnt"), "its files")
        # It ends with the service.
        running.process.kill()
        running.process.wait()
        host.until(lambda: not clients(host), "the client ends")
        running.process.returncode = 0
    # No descriptor is inherited, except the script and /dev/null.
    left = os.open("/run/work", os.O_RDONLY)
    with subprocess.Popen([host.binary, "apply", "-f", "network.yaml"], pass_fds=[left],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        pid = host.until(lambda: clients(host), "a client runs")[0]
        assert "/run/work" in files_of(child.pid), files_of(child.pid)
        same(files_of(pid), {"/dev/null", host.binary}, "what the client has open")
        child.kill()


@test("dhcp: a saved plan; the rollback restores the former lease")
def saved(host):
    host.netns("web")
    with serving(host) as server:
        host.diff(TEXT, "--out", "plan.json")
        host.mvapply("apply", "plan.json")
        before, lease = host.routes("web"), lease_of(host)
        static = document({"n": lan()}, {"web": {"n": {"dhcp": False,
                                                       "ipv4_address": "172.16.86.20"}}})
        done = host.apply(static, "--confirm=1", code=5)
        assert "1 DHCP lease expires instead of being released, because --confirm" in done.err, done
        same(set(server.leases()), {lease["local"]}, "leases")
        after = lease_of(host)
        same((after["local"], after.get("dynamic"), host.routes("web")),
             (lease["local"], True, before), "the address and the routes")
        assert 60 < after["valid_life_time"] <= lease["valid_life_time"], after
        host.apply(TEXT)
        same(set(server.leases()) - {lease["local"]}, set(), "other leases")


@test("dhcp: on a VLAN that is created for it", needs=["vlan"])
def vlan(host):
    host.netns("web")
    host.lan("172.16.87.1/24", vlan=10)
    text = document({"n": lan(dhcp=True, vlan=10, subnet=None, gateway=None)}, {"web": ["n"]})
    with serving(host, link="up0.10", pool="172.16.87.50,172.16.87.99") as server:
        host.apply(text, seconds=60)
        same(set(server.leases()), {lease_of(host)["local"]}, "leases")
        host.delete(text, seconds=60)
        same((server.leases(), host.names("host")), ({}, {"eth0"}), "leases, and links, after delete")


@test("dhcp: ipvlan, whose links share a MAC, distinguished by their client ids", needs=["ipvlan"])
def ipvlan(host):
    host.netns("web", "db")
    text = document({"n": lan(driver="ipvlan", dhcp=True, subnet=None, gateway=None)},
                    {"web": ["n"], "db": ["n"]})
    with serving(host) as server:
        host.apply(text, seconds=60)
        leases = server.leases()
        same(set(leases), {lease_of(host)["local"], lease_of(host, "db")["local"]}, "leases")
        same(len(leases), 2, "how many")
        same({mac for mac, *_ in leases.values()}, {host.link("host", "eth0")["address"]}, "MACs")
        host.run("ping", "-c", "1", "-W", "5", "172.16.86.1", ns="web", code=0, seconds=60)
        host.delete(text, seconds=60)
        same(server.leases(), {}, "leases after delete")


def started(host, *arguments):
    """The processes and programs that mvapply starts."""
    host.run("strace", "-f", "-qq", "-o", "trace", "-e", "trace=clone,clone3,fork,vfork,execve",
             host.binary, *arguments, code=0, seconds=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    with open("trace", encoding="utf-8", errors="replace") as file:
        calls = [line.split(None, 1)[1] for line in file
                 if not any(word in line for word in (" resumed>", "CLONE_THREAD", "--- SIG"))]
    return ([call for call in calls if not call.startswith("execve")],
            [call.split('"')[1] for call in calls if call.startswith("execve")])


@test("dhcp: no program is started without a lease in the files, nor while a lease is fresh")
def costs(host):
    host.netns("web", "db")
    plain = host.write(document({"m": lan(subnet="10.8.0.0/16", gateway=None)}, {"db": ["m"]},
                       name="plain"), "plain.yaml")
    forks, programs = started(host, "apply", "-f", plain)
    same((len(forks), programs), (1, [host.binary]), "of an apply without dhcp: the helper alone")
    with serving(host):
        host.apply(TEXT)
        forks, programs = started(host, "apply", "-f", "network.yaml")
        same((len(forks), programs), (1, [host.binary]), "the helper alone")
        grow_old(host)
        forks, programs = started(host, "apply", "-f", "network.yaml")
        same(programs[0], host.binary, "the first program")
        assert programs[1].endswith(("/udhcpc", "/busybox")), programs
        same(set(programs[2:]), {"/proc/self/fd/9"}, "the client's script, which is mvapply")
        for command in ("diff", "status", "doctor", "export"):
            forks, programs = started(host, command, "-f", "network.yaml")
            same((forks, programs), ([], [host.binary]), command)


@test("dhcp: the service's log as JSON fits its schema")
def log(host):
    host.netns("web")
    with serving(host):
        with watching(host, "-f", host.write(TEXT), "-o", "json") as running:
            running.until(lambda: host.addresses("web", "eth0"), "the address")
            running.quiet()
            lines = running.output()
        for line in lines:
            fits(line, "log")
        assert any("+ dhcp 172.16.86." in line["message"] for line in lines), lines


@test("dhcp: without a client program the error names the packages")
def absent(host):
    host.netns("web")
    host.write("", "nothing")
    for path in {os.path.realpath(f"{folder}/{name}") for name in ("udhcpc", "busybox")
                 for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin")}:
        if os.path.exists(path):
            linux.mount("/run/work/nothing", path, None, linux.MS_BIND)
    found = host.mvapply("doctor", "-f", host.write(TEXT), "-o", "json", code=1).json["findings"]
    same([(one["level"], one["check"], one["code"]) for one in found if one["check"] == "dhcp"],
         [("problem", "dhcp", "MV0917")], "what the doctor finds")
    done = host.apply(TEXT, code=1)
    assert "web/n: no DHCP client is installed" in done.err and "[MV0917]" in done.err and \
        "hint: install udhcpc" in done.err, done


@test("dhcp: the service requests, renews and restores leases", seconds=60)
def service(host):
    host.netns("web", "db")
    server = Server(host)
    text = document({"n": NET, "m": lan(subnet="10.8.0.0/16", gateway=None)},
                    {"web": ["n"], "db": ["m"]})
    with watching(host, "-f", host.write(text), converged=False) as running:
        # Other attachments do not wait for a server.
        running.until(lambda: host.names("web") and host.names("db"), "the links are there")
        begun = time.monotonic()
        host.ip("db", "link del eth0")
        running.until(lambda: host.names("db"), "repaired", 3)
        assert time.monotonic() - begun < 3 * host.patience
        assert "READY=1\nSTATUS=Not converged" in running.note(), running.notes
        running.until_says("no DHCP server answered within 6 s", 20)
        server.begin()
        ip = running.until(lambda: set(server.leases()), "a lease", 40).pop()
        running.until(lambda: host.addresses("web", "eth0") == {f"{ip}/24"}, "the address", 20)
        running.settle()
        acks = server.count("DHCPACK")
        grow_old(host, 2)  # then the kernel reports that it is no longer preferred
        running.until(lambda: lease_of(host)["valid_life_time"] > 100, "renewed", 20)
        same((lease_of(host)["local"], server.count("DHCPACK")), (ip, acks + 1), "the renewal")
        host.ip("web", "address flush dev eth0")
        running.until(lambda: host.addresses("web", "eth0") == {f"{ip}/24"}, "put back", 20)
        host.remove_netns("web")
        host.netns("web")
        running.until(lambda: "eth0" in host.names("web") and
                      host.addresses("web", "eth0") == {f"{ip}/24"}, "after a restart", 20)
        assert any(f"changed attach web/n + dhcp {ip}/24" in " ".join(line.split())
                   for line in running.log()), running.everything()
        host.write(text.replace('"web": {', '"gone": {'))
        running.until(lambda: not server.leases(), "given back", 20)
        running.until(lambda: not host.names("web"), "and gone")
        # It ends during a request.
        server.end()
        host.write(text)
        running.until(lambda: host.names("web"), "the link is there")


@test("dhcp: a link that is restored, as its replacement cannot be created, has its lease again")
def put_back(host):
    host.netns("web")
    broken = {"sysctls": {"net.ipv4.conf.IFNAME.no_such_key": "1"}}
    with serving(host) as server:
        host.apply(TEXT)
        before, leases = host.snapshot("web", final_state=True), server.leases()
        for net in (NET, lan()):
            done = host.apply(document({"home": net}, {"web": {"home": broken}}), code=1)
            assert "attach web/n: restored, because its replacement could not be created" \
                in done.err and "lease" not in done.err, done
            same(host.snapshot("web", final_state=True), before, "web")
            assert lease_of(host)["valid_life_time"] > 60, lease_of(host)
            same(server.leases(), leases, f"leases after {net}")
        host.apply(TEXT)
        same(host.diff(TEXT, code=0).plan, [], "nothing is to be done")
        # One that cannot be requested again is reported.
        server.end()
        done = host.apply(document({"home": NET}, {"web": {"home": broken}}), code=1, seconds=60)
        assert "restored" in done.err and "no DHCP server answered" in done.err, done


@test("dhcp: a released address is not kept as the file's")
def given_back(host):
    host.netns("web")
    with serving(host) as server:
        host.apply(document({"n": lan(dhcp=True)}, {"web": ["n"]}))
        same(set(server.leases()), {lease_of(host)["local"]}, "leases")
        host.apply(document({"n": lan(dhcp=True)}, {"web": {"n": {"dhcp": False}}}))
        same((server.leases(), host.addresses("web", "eth0")), ({}, {"172.16.86.2/24"}),
             "leases and addresses")


@test("dhcp: more leases than the broker requests at once do not block the service", seconds=60)
def many(host):
    """The broker answers none: a service that waited for it would wait for ever."""
    names = [f"c{number}" for number in range(64)]
    host.netns("late", *names)
    containers = {name: ["n"] for name in names}
    with watching(host, "-f", host.write(document({"n": NET}, containers)), converged=False) as running:
        broker = running.until(lambda: helper_of(running.pid), "the broker process", 20)
        os.kill(broker, signal.SIGSTOP)
        try:
            running.until(lambda: host.has_link(names[-1], "eth0"), "the links are there", 60)
            host.write(document({"n": NET, "m": lan(subnet="10.8.0.0/16", gateway=None)},
                                {**containers, "late": ["m"]}))
            running.until(lambda: host.has_link("late", "eth0"), "another network's link", 60)
        finally:
            os.kill(broker, signal.SIGCONT)


@test("dhcp: the service requests the next lease after an answer")
def one_by_one(host):
    names = [f"c{number}" for number in range(40)]
    host.netns(*names)
    with serving(host) as server, \
            watching(host, "-f", host.write(document({"n": NET}, {name: ["n"] for name in names})),
                     converged=False) as running:
        running.until(lambda: len(server.leases()) == 40, "forty leases", 60)
        running.until(lambda: all(host.addresses(name, "eth0") for name in names), "addresses", 20)
