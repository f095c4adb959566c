"""Faulty netlink replies and events: interrupted dumps, and messages that are lost, truncated or malformed.
Nothing hangs, nothing stays half done, and no unmanaged object is changed."""
import errno
import re

from declare import document, lan
from faults import LOG, NEW_NSID, STRIDE, WHOLE, noted, preload, state
from host import same
from registry import test
from service import watching

NAMES = ("web", "db")
TEXT = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
CROWD = 40  # links enough for a listing of several datagrams


def crowded(host):
    host.netns(*NAMES)
    host.batch("host", [f"link add link eth0 name x{number} type macvlan mode bridge"
                        for number in range(CROWD)])
    host.apply(TEXT)
    wanted = state(host, *NAMES)
    unmanaged = host.snapshot("host", "lan")
    host.delete(TEXT)
    return wanted, unmanaged


def part(whole, ns):
    return {key: value for key, value in whole.items() if key.startswith((f"{ns} ", f"{ns}:"))}


def whole_or_absent(host, wanted, what):
    after = state(host, *NAMES)
    for ns in NAMES:
        assert part(after, ns) in ({}, part(wanted, ns)), f"half of {ns} after {what}:\n{after}"
    return after


def applies(host, wanted, unmanaged, *rules, code=None):
    """An apply under these rules, on an empty host; then one without. Returns the first."""
    done = host.mvapply("apply", "-f", "network.yaml", code=code, env=preload(host, *rules))
    what = f"{', '.join(rules)}\n{done}"
    assert done.code in (0, 1), what
    after = whole_or_absent(host, wanted, what)
    if done.code == 0:
        same(after, wanted, f"done, after {what}")
    else:
        assert "error: " in done.err or "! blocked" in done.out, f"nothing is said: {what}"
    same(host.snapshot("host", "lan"), unmanaged, f"what is foreign, after {what}")
    host.apply(TEXT)
    same(state(host, *NAMES), wanted, f"a second apply after {what}")
    host.delete(TEXT)
    return done


@test("broken: an interrupted dump is repeated")
def interrupted(host):
    wanted, unmanaged = crowded(host)
    dumps = noted(host, "dump", lambda env: host.mvapply("apply", "-f", "network.yaml", env=env))
    host.delete(TEXT)
    for number, _ in dumps if WHOLE else dumps[:3] + dumps[-2:]:
        applies(host, wanted, unmanaged, f"interrupt@{number}", code=0)
    done = host.mvapply("apply", "-f", "network.yaml", code=1, env=preload(host, "interrupt@0"))
    assert "the listing changed 8 times while it was read" in done.err, done
    same(state(host, *NAMES), {}, "nothing is done on the word of one")


@test("broken: a dump that ends with an error is repeated, or fails")
def broken_off(host):
    wanted, unmanaged = crowded(host)
    dumps = noted(host, "dump", lambda env: host.mvapply("apply", "-f", "network.yaml", env=env))
    host.delete(TEXT)
    for number, _ in dumps if WHOLE else dumps[:3] + dumps[-2:]:
        applies(host, wanted, unmanaged, f"broken@{number}={errno.EINTR}", code=0)
        done = applies(host, wanted, unmanaged, f"broken@{number}={errno.ENOMEM}")
        assert "Cannot allocate memory" in done.err + done.out, done


@test("broken: signals during system calls, and replies to or from other processes")
def in_between(host):
    wanted, unmanaged = crowded(host)
    for number in range(1, len(answers_of(host)) + 1, 1 if WHOLE else 3 * STRIDE):
        for fault in "send-eintr", "receive-eintr", "stale", "forged", "forged-long":
            applies(host, wanted, unmanaged, f"{fault}@{number}", code=0)


@test("broken: an acknowledgement without a result is an error")
def blank(host):
    wanted, unmanaged = crowded(host)
    answers = noted(host, "answer", lambda env: host.mvapply("apply", "-f", "network.yaml", env=env))
    host.delete(TEXT)
    said = 0
    for number in [number for number, size in answers if size == 36][::STRIDE]:
        done = applies(host, wanted, unmanaged, f"blank@{number}")
        said += "the kernel's answer is malformed" in done.err
    assert said > 5 // STRIDE, f"{said} were said to be none"


@test("broken: an incomplete state is not planned from")
def half_looks(host):
    crowded(host)
    host.apply(TEXT)
    answers = noted(host, "answer", lambda env: host.diff(TEXT, code=0, env=env))
    codes = set()
    for number, size in answers[::STRIDE]:
        for rule in f"lost@{number}", f"cut@{number}={size // 2}", f"malform@{number}":
            done = host.mvapply("diff", "-f", "network.yaml", code=None, env=preload(host, rule))
            codes.add(done.code)
            reported = any(words in done.out + done.err for words in (
                "cannot receive from the kernel: No buffer space", "is malformed",
                 "malformed answer about the id of a namespace"))
            assert reported or done.code == 0, f"{rule}\n{done}"
            assert not any(line[0] in "+-~" for line in done.plan), f"{rule}\n{done}"
    same(codes, {0, 1}, "exit codes")


def answers_of(host):
    found = noted(host, "answer", lambda env: host.mvapply("apply", "-f", "network.yaml", env=env))
    host.delete(TEXT)
    return found


@test("broken: an object that cannot be read is not reported as unchanged")
def unseen(host):
    """The link to be deleted is in a namespace that no file names any more."""
    host.netns(*NAMES)
    only_db = document({"n": lan()}, {"db": ["n"]})
    for command, text in ("delete", TEXT), ("apply", only_db):
        def run(rule, log=None):
            host.apply(TEXT)
            return host.mvapply(command, "-f", host.write(text), code=None, env=preload(host, rule, log=log))
        dumps = noted(host, "dump", lambda env: run("silent@1000", LOG))
        said = 0
        for number, _ in dumps:
            done = run(f"broken@{number}={errno.ENOMEM}")
            if "eth0" in host.names("web"):
                # If db's namespace is not found, none of the declared objects is live.
                held = command == "apply" and done.code == 4 and "[MV0807]" in done.err
                assert (done.code == 1 or held) and "Nothing to do." not in done.out, done
                said += "[MV0919]" in done.err
        assert said > 1, f"{command}: of {len(dumps)} dumps that failed, {said} were told of"


@test("broken: a lost reply")
def lost(host):
    wanted, unmanaged = crowded(host)
    answers = answers_of(host)
    assert len(answers) > 30, answers
    for number, _ in answers if WHOLE else answers[::2 * STRIDE]:
        applies(host, wanted, unmanaged, f"lost@{number}")


@test("broken: a truncated reply")
def cut(host):
    wanted, unmanaged = crowded(host)
    said = 0
    answers = answers_of(host)
    for number, size in answers if WHOLE else answers[1::2 * STRIDE]:
        for left in {size // 2, 10, size - 4} if WHOLE else {size // 2}:
            done = applies(host, wanted, unmanaged, f"cut@{number}={left}")
            said += "malformed" in done.err + done.out
    assert said > 10 // STRIDE, f"only {said} were said to be malformed"


@test("broken: an invalid reply")
def garbled(host):
    """Nothing crashes, and no unmanaged object is deleted. A well-formed reply is trusted."""
    host.netns(*NAMES)
    host.batch("host", ["link add link eth0 name x type macvlan mode bridge"])
    host.write(TEXT)
    before = host.snapshot("host", "lan")
    count = len(answers_of(host))
    codes = set()
    for number in range(1, count + 1, 1 if WHOLE else 2 * STRIDE):
        for seed in range(12 if WHOLE else 1):
            done = host.mvapply("apply", "-f", "network.yaml", code=None,
                                env=preload(host, f"garble@{number}={seed * count + number}"))
            codes.add(done.code)
            assert done.code in (0, 1, 4), f"garble@{number}={seed * count + number}\n{done}"
            same(host.snapshot("host", "lan"), before, f"what is foreign, after answer {number}")
            host.delete(TEXT)
    assert {0, 1} <= codes, f"exit codes {codes}"


@test("broken: a missing reply ends in a timeout")
def silent(host):
    """Only acknowledgements can be lost silently."""
    wanted, unmanaged = crowded(host)
    answers = answers_of(host)
    acks = [number for number, size in answers if size == 36]
    # The last two belong to an announcement, whose result is not checked.
    for number, code in ((acks[0], 1), (acks[-3], 1), (acks[-1], 0)):
        done = applies(host, wanted, unmanaged, f"silent@{number}", code=code)
        same("the kernel did not answer within 5 s" in done.err, code == 1, f"told: {done}")


@test("broken: lost and truncated events cause a full read", both=True)
def events(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    wanted = state(host, *NAMES)
    for rules in (["event-lost@0"], ["event-cut@0=20"], [f"event-lost@{n}" for n in range(1, 16, 2)]):
        with watching(host, "-f", host.write(TEXT), env=preload(host, *rules)) as service:
            for command in ("link del eth0", "address del 172.16.86.2/24 dev eth0",
                            "link set eth0 mtu 1400"):
                host.ip("web", command)
                service.until(lambda: state(host, *NAMES) == wanted, f"{rules}: {command}")
            service.until_says("events of the kernel were lost")


@test("broken: repeated loss of events causes few full reads, and events that arrive are handled")
def lost_without_end(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    wanted = state(host, *NAMES)
    rules = [f"event-lost@{n}" for n in range(0, 160, 10)]
    with watching(host, "-f", host.write(TEXT), env=preload(host, *rules)) as service:
        for _ in range(20):
            host.ip("web", "link set eth0 mtu 1400")
            host.ip("web", "link set eth0 mtu 1500")
            service.quiet(0.05)
        service.until_says("events of the kernel are lost repeatedly")
        looks = sum("reading the host again" in line for line in service.log())
        assert 1 <= looks <= 20, looks
        host.ip("web", "link del eth0")
        service.until(lambda: state(host, *NAMES) == wanted, "repaired", 60)


@test("broken: invalid events end nothing")
def garbled_events(host):
    host.netns(*NAMES)
    host.apply(TEXT)
    wanted = state(host, *NAMES)
    for seed in range(20 if WHOLE else 2):
        env = preload(host, *(f"event-garble@{n}={seed * 50 + n}" for n in range(1, 12)))
        with watching(host, "-f", host.write(TEXT), env=env) as service:
            for _ in range(4):
                host.ip("web", "link del eth0")
                service.send(1)  # SIGHUP: everything is observed
                service.until(lambda: state(host, *NAMES) == wanted, "repaired")


def until_same(host, service, wanted, what):
    try:
        service.until(lambda: state(host, *NAMES) == wanted, what, 60)
    except AssertionError as error:
        same(state(host, *NAMES), wanted, str(error))
        raise


@test("broken: a service with random refusals, interrupted dumps and lost replies")
def by_chance(host):
    host.netns(*NAMES, "other")
    host.batch("host", ["link add link eth0 name x address 02:00:00:00:01:01 type macvlan "
                        "mode bridge", "link set x netns other"])
    host.apply(TEXT)
    wanted, unmanaged = state(host, *NAMES), host.snapshot("other", "lan")
    rounds = 100 if WHOLE else 6
    with watching(host, "-f", host.write(TEXT), seconds=60,
                  env=preload(host, "random@20=1")) as service:
        for number in range(rounds):
            ns = NAMES[number % 2]
            for command in ("link del eth0", "address flush dev eth0", "link set eth0 mtu 1300")[
                    number % 3:]:
                host.run("ip", *command.split(), ns=ns)
            until_same(host, service, wanted, f"round {number}")
        assert any(word in line for line in service.log() for word in ("error", "lost")), \
            service.everything()
    same(host.snapshot("other", "lan"), unmanaged, "what is foreign")
    host.unchanged(TEXT)


@test("broken: a namespace without an nsid is reported, and its events are handled")
def unnumbered(host):
    """The kernel reports changes in namespaces that have an nsid."""
    host.netns("web")
    host.write(document({"n": lan()}, {"web": ["n"]}))
    refused = []
    with watching(host, "-f", "network.yaml", env=preload(host, log=LOG)):
        with open(LOG, encoding="ascii") as file:
            refused = [line.split()[1] for line in file if re.match(r"request \d+ 88$", line)]
    host.remove_netns("web")
    host.netns("web")
    with watching(host, "-f", "network.yaml",
                  env=preload(host, f"refuse@{refused[0]}=12")) as service:
        service.until_says("cannot monitor web: no namespace id could be assigned: ")
        wanted = state(host, "web")
        for command in ("link set eth0 mtu 1400", "address flush dev eth0", "link del eth0"):
            host.ip("web", command)
            service.until(lambda: state(host, "web") == wanted, command)
        assert not any("File exists" in line for line in service.log()), service.everything()


@test("broken: a namespace without an nsid is read again before an address is chosen")
def unnumbered_read(host):
    """The kernel does not report that it got the address."""
    host.netns("web", "other")
    host.ip("host", "netns set web 7")
    host.ip("host", "link add link eth0 name mv0 netns other type macvlan mode bridge")
    host.batch("other", ["link set mv0 up"])
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    with watching(host, "-f", host.write(text), env=preload(host, f"refuse-type@{NEW_NSID}={errno.ENOMEM}")) as service:
        # Each retry reads everything: the fifth is followed by a pause.
        service.until(lambda: sum("cannot monitor other: " in line for line in service.log()) >= 5, "retries")
        host.batch("other", ["address add 172.16.86.2/24 dev mv0"])
        host.batch("web", ["address del 172.16.86.2/24 dev eth0"])
        service.until(lambda: host.addresses("web", "eth0"), "another address")
        same(host.addresses("web", "eth0"), {"172.16.86.3/24"}, "the address")
