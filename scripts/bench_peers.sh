#!/usr/bin/env bash
# Installs other programs from their packages and measures Mosaic beside them. See bench_peers/__main__.py.
#   bench_peers.sh [PEER…]     all of them, or some: socketio, ws, bullmq, litellm, portkey
PYTHONPATH="$(dirname "$0")" PYTHONDONTWRITEBYTECODE=1 exec python3 -m bench_peers "$@"
