"""The registry of tests. A test is a function that takes a Host and asserts."""
import collections

Test = collections.namedtuple("Test", "name function needs both seconds")

TESTS = []


def test(name, *, needs=(), both=False, seconds=0):
    """Registers a test. `needs` names link kinds that not every kernel has: "vlan", "ipvlan",
    "dummy", "bridge", "macvtap", "vrf", "vcan". `both`: it is run on the second kernel even without such needs.
    `seconds`: its time limit, if that is longer than for others."""
    def register(function):
        if any(other.name == name for other in TESTS):
            raise ValueError(f"two tests are called {name!r}")
        TESTS.append(Test(name, function, tuple(needs), both, seconds))
        return function
    return register
