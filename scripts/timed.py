#!/usr/bin/env python3
"""Times the stages of `make check` and holds them against the budget.

    timed.py LINE STAGE -- COMMAND…   run COMMAND, print how long it took, exit with its code
    timed.py --table                  print what $TIMINGS recorded, beside the budget's lines

A stage is kept in the file $TIMINGS when that is set. LINE is a line of the budget below: who exceeds it pays it
back in the same change. The budget is for a cold run on two cores.
"""

import os
import signal
import sys
import time
from pathlib import Path

from parts import children

BUDGET = {"build": 14, "tests": 10, "web": 6, "chaos": 4, "peers": 4}
NAMES = {"build": "build and clippy", "tests": "Rust tests", "peers": "real peers"}


def run(line, stage, command):
    signal.signal(signal.SIGINT, lambda *_: None)  # the terminal tells the command too; we wait for it
    print(f"──── {stage}", flush=True)
    begun = time.monotonic()
    try:
        code = children.spawn(command).wait()
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        code = 127
    seconds = time.monotonic() - begun
    print(f"──── {stage}: {'done' if code == 0 else f'FAILED ({code})'} in {seconds:.1f} s", flush=True)
    if file := os.environ.get("TIMINGS"):
        with open(file, "a") as kept:
            print(line, stage, f"{seconds:.1f}", code, sep="\t", file=kept)
    return 128 - code if code < 0 else code


def table():
    file = Path(os.environ["TIMINGS"])
    stages = [row.split("\t") for row in file.read_text().splitlines()] if file.is_file() else []
    print("\nstage                               minutes   budget")
    total = 0.0
    for line, minutes in BUDGET.items():
        mine = [(stage, float(seconds), code) for of, stage, seconds, code in stages if of == line]
        spent = sum(seconds for _, seconds, _ in mine) / 60
        total += spent
        over = "   OVER BUDGET" if spent > minutes else ""
        print(f"{NAMES.get(line, line):<34} {spent:8.1f} {minutes:8}{over}")
        for stage, seconds, code in mine:
            print(f"    {stage:<30} {seconds / 60:8.1f}{'' if code == '0' else '   FAILED'}")
    print(f"{'together':<34} {total:8.1f} {40:8}")
    return 0


def main(arguments):
    match arguments:
        case ["--table"]:
            return table()
        case [line, stage, "--", *command] if line in BUDGET and command:
            return run(line, stage, command)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
