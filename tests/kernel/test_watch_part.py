"""The service plans the containers of one changed namespace alone: what depends on all others stays."""
from declare import document, lan
from features import MULTICAST_LIMIT
from host import same
from registry import test
from service import watching
from test_settings import limit


@test("watch part: a repair leaves the bclim that another set gave the parent", features=[MULTICAST_LIMIT])
def bclim(host):
    host.netns("web", "db")
    one = document({"n": lan(bclim=5, ip_range="172.16.86.0/26")}, {"db": ["n"]}, name="one")
    two = document({"n": lan(ip_range="172.16.86.64/26")}, {"web": {"n": {"ipv4_address": "172.16.86.70"}}}, name="two")
    host.apply(one)
    before = limit(host, "db")
    with watching(host, "-f", host.write(two, "two.yaml")) as service:
        service.settle()
        same((limit(host, "web"), limit(host, "db")), (before, before), "the limits after events of the new link")
        host.ip("web", "address del 172.16.86.70/24 dev eth0")
        service.until(lambda: host.addresses("web", "eth0") == {"172.16.86.70/24"}, "the repair")
        service.settle()
        same((limit(host, "web"), limit(host, "db")), (before, before), "the limits after the repair")
