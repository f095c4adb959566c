"""The pages themselves: links have targets, files are valid, commands exist.
tests/kernel/test_docs.py runs the commands."""
import os
import re
import shlex
import subprocess
import sys

from rows import TOP, read, row, same

sys.path.insert(0, os.path.join(TOP, "tests/kernel"))
import documents  # noqa: E402

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(#[^)]*)?\)")


@row("pages: every link leads to a file")
def links(_binary):
    count = 0
    for page in documents.pages() + ["CONTRIBUTING.md"]:
        for target, _ in LINK.findall(read(page)):
            if re.match(r"\w+:", target):
                continue
            path = os.path.join(TOP, os.path.dirname(page), target)
            assert os.path.exists(path), f"{page}: no {target}"
            count += 1
    assert count > 30, f"only {count} links were found"


def anchors(page):
    """The names that GitHub gives to the headings."""
    headings = re.findall(r"^#+ (.*)$", documents.FENCE.sub("", read(page)), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


@row("pages: every link to a heading leads to one")
def headings(_binary):
    count = 0
    for page in documents.pages() + ["CONTRIBUTING.md"]:
        for target, anchor in re.findall(r"\]\(([^)\s:#]*)#([^)]+)\)", read(page)):
            where = os.path.join(os.path.dirname(page), target) if target else page
            assert anchor in anchors(where), f"{page}: no {target}#{anchor}"
            count += 1
    assert count > 20, f"only {count} links were found"


def outline(page):
    """The levels of its headings, in their order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", documents.FENCE.sub("", read(page)), re.MULTILINE)]


def parts(page):
    """Of each section: its heading, and how many paragraphs, items of lists and rows of tables it has."""
    text = documents.FENCE.sub("BLOCK\n", read(page))
    found = re.split(r"^(#+ .*)$", text, flags=re.MULTILINE)
    for heading, section in zip([page, *found[1::2]], found[::2]):
        yield heading, (len(re.findall(r"\S(?:.|\n(?!\n))*", section)),
                        len(re.findall(r"^(?:- |\d+\. )", section, re.MULTILINE)),
                        len(re.findall(r"^\|", section, re.MULTILINE)))


@row("pages: no section in Chinese lacks a paragraph, an item or a row of the English one")
def complete_sections(_binary):
    count = 0
    for page in (page for page in documents.pages() if page.endswith(".zh.md")):
        english = list(parts(page.replace(".zh.md", ".md")))
        for (heading, is_there), (_, expected) in zip(parts(page), english):
            assert all(a >= b for a, b in zip(is_there, expected)), \
                f"{page}, {heading}: {is_there} paragraphs, items and rows of {expected}"
            count += 1
    assert count > 100, f"only {count} sections were compared"


@row("pages: a page in Chinese has the headings, blocks and sections of the English one")
def chinese(_binary):
    pages = [page for page in documents.pages() if page.endswith(".zh.md")]
    assert pages
    for page in pages:
        english = page.replace(".zh.md", ".md")
        same(documents.blocks(read(page)), documents.blocks(read(english)),
             f"{page} (`make docs` copies the blocks)")
        same(documents.SECTION.findall(read(page)), documents.SECTION.findall(read(english)), page)
        same(outline(page), outline(english), f"the headings of {page}")
        same(documents.listed(page), documents.listed(english), f"the commands of {page}")
        for one, other in ((page, english), (english, page)):
            link = f"]({os.path.basename(other)})"
            assert link in read(one), f"{one} has no link to {other}"


@row("pages: README, the tutorial, each how-to and troubleshooting have a page in Chinese")
def translated(_binary):
    pages = [page for page in documents.pages() if not page.endswith(".zh.md")
             and (page in ("README.md", "docs/tutorial.md", "docs/troubleshooting.md")
                  or page.startswith("docs/how-to/"))]
    assert len(pages) > 10, f"only {len(pages)} pages were found"
    missing = [page for page in pages if page.replace(".md", ".zh.md") not in documents.pages()]
    same(missing, [], "pages without one")
    # A reader of Chinese stays in Chinese, as far as there are pages.
    for page in (page for page in documents.pages() if page.endswith(".zh.md")):
        for target in re.findall(r"(?<!\[English)\]\(([^)\s:#]+)\.md", read(page)):
            other = os.path.join(TOP, os.path.dirname(page), f"{target}.zh.md")
            assert target.endswith(".zh") or not os.path.exists(other), \
                f"{page} links to {target}.md, which there is in Chinese"


@row("pages: every block of YAML is valid")
def yaml_blocks(binary):
    count = 0
    for page in documents.pages():
        for language, content in documents.blocks(read(page)):
            if language != "yaml":
                continue
            words = ["import", "compose", "-"] if re.match(r"# \S*compose\.yaml\n", content) \
                else ["import", "cni", "-"] if "kind: NetworkAttachmentDefinition" in content \
                else ["validate", "-f", "-"]
            done = subprocess.run([binary, *words], input=content.encode(),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            assert done.returncode == 0, f"{page}:\n{content}\n{done.stdout.decode()}"
            count += 1
    assert count >= 8, f"only {count} blocks were found"


def named_commands(text):
    """The lines that begin with mvapply, in indented blocks and between backquotes."""
    for line in re.findall(r"^    (?:sudo )?(mvapply [^#\n]*)", text, re.MULTILINE):
        yield line
    for line in re.findall(r"`(mvapply [^`\n]*)`", text):
        yield line


@row("pages: a line that stands for itself is a command of mvapply's, or one of make's")
def listed_commands(_binary):
    """The former are run by tests/kernel/test_docs.py."""
    targets = set(re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE))
    for page in documents.pages():
        for line in documents.listed(page):
            words = line.removeprefix("sudo ").split()
            assert words[0] == "mvapply" or (words[0] == "make" and set(words[1:]) <= targets), \
                f"{page}: {line}"


@row("manual: its examples are valid, and commands that a page lists, too")
def manual_examples(binary):
    for _, content in documents.blocks(read("docs/man/mvapply.yaml.5.scd")):
        done = subprocess.run([binary, "validate", "-f", "-"], input=content.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, f"{content}\n{done.stdout.decode()}"
    shown = re.findall(r"^\t\$ (.*)$", read("docs/man/mvapply.8.scd"), re.MULTILINE)
    assert shown
    listed = {line for page in documents.pages() for line in documents.listed(page)}
    same(set(shown) - listed, set(), "commands that nothing runs")


@row("pages: every command of mvapply's that is named in a sentence is one, with its options")
def commands(binary):
    count = 0
    for page in documents.pages():
        if page == "docs/reference/commands.md":
            continue
        for line in named_commands(read(page)):
            words = shlex.split(re.split(r" [>|] ", line)[0])[1:]
            words = [word for word in words if word not in ("KEY", "FILE", "PATH", "PLAN")]
            # A sentence may leave out the value of its last option.
            tries = [subprocess.run([binary, *words, *value, "--help"], stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
                     for value in ([], ["value"])]
            done = min(tries, key=lambda done: done.returncode)
            assert done.returncode == 0, f"{page}: {line}\n{done.stdout.decode()}"
            count += 1
    assert count > 15, f"only {count} commands were found"
