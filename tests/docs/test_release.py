"""The version: VERSION is its only source."""
import json
import re
import subprocess

import yaml

from rows import TOP, read, row, same

VERSION = read("VERSION").strip()


@row("version: VERSION is a version, and the program's")
def program(binary):
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION), VERSION
    out = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    same(out.splitlines()[0], f"mvapply {VERSION}", "--version")
    out = subprocess.run([binary, "--version", "-o", "json"], capture_output=True, text=True,
                         check=True).stdout
    same(json.loads(out)["mvapply"], VERSION, "--version -o json")


@row("version: the newest release of the change log is VERSION")
def changelog(_binary):
    headings = re.findall(r"^## (.*)$", read("CHANGELOG.md"), re.MULTILINE)
    same(headings[0], "[Unreleased]", "the first heading of CHANGELOG.md")
    assert re.fullmatch(rf"\[{re.escape(VERSION)}\] - \d{{4}}-\d\d-\d\d", headings[1]), headings[1]


@row("version: the Debian package's change log is made from both")
def debian(_binary):
    made = subprocess.run(["scripts/release-notes", "debian"], cwd=TOP, capture_output=True, text=True,
                          check=True).stdout
    assert made.startswith(f"mvapply ({VERSION}) unstable; "), made
    date = re.search(r"^## \[[0-9.]+\] - (.*)$", read("CHANGELOG.md"), re.MULTILINE)[1]
    day = subprocess.run(["date", "-u", "-d", date, "+%d %b %Y"], capture_output=True, text=True,
                         check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout.strip()
    assert f", {day} 00:00:00 +0000" in made, made


@row("version: no other file states it")
def alone(_binary):
    for path in ("Makefile", "dist/debian/control", "scripts/deb", "scripts/static"):
        assert VERSION not in read(path), path


@row("project: both CI services run .ci/run, and its files are valid")
def ci_files(_binary):
    for path in (".github/workflows/ci.yml", ".gitlab-ci.yml"):
        jobs = yaml.safe_load(read(path))
        job = jobs.get("jobs", jobs)["check"]
        commands = job.get("script") or [step.get("run") for step in job["steps"]]
        assert ".ci/run" in commands, f"{path}: {commands}"
    for path in ("bug.md", "feature.md"):
        head = read(f".github/ISSUE_TEMPLATE/{path}").split("---\n")[1]
        same(sorted(yaml.safe_load(head)), ["about", "labels", "name"], path)
    yaml.safe_load(read(".github/ISSUE_TEMPLATE/config.yml"))
