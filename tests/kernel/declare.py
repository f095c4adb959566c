"""The tests' configurations: the examples unchanged, and documents made of values."""
import json
import os

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples")


def example(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as file:
        return file.read()


def low(text):
    """The configuration, with addresses from the low half of the LAN: the tests count from .2 on."""
    return text.replace("ip_range: 172.16.86.192/27", "ip_range: 172.16.86.0/25")


BRIDGE = low(example("tutorial-bridge.yaml"))
VLAN = low(example("tutorial-8021q.yaml"))


def lan(**keys):
    """A network on eth0's LAN; a key set to None is left out."""
    keys = {"parent": "eth0", "subnet": "172.16.86.0/24", "gateway": "172.16.86.1", **keys}
    return {key: value for key, value in keys.items() if value is not None}


def document(networks, containers, name=None):
    """As text: JSON is YAML. Containers: name -> networks (a list or a map), or a whole map."""
    containers = {key: {"networks": value} if isinstance(value, list) or "networks" not in value
                  else value for key, value in containers.items()}
    whole = {"name": name} if name else {}
    return json.dumps({**whole, "networks": networks, "containers": containers}, indent=2)
