"""The command line: forms of input, output, pending containers, exit codes."""
import json
import os
import re
import subprocess
import time

from declare import BRIDGE, VLAN, document, lan
from host import same
from registry import test


@test("diff: 2 with the plan if there is something to do, otherwise 0")
def diff_codes(host):
    host.netns("web")
    before = host.snapshot()
    done = host.silently("a diff", lambda: host.diff(BRIDGE, code=2))
    same(done.lines, ["+ attach web/my-macvlan-net eth0 172.16.86.2/24 02:42:ac:10:56:02 "
                      "default via 172.16.86.1", "Plan: 1 to create."], "the output")
    same(host.mvapply("apply", "--dry-run", "-f", "network.yaml", code=2).out, done.out,
         "apply --dry-run")
    same(host.snapshot(), before, "after a diff")
    host.apply(BRIDGE)
    same(host.diff(BRIDGE, code=0).plan, [], "a diff after apply")


@test("diff: the signs and the count of a mixed plan")
def diff_mixed(host):
    host.netns("web", "db", "old", "ci")
    host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                        "link set up1 up"])
    networks = {"n": lan(), "p": lan(parent="eth1", subnet="10.8.0.0/16", gateway=None)}
    host.apply(document(networks, {"db": {"n": {"mac_address": "02:00:5e:00:00:01"}},
                                   "old": ["n"], "ci": ["p"]}))
    networks["p"] = {**networks["p"], "mode": "passthru"}
    done = host.diff(document(networks, {"web": ["n"], "ci": ["p"], "job": ["n"],
                                         "db": {"n": {"mac_address": "02:00:5e:00:00:02"}}}))
    same(sorted(done.plan), sorted([
        "- attach old/n eth0 172.16.86.3/24",
        "~ attach db/n mac_address 02:00:5e:00:00:01 -> 02:00:5e:00:00:02",
        "-/+ attach ci/p mode bridge -> passthru (cannot change in place)",
        "+ attach web/n eth0 172.16.86.3/24 02:42:ac:10:56:03 default via 172.16.86.1",
        'pending job/n no network namespace "job" yet']), "the plan")
    same(done.lines[-1], "Plan: 1 to create, 1 to change, 1 to replace, 1 to delete, 1 pending.",
         "the count")
    same(done.plan[0], "- attach old/n eth0 172.16.86.3/24", "deletes come first")


@test("pending: an apply does the rest, reports it and exits with 0; the next one attaches it")
def pending(host):
    host.netns("web")
    text = document({"n": lan()}, {"job": ["n"], "web": ["n"]})
    done = host.apply(text)
    assert 'pending job/n no network namespace "job" yet' in done.lines, done
    same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "its address is kept free")
    done = host.diff(text, code=0)
    assert 'pending job/n no network namespace "job" yet' in done.lines, done
    host.netns("job")
    done = host.apply(text)
    same(len(done.plan), 1, "operations")
    same(host.addresses("job", "eth0"), {"172.16.86.2/24"}, "the address")
    host.unchanged(text)


@test("pending: --wait waits for it")
def wait(host):
    text = document({"n": lan()}, {"web": ["n"]})
    with subprocess.Popen([host.binary, "apply", "--wait=30", "-f", host.write(text)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        time.sleep(0.5 * host.patience)
        same(child.poll(), None, "still waiting")
        host.netns("web")
        out = child.communicate(timeout=10 * host.patience)[0]
        same(child.returncode, 0, f"exit code, of {out!r}")
    same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")


@test("pending: --wait fails after its timeout")
def wait_over(host):
    host.netns("web")
    text = document({"n": lan()}, {"job": ["n"], "web": ["n"]})
    start = time.monotonic()
    done = host.apply(text, "--wait=1", code=1)
    assert 1 <= time.monotonic() - start < 4, f"took {time.monotonic() - start:.1f} s"
    assert "job" in done.out + done.err, done
    same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "the rest is done")


@test("pending: a process that has ended")
def process_ended(host):
    done = host.apply(document({"n": lan()}, {"job": {"pid": 99999, "networks": ["n"]}}))
    assert any(line.startswith("pending job/n") and "99999" in line for line in done.lines), done


@test("status: text and JSON, read from the kernel")
def status(host):
    host.netns("web")
    file = host.write(document({"n": lan()}, {"web": ["n"], "job": ["n"]}))
    host.apply(document({"n": lan()}, {"web": ["n"], "job": ["n"]}))
    done = host.mvapply("status", "-f", file)
    same(done.lines,
         ["OBJECT STATE LINK ADDRESSES MAC DETAILS",
          "web/n live eth0 172.16.86.2/24 02:42:ac:10:56:02 on eth0, default via 172.16.86.1",
          'job/n pending no network namespace "job" yet'], "the table")
    same({line.find(title) for line, title in
          zip(done.out.splitlines(), ("STATE", "live", "pending"))}, {8}, "a column")
    same(host.mvapply("status", "-v", "-f", file).lines[0],
         "network n macvlan bridge on eth0, 172.16.86.0/24 gateway 172.16.86.1", "with -v")
    text = host.mvapply("status", "-f", file, "-o", "json").json
    found = find(text, lambda item: item.get("container") == "web" and "mac_address" in item)
    assert found, json.dumps(text, indent=1)
    same(found["mac_address"], "02:42:ac:10:56:02", "MAC")
    flat = json.dumps(found)
    for words in ("172.16.86.2", "24", "172.16.86.1"):
        assert words in flat, f"no {words!r} in {flat}"


def find(value, wanted):
    """The first object in a JSON value for which the condition is true."""
    if isinstance(value, dict):
        if wanted(value):
            return value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            found = find(item, wanted)
            if found is not None:
                return found
    return None


@test("status: without a file, the live attachments")
def status_alone(host):
    host.netns("web")
    host.apply(document({"n": lan()}, {"web": ["n"]}, name="lab"))
    done = host.mvapply("status")
    for words in ("web", "172.16.86.2/24", "02:42:ac:10:56:02"):
        assert words in done.out, f"no {words!r}\n{done}"
    found = find(host.mvapply("status", "-o", "json").json,
                 lambda item: item.get("container") == "web")
    assert found and "172.16.86.2" in json.dumps(found), found
    same(found["set"], "lab", "the set")


@test("status: differences between the host and the files")
def status_drift(host):
    host.netns("web")
    host.apply(BRIDGE)
    host.ip("web", "link set eth0 mtu 1400")
    done = host.mvapply("status", "-f", host.write(BRIDGE))
    assert "1400" in done.out and "1500" in done.out and "mtu" in done.out, done


@test("status: --exit-code exits with 2 if the host differs from the files, otherwise with 0")
def status_exit_code(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    file = host.write(text)
    for flags, code in (([], 0), (["--exit-code"], 2)):
        host.mvapply("status", "-f", file, *flags, code=code)
        same(host.mvapply("status", "-f", file, "-o", "json", *flags, code=code).json["exit_code"], code, "JSON")
        host.mvapply("status", "-q", "-f", file, *flags, code=code)
    host.apply(text)
    host.mvapply("status", "-f", file, "--exit-code")
    host.batch("web", ["link set eth0 mtu 1400"])
    host.mvapply("status", "-f", file)
    host.mvapply("status", "-f", file, "--exit-code", code=2)
    host.apply(text)
    host.mvapply("status", "-f", host.write(document({"n": lan()}, {"web": ["n"], "db": ["n"]})),
                 "--exit-code", code=2)  # pending


@test("status: changes nothing")
def status_silent(host):
    host.netns("web")
    host.apply(BRIDGE)
    host.silently("status", lambda: (
        host.mvapply("status"), host.mvapply("status", "-f", host.write(BRIDGE), "-o", "json")))


@test("output: JSON of apply, diff and delete")
def json_output(host):
    host.netns("web")
    plan = host.diff(BRIDGE, "-o", "json", code=2).json
    same((plan["exit_code"], plan["summary"]["create"], plan["steps"][0]["action"],
          plan["steps"][0]["container"]), (2, 1, "create", "web"), "diff")
    done = host.apply(BRIDGE, "-o", "json").json
    same((done["exit_code"], done["steps"][0]["outcome"]), (0, "done"), "apply")
    same(host.apply(BRIDGE, "-o", "json").json["steps"], [], "a second apply")
    gone = host.delete(BRIDGE, "-o", "json").json
    same((gone["exit_code"], gone["summary"]["delete"]), (0, 1), "delete")
    bad = host.mvapply("apply", "-o", "json", "-f", host.write("networks: [\n"), code=3).json
    assert bad["errors"][0]["line"] >= 1, bad


@test("output: -q prints nothing, and --color always gives colours")
def quiet_and_colour(host):
    host.netns("web")
    done = host.apply(BRIDGE, "-q")
    same((done.out, done.err), ("", ""), "what -q says")
    host.delete(BRIDGE)
    assert "\x1b[" in host.diff(BRIDGE, "--color=always").out, "no colour"
    assert "\x1b[" not in host.diff(BRIDGE, "--color=never").out, "colour"
    assert "\x1b[" not in host.diff(BRIDGE).out, "colour in a pipe"


@test("output: a write that fails is an error")
def full(host):
    host.netns("web")
    path = host.write(BRIDGE)
    for words in (["apply", "-f", path], ["status"], ["export"], ["diff", "-f", path],
                  ["status", "-o", "json"], ["schema"], ["--version"], ["--help"]):
        done = host.run("sh", "-c", 'exec "$@" >/dev/full', "sh", host.binary, *words, code=1)
        assert re.fullmatch(r"mvapply: error: .* output.* \[MV0901\]\n", done.err), (words, done)


@test("output: text and errors in one file are in their order")
def order(host):
    text = document({"n": lan(ip_range="172.16.86.0/25")}, {"job": ["n"]})
    path = host.write(text)
    out = host.run("sh", "-c", 'exec "$@" 2>&1', "sh", host.binary, "-f", path, "--wait=0", code=1).out
    lines = [line.split("  ")[0] for line in out.splitlines() if not line.startswith("  ")]
    same(lines[-2:], ["Pending: 1.", "mvapply: error: 1 attachment still pending after 0 s [MV0911]"],
         "--wait")
    host.netns("job")
    out = host.run("sh", "-c", 'exec "$@" 2>&1', "sh", host.binary, "-f", path, "--confirm=1", code=5).out
    found = [out.find(words) for words in ("+ attach", "Done: 1 created.", "`mvapply confirm`", "rolled back:")]
    assert found == sorted(found) and found[0] == 0, out


@test("output: closed standard descriptors are not replaced by mvapply's own")
def closed(host):
    host.netns("web")
    path = host.write(BRIDGE)
    for closed, words, code in (("<&- >&- 2>&-", ["apply"], 0), (">&-", ["diff"], 0),
                                ("2>&-", ["delete"], 0)):
        host.run("sh", "-c", f'exec "$@" {closed}', "sh", host.binary, *words, "-f", path, code=code)
    traced = host.run("sh", "-c", 'exec strace -f -e trace=desc,network -o trace "$@" <&- >&- 2>&-',
                      "sh", host.binary, "apply", "-f", path, code=0,
                      env={"ASAN_OPTIONS": "detect_leaks=0"})
    with open("trace", encoding="utf-8", errors="replace") as file:
        filled = file.read().partition('"/dev/null"')[2]  # the libraries are loaded before it
    own = [line for line in filled.splitlines() if re.search(r"(socket|open\w*)\(.*= [012]$", line)
           and "/dev/null" not in line]
    assert filled and not own, f"{own} of {traced}"


@test("command line: mistakes of newcomers are answered with the correct form")
def newcomers(host):
    path = host.write(BRIDGE)
    for words, hint in (
            ([path], f"name files with -f: `mvapply -f {path}`"),
            (["missing.yaml"], "name files with -f: `mvapply -f missing.yaml`"),
            (["-f", path, "--wait", "5"], "write the seconds after '=': --wait=5"),
            (["-f", path, "--confirm", "60"], "write the seconds after '=': --confirm=60")):
        assert f"hint: {hint}\n" in host.mvapply(*words, code=3).err, words
    host.diff(BRIDGE, "--out", "plan.json", code=None)
    assert "hint: this is a saved plan: `mvapply apply FILE`, without -f\n" \
        in host.mvapply("apply", "-f", "plan.json", code=3).err


@test("command line: files that are for other hosts alone are reported")
def in_other_netns(host):
    host.netns("web")
    path = host.write(document({"n": lan(hosts=["rack1", "rack2"], ip_range={
        "rack1": "172.16.86.32/28", "rack2": "172.16.86.64/28"})},
        {"web": {"hosts": ["rack1", "rack2"], "networks": ["n"]}}))
    said = 'no network of the files is assigned to this host, "rack9"'
    done = host.mvapply("diff", "-f", path, "--host", "rack9")
    assert said in done.err and done.out == "Nothing to do.\n", done
    assert said in host.mvapply("diff", "-f", path, "--host=rack9", "-o", "json").json["warnings"][0]
    same(host.mvapply("diff", "-f", path, "--host", "rack2", code=2).err, "", "on a host of theirs")
    same(host.mvapply("diff", "-f", host.write("networks: {}")).err, "", "for no network at all")


@test("command line: without /proc an error names it")
def no_proc(host):
    path = host.write(BRIDGE)
    done = host.run("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc; exec "$@"', "sh", host.binary, "diff",
                    "-f", path, code=1, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert "hint: check that /proc is mounted: `mount -t proc proc /proc`" in done.err, done


@test("status: without privileges it names the namespaces that it could not read")
def unprivileged(host):
    host.netns("web")
    host.apply(BRIDGE)
    without = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", host.binary, "status"]
    said = "network namespace web: cannot enter the network namespace: Operation not permitted"
    done = host.run(*without, code=1)
    assert said in done.err, done
    unseen = host.run(*without, "-o", "json", code=1).json["unseen"]
    assert said in unseen, unseen
    done = host.run("timeout", "--preserve-status", "-s", "INT", str(2 * host.patience), *without,
                    "--watch", code=1)
    assert f"cannot read: {said}" in done.out, done


NETWORKS = "networks: {n: {parent: eth0, subnet: 172.16.86.0/24}}\n"
WEB = "containers: {web: {networks: [n]}}\n"
DB = "containers: {db: {networks: [n]}}\n"


@test("-f: several files, a directory, documents and standard input are one set")
def forms(host):
    host.netns("web", "db")
    os.mkdir("conf")
    for name, text in (("10-networks.yaml", NETWORKS), ("20-web.yml", WEB),
                       ("30-db.yaml", DB), ("ignored.txt", "}{"), (".hidden", "}{")):
        with open(f"conf/{name}", "w", encoding="ascii") as file:
            file.write(text)
    host.mvapply("apply", "-f", "conf")
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0")),
         ({"172.16.86.2/24"}, {"172.16.86.3/24"}), "a directory")
    files = ["-f", "conf/10-networks.yaml", "-f", "conf/20-web.yml", "-f", "conf/30-db.yaml"]
    documents = f"{NETWORKS}---\n{WEB}---\n{DB}"

    def other_forms():
        host.mvapply("apply", *files)
        host.mvapply("apply", "-f", host.write(documents))
        host.mvapply("apply", "-f", "-", stdin=documents.encode())
        host.mvapply("diff", "-f", "-", "-f", "conf/30-db.yaml",
                     stdin=f"{NETWORKS}---\n{WEB}".encode())
    host.silently("the same in other forms", other_forms)


@test("-f: two sets in one run")
def two_sets(host):
    host.netns("web", "db")
    text = ("{name: one, networks: {n: {parent: eth0, subnet: 172.16.86.0/24}},"
            " containers: {web: {networks: [n]}}}\n---\n"
            "{name: two, networks: {n: {parent: eth0, subnet: 172.16.86.0/24}},"
            " containers: {db: {networks: [n]}}}\n")
    host.apply(text)
    same((host.link("web", "eth0")["ifalias"], host.link("db", "eth0")["ifalias"]),
         ("mvapply:attach:one/n/web", "mvapply:attach:two/n/db"), "marks")
    same((host.addresses("web", "eth0"), host.addresses("db", "eth0")),
         ({"172.16.86.2/24"}, {"172.16.86.3/24"}), "addresses")
    host.unchanged(text)


@test("bad input: exit 3, the place, and nothing touched")
def bad_input(host):
    host.netns("web")
    host.apply(BRIDGE)
    bad = BRIDGE.replace("gateway: 172.16.86.1", "gateway: 172.16.87.1").replace(
        "parent: eth0", "parent: eth0\n    mtuu: 1400")

    def all_commands():
        for command in ("apply", "diff", "delete", "validate"):
            done = host.mvapply(command, "-f", host.write(bad), code=3)
            same(done.out, "", f"standard output of {command}")
            assert "network.yaml:" in done.err and "^" in done.err, done
            assert "172.16.87.1 is not in subnet 172.16.86.0/24" in done.err, done
            assert "mtu" in done.err and "mtuu" in done.err, done
    host.silently("bad input", all_commands)


@test("bad command lines: exit 3")
def bad_command_lines(host):
    host.write(BRIDGE)
    for arguments in (["appply", "-f", "network.yaml"], ["apply"], ["apply", "-f"],
                      ["apply", "-f", "network.yaml", "--no-such-flag"],
                      ["apply", "-f", "no-such-file.yaml"],
                      ["apply", "-f", "network.yaml", "--max-delete=some"],
                      ["apply", "-f", "network.yaml", "--wait=soon"],
                      ["apply", "-f", "network.yaml", "-o", "xml"], []):
        done = host.mvapply(*arguments, code=3)
        assert done.err.strip(), f"nothing said\n{done}"


@test("help: the commands in groups, and each with an example that can be read")
def help_groups(host):
    text = host.mvapply("--help").out
    groups = ("Everyday:", "Service and rollback:", "Check and explain:", "Migrate:", "More:")
    found = [text.find(title) for title in groups]
    assert found == sorted(found) and found[0] > 0, text
    same(text.count("  example: mvapply "), len(groups), "examples")
    for command in host.mvapply("help", "-o", "json").json["commands"]:
        text = host.mvapply(command["name"], "--help").out
        examples = text.split("\nexamples:\n")[1].splitlines()
        assert 1 <= len(examples) <= 2, text
        for example in examples:
            words = [word for word in example.split() if "=" not in word or word.startswith("-")]
            same(words[:2], ["mvapply", command["name"]], "the example")
            if "--" not in words:
                host.mvapply(*words[1:], "--help")


MEANT = {"plan": "diff", "up": "apply", "sync": "apply", "start": "apply", "down": "delete", "rm": "delete",
         "destroy": "delete", "remove": "delete", "stop": "delete", "ls": "status", "list": "status",
         "inspect": "status", "config": "validate",
         "ps": "status", "show": "status", "check": "validate", "version": "--version", "PLAN": "diff",
         "aply": "apply", "statsu": "status", "explian": "explain"}


@test("commands: names from other tools and misspelled names get a suggestion")
def near_words(host):
    for word, meant in MEANT.items():
        done = host.mvapply(word, code=3)
        assert f'there is no command "{word}"; did you mean `mvapply {meant}`? [MV' in done.err, done
    done = host.mvapply("xyzzyx", code=3)
    assert "did you mean" not in done.err, done


@test("help and version: exit 0")
def help_and_version(host):
    for arguments in (["--help"], ["apply", "--help"], ["status", "-h"], ["--version"]):
        done = host.mvapply(*arguments)
        assert done.out.strip(), f"nothing said\n{done}"


@test("validate: needs neither the kernel nor any privilege")
def validate(host):
    import linux
    host.mvapply("validate", "-f", host.write(BRIDGE), "-f", host.write(VLAN.replace(
        "my-8021q-macvlan-net", "other").replace("web:", "db:"), "vlan.yaml"),
        before=linux.drop_capability_bounds)


@test("docker and podman: a clear error if they cannot be reached")
def engines(host):
    host.netns("web")
    text = document({"n": lan()}, {"db": {"docker": "my-db", "networks": ["n"]},
                                   "web": ["n"]})
    done = host.apply(text)
    assert "pending db/n docker cannot be reached at /run/docker.sock: " in "\n".join(done.plan), done
    same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "the rest is done")
