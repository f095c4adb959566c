"""Nothing is inherited from a tagged link outside of its container's namespace: not in reports, not by a
container that starts, and not in a rollback."""
import signal

from declare import document, lan
from host import same
from intruder import BOTH, intruder
from registry import test
from test_claims import stacked
from test_confirm import container_restart, ended, waiting

TEXT = document({"d": lan()}, {"web": ["d"], "late": ["d"]})


def attached(host, evil):
    host.ip("host", f"link add e0 link eth0 netns {evil.source.get('pid', '/run/netns/evil')} type macvlan")
    evil.batch("link set e0 name eth0", "link set eth0 up")


def forge(evil, container):
    evil.batch(*stacked("z0", marked=["172.16.86.66/24"], alias=f"mvapply:attach:default/d/{container}",
                        mac="02:42:ac:10:56:77"))


def edges(host):
    """The graph's edges between the network and each container: {(label, name)}."""
    lines = host.mvapply("graph", "-f", "network.yaml", code=None).out.splitlines()
    names = {line.split("[")[0].strip(): line.split('"')[1].split("<")[0] for line in lines
             if '"]' in line and "[" in line}
    return {(line.split('"')[1], names[line.split()[-1]]) for line in lines
            if '"' in line and ("--" in line or "-." in line) and line.split()[-1] in names}


@test("forged: status and graph before, while and after the container starts")
def reported(host):
    host.netns("web")
    for kind in BOTH:
        with intruder(host, kind) as evil:
            attached(host, evil)
            host.apply(TEXT)
            forge(evil, "late")
            same(edges(host), {("eth0 172.16.86.2/24", "web"),
                               (f"pending z0 172.16.86.66/24 in {evil.label}", "late")}, "graph, pending")
            lines = host.mvapply("status", "-v", code=None).lines
            assert "network d macvlan bridge on eth0, 172.16.86.0/24 gateway 172.16.86.1" in lines, lines
            assert any(line.startswith("late/d") and line.endswith(f" in {evil.label}") for line in lines), lines
            host.netns("late")
            same(edges(host), {("eth0 172.16.86.2/24", "web"), ("+ eth0 172.16.86.3/24", "late"),
                               ("- z0 172.16.86.66/24", evil.label)}, "graph, to be made")
            host.apply(TEXT)
            link = host.link("late", "eth0")
            same((host.addresses("late", "eth0"), link["address"], host.names("evil")),
                 ({"172.16.86.3/24"}, "02:42:ac:10:56:03", {"eth0"}), "late")
            forge(evil, "late")
            same(edges(host), {("eth0 172.16.86.2/24", "web"), ("eth0 172.16.86.3/24", "late"),
                               ("- z0 172.16.86.66/24", evil.label)}, "graph, live")
            host.remove_netns("late")
            host.delete(TEXT)


@test("forged: the rollback does not use a link with the container's owner tag in another namespace")
def rolled_back(host):
    host.netns("web", "late")
    for kind in BOTH:
        with intruder(host, kind) as evil:
            attached(host, evil)
            host.apply(TEXT)
            before = host.snapshot("web", final_state=True)
            with waiting(host, document({"d": lan(mtu=1400)}, {"web": ["d"], "late": ["d"]})) as (child, _):
                forge(evil, "web")
                container_restart(host, "web")
                child.send_signal(signal.SIGINT)
                ended(host, child, 5)
            same(host.snapshot("web", final_state=True), before, "web")
            same(host.addresses("evil", "z0"), {"172.16.86.66/24"}, "the forged link")
            host.delete(TEXT)
