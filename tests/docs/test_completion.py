"""Completion as each shell gives it: the real bash, zsh and fish, bash and zsh on a terminal."""
import contextlib
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time

from rows import TOP, row, same

# A command line as typed, and its expected completions.
CASES = {
    "mvapply st": {"status"},
    "mvapply status --ver": {"--verbose", "--version"},
    "mvapply status -o j": {"json"},
    "mvapply status --output=j": {"--output=json"},
    "mvapply apply -f tutorial-b": {"tutorial-bridge.yaml"},
    "mvapply apply -f fleet.yaml --host w": {"web1"},
    "mvapply apply -f fleet.yaml --host ": {"db1", "web1"},
    "mvapply export -f fleet.yaml --name ": {"default"},
    "mvapply export -f lab.yaml --name ": {"lab-set"},
    "mvapply export -f lab.yaml -f fleet.yaml --name ": {"lab-set", "default"},
    "mvapply export --file=lab.yaml --name l": {"lab-set"},
    "mvapply export --file lab.yaml --name=l": {"--name=lab-set"},
    "mvapply export -flab.yaml --name ": {"lab-set"},
    "mvapply export -f my\\ lab.yaml --name ": {"lab-set"},
    "mvapply export -f 'my lab.yaml' --name ": {"lab-set"},
    "mvapply export -f ~/home.yaml --name ": {"lab-set"},
    "mvapply -f lab.yaml --host ": {"alpha1", "beta1"},
    "mvapply export -f - --name l": set(),
    "mvapply export -f wrong.yaml --name l": set(),
    "mvapply confirm t": set(),
    "mvapply import ": {"docker", "podman", "compose", "cni", "quadlet"},
    "mvapply import compose tutorial-b": {"tutorial-bridge.yaml"},
    "mvapply explain networks.NAME.vlan_": {"networks.NAME.vlan_protocol"},
}

LAB = """name: lab-set
networks: {n: {parent: eth0, subnet: 10.0.0.0/24, hosts: [alpha1, beta1]}}
"""


@contextlib.contextmanager
def folder():
    """The examples, and files with a named set, in a folder that is the home, too."""
    with tempfile.TemporaryDirectory() as path:
        shutil.copytree(f"{TOP}/examples", path, dirs_exist_ok=True)
        for name in ("lab.yaml", "my lab.yaml", "home.yaml"):
            with open(f"{path}/{name}", "w", encoding="utf-8") as file:
                file.write(LAB)
        with open(f"{path}/wrong.yaml", "w", encoding="utf-8") as file:
            file.write("name: lab-set\nnetworks: [\n")
        yield path


def environment(binary, home):
    return {"PATH": f"{os.path.dirname(binary)}:{os.environ['PATH']}", "HOME": home, "TERM": "dumb"}


@row("completion: fish")
def fish(binary):
    with folder() as home:
        for line, expected in CASES.items():
            quoted = line.replace("\\", "\\\\").replace("'", "\\'")
            done = subprocess.run(
                ["fish", "--no-config", "-c", f"source {TOP}/dist/completion/mvapply.fish; "
                 f"complete --do-complete '{quoted}'"], cwd=home, env=environment(binary, home),
                check=True, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            same({one.split("\t")[0] for one in done.stdout.decode().splitlines()}, expected, line)


class Terminal:
    """A shell on a terminal of its own: zsh completes only there, and bash differently without
    one."""
    def __init__(self, binary, home, argv, setup):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(home)
            os.execvpe(argv[0], argv, environment(binary, home))
        self.shown, self.setup = "", setup

    def __enter__(self):
        self.type(f"{self.setup}stty columns 300\nPS1=REA''DY\n", "READY")
        return self

    def __exit__(self, *_):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, text, *expected):
        """Types the text, and waits until everything expected was printed since."""
        self.shown = ""
        os.write(self.terminal, text.encode())
        end = time.monotonic() + 60
        while not all(word in self.shown for word in expected):
            assert time.monotonic() < end, f"{text!r}: no {expected} in {self.shown!r}"
            if select.select([self.terminal], [], [], 1)[0]:
                self.shown += os.read(self.terminal, 4096).decode(errors="replace")

    def complete(self, line, expected):
        """^U clears the line; TAB's completion of a word is printed after it."""
        typed = line.rsplit(" ", 1)[1]
        added = {word.removeprefix(typed) for word in expected}
        self.type(line, line[-5:].strip())
        self.type("\t", *(added if len(added) == 1 else expected))
        self.type("\x15\n", "READY")
        if not expected:
            assert "lab-set" not in self.shown and "tutorial" not in self.shown, self.shown


def on_terminal(binary, argv, setup):
    with folder() as home, Terminal(binary, home, argv, setup) as shell:
        for line, expected in CASES.items():
            shell.complete(line, expected)


@row("completion: bash")
def bash(binary):
    on_terminal(binary, ["bash", "--norc", "--noprofile", "-i"], f"source {TOP}/dist/completion/mvapply.bash; "
                "bind 'set show-all-if-ambiguous on' 'set bell-style none' 'set page-completions off' "
                "'set completion-query-items 0' 'set enable-bracketed-paste off'\n")


@row("completion: zsh")
def zsh(binary):
    on_terminal(binary, ["zsh", "-f", "-i"],
                f"fpath=({TOP}/dist/completion $fpath); autoload -U compinit; compinit -u -D\n"
                "unsetopt beep; LISTMAX=0; unset zle_bracketed_paste\n")
