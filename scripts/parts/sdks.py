"""The official clients of OpenAI and Anthropic, for Python and for JavaScript: what people will call the gateway with.

Python's live in an environment of their own, so that their needs and those of other parts never argue.
"""

import hashlib

from . import wheels
from .npm import Packages
from .place import Place

NAME = "sdks"
PACKAGES = Packages(NAME)
VERSION = PACKAGES.version_of("openai")
VARIABLE = "TEST_SDKS"
REQUIREMENTS = PACKAGES.source / "requirements.txt"
STAMP = "python"


def version():
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def own(place):
    """A place inside the part: an environment and stamps of its own."""
    return Place(PACKAGES.folder(place))


def setup(place):
    if find(place):
        return
    PACKAGES.setup(place)
    inner = own(place)
    inner.create()
    wheels.pip(inner, STAMP, "install", "--no-deps", "--requirement", str(REQUIREMENTS))
    inner.stamp(STAMP, version())


def find(place):
    complete = (own(place).folder / "venv" / "bin" / "python").is_file()  # its Python may have been upgraded away
    ours = own(place).stamped(STAMP, version())
    return PACKAGES.folder(place) if PACKAGES.find(place) and ours and complete else None
