"""suite.py MVAPPLY FOLDER: each text of the YAML test suite is validated, as if it were a declaration.

None of them is one, but which findings there have to be follows from the tree that the suite gives:
what is no YAML is refused; where there are anchors, aliases or tags, that is reported; each root that is
no map is a finding, and so is each key of a map, as mvapply knows none of them. libyaml, which
mvapply reads with, takes and refuses a few that it should not: PyYAML, which reads with it as well,
tells which."""
import collections
import glob
import json
import os
import re
import subprocess
import sys

import yaml

# Directives of YAML that libyaml accepts after a comment or a document; they have no effect.
TAKEN = {"MUS6/0", "MUS6/1"}
KNOWN = {"name", "networks", "containers"}
NOTHING = {"", "~", "null"}
KINDS = {"key": r" is an unknown key$", "list": r"but a list$", "value": r"but a single value$",
         "complex": r"^a list or map cannot be a key$", "no key": r"^a key is missing before the ':'$"}


def cases(folder):
    for path in sorted(glob.glob(f"{folder}/*.js")):
        with open(path, encoding="utf-8") as file:
            text = file.read().partition("export default {")[2].rpartition("}")[0]
        tree = None  # a case without one has that of the previous one
        for number, case in enumerate(json.loads(f"{{{text}}}").get("cases", [])):
            tree = case.setdefault("tree", tree)
            yield f"{os.path.basename(path)[:-3]}/{number}", case


def libyaml_reads(text):
    try:
        for _ in yaml.parse(text, Loader=yaml.CLoader):
            pass
        return True
    except yaml.YAMLError:
        return False


class Tree:
    """The suite's tree, an event a line: "+MAP {} &anchor", "=VAL :text", "-MAP"."""
    def __init__(self, text):
        self.lines = [line.strip(" ") for line in text.splitlines()]
        self.at = 0

    def take(self):
        self.at += 1
        return self.lines[self.at - 1]

    def findings(self):
        """The expected number of findings of each kind."""
        found = collections.Counter()
        while self.at < len(self.lines):
            line = self.take()
            if line.startswith("+MAP"):
                self.map(found, True)
            elif line.startswith("+SEQ"):
                found["list"] += 1
                self.list(found)
            elif line.startswith("=VAL") and not nothing(line):
                found["value"] += 1
        return found

    def list(self, found):
        while not self.lines[self.at].startswith("-SEQ"):
            self.inner(found)
        self.take()

    def map(self, found, root=False):
        """Keys are checked in each map, although they are known only in a root."""
        while not self.lines[self.at].startswith("-MAP"):
            key = self.inner(found)
            if not key.startswith("="):
                found["complex"] += 1
            elif key == "=VAL :":
                found["no key"] += 1
            elif root and value_of(key) not in KNOWN:
                found["key"] += 1
            self.inner(found)
        self.take()

    def inner(self, found):
        """A node that is not a root; returns its first line."""
        line = self.take()
        if line.startswith("+MAP"):
            self.map(found)
        elif line.startswith("+SEQ"):
            self.list(found)
        return line


def value_of(line):
    return line[len("=VAL :"):]


def nothing(line):
    return line.startswith("=VAL :") and value_of(line) in NOTHING


def has_properties(tree):
    return any(re.match(r"=ALI|(\+MAP|\+SEQ|=VAL)( \{\}| \[\])? [&<]", line.strip())
               for line in tree.splitlines())


def fault(name, case, code, messages):
    """The error in mvapply's result, or None."""
    tree, read = case.get("tree") or "", libyaml_reads(case["yaml"])
    if (code, bool(messages)) not in ((0, False), (3, True)):
        return "the exit code does not go with the findings"
    if case.get("fail"):
        return None if code == 3 or name in TAKEN else "not refused, though it is no YAML"
    if not read:
        return None if code == 3 else "taken, though libyaml cannot read it"
    if has_properties(tree):
        return None if any("not supported" in message for message in messages) \
            else "anchors, aliases and tags are not told"
    expected = Tree(tree).findings()
    found = collections.Counter(kind for message in messages for kind, pattern in KINDS.items()
                                if re.search(pattern, message))
    return None if found == expected else f"findings: {dict(found)}, expected {dict(expected)}"


def run(mvapply, case):
    done = subprocess.run([mvapply, "validate", "-f", "-", "-o", "json"], capture_output=True,
                          input=case["yaml"].encode("utf-8", "surrogatepass"), timeout=60, check=False)
    if done.returncode not in (0, 3) or done.stderr:
        return None, [f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"]
    document = json.loads(done.stdout)
    return done.returncode, [error["message"] for error in document.get("errors", [])]


def main():
    passed = failed = 0
    for name, case in cases(sys.argv[2]):
        code, messages = run(sys.argv[1], case)
        wrong = fault(name, case, code, messages)
        passed, failed = passed + (wrong is None), failed + (wrong is not None)
        if wrong:
            print(f"FAIL {name}: {wrong}\n     {messages}\n     {case['yaml']!r}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
