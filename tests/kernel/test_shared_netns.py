"""Several containers, of one set or of several, in one network namespace: it has one default route, and each
link has a name of its own."""
from declare import document, lan
from host import same
from registry import test

OTHER = {"parent": "eth0", "subnet": "10.8.0.0/24", "gateway": "10.8.0.1"}
DEFAULT = {"n": "default via 172.16.86.1 dev eth0", "m": "default via 10.8.0.1 dev eth1"}


def defaults(host):
    return {route for route in host.routes("web") if route.startswith("default")}


@test("netns group: two containers of one namespace", both=True)
def one_set(host):
    host.netns("web")

    def text(**keys):
        return document({"n": lan(), "m": OTHER}, {
            "one": {"netns": "web", "networks": ["n"]},
            "two": {"netns": "/run/netns/web", "networks": {"m": keys}}})
    host.apply(text())
    same((host.names("web"), defaults(host)), ({"eth0", "eth1"}, {DEFAULT["n"]}), "first come")
    host.unchanged(text())
    host.apply(text(gw_priority=1))
    same(defaults(host), {DEFAULT["m"]}, "the higher priority")
    host.unchanged(text(gw_priority=1))
    swapped = text(gw_priority=1, interface_name="eth0")
    same(sorted(host.apply(swapped).plan), ["~ attach one/n interface_name eth0 -> eth1",
                                            "~ attach two/m interface_name eth1 -> eth0"],
         "names that change hands")
    same((host.addresses("web", "eth0"), defaults(host)),
         ({"10.8.0.2/24"}, {"default via 10.8.0.1 dev eth0"}), "and all that is theirs")
    host.unchanged(swapped)


@test("netns group: two sets with one namespace, applied one after the other")
def two_sets(host):
    host.netns("web")
    first, second = (document({"n": network}, {"web": ["n"]}, name=name)
                     for name, network in (("a", lan()), ("b", OTHER)))
    host.apply(first)
    done = host.apply(second)
    assert 'web keeps the default route of set "a", via 172.16.86.1' in done.err, done
    same((host.names("web"), defaults(host)), ({"eth0", "eth1"}, {DEFAULT["n"]}), "of the first")
    host.unchanged(second)
    host.unchanged(first)
    host.delete(first)
    host.apply(second)
    same((host.names("web"), defaults(host)), ({"eth1"}, {DEFAULT["m"]}), "free for the second")
    host.unchanged(second)
