"""`graph`: the live state and what apply would do, in each format. tests/graph tests rendering with Mermaid
itself."""
import json
import os
import re
import xml.etree.ElementTree

from declare import EXAMPLES, document, lan
from features import ADDRESS_PROTOCOL
from host import same
from registry import test

NETWORKS = {"a": lan(), "b": lan(subnet="10.8.0.0/16", gateway=None)}
BEFORE = document({**NETWORKS, "old": lan(subnet="10.9.0.0/16", gateway=None),
                   "past": lan(subnet="10.6.0.0/16", gateway=None)},
                  {"web": ["a", "b"], "db": ["b"], "ci": ["old"], "gone": ["past"]}, name="lab")
AFTER = document({"a": lan(mtu=1400, host=True), "b": NETWORKS["b"],
                  "c": lan(parent="eth9", subnet="10.7.0.0/24", gateway=None)},
                 {"web": ["a", "b"], "db": ["a", "b"], "job": ["b"], "ci": ["c"]}, name="lab")

NODES = [("parent", "same", "eth0"), ("network", "same", "a"), ("network", "same", "b"),
         ("parent", "missing", "eth9"), ("network", "trouble", "c"), ("container", "create", "the host"),
         ("container", "same", "web"), ("container", "same", "db"), ("container", "pending", "job"),
         ("container", "same", "ci"), ("network", "delete", "past"), ("container", "delete", "gone"),
         ("network", "same", "old")]
EDGES = [("eth0", "a", "same", ""), ("eth0", "b", "same", ""), ("eth9", "c", "missing", ""),
         ("a", "the host", "create", "mv-lab.a 172.16.86.254/32"),
         ("a", "web", "change", "eth0 172.16.86.2/24"), ("b", "web", "same", "eth1 10.8.0.2/16"),
         ("a", "db", "create", "eth1 172.16.86.3/24"), ("b", "db", "same", "eth0 10.8.0.3/16"),
         ("b", "job", "pending", ""), ("c", "ci", "trouble", "eth0 10.7.0.2/24"),
         ("eth0", "past", "delete", ""), ("past", "gone", "delete", "eth0 10.6.0.2/16"),
         # Its replacement is blocked.
         ("eth0", "old", "same", ""), ("old", "ci", "same", "eth0 10.9.0.2/16")]

LEGEND = ["unchanged", "+ create", "~ change", "- delete", "pending: not found or not running",
          "blocked or refused",
          "missing on this host"]


def prepared(host):
    host.netns("web", "db", "ci", "gone")
    host.apply(BEFORE)
    return host.write(AFTER, "after.yaml")


def drawn(host, file, form):
    return host.silently("graph", lambda: host.mvapply("graph", "-f", file, "--format", form)).out


@test("graph: every object, with its planned action")
def objects(host):
    graph = host.mvapply("graph", "-f", prepared(host), "-o", "json").json
    same([(node["kind"], node["state"], node["title"]) for node in graph["nodes"]], NODES, "nodes")
    titles = [node["title"] for node in graph["nodes"]]
    same([(titles[edge["from"]], titles[edge["to"]], edge["state"], edge["label"])
          for edge in graph["edges"]], EDGES, "edges")


@test("graph: the legend has the states that are in the graph, and no others")
def legend(host):
    host.netns("web")
    text = document({"a": NETWORKS["a"]}, {"web": ["a"]})
    host.apply(text)
    file = host.write(text, "legend.yaml")
    for form in ("mermaid", "dot", "svg"):
        out = drawn(host, file, form)
        same([word for word in LEGEND if word in out], ["unchanged"], form)
    empty = host.write("name: other\nnetworks: {}", "empty.yaml")
    for form in ("mermaid", "dot", "svg"):
        assert "egend" not in drawn(host, empty, form), form


@test("graph: a missing parent, and one that exists under another name")
def parents(host):
    host.ip("host", "link property add dev eth0 altname uplink")
    file = host.write(document({"a": lan(parent="uplink"),
                               "b": lan(parent="eth7", vlan=5, gateway=None, subnet="10.1.0.0/24")}, {}))
    graph = host.mvapply("graph", "-f", file, "-o", "json").json
    same([(node["title"], node["state"], node["detail"]) for node in graph["nodes"]
          if node["kind"] in ("parent", "vlan")],
         [("uplink", "same", ""), ("eth7", "missing", "missing"), ("eth7.5", "missing", "VLAN 5, missing")], "parents")
    titles = [node["title"] for node in graph["nodes"]]
    same([edge["state"] for edge in graph["edges"] if titles[edge["from"]].startswith("eth7")],
         ["missing", "missing"], "edges from it")


@test("graph: Graphviz reads its DOT")
def dot(host):
    text = drawn(host, prepared(host), "dot")
    graph = json.loads(host.run("dot", "-Tjson", stdin=text.encode(), code=0).out)
    legend = [node["label"] for node in graph["objects"] if node["name"].startswith("legend")]
    same(legend, LEGEND, "the legend")
    cluster = [node["label"] for node in graph["objects"] if node["name"].startswith("cluster")]
    same(cluster, ["Legend"], "the legend's frame")
    objects = {node["_gvid"]: node for node in graph["objects"] if re.match(r"n\d", node["name"])}
    labels = {number: node["label"].split("\\n")[0] for number, node in objects.items()}
    same(list(labels.values()), [title for _, _, title in NODES], "nodes")
    missing = [node for node in objects.values() if node["label"].startswith("eth9")]
    same([(node["label"], "dashed" in node["style"]) for node in missing], [("eth9\\nmissing", True)],
         "the missing parent")
    signs = {"missing": "", "same": "", "create": "+ ", "change": "~ ", "delete": "- ", "pending": "pending ",
             "trouble": "blocked "}
    edges = [edge for edge in graph["edges"] if edge["tail"] in labels]
    same(sorted((labels[edge["tail"]], labels[edge["head"]], edge["label"])
                for edge in edges),
         sorted((source, target, (signs[state] + label).strip())
                for source, target, state, label in EDGES), "edges")


SVG = "{http://www.w3.org/2000/svg}"


@test("graph: the SVG is well-formed, contains every text, and its boxes do not overlap")
def svg(host):
    root = xml.etree.ElementTree.fromstring(drawn(host, prepared(host), "svg"))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for _, _, title in NODES:
        assert title in texts, f"no {title} in {texts}"
    for word in ("~ eth0 172.16.86.2/24", "+ eth1 172.16.86.3/24", "- eth0 10.6.0.2/16", "pending",
                 "eth1 10.8.0.2/16", "Legend", "missing", *LEGEND):
        assert word in texts, f"no {word} in {texts}"
    same(len(list(root.iter(f"{SVG}path"))), len(EDGES), "edges")
    boxes = [{key: float(rect.get(key)) for key in ("x", "y", "width", "height")}
             for rect in root.iter(f"{SVG}rect") if "%" not in rect.get("width")]
    same(len(boxes), len(NODES) + len(LEGEND), "boxes, and those of the legend")
    for number, box in enumerate(boxes):
        assert box["x"] + box["width"] < float(root.get("width")), box
        assert box["y"] + box["height"] < float(root.get("height")), box
        for other in boxes[:number]:
            assert (box["x"] >= other["x"] + other["width"] or box["y"] >= other["y"]
                    + other["height"] or other["x"] >= box["x"] + box["width"]
                    or other["y"] >= box["y"] + box["height"]), f"{box} touches {other}"


@test("graph: names with the signs of XML and of DOT")
def signs(host):
    file = host.write(json.dumps({"networks": {"n": lan(parent="a\"<&>\\")}}))
    root = xml.etree.ElementTree.fromstring(drawn(host, file, "svg"))
    assert "a\"<&>\\" in [text.text for text in root.iter(f"{SVG}text")]
    graph = host.run("dot", "-Tplain", stdin=drawn(host, file, "dot").encode(), code=0).out
    assert r'"a\"<&>\\\nmissing" ' in graph, graph


@test("graph: of a link with a thousand addresses the first few are shown, and how many there are",
      features=[ADDRESS_PROTOCOL])
def many_addresses(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    host.batch("web", [f"address add 10.{i >> 8}.{i & 255}.1/32 dev eth0" for i in range(1000)])
    graph = drawn(host, host.write(text), "dot")
    if not host.has(ADDRESS_PROTOCOL):  # the declared state is drawn, which has none of them
        assert "~ eth0 172.16.86.2/24" in graph and len(graph) < 4000, graph[:4000]
        return
    labels = [line for line in graph.splitlines() if "eth0 172.16.86.2/24 10.0.0.1/32" in line]
    same(len(labels), 1, f"lines with the link\n{graph[:2000]}")
    assert "10.0.6.1/32 and 993 more" in labels[0], labels[0][:400]
    assert len(graph) < 4000, len(graph)


@test("graph: the drawing in the documentation is that of the example")
def page(host):
    host.netns("web", "ci", "db")
    with open(os.path.join(EXAMPLES, "../docs/how-to/graph.md"), encoding="utf-8") as file:
        shown = re.findall(r"```mermaid\n(.*?)```", file.read(), re.S)
    same(shown, [drawn(host, os.path.abspath(os.path.join(EXAMPLES, "trunk.yaml")), "mermaid")],
         "the graph")


@test("graph: bad command lines and files")
def bad(host):
    host.write(AFTER)
    for arguments in (["graph"], ["graph", "-f", host.write("networks: [", "bad.yaml")],
                      ["graph", "-f", "network.yaml", "--format", "png"]):
        assert host.mvapply(*arguments, code=3).err, "nothing said"
