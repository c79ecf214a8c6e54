"""Child processes that never outlive us: started with a death signal where the system has one, stopped in order.

On Linux the kernel sends the death signal when this process ends in whatever way. Elsewhere only an orderly
end (also by SIGINT, SIGTERM, SIGHUP) stops the children.
"""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(command, death_signal=signal.SIGTERM, **options):
    parent = os.getpid()

    def in_child():
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # it died before the line above
                os._exit(1)

    return subprocess.Popen(command, preexec_fn=in_child, **options)


def spawn_daemon(command, log_path, **options):
    """A part that serves the command: in its own session, so that Ctrl-C reaches the command and not the part."""
    with open(log_path, "ab") as log:
        return spawn(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **options)


def stop(child, *signals, patience=10):
    """Sends one signal after the other, each with `patience` seconds, and SIGKILL last."""
    for signum in (*signals, signal.SIGKILL):
        if child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signum)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)


def free_port():
    """A port that was free a moment ago. Somebody may take it first; callers try again with another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
