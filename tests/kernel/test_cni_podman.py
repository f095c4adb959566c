"""The CNI plugin under Podman, whose networks are CNI configurations here."""
import contextlib

import engines
from declare import document, lan
from host import WORK, same
from registry import test
from service import watching

FILE = f"{WORK}/cni.yaml"
ROUTE = "default via 172.16.86.1"
DECLARED = document({"lan": lan(ip_range="172.16.86.0/25")}, {"db": {"cni": "my-db", "networks": {
    "lan": {"ipv4_address": "172.16.86.20"}}}})


@contextlib.contextmanager
def podman(host, text=DECLARED):
    host.write(text, "cni.yaml")
    with engines.running(host, "podman", engines.CniPodman) as engine:
        yield engine


@test("cni podman: the first process of a declared container and of a guest; restart, kill, removal", seconds=120)
def whole(host):
    before = host.snapshot("host")
    with podman(host) as engine:
        for name, address in (("my-db", "172.16.86.20/24"), ("my-web", "172.16.86.2/24")):
            engine.run(name)
            text = engine.log(name)
            assert address in text and ROUTE in text, text
        host.mvapply("diff", "-f", FILE)
        seen = engine.call("GET", "/v4.0.0/libpod/containers/my-db/json")["NetworkSettings"]["Networks"]["lan"]
        same((seen["IPAddress"], seen["Gateway"]), ("172.16.86.20", "172.16.86.1"), "what Podman knows")
        with engine.space("my-db") as space:
            index = host.link(space, "eth0")["ifindex"]
            with watching(host, "-f", FILE) as service:
                service.quiet()
                same(host.link(space, "eth0")["ifindex"], index, "the link under watch")
        engine.restart("my-db")
        assert ROUTE in engine.log("my-db", 2)
        engine.call("POST", "/containers/my-db/kill")
        host.until(lambda: not engine.call("GET", "/containers/my-db/json")["State"]["Running"], "my-db ends")
        engine.start("my-db")
        assert engine.log("my-db", 3).count("172.16.86.20/24") == 3
        engine.remove("my-db")
        engine.remove("my-web")
        same(host.snapshot("host"), before, "the host afterwards")


@test("cni podman: eight at once, during applies and with a service", seconds=120)
def concurrent_starts(host):
    with podman(host) as engine, watching(host, "-f", FILE):
        names = [f"c{number}" for number in range(8)]
        for name in names:
            engine.create(name)
        engines.start_during_applies(host, engine.start, names, FILE, 10)
        addresses = []
        for name in names:
            text = engine.log(name)
            assert ROUTE in text, text
            addresses += [word for word in text.split() if word.startswith("172.16.86.") and "/24" in word
                          and word != "172.16.86.0/24"]
        same(sorted(addresses, key=lambda text: int(text.split("/")[0].split(".")[3])),
             [f"172.16.86.{number}/24" for number in range(2, 10)], "the addresses")
        same(host.names("host"), {"eth0"}, "links of the host")


@test("cni podman: a container that cannot be attached does not start, and says why", seconds=60)
def refused(host):
    with podman(host, document({"lan": lan(ip_range="172.16.86.4/31")}, {"a": {"cni": "a", "networks": {
            "lan": {"ipv4_address": "172.16.86.4"}}}, "b": {"cni": "b", "networks": {
                "lan": {"ipv4_address": "172.16.86.5"}}}})) as engine:
        engine.run("a")
        engine.run("b")
        engine.create("c")
        try:
            engine.start("c")
        except AssertionError as error:
            assert "MV07" in str(error) or "no free address" in str(error), error
        else:
            raise AssertionError("c has started")
