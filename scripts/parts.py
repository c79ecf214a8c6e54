#!/usr/bin/env python3
"""The real parts that the tests run against: set them up, and lend them to a command.

    parts.py setup [PART…]       fetch what is missing into ./.parts (or $PARTS_DIR); quick when nothing is
    parts.py run -- COMMAND…     start PostgreSQL and Valkey, export TEST_*, run COMMAND, stop them again
    parts.py clean               remove everything that setup put there

With CI=true a part that cannot be had is a failure. Otherwise it is named loudly, and the tests that need it
skip themselves. What each part is lives in the folder `parts` beside this file; this file only reads the
command line.
"""

import sys

from parts import running, setting_up
from parts.place import Place


def main(arguments):
    place = Place.from_environment()
    match arguments:
        case ["setup", *names]:
            return setting_up.setup(place, names)
        case ["run", "--", *command] if command:
            return running.run(place, command)
        case ["clean"]:
            return setting_up.clean(place)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
