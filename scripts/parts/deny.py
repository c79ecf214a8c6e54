"""cargo-deny, which checks the dependencies' licences, sources and bans. Built from source, for want of a package."""

import os
import shutil
import subprocess
from pathlib import Path

from .place import say

NAME = "cargo-deny"
VERSION = "0.20.2"
VARIABLE = None


def setup(place):
    if find(place):
        return
    say("    compiling it takes some minutes, once")
    root = str(place.folder / NAME)
    # Unoptimised: it runs for a second, and an optimised build takes twice as long as all it will ever save.
    command = ["cargo", "install", "--locked", "--debug", "--version", VERSION, "--root", root, NAME]
    settings = {**os.environ, "CARGO_PROFILE_DEV_DEBUG": "0"}
    place.fetch(NAME, command, remedy="a Rust toolchain is needed", loud=True, env=settings)


def find(place):
    for program in (place.folder / NAME / "bin" / NAME, shutil.which(NAME)):
        if program and works(program):
            return Path(program)
    return None


def works(program):
    try:
        return subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False
