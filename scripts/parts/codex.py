"""Codex, an agent program that speaks OpenAI's Responses, from npm."""

from .npm import Packages

NAME = "codex"
PACKAGES = Packages(NAME)
VERSION = PACKAGES.version_of("@openai/codex")
VARIABLE = "TEST_CODEX"


def setup(place):
    if not find(place):
        PACKAGES.setup(place)


def find(place):
    modules = PACKAGES.find(place)
    # The package for this platform: without it the other one is only a wrapper.
    there = modules and list((modules / "@openai").glob("codex-*"))
    return modules / ".bin" / "codex" if there else None
