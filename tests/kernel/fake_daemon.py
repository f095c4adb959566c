"""A fake engine with containers, events and a clock. It answers each request in a thread, delays what a test
wants delayed, and counts requests."""
import contextlib
import http.server
import json
import os
import queue
import socket
import socketserver
import threading

from host import WORK

STARTED = "2026-01-02T03:04:05.678901234Z"


def ident(name):
    """A container's id, which contains its name."""
    return name.encode().hex().ljust(64, "0")[:64]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    daemon = None

    def setup(self):
        super().setup()
        self.daemon.idle.add(self.connection)

    def finish(self):
        super().finish()
        self.daemon.idle.discard(self.connection)

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.daemon.note(path)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if not self.daemon.await_release(path, self.connection):
                self.close_connection = True
            elif path == "/events":
                self.daemon.idle.discard(self.connection)
                self.stream()
            else:
                self.answer(path)

    def answer(self, path):
        found = self.daemon.look(path)
        body = json.dumps(found if found is not None else {"message": "no such container"}).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self):
        events = self.daemon.subscribe()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        while (event := events.get()) is not None:
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1000


class Daemon:
    """`containers`: name -> its description. `held`: paths, or the names of containers, that are
    not answered until `release`. `labels`: name -> labels. `user`: the listening user, as the other
    end of a connection sees it."""
    def __init__(self, path=f"{WORK}/daemon.sock", user=0):
        self.path = path
        self.user = user
        self.env = {"DOCKER_HOST": f"unix://{path}", "CONTAINER_HOST": f"unix://{path}"}
        self.containers = {}
        self.labels = {}
        self.asked = []  # the paths, in the order of the requests
        self.held = set()
        self.subscribers = []
        self.idle = set()  # connections
        self.changed = threading.Condition()
        self.server = self.ended = None

    # --- the socket

    def begin(self):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        handler = type("Handler", (Handler,), {"daemon": self})
        self.ended = False
        self.server = Server(self.path, handler, bind_and_activate=False)
        self.server.server_bind()
        os.seteuid(self.user)
        self.server.server_activate()
        os.seteuid(0)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def end(self):
        """Closes all connections, and removes its socket."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()
            for events in self.subscribers:
                events.put(None)
            self.subscribers = []
        self.server.shutdown()
        self.server.server_close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    # --- requests

    def note(self, path):
        with self.changed:
            self.asked.append(path)

    def count(self, name):
        """How often the container was inspected, or the path requested."""
        paths = {name, f"/containers/{name}/json", f"/containers/{ident(name)}/json"}
        with self.changed:
            return sum(path in paths for path in self.asked)

    def await_release(self, path, connection):
        """False: the engine ended meanwhile."""
        def is_held():
            name = self.name_of(path)
            return "all" in self.held or path in self.held or name in self.held
        with self.changed:
            while is_held() and not self.ended:
                self.changed.wait(0.1)
            return not self.ended and connection is not None

    @staticmethod
    def name_of(path):
        wanted = path.split("/")[2] if path.startswith("/containers/") else ""
        with contextlib.suppress(ValueError):
            return bytes.fromhex(wanted).rstrip(b"\0").decode() if len(wanted) == 64 else wanted
        return wanted

    def look(self, path):
        name = self.name_of(path)
        if path == "/containers/json":
            return [{"Id": ident(name), "Names": [f"/{name}"], "State": "running" if pid else "exited",
                     "Labels": self.labels.get(name, {})} for name, pid in self.containers.items()]
        pid = self.containers.get(name)
        return None if pid is None else {
            "Id": ident(name), "Name": f"/{name}", "HostConfig": {"NetworkMode": "none"},
            "NetworkSettings": {"SandboxKey": ""},
            "State": {"Pid": pid, "Running": pid != 0, "StartedAt": STARTED}}

    def drop_idle(self):
        """Closes the connections that wait for another request; the streams of events continue."""
        with self.changed:
            for connection in list(self.idle):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    # --- actions of a test

    def hold(self, *names):
        """"all": everything."""
        with self.changed:
            self.held.update(names)

    def release(self):
        with self.changed:
            self.held.clear()
            self.changed.notify_all()

    def subscribe(self):
        events = queue.Queue()
        with self.changed:
            self.subscribers.append(events)
        return events

    def report(self, action, name):
        event = {"Type": "container", "Action": action,
                 "Actor": {"ID": ident(name), "Attributes": {"name": name, **self.labels.get(name, {})}}}
        with self.changed:
            for events in self.subscribers:
                events.put(event)

    def start(self, name, pid):
        self.containers[name] = pid
        self.report("start", name)

    def die(self, name):
        self.containers[name] = 0
        self.report("die", name)


@contextlib.contextmanager
def daemon(path=f"{WORK}/daemon.sock", user=0):
    engine = Daemon(path, user)
    engine.begin()
    try:
        yield engine
    finally:
        engine.end()
