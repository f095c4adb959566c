"""The units and drop-ins of examples/systemd, and what they leave to a service."""
import os

from declare import EXAMPLES

SERVICE, DOCKER, ENGINES, DHCP = (os.path.join(EXAMPLES, "systemd", name) for name in (
    "mvapply.service", "mvapply-docker.service", "mvapply-engines.conf", "mvapply-dhcp.conf"))
CAPABILITIES = {"CAP_KILL": 5, "CAP_SETGID": 6, "CAP_SETUID": 7, "CAP_NET_BIND_SERVICE": 10,
                "CAP_NET_BROADCAST": 11, "CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13,
                "CAP_SYS_PTRACE": 19, "CAP_SYS_ADMIN": 21}


def unit_values(key, path=SERVICE):
    with open(path, encoding="utf-8") as file:
        return [line.split("=", 1)[1].strip() for line in file if line.startswith(f"{key}=")]


def capabilities(*paths):
    return {CAPABILITIES[name] for path in paths
            for value in unit_values("CapabilityBoundingSet", path) for name in value.split()}
