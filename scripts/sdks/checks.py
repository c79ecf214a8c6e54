"""Sentences with what shows that they are true, run one after the other and counted. For the clients in Python."""

import base64
import os
import struct
import sys
import zlib

BASE_URL = os.environ["BASE_URL"]
TOKEN = os.environ["TOKEN"]
# A token that may do much, and not call models.
OTHER_TOKEN = os.environ.get("OTHER_TOKEN", "")
EMBEDDER = os.environ.get("EMBEDDER", "embedder/tiny-embed")
# The rule that decides for `auto`, and what it comes to.
RULE = os.environ.get("RULE", "Everything is echoed")
ROUTED = "scripted/echo"

WORDS = "one two three four"
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Ulm", "Bern"]}, "days": {"type": "integer", "minimum": 2}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
EXPECTED_CALL = {"city": "Ulm", "days": 2}

CHECKS = []


def check(sentence):
    def added(look):
        CHECKS.append((sentence, look))
        return look

    return added


def must(holds, sentence):
    if not holds:
        raise AssertionError(sentence)


def equal(found, wanted):
    must(found == wanted, f"{found!r}, not {wanted!r}")


def refused(kind, call):
    """The refusal, which must be of this kind and no other."""
    try:
        answer = call()
    except kind as refusal:
        return refusal
    raise AssertionError(f"no {kind} but an answer: {answer!r}"[:400])


def picture():
    """A red dot, as PNG in base64."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")), chunk(b"IEND", b"")]
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()


def told_why(headers, cost="x-mosaic-cost-micros"):
    """That an answer says which rule chose the model, why, and what it cost."""
    equal(headers.get("x-mosaic-rule"), RULE)
    equal(f"{headers.get('x-mosaic-provider')}/{headers.get('x-mosaic-model')}", ROUTED)
    must(headers.get("x-mosaic-reason"), f"there is no x-mosaic-reason among {sorted(headers)}")
    must(headers.get(cost, "").isdigit(), f"there is no {cost} among {sorted(headers)}")


def run():
    failed = 0
    wanted = sys.argv[1:]
    for sentence, look in CHECKS:
        if wanted and not any(word in sentence for word in wanted):
            continue
        try:
            look()
            print(f"  passed {sentence}", flush=True)
        except Exception as reason:  # whatever it is, the next one is looked at as well
            failed += 1
            print(f"  FAILED {sentence}: {type(reason).__name__}: {reason}"[:1500], flush=True)
    sys.exit(1 if failed else 0)
