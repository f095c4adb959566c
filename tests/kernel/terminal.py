"""A command on a terminal of a chosen width."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import unicodedata


# Written by the test after the command has ended. A terminal whose other end is closed may lose, on a busy machine, what was
# written last.
END = b"\0"


def read_some(descriptor):
    """Up to 64 KiB of a pipe or terminal; b"" at its end."""
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the terminal's other end was closed
        return b""


def on_terminal(host, *arguments, env=None, code=0, columns=200, rows=24, errors=True):
    """What the command writes to a terminal, without what a terminal does to the ends of lines.
    Standard error is the terminal, too; without `errors` it is dropped, with the line of progress of a slow machine."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    around = {**os.environ, "TERM": "xterm", "NO_COLOR": None, "COLUMNS": None, **(env or {})}
    with host.inside("host"):
        child = subprocess.Popen(
            [host.binary, *arguments], stdout=theirs, stderr=theirs if errors else subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            env={key: value for key, value in around.items() if value is not None})
    output, ended = b"", False
    while not output.endswith(END):
        if not ended and child.poll() is not None:
            ended = os.write(theirs, END) == len(END)
        if select.select([ours], [], [], 0.01)[0]:
            output += os.read(ours, 65536)
    os.close(theirs)
    os.close(ours)
    text = output[:-len(END)].decode().replace("\r\n", "\n")
    if child.wait(20 * host.patience) != code:
        raise AssertionError(f"exit code {child.returncode}, expected {code}: {arguments}\n{text}")
    return text


def columns_of(line):
    """How many columns the line takes on a terminal."""
    return sum(0 if unicodedata.combining(character) else
               2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
