"""Other programs that Mosaic is measured beside: one file per peer, and the one that runs them."""

from . import bullmq, litellm, portkey, socketio, ws

ALL = (socketio, ws, bullmq, litellm, portkey)
