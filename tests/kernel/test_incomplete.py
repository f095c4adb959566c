"""When something could not be read, the result is unknown, and no command reports a success."""
import json
import subprocess

from declare import BRIDGE, document, lan
from host import same
from registry import test
from test_json import fits
from test_squatted import NOBODY, other_users

WITHOUT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]

# The commands about the host: the words, and their JSON type.
ASKS = ((["status"], "status"), (["status", "-f", "network.yaml"], "status"),
        (["diff", "-f", "network.yaml"], "plan"), (["diff", "-f", "gone.yaml"], "plan"),
        (["apply", "--dry-run", "-f", "gone.yaml"], "plan"),
        (["export"], "exported"), (["graph", "-f", "network.yaml"], "graph"),
        (["doctor", "-f", "network.yaml"], "findings"))
FORMS = ((["diff", "-f", "gone.yaml", "-o", "ip"]), (["diff", "-f", "gone.yaml", "-o", "markdown"]),
         (["export", "--adopt"]), (["export", "-f", "gone.yaml"]), (["status", "-q"]),
         (["graph", "-f", "network.yaml", "--format", "dot"]),
         (["diff", "-f", "network.yaml", "--out", "plan.json"]))


def ask(host, prefix, *words):
    return host.run(*prefix, host.binary, *words, "--insecure", env={"ASAN_OPTIONS": "detect_leaks=0"})


def unknown(host, prefix, said):
    """Every command with fewer capabilities reports that the state is not known."""
    host.write(BRIDGE)
    host.write(document({}, {}), "gone.yaml")
    for words, kind in ASKS:
        done = ask(host, prefix, *words)
        same(done.code, 1, f"exit code\n{done}")
        assert "[MV0919]" in done.err + done.out and said in done.err + done.out, done
        assert "Nothing to do.\n" not in done.out and "Nothing of mvapply's" not in done.out \
            and "No problem found" not in done.out, done
        whole = ask(host, prefix, *words, "-o", "json").json
        fits(whole, kind)
        same((whole["complete"], whole["exit_code"]), (False, 1), f"{words}: complete, exit code")
        assert any(said in sentence for sentence in whole["unseen"]), whole
    for words in FORMS:
        done = ask(host, prefix, *words)
        same(done.code, 1, f"exit code\n{done}")


@test("incomplete: without privileges every result is \"unknown\", also without a difference")
def without_rights(host):
    host.netns("web")
    host.apply(BRIDGE)
    unknown(host, WITHOUT, "network namespace /run/lan: cannot enter the network namespace")
    assert ask(host, WITHOUT, "export").out.startswith("# INCOMPLETE:"), "a file that lacks something"
    done = ask(host, WITHOUT, "export", "--name", "default")
    assert "no live objects in what could be read of the host" in done.err, done
    same(ask(host, [], "status", "-o", "json").json["complete"], True, "complete, with rights")


NOBODYS = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@test("incomplete: another user's unreadable processes, and those that /proc hides")
def processes(host):
    """Their network namespaces have no name. A user namespace with root alone has no other users."""
    if not other_users():
        return
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    with host.process("web") as pid:
        host.delete(document({"n": lan()}, {"web": ["n"]}))
        host.apply(document({"n": lan()}, {"web": {"pid": pid, "networks": ["n"]}}))
        host.remove_netns("web")
        unknown(host, NOBODYS, "the network namespaces of 1 process: Permission denied")
        hidden = ["unshare", "-m", "sh", "-c", 'mount -o remount,hidepid=2 /proc && exec "$@"', "sh"]
        unknown(host, [*hidden, *NOBODYS], "processes that /proc hides")
        same(ask(host, [], "status").code, 0, "root's answer")


@test("incomplete: status --watch ends with the result of its last observation")
def watched(host):
    host.netns("web")
    host.apply(BRIDGE)
    stay = ["timeout", "--preserve-status", "-s", "INT", str(2 * host.patience)]
    done = ask(host, [*stay, *WITHOUT], "status", "--watch")
    same(done.code, 1, f"exit code\n{done}")
    assert "cannot read: network namespace web" in done.out and "[MV0919]" in done.err, done
    done = ask(host, [*stay, *WITHOUT], "status", "--watch", "-o", "json")
    line = json.loads(done.out.splitlines()[0])
    same((line["complete"], line["exit_code"], done.code), (False, 1, 1), "as JSON")


@test("incomplete: processes that end meanwhile, and zombies, do not count")
def ending(host):
    """A zombie has no namespace any more; and of a process that ends during the observation nothing
    is left."""
    host.netns("web")
    host.apply(BRIDGE)
    with subprocess.Popen(["sh", "-c", "for i in $(seq 40); do true & done; exec sleep 100"]) as zombies:
        with subprocess.Popen(["sh", "-c", "while :; do unshare -n true; done"]) as busy:
            try:
                for _ in range(15):
                    same(ask(host, [], "status", "-o", "json").json["unseen"], [], "what was not seen")
                    same(ask(host, [], "diff", "-f", "network.yaml").code, 0, "exit code")
            finally:
                busy.kill()
                zombies.kill()


@test("incomplete: the containers of an absent engine are pending, which does not count")
def engine(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"], "db": {"docker": "db", "networks": ["n"]}})
    env = {"DOCKER_HOST": "unix:///run/nobody.sock"}
    host.apply(text, env=env)
    done = host.mvapply("status", "-f", "network.yaml", "-o", "json", env=env).json
    same((done["complete"], [step["action"] for step in done["missing"]]), (True, ["pending"]), "status")
