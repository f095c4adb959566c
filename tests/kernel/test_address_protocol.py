"""Addresses without a protocol (before Linux 5.18): of several in a subnet the oldest is mvapply's, and all addresses of an
adopted link become mvapply's."""
import time

from declare import document, lan
from features import ADDRESS_PROTOCOL
from host import same
from registry import test

DUAL = document({"n": lan(subnet=None, gateway=None, subnets=[{"subnet": "172.16.86.0/24"}, {"subnet": "fd00:86::/64"}])},
                {"web": ["n"]})
OWN = {"172.16.86.2/24", "fd00:86::2/64"}
STRANGE = ["fd00:86::77/64", "fd00:86::78/64", "172.16.86.77/24"]


@test("address protocol: of several in a subnet, mvapply keeps its own", features=[ADDRESS_PROTOCOL])
def stranger(host):
    host.netns("web")
    host.apply(DUAL)
    same(host.addresses("web", "eth0"), OWN, "addresses")
    time.sleep(0.05)  # the kernel counts an address' age in hundredths of a second
    host.batch("web", [f"address add {address} dev eth0 nodad" if ":" in address else f"address add {address} dev eth0"
                       for address in STRANGE])
    done = host.apply(DUAL)
    expected = OWN | set(STRANGE) if host.has(ADDRESS_PROTOCOL) else OWN
    same(host.addresses("web", "eth0"), expected, f"addresses after {done.out}")
    host.unchanged(DUAL)


ADOPTED = document({"n": lan(host={"interface_name": "mine"})}, {})


@test("address protocol: the plan of an adoption says what becomes of each address", features=[ADDRESS_PROTOCOL])
def adoption(host):
    for number, own in enumerate(("172.16.86.9/32", "172.16.86.9/24")):
        host.batch("host", [f"link add link eth0 name mine address 02:42:ac:10:56:{number:02x} type macvlan mode bridge",
                            "link set mine up", f"address add {own} dev mine", "address add 192.0.2.1/24 dev mine"])
        done = host.apply(ADOPTED, "--adopt")
        addresses = host.addresses("host", "mine")
        if host.has(ADDRESS_PROTOCOL):
            assert {own, "192.0.2.1/24"} <= addresses, (addresses, done)
        else:
            same(addresses, {"172.16.86.9/32"}, f"addresses after {done.out}")
            assert "- address 192.0.2.1/24" in " ".join(done.out.split()), done
        host.unchanged(ADOPTED)
        host.ip("host", "link delete mine")
