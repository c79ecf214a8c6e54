#!/usr/bin/env python3
"""Measures the classifier as it is built, by meaning and by words, on labelled messages.

    target/venv/bin/python scripts/routing/measure.py FILE.jsonl [--wrong]

Needs what train.py needs."""

import argparse
import collections
import pathlib
from reading import DATA, HEADS, NEED, ROOT, embed, numbers, read


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path, nargs="?", default=DATA / "held_out.jsonl")
    parser.add_argument("--wrong", action="store_true", help="print the messages whose task is wrong")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / "target/routing/embeddings.npz")
    given = parser.parse_args()
    rows = read(given.file)
    embeddings = embed([one["to_embed"] for one in numbers(rows)], given.cache)
    said = numbers([row | {"embedding": e.tolist()} for row, e in zip(rows, embeddings)])
    for by in ("meaning", "words"):
        found = [one[by] for one in said]
        right = {key: sum(f[key] == r[key] for f, r in zip(found, rows)) / len(rows) for key, _ in HEADS}
        print(f"by {by}, {len(rows)} messages: " + ", ".join(f"{key} {share:.1%}" for key, share in right.items()))
        scores = []
        for need in [*NEED, None]:
            of = lambda one: sum(n == need or need is None for n in one["needs"])  # noqa: B023, E731
            hits = sum(len({n for n in f["needs"] if need in (n, None)} & set(r["needs"])) for f, r in zip(found, rows))
            total = sum(map(of, found)) + sum(map(of, rows))
            scores.append(f"{need or 'all'} {2 * hits / max(1, total):.2f}")
        print("  needs F1: " + ", ".join(scores))
    unsure = [(one["meaning"]["confidence"], one["meaning"]["task"] == row["task"]) for one, row in zip(said, rows)]
    low = [right for sure, right in unsure if sure < 0.6]
    high = [right for sure, right in unsure if sure >= 0.6]
    print(f"  confidence under 0.6: {len(low)} messages, {sum(low)} right; from 0.6: {len(high)}, {sum(high)} right")
    for key, labels in HEADS:
        pairs = collections.Counter((row[key], one["meaning"][key]) for row, one in zip(rows, said))
        print(f"\n{key}: rows are true, columns are said by meaning")
        print(" " * 14 + " ".join(f"{label[:8]:>8}" for label in labels))
        for true in labels:
            print(f"{true:<14}" + " ".join(f"{pairs[true, label] or '.':>8}" for label in labels))
    if given.wrong:
        for row, one in zip(rows, said):
            if one["meaning"]["task"] != row["task"]:
                print(f"{row['task']} -> {one['meaning']['task']} {one['meaning']['confidence']:.2f}: {row['text'][:160]!r}")


if __name__ == "__main__":
    main()
