"""A real OpenID provider for the login tests: our small server script beside its pinned dependencies.

The script and the package files live in `scripts/oidc`; they are copied to where the dependencies are installed,
so that Node finds them. Tests start it themselves, as many as they need.
"""

import hashlib
import shutil

from .place import SCRIPTS

NAME = "oidc"
VERSION = "9.13.3"
VARIABLE = "TEST_OIDC_PROVIDER"
SOURCE = SCRIPTS / "oidc"


def version():
    return hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest()


def setup(place):
    if find(place):
        return
    folder = place.empty(NAME)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    place.fetch(NAME, command, remedy="Node 20 or newer with npm is needed", cwd=folder)
    place.stamp(NAME, version())


def find(place):
    script = place.folder / NAME / "provider.mjs"
    if not place.stamped(NAME, version()) or not (script.parent / "node_modules").is_dir():
        return None
    current = (SOURCE / "provider.mjs").read_bytes()
    if not script.is_file() or script.read_bytes() != current:
        fresh = script.with_suffix(".new")
        fresh.write_bytes(current)
        fresh.replace(script)
    return script
