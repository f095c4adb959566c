"""mvapply's messages fit a terminal's width (lib/wrap.h), and every error has its code."""
import re

WIDTH = 100

NOTICE = re.compile(r"(?:! (?:blocked|refused)|  (?:kept|pending)) | {12}hint: ")


def wide_lines(text):
    """The lines that are too wide, but for those that cannot be broken, and for lines of a file that
    are shown, with a caret below."""
    lines = text.splitlines()
    carets = [line.strip() == "^" for line in lines[1:]] + [False]
    return [line for line, shown in zip(lines, carets)
            if len(line) > WIDTH and not shown and " " in line[:WIDTH + 1].lstrip()]


def unwrapped(text):
    """The text as it was before it was wrapped: a line follows from the one before if its first word,
    or what stands in backquotes, would not have had a place there."""
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


def uncoded_lines(text):
    return [line for line in unwrapped(text).splitlines()
            if ERROR.match(line) and not re.search(r" \[MV\d{4}\]$", line)]


def check(result):
    """Fails where a message of mvapply's, or a notice in its plan, is too wide, or an error has no
    code."""
    notices = "\n".join(line for line in result.out.splitlines() if NOTICE.match(line))
    wrong = {"wider than a terminal": wide_lines(result.err) + wide_lines(notices),
             "without a code": uncoded_lines(result.err) + uncoded_lines(result.out)}
    for what, lines in wrong.items():
        if lines:
            raise AssertionError(f"{what}:\n" + "\n".join(lines) + f"\n{result}")
