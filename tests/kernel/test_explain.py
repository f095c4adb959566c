"""The reference in the terminal, which needs neither the kernel nor a file."""
from host import same
from registry import test


def paths(host, *words):
    return [entry["path"] for entry in host.mvapply("explain", *words, "-o", "json").json["keys"]]


@test("explain: a key by its path, with and without names, and by its end")
def explain_key(host):
    for word in ("networks.NAME.vlan", "networks.vlan", "networks.lan.vlan", "vlan"):
        same(paths(host, word), ["networks.NAME.vlan"], f"explain {word}")
    same(paths(host, "containers.web.networks.lan.routes[0].via"),
         ["containers.NAME.networks.NET.routes[].via"], "with an index")
    same(paths(host, "gateway"), ["networks.NAME.gateway", "networks.NAME.subnets[].gateway"],
         "a key of two objects")
    same(paths(host, "containers.web"), ["containers"], "an entry of a map")
    done = host.mvapply("explain", "networks.mode")
    for words in ("passthru", "bridge for macvlan and macvtap, l2 for ipvlan", "networks.NAME.mode"):
        assert words in done.out, f"no {words!r}\n{done}"


@test("explain: all keys, each with its description")
def explain_all(host):
    entries = host.mvapply("explain", "-o", "json").json["keys"]
    assert len(entries) > 30 and all(entry["about"] and entry["type"] for entry in entries), entries
    lines = host.mvapply("explain").out.splitlines()
    for entry in entries:
        assert any(line.startswith(f"{entry['path']}: ") for line in lines), entry["path"]


@test("explain: an unknown key gets a suggestion; exit code 3")
def explain_unknown(host):
    done = host.mvapply("explain", "networks.lan.vlann", code=3)
    same(done.out, "", "standard output")
    assert "did you mean" in done.err and "vlan" in done.err, done
    assert "`mvapply explain` shows" in host.mvapply("explain", "quux", code=3).err
    assert 'unexpected argument "mode"' in host.mvapply("explain", "vlan", "mode", code=3).err


@test("explain: a code as an error prints it, in any case, and its number alone")
def printed_codes(host):
    whole = host.mvapply("explain", "MV0401").out
    assert whole.startswith("MV0401: "), whole
    for word in ("[MV0401]", "[mv0401]", "mv0401", "MV0401:", "MV0401.", "(MV0401)", "0401", "[0401]"):
        same(host.mvapply("explain", word).out, whole, word)
    for word in ("[MV0000]", "0000"):
        assert "there is no code" in host.mvapply("explain", word, code=3).err, word
