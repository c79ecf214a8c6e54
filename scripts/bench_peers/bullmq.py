"""BullMQ, from npm, over the Valkey that the tests use, which syncs every write here: messages that are kept."""

from parts import valkey
from parts.place import Place

from .node import LOG

NAME = "bullmq"
TITLE = "BullMQ"
VERSION = LOG.version_of("bullmq")


def parts():
    """Where the Valkey of the tests is."""
    return Place.from_environment()


def setup(place):
    LOG.setup(place)
    with parts().locked("setup"):
        valkey.setup(parts())


def find(place):
    return LOG.find(place) and valkey.find(parts())


def describe(place):
    return {
        "kind": "queue",
        "command": LOG.run(place, "bullmq.cjs", "{port}", "{disk}", str(valkey.find(parts()))),
        "env": {"NODE_ENV": "production"},
        "ready": "/",
    }
