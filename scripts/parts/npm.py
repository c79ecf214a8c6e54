"""Packages from npm for one part: a folder of ours with a lock file, installed into a folder of the same name."""

import hashlib
import json
import shutil

from .place import SCRIPTS

REMEDY = "Node 20 or newer with npm is needed"


class Packages:
    def __init__(self, name):
        self.name, self.source = name, SCRIPTS / name

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
        place.fetch(self.name, command, remedy=REMEDY, cwd=folder)
        place.stamp(self.name, self.version())

    def find(self, place):
        """The folder with the packages, if they are there and current."""
        modules = self.folder(place) / "node_modules"
        return modules if place.stamped(self.name, self.version()) and modules.is_dir() else None
