"""The registry of tests. A test is a function that takes a Host and asserts."""
import collections

Test = collections.namedtuple("Test", "name function needs both seconds features")

TESTS = []


def test(name, *, needs=(), both=False, seconds=0, features=()):
    """Registers a test. `needs` names link kinds that not every kernel has: "vlan", "ipvlan",
    "dummy", "bridge", "macvtap", "vrf", "vcan". `both`: it is run on the second kernel even without such needs.
    `seconds`: its time limit, if that is longer than for others. `features` names those of features.py on which its
    expectation depends: `host.has` answers for these alone, and the short run of other kernels (tests/kernels/run)
    consists of these tests."""
    def register(function):
        if any(other.name == name for other in TESTS):
            raise ValueError(f"two tests are called {name!r}")
        TESTS.append(Test(name, function, tuple(needs), both, seconds, tuple(features)))
        return function
    return register
