"""The compared programs. Each creates the attachments of a stage: a macvlan named eth0 in each
namespace c0, c1 and so on, with MAC, address and default route, on the parent of its number. A
program that needs a process for each attachment is run by a shell, whose cost is small in
comparison."""
import functools
import json
import os
import subprocess

from stage import GATEWAY, NET, Stage, address, mac

NETAVARK = "/usr/lib/podman/netavark"  # no command of its own: Podman's
CNI_PLUGINS = "/usr/lib/cni"
KERNEL_TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../kernel")


class Program:
    name = limit = None  # sizes beyond the limit would take all day
    patient = True       # a round of it with 1,000 attachments takes seconds, not minutes
    same_state = False   # owner tags and accept_ra, too
    link = Stage.macvlan  # its results

    @staticmethod
    def missing():
        """A missing requirement, or None."""
        return None

    def takes(self, size, vlans):
        """Whether it supports that many attachments on that many VLAN links."""
        return size <= self.limit and (self.same_state or not vlans)

    def prepare(self, stage):
        """Not timed."""

    def apply(self, stage):
        """Returns the measured cost."""
        raise NotImplementedError


class Mvapply(Program):
    name, limit, same_state = "mvapply", 10000, True

    def apply(self, stage):
        return stage.mvapply("apply", "-q", "-f", stage.file)[0]


class Floor(Program):
    name, limit, same_state = "floor", 10000, True

    def apply(self, stage):
        return stage.floor("apply")[0]


@functools.cache
def creates_in_place():
    """Whether this kernel creates a link in another namespace under its final name (tests/kernel/features.py)."""
    done = subprocess.run(["unshare", "--map-root-user", "--net", "python3", "-c",
                           "import features; print(features.create_in_place())"], cwd=KERNEL_TESTS, check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout == "True\n"


class Script(Program):
    """A shell script, written beforehand."""
    patient = False

    def write(self, stage, lines):
        stage.write(f"{self.folder}.sh", "set -e\n" + "\n".join(lines) + "\n")

    @property
    def folder(self):
        return self.name.replace(" ", "-")

    def apply(self, stage):
        return stage.spent("sh", f"{self.folder}.sh")[0]

    def removal(self, number):
        """The command that deletes one attachment."""
        raise NotImplementedError

    def addition(self, stage, number):
        """The commands that create one alone."""
        raise NotImplementedError

    def again(self, stage, numbers):
        """Deletes these attachments and creates them again."""
        lines = [self.removal(number) for number in numbers]
        lines += [line for number in numbers for line in self.addition(stage, number)]
        stage.write("again.sh", "set -e\n" + "\n".join(lines) + "\n")
        return stage.spent("sh", "again.sh")[0]


def link_command(stage, number):
    return (f"link add link {stage.parent(number)} name eth0 netns c{number} "
            f"address {mac(number)} type macvlan mode bridge")


def inner_commands(number):
    return [f"address add {address(number)}/16 brd + dev eth0", "link set eth0 up",
            f"route add default via {GATEWAY}"]


class IpBatch(Script):
    """The links from the host, in one process; the configuration inside in one process for each
    namespace."""
    name, limit = "ip -batch", 1000

    @staticmethod
    def missing():
        return None if creates_in_place() else "a kernel that creates a link in its namespace"

    def prepare(self, stage):
        stage.write("links", "\n".join(link_command(stage, number)
                                       for number in range(stage.size)) + "\n")
        for number in range(stage.size):
            stage.write(f"ip/{number}", "\n".join(inner_commands(number)) + "\n")
        self.write(stage, ["ip -batch links"] + [f"ip -n c{number} -batch ip/{number}"
                                                 for number in range(stage.size)])

    def removal(self, number):
        return f"ip -n c{number} link delete eth0"

    def addition(self, stage, number):
        return [f"ip {link_command(stage, number)}", f"ip -n c{number} -batch ip/{number}"]


class Ip(Script):
    name, limit = "ip", 1000
    missing = staticmethod(IpBatch.missing)

    def prepare(self, stage):
        self.write(stage, [f"ip {command}" for number in range(stage.size)
                           for command in [link_command(stage, number)] +
                           [f"-n c{number} {inner}" for inner in inner_commands(number)]])


class Cni(Script):
    name, limit, plugin = "CNI macvlan", 1000, f"{CNI_PLUGINS}/macvlan"

    def missing(self):
        return None if os.path.exists(self.plugin) else self.plugin

    @staticmethod
    def kind(stage, number):
        return {"type": "macvlan", "mode": "bridge", "master": stage.parent(number),
                "capabilities": {"mac": True}, "runtimeConfig": {"mac": mac(number)}}

    def configuration(self, stage, number):
        return {"cniVersion": "1.0.0", "name": "n0", **self.kind(stage, number),
                "ipam": {"type": "static", "routes": [{"dst": "0.0.0.0/0", "gw": GATEWAY}],
                         "addresses": [{"address": f"{address(number)}/16", "gateway": GATEWAY}]}}

    def prepare(self, stage):
        for number in range(stage.size):
            stage.write(f"cni/{number}", json.dumps(self.configuration(stage, number)))
        self.write(stage, [self.command("ADD", number) for number in range(stage.size)])

    def command(self, name, number):
        return (f"CNI_COMMAND={name} CNI_CONTAINERID=c{number} CNI_NETNS=/run/netns/c{number} "
                f"CNI_IFNAME=eth0 CNI_PATH={CNI_PLUGINS} {self.plugin} <cni/{number}")

    def removal(self, number):
        return self.command("DEL", number)

    def addition(self, stage, number):
        return [self.command("ADD", number)]


class CniVlan(Cni):
    """The VLAN link itself becomes the container's: each container has a VLAN of its own."""
    name, limit, plugin = "CNI vlan", 1000, f"{CNI_PLUGINS}/vlan"
    link = Stage.vlan

    def takes(self, size, vlans):
        return size <= self.limit and vlans == size

    @staticmethod
    def kind(stage, number):
        return {"type": "vlan", "master": "eth0", "vlanId": number + 1}


class Netavark(Script):
    name, limit = "netavark", 1000

    @staticmethod
    def missing():
        return None if os.path.exists(NETAVARK) else NETAVARK

    @staticmethod
    def configuration(stage, number):
        network = {"name": "n0", "id": "0" * 64, "driver": "macvlan", "internal": False,
                   "network_interface": stage.parent(number), "ipv6_enabled": False,
                   "dns_enabled": False, "subnets": [dict(NET)],
                   "ipam_options": {"driver": "host-local"}, "options": {"mode": "bridge"}}
        wanted = {"interface_name": "eth0", "static_ips": [address(number)],
                  "static_mac": mac(number)}
        return {"container_id": f"{number:064x}", "container_name": f"c{number}",
                "networks": {"n0": wanted}, "network_info": {"n0": network}}

    def prepare(self, stage):
        for number in range(stage.size):
            stage.write(f"netavark/{number}", json.dumps(self.configuration(stage, number)))
        self.write(stage, [f"{NETAVARK} --config netavark-state setup /run/netns/c{number} "
                           f"<netavark/{number}" for number in range(stage.size)])


PROGRAMS = [Mvapply(), Floor(), IpBatch(), Ip(), Cni(), CniVlan(), Netavark()]
