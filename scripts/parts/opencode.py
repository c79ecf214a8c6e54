"""OpenCode, an agent program that speaks OpenAI's chat completions, from npm."""

from .npm import Packages

NAME = "opencode"
PACKAGES = Packages(NAME)
VERSION = PACKAGES.version_of("opencode-ai")
VARIABLE = "TEST_OPENCODE"


def setup(place):
    if not find(place):
        PACKAGES.setup(place)


def find(place):
    modules = PACKAGES.find(place)
    # Its wrapper is made by a script that we do not run; the program of this platform is in a package of its own.
    # The one for older processors, where there is one, runs everywhere.
    programs = modules and sorted(modules.glob("opencode-*/bin/opencode"), key=lambda it: "baseline" not in it.parts[-3])
    return programs[0] if programs else None
