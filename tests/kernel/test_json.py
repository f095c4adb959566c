"""Every JSON output, against the schema in the reference."""
import contextlib
import json
import os
import subprocess
import warnings

from declare import document, example, lan
from documents import TOP
from features import MULTICAST_LIMIT
from host import same
from registry import test
from service import watching
from test_confirm import confirming, waiting

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jsonschema

with open(os.path.join(TOP, "docs/reference/output.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)


def validator(kind):
    return jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]})


def fits(value, kind):
    errors = [f"{list(error.absolute_path)}: {error.message}"
              for whole in validator(kind).iter_errors(value) for error in whole.context or [whole]]
    assert not errors, "\n".join([f"not a {kind}:", *errors, json.dumps(value, indent=1)])


@test("JSON: the output of every command matches the reference's schema")
def commands(host):
    host.netns("web", "db", "old")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    networks = {"n": lan(host={"ipv4_address": "172.16.86.9"})}
    host.apply(document(networks, {"web": ["n"], "old": ["n"]}))
    host.batch("web", ["link set eth0 mtu 1400"])
    text = document(networks, {"web": ["n"], "db": ["n"], "job": ["n"]})
    path = host.write(text)
    cni = host.write('{"name": "n", "type": "macvlan"}', "conf.json")
    for kind, code, *words in (
            ("plan", 2, "diff", "-f", path), ("status", 0, "status", "-f", path),
            ("status", 0, "status"), ("findings", None, "doctor", "-f", path),
            ("findings", None, "doctor", "-f", path, "--traffic"),
            ("errors", 0, "validate", "-f", path), ("keys", 0, "explain"),
            ("codes", 0, "explain", "MV"),
            ("commands", 0, "help"), ("commands", 0, "diff", "--help"),
            ("version", 0, "--version"), ("exported", 0, "export"),
            ("graph", 0, "graph", "-f", path), ("exported", 0, "import", "cni", cni),
            ("plan", 0, "apply", "-f", path),
            ("plan", 0, "delete", "-f", path)):
        written = host.mvapply(*words, "-o", "json", code=code).json
        fits(written, kind)
        same(next(iter(written.items())), ("version", 1), f"first in {words}")


@test("JSON: a created link with every setting, address and route that a file can give it", features=[MULTICAST_LIMIT])
def created(host):
    host.netns("web", "db")
    networks = {
        "n": lan(subnet=None, gateway=None, bcqueuelen=2000, bclim=5, mtu=1400,
                 subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                          {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}]),
        "l": lan(subnet="10.9.0.0/24", gateway="10.9.0.1", accept_ra=True, bclim=5)}
    routes = [{"to": "10.0.0.0/8", "via": "172.16.86.254", "table": 100, "metric": 50, "mtu": 1300, "advmss": 1200},
              {"to": "10.7.0.0/16", "via": "203.0.113.1", "on_link": True, "source": "172.16.86.20"},
              {"to": "10.6.0.0/16", "scope": "link"}, {"to": "10.3.0.0/16", "type": "prohibit", "metric": 9},
              {"to": "10.4.0.0/16", "type": "throw", "table": 100}]
    text = document(networks, {
        "web": {"networks": {
            "n": {"ipv4_address": "172.16.86.20", "routes": routes, "altnames": ["lan0"], "promisc": True,
                  "allmulticast": True, "txqueuelen": 500,
                  "rules": [{"from": "172.16.86.20", "table": 100}]},
            "second": {"network": "n"}}, "policy_routing": True},
        "db": ["l"]})
    for written in (host.diff(text, "-o", "json"), host.apply(text, "-o", "json")):
        fits(written.json, "plan")
        steps = {(step["container"], step["attachment"]): step for step in written.json["steps"]}
        first, second = steps["web", "n"], steps["web", "second"]
        wanted = {("10.0.0.0/8", 100, 50, 1300, 1200), ("10.7.0.0/16", None, None, None, None)}
        keys = ("to", "table", "metric", "mtu", "advmss")
        assert wanted <= {tuple(route.get(key) for key in keys) for route in first["routes"]}, first["routes"]
        typed = {(route["type"], route["to"], route.get("metric")) for route in first["policy_routing"]["routes"]}
        same(typed, {("prohibit", "10.3.0.0/16", 9), ("throw", "10.4.0.0/16", None)}, "routes of a type")
        same(([first.get(key) for key in ("bclim", "bcqueuelen", "promisc", "txqueuelen", "altnames")]),
             [5 if host.has(MULTICAST_LIMIT) else None, 2000, True, 500, ["lan0"]], "settings")
        same((first.get("subnet_metrics"), second.get("subnet_metrics")),
             (None, {"172.16.86.0/24": 1, "fd00:86::/64": 257}), "the metrics of the subnets' routes")
    same({(route["dst"], route.get("metric", 0)) for family in ("-4", "-6")
          for route in json.loads(host.ip("web", f"-j {family} route show dev eth1 proto kernel"))
          if route["dst"] in second["subnet_metrics"]}, set(second["subnet_metrics"].items()), "as the kernel has them")


@test("JSON: guests match the reference's schema")
def guests(host):
    host.netns("web", "pod")
    path = host.write(document({"n": lan(ip_range="172.16.86.0/25")}, {"web": ["n"]}))
    host.mvapply("apply", "-f", path)
    host.run(host.binary, "cni", code=0, stdin=json.dumps(
        {"cniVersion": "1.1.0", "name": "n", "type": "mvapply", "files": f"{os.getcwd()}/{path}"}).encode(), env={
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "id", "CNI_NETNS": "/run/netns/pod", "CNI_IFNAME": "eth0"})
    for kind, code, *words in (
            ("status", 0, "status", "-f", path), ("status", 0, "status"), ("plan", 0, "diff", "-f", path),
            ("findings", None, "doctor", "-f", path, "--traffic"), ("exported", 0, "export"),
            ("graph", 0, "graph", "-f", path), ("plan", 0, "delete", "-f", path)):
        written = host.mvapply(*words, "-o", "json", code=code).json
        fits(written, kind)
        if kind == "status":
            same([(row["container"], row["state"], row.get("attached_by")) for row in written["attachments"]
                  if row["state"] == "guest"], [("id", "guest", "cni")], words)
    assert "eth0" in host.names("pod")


@test("JSON: refusals, failures and errors of the input match the reference's schema")
def troubles(host):
    host.netns("web")
    host.batch("web", ["link add eth0 type veth peer name eth9"])
    text = document({"n": lan()}, {"web": {"n": {"interface_name": "eth0"}}})
    fits(host.apply(text, "-o", "json", code=1).json, "plan")
    host.ip("host", "address add 172.16.86.9/24 dev eth0")
    text = document({"n": lan()}, {"web": {"n": {"ipv4_address": "172.16.86.9"}}})
    fits(host.apply(text, "-o", "json", code=4).json, "plan")
    fits(host.apply(document({"n": lan(parent="eth7")}, {"web": ["n"]}), "-o", "json",
                    code=1).json, "plan")
    bad = host.mvapply("apply", "-f", host.write("networks: [\n"), "-o", "json", code=3).json
    fits(bad, "errors")
    assert bad["errors"][0]["line"] and bad["errors"][0]["code"] == "MV0104", bad


def reported(document):
    """The steps of a plan's document, as (action, container, outcome)."""
    return [(step["action"], step["container"], step["outcome"]) for step in document["steps"]]


@test("JSON: --wait is one document, with the results of all its passes")
def waited(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"], "job": ["n"]})
    with subprocess.Popen([host.binary, "apply", "--wait=60", "-o", "json", "-f", host.write(text)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        host.until(lambda: host.names("web"), "the first of the two")
        host.netns("job")
        out, err = child.communicate(timeout=20 * host.patience)
    same((child.returncode, err), (0, b""), "how it ends")
    whole = json.loads(out)
    fits(whole, "plan")
    same(reported(whole), [("create", "web", "done"), ("create", "job", "done")], "steps")
    same({name: count for name, count in whole["summary"].items() if count}, {"create": 2}, "summary")
    same(whole["exit_code"], 0, "exit code in it")


@test("JSON: a --wait that times out is one document, too")
def waited_in_vain(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"], "job": ["n"]})
    whole = host.apply(text, "--wait=1", "-o", "json", code=1).json
    fits(whole, "plan")
    same(reported(whole), [("create", "web", "done"), ("pending", "job", "not done")], "steps")
    same(([one["code"] for one in whole["errors"]], whole["exit_code"]), (["MV0911"], 1), "the end")


@test("JSON: a --wait whose last pass cannot begin contains the results of the earlier ones")
def waited_and_failed(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"], "job": ["n"]})
    with subprocess.Popen([host.binary, "apply", "--wait=60", "-o", "json", "-f", host.write(text)],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        host.until(lambda: host.names("web") and host.addresses("web", "eth0"), "the first of the two")
        with waiting(host, document({"m": lan(subnet="10.8.0.0/24", gateway=None)}, {"web": ["m"]},
                                    name="other")):
            out, err = child.communicate(timeout=20 * host.patience)
    same((child.returncode, err), (4, b""), "how it ends")
    whole = json.loads(out)
    fits(whole, "plan")
    same(reported(whole), [("create", "web", "done")], "steps")
    same(([one["code"] for one in whole["errors"]], whole["exit_code"]), (["MV0809"], 4), "the end")


@test("JSON: --confirm is one document, whether confirmed, rolled back or without changes")
def confirmed(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    for seconds, code, kept, codes in ((1, 5, False, ["MV0912"]), (600, 0, True, [])):
        with confirming(host) if kept else contextlib.nullcontext():
            done = host.apply(text, f"--confirm={seconds}", "-o", "json", code=code)
        fits(done.json, "plan")
        same((done.json["confirmed"], done.json["exit_code"],
              [one["code"] for one in done.json["errors"]], reported(done.json)),
             (kept, code, codes, [("create", "web", "done")]), "the document")
        assert "`mvapply confirm`" in done.err, done
    done = host.apply(text, "--confirm", "-o", "json").json
    fits(done, "plan")
    same((done["steps"], done["exit_code"], done.get("confirmed")), ([], 0, None), "nothing to do")


@test("JSON: the schema of the output refuses invalid documents")
def refuses(host):
    plan = host.diff(example("tutorial-bridge.yaml"), "-o", "json", code=None).json
    fits(plan, "plan")
    for wrong in ({**plan, "exit_code": "2"}, {**plan, "more": 1},
                  {**plan, "steps": [{"action": "make"}]}):
        assert list(validator("plan").iter_errors(wrong)), wrong


@test("JSON: each line of watch's log matches the reference's schema")
def log(host):
    host.netns("web")
    path = host.write(document({"n": lan()}, {"web": ["n"]}))
    with watching(host, "-f", path, "-o", "json") as service:
        lines = service.until(
            lambda: [line for line in service.output() if line.get("container") == "web"],
            "a line of the attachment")
        lines = service.output() + lines
    for line in lines:
        fits(line, "log")
        same(line["version"], 1, "the format's version")


RAW = "\u0080\u0085\u009f\u061c\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0041"


@test("JSON: invisible characters are escaped in every output")
def unseen(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    for raw in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069\U000e0041":
        text = f"# {raw}{raw}\n{text}"
    path = host.write(text)
    host.mvapply("diff", "-f", path, "--out", "plan.json", code=2)
    with open("plan.json", encoding="utf-8") as file:
        written = file.read()
    same(set(written) & set(RAW), set(), "raw in the saved plan")
    same(json.loads(written)["input"][0]["text"], text, "the text of the file")
    host.mvapply("apply", "plan.json")
    # A container names its link; the kernel accepts the byte a0 for a blank.
    name = "eth0"
    for raw in RAW[:-1]:
        host.batch("web", [f"link set {name} down", f"link set {name} name e{raw}n"])
        name = f"e{raw}n"
        for words, code in ((["status"], None), (["diff", "-f", path], 2), (["export"], None),
                            (["graph", "-f", path], None), (["status", "-f", path], None)):
            done = host.mvapply(*words, "-o", "json", code=code)
            same(set(done.out) & set(RAW), set(), f"raw in {words} {done}")
            assert done.json is not None
        same(host.mvapply("status", "-o", "json", code=None).json["attachments"][0]["interface_name"],
             f"e{''.join(f'{chr(92)}x{byte:02x}' for byte in raw.encode())}n", "the name")
