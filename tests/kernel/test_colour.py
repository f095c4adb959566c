"""Colours on a terminal, and what disables them."""
from declare import document, lan
from host import same
from registry import test
from terminal import on_terminal

# Without a warning of addresses that a DHCP server may assign, too.
RANGE = {"ip_range": "172.16.86.0/25"}

RED, GREEN, YELLOW, END = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"

# The environment beside TERM=xterm, the options, and whether the terminal output has colours.
WAYS = [
    ({}, [], True),
    ({"NO_COLOR": "1"}, [], False),
    ({"NO_COLOR": "false"}, [], False),
    ({"NO_COLOR": ""}, [], True),
    ({"TERM": "dumb"}, [], False),
    ({"TERM": None}, [], False),
    ({}, ["--color=never"], False),
    ({"NO_COLOR": "1", "TERM": "dumb"}, ["--color=always"], True),
    ({}, ["--color", "auto"], True),
    ({}, ["-o", "json"], False),
]


@test("colour: on a terminal, unless NO_COLOR, TERM=dumb or --color; never in a pipe")
def ways(host):
    host.netns("web", "db", "old")
    host.apply(document({"n": lan(**RANGE)}, {"web": ["n"], "old": ["n"]}))
    file = host.write(document({"n": lan(mtu=1400, **RANGE)}, {"web": ["n"], "db": ["n"]}))
    plain = host.mvapply("diff", "-f", file, code=2).out
    assert "\x1b" not in plain, plain
    for env, options, coloured in WAYS:
        said = on_terminal(host, "diff", "-f", file, *options, env=env, code=2, errors=False)
        same("\x1b" in said, coloured, f"colour with {options} in {env}")
        if not coloured and not options:
            same(said, plain, f"what a terminal gets in {env}")


@test("colour: creations are green, changes yellow, deletions red, and nothing else has a colour")
def which(host):
    host.netns("web", "db", "old")
    host.apply(document({"n": lan(**RANGE)}, {"web": ["n"], "old": ["n"]}))
    text = document({"n": lan(mtu=1400, **RANGE)}, {"web": ["n"], "db": ["n"]})
    said = on_terminal(host, "diff", "-f", host.write(text), code=2, errors=False)
    colours = {line.partition(END)[0] for line in said.splitlines() if END in line}
    same(colours, {f"{RED}-", f"{YELLOW}~", f"{GREEN}+"}, "colours")
    for colour in (RED, GREEN, YELLOW, END):
        said = said.replace(colour, "")
    same(said, host.diff(text).out, "without colours")


@test("colour: the words of doctor and of tables have colours on a terminal alone")
def others(host):
    host.netns("web")
    file = host.write(document({"n": lan(parent="nowhere", **RANGE)}, {"web": ["n"]}))
    assert f"{RED}problem" in on_terminal(host, "doctor", "-f", file, code=1), "no colour"
    said = on_terminal(host, "doctor", "-f", file, env={"NO_COLOR": "1"}, code=1)
    same(said, host.mvapply("doctor", "-f", file, code=1).out, "without colours")
