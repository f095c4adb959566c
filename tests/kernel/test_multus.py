"""Multus itself (MULTUS: its program), which Debian does not have: it reads a pod's annotation and a definition from an
API server, calls the cluster's plugin for eth0 and mvapply for the further interfaces. The API server is a stand-in."""
import contextlib
import http.server
import json
import os
import threading

from declare import document, lan
from host import WORK, same
from registry import test
from service import watching

FILE = f"{WORK}/cni.yaml"
MULTUS = os.environ.get("MULTUS", "")
CLUSTER = {"cniVersion": "1.0.0", "name": "pods", "type": "ptp", "ipam": {
    "type": "host-local", "dataDir": f"{WORK}/ipam", "ranges": [[{"subnet": "10.88.0.0/16"}]], "routes": [{"dst": "0.0.0.0/0"}]}}
GROUP = "/apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/"
PODS = "/api/v1/namespaces/default/pods/"


class Handler(http.server.BaseHTTPRequestHandler):
    """Pods and definitions, by their paths; a change of a pod's status replaces its annotations."""

    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self):
        found = self.server.objects.get(self.path.split("?")[0])
        self.answer(200, found) if found else self.answer(404, {"kind": "Status", "apiVersion": "v1", "code": 404})

    def do_write(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200, self.server.objects[self.path.split("?")[0].removesuffix("/status")])

    do_PUT = do_PATCH = do_POST = do_write

    def log_message(self, *_):
        pass


class Node:
    """A node's configuration of Multus and its API server, which is in the host's namespace."""

    def __init__(self, host, port):
        self.host, self.objects, self.folder = host, {}, f"{WORK}/plugins"
        os.makedirs(self.folder)
        os.symlink(host.binary, f"{self.folder}/mvapply")
        kube = {"apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{"name": "u", "user": {}}],
                "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}
        self.config = {"cniVersion": "1.0.0", "name": "node", "type": "multus", "cniDir": f"{WORK}/multus",
                       "kubeconfig": f"{WORK}/{host.write(json.dumps(kube), 'kube.json')}", "delegates": [CLUSTER]}

    def define(self, name, **keys):
        config = {"cniVersion": "1.0.0", "name": name, "type": "mvapply", "files": FILE,
                  "capabilities": {"ips": True, "mac": True}, **keys}
        self.objects[GROUP + name] = {
            "apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
            "metadata": {"name": name, "namespace": "default"}, "spec": {"config": json.dumps(config)}}

    def pod(self, name, networks):
        self.objects[PODS + name] = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {
                "name": name, "namespace": "default", "uid": f"uid-{name}",
                "annotations": {"k8s.v1.cni.cncf.io/networks": networks}}, "spec": {}, "status": {}}

    def call(self, command, name, code=0):
        env = {"CNI_COMMAND": command, "CNI_CONTAINERID": f"id-of-{name}", "CNI_IFNAME": "eth0",
               "CNI_NETNS": f"/run/netns/{name}", "CNI_PATH": f"{self.folder}:/usr/lib/cni",
               "CNI_ARGS": f"IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME={name};"
                           f"K8S_POD_INFRA_CONTAINER_ID=id-of-{name};K8S_POD_UID=uid-{name}"}
        done = self.host.run(MULTUS, stdin=json.dumps(self.config).encode(), env=env, code=code, ns="host")
        return json.loads(done.out) if done.out else None


@contextlib.contextmanager
def running(host):
    host.ip("host", "link set lo up")
    with host.inside("host"):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    node = Node(host, server.server_address[1])
    server.objects = node.objects
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()


def requested(host):
    """The pod of the annotation has what it requests; a declared pod has what the files say; both keep it."""
    host.netns("web", "db")
    text = document({"lan": lan(gateway=None, ip_range="172.16.86.64/26")},
                    {"db": {"cni": "default/db", "networks": {"lan": {"ipv4_address": "172.16.86.20", "interface_name": "net1"}}}})
    host.write(text, "cni.yaml")
    with running(host) as node, watching(host, "-f", FILE) as service:
        node.define("lan", network="lan")
        node.pod("web", json.dumps([{"name": "lan", "ips": ["172.16.86.70/24"], "mac": "02:00:00:00:00:70"}]))
        node.pod("db", "lan")
        before = host.snapshot("host")
        for name in ("web", "db"):
            node.call("ADD", name)
        for name, address in ("web", "172.16.86.70/24"), ("db", "172.16.86.20/24"):
            same((host.names(name), host.addresses(name, "net1")), ({"eth0", "net1"}, {address}), name)
            assert "default via 10.88.0.1 dev eth0" in host.routes(name), host.routes(name)
        same(host.link("web", "net1")["address"], "02:00:00:00:00:70", "the requested MAC")
        index = {name: host.link(name, "net1")["ifindex"] for name in ("web", "db")}
        for name in ("web", "db"):
            node.call("CHECK", name)
        service.quiet()
        host.mvapply("apply", "-f", FILE)
        same({name: host.link(name, "net1")["ifindex"] for name in index}, index, "the links under a service")
        for name in ("web", "db", "web"):
            node.call("DEL", name)
        same((host.names("web"), host.names("db"), host.snapshot("host")), (set(), set(), before), "after DEL")


def several(host):
    """Two further interfaces of one pod on two networks, and one that cannot be attached: nothing of the pod stays."""
    host.netns("web", "db")
    host.write(document({"lan": lan(gateway=None, ip_range="172.16.86.64/31"),
                         "other": lan(subnet="172.16.87.0/24", gateway=None)}, {}), "cni.yaml")
    with running(host) as node:
        node.define("lan", network="lan")
        node.define("other", network="other")
        node.pod("web", "lan, lan, other@dmz0")
        node.pod("db", "other, lan")
        before = host.snapshot("host")
        node.call("ADD", "web")
        same([host.addresses("web", link) for link in ("net1", "net2", "dmz0")],
             [{"172.16.86.64/24"}, {"172.16.86.65/24"}, {"172.16.87.2/24"}], "the further interfaces")
        refused = node.call("ADD", "db", code=1)
        assert "no free address" in refused["msg"] and "MV0609" in refused["msg"], refused
        same(host.names("db"), set(), "the refused pod")
        node.call("DEL", "db")
        node.call("DEL", "web")
        same((host.names("web"), host.snapshot("host")), (set(), before), "after DEL")


if MULTUS:
    test("multus: a pod with a requested address and a declared pod, under a service", seconds=120)(requested)
    test("multus: three further interfaces of a pod, and a pod that cannot be attached", seconds=120)(several)
