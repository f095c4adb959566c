"""Each message of a plan is refused once: what it belongs to is undone, the rest is applied, and the failure
is reported."""
import errno
import os

from declare import document, lan
from faults import WHOLE, noted, preload, state
from features import CREATION, QUEUE_LENGTH, RENAME_UP
from host import same
from registry import test

ERRNOS = [errno.EPERM, errno.EBUSY, errno.ENOMEM, errno.EEXIST, errno.ENODEV, errno.EINTR]
NAMES = ("web", "db")

NEIGHBOURS = (28, 29)  # announcements
GET_ROUTE = 26         # unmanaged routes that are to be restored: no change

NUMBER = "number the host's namespace"

# Errors of the kernel with another meaning, which mvapply handles. By the message's type and its
# sentence's fourth word.
OTHERWISE = {
    (88, "number"): ERRNOS,                       # it has an nsid already
    (16, "create"): (errno.EEXIST, errno.EBUSY),  # it has to be created as on older kernels
    (16, "change"): ERRNOS,                       # each attribute by itself
    (21, "remove"): (errno.ENODEV,),              # it is gone already
}

ROUTES = [{"to": "10.0.0.0/8", "via": "172.16.86.254"}]
DUAL = lan(subnet=None, gateway=None, subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                                               {"subnet": "fd00:86::/64"}])
TEXT = document({"n": DUAL}, {
    "web": {"n": {"routes": ROUTES, "sysctls": {"net.ipv4.conf.IFNAME.rp_filter": "2"}}},
    "db": ["n"]})


def some(number, tolerated):
    """One for each message, and another if that one is not a refusal."""
    turned = ERRNOS[number % 6:] + ERRNOS[:number % 6]
    refusals = [errnum for errnum in turned if errnum not in tolerated]
    return list(dict.fromkeys(turned[:1] + refusals[:1]))


class Refusals:
    """Runs a command once for each of its messages and some errnos, each time from the same
    state."""
    def __init__(self, host, prepare, *command):
        self.host, self.prepare, self.command = host, prepare, command
        self.otherwise = OTHERWISE
        prepare()
        self.run()  # the namespaces have their nsids from now on
        self.wanted = state(host, *NAMES)
        prepare()
        self.before = state(host, *NAMES)
        self.kinds = [kind for _, kind in noted(host, "request", lambda env: self.run(env=env))]

    def run(self, code=0, env=None):
        return self.host.mvapply(*self.command, code=code, env=env)

    def each(self, sentences):
        """Yields (the purpose of its message, errno, the run, the state after it) for the messages
        that the sentences are of, (type, words): the last ones."""
        changes = [(number, kind) for number, kind in enumerate(self.kinds, 1)
                   if kind not in (*NEIGHBOURS, GET_ROUTE)][-len(sentences):]
        same([kind for _, kind in changes], [kind for kind, _ in sentences],
             "the types of the messages")
        for (number, _), (kind, sentence) in zip(changes, sentences):
            tolerated = self.otherwise.get((kind, sentence.split()[3]), ())
            for errnum in ERRNOS if WHOLE else some(number, tolerated):
                self.prepare()
                done = self.run(None, preload(self.host, f"refuse@{number}={errnum}"))
                words = f"{sentence}: {os.strerror(errnum)}"
                if errnum in tolerated:
                    same(done.code, 0, f"exit code after {words}\n{done}")
                else:
                    same(done.code, 1, f"exit code after {words}\n{done}")
                    assert words in done.err, f"{words!r} is not said\n{done}"
                yield words, done, state(self.host, *NAMES)

    def mended(self, words):
        self.run()
        same(state(self.host, *NAMES), self.wanted, f"a second run after {words}")


def part(whole, ns):
    return {key: value for key, value in whole.items() if key.startswith((f"{ns} ", f"{ns}:"))}


def create_sentences(host, ns, addresses, routes):
    if host.has(CREATION):
        operations = [(88, NUMBER), (90, "create eth0"), (16, "create eth0"), (19, "set the owner tag of eth0")]
    else:
        operations = [(16, "create eth0"), (19, "set the owner tag of eth0"), (19, "move eth0"), (18, "move eth0")]
    operations += [(16, "bring eth0 up")]
    operations += [(20, f"add address {address} to eth0") for address in addresses]
    operations += [(24, f"add route {route} to eth0") for route in routes]
    return [(kind, f"attach {ns}/n: cannot {purpose} in namespace {ns}") for kind, purpose in operations]


@test("refusals: each message that creates attachments", features=[CREATION])
def creates(host):
    host.netns(*NAMES)
    host.write(TEXT)
    refusals = Refusals(host, lambda: host.delete(TEXT), "apply", "-f", "network.yaml")
    if not host.has(CREATION):  # there is no other way then
        refusals.otherwise = {key: errnos for key, errnos in OTHERWISE.items() if key != (16, "create")}
    sentences = create_sentences(host, "web", ["172.16.86.2/24", "fd00:86::2/64"],
                                 ["default via 172.16.86.1", "10.0.0.0/8 via 172.16.86.254"]) + \
        create_sentences(host, "db", ["172.16.86.3/24", "fd00:86::3/64"], ["default via 172.16.86.1"])
    for words, done, after in refusals.each(sentences):
        if done.code == 0:
            same(after, refusals.wanted, f"made as on older kernels, after {words}")
            continue
        ns, other = NAMES if "web/n" in words else NAMES[::-1]
        same(part(after, ns), {}, f"taken back after {words}")
        same(part(after, other), part(refusals.wanted, other), f"the rest after {words}")
        refusals.mended(words)


@test("refusals: an announcement that cannot be sent is no failure")
def announcements(host):
    host.netns(*NAMES)
    host.write(TEXT)
    refusals = Refusals(host, lambda: host.delete(TEXT), "apply", "-f", "network.yaml")
    numbers = [number for number, kind in enumerate(refusals.kinds, 1) if kind in NEIGHBOURS]
    same(len(numbers), 6, "messages of two announcements")
    for number in numbers:
        refusals.prepare()
        refusals.run(0, preload(host, f"refuse@{number}={errno.EPERM}"))
        same(state(host, *NAMES), refusals.wanted, f"what is there without message {number}")


@test("refusals: each message that creates links as on older kernels", both=True)
def older_way(host):
    """In the host's namespace, and moved from there."""
    host.netns(*NAMES)
    text = document({"n": lan()}, {"web": ["n"]})
    host.write(text)
    run = Refusals(host, lambda: host.delete(text), "apply", "-f", "network.yaml")
    first = run.kinds.index(16) + 1
    # A new kernel is made to answer like an old one, which answers so anyway.
    stumbles = f"refuse@{first}={errno.EEXIST}"
    run.prepare()
    kinds = [kind for _, kind in noted(host, "request", lambda env: run.run(
        env={**env, "FAULTS": stumbles}))][first + 1:]
    operations = ["create eth0", "set the owner tag of eth0", "move eth0", "move eth0", "bring eth0 up",
             "add address 172.16.86.2/24 to eth0", "add route default via 172.16.86.1 to eth0"]
    same(kinds, [16, 19, 19, 18, 16, 20, 24, 29, 28, 29], "the types of the messages")
    for number, purpose in enumerate(operations, first + 2):
        for errnum in ERRNOS if WHOLE else [ERRNOS[number % 6]]:
            run.prepare()
            done = run.run(1, preload(host, stumbles, f"refuse@{number}={errnum}"))
            words = f"cannot {purpose} in namespace web: {os.strerror(errnum)}"
            assert words in done.err, f"{words!r} is not said\n{done}"
            same((host.names("host"), host.names("web")), ({"eth0"}, set()),
                 f"links after {words}")
            run.mended(words)


@test("refusals: a name that another link should release", both=True)
def name_not_given_up(host):
    """While it is moved into its namespace, the new link fails, and is deleted."""
    host.netns("web")
    both = {"n": lan(), "m": lan(subnet="10.8.0.0/24", gateway=None)}
    host.apply(document(both, {"web": {"n": {"interface_name": "eth0"}}}))
    after = document(both, {"web": {"n": {"interface_name": "lan0"},
                                    "m": {"interface_name": "eth0"}}})
    kinds = noted(host, "request", lambda env: host.apply(after, "--dry-run", code=2, env=env))
    done = host.apply(after, code=1, env=preload(host, f"refuse@{len(kinds) + 1}={errno.EPERM}"))
    assert "cannot rename eth0 to lan0 in namespace web: Operation not permitted" in done.err, done
    assert "attach web/m: cannot move eth0 in namespace web: File exists" in done.err, done
    same((host.names("host"), host.names("web")), ({"eth0"}, {"eth0"}), "links")
    host.apply(after)
    same(host.names("web"), {"eth0", "lan0"}, "links in the end")


@test("refusals: if unmanaged routes cannot be read, no address is removed that may flush them")
def routes_unseen(host):
    host.netns("web")
    text = [document({"n": lan()}, {"web": {"n": {"ipv4_address": f"172.16.86.{last}"}}})
            for last in (20, 30)]
    host.apply(text[0])
    kinds = noted(host, "request", lambda env: host.apply(text[1], "--dry-run", code=2, env=env))
    done = host.apply(text[1], code=1,
                      env=preload(host, f"refuse@{len(kinds) + 1}={errno.ENOMEM}"))
    assert "cannot read the routes of eth0 in namespace web: Cannot allocate memory" in done.err, done
    same(host.addresses("web", "eth0"), {"172.16.86.20/24", "172.16.86.30/24"}, "addresses")
    host.apply(text[1])
    same(host.addresses("web", "eth0"), {"172.16.86.30/24"}, "addresses in the end")


def network(**keys):
    return {"n": lan(**keys)}


def new_network(host):
    """What can change of a link of `network(mtu=1500)` in one message."""
    return network(mtu=1400, **({"bcqueuelen": 77} if host.has(QUEUE_LENGTH) else {"mode": "private"}))


@test("refusals: each message that changes attachments in place", features=[RENAME_UP, QUEUE_LENGTH])
def changes(host):
    host.netns(*NAMES)
    name = "lan0" if host.has(RENAME_UP) else "eth0"  # not in one message, if it has to be down for that
    one = document(network(mtu=1500), {
        "web": {"n": {"ipv4_address": "172.16.86.2", "interface_name": "eth0"}}, "db": ["n"]})
    host.write(document(new_network(host), {
        "web": {"n": {"ipv4_address": "172.16.86.20", "interface_name": name, "routes": ROUTES}},
        "db": ["n"]}), "new.yaml")
    refusals = Refusals(host, lambda: host.apply(one), "apply", "-f", "new.yaml")
    web, db = ([(kind, f"attach {ns}/n: cannot {purpose} in namespace {ns}") for kind, purpose in operations]
               for ns, operations in (("web", [
                   (21, "remove address 172.16.86.2/24 from eth0"),
                   (16, "change eth0 by one message"),
                   (20, f"add address 172.16.86.20/24 to {name}"),
                   (24, f"add route 10.0.0.0/8 via 172.16.86.254 to {name}"),
                   (20, f"add address 172.16.86.20/24 to {name}"),
                   (24, f"add route default via 172.16.86.1 to {name}"),
                   (24, f"add route 10.0.0.0/8 via 172.16.86.254 to {name}")]),
                                 ("db", [(16, "change eth0 by one message")])))
    for words, done, after in refusals.each(web + db):
        other = "db" if "web/n" in words else "web"
        same(part(after, other), part(refusals.wanted, other), f"the rest after {words}")
        if "by one message" in words:
            same(after, refusals.wanted, f"each attribute by itself after {words}")
            continue
        left = host.mvapply("diff", "-f", "new.yaml", code=None).plan
        assert len(left) <= 1 and all(f" {other}/n " not in line for line in left), (words, left)
        refusals.mended(words)


@test("refusals: each attribute of a link that the kernel refuses in one message", features=[RENAME_UP, QUEUE_LENGTH])
def attributes(host):
    host.netns(*NAMES)
    name = "lan0" if host.has(RENAME_UP) else "eth0"
    one = document(network(mtu=1500), {"web": {"n": {"interface_name": "eth0"}}})
    host.write(document(new_network(host), {"web": {"n": {
        "interface_name": name, "mac_address": "02:00:00:00:00:14"}}}), "new.yaml")
    refusals = Refusals(host, lambda: host.apply(one), "apply", "-f", "new.yaml")
    first = max(number for number, kind in enumerate(refusals.kinds, 1) if kind == 16)
    operations = [*(["rename eth0 to lan0"] if host.has(RENAME_UP) else []),
                  f"set the MAC address of {name} to 02:00:00:00:00:14", f"set the MTU of {name} to 1400",
                  f"set bcqueuelen of {name} to 77" if host.has(QUEUE_LENGTH) else f"set the mode of {name} to private"]
    for number, purpose in enumerate(operations, first + 1):
        for errnum in ERRNOS if WHOLE else some(number, (errno.EBUSY,)):
            refusals.prepare()
            rules = f"refuse@{first}={errno.EINVAL}", f"refuse@{number}={errnum}"
            if purpose.startswith("rename") and errnum == errno.EBUSY:  # not while it is up
                refusals.run(0, preload(host, *rules))
                continue
            done = refusals.run(1, preload(host, *rules))
            words = f"cannot {purpose} in namespace web: {os.strerror(errnum)}"
            assert words in done.err, f"{words!r} is not said\n{done}"
            same(len(host.mvapply("diff", "-f", "new.yaml", code=2).plan), 1, f"what is left after {words}")
            refusals.mended(words)


@test("refusals: each message that deletes attachments")
def deletes(host):
    """Each on a thread of its own, so that the order varies."""
    host.netns(*NAMES)
    text = document(network(), {"web": ["n"], "db": ["n"]})
    refusals = Refusals(host, lambda: host.apply(text), "delete", "-f", "network.yaml")
    same(sorted(refusals.kinds[-4:]), [17, 17, 18, 18], "the types of the last messages")
    for number in range(len(refusals.kinds) - 3, len(refusals.kinds) + 1):
        for errnum in ERRNOS if WHOLE else [ERRNOS[number % 6], errno.ENODEV]:
            refusals.prepare()
            done = refusals.run(None, preload(host, f"refuse@{number}={errnum}"))
            after = state(host, *NAMES)
            left = [ns for ns in NAMES if part(after, ns)]
            what = f"{left} left after {os.strerror(errnum)}\n{done}"
            same(len(left), 1, what)
            # The kernel returns ENODEV if the link is gone, which is the desired state.
            words = f"attach {left[0]}/n: cannot delete eth0 in namespace {left[0]}: "
            assert (done.code, words + os.strerror(errnum) in done.err) == \
                ((0, False) if errnum == errno.ENODEV else (1, True)), what
            same(part(after, left[0]), part(refusals.before, left[0]), f"untouched: {what}")
            refusals.mended(what)


@test("refusals: a link that remains in another namespace, and cannot be deleted there")
def stays_behind(host):
    """An object in another namespace than the container's does not prevent its attachment: whoever
    controls that namespace could do so permanently."""
    host.netns(*NAMES)
    one, other = (document(network(), {"c": {"netns": ns, "networks": ["n"]}}) for ns in NAMES)
    host.apply(one)
    host.write(other)
    kinds = [kind for _, kind in noted(host, "request", lambda env: host.mvapply(
        "apply", "-f", "network.yaml", env=env))]
    host.apply(one)
    host.write(other)
    done = host.mvapply("apply", "-f", "network.yaml", code=1, env=preload(
        host, f"refuse@{kinds.index(17) + 1}={errno.EPERM}"))
    assert "stray c/n: cannot delete eth0 in namespace web: Operation not permitted" in done.err, done
    same(host.names("web"), {"eth0"}, "what could not be deleted")
    host.apply(other)
    same((host.names("web"), host.names("db")), (set(), {"eth0"}), "links in the end")


@test("refusals: each message that creates a VLAN link", needs=["vlan"])
def vlan(host):
    host.netns(*NAMES)
    text = document({"n": lan(vlan=10)}, {"web": ["n"]})
    host.write(text)
    refusals = Refusals(host, lambda: host.delete(text), "apply", "-f", "network.yaml")
    first = refusals.kinds.index(16) + 1
    # The owner tag and setting it up are one message, and then one each.
    for purpose, *numbers in (("create", 0), ("set the owner tag of", 1, 2), ("bring", 1, 3)):
        refusals.prepare()
        rules = [f"refuse@{first + number}={errno.EPERM}" for number in numbers]
        done = refusals.run(1, preload(host, *rules))
        assert f"link eth0.10: cannot {purpose} eth0.10" in done.err, done
        same((host.names("host"), host.names("web")), ({"eth0"}, set()),
             f"links after a refusal to {purpose}")
        refusals.mended(purpose)
    refusals.prepare()
    refusals.run(0, preload(host, f"refuse@{first + 1}={errno.EPERM}"))
    same(state(host, *NAMES), refusals.wanted, "marked and brought up by a message each")
