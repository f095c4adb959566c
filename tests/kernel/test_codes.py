"""Each kind of error has a code, in the text and in JSON alike. Codes with a test of their own are looked up
there: tests/docs asserts that no code is left out."""
import errno
import json
import os

from declare import BRIDGE, document, lan
from fake_engine import ID, engine, inspected
from faults import hidden_link, noted, preload
from host import WORK, same
from registry import test


def reported(host, code, expected, *words, **options):
    """The code that a command reports, as JSON; the text must have the same."""
    shown = host.mvapply(*words, code=expected, **options)
    assert f"[{code}]\n" in shown.out + shown.err, f"no {code}\n{shown}"
    done = host.mvapply(*words, "-o", "json", code=expected, **options)
    steps = done.json.get("steps", [])
    found = {one.get("code") for one in done.json.get("errors", []) + steps} - {None}
    same(found, {code}, f"the codes in the JSON of {' '.join(words)}")
    same(done.json["exit_code"], expected, "exit code in JSON")


def plan_reports(host, code, expected, networks, containers, *flags):
    reported(host, code, expected, "diff", "-f", host.write(document(networks, containers)), *flags)


@test("codes: the host lacks something")
def blocked(host):
    host.netns("web", "db")
    host.batch("host", ["link add link eth0 name mv0 type macvlan mode bridge", "link set mv0 up",
                        "link add eth1 type veth peer name up1",
                        "link add long-link-name type veth peer name up2",
                        "link set up2 up", "link set long-link-name up",
                        "link add small type veth peer name up3", "link set up3 up",
                        "link set small up mtu 1279"])
    both = [{"subnet": "172.16.86.0/24"}, {"subnet": "fd00:86::/64"}]
    full = lan(subnet="172.16.86.0/30")
    for code, network, containers in (
            ("MV0601", lan(parent="eth7"), {"web": ["n"]}),
            ("MV0602", lan(parent="mv0"), {"web": ["n"]}),
            ("MV0604", lan(parent="eth1"), {"web": ["n"]}),
            ("MV0605", lan(mtu=9000), {"web": ["n"]}),
            ("MV0605", lan(parent="small", subnet=None, gateway=None, subnets=both), {"web": ["n"]}),
            ("MV0606", lan(parent="long-link-name", vlan=10), {"web": ["n"]}),
            ("MV0609", full, {"web": ["n"], "db": ["n"]})):
        plan_reports(host, code, 1, {"n": network}, containers)


@test("codes: containers are not where the file says")
def targets(host):
    host.write("x", "file")
    nowhere = {"DOCKER_HOST": "unix:///run/work/nobody"}
    for code, expected, source, env in (
            ("MV0701", 4, {"netns": "/run/work/file"}, None),
            ("MV0702", 4, {"pid": 1}, None),
            ("MV0704", 0, {"docker": "web"}, nowhere),
            ("MV0705", 1, {"docker": "web"}, {"DOCKER_HOST": "tcp://192.0.2.1:2375"})):
        path = host.write(document({"n": lan()}, {"web": {**source, "networks": ["n"]}}))
        reported(host, code, expected, "diff", "-f", path, env=env)


@test("codes: conflicts")
def refused(host):
    host.netns("web", "db")
    host.batch("host", ["link add link eth0 name other address 02:00:5e:00:00:09 type macvlan "
                        "mode bridge", "address add 172.16.86.9/24 dev other"])
    host.batch("web", ["link add taken type veth peer name eth9", "link set taken up",
                       "link set eth9 up", "address add 10.0.0.1/24 dev taken",
                       "route add default dev taken"])
    for code, expected, network, container, attachment in (
            ("MV0801", 1, lan(gateway=None), "web", {"interface_name": "taken"}),
            ("MV0802", 4, lan(), "db", {"mac_address": "02:00:5e:00:00:09"}),
            ("MV0803", 4, lan(), "db", {"ipv4_address": "172.16.86.9"}),
            ("MV0804", 1, lan(), "web", {}),
            ("MV0805", 4, lan(mode="passthru"), "db", {})):
        plan_reports(host, code, expected, {"n": network}, {container: {"n": attachment}})


@test("codes: another link has the VLAN link's name")
def vlan_name(host):
    host.batch("host", ["link add eth0.10 type veth peer name up10"])
    plan_reports(host, "MV0806", 4, {"n": lan(vlan=10)}, {})


@test("codes: a parent that is a port", needs=["bridge"])
def port(host):
    host.batch("host", ["link add br0 type bridge", "link set eth0 master br0"])
    plan_reports(host, "MV0603", 1, {"n": lan()}, {})


@test("codes: a guard, and a stale plan")
def guards(host):
    host.netns("web")
    host.apply(BRIDGE)
    reported(host, "MV0807", 4, "apply", "-f", host.write(""))
    host.write(BRIDGE)
    host.delete(BRIDGE)
    host.diff(BRIDGE, "--out", "plan.json")
    host.mvapply("apply", "plan.json")
    reported(host, "MV0808", 4, "apply", "plan.json")


@test("codes: containers that are not there in time, and sets that are not live")
def waited(host):
    reported(host, "MV0911", 1, "apply", "-f", host.write(BRIDGE), "--wait=0")
    reported(host, "MV0914", 1, "confirm")
    reported(host, "MV0915", 1, "export", "--name", "nobody")


@test("codes: the command line; with -o json as JSON, too")
def usage(host):
    path = host.write(BRIDGE)
    for code, *words in (
            ("MV1001", "aply"), ("MV1002", "diff", "--no-such-flag", "-f", path),
            ("MV1003", "apply", "-f", path, "--wait=soon"), ("MV1003", "diff", "-f", path, "--host"),
            ("MV1004", "status", path), ("MV1005", "diff"),
            ("MV1006", "apply", "-f", path, "--wait", "--confirm"), ("MV1006", "apply", "x", "-f", path),
            ("MV1007", "explain", "quux"), ("MV1007", "explain", "MV9999"),
            ("MV1008", "import"), ("MV1008", "import", "kubernetes"), ("MV1008", "import", "cni"),
            ("MV1009", "import", "compose", host.write("[]", "list.yaml")),
            ("MV1009", "import", "cni", "list.yaml"), ("MV1009", "import", "cni", path)):
        if words[-1] in ("aply", "--host"):
            done = host.mvapply(*words, code=3)
            assert f"[{code}]\n" in done.err, done
        else:
            reported(host, code, 3, *words)
    done = host.mvapply("diff", "--no-such-\udcff", "-o", "json", code=3)
    same([one["code"] for one in json.loads(done.out)["errors"]], ["MV1002"], "no UTF-8")


# --- failures during apply

CREATE, ADDRESS, ROUTE = 16, 20, 24


def requests(host, text):
    """The types of the requests of an apply, which is then undone."""
    kinds = [kind for _, kind in noted(host, "request", lambda env: host.apply(text, env=env))]
    host.delete(text)
    return kinds


@test("codes: the kernel refuses an operation", both=True)
def failed(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)  # the namespace has its nsid from now on
    host.delete(text)
    kinds = requests(host, text)
    made, route = kinds.index(CREATE) + 1, kinds.index(ROUTE) + 1
    up = route - 2
    same(kinds[up - 1:route], [CREATE, ADDRESS, ROUTE], "what is up, and what comes then")
    # A new kernel is made to answer like an old one, which answers so anyway.
    busy = [f"refuse@{number}={errno.EBUSY}" for number in range(made, made + 12)]
    for code, rules in (("MV0902", [f"refuse@{made}={errno.EPERM}"]),
                        ("MV0903", [f"refuse@{made}={errno.EOPNOTSUPP}"]),
                        ("MV0904", busy),
                        ("MV0906", [f"refuse@{up}={errno.ENODEV}"]),
                        ("MV0909", [f"refuse@{route}={errno.ENETUNREACH}"])):
        reported(host, code, 1, "apply", "-f", "network.yaml", env=preload(host, *rules))
        same(host.names("web"), set(), f"what is left after {code}")


@test("codes: a truncated reply of the kernel")
def answer(host):
    host.netns("web")
    host.write(document({"n": lan()}, {"web": ["n"]}))
    reported(host, "MV0908", 1, "diff", "-f", "network.yaml", env=preload(host, "cut@1=20"))


@test("codes: an unknown sysctl, or an invalid value of one")
def wrong_sysctl(host):
    host.netns("web")
    for sysctl in ({"net.ipv4.conf.IFNAME.nonsense": "1"}, {"net.ipv4.conf.IFNAME.rp_filter": "yes"}):
        path = host.write(document({"n": lan()}, {"web": {"n": {"sysctls": sysctl}}}))
        reported(host, "MV0910", 1, "apply", "-f", path)
        same(host.names("web"), set(), "what is left")


@test("codes: a value that the kernel does not accept", both=True)
def value(host):
    host.netns("web")
    host.write(document({"n": lan()}, {"web": ["n"]}))
    with hidden_link(host, "02:00:00:00:00:e0", mode="passthru"):
        reported(host, "MV0910", 1, "apply", "-f", "network.yaml")
    same(host.names("web"), set(), "what is left")


# --- objects that others use

@test("codes: one address for two networks of one parent under two names")
def altname(host):
    host.netns("web", "db")
    host.batch("host", ["link property add dev eth0 altname uplink"])
    path = host.write(document({"n": lan(), "m": lan(parent="uplink")}, {
        "web": {"n": {"ipv4_address": "172.16.86.9"}},
        "db": {"m": {"ipv4_address": "172.16.86.9"}}}))
    reported(host, "MV0608", 1, "diff", "-f", path)


@test("codes: an identity that another attachment has, which cannot be changed")
def held(host):
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    path = host.write(document({"n": lan(mtu=9000), "m": lan(subnet="10.8.0.0/24", gateway=None)}, {
        "web": {"n": {"interface_name": "lan0"}, "m": {"interface_name": "eth0"}}}))
    done = host.mvapply("diff", "-f", path, code=1)
    assert "eth0 in web has its name and cannot be changed [MV0610]\n" in done.out, done
    steps = host.mvapply("diff", "-f", path, "-o", "json", code=1).json["steps"]
    same([step["code"] for step in steps], ["MV0605", "MV0605", "MV0610"],
         "codes in JSON")


@test("codes: more sets on a VLAN link than its owner tag can name", needs=["vlan"])
def full_owner_tag(host):
    for number in range(3):
        host.apply(document({"n": lan(vlan=10)}, {}, name=f"{number:063}"))
    path = host.write(document({"n": lan(vlan=10)}, {}, name=f"{3:063}"))
    reported(host, "MV0607", 1, "diff", "-f", path)


# --- engines, with their error answers

@test("codes: an engine's invalid answer, other process ids, or a service that runs twice")
def engines(host):
    host.netns("web", "db")
    path = host.write(document({"n": lan()}, {"c": {"docker": "app", "networks": ["n"]}}))
    with engine({}) as env:
        reported(host, "MV0706", 1, "diff", "-f", path, env=env)
    with host.process("web") as pid, \
            engine({f"/containers/{name}/json": inspected(pid, "/run/netns/db")
                    for name in ("app", ID)}) as env:
        reported(host, "MV0703", 1, "diff", "-f", path, env=env)
    path = host.write(document({"n": lan()}, {"c": {"docker": "shop/app", "networks": ["n"]}}))
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "app"}
    twice = [{"Id": f"{ID}{n}", "Names": [f"/app-{n}"], "State": "running", "Labels": labels}
             for n in (1, 2)]
    with host.process("web") as web, host.process("db") as db:
        both = {f"/containers/{ID}{n}/json": inspected(pid, f"/run/netns/{name}", ident=f"{ID}{n}")
                for n, pid, name in ((1, web, "web"), (2, db, "db"))}
        with engine({"/containers/json": twice, **both}) as env:
            reported(host, "MV0708", 1, "diff", "-f", path, env=env)


@test("codes: where libcurl is not installed")
def library(host):
    os.mkdir("lib")
    for name in ("libcurl.so.4", "libcurl-gnutls.so.4"):
        host.write("no library", f"lib/{name}")
    path = host.write(document({"n": lan()}, {"c": {"docker": "app", "networks": ["n"]}}))
    reported(host, "MV0707", 1, "diff", "-f", path, env={"LD_LIBRARY_PATH": f"{WORK}/lib"})


# --- files

@test("codes: a missing file, and an invalid saved plan")
def files(host):
    reported(host, "MV0101", 3, "validate", "-f", "nowhere.yaml")
    reported(host, "MV0108", 3, "apply", host.write("{}", "plan.json"))
