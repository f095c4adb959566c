"""A guest on a range without a free address: each runtime shows the same reason."""
from declare import document, lan
from docker_plugin import POOL, plugged
from host import WORK, same
from registry import test
import test_cni
import test_netavark

FILE = f"{WORK}/full.yaml"
FULL = "no free address in 172.16.86.4/31 [MV0609]"
NETWORKS = {"lan": lan(ip_range="172.16.86.4/31")}


def asked(host, plugin):
    """What CNI, netavark and Docker are answered for another guest."""
    cni = test_cni.Plugin(host, files=FILE).call("ADD", "web", code=1)["msg"]
    netavark = test_netavark.Plugin(host, FILE).setup("web", code=1)["error"]
    return cni, netavark, plugin.call("IpamDriver.RequestAddress", PoolID=POOL).get("Error")


def check(host, plugin, holder):
    """With both addresses held, each runtime is refused."""
    for text in asked(host, plugin):
        assert text and FULL in text, (holder, text)
    same(host.names("web"), set(), "links of the refused guest")


@test("full range: a guest gets the same error from each runtime, whoever has the addresses")
def full(host):
    host.netns("a", "b", "web")
    text = document(NETWORKS, {})
    host.write(text, "full.yaml")
    with plugged(host, FILE) as plugin:
        cni = test_cni.Plugin(host, files=FILE)
        for name in ("a", "b"):
            cni.add(name)
        check(host, plugin, "other guests")
        host.batch("a", ["link set eth0 down"])
        check(host, plugin, "a guest whose link is down")
        for name in ("a", "b"):
            cni.call("DEL", name)
        others = {name: {"networks": {"lan": {"ipv4_address": f"172.16.86.{number}"}}} for name, number in (("a", 4), ("b", 5))}
        host.apply(document(NETWORKS, others, name="other"))
        check(host, plugin, "containers of another set")
        host.delete(document(NETWORKS, others, name="other"))
        for name, number in (("a", 4), ("b", 5)):
            host.ip("host", f"link add link eth0 name x0 netns {name} type macvlan mode bridge")
            host.batch(name, [f"address add 172.16.86.{number}/24 dev x0"])
        check(host, plugin, "links of others, which are down")
        host.batch("b", ["link delete x0"])
        cni.add("web")
        same(host.addresses("web", "eth0"), {"172.16.86.5/24"}, "the free one")


@test("full range: a declared pod, while another container keeps an address until the next apply")
def declared(host):
    host.netns("a", "b", "web")
    host.apply(document(NETWORKS, {"a": ["lan"], "b": ["lan"]}))
    text = document(NETWORKS, {"a": {"networks": {"lan": {"ipv4_address": "172.16.86.9"}}}, "b": ["lan"],
                               "web": {"cni": "default/web", "networks": ["lan"]}})
    host.write(text, "full.yaml")
    cni, pod = test_cni.Plugin(host, files=FILE), "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web"
    answer = cni.call("ADD", "web", code=1, args=pod)
    assert FULL in answer["msg"], answer
    host.apply(text)
    cni.call("ADD", "web", args=pod)
    same(host.addresses("web", "eth0"), {"172.16.86.4/24"}, "after the apply")
