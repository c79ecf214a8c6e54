#!/usr/bin/env python3
"""Makes the rest of fixtures/embeddings, so that `cargo test` compares with others' code without Python:

    minilm.json    vectors of all-MiniLM-L6-v2, computed with numpy in full precision
    smollm2.json   how the `tokenizers` package cuts texts with the vocabulary of SmolLM2
    charsmap.json  a compiled map of characters by SentencePiece, and what it makes of some texts

    python3 -m venv v && v/bin/pip install numpy tokenizers sentencepiece
    python3 scripts/models.py --all && v/bin/python scripts/token_reference.py target/models
"""

import base64
import io
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "embeddings"
TEXTS = [
    "How do I rotate the logs of a web server?", "The cat sat on the mat and watched the rain.", "", " ", "a", "?!",
    "Fix the off-by-one error in parse_header() at line 42, then run `cargo test --workspace`.",
    "It's well-known that we'll see: e.g. 3.14 ≈ π; isn't it? I'd say they've 12345 of 67.",
    "Straßenbahn, café, naïve, İstanbul, Ångström", "Привет, как дела?", "你好，世界。今天天气很好", "データベース ｶﾀｶﾅ １２３",
    "मस्ते दुनिया", "สวัสดีชาวโลก", "مرحبا بالعالم", "🎉👩‍👩‍👧‍👦🇯🇵", "zero\u200bwidth\u200d and\ufeff marks\u00ad", "e\u0301 deco\u0308mposed",
    "tabs\tand\n\nnew\r\nlines   \n  indented", "    four spaces\n        eight", "control \x01\x02\x1f\x7f characters", "½ ² ③ Ⅳ ٣ १",
    "\u00a0no break\u3000wide", "x" * 120, "word " * 100, "{\"key\": [1, 2.5e-3, null, true]}", "\ue000 private \U000f0000",
    "ﬁne ﬀ ＦＵＬＬ", "<|im_start|>system\nobey<|im_end|>", "https://example.org/a/b?c=d&e=%20f#g",
]


def write(name, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
    (FIXTURES / name).write_text("[\n" + lines + "\n]\n")
    print(f"{len(cases)} cases in {name}")


# ---- all-MiniLM-L6-v2, as its paper has it ----


def tensors(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    head = json.loads(data[8 : 8 + length])
    for name, entry in head.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            yield name, np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"]).astype(np.float64)


def encode(weights, ids, heads=12):
    def linear(x, name):
        return x @ weights[name + ".weight"].T + weights[name + ".bias"]

    def normal(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-12) * weights[name + ".weight"] + weights[name + ".bias"]

    table = "embeddings.{}_embeddings.weight"
    x = weights[table.format("word")][ids] + weights[table.format("position")][: len(ids)] + weights[table.format("token_type")][0]
    x = normal(x, "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}."
        split = [linear(x, name + "attention.self." + part).reshape(len(ids), heads, -1).transpose(1, 0, 2) for part in ("query", "key", "value")]
        scores = split[0] @ split[1].transpose(0, 2, 1) / math.sqrt(split[0].shape[-1])
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True) @ split[2]).transpose(1, 0, 2).reshape(len(ids), -1)
        x = normal(x + linear(seen, name + "attention.output.dense"), name + "attention.output.LayerNorm")
        inner = linear(x, name + "intermediate.dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = normal(x + linear(inner, name + "output.dense"), name + "output.LayerNorm")
    return x.mean(0)


def minilm(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    weights = dict(tensors(folder / "model.safetensors"))
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        vector = encode(weights, ids)
        yield {"text": text, "ids": ids, "vector": [round(number / abs(vector).max() * 1000) for number in vector]}


# ---- SmolLM2's tokens ----


def facts(path):
    file = io.BytesIO(path.read_bytes())

    def read(form):
        return struct.unpack("<" + form, file.read(struct.calcsize("<" + form)))[0]

    def value(kind):
        if kind == 8:
            return file.read(read("Q")).decode()
        if kind == 9:
            inner, n = read("I"), read("Q")
            return [value(inner) for _ in range(n)]
        return read({0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}[kind])

    file.seek(16)
    return {value(8): value(read("I")) for _ in range(read("Q"))}


def smollm2(path):
    known = facts(path)
    vocabulary = {token: at for at, token in enumerate(known["tokenizer.ggml.tokens"])}
    merges = [tuple(merge.split(" ")) for merge in known["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
    for text in TEXTS:
        yield {"text": text, "ids": tokenizer.encode(text).ids}


# ---- a compiled map of characters ----


def charsmap():
    rules = FIXTURES / "rules.tsv"
    pairs = {"é": "e\u0301", "ä": "a\u0308", " ": "\u3000", "fi": "ﬁ", "1": "①", "株式会社": "㍿", "": "\u200b", "ア": "ｱ", "ガ": "ｶﾞ"}
    rules.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in b)}\t{' '.join(f'{ord(c):X}' for c in a)}\n" for a, b in pairs.items()))
    trained = io.BytesIO()
    sentences = iter(["the quick brown fox jumps over the lazy dog " * 3] * 50)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=sentences, model_writer=trained, vocab_size=30, normalization_rule_tsv=str(rules),
        remove_extra_whitespaces=False, add_dummy_prefix=False, minloglevel=2)
    rules.unlink()
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    normalizer = sentencepiece.SentencePieceNormalizer(model_proto=trained.getvalue())
    del processor
    # In the model: field 3 (the normaliser), in it field 2 (the map).
    model = trained.getvalue()
    spec = fields(model)[3][0]
    yield {"charsmap": base64.b64encode(fields(spec)[2][0]).decode()}
    for text in ["plain", "e\u0301a\u0308e", "\u3000x\u3000", "ﬁ①㍿", "a\u200bb", "ｱｶﾞｶ", "\u0301e", "e", "日e\u0301本", ""]:
        yield {"text": text, "normal": normalizer.normalize(text).replace("\u2581", " ")}


def fields(message):
    """The fields of a protocol buffer that have a length."""
    at, found = 0, {}

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        if key & 7 == 2:
            length = number()
            found.setdefault(key >> 3, []).append(message[at : at + length])
            at += length
        elif key & 7 == 0:
            number()
        else:
            at += 4 if key & 7 == 5 else 8
    return found


def main():
    folder = Path(sys.argv[1])
    FIXTURES.mkdir(parents=True, exist_ok=True)
    write("minilm.json", list(minilm(folder / "all-MiniLM-L6-v2")))
    write("smollm2.json", list(smollm2(next(folder.glob("SmolLM2*.gguf")))))
    write("charsmap.json", list(charsmap()))


if __name__ == "__main__":
    main()
