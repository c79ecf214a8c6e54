"""Chromium (or Chrome) for the browser tests: whatever the machine has, else Debian's package."""

import os
import shutil
import sys
from pathlib import Path

from .place import Missing

NAME = "chromium"
VERSION = "any"
VARIABLE = "TEST_CHROMIUM"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = ("Chromium.app/Contents/MacOS/Chromium", "Google Chrome.app/Contents/MacOS/Google Chrome")


def setup(place):
    if find(place):
        return
    if sys.platform != "linux":
        raise Missing("no Chromium or Chrome found", "install one of them")
    place.debian(NAME, "chromium")
    if find(place) is None:
        raise Missing("the package chromium brought no program of that name")


def find(_place):
    for name in PROGRAMS:
        if program := shutil.which(name):
            return Path(program)
    for application in APPLICATIONS:
        program = Path("/Applications") / application
        if os.access(program, os.X_OK):
            return program
    return None
