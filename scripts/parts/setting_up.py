"""`parts.py setup` and `parts.py clean`: one progress line per part with its time, and what is missing at the end."""

import shutil
import time

from . import ALL, postgres
from .place import Missing, in_ci, say


def setup(place, names):
    chosen = choose(names)
    if chosen is None:
        return 2
    missing = {}
    with place.locked("setup"):
        say(f"parts: setting up in {place.folder}")
        for part in chosen:
            label = f"  {part.NAME} {part.VERSION}".ljust(28)
            begun = time.monotonic()
            if part.find(place):
                say(f"{label} there already   {time.monotonic() - begun:6.1f} s")
                continue
            say(f"{label} setting up …")
            try:
                part.setup(place)
                if not part.find(place):
                    raise Missing("it was set up without an error and is still not there")
                say(f"{label} ready           {time.monotonic() - begun:6.1f} s")
            except Missing as reason:
                say(f"{label} MISSING         {time.monotonic() - begun:6.1f} s")
                missing[part.NAME] = reason
    return report(missing)


def choose(names):
    known = {part.NAME: part for part in ALL}
    unknown = [name for name in names if name not in known]
    if unknown:
        say(f"parts: there is no part {', '.join(unknown)}; there are {', '.join(known)}")
        return None
    return [known[name] for name in names] if names else list(ALL)


def report(missing):
    if not missing:
        return 0
    say()
    say("!! parts that could not be set up; what needs them is NOT tested:")
    for name, reason in missing.items():
        say(f"!!   {name}: {reason}")
    say("!! With CI=true this is a failure." if in_ci() else "!! Going on without them; with CI=true this would be a failure.")
    say()
    return 1 if in_ci() else 0


def clean(place):
    if place.folder.is_dir():
        with place.locked("setup"):
            postgres.remove(place)
            shutil.rmtree(place.folder, ignore_errors=True)
        say(f"parts: removed {place.folder}")
    return 0
