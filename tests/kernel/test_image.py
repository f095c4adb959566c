"""The container image of dist/container/Dockerfile, made of the program under test and run by real engines.
There is no registry: the engine imports the root file system."""
import io
import json
import os
import re
import subprocess
import tarfile

from declare import document, lan
from documents import TOP
from engines import KINDS, running
from host import same
from registry import test

with open(os.path.join(TOP, "dist/container/Dockerfile"), encoding="utf-8") as file:
    DOCKERFILE = file.read()


def libraries(program):
    """The program's requirements beside itself: none, if it is the static one."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def root_filesystem(program):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        tar.add(program, "mvapply")
        for path in libraries(program):
            tar.add(path, path.lstrip("/"))
    return out.getvalue()


def instruction(name):
    return json.loads(re.search(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)[1])


def capabilities():
    """Those of the command in the file's comment."""
    return re.findall(r"--cap-add (\w+)", DOCKERFILE)


# The settings of `--security-opt systempaths=unconfined` (Docker) and `--security-opt unmask=ALL`
# (Podman).
PROC_SYS_WRITABLE = {"docker": {"MaskedPaths": [], "ReadonlyPaths": []},
                     "podman": {"SecurityOpt": ["unmask=ALL"]}}


def create(host, engine, name, command):
    return engine.call("POST", "/containers/create", {
        "Image": "localhost/mvapply:latest", "Entrypoint": instruction("ENTRYPOINT"), "Cmd": command,
        "HostConfig": {"NetworkMode": "host", "PidMode": "host", "CapDrop": ["ALL"],
                       "CapAdd": capabilities(), **PROC_SYS_WRITABLE[engine.kind],
                       "Binds": ["/run/netns:/run/netns:ro", f"{host.folder}:/etc/mvapply:ro"]}},
        name=name)["Id"]


def finished(engine, name):
    """The exit code and the output of a container."""
    code = engine.call("POST", f"/containers/{name}/wait")["StatusCode"]
    return code, engine.call("GET", f"/containers/{name}/logs", raw=True, stdout="true", stderr="true")


def image(kind):
    def body(host):
        host.netns("web", "db")
        host.folder = os.path.join(os.getcwd(), "etc")
        os.makedirs(host.folder)
        with open(f"{host.folder}/network.yaml", "w", encoding="utf-8") as out:
            out.write(document({"n": lan()}, {"web": ["n"], "db": ["n"]}))
        with running(host, kind) as engine:
            engine.call("POST", "/images/create", root_filesystem(host.binary), raw=True, fromSrc="-",
                        repo="localhost/mvapply", tag="latest")
            create(host, engine, "diff", ["diff", "-f", "/etc/mvapply"])
            engine.start("diff")
            code, out = finished(engine, "diff")
            assert code == 2 and "Plan: 2 to create." in out, (code, out)
            same((host.names("web"), host.names("db")), (set(), set()), "diff changes nothing")
            create(host, engine, "service", instruction("CMD"))
            engine.start("service")
            try:
                host.until(lambda: host.names("web") and host.names("db"), "attached", 20)
            except AssertionError:
                print(engine.call("GET", "/containers/service/logs", raw=True, stdout="true",
                                  stderr="true"))
                raise
            host.ip("web", "link del eth0")
            host.until(lambda: host.names("web"), "repaired", 20)
            engine.stop("service")
            same((host.names("web"), host.names("db")), ({"eth0"}, {"eth0"}), "after its end")
    return body


for each in KINDS:
    test(f"image: {each} runs it, and it keeps the host's networks")(image(each))
