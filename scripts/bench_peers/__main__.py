"""Installs the peers into .parts/peers, describes each to the benchmark program, and lets it measure.

A peer that cannot be installed is named and skipped: the figures are a report, no check. What is measured, and how,
is in the benchmark program (bench/src/peers.rs).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from parts import children
from parts.place import REPOSITORY, Missing, Place, say

from . import ALL

PROGRAM = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "release" / "mosaic-bench"
# About two minutes a peer; more is a peer that hangs.
MINUTES_A_PEER = 6


def choose(names):
    known = {peer.NAME: peer for peer in ALL}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"there is no peer {', '.join(unknown)}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(ALL)


def install(peers, place):
    """Returns the files that describe those peers which are there."""
    files = []
    for peer in peers:
        label = f"  {peer.NAME} {peer.VERSION}".ljust(28)
        begun = time.monotonic()
        try:
            if not peer.find(place):
                say(f"{label} installing …")
                peer.setup(place)
                if not peer.find(place):
                    raise Missing("it was installed without an error and is still not there")
            files.append(describe(peer, place))
            say(f"{label} ready {time.monotonic() - begun:6.1f} s")
        except Missing as reason:
            say(f"!! {peer.NAME} {peer.VERSION} IS SKIPPED: {reason}")
    return files


def describe(peer, place):
    # Where it runs and has its home: nothing of an earlier run, nothing of the person who measures.
    folder = place.folder / "run" / peer.NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    description = {"name": f"{peer.TITLE} {peer.VERSION}", "folder": str(folder), **peer.describe(place)}
    file = place.folder / f"{peer.NAME}.json"
    file.write_text(json.dumps(description, indent=2))
    return file


def measure(files):
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal tells the program too; it stops what it started
    child = children.spawn([str(PROGRAM), "peers", *map(str, files)], stdin=subprocess.DEVNULL)
    try:
        return child.wait(timeout=MINUTES_A_PEER * 60 * len(files))
    except subprocess.TimeoutExpired:
        say("!! the benchmark did not end in time")
        return 1
    finally:
        children.stop(child, signal.SIGTERM, patience=30)


def main(names):
    if not PROGRAM.is_file():
        say(f"{PROGRAM} is not built: cargo build --release -p mosaic -p mosaic-bench")
        return 1
    place = Place(Place.from_environment().folder / "peers")
    with place.locked("peers"):
        say(f"peers: installing into {place.folder}")
        files = install(choose(names), place)
        if not files:
            say("!! no peer is there to measure beside")
            return 0
        return measure(files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
