"""`parts.py run -- COMMAND…`: lends running parts to a command and always takes them back.

Exits with the command's code (128 + n when signal n ended it). Runs do not share anything: each has its own
servers, ports and data.
"""

import contextlib
import os
import signal
import sys
import time

from . import ALL, children, postgres, valkey
from .place import Missing, in_ci, say

SERVERS = (postgres, valkey)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(place, command):
    place.create()
    place.sweep_logs()
    running = Running(command)
    with contextlib.ExitStack() as stack:
        stack.callback(say, "parts: stopped")
        environment = dict(os.environ)
        begun = time.monotonic()
        try:
            lend(place, stack, environment)
        except Missing as reason:
            say(f"parts: {reason}")
            return 1
        say(f"parts: started in {time.monotonic() - begun:.1f} s")
        stack.callback(running.ignore_signals)
        return running.wait(environment)


def lend(place, stack, environment):
    if in_ci():
        environment["TEST_REQUIRED"] = "1"
    for part in ALL:
        if part.VARIABLE is None:
            continue
        environment.pop(part.VARIABLE, None)
        try:
            value = offer(place, stack, part)
        except Missing as reason:
            if in_ci():
                raise
            say(f"!! {part.NAME} IS MISSING, {part.VARIABLE} is not set, what needs it is NOT tested: {reason}")
            continue
        environment[part.VARIABLE] = str(value)


def offer(place, stack, part):
    path = part.find(place)
    if path is None:
        raise Missing(f"{part.NAME} is not set up", f"run `python3 scripts/parts.py setup {part.NAME}`")
    try:
        return stack.enter_context(part.started(place)) if part in SERVERS else path
    except OSError as error:
        raise Missing(f"{part.NAME} cannot be started: {error}") from None


class Running:
    """The command and the signals that are meant for it."""

    def __init__(self, command):
        self.command = command
        self.child = None
        self.received = 0
        for signum in SIGNALS:
            signal.signal(signum, self.on_signal)

    def wait(self, environment):
        try:
            self.child = children.spawn(self.command, env=environment)
        except OSError as error:
            say(f"parts: {self.command[0]} cannot be run: {error.strerror}")
            return 127
        code = self.child.wait()
        return 128 - code if code < 0 else code

    def on_signal(self, signum, _frame):
        if self.child is None:
            sys.exit(128 + signum)  # still starting: unwinds and stops what was started
        self.received += 1
        if self.received > 2:
            signum = signal.SIGKILL
        elif signum == signal.SIGINT and typed_at_our_terminal():
            return  # the terminal has told the command too
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(signum)

    def ignore_signals(self):
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_IGN)


def typed_at_our_terminal():
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False
