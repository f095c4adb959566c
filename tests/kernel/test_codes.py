"""Each kind of error has a code, in the text and in JSON alike. What has a test of its own elsewhere
is looked for there: tests/docs asks that no code is left out."""
import json

from declare import BRIDGE, document, lan
from host import same
from registry import test


def told(host, code, expected, *words, **options):
    """The code that a command tells, as JSON; the text has to have the same."""
    shown = host.mvapply(*words, code=expected, **options)
    assert f"[{code}]\n" in shown.out + shown.err, f"no {code}\n{shown}"
    done = host.mvapply(*words, "-o", "json", code=expected, **options)
    steps = done.json.get("steps", [])
    found = {one.get("code") for one in done.json.get("errors", []) + steps} - {None}
    same(found, {code}, f"the codes in the JSON of {' '.join(words)}")
    same(done.json["exit_code"], expected, "exit code in JSON")


def plan_tells(host, code, expected, networks, containers, *flags):
    told(host, code, expected, "diff", "-f", host.write(document(networks, containers)), *flags)


@test("codes: what the host is not fit for")
def blocked(host):
    host.netns("web", "db")
    host.batch("host", ["link add link eth0 name mv0 type macvlan mode bridge", "link set mv0 up",
                        "link add eth1 type veth peer name up1",
                        "link add long-link-name type veth peer name up2",
                        "link set up2 up", "link set long-link-name up"])
    full = lan(subnet="172.16.86.0/30")
    for code, network, containers in (
            ("MV0601", lan(parent="eth7"), {"web": ["n"]}),
            ("MV0602", lan(parent="mv0"), {"web": ["n"]}),
            ("MV0604", lan(parent="eth1"), {"web": ["n"]}),
            ("MV0605", lan(mtu=9000), {"web": ["n"]}),
            ("MV0606", lan(parent="long-link-name", vlan=10), {"web": ["n"]}),
            ("MV0609", full, {"web": ["n"], "db": ["n"]})):
        plan_tells(host, code, 1, {"n": network}, containers)


@test("codes: containers that are not where the file says")
def targets(host):
    host.write("x", "file")
    nowhere = {"DOCKER_HOST": "unix:///run/work/nobody"}
    for code, expected, source, env in (
            ("MV0701", 4, {"netns": "/run/work/file"}, None),
            ("MV0702", 4, {"pid": 1}, None),
            ("MV0704", 0, {"docker": "web"}, nowhere),
            ("MV0705", 1, {"docker": "web"}, {"DOCKER_HOST": "tcp://192.0.2.1:2375"})):
        path = host.write(document({"n": lan()}, {"web": {**source, "networks": ["n"]}}))
        told(host, code, expected, "diff", "-f", path, env=env)


@test("codes: what is in the way")
def refused(host):
    host.netns("web", "db")
    host.batch("host", ["link add link eth0 name other address 02:00:5e:00:00:09 type macvlan "
                        "mode bridge", "address add 172.16.86.9/24 dev other"])
    host.batch("web", ["link add taken type veth peer name eth9", "link set taken up",
                       "link set eth9 up", "address add 10.0.0.1/24 dev taken",
                       "route add default dev taken"])
    for code, network, container, attachment in (
            ("MV0801", lan(gateway=None), "web", {"interface_name": "taken"}),
            ("MV0802", lan(), "db", {"mac_address": "02:00:5e:00:00:09"}),
            ("MV0803", lan(), "db", {"ipv4_address": "172.16.86.9"}),
            ("MV0804", lan(), "web", {}),
            ("MV0805", lan(mode="passthru"), "db", {})):
        plan_tells(host, code, 4, {"n": network}, {container: {"n": attachment}})


@test("codes: another link has the VLAN link's name")
def vlan_name(host):
    host.batch("host", ["link add eth0.10 type veth peer name up10"])
    plan_tells(host, "MV0806", 4, {"n": lan(vlan=10)}, {})


@test("codes: a parent that is a port", needs=["bridge"])
def port(host):
    host.batch("host", ["link add br0 type bridge", "link set eth0 master br0"])
    plan_tells(host, "MV0603", 1, {"n": lan()}, {})


@test("codes: a guard, and a plan that does not hold any more")
def guards(host):
    host.netns("web")
    host.apply(BRIDGE)
    told(host, "MV0807", 4, "apply", "-f", host.write(""))
    host.write(BRIDGE)
    host.delete(BRIDGE)
    host.diff(BRIDGE, "--out", "plan.json")
    host.mvapply("apply", "plan.json")
    told(host, "MV0808", 4, "apply", "plan.json")


@test("codes: containers that do not come in time, and sets that are not live")
def waited(host):
    told(host, "MV0911", 1, "apply", "-f", host.write(BRIDGE), "--wait=0")
    told(host, "MV0914", 1, "confirm")
    told(host, "MV0915", 1, "export", "--name", "nobody")


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
            told(host, code, 3, *words)
    done = host.mvapply("diff", "--no-such-\udcff", "-o", "json", code=3)
    same([one["code"] for one in json.loads(done.out)["errors"]], ["MV1002"], "no UTF-8")
