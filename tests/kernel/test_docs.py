"""The documentation pages: every command in them is run, and its output compared."""
import contextlib
import os

import documents
from declare import BRIDGE
from engines import running
from registry import test
from test_confirm import confirming


def play_section(section):
    return lambda host: documents.play(host, section)


# The blocks of a Chinese page are those of the English one: tests/docs compares them.
PAGES = [page for page in documents.pages() if not page.endswith(".zh.md")]

for page in PAGES:
    for part in documents.sections(page):
        kind = dict(part.setup).get("engine", "docs")
        test(f"{kind}: {page}, part {part.number}", needs=part.needs, seconds=240)(play_section(part))

# Of the commands that are listed without their output: those that do not exit with 0, those that
# run until they are interrupted, those before which everything is deleted, and those that need
# something live.
CODES = {f"mvapply diff -f network.yaml{form}": 2 for form in ("", " -o markdown", " -o ip", " -o json")}
STAY = ("mvapply status --watch", "mvapply watch -f /etc/mvapply")
ANEW = (*CODES, "mvapply -f network.yaml --confirm=60")
LIVE = ("mvapply export > network.yaml",)


@test("docker: each command that a page lists, one after the other", seconds=240)
def listed(host):
    host.netns("web")
    os.makedirs("bin")
    os.symlink(host.binary, "bin/mvapply")
    os.mkdir("etc")
    host.write(BRIDGE, "etc/network.yaml")
    count = 0
    with running(host, "docker") as engine:
        env = {**engine.env, "PATH": f"{os.getcwd()}/bin:{os.environ['PATH']}"}
        for command in (line for page in PAGES for line in documents.listed(page)):
            if not command.startswith("mvapply "):
                continue
            host.write(BRIDGE)
            line = command.replace("/etc/mvapply", "etc")
            if command in STAY:
                line = f"timeout --preserve-status -s INT {3 * host.patience} {line}"
            if command in ANEW:
                host.delete(BRIDGE)
            if command in LIVE:
                host.apply(BRIDGE)
            with confirming(host) if "--confirm" in command else contextlib.nullcontext():
                host.run("bash", "-c", line, code=CODES.get(command, 0), env=env)
            count += 1
    assert count >= 12, f"only {count} commands were found"
