"""The CNI plugin under the CRI of containerd, and of CRI-O where it is named, called as a kubelet calls it. Only
tests/suites/run has what this needs."""
import concurrent.futures
import contextlib
import functools
import os
import signal

import containerd
import crio
from containerd import Refused
from declare import document, lan
from engines import start_during_applies
from host import WORK, same
from registry import test
from service import watching

FILE = f"{WORK}/cni.yaml"
ROUTE = "default via 172.16.86.1"
DECLARED = document({"lan": lan(ip_range="172.16.86.0/25")}, {"db": {"cni": "default/my-db", "networks": {
    "lan": {"ipv4_address": "172.16.86.20"}}}})


@contextlib.contextmanager
def running(host, text=DECLARED, **keys):
    host.write(text, "cni.yaml")
    with containerd.running(host, **keys) as daemon:
        yield daemon


def check_pod(daemon, name, address, attempt=0):
    """The first command's output, the kernel's state, and what a kubelet learns; returns the link's index."""
    text = daemon.log(name, attempt)
    assert f" {address}/24" in text and ROUTE in text, text
    same(daemon.addresses(name), [address], f"what the runtime reports of {name}")
    with daemon.space(name):
        same((daemon.host.addresses(name, "eth0"), daemon.host.routes(name)),
             ({f"{address}/24"}, {f"{ROUTE} dev eth0", f"172.16.86.0/24 dev eth0 scope link src {address}"}), name)
        return daemon.host.link(name, "eth0")["ifindex"]


def whole(host, **kind):
    before = host.snapshot("host")
    with running(host, **kind) as daemon:
        first = daemon.run("my-db")
        daemon.run("my-web")
        index = check_pod(daemon, "my-db", "172.16.86.20")
        check_pod(daemon, "my-web", "172.16.86.2")
        host.mvapply("diff", "-f", FILE)
        with watching(host, "-f", FILE) as service:
            service.quiet()
            daemon.stop_container(first)
            daemon.start_container("my-db", 1)
            same(check_pod(daemon, "my-db", "172.16.86.20", 1), index, "the link, after the container's restart under watch")
        with daemon.space("my-db"), daemon.space("my-web"):
            daemon.stop_pod("my-db")
            same((host.names("my-db"), host.names("my-web")), (set(), {"eth0"}), "after StopPodSandbox")
            daemon.stop_pod("my-db")
            daemon.remove_pod("my-db")
            daemon.remove_pod("my-web")
            same(host.names("my-web"), set(), "after RemovePodSandbox")
        same(host.snapshot("host"), before, "the host afterwards")


def daemon_restart(host, **kind):
    with running(host, **kind) as daemon:
        for name in ("my-db", "my-web"):
            daemon.run(name)
        index = check_pod(daemon, "my-db", "172.16.86.20")
        daemon.end(signal.SIGKILL)
        host.mvapply("apply", "-f", FILE)
        daemon.begin()
        same(check_pod(daemon, "my-db", "172.16.86.20"), index, "the link after the daemon's end")
        daemon.run("new")
        check_pod(daemon, "new", "172.16.86.3")
        with daemon.space("my-web"):
            daemon.remove_pod("my-web")
            same(host.names("my-web"), set(), "a pod of the daemon before")
        # A kubelet makes a new sandbox of the same name, with the next attempt.
        daemon.stop_pod("my-db")
        daemon.run_pod("my-db", 1)
        daemon.start_container("my-db", 2)
        check_pod(daemon, "my-db", "172.16.86.20", 2)


def concurrent_pods(host, **kind):
    names = [f"c{number}" for number in range(8)]
    with running(host, **kind) as daemon, watching(host, "-f", FILE):
        start_during_applies(host, daemon.run, names, FILE, 10)
        addresses = [daemon.addresses(name)[0] for name in names]
        same(set(addresses), {f"172.16.86.{number}" for number in range(2, 10)}, "the addresses")
        for name, address in zip(names, addresses):
            check_pod(daemon, name, address)
        same(host.names("host"), {"eth0"}, "links of the host")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(daemon.remove_pod, names))
        same(host.names("host"), {"eth0"}, "links of the host afterwards")


def refused(host, **kind):
    text = document({"lan": lan(ip_range="172.16.86.4/31")}, {})
    with running(host, text, **kind) as daemon:
        for name in ("a", "b"):
            daemon.run(name)
        try:
            daemon.run_pod("c")
        except Refused as error:
            assert "no free address in 172.16.86.4/31 [MV0609]" in str(error), error
        else:
            raise AssertionError("c has started")
        same(len(os.listdir(daemon.spaces)), 2, "namespaces")
        daemon.remove_pod("a")
        daemon.run("c")
        same(daemon.addresses("c"), ["172.16.86.4"], "the address of the pod that left")


def node_status(host):
    """containerd 1.7 does not know CNI 1.1.0, and calls no STATUS."""
    with running(host, document({"lan": lan(ip_range="172.16.86.4/31")}, {})) as daemon:
        calls_status = int(daemon.call("Version", {})[3][0].decode().lstrip("v").split(".")[0]) >= 2
        if calls_status:
            daemon.configure("1.1.0")
            host.until(lambda: daemon.ready()[0], "ready", 20)
        for name in ("a", "b"):
            daemon.run(name)
        ready, message = daemon.ready()
        same((ready, "network lan cannot take another container: " in message), (not calls_status, calls_status), message)
        daemon.remove_pod("a")
        same(daemon.ready(), (True, ""), "with a free address")
        host.write("networks: [", "cni.yaml")
        same(daemon.ready()[0], not calls_status, "with a wrong file")


ALIKE = {"a declared pod and a guest, a container's restart, the pods' ends": whole,
         "the daemon is killed and starts again": daemon_restart,
         "eight pods at once, during applies and with a service": concurrent_pods,
         "a pod that cannot be attached does not start, and says why": refused}

for words, function in ALIKE.items():
    if "CONTAINERD_CRI" in os.environ:
        test(f"cni containerd: {words}", seconds=180)(function)
    if crio.CRIO:
        test(f"cni cri-o: {words}", seconds=180)(functools.partial(function, kind=crio.Crio))
if "CONTAINERD_CRI" in os.environ:
    test("cni containerd: the node is not ready without a free address, from containerd 2 on", seconds=180)(node_status)
