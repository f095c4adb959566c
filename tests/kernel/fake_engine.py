"""A fake engine with the answers that a test gives it."""
import contextlib
import http.server
import json
import os
import socketserver
import threading

from host import WORK


class Turns(list):
    """Answers, in turn."""


class Failure(dict):
    """A response with status 500."""


class Answers(http.server.BaseHTTPRequestHandler):
    """An engine that gives each path its answer, or status 500; Turns are consecutive answers, of
    which the last is repeated; None stands for a missing object."""
    answers = {}

    def do_GET(self):
        found = self.answers.get(self.path.partition("?")[0], "")
        if isinstance(found, Turns):
            found = found.pop(0) if len(found) > 1 else found[0]
        failed = not found or isinstance(found, Failure)
        self.send_response(404 if found is None else 500 if failed else 200)
        self.end_headers()
        self.wfile.write(json.dumps(found or {"message": "no"}).encode())

    def address_string(self):
        return "somebody"

    def log_message(self, *_):
        pass


class Server(socketserver.UnixStreamServer):
    request_queue_size = 128


@contextlib.contextmanager
def engine(answers, variable="DOCKER_HOST"):
    """The environment in which an engine gives these answers."""
    path = f"{WORK}/engine.sock"
    handler = type("Handler", (Answers,), {"answers": dict(answers)})
    with Server(path, handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield {variable: f"unix://{path}"}
        finally:
            server.shutdown()
            thread.join()
            os.unlink(path)


ID = "0123456789abcdef"


def inspected(pid, sandbox="", started="today", ident=ID, name="app"):
    return {"Id": ident, "Name": f"/{name}", "State": {"Pid": pid, "Running": True, "StartedAt": started},
            "HostConfig": {"NetworkMode": "none"}, "NetworkSettings": {"SandboxKey": sandbox}}
