"""Names that are arbitrary bytes: of network namespaces, links, aliases and files. JSON and text escape them,
so they stay distinct and nothing is left out."""
import json
import os
import subprocess

from declare import document, lan
from features import ADDRESS_PROTOCOL, RENAME_UP
from host import same
from registry import test
from test_json import fits

# Latin-1, half a character, a surrogate, an overlong '/', control characters, what reads as an escape,
# and a backslash alone.
ODD = {b"caf\xe9": "caf\\xe9", b"\xe2\x82": "\\xe2\\x82", b"a\xed\xa0\x80": "a\\xed\\xa0\\x80",
       b"b\xc0\xaf": "b\\xc0\\xaf", b"c\x1b[2Jd": "c\\x1b[2Jd", b"e\\x41": "e\\x5cx41", b"f\\g": "f\\g"}


def odd_netns(host, name):
    """A namespace of that name in /run/netns; `host` uses its escaped name."""
    host._new_namespace(ODD[name], os.fsdecode(b"/run/netns/" + name))


def inside_mvapply(host, *words, code=0):
    """Its output, as bytes: names may be on its command line."""
    done = subprocess.run([host.binary, *words], capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=20 * host.patience)
    same(done.returncode, code, f"exit code of {words}: {done.stderr}")
    return done


def move_in(host, ns):
    """web's link and its owner tag, which no file declares: a stale link, to be deleted."""
    host.batch("host", ["link add link eth0 name m0 type macvlan mode bridge",
                        "link set m0 alias mvapply:attach:default/n/old"])
    with open(f"/run/netns/{ns}" if isinstance(ns, str) else b"/run/netns/" + ns, "rb") as file:
        host.run("ip", "link", "set", "m0", "netns", f"/proc/{os.getpid()}/fd/{file.fileno()}", "name", "eth0",
                 code=0)


for name, shown in ODD.items():
    def body(host, name=name, shown=shown):
        odd_netns(host, name)
        move_in(host, name)
        status = host.mvapply("status", "-o", "json").json
        fits(status, "status")
        same([one["namespace"] for one in status["attachments"]], [shown], "status")
        text = document({"n": lan()}, {})
        flags = ("--max-delete=100%",)
        plan = host.diff(text, *flags, "-o", "json").json
        fits(plan, "plan")
        same([(step["action"], step["namespace"]) for step in plan["steps"]], [("delete", shown)], "diff")
        host.diff(text, *flags, "--out", "plan.json")
        with open("plan.json", encoding="utf-8") as file:
            same([step["namespace"] for step in json.load(file)["steps"]], [shown], "the saved plan")
        for words in (("export",), ("graph", "-f", "network.yaml"), ("doctor", "-f", "network.yaml")):
            done = inside_mvapply(host, *words, "-o", "json", code=0)
            json.loads(done.stdout)
            inside_mvapply(host, *words).stdout.decode("utf-8")
        done = host.mvapply("apply", "plan.json", "-o", "json").json
        same([(step["action"], step["outcome"]) for step in done["steps"]], [("delete", "done")], "apply")
        same(host.names(shown), set(), "links")

    test(f"names: a namespace called {name!r}")(body)


@test("names: a managed link that was renamed gets its name again; the rollback restores the other name")
def link_names(host):
    """By ioctl and netlink alike the kernel takes any byte but '/', ':' and white space."""
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    with host.inside("web"):
        subprocess.run([b"ip", b"link", b"set", b"eth0", b"down"], check=True)
        subprocess.run([b"ip", b"link", b"set", b"eth0", b"name", b"x\xff\\x41"], check=True)
        subprocess.run([b"ip", b"link", b"set", b"x\xff\\x41", b"up"], check=True)

    def real():
        with host.inside("web"):
            return {name for name in os.listdir(b"/proc/sys/net/ipv4/conf")} - {b"all", b"default", b"lo"}

    same(real(), {b"x\xff\\x41"}, "its name")
    status = host.mvapply("status", "-o", "json").json
    same([one["interface_name"] for one in status["attachments"]], ["x\\xff\\x5cx41"], "status")
    plan = host.diff(text, "-o", "json").json
    same([(change["from"], change["to"]) for change in plan["steps"][0]["changes"] if "name" in change["field"]],
         [("x\\xff\\x5cx41", "eth0")], "the change")
    host.apply(text, "--confirm=1", code=5)
    same(real(), {b"x\xff\\x41"}, "its name, after it went back")
    host.apply(text)
    same(real(), {b"eth0"}, "its name in the end")
    host.unchanged(text)


@test("names: two altnames that differ in invalid bytes are distinct")
def altnames(host):
    for name in (b"alt\xfe", b"alt\xff"):
        subprocess.run([b"ip", b"link", b"property", b"add", b"dev", b"eth0", b"altname", name], check=True)
    host.netns("web")
    done = host.diff(document({"n": lan(parent="alt?")}, {"web": ["n"]}), "-o", "json", code=1)
    same({step["action"] for step in done.json["steps"]}, {"blocked"}, "a parent that is not there")


@test("names: a name that is an altname of this or another attachment: the hint helps")
def own_altnames(host):
    host.netns("web")
    networks = {"n": lan(), "m": lan(subnet="10.8.0.0/24", gateway=None)}
    host.apply(document(networks, {"web": {"n": {}, "m": {"altnames": ["eth0"]}}}))
    before = host.snapshot()
    result = host.apply(document(networks, {"web": {"n": {"altnames": ["eth1"]}, "m": {}}}), code=1)
    said = " ".join(str(result).split())
    assert "eth2 in web has the altname eth0" in said and "write `altnames: []` on the attachment of eth2" in said, said
    same(host.snapshot(), before, "nothing done")
    helped = document(networks, {"web": {"n": {"altnames": ["eth1"]}, "m": {"altnames": []}}})
    host.apply(helped)
    host.unchanged(helped)
    same(host.link("web", "eth0").get("altnames"), ["eth1"], "the altnames")
    host.delete(helped)

    one = {"n": lan()}
    host.apply(document(one, {"web": {"n": {}}}))
    host.run("ip", "-n", "web", "link", "property", "add", "dev", "eth0", "altname", "lan0", code=0)
    before = host.snapshot()
    result = host.apply(document(one, {"web": {"n": {"interface_name": "lan0"}}}), code=1)
    said = " ".join(str(result).split())
    assert "eth0 in web has the altname lan0 itself" in said and "removes the altname lan0" in said, said
    same(host.snapshot(), before, "nothing done")
    helped = document(one, {"web": {"n": {"interface_name": "lan0", "altnames": []}}})
    host.apply(helped)
    same(host.names("web"), {"lan0"}, "links")
    host.unchanged(helped)


@test("names: file names that are not UTF-8 are distinguished in JSON")
def files(host):
    for name in (b"\xff.yaml", b"\xfe.yaml"):
        with open(name, "wb") as file:
            file.write(b"networks: {n: {mtuu: 1}}\n")
    done = inside_mvapply(host, "validate", "-f", b"\xff.yaml", "-f", b"\xfe.yaml", "-o", "json", code=3)
    whole = json.loads(done.stdout)
    fits(whole, "errors")
    same({one["file"] for one in whole["errors"]}, {"\\xff.yaml", "\\xfe.yaml"}, "files")
    done = inside_mvapply(host, "validate", "-f", b"no\xff.yaml", "-o", "json", code=3)
    same(len(json.loads(done.stdout)["errors"]), 1, "errors about a file that is not there")
    with open(b"good\xff.yaml", "w", encoding="utf-8") as file:
        file.write(document({"n": lan()}, {"web": ["n"]}))
    host.netns("web")
    inside_mvapply(host, "diff", "-f", b"good\xff.yaml", "--out", "plan.json", code=2)
    host.mvapply("apply", "plan.json")
    same(host.names("web"), {"eth0"}, "links")


@test("names: an incomplete plan is not saved")
def whole(host):
    """libyaml accepts UTF-16, which JSON does not."""
    host.netns("web")
    with open("wide.yaml", "wb") as file:
        file.write(document({"n": lan()}, {"web": ["n"]}).encode("utf-16"))
    done = host.mvapply("diff", "-f", "wide.yaml", "--out", "plan.json", code=None)
    if done.code == 3:  # it is not an input
        return
    same(done.code, 1, f"exit code\n{done}")
    assert "[MV0921]" in done.err and not os.path.exists("plan.json"), done


def beside(host, ns, link):
    """What other programs gave to the link, in any table."""
    def shown(*words):
        return host.run("ip", "-j", *words, ns=ns, code=0).json

    return {
        "addresses": host.addresses(ns, link),
        "routes": sorted(" ".join(str(route.get(key, "")) for key in ("dst", "gateway", "protocol", "metric", "table", "prefsrc"))
                         for family in ("-4", "-6") for route in shown(family, "route", "show", "table", "all", "dev", link)
                         if route.get("protocol") not in ("kernel", "ra") and not route["dst"].startswith("ff00:")),
        "neighbours": sorted((one["dst"], one["lladdr"]) for one in shown("neigh", "show", "dev", link)
                             if "PERMANENT" in one["state"]),
        "proxies": sorted(one["dst"] for one in shown("neigh", "show", "proxy", "dev", link)),
        "groups": sorted(group["link"] for one in shown("maddr", "show", "dev", link) for group in one["maddr"]
                         if group.get("features") == "static")}


@test("names: a rename keeps what other programs gave to the link", both=True, features=[RENAME_UP, ADDRESS_PROTOCOL])
def rename_keeps(host):
    """Linux before 6.2 renames no link that is up, and flushes IPv6 addresses, routes and neighbours of one that is not."""
    host.netns("web")
    text = document({"n": lan(subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                                       {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}], subnet=None, gateway=None)},
                    {"web": {"n": {"routes": [{"to": "10.9.0.0/16", "via": "172.16.86.9"}]}}})
    host.apply(text)
    managed = beside(host, "web", "eth0")
    host.batch("web", ["link set eth0 down", "link set eth0 name other", "link set other up"])
    host.apply(text)
    same(beside(host, "web", "eth0"), managed, "what mvapply manages")
    host.batch("web", ["link set eth0 down", "link set eth0 name other", "link set other up",
                       *(["address add fd00:99::5/64 dev other nodad", "address add 10.99.0.5/24 dev other"]
                         if host.has(ADDRESS_PROTOCOL) else []),
                       "neigh add 172.16.86.40 lladdr 02:00:00:00:00:40 dev other nud permanent",
                       "neigh add fd00:86::40 lladdr 02:00:00:00:00:41 dev other nud permanent",
                       "neigh add proxy 172.16.86.41 dev other", "neigh add proxy fd00:86::41 dev other",
                       "route add 10.98.0.0/16 via 172.16.86.40 dev other proto static",
                       "route add 10.97.0.0/16 dev other table 77", "route add fd00:98::/64 dev other metric 5",
                       "maddr add 33:33:00:00:00:77 dev other"])
    theirs = beside(host, "web", "other")
    assert len(theirs["neighbours"]) == 2 and len(theirs["proxies"]) == 2 and theirs["groups"], theirs
    host.apply(text)
    found = beside(host, "web", "eth0")
    same({key: found[key] for key in ("neighbours", "proxies", "groups")},
         {key: theirs[key] for key in ("neighbours", "proxies", "groups")}, "neighbours, proxies and groups")
    same(found["addresses"], theirs["addresses"] | managed["addresses"], "the addresses")
    same(set(found["routes"]), set(theirs["routes"]) | set(managed["routes"]), "the routes")
    host.unchanged(text)
