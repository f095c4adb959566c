"""The README: its size, and its animation, which is drawn from a run."""
import os
import subprocess

from rows import TOP, read, row, same

LONGEST = 165
LARGEST = 60 * 1024


@row("readme: it is short")
def short(_binary):
    lines = read("README.md").count("\n")
    assert lines < LONGEST, f"{lines} lines"


@row("readme: its animation shows what a run shows today")
def animation(binary):
    done = subprocess.run(["scripts/animation", "--check", binary], cwd=TOP, timeout=120, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    same((done.returncode, done.stdout.decode()), (0, ""), "scripts/animation --check")
    size = os.path.getsize(f"{TOP}/docs/demo.svg")
    assert size < LARGEST, f"{size} bytes"
    assert "](docs/demo.svg)" in read("README.md"), "the README does not show it"
