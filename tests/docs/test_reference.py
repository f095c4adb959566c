"""The reference and the manual pages: what the tables say, and pages that a reader can show."""
import glob
import json
import re
import subprocess
import sys

from rows import TOP, read, row, same

sys.path.insert(0, f"{TOP}/tests/kernel")
from messages import unwrapped, wide_lines  # noqa: E402


def say(*argv, **options):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          cwd=TOP, timeout=120, **options)


@row("reference: what is generated is what the tables say")
def generated(binary):
    done = say("scripts/reference", "--check", binary)
    same((done.returncode, done.stdout), (0, b""), "scripts/reference --check")


@row("reference: the tables of keys at a glance have every key, and no other")
def at_a_glance(binary):
    keys = json.loads(say(binary, "explain", "-o", "json").stdout)["keys"]
    where = {"networks.NAME": "networks.NAME", "containers.NAME": "containers.NAME",
             "containers.NAME.networks.NET": "containers.NAME.networks.NET"}
    text = read("docs/reference/keys.md")
    for title, of in where.items():
        table = re.search(rf"^\| {re.escape(title)} \| meaning.*?\n\n", text, re.M | re.S)[0]
        cells = [line.split("|")[1] for line in table.strip().splitlines()[2:]]
        reported = {key for cell in cells for key in re.findall(r"`([^`]+)`", cell)}
        same(reported, {key["key"] for key in keys if key["object"] == of}, title)


def expected():
    """The findings that the bad files of the tests give, by file."""
    return {path: read(path) for path in sorted(glob.glob("tests/input/bad/*.expect", root_dir=TOP))}


@row("codes: each has a page, is explained, and stands somewhere in the program")
def codes(binary):
    listed = json.loads(say(binary, "explain", "MV", "-o", "json").stdout)["codes"]
    numbers = [entry["code"] for entry in listed]
    same(numbers, sorted(set(numbers)), "each once, in their order")
    same(re.findall(r"^## (MV\d{4})$", read("docs/reference/errors.md"), re.MULTILINE), numbers, "pages")
    names = {name: f"MV{int(number):04}" for name, number in
             re.findall(r"^\t(CODE_\w+) = (\d+),", read("lib/error_codes.h"), re.MULTILINE)}
    same(sorted(names.values()), numbers, "codes that have a name")
    used = "".join(read(path) for folder in ("lib", "kernel", "schema", "container_engine", "dhcp", "reconcile", "convert", "cmd")
                   for path in glob.glob(f"{folder}/**/*.c", root_dir=TOP, recursive=True)
                   if path != "lib/error_codes.c")
    same([name for name in names if not re.search(rf"\b{name}\b", used)], [], "codes that nothing tells")
    for entry in listed:
        shown = say(binary, "explain", entry["code"]).stdout.decode()
        assert shown.startswith(f"{entry['code']}: {entry['title']}\n"), shown
    same(say(binary, "explain", "MV9999").returncode, 3, "a code that there is not")


@row("codes: the tests' bad files tell each that files can have, within a terminal's width")
def bad_files(binary):
    listed = json.loads(say(binary, "explain", "MV", "-o", "json").stdout)["codes"]
    reported = set()
    for path, text in expected().items():
        reported |= set(re.findall(r" \[(MV\d{4})\]$", unwrapped(text), re.MULTILINE))
        same(wide_lines(text), [], f"wide lines of {path}")
    # Files that cannot be read are tests/unit/test_hostile.c's, trust is test_power.py's, and saved
    # plans are test_saved_plan.c's.
    same(reported | {"MV0101", "MV0102", "MV0108"}, {entry["code"] for entry in listed
                                                 if entry["code"] < "MV0600"}, "codes of files")


@row("codes: a test provokes each, and asks for it by its number")
def provoked(binary):
    listed = json.loads(say(binary, "explain", "MV", "-o", "json").stdout)["codes"]
    asked = "".join(read(path) for pattern in ("kernel/test_*.py", "input/bad/*.expect")
                    for path in glob.glob(f"tests/{pattern}", root_dir=TOP))
    same([entry["code"] for entry in listed if entry["code"] not in asked], [],
         "codes that no test makes come")


@row("manual: scdoc makes pages that mandoc finds no error in")
def manual(binary):
    for page in ("mvapply.8", "mvapply.yaml.5"):
        with open(f"{TOP}/docs/man/{page}.scd", "rb") as file:
            made = say("scdoc", stdin=file)
        same(made.returncode, 0, f"scdoc of {page}: {made.stdout[-200:]}")
        lint = say("mandoc", "-T", "lint", "-W", "error", input=made.stdout)
        same((lint.returncode, lint.stdout), (0, b""), f"mandoc of {page}")
        shown = say("mandoc", "-T", "ascii", input=made.stdout).stdout.decode()
        text = re.sub(r".\x08", "", shown)
        for heading in ("NAME", "DESCRIPTION", "SEE ALSO"):
            assert f"\n{heading}\n" in text, f"{page} has no {heading}:\n{text}"
