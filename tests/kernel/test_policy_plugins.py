"""Policy routing of containers that a runtime's plugin attaches beside an engine's network: what ends with them."""
from declare import document
from host import same
from registry import test
from test_cni import Plugin, declare
from test_netavark import Plugin as Netavark
from test_policy_routing import COMMANDS, FAMILIES, NETWORK, check_beside, defaults, engine, rules

LAN0 = {"interface_name": "lan0", "gw_priority": 1}


def routing(host, space):
    """All rules, routes and links, as ip shows them."""
    return {f"{COMMANDS[family]}{line}" for family in FAMILIES for what in ("rule show", "route show table all")
            for line in host.ip(space, f"{COMMANDS[family]}{what}").splitlines()} | host.names(space)


def text(source):
    return document({"lan": NETWORK}, {"web": {**source, "networks": {"lan": LAN0}}})


@test("policy plugins: after DEL of the CNI plugin, no rule and no route is left")
def cni(host):
    engine(host)
    declare(host, text({"cni": "default/web"}))
    plugin = Plugin(host)
    before = routing(host, "web")
    for _ in range(2):
        plugin.add("web", pod="web", ifname="lan0")
        check_beside(host)
        plugin.call("DEL", "web", ifname="lan0")
        same(routing(host, "web"), before, "after DEL")
        plugin.call("DEL", "web", ifname="lan0")


@test("policy plugins: DEL leaves the rules of another program, and those of the attachment that stays")
def others(host):
    engine(host)
    keys = {"lan": NETWORK, "other": {"parent": "eth0", "subnets": [{"subnet": "10.9.0.0/24", "ip_range": "10.9.0.0/25"}]}}
    declare(host, document(keys, {"web": {"cni": "default/web", "networks": {"lan": LAN0, "other": {"interface_name": "lan1"}}}}))
    plugin = Plugin(host)
    host.batch("web", ["rule add priority 32000 from 10.7.0.0/24 table 77 protocol 77", "rule add priority 100 table 78",
                       "route add 10.6.0.0/24 via 172.18.0.1 table 78"])
    before = routing(host, "web")
    plugin.add("web", pod="web", ifname="lan0")
    Plugin(host, network="other").add("web", pod="web", ifname="lan1", args="K8S_POD_NAMESPACE=default;K8S_POD_NAME=web")
    both = {family: (rules(host, "web", family), defaults(host, "web", family, 77)) for family in FAMILIES}
    Plugin(host, network="other").call("DEL", "web", ifname="lan1", args="K8S_POD_NAMESPACE=default;K8S_POD_NAME=web")
    same({family: (rules(host, "web", family), defaults(host, "web", family, 77)) for family in FAMILIES}, both,
         "after DEL of the attachment without a default route")
    plugin.call("DEL", "web", ifname="lan0")
    same(routing(host, "web"), before, "after DEL of both")


@test("policy plugins: after netavark's teardown, no rule and no route is left")
def netavark(host):
    engine(host)
    host.write(text({"podman": "web"}), "netavark.yaml")
    plugin = Netavark(host)
    before = routing(host, "web")
    plugin.setup("web", interface_name="lan0")
    check_beside(host)
    plugin.teardown("web", interface_name="lan0")
    same(routing(host, "web"), before, "after teardown")
