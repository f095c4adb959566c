"""An engine's socket that is created again, in each way: the service connects immediately."""
import contextlib
import os
import re
import shutil
import time

import linux
from fake_daemon import Daemon
from registry import test
from service import watching
from test_engines_concurrent import docker, processes, until_attached

FOLDER = "/run/one/two"
PATH = f"{FOLDER}/engine.sock"


def woken_early(lines):
    """Whether the last sleep before it connected ended early."""
    calls = [line for line in lines if "resumed" in line or "= " in line]
    first = next(number for number, line in enumerate(calls) if "connect(" in line)
    # curl's immediate actions have a time-out of 0.
    woken = [re.search(r" 64, [1-9]\d*\) += (\d+)$", line) for line in calls[:first]]
    woken = [found for found in woken if found]
    return bool(woken) and int(woken[-1][1]) > 0


def comes_back(service, engine, returns):
    """During a pause of its back-off, which is 3.2 s or longer then."""
    engine.asked.clear()
    service.quiet(4)
    with service.traced("epoll_wait,connect") as trace:
        # strace does not show the call in progress when it attaches: this starts another one.
        os.makedirs(f"/run/unrelated/{time.monotonic_ns()}")
        service.quiet()
        returns()
        service.until(lambda: engine.count("/events") > 0, "it listens", 90)
    assert woken_early(trace.lines), "it connected when its pause was over\n" + "\n".join(trace.lines)


@contextlib.contextmanager
def away(host, variable=PATH):
    """A service, and its engine, which is not running."""
    host.netns("web")
    engine = Daemon(PATH)
    with processes(host, "web") as (app,):
        engine.containers["app"] = app.pid
        with watching(host, "-f", host.write(docker("app")), env={"DOCKER_HOST": f"unix://{variable}"}) as service:
            yield engine, service
    if not engine.ended:
        engine.end()


def go(service, engine):
    service.news()
    engine.end()
    service.until_says("trying again", 20)


@test("engine socket: its directories are removed and created again", seconds=120)
def folders(host):
    with away(host) as (engine, service):
        comes_back(service, engine, engine.begin)
        until_attached(host, service, "web")
        for folder in (FOLDER, "/run/one"):
            go(service, engine)
            shutil.rmtree(folder)
            comes_back(service, engine, engine.begin)


@test("engine socket: a symbolic link to it or to its directory appears, or changes its target", seconds=120)
def links(host):
    for number, (link, target) in enumerate((("/run/link.sock", PATH), ("/run/link", FOLDER))):
        variable = link if number == 0 else f"{link}/engine.sock"
        with away(host, variable) as (engine, service):
            os.symlink(target, link)
            comes_back(service, engine, engine.begin)
            until_attached(host, service, "web")
            go(service, engine)
            os.unlink(link)
            engine.begin()
            comes_back(service, engine, lambda link=link, target=target: os.symlink(target, link))
        host.mvapply("delete", "--name", "default")
        host.remove_netns("web")


@test("engine socket: another file system is mounted on its directory, and unmounted", seconds=120)
def mounts(host):
    with away(host) as (engine, service):
        os.makedirs(FOLDER)
        def mounted():
            linux.mount("tmpfs", "/run/one", "tmpfs")
            engine.begin()
        comes_back(service, engine, mounted)
        until_attached(host, service, "web")
        go(service, engine)
        linux.umount("/run/one")
        folder = os.open(FOLDER, os.O_PATH | os.O_DIRECTORY)
        linux.mount("tmpfs", "/run/one", "tmpfs")
        # The mount hides the socket from its beginning.
        engine.path = f"/proc/self/fd/{folder}/engine.sock"
        engine.begin()
        comes_back(service, engine, lambda: linux.umount("/run/one"))
        engine.end()
        os.close(folder)
