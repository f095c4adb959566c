"""The examples, applied unchanged."""
import os
import re

from declare import EXAMPLES, example
from dhcp_server import Server
from host import same
from registry import test

# What an example needs that not every kernel has.
NEEDS = {"ipvlan": r"driver: ipvlan", "vlan": r"vlan: \d|parent: eth\d\.\d",
         "dummy": r"internal: true.*\n    subnet"}


def apply_example(name):
    def run(host):
        text = example(name)
        containers = text.split("\ncontainers:")[-1]
        host.netns(*re.findall(r"^  ([\w-]+):", containers, re.MULTILINE))
        host.batch("host", ["link add eth1 type veth peer name up1", "link set eth1 up",
                            "link set up1 up"])
        flags = re.findall(r"--host=\w+", text)
        before = host.snapshot()
        if "dhcp: true" in text.split("containers:")[0]:
            Server(host).begin()
        done = host.apply(text, *flags)
        assert done.plan and not any(line.startswith("pending") for line in done.plan), done
        assert "MV1201" not in done.err, done
        host.settle()
        host.unchanged(text, *flags)
        host.delete(text, *flags)
        after = host.snapshot()
        same(after, before, "after delete")
    return run


for file in sorted(os.listdir(EXAMPLES)):
    if file.endswith(".yaml"):
        content = example(file)
        test(f"example: {file}", needs=[kind for kind, pattern in NEEDS.items()
                                        if re.search(pattern, content)])(apply_example(file))
