"""Text is wrapped at the width of the terminal that it is written to, and nowhere else."""
import re

from declare import document, lan
from host import same
from registry import test
from terminal import columns_of, on_terminal

WIDTHS = (40, 80, 200)
SHOWN = re.compile(r"^ {4}\S.*\n +\^$", re.MULTILINE)  # a line of a file, and a caret below it
COMMAND = re.compile(r"  (example: )?mvapply ")  # to be copied

WIDE = "容器" * 3
TEXT = document({"n": lan(), "gone": lan(parent=WIDE)},
                {"web": ["n"], "wide": {"netns": WIDE, "networks": ["n"]}, "db": ["gone"], "later": ["n"]})
WRONG = """networks:
  lan: {parent: eth0, subnet: 172.16.86.0/24, gateway: 172.16.87.1}
  wan: {parent: eth0, driver: nosuchdriver}
containers:
  web: {networks: {lan: {ipv4_address: 172.16.99.9}, 网络网络网络网络: {}}}
"""


def words(text):
    return text.split()


def wide(text, width):
    """The lines that are wider than the terminal and could have been broken."""
    lines = SHOWN.sub("", text).splitlines()
    return [line for line in lines if columns_of(line) > width and not COMMAND.match(line) and
            re.search(r"\S .*\S", line.strip()) and columns_of(line.strip().split()[0]) < width]


def commands(host):
    """(arguments, exit code) of a run of each kind of output."""
    file, wrong = host.write(TEXT), host.write(WRONG, "wrong.yaml")
    yield ("diff", "-f", file), 1
    yield ("diff", "-v", "-f", file), 1
    yield ("status", "-f", file), 0
    yield ("status", "-v", "-f", file), 0
    yield ("doctor", "-f", file), 1
    yield ("validate", "-f", wrong), 3
    yield ("apply", "-f", "nosuchfile.yaml"), 3
    yield ("apply", "--confirm", "--wait", "-f", file), 3
    yield ("explain",), 0
    yield ("explain", "MV"), 0
    yield ("--help",), 0
    for name in ("apply", "diff", "status", "watch"):
        yield (name, "--help"), 0
    yield ("import", "docker"), 1


@test("width: each output fits terminals of 40, 80 and 200 columns, without lost words")
def fits(host):
    host.netns("web", WIDE)
    host.apply(document({"n": lan()}, {"web": ["n"]}))
    for arguments, code in commands(host):
        done = host.run(host.binary, *arguments, code=code)
        for width in WIDTHS:
            said = on_terminal(host, *arguments, columns=width, code=code, env={"NO_COLOR": "1"})
            same(wide(said, width), [], f"{arguments} on {width} columns\n{said}")
            same(sorted(words(said)), sorted(words(done.out + done.err)), f"{arguments}: the words")


@test("width: a pipe gets each sentence as one line, for any COLUMNS")
def pipes(host):
    host.netns("web", WIDE)
    for arguments, code in commands(host):
        env = {"COLUMNS": "40"}
        plain = host.run(host.binary, *arguments, code=code)
        narrow = host.run(host.binary, *arguments, code=code, env=env)
        same((narrow.out, narrow.err), (plain.out, plain.err), f"{arguments}")
    done = host.run(host.binary, "validate", "-f", host.write(WRONG), code=3)
    errors = [line for line in done.err.splitlines() if ": error: " in line]
    assert errors and all(re.search(r" \[MV\d{4}\]$", line) for line in errors), done


@test("width: COLUMNS counts before the terminal's size if it is a number that a terminal can have")
def variable(host):
    host.netns("web")
    file = host.write(document({"n": lan(parent="nowhere")}, {"web": ["n"]}))
    arguments = ("doctor", "-f", file)
    at = {columns: on_terminal(host, *arguments, columns=columns, code=1) for columns in (60, 80, 120)}
    assert len(set(at.values())) == 3, at
    for value in ("60", "120"):
        said = on_terminal(host, *arguments, columns=80, code=1, env={"COLUMNS": value})
        same(said, at[int(value)], f"COLUMNS={value}")
    for value in ("", "0", "-60", "60x", "x", "99999999999999999999", " 60"):
        said = on_terminal(host, *arguments, columns=80, code=1, env={"COLUMNS": value})
        same(said, at[80], f"COLUMNS={value!r}")
    # A terminal that does not know its size, as of a serial line, has 80 columns.
    same(on_terminal(host, *arguments, columns=0, code=1), at[80], "no size")
    same(on_terminal(host, *arguments, columns=3, code=1),
         on_terminal(host, *arguments, columns=40, code=1), "less than 40 columns")
