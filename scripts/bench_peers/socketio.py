"""socket.io, from npm: what most people in Node would send messages to many readers with."""

from .node import LOG

NAME = "socketio"
TITLE = "socket.io"
VERSION = LOG.version_of("socket.io")
setup, find = LOG.setup, LOG.find


def describe(place):
    return {
        "kind": "fan_out",
        "command": LOG.run(place, "socketio.cjs", "{port}"),
        "env": {"NODE_ENV": "production"},
        "ready": "/",
        "speaks": "socket_io",
        "most_cost": 0.5,
    }
