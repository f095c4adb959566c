"""The examples of service units work, as far as this host can run them."""
import glob
import json
import os
import re
import shutil
import signal
import subprocess

import linux
from declare import EXAMPLES, document, lan
from dhcp_server import serving
from host import same
from registry import test
from service import HERE, watching
from units import CAPABILITIES, DHCP, DOCKER, ENGINES, SERVICE, capabilities, unit_values

TEXT = document({"n": lan()}, {"web": {"n": {"sysctls": {"net.ipv4.conf.IFNAME.forwarding": "1"}}},
                               "db": ["n"]})


def systemd_analyze(*arguments):
    path = shutil.which("systemd-analyze")
    assert path, "systemd-analyze is not installed (scripts/deps test)"
    return subprocess.run([path, *arguments], capture_output=True, text=True, check=False)


@test("deployment: systemd rates the units at 2.0 or better")
def security(_):
    os.makedirs("unit")
    for unit in (SERVICE, DOCKER):
        shutil.copy(unit, "unit")
        name = os.path.basename(unit)
        done = systemd_analyze("security", "--offline=true", "--threshold=20", "--no-pager", f"unit/{name}")
        assert done.returncode == 0, done.stdout[-200:] + done.stderr
        found = re.search(rf"exposure level for {re.escape(name)}: ([0-9.]+)", done.stdout)
        assert found and float(found[1]) <= 2.0, done.stdout


@test("deployment: systemd finds no fault in the units")
def verify(host):
    os.makedirs("units")
    for path in glob.glob(f"{EXAMPLES}/systemd/*.*") + glob.glob(f"{EXAMPLES}/gitops/*.*"):
        if path.endswith((".service", ".socket", ".timer", ".path")):
            with open(path, encoding="utf-8") as source, \
                    open(f"units/{os.path.basename(path)}", "w", encoding="utf-8") as copy:
                copy.write(re.sub(r"/usr/local/bin/[\w-]+", host.binary, source.read()))
    done = systemd_analyze("verify", "--man=no", *sorted(glob.glob("units/*")))
    same((done.returncode, done.stdout), (0, ""), done.stderr)


def expanded(groups):
    """The names of a @group of system calls."""
    names = {group for group in groups if not group.startswith("@")}
    for group in set(groups) - names:
        for line in systemd_analyze("syscall-filter", group).stdout.splitlines()[1:]:
            word = line.strip()
            if word.startswith("@"):
                names |= expanded([word])
            elif word and not word.startswith("#"):
                names.add(word)
    return names


@test("deployment: the unit's filter has every system call that the service makes")
def system_calls(host):
    host.netns("web")

    def at_work(service):
        host.netns("db")
        service.until_says("created attach db/n")
        host.ip("web", "link del eth0")
        service.until(lambda: host.names("web"), "repaired")
        service.quiet()
    made = traced(host, TEXT, at_work)
    # The unit sets these: LimitNOFILE=, CapabilityBoundingSet=.
    same(made - filter_allows(SERVICE) - {"prlimit64", "setrlimit", "capset"}, set(),
         "calls that are not allowed")


def filter_allows(*paths):
    """The system calls that all filters of the units together allow."""
    allowed = set()
    for path in paths:
        for value in unit_values("SystemCallFilter", path):
            if value.startswith("~"):
                allowed -= expanded(value[1:].split())
            else:
                allowed |= expanded(value.split())
    return allowed


def traced(host, text, at_work):
    """The system calls of the service, and of all processes that it starts."""
    host.write(text)
    calls = "/run/calls"
    program = host.binary
    with open("/run/traced", "w", encoding="ascii") as file:
        # LeakSanitizer, if the build has it, does not work while the process is traced.
        file.write("#!/bin/sh\nexport ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0\n"
                   f"exec strace -f -o {calls} -D {program} \"$@\"\n")
    os.chmod("/run/traced", 0o755)
    host.binary = "/run/traced"
    with watching(host, "-f", "network.yaml", "--metrics", "/run/mvapply.prom") as service:
        at_work(service)
    host.binary = program
    with open(calls, encoding="utf-8", errors="replace") as file:
        return set(re.findall(r"^\d+ +(\w+)\(", file.read(), re.M))


def confine(kept):
    """The unit's effects on the service: a read-only mount namespace of its own, which receives the
    host's mounts, and few capabilities."""
    def enter():
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)
        for path in ("/proc/sys", "/proc/sys/net", "/run"):
            linux.mount(path, path, None, linux.MS_BIND | linux.MS_REC)
        for path in ("/proc/sys", "/run", "/"):
            linux.mount(None, path, None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY)
        linux.keep_capabilities(kept)
    return enter


@test("deployment: the unit's capabilities and mounts suffice", both=True)
def confined(host):
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SHARED)  # as systemd creates it at boot
    host.netns("web")
    with watching(host, "-f", host.write(TEXT), before=confine(capabilities(SERVICE))) as service:
        same(host.addresses("web", "eth0"), {"172.16.86.2/24"}, "addresses")
        same(host.sysctl("web", "net/ipv4/conf/eth0/forwarding"), "1", "a sysctl")
        service.settle()
        host.netns("db")  # a mount of the host's
        service.until_says("created attach db/n")
        same(host.addresses("db", "eth0"), {"172.16.86.3/24"}, "db's addresses")
        host.remove_netns("db")
        service.until(lambda: sum("pending" in line for line in service.log()) == 2, "it is gone")
        host.ip("web", "link del eth0")
        service.until(lambda: host.names("web") and host.routes("web"), "repaired")
        service.quiet()
        assert not any("error" in line for line in service.log()), service.log()


def dry_run(host, kept):
    """What an apply with these capabilities would do, and its hints, on one line."""
    done = host.mvapply("apply", "-f", "network.yaml", "--dry-run", before=confine(kept), code=None)
    assert "CAP_NET_ADMIN" not in done.out, done
    return " ".join(done.out.split())


@test("deployment: a process's namespace needs the capability that engines.conf adds")
def confined_process(host):
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SHARED)
    with host.process() as pid:
        for source in ({"pid": pid}, {"netns": f"/proc/{pid}/ns/net"}):
            text = document({"n": lan()}, {"web": {**source, "networks": ["n"]}})
            for kept, said, found in ((capabilities(SERVICE), "blocked", True), (capabilities(SERVICE, ENGINES), "created", False)):
                with watching(host, "-f", host.write(text), before=confine(kept)) as service:
                    service.until_says(f"{said} attach web/n")
                hint = dry_run(host, kept)
                same("mvapply-engines.conf" in hint, found, f"the hint names the drop-in\n{hint}")
                if "pid" in source:
                    doctor = host.mvapply("doctor", "-f", "network.yaml", "-o", "json", code=None,
                                          before=confine(kept)).json
                    same([one["message"].split()[1].rstrip(",") for one in doctor["findings"]
                          if one["check"] == "rights"], ["CAP_SYS_PTRACE"] if found else [], "rights")
            host.delete(text)


LEASED = document({"n": lan(dhcp=True, subnet=None, gateway=None)}, {"web": ["n"]})


@test("deployment: a lease needs the capabilities that mvapply-dhcp.conf adds, and no other system calls")
def confined_lease(host):
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SHARED)
    host.netns("web")
    kept = capabilities(SERVICE, DHCP)
    with serving(host) as server:
        with watching(host, "-f", host.write(LEASED), before=confine(kept)) as service:
            service.until(lambda: host.addresses("web", "eth0"), "the address")
            same(set(server.leases()), {ip.split("/")[0] for ip in host.addresses("web", "eth0")},
                 "leases")
            host.write(document({"n": lan(dhcp=True)}, {}))
            service.until(lambda: not server.leases() and not host.names("web"), "given back")
            assert not any("error" in line for line in service.log()), service.log()
    # The calls that the filter allows, and the client, which is an unprivileged user then.
    allowed = filter_allows(SERVICE, DHCP)
    with serving(host):
        made = traced(host, LEASED, lambda service: service.until(
            lambda: host.addresses("web", "eth0"), "the address"))
    assert "execve" in made, made
    same(made - allowed - {"prlimit64", "setrlimit"}, set(), "calls that are not allowed")


# --- YAML

def documents(path):
    """The content of a YAML file, read by PyYAML, which the system's python3 has."""
    script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))"
    with open(path, "rb") as file:
        done = subprocess.run(["/usr/bin/python3", "-c", script], stdin=file, capture_output=True,
                              text=True, check=False)
    assert done.returncode == 0, f"{path}: {done.stderr}"
    return json.loads(done.stdout)


@test("deployment: the files for Kubernetes are YAML, and request no more than the unit")
def kubernetes(host):
    sets = []
    for path in sorted(glob.glob(f"{EXAMPLES}/kubernetes/*.yaml")):
        for item in documents(path):
            assert item["apiVersion"] and item["kind"] and item["metadata"]["name"], path
            if item["kind"] == "DaemonSet":
                sets.append((path, item["spec"]["template"]["spec"]))
            for name, text in (item.get("data") or {}).items():
                if name.endswith(".yaml"):
                    host.mvapply("validate", "-f", host.write(text))
    assert len(sets) == 2, f"{len(sets)} DaemonSets"
    for path, pod in sets:
        main = next(item for item in pod["containers"] if item["name"] == "mvapply")
        same(pod["hostNetwork"], True, path)
        rights = main["securityContext"]
        same((rights["capabilities"]["drop"], rights["readOnlyRootFilesystem"],
              rights["allowPrivilegeEscalation"]), (["ALL"], True, False), path)
        assert not rights.get("privileged"), path
        wanted = {f"CAP_{name}" for name in rights["capabilities"]["add"]}
        assert wanted <= set(CAPABILITIES), f"{path}: {wanted}"
        mounts = {mount["mountPath"]: mount for mount in main["volumeMounts"]}
        same(mounts["/run/netns"]["mountPropagation"], "HostToContainer", path)
        for mount in mounts.values():
            assert any(volume["name"] == mount["name"] for volume in pod["volumes"]), mount


@test("deployment: the NetworkAttachmentDefinition attaches the pod in addition to the cluster's network")
def multus(host):
    """As Multus calls the plugin: for net1, with what the pod's annotation requests."""
    path = f"{EXAMPLES}/kubernetes/multus.yaml"
    with open(path, encoding="utf-8") as file:
        node = "".join(re.findall(r"^#   ((?: *)(?!kubectl).*\n)", file.read(), re.M))
    definition, pod = documents(path)
    config = json.loads(definition["spec"]["config"])
    request = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"])[0]
    same(request["name"], definition["metadata"]["name"], "the network of the annotation")
    config["files"] = f"{os.getcwd()}/{host.write(node)}"
    capabilities = config.pop("capabilities")
    config["runtimeConfig"] = {key: request[key] for key in capabilities if key in request}
    host.mvapply("validate", "-f", "network.yaml")
    host.netns("pod")
    host.batch("pod", ["link add eth0 type veth peer name p0", "address add 10.88.0.5/16 dev eth0", "link set eth0 up",
                       "link set p0 up", "route add default via 10.88.0.1"])
    before = host.snapshot("pod")
    env = {"CNI_CONTAINERID": "1", "CNI_NETNS": "/run/netns/pod", "CNI_IFNAME": "net1",
           "CNI_ARGS": "IgnoreUnknown=true;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=1"}
    for command in ("ADD", "DEL"):
        host.run(host.binary, env={**env, "CNI_COMMAND": command}, stdin=json.dumps(config).encode(), code=0)
        if command == "ADD":
            same((host.addresses("pod", "net1"), {route for route in host.routes("pod") if "default" in route}),
                 ({"172.16.86.70/24"}, {"default via 10.88.0.1 dev eth0"}), "the pod")
    same(host.snapshot("pod"), before, "after DEL")


@test("deployment: processes that the unit cannot read are a notice, once, also after a reload")
def unreadable_processes(host):
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SHARED)
    host.netns("web")
    os.makedirs(HERE, exist_ok=True)
    with open(f"{HERE}/service.log", "wb") as log:
        stat = os.fstat(log.fileno())
    with host.process(), watching(host, "-f", host.write(TEXT), before=confine(capabilities(SERVICE)),
                                  env={"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}) as service:
        service.settle()
        service.send(signal.SIGHUP)
        service.quiet()
        said = [line for line in service.log() if "network namespaces of" in line]
        same(said, ["<5>the network namespaces of 1 process: Permission denied"], "what it says of processes")
