"""Completion as each shell gives it: the real bash, zsh and fish, in the folder of the examples."""
import os
import pty
import select
import subprocess
import time

from rows import TOP, row, same

EXAMPLES = os.path.join(TOP, "examples")

# A command line as typed, and what it could be completed to.
CASES = {
    "mvapply st": {"status"},
    "mvapply status --ver": {"--verbose", "--version"},
    "mvapply status -o j": {"json"},
    "mvapply apply -f tutorial-b": {"tutorial-bridge.yaml"},
    "mvapply apply -f fleet.yaml --host w": {"web1"},
    "mvapply apply -f fleet.yaml --host ": {"db1", "web1"},
    "mvapply export -f fleet.yaml --name ": {"default"},
    "mvapply explain networks.NAME.vlan_": {"networks.NAME.vlan_protocol"},
}


def environment(binary):
    return {"PATH": f"{os.path.dirname(binary)}:{os.environ['PATH']}", "HOME": "/nonexistent",
            "TERM": "dumb", "XDG_CONFIG_HOME": "/nonexistent", "XDG_DATA_HOME": "/nonexistent",
            "XDG_CACHE_HOME": "/nonexistent"}


def output(argv, binary):
    return subprocess.run(argv, cwd=EXAMPLES, env=environment(binary), check=True, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout.decode()


@row("completion: bash")
def bash(binary):
    script = f"source {TOP}/completion/mvapply.bash; " \
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mvapply; printf "%s\\n" "${COMPREPLY[@]}"'
    for line, expected in CASES.items():
        found = output(["bash", "--norc", "-c", script, "bash", *line.split(" ")], binary)
        same(set(found.split()), expected, line)
    # bash cuts a word at '='.
    found = output(["bash", "--norc", "-c", script, "bash", "mvapply", "status", "--output", "=",
                    "js"], binary)
    same(found.split(), ["json"], "a value behind =")


@row("completion: fish")
def fish(binary):
    for line, expected in CASES.items():
        found = output(["fish", "--no-config", "-c", f"source {TOP}/completion/mvapply.fish; "
                        f"complete --do-complete '{line}'"], binary)
        same({one.split("\t")[0] for one in found.splitlines()}, expected, line)


class Zsh:
    """A zsh on a terminal of its own: it completes nowhere else."""
    def __init__(self, binary):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(EXAMPLES)
            os.execvpe("zsh", ["zsh", "-f", "-i"], environment(binary))
        self.shown = ""

    def __enter__(self):
        self.type(f"fpath=({TOP}/completion $fpath); autoload -U compinit; compinit -u -D\n"
                  "unsetopt beep; LISTMAX=0; unset zle_bracketed_paste; stty columns 300\n"
                  "PS1=REA''DY\n", "READY")
        return self

    def __exit__(self, *_):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, text, *expected):
        """Types the text, and waits until all that is expected has been shown since."""
        self.shown = ""
        os.write(self.terminal, text.encode())
        end = time.monotonic() + 60
        while not all(word in self.shown for word in expected):
            assert time.monotonic() < end, f"{text!r}: no {expected} in {self.shown!r}"
            if select.select([self.terminal], [], [], 1)[0]:
                self.shown += os.read(self.terminal, 4096).decode(errors="replace")


@row("completion: zsh")
def zsh(binary):
    with Zsh(binary) as shell:
        for line, expected in CASES.items():
            # ^U takes the line away again; what TAB adds to a word is shown behind it.
            typed = line.rsplit(" ", 1)[1]
            added = {word.removeprefix(typed) for word in expected}
            shell.type(line, line[-5:].strip())
            shell.type("\t", *(added if len(added) == 1 else expected))
            shell.type("\x15\n", "READY")
