"""Peers from npm: a folder with a lock file of ours, installed once for all that are in it."""

import hashlib
import json
import shutil
from pathlib import Path

REMEDY = "Node 20 or newer with npm is needed"


class Packages:
    def __init__(self, source: Path, name: str):
        self.source, self.name = source, name

    def version_of(self, package):
        return json.loads((self.source / "package.json").read_text())["dependencies"][package]

    def version(self):
        return hashlib.sha256((self.source / "package-lock.json").read_bytes()).hexdigest()

    def folder(self, place):
        return place.folder / self.name

    def setup(self, place):
        folder = place.empty(self.name)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(self.source / name, folder)
        # Not `npm ci`: it wants every platform's packages in the lock file, and some are nowhere to be had.
        command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        command += ["--fetch-retries=1", "--fetch-timeout=20000"]
        place.fetch(self.name, command, remedy=REMEDY, cwd=folder)
        place.stamp(self.name, self.version())

    def find(self, place):
        return place.stamped(self.name, self.version()) and (self.folder(place) / "node_modules").is_dir()

    def run(self, place, script, *arguments):
        """The command that runs a script of ours with these packages: it finds them beside itself."""
        copy = self.folder(place) / script
        shutil.copy(self.source / script, copy)
        return ["node", str(copy), *arguments]


LOG = Packages(Path(__file__).parent / "log", "log")
