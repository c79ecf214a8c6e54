"""nginx and Caddy, which docs/reverse-proxy.md is tested with. Debian has both."""

import shutil
import sys
from pathlib import Path

from .place import Missing

NAME = "proxies"
VERSION = "any"
VARIABLE = None
PROGRAMS = ("nginx", "caddy")


def setup(place):
    for program in PROGRAMS:
        if where(program):
            continue
        if sys.platform != "linux":
            raise Missing(f"no {program} found", "install it")
        place.debian(NAME, program)


def find(_place):
    found = [where(program) for program in PROGRAMS]
    return Path(found[0]) if all(found) else None


def where(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
