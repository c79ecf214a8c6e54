"""ws, from npm: about the least that sends messages to many readers in Node."""

from .node import LOG

NAME = "ws"
TITLE = "ws"
VERSION = LOG.version_of("ws")
setup, find = LOG.setup, LOG.find


def describe(place):
    return {
        "kind": "fan_out",
        "command": LOG.run(place, "ws.cjs", "{port}"),
        "env": {"NODE_ENV": "production"},
        "ready": "/",
        "speaks": "plain",
        "most_cost": 0.8,
    }
