"""Schemathesis, which reads an OpenAPI document and looks for answers that the document does not declare."""

import hashlib

from . import wheels
from .place import SCRIPTS

NAME = "schemathesis"
VERSION = "4.32.5"
VARIABLE = "TEST_SCHEMATHESIS"
REQUIREMENTS = SCRIPTS / "schemathesis.txt"


def version():
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def setup(place):
    if find(place):
        return
    wheels.pip(place, NAME, "install", "--no-deps", "--requirement", str(REQUIREMENTS))
    place.stamp(NAME, version())


def find(place):
    program = place.folder / "venv" / "bin" / "schemathesis"
    complete = program.is_file() and (program.parent / "python").is_file()  # its Python may have been upgraded away
    return program if place.stamped(NAME, version()) and complete else None
