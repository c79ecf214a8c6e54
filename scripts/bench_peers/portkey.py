"""Portkey's gateway: a small one in JavaScript that forwards to providers, from npm.

It has no accounts and no tokens, so its greeting is compared with our /healthz, both without credentials. Calls name
the provider in their headers, with its key.
"""

import hashlib
import json
import shutil
from pathlib import Path

NAME = "portkey"
TITLE = "Portkey"
SOURCE = Path(__file__).parent
PACKAGES = SOURCE / "npm"
VERSION = json.loads((PACKAGES / "package.json").read_text())["dependencies"]["@portkey-ai/gateway"]


def version():
    return hashlib.sha256((PACKAGES / "package-lock.json").read_bytes()).hexdigest()


def script(place):
    return place.folder / NAME / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"


def setup(place):
    folder = place.empty(NAME)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    command += ["--fetch-retries=1", "--fetch-timeout=20000"]
    place.fetch(NAME, command, remedy="Node 20 or newer with npm is needed", cwd=folder)
    place.stamp(NAME, version())


def find(place):
    return place.stamped(NAME, version()) and script(place).is_file()


def describe(place):
    return {
        "kind": "gateway",
        # It cannot be told where to listen, hence the first of the two scripts.
        "command": ["node", "--require", str(SOURCE / "loopback.cjs"), str(script(place)), "--port={port}", "--headless"],
        "env": {"NODE_ENV": "production"},
        "ready": "/",
        "path": "/",
        "headers": {},
        "beside": "/healthz",
        "calls": {
            "path": "/v1/chat/completions",
            "headers": {
                "authorization": "Bearer sk-bench-upstream",
                "x-portkey-provider": "openai",
                "x-portkey-custom-host": "{upstream}/v1",
            },
            "most_cost": 0.25,
        },
    }
