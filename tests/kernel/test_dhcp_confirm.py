"""An unconfirmed change of an attachment with a lease: its rules, its routes and the file with its name servers."""
import os

from declare import document, lan
from dhcp_server import serving
from host import same
from registry import test
from test_confirm import confirming, waiting
from test_dhcp import lease_of
from test_dhcp_routes import CLASSLESS, kept, used
from test_resolv_conf import FILE, OPTIONS, content
from test_routing import rules_of

OTHER = "/run/mvapply/other.resolv.conf"


def text(path=FILE, policy=True, **keys):
    network = {"dhcp": True, "subnet": None, "gateway": None, **keys}
    return document({"n": lan(**network)}, {"web": {"policy_routing": policy,
                                                    "networks": {"n": {"resolv_conf": path} if path else {}}}})


def state(host):
    return lease_of(host)["local"], used(host), kept(host), rules_of(host), content(), content(OTHER)


@test("dhcp confirm: each unconfirmed change of a link with a lease is rolled back", seconds=60)
def changes(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    with serving(host, options=[CLASSLESS, *OPTIONS]) as server:
        host.apply(text(), "--confirm=1", code=5)
        same((host.names("web"), content()), (set(), None), "a link that was created")
        host.apply(text())
        before = state(host)
        assert before[4], before
        for what, other in (("policy_routing", text(policy=False)), ("another path", text(OTHER)), ("no path", text(None)),
                            ("internal", text(internal=True)), ("mtu", text(mtu=1400)),
                            ("an address of the file", text(None, dhcp=False, subnet="172.16.86.0/24", gateway="172.16.86.1")),
                            ("deleted", "networks: {}")):
            done = host.apply(other, "--confirm=1", "--max-delete=1", code=5)
            assert "the previous state is restored" in done.err, done
            same(state(host), before, f"{what}: the state after the rollback")
            same(host.diff(text(), code=0).plan, [], f"{what}: a diff after the rollback")
        same(server.count("DHCPRELEASE"), 0, "releases")


@test("dhcp confirm: the former file with name servers is removed once the change is confirmed")
def confirmed(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    with serving(host, options=OPTIONS):
        host.apply(text())
        with confirming(host):
            host.apply(text(OTHER), "--confirm=60")
        same((content(), content(OTHER) is not None), (None, True), "the files")


@test("dhcp confirm: rolled back when the apply is killed, and in a container that was restarted", seconds=60)
def ended(host):
    host.netns("web")
    os.makedirs("/run/mvapply", exist_ok=True)
    with serving(host, options=[CLASSLESS, *OPTIONS]):
        host.apply(text())
        before = state(host)
        for change in (text(OTHER), "networks: {}"):
            with waiting(host, change, "--confirm=2", "--max-delete=1") as (child, _):
                child.kill()
                child.wait()
                host.until(lambda: host.addresses("web", "eth0") and state(host) == before, "the former state", 20)
        with waiting(host, text(None, mtu=1400), "--confirm=2") as (child, _):
            host.remove_netns("web")
            host.netns("web")
            same(child.wait(), 5, "the exit code")
        same(state(host), before, "in the restarted container")
        same(host.diff(text(), code=0).plan, [], "a diff")
