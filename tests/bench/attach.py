#!/usr/bin/env python3
"""One container attached while others are live: mvapply as a CNI plugin beside CNI's macvlan plugin with a static
address, in turn, for several rounds. The host is this program's own."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

WORK = "/run/attach"
MACVLAN = "/usr/lib/cni/macvlan"
DECLARED = {"CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=bench;K8S_POD_NAME=new"}


def shell(command):
    subprocess.run(command, shell=True, check=True, capture_output=True)


def host():
    """A network namespace with an eth0, and an empty /run."""
    shell("mount -t tmpfs tmpfs /run && mkdir -p /run/netns " + WORK)
    shell("ip link add eth0 type veth peer name up0 && ip link set eth0 up && ip link set up0 up")


def others(binary, count):
    """As many live attachments, and the file that declares them and the new container."""
    containers = {f"c{n}": {"networks": {"lan": {"ipv4_address": f"10.0.{n // 250}.{n % 250 + 2}"}}}
                  for n in range(count)}
    containers["new"] = {"cni": "bench/new", "networks": {"lan": {"ipv4_address": "10.0.200.7"}}}
    with open(f"{WORK}/lan.yaml", "w", encoding="ascii") as file:
        json.dump({"networks": {"lan": {"parent": "eth0", "subnet": "10.0.0.0/16", "gateway": "10.0.255.1"}},
                   "containers": containers}, file)
    names = [f"netns add c{n}" for n in range(count)] + ["netns add new"]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(names).encode(), check=True)
    shell(f"{binary} apply -q -f {WORK}/lan.yaml")


def configurations():
    common = {"cniVersion": "1.0.0", "name": "lan"}
    return {"mvapply": {**common, "type": "mvapply", "files": f"{WORK}/lan.yaml"},
            "macvlan": {**common, "type": "macvlan", "master": "eth0", "ipam": {
                "type": "static", "addresses": [{"address": "10.0.200.8/16", "gateway": "10.0.255.1"}],
                "routes": [{"dst": "0.0.0.0/0"}]}}}


def call(program, configuration, command):
    """Milliseconds of one call."""
    env = {**os.environ, **DECLARED, "CNI_COMMAND": command, "CNI_CONTAINERID": "new", "CNI_IFNAME": "eth0",
           "CNI_NETNS": "/run/netns/new", "CNI_PATH": os.path.dirname(MACVLAN)}
    start = time.monotonic()
    done = subprocess.run([program], input=json.dumps(configuration).encode(), capture_output=True, env=env, check=False)
    if done.returncode:
        sys.exit(f"{program} {command}: {done.stdout.decode()}{done.stderr.decode()}")
    return (time.monotonic() - start) * 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", default="build/mvapply")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("count", type=int, nargs="?", help="in a namespace of its own: this number of others")
    options = parser.parse_args()
    binary = os.path.abspath(options.binary)
    if options.count is None:
        for count in (0, 100, 1000):
            subprocess.run(["unshare", "-nm", sys.executable, __file__, "--binary", binary, "--rounds",
                            str(options.rounds), str(count)], check=True)
        return
    host()
    others(binary, options.count)
    programs = {"mvapply": binary, "macvlan": MACVLAN}
    times = {name: [] for name in programs}
    for _ in range(options.rounds):
        for name, configuration in configurations().items():
            times[name].append(call(programs[name], configuration, "ADD"))
            call(programs[name], configuration, "DEL")
    text = ", ".join(f"{name} {statistics.median(values):.1f} ms ({min(values):.1f} to {max(values):.1f})"
                     for name, values in times.items())
    print(f"one attachment beside {options.count}: {text}")


main()
