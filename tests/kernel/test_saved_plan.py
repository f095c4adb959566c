"""A saved plan: exactly the reviewed plan is applied, or nothing."""
import json
import os

from declare import document, lan
from host import WORK, same
from registry import test

TEXT = document({"n": lan()}, {"web": ["n"], "db": {"n": {"ipv4_address": "172.16.86.20"}}})


def save(host, text=TEXT, *flags, code=2):
    done = host.diff(text, "--out", "plan.json", *flags, code=code)
    with open("plan.json", encoding="utf-8") as file:
        return done, json.load(file)


def rewrite(plan, name="plan.json"):
    with open(name, "w", encoding="utf-8") as file:
        json.dump(plan, file)


@test("saved plan: the reviewed plan is applied, whatever happened to the file")
def done_as_saved(host):
    host.netns("web", "db")
    before = host.snapshot()
    reviewed, plan = host.silently("saving a plan", lambda: save(host))
    same(host.snapshot(), before, "after a plan was saved")
    same({step["container"] for step in plan["steps"]}, {"web", "db"}, "the saved steps")
    os.unlink("network.yaml")
    done = host.mvapply("apply", "plan.json")
    same(done.plan, reviewed.plan, "what is done")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "web's address")
    same(host.addresses("db", "eth0"), {"172.16.86.20/24"}, "db's address")
    host.unchanged(TEXT)


@test("saved plan: JSON has the outcome of each step, and what has changed since")
def as_json(host):
    host.netns("web", "db")
    save(host)
    done = host.mvapply("apply", "plan.json", "-o", "json").json
    same([step["outcome"] for step in done["steps"]], ["done", "done"], "outcomes")
    again = host.mvapply("apply", "plan.json", "-o", "json", code=4).json
    same((again["exit_code"], again["steps"]), (4, []), "a second time")
    assert any(line.startswith("is: link eth0 in web") for line in again["moved"]), again["moved"]


def replace_parent(host):
    host.batch("host", ["link del eth0", "link add eth0 type veth peer name up0",
                        "link set up0 netns /run/lan", "link set eth0 up"])
    host.lan("172.16.86.1/24")


def replace_namespace(host):
    host.remove_netns("db")
    host.netns("db")


def change_parent_mac(host):
    host.ip("host", "link set eth0 address 02:00:00:00:00:e9")


def change_mac(host):
    host.ip("web", "link set eth0 address 02:00:00:00:00:99")


def same_link_again(host):
    host.delete(ONE)
    host.apply(ONE)


def take_name(host):
    host.ip("db", "link add eth0 type veth peer name other")


def attach_another(host):
    host.netns("ci")
    host.apply(document({"n": lan()}, {"web": ["n"], "ci": ["n"]}))


ONE = document({"n": lan()}, {"web": ["n"]})

MOVES = [replace_parent, replace_namespace, change_parent_mac, change_mac, same_link_again,
         take_name, attach_another]


def moved_on(move):
    def body(host):
        host.netns("web", "db")
        host.apply(ONE)
        save(host)
        move(host)
        before = host.snapshot(final_state=True)
        done = host.silently("a plan that holds no more",
                             lambda: host.mvapply("apply", "plan.json", code=4))
        same(host.snapshot(), before, "after the refusal")
        # The new diff is shown: that of the same input, now.
        host.write(TEXT)
        fresh = host.run(host.binary, "diff", "-f", "network.yaml")
        same(done.plan, fresh.plan, "the fresh diff")
        if fresh.code != 4:
            assert "plan.json" in done.err and "hint:" in done.err, done
    return body


for number, move in enumerate(MOVES):
    test(f"saved plan: refused after {move.__name__.replace('_', ' ')}")(moved_on(move))


@test("saved plan: an unrelated change of the host has no effect")
def unrelated(host):
    host.netns("web", "db", "other")
    save(host)
    host.batch("host", ["link add veth1 type veth peer name veth2", "link set veth1 up"])
    host.ip("other", "link set lo up")
    host.mvapply("apply", "plan.json")
    same(host.names("web"), {"eth0"}, "web's links")


@test("saved plan: a plan that would be refused is not saved")
def refused(host):
    host.netns("db")
    host.ip("host", "address add 172.16.86.9/24 dev eth0")
    text = document({"n": lan()}, {"db": {"n": {"ipv4_address": "172.16.86.9"}}})
    done = host.diff(text, "--out", "plan.json", code=4)
    assert "plan.json was not written" in done.err, done
    assert not os.path.exists("plan.json"), "plan.json is there"
    host.ip("host", "address del 172.16.86.9/24 dev eth0")
    done = host.diff(text, "--out", "/nowhere/plan.json", code=1)
    assert "/nowhere/plan.json" in done.err, done


@test("saved plan: it does not overwrite its input files")
def onto_input(host):
    host.netns("web", "db")
    os.mkdir("files")
    host.write(TEXT, "files/network.yaml")
    os.link("files/network.yaml", "same.json")
    done = host.mvapply("diff", "-f", "files", "--out", "same.json", code=1)
    assert "same.json is one of the files that the plan is made from" in done.err, done
    with open("files/network.yaml", encoding="utf-8") as file:
        same(file.read(), TEXT, "the file")


def edited(**keys):
    return lambda plan: {**plan, **keys}


# Files that are not a plan, as a function of a valid one, and the message about each.
BAD = {
    "another format": (edited(mvapply_plan=2), "another version of mvapply"),
    "no number": (edited(mvapply_plan="1"), "integer"),
    "more keys": (edited(run="rm -rf /"), "run"),
    "a terminal's control in a key": (edited(**{"\x1b[2J": 1}), "[2J"),
    "no host": (edited(host=7), "string"),
    "a wrong option": (edited(options={"adopt": True}), "max_delete"),
    "a number out of range": (lambda plan: {**plan, "options": {**plan["options"],
                                                               "max_delete": -1}}, "range"),
    "input that is no list": (edited(input={}), "input"),
    "no input": (edited(input=[]), "input"),
    "input with other keys": (edited(input=[{"file": "a", "text": "", "mode": 1}]), "input"),
    "a terminal's control": (edited(input=[{"file": "\x1b[2J", "text": ""}]), "input"),
    "a terminal's control of 8 bits": (edited(input=[{"file": "\x9b2J", "text": ""}]), "input"),
    "one in a live line": (edited(live=["\x9b2J"]), "live"),
    "live lines that are none": (edited(live=[{}]), "live"),
    "a control in a live line": (edited(live=["a\nb"]), "live"),
    "steps that are no list": (edited(steps={}), "steps"),
    "a list": (lambda plan: [plan], "object"),
}


@test("saved plan: an invalid plan is reported, and nothing is changed")
def malformed(host):
    host.netns("web", "db")
    _, plan = save(host)
    before = host.snapshot()
    for what, (edit, words) in BAD.items():
        rewrite(edit(plan), "bad.json")
        done = host.mvapply("apply", "bad.json", code=3)
        assert done.err.startswith("bad.json") and words in done.err and "hint:" in done.err, \
            f"{what}: {done}"
        assert "\x1b" not in done.err and "\x9b" not in done.err, f"{what}: {done!r}"
    for what, text in {"nothing": b"", "half": json.dumps(plan).encode()[:-9], "bytes": b"\xff\0",
                       "deep": b"[" * 100000, "twice": b'{"host": 1, "host": 2}',
                       "YAML": TEXT.replace("{", "- ", 1).encode()}.items():
        with open("bad.json", "wb") as file:
            file.write(text)
        done = host.mvapply("apply", "bad.json", code=3)
        assert done.err.startswith("bad.json:"), f"{what}: {done}"
    for path in ("missing.json", "/run", "/dev/zero"):
        host.mvapply("apply", path, code=3)
    bad = edited(input=[{"file": "n.yaml", "text": "networks: {n: {parentt: eth0}}"}])(plan)
    rewrite(bad, "bad.json")
    done = host.mvapply("apply", "bad.json", code=3)
    assert "n.yaml:1:" in done.err and "parentt" in done.err, done
    same(host.snapshot(), before, "after all of these")


@test("saved plan: manually edited steps are refused")
def steps_edited(host):
    host.netns("web", "db")
    _, plan = save(host)
    plan["steps"][0]["mac_address"] = "02:00:00:00:00:77"
    rewrite(plan)
    before = host.snapshot()
    done = host.mvapply("apply", "plan.json", code=4)
    assert "the plan has changed" in done.err, done
    plan["input"][0]["text"] = plan["input"][0]["text"].replace("172.16.86.20", "172.16.86.21")
    rewrite(plan)
    host.mvapply("apply", "plan.json", code=4)
    same(host.snapshot(), before, "after the refusals")


@test("saved plan: it has its own files and options")
def options(host):
    host.netns("web", "db")
    save(host, TEXT, "--host", "elsewhere", "--max-delete", "3")
    for flags in (("-f", "network.yaml"), ("--adopt",), ("--host", "here"), ("--wait",),
                  ("--dry-run",), ("--max-delete=1",), ("second.json",)):
        done = host.mvapply("apply", "plan.json", *flags, code=3)
        assert "hint:" in done.err, done
    same(host.names("web"), set(), "links")
    host.mvapply("apply", "plan.json", "-q", "--insecure")
    same(host.names("web"), {"eth0"}, "links")


@test("saved plan: the options that it was saved with apply, not the defaults")
def as_it_was_saved(host):
    host.netns("web")
    host.batch("host", ["link add link eth0 name mine type macvlan mode bridge",
                        "link set mine netns /run/netns/web name eth0"])
    index = host.link("web", "eth0")["ifindex"]
    save(host, ONE, "--adopt")
    host.mvapply("apply", "plan.json")
    same((host.link("web", "eth0")["ifindex"], host.addresses("web", "eth0")),
         (index, {"172.16.86.2/24"}), "the link")


@test("saved plan: as root, a plan that other users can write is refused")
def writable(host):
    host.netns("web", "db")
    save(host)
    os.chmod(f"{WORK}/plan.json", 0o666)
    host.mvapply("apply", "plan.json", code=3)
    same(host.names("web"), set(), "links")
    os.chmod(f"{WORK}/plan.json", 0o644)
    host.mvapply("apply", "plan.json")


@test("saved plan: a parent that is a veth with both ends in the host")
def cable(host):
    host.netns("web")
    host.batch("host", ["link add veth1 type veth peer name veth2", "link set veth1 up",
                        "link set veth2 up"])
    text = document({"n": lan(parent="veth1")}, {"web": ["n"]})
    save(host, text)
    host.mvapply("apply", "plan.json")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "web's address")
