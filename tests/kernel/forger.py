"""Another process with the abstract name of a socket of mvapply."""
import contextlib
import subprocess
import sys

SCRIPT = r"""
import contextlib, socket, sys
name, *messages = sys.argv[1:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind("\0" + name)
server.listen()
print(flush=True)
while True:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        for message in messages:
            client.send(bytes.fromhex(message))
            client.recv(100)
"""


@contextlib.contextmanager
def forging(host, name, *messages, prefix=()):
    """Sends each client the messages: the first at once, each other one after a message of the client. It then waits for another
    message, or the end of the connection."""
    words = [*prefix, sys.executable, "-c", SCRIPT, name, *(message.hex() for message in messages)]
    with host.inside("host"), subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
