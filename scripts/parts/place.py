"""The folder that holds the parts: stamps that say what is there, logs, and how a fetching command is run.

Leaves out what any single part is made of.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SCRIPTS = REPOSITORY / "scripts"


class Missing(Exception):
    """A part that cannot be had on this machine: why, and what a person can do about it."""

    def __init__(self, reason, remedy=""):
        super().__init__(reason + (f" ({remedy})" if remedy else ""))


def say(line=""):
    print(line, flush=True)


def in_ci():
    return os.environ.get("CI") == "true"


class Place:
    def __init__(self, folder):
        self.folder = folder
        self.logs = folder / "logs"

    @classmethod
    def from_environment(cls):
        folder = Path(os.environ.get("PARTS_DIR") or REPOSITORY / ".parts")
        return cls(folder.resolve())

    def create(self):
        self.logs.mkdir(parents=True, exist_ok=True)
        (self.folder / "stamps").mkdir(exist_ok=True)

    # A stamp is written last, so that a setup that was cut short is done again from its start.

    def stamped(self, name, version):
        stamp = self.folder / "stamps" / name
        return stamp.is_file() and stamp.read_text() == version

    def stamp(self, name, version):
        (self.folder / "stamps" / name).write_text(version)

    def empty(self, name):
        """A fresh folder for a part; what an older version left there is removed."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def server_log(self, name):
        """A log of this run alone; removed when the server came up and was stopped in order."""
        return self.logs / f"{name}-{os.getpid()}.log"

    def sweep_logs(self):
        """Logs of runs that were killed. A foreign process that has the old id now only keeps the log longer."""
        for log in self.logs.glob("*-[0-9]*.log"):
            try:
                os.kill(int(log.stem.rpartition("-")[2]), 0)
            except ProcessLookupError:
                log.unlink(missing_ok=True)
            except (PermissionError, ValueError):
                pass

    @contextlib.contextmanager
    def locked(self, name):
        """One process at a time; a second one says that it waits."""
        self.create()
        with open(self.folder / f"{name}.lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"parts: waiting for another process that holds {self.folder / name}.lock")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def fetch(self, name, command, remedy="", loud=False, **options):
        """Runs a command that downloads or builds. Its output goes to a log, or to the terminal when it is so
        slow that a person wants to watch it."""
        log_path = self.logs / f"{name}.log"
        with open(log_path, "a") as log:
            print("$", *command, file=log, flush=True)
            sink = sys.stdout if loud else log
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, **options)
            except OSError as error:
                raise Missing(f"{command[0]} cannot be run: {error.strerror}", remedy) from None
        if done.returncode != 0:
            if not loud:
                say(tail(log_path))
            raise Missing(f"`{' '.join(map(str, command[:4]))} …` failed with {done.returncode}", remedy)

    def debian(self, name, package):
        """Installs a Debian package where that is possible without asking anybody."""
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise Missing(f"{package} is not installed", f"install the package {package}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", package]
        try:
            self.fetch(name, install, env=quiet)
        except Missing:
            say("    the package lists may be old: reading them again")
            self.fetch(name, ["apt-get", "update", "-q"], env=quiet)
            self.fetch(name, install, env=quiet)


def tail(path, lines=15):
    text = path.read_text(errors="replace").splitlines() if path.is_file() else []
    return "\n".join(f"    | {line}" for line in text[-lines:])
