"""Other gateways that Mosaic is measured beside: one file per peer, and the one that runs them."""

from . import litellm, portkey

ALL = (litellm, portkey)
