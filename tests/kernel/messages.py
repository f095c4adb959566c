"""Every error of mvapply's has its code, and where text is wrapped (lib/wrap.h), its lines fit."""
import re

WIDTH = 100  # of the files tests/input/bad/*.expect


def wide_lines(text):
    """The lines that are too wide, except those that cannot be broken, and lines of a file that are
    shown, with a caret below."""
    lines = text.splitlines()
    carets = [line.strip() == "^" for line in lines[1:]] + [False]
    return [line for line, shown in zip(lines, carets)
            if len(line) > WIDTH and not shown and " " in line[:WIDTH + 1].lstrip()]


def unwrapped(text):
    """The text before it was wrapped: a line continues the previous one if its first word, or its
    first text in backquotes, would not have fit there."""
    lines = []
    for line in text.splitlines(keepends=True):
        first = re.match(r" {2,}(?!hint: )(`[^`\n]*`\S*|\S+)", line)
        before = lines[-1].splitlines()[-1] if lines else ""
        if first and len(before) + 1 + len(first[1]) > WIDTH:
            lines[-1] += line
        else:
            lines.append(line)
    return "".join(re.sub(r"\n {2,}", " ", line) for line in lines)


ERROR = re.compile(r"mvapply: error: |! (?:blocked|refused) |\S+: error: ")


def check(result):
    """Fails where an error has no code at the end of its line, which is never wrapped in a pipe."""
    lines = [line for line in (result.err + result.out).splitlines()
             if ERROR.match(line) and not re.search(r" \[MV\d{4}\]$", line)]
    if lines:
        raise AssertionError("without a code:\n" + "\n".join(lines) + f"\n{result}")
