"""A DHCP server on the LAN at the other end of eth0's cable: dnsmasq."""
import contextlib
import os
import socket
import struct
import subprocess

HERE = "/run/dhcp"


class Server:
    """A dnsmasq on `link`. Its leases outlive it, in a file, as they do on a router."""
    def __init__(self, host, link="up0", pool="172.16.86.50,172.16.86.99", options=(),
                 ready="DHCP, IP range"):
        os.makedirs(HERE, exist_ok=True)
        self.host, self.link, self.pool, self.options = host, link, pool, options
        self.ready = ready  # what it logs once it listens
        self.log_path, self.leases_path = f"{HERE}/{link}.log", f"{HERE}/{link}.leases"
        self.process = None

    def begin(self):
        # Without this it would probe a fresh address on the LAN for three seconds.
        with self.host.inside("lan"):
            self.process = subprocess.Popen(
                ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=", "--group=",
                 "--pid-file=", "--port=0", "--no-ping", "--log-dhcp",
                 f"--dhcp-leasefile={self.leases_path}", f"--log-facility={self.log_path}",
                 f"--interface={self.link}", "--bind-interfaces",
                 f"--dhcp-range={self.pool},2m", *self.options])
        self.host.until(lambda: self.ready in self.log(), "dnsmasq listens")

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            os.rename(self.log_path, f"{self.log_path}.old")

    def log(self):
        with contextlib.suppress(FileNotFoundError), open(self.log_path, encoding="utf-8") as file:
            return file.read()
        return ""

    def count(self, word):
        """How often it logged the word, such as DHCPACK."""
        return self.log().count(f" {word}(")

    def leases(self):
        """{address: (MAC, name, client id)} from its lease file."""
        found = {}
        with contextlib.suppress(FileNotFoundError), \
                open(self.leases_path, encoding="utf-8") as file:
            for line in file:
                # The server overwrites the old file: a line may be mixed, or incomplete.
                with contextlib.suppress(ValueError):
                    _, mac, address, name, client = line.split()
                    found[address] = (mac, name, bytes.fromhex(client.replace(":", "")))
        return found


@contextlib.contextmanager
def serving(host, **keys):
    server = Server(host, **keys)
    server.begin()
    try:
        yield server
    finally:
        server.end()


def set_lifetime(index, address, valid, preferred, protocol=77):
    """Gives an IPv4 address of the current namespace other lifetimes in seconds: `ip address
    change` would remove its protocol. IFA_LOCAL, IFA_ADDRESS, IFA_CACHEINFO, IFA_PROTO."""
    ip, length = address.split("/")
    attributes = b"".join(struct.pack("HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
                          for kind, value in ((2, socket.inet_aton(ip)), (1, socket.inet_aton(ip)),
                                              (6, struct.pack("IIII", preferred, valid, 0, 0)),
                                              (11, bytes([protocol]))))
    body = struct.pack("BBBBI", socket.AF_INET, int(length), 0, 0, index) + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        # RTM_NEWADDR; REQUEST, ACK, REPLACE.
        netlink.send(struct.pack("IHHII", 16 + len(body), 20, 0x105, 1, 0) + body)
        answer = struct.unpack_from("i", netlink.recv(4096), 16)[0]
    if answer:
        raise OSError(-answer, os.strerror(-answer))
