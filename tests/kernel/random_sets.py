"""Random sets, from a seed, that a host can apply completely: on eth0 and at most a dozen
containers."""
import random

from declare import document

MODES = {"macvlan": ["bridge", "private", "vepa"], "macvtap": ["bridge", "private", "vepa"], "ipvlan": ["l2", "l3"]}


class Sets:
    """A set with a declaration of its own for each call; no two of them share an address."""

    def __init__(self, seed, containers, vlans=(None,), drivers=("macvlan",)):
        self.random = random.Random(seed)
        self.containers, self.vlans, self.drivers = list(containers), vlans, drivers
        self.count = 0

    def network(self, number):
        driver = self.random.choice(self.drivers)
        net = f"10.{self.count}.{number}"
        body = {"parent": "eth0", "driver": driver, "mode": self.random.choice(MODES[driver]),
                "mtu": self.random.choice([None, 1280, 1400]),
                "vlan": self.random.choice(self.vlans),
                "bcqueuelen": self.random.choice([None, 50]) if driver != "ipvlan" else None,
                "subnets": [{"subnet": f"{net}.0/24", "gateway": self.random.choice(
                    [None, f"{net}.1"])}]}
        if self.random.random() < 0.5:
            body["subnets"].append({"subnet": f"fd00:{self.count}:{number}::/64",
                                    "gateway": f"fd00:{self.count}:{number}::1"})
        if body["mode"] in ("bridge", "l2") and self.random.random() < 0.3:
            body["host"] = True
        body["subnets"] = [cleaned(subnet) for subnet in body["subnets"]]
        return cleaned(body)

    def attachment(self, number, network):
        body = {}
        if self.random.random() < 0.3:
            body["interface_name"] = f"lan{number}"
        if self.random.random() < 0.3:
            body["gw_priority"] = self.random.randint(1, 9)
        if network["driver"] != "ipvlan" and self.random.random() < 0.3:
            body["mac_address"] = f"02:01:00:{self.count:02x}:{number:02x}:" \
                                  f"{self.random.randint(0, 255):02x}"
        if self.random.random() < 0.3:
            subnet = network["subnets"][0]["subnet"].removesuffix(".0/24")
            body["routes"] = [{"to": f"192.168.{number}.0/24", "via": f"{subnet}.77"}]
        return body

    def document(self, name):
        """The text of a set with that name."""
        self.count += 1
        drivers = self.drivers
        ipvlan = self.random.choice(drivers) == "ipvlan"  # a parent supports it or the others
        self.drivers = [driver for driver in drivers if (driver == "ipvlan") == ipvlan]
        networks = {f"net{number}": self.network(number)
                    for number in range(self.random.randint(1, 3))}
        self.drivers = drivers
        containers = {}
        for container in self.containers:
            chosen = self.random.sample(sorted(networks), self.random.randint(1, len(networks)))
            containers[container] = {"networks": {
                network: self.attachment(int(network[3:]), networks[network])
                for network in sorted(chosen)}}
        return document(networks, containers, name=name)


def cleaned(body):
    """Without the keys that are set to None."""
    return {key: value for key, value in body.items() if value is not None}
