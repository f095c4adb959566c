"""doctor --traffic: who answers, where the way to a gateway breaks, and that nothing else is sent."""
import contextlib
import select
import socket
import struct
import threading

import linux
from declare import document, lan
from host import ETH0_MAC, UP0_MAC, same
from packets import ETH_P_ALL, ETH_P_ARP, Sniffer, mac_bytes, mac_text
from registry import test

DUAL = lan(subnet=None, gateway=None,
           subnets=[{"subnet": "172.16.86.0/24", "gateway": "172.16.86.1"},
                    {"subnet": "fd00:86::/64", "gateway": "fd00:86::1"}])
WEB_MAC = "02:42:ac:10:56:02"


def asked(frame):
    """(who asks, for what, of whom) of a question for a neighbour, or None."""
    packet = frame.payload
    if frame.protocol == 0x0806 and packet[6:8] == b"\0\1":
        same(mac_text(packet[8:14]), frame.source, "the sender's MAC in an ARP request")
        return frame.source, socket.inet_ntoa(packet[14:18]), socket.inet_ntoa(packet[24:28])
    if frame.protocol == 0x86dd and packet[6] == 58 and packet[40] == 135:
        same(packet[7], 255, "the hop limit of a solicitation")
        return (frame.source, socket.inet_ntop(socket.AF_INET6, packet[8:24]),
                socket.inet_ntop(socket.AF_INET6, packet[48:64]))
    return None


def by_timer(frame):
    """Whether it is what the kernel sends by itself, some seconds after a link came up: reports of
    multicast listeners, router solicitations, duplicate address detection of link-local addresses."""
    packet = frame.payload
    if frame.protocol != 0x86dd:
        return False
    if packet[6] == 0:
        return packet[48] == 143
    return packet[6] == 58 and (packet[40] == 133 or packet[40] == 135 and
                                packet[8:24] == bytes(16) and packet[48:50] == b"\xfe\x80")


def received(sniffer):
    """Everything else that has arrived at the LAN, until it is silent for a while."""
    before = -1
    while before < len(sniffer.frames):
        before = len(sniffer.frames)
        sniffer.wait(lambda frame: False, 0.3)
    frames, sniffer.frames = sniffer.frames, []
    return [frame for frame in frames if not by_timer(frame)]


def listen(host):
    with host.inside("lan"):
        return Sniffer("up0")


class Traffic:
    """What `doctor --traffic` finds: the findings of its check, and who asked and was answered."""

    def __init__(self, host, text, code, twice=True):
        path = host.write(text)
        written = host.mvapply("doctor", "-f", path, "--traffic", "-o", "json", code=code).json
        self.findings = {one["subject"]: one for one in written["findings"]
                         if one["check"] == "traffic"}
        self.rows = written["traffic"]
        if not twice:
            return
        self.text = host.mvapply("doctor", "-f", path, "--traffic", code=code)
        self.words = " ".join(self.text.out.split())
        for finding in self.findings.values():
            for part in ("level", "subject", "message", "fix", "code"):
                assert finding[part] in self.words, f"no {finding[part]!r}\n{self.text}"

    def codes(self):
        return {subject: one["code"] for subject, one in self.findings.items()}

    def answers(self, by="attachment"):
        """{"web 172.16.86.1": [MAC, ...]}, of those that could be asked."""
        return {f"{row['container'] or row['link']} {row['gateway']}": row["answers"]
                for row in self.rows if row["asked_by"] == by and row["gateway"]}

    def breaks(self):
        return {f"{row['container']} {row['gateway']}": row["breaks_at"] for row in self.rows
                if row["asked_by"] == "attachment" and row["gateway"]}

    def skipped(self):
        return {f"{row['container']}/{row['network']}": row["skipped"] for row in self.rows
                if row["skipped"]}


class Gateway:
    """A machine on the LAN that answers ARP requests as the test says: answer(question) gives the
    MACs that answer it."""

    def __init__(self, host, answer, link="up0"):
        self.answer, self.over, self.questions = answer, threading.Event(), []
        with host.inside("lan"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                        socket.htons(ETH_P_ALL))
            self.socket.bind((link, ETH_P_ALL))
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            if not select.select([self.socket], [], [], 0.05)[0]:
                continue
            frame, address = self.socket.recvfrom(65536)
            if address[2] == socket.PACKET_OUTGOING or frame[12:14] != b"\x08\x06" \
                    or frame[20:22] != b"\0\1":
                continue
            question = (mac_text(frame[22:28]), socket.inet_ntoa(frame[28:32]),
                        socket.inet_ntoa(frame[38:42]))
            self.questions.append(question)
            for mac in self.answer(question):
                self.socket.send(frame[22:28] + mac_bytes(mac) + struct.pack(
                    "!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 2) + mac_bytes(mac) + frame[38:42] +
                    frame[22:28] + frame[28:32])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.socket.close()


def gateway_off(host):
    host.ip("lan", "address del 172.16.86.1/24 dev up0")


@test("traffic: every attachment is answered, and nothing but the questions is sent", both=True)
def answered(host):
    host.netns("web", "db")
    host.ip("lan", "address add fd00:86::1/64 dev up0 nodad")
    text = document({"n": DUAL}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    host.settle()
    sniffer = listen(host)
    received(sniffer)
    found = host.silently("doctor --traffic", lambda: Traffic(host, text, 0))
    same(found.findings, {}, "findings")
    same(found.answers(), {f"{container} {gateway}": [UP0_MAC] for container in ("web", "db")
                           for gateway in ("172.16.86.1", "fd00:86::1")}, "answers")
    same(found.answers("parent"), {f"eth0 {gateway}": [UP0_MAC] for gateway in
                                   ("172.16.86.1", "fd00:86::1")}, "the parent's answers")
    for words in (f"172.16.86.1 on eth0 answers 2 attachments from {UP0_MAC}",
                  f"fd00:86::1 on eth0 answers 2 attachments from {UP0_MAC}"):
        assert words in found.words, found.text
    db_mac = "02:42:ac:10:56:03"
    link_local = next(item["local"] for item in host.link("host", "eth0")["addr_info"]
                      if item["family"] == "inet6")
    same({asked(frame) for frame in received(sniffer)},
         {(WEB_MAC, "172.16.86.2", "172.16.86.1"), (db_mac, "172.16.86.3", "172.16.86.1"),
          (ETH0_MAC, "0.0.0.0", "172.16.86.1"), (WEB_MAC, "fd00:86::2", "fd00:86::1"),
          (db_mac, "fd00:86::3", "fd00:86::1"), (ETH0_MAC, link_local, "fd00:86::1")},
         "what was sent")
    # Without the option nobody is asked.
    host.mvapply("doctor", "-f", "network.yaml")
    same(received(sniffer), [], "sent without --traffic")


@test("traffic: a filter of MAC addresses, and one that accepts some of them")
def mac_filter(host):
    host.netns("web", "db")
    text = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    gateway_off(host)
    router = "02:00:00:00:00:77"
    with Gateway(host, lambda question: [router] if question[0] == ETH0_MAC else []):
        found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1103"}, "findings")
    same(found.breaks(), {"web 172.16.86.1": "mac-filter", "db 172.16.86.1": "mac-filter"}, "breaks")
    assert "ipvlan" in found.findings["eth0"]["fix"], found.text
    with Gateway(host, lambda question: [router] if question[0] != WEB_MAC else []):
        found = Traffic(host, text, 1)
    same(found.codes(), {"web/n": "MV1105"}, "findings, some pass")
    same(found.answers(), {"web 172.16.86.1": [], "db 172.16.86.1": [router]}, "answers")
    # A macvlan works where its parent is not answered.
    with Gateway(host, lambda question: [router] if question[0] != ETH0_MAC else []):
        same(Traffic(host, text, 0).findings, {}, "findings, without the parent")


@test("traffic: a gateway without answers, and one with answers")
def gateway(host):
    host.netns("web", "db")
    networks = {"n": lan(), "m": lan(subnet="172.16.87.0/24", gateway="172.16.87.1")}
    text = document(networks, {"web": ["n"], "db": ["m"]})
    host.apply(text)
    found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1107"}, "findings")
    assert "other gateways on eth0 do" in found.words, found.text
    same(found.breaks(), {"web 172.16.86.1": None, "db 172.16.87.1": "gateway"}, "breaks")
    gateway_off(host)
    text = document({"n": lan()}, {"web": ["n"]})
    same(Traffic(host, text, 1).breaks(), {"web 172.16.86.1": "nobody"}, "breaks")


@test("traffic: several machines that answer for the gateway")
def duplicate(host):
    host.netns("web", "db")
    text = document({"n": lan()}, {"web": ["n"], "db": ["n"]})
    host.apply(text)
    with Gateway(host, lambda question: ["02:00:00:00:00:77"]):
        found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1108"}, "findings")
    assert UP0_MAC in found.words and "02:00:00:00:00:77" in found.words, found.text
    # Each is answered by one, and not the same.
    gateway_off(host)
    with Gateway(host, lambda question: [f"02:00:00:00:00:7{question[1][-1]}"]):
        found = Traffic(host, text, 0)
    same(found.codes(), {"eth0": "MV1108"}, "findings")
    same(found.findings["eth0"]["level"], "warning", "level")


@test("traffic: faults in a container: its link, its address, its route")
def container(host):
    host.netns("web", "db", "ci", "job")
    text = document({"n": lan()}, {name: ["n"] for name in ("web", "db", "ci", "job")})
    host.apply(text)
    host.ip("web", "link set eth0 down")
    host.ip("db", "address flush dev eth0")
    host.ip("ci", "route del default")
    found = Traffic(host, text, 1)
    same(found.codes(), {"web/n": "MV1102", "db/n": "MV1102", "ci/n": "MV1102"}, "findings")
    same(found.breaks(), {"web 172.16.86.1": "container-link", "db 172.16.86.1":
                          "container-address", "ci 172.16.86.1": "container-route",
                          "job 172.16.86.1": None}, "breaks")
    host.apply(text)
    same(Traffic(host, text, 0).findings, {}, "findings after apply")


@test("traffic: a parent that is down or without a carrier is not probed")
def parent(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    host.ip("lan", "link set up0 down")
    host.until(lambda: "LOWER_UP" not in host.link("host", "eth0")["flags"], "no carrier")
    found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1101"}, "findings")
    assert "has no carrier" in found.words, found.text
    host.ip("host", "link set eth0 down")
    found = Traffic(host, text, 1)
    same(found.breaks(), {"web 172.16.86.1": "parent-down"}, "breaks")


@test("traffic: the gateway is the host itself, or on the same parent in a mode that separates")
def separated(host):
    host.netns("web")
    gateway_off(host)
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    host.ip("host", "address add 172.16.86.1/24 dev eth0")
    found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1109"}, "findings")
    assert "the host itself (eth0)" in found.words, found.text
    host.batch("host", ["address del 172.16.86.1/24 dev eth0",
                        "link add gw0 link eth0 type macvlan mode bridge",
                        "address add 172.16.86.1/24 dev gw0", "link set gw0 up"])
    found = Traffic(host, text, 0)
    same(found.findings, {}, "findings, beside it in bridge mode")
    same(found.answers(), {"web 172.16.86.1": [host.link("host", "gw0")["address"]]}, "answers")
    assert "(gw0 in the host)" in found.words, found.text
    text = document({"n": lan(mode="private")}, {"web": ["n"]})
    host.apply(text, "--max-delete=100%")
    found = Traffic(host, text, 1)
    same(found.breaks(), {"web 172.16.86.1": "mode"}, "breaks")
    same(found.codes(), {"eth0": "MV1109"}, "findings")


@test("traffic: attachments without a question are listed: pending, internal, no gateway")
def skipped(host):
    host.netns("web", "db")
    text = document({"n": lan(), "free": lan(subnet="172.16.87.0/24", gateway=None),
                     "in": lan(subnet="172.16.88.0/24", gateway=None, internal=True)},
                    {"web": ["n", "free", "in"], "job": ["n"], "db": ["n"]})
    host.apply(document({"n": lan(), "free": lan(subnet="172.16.87.0/24", gateway=None),
                         "in": lan(subnet="172.16.88.0/24", gateway=None, internal=True)},
                        {"web": ["n", "free", "in"]}))
    found = Traffic(host, text, 0)
    same(found.skipped(), {"web/free": "the network has no gateway", "web/in":
                           "the network is internal", "job/n": "pending", "db/n":
                           "not attached"}, "skipped")
    same(found.answers(), {"web 172.16.86.1": [UP0_MAC]}, "answers")
    for name, reason in found.skipped().items():
        assert f"skipped traffic {name}: {reason}" in found.words, found.text


@test("traffic: replies for other hosts, floods and forged replies are ignored")
def forged(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    gateway_off(host)

    def reply(operation, ip, to_ip, source="02:00:00:00:00:66"):
        return mac_bytes(WEB_MAC) + mac_bytes(source) + struct.pack(
            "!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation) + mac_bytes(source) + \
            socket.inet_aton(ip) + mac_bytes(WEB_MAC) + socket.inet_aton(to_ip)
    wrong = [reply(1, "172.16.86.1", "172.16.86.2"), reply(2, "172.16.86.9", "172.16.86.2"),
             reply(2, "172.16.86.1", "172.16.86.7")]
    many = [reply(2, "172.16.86.1", "172.16.86.2", f"02:00:00:00:01:{number:02x}")
            for number in range(256)]
    for frames, code, expected in ((wrong, 1, 0), (many, 1, 4)):
        with host.inside("lan"):
            sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            sender.bind(("up0", 0))
        over = threading.Event()

        def flood(sender=sender, frames=frames, over=over):
            while not over.wait(0.001):
                for frame in frames:
                    with contextlib.suppress(OSError):
                        sender.send(frame)
        thread = threading.Thread(target=flood)
        thread.start()
        try:
            found = Traffic(host, text, code, twice=False)
        finally:
            over.set()
            thread.join()
            sender.close()
        same(len(found.answers()["web 172.16.86.1"]), expected, "answers")


@test("traffic: without CAP_NET_RAW the missing questions are reported")
def rights(host):
    host.netns("web")
    text = document({"n": lan()}, {"web": ["n"]})
    host.apply(text)
    done = host.mvapply("doctor", "-f", host.write(text), "--traffic", "-o", "json", code=1,
                        before=lambda: linux.keep_capabilities({12, 21, 19, 2})).json
    same([one["code"] for one in done["findings"] if one["check"] == "traffic"], ["MV1110"],
         "findings")


@test("traffic: many attachments, in one process with few descriptors")
def many(host):
    names = [f"c{number}" for number in range(60)]
    host.netns(*names)
    text = document({"n": lan()}, {name: ["n"] for name in names})
    host.apply(text)
    found = Traffic(host, text, 0)
    same(len(found.answers()), 60, "asked")
    same({tuple(macs) for macs in found.answers().values()}, {(UP0_MAC,)}, "answers")
    # Only the first of them broadcast; the others ask the gateway alone.
    sniffer = listen(host)
    Traffic(host, text, 0)
    everybody = [frame for frame in received(sniffer) if asked(frame)]
    loud = {frame.source for frame in everybody if frame.destination == "ff:ff:ff:ff:ff:ff"}
    same((len({frame.source for frame in everybody}), len(loud)), (61, 9), "who asks, and loudly")
    done = host.run("prlimit", "--nofile=150:150", host.binary, "doctor", "-f", "network.yaml",
                    "--traffic", "-o", "json", code=0).json
    same(sum(bool(row["answers"]) for row in done["traffic"]
             if row["asked_by"] == "attachment"), 60, "answers with few descriptors")


@test("traffic: many attachments, and a gateway that is silent, or answers one of them alone")
def many_silent(host):
    """A broadcast of each link to each other one would take seconds with a thousand of them."""
    names = [f"c{number}" for number in range(40)]
    host.netns(*names)
    text = document({"n": lan()}, {name: ["n"] for name in names})
    host.apply(text)
    gateway_off(host)
    host.settle()
    macs = {host.link(name, "eth0")["address"]: name for name in names}
    ip_of = {name: host.link(name, "eth0")["addr_info"][0]["local"] for name in names}
    before = {name: host.counters(name, "eth0") for name in names}
    with host.inside("lan"):
        sniffer = Sniffer("up0", ETH_P_ARP)  # its buffer has room for all questions
    found = Traffic(host, text, 1, twice=False)
    same(found.codes(), {"eth0": "MV1107"}, "findings")
    # Each asked, on the wire: with its own addresses, and for the gateway alone.
    same({asked(frame) for frame in received(sniffer) if asked(frame)},
         {(mac, ip_of[name], "172.16.86.1") for mac, name in macs.items()} |
         {(ETH0_MAC, "0.0.0.0", "172.16.86.1")}, "what was sent")
    # Eight of them broadcast to all, three times, beside what IPv6 sends by itself. Forty would be 120.
    grown = sorted(host.counters(name, "eth0")["rx packets"] - before[name]["rx packets"] for name in names)
    assert grown[20] < 60, f"received by attachments: {grown}"
    router = "02:00:00:00:00:77"
    lucky = next(mac for mac, name in macs.items() if name == "c39")
    with Gateway(host, lambda question: [router] if question[0] == lucky else []) as gateway_:
        found = Traffic(host, text, 1, twice=False)
    same({key: value for key, value in found.answers().items() if value}, {"c39 172.16.86.1": [router]},
         "answers")
    same(set(found.breaks().values()), {None, "some"}, "breaks")
    assert (lucky, ip_of["c39"], "172.16.86.1") in gateway_.questions, "c39 asks"


@test("traffic: a VLAN that the switch does not carry, or carries without its tag", needs=["vlan"])
def vlan(host):
    host.netns("web", "db")
    networks = {"n": lan(), "v": lan(vlan=10, subnet="172.16.87.0/24", gateway="172.16.87.1")}
    text = document(networks, {"web": ["n"], "db": ["v"]})
    host.apply(text)
    found = Traffic(host, text, 1)
    same(found.codes(), {"eth0.10": "MV1106"}, "findings")
    same(found.breaks(), {"web 172.16.86.1": None, "db 172.16.87.1": "vlan"}, "breaks")
    host.ip("lan", "address add 172.16.87.1/24 dev up0")
    found = Traffic(host, text, 1)
    same(found.breaks(), {"web 172.16.86.1": None, "db 172.16.87.1": "vlan-untagged"}, "breaks")
    same(found.answers("untagged"), {"eth0 172.16.87.1": [UP0_MAC]}, "answers without the tag")
    # Tagged it passes, and then nobody asks without the tag.
    host.ip("lan", "address del 172.16.87.1/24 dev up0")
    host.lan("172.16.87.1/24", vlan=10)
    sniffer = listen(host)
    found = Traffic(host, text, 0)
    same(found.findings, {}, "findings")
    same({(frame.vlan and frame.vlan[1], asked(frame)[2]) for frame in received(sniffer)
          if asked(frame)}, {(None, "172.16.86.1"), (10, "172.16.87.1")}, "what was sent")
    # The other way round: only tags are carried.
    gateway_off(host)
    found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1106"}, "findings")
    assert "set `vlan`" in found.findings["eth0"]["fix"], found.text


@test("traffic: ipvlan: in l2 the gateway is probed, in l3 the host routes", needs=["ipvlan"])
def ipvlan(host):
    host.netns("web")
    text = document({"n": lan(driver="ipvlan")}, {"web": ["n"]})
    host.apply(text)
    same(Traffic(host, text, 0).answers(), {"web 172.16.86.1": [UP0_MAC]}, "answers")
    # A cloud that delivers to the machine's own address alone.
    gateway_off(host)
    with Gateway(host, lambda question: [] if question[1] == "172.16.86.2" else [UP0_MAC]):
        found = Traffic(host, text, 1)
    same(found.codes(), {"eth0": "MV1104"}, "findings")
    text = document({"n": lan(driver="ipvlan", mode="l3")}, {"web": ["n"]})
    host.apply(text)
    assert "l3" not in Traffic(host, text, 0).answers(), "asked in l3"
