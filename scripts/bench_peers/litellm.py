"""LiteLLM's proxy: a gateway in Python that speaks to many providers, with keys, from PyPI.

It runs with a key and a model, which is behind the provider that the benchmark makes up. What it would fetch or send over the network is turned off, and what
cannot be turned off meets a proxy that is not there. Its compiled wheel is pinned by digest, for the platform that the
published figures come from; elsewhere it is skipped.
"""

import hashlib
import re
from pathlib import Path

from parts import wheels

NAME = "litellm"
TITLE = "LiteLLM"
SOURCE = Path(__file__).parent
OWN, NEEDS = SOURCE / "litellm.txt", SOURCE / "litellm-needs.txt"
VERSION = re.search(r"^litellm==(\S+)", OWN.read_text(), re.MULTILINE)[1]
KEY = "sk-bench"
NOBODY = "http://127.0.0.1:9"
LOCAL = ["MODEL_COST_MAP", "POLICY_TEMPLATES", "BLOG_POSTS", "AUTOROUTER_PRESETS", "ANTHROPIC_BETA_HEADERS"]


def version():
    return hashlib.sha256(OWN.read_bytes() + NEEDS.read_bytes()).hexdigest()


def program(place):
    return place.folder / "venv" / "bin" / "litellm"


def setup(place):
    bounded = ["--timeout", "20", "--retries", "2"]
    # The small one first: where its wheel does not fit, nothing else need be fetched.
    wheels.pip(place, NAME, "install", "--no-deps", "--require-hashes", "--requirement", str(OWN), *bounded)
    wheels.pip(place, NAME, "install", "--no-deps", "--requirement", str(NEEDS), *bounded)
    place.stamp(NAME, version())


def find(place):
    return place.stamped(NAME, version()) and program(place).is_file()


def describe(place):
    local = {f"LITELLM_LOCAL_{what}": "True" for what in LOCAL}
    unreachable = {"HTTP_PROXY": NOBODY, "HTTPS_PROXY": NOBODY, "NO_PROXY": "127.0.0.1,localhost"}
    command = [str(program(place)), "--config", str(SOURCE / "litellm.yaml"), "--telemetry", "False"]
    return {
        "kind": "gateway",
        "command": [*command, "--host", "127.0.0.1", "--port", "{port}"],
        "env": {"LITELLM_MASTER_KEY": KEY, "BENCH_UPSTREAM": "{upstream}/v1", "DISABLE_ADMIN_UI": "True", **local, **unreachable},
        "ready": "/health/liveliness",
        "path": "/v1/models",
        "headers": {"authorization": f"Bearer {KEY}"},
        "beside": "/api/me",
        "calls": {
            "path": "/v1/chat/completions",
            "headers": {"authorization": f"Bearer {KEY}"},
            "most_cost": 0.02,
        },
    }
