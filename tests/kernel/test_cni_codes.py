"""Each error of the CNI plugin: its own code in the text, and the number that the runtime gets."""
import re

from declare import document, lan
from host import same
from registry import test
from test_cni import Plugin, declare

TEXT = document({"lan": lan(ip_range="172.16.86.0/25")}, {})
# What is called, the code in the message, and the number in the answer.
ROWS = [
    ("MV1301", 1, "ADD", {"cniVersion": "0.2.0"}, {}),
    ("MV1302", 4, "add", {}, {}),
    ("MV1302", 4, "ADD", {}, {"netns": "web"}),
    ("MV1304", 7, "ADD", {"files": []}, {}),
    ("MV1304", 7, "ADD", {"runtimeConfig": {"ips": ["x"]}}, {}),
    ("MV1306", 1306, "CHECK", {"prevResult": {}}, {}),
    ("MV1307", 7, "ADD", {"network": "dmz"}, {}),
    ("MV1308", 1308, "ADD", {}, {"args": "IP=172.16.86.1"}),
    ("MV1309", 50, "STATUS", {"network": "dmz"}, {}),
]


@test("cni codes: each error has its code and the number of the specification")
def codes(host):
    host.netns("web")
    declare(host, TEXT)
    plugin = Plugin(host)
    for code, number, command, keys, options in ROWS:
        answer = plugin.call(command, "web", code=1, **{**keys, **options})
        same((re.findall(r"\[(MV\d+)\]$", answer["msg"]), answer["code"]), ([code], number), (command, keys, options))
    answer = host.run(host.binary, stdin=b"[]", code=1, env={
        "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "1", "CNI_NETNS": "/run/netns/web", "CNI_IFNAME": "eth0"}).json
    same(("[MV1303]" in answer["msg"], answer["code"]), (True, 6), answer)
    plugin.add("web")
    taken = plugin.call("ADD", "web", code=1)
    same(("[MV1305]" in taken["msg"], taken["code"]), (True, 1305), taken)
