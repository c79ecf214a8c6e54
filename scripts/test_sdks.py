#!/usr/bin/env python3
"""Calls the real program as other programs will: with the official clients of OpenAI and Anthropic, in Python and in
JavaScript, and with two agent programs that run a command because the model asked them to.

    TEST_SDKS, TEST_CODEX, TEST_OPENCODE   where they are (scripts/parts.py run sets them)
    MOSAIC_BIN                             the program, instead of target/debug/mosaic
    TEST_REQUIRED=1                        a part that is missing is a failure instead of a loud remark

    test_sdks.py [NAME…]                   only these: with_openai.py, with_openai.mjs, …, codex, opencode

The models are scripted: they answer the same thing every time, and misbehave on demand. What they need of the provider of
embeddings is made up here. What the clients are asked is in the folder `sdks`.
"""

import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from fuzz_api import Api, Broken, Program
from parts import children
from parts.place import REPOSITORY, SCRIPTS, say, tail

BINARY = Path(os.environ.get("MOSAIC_BIN") or Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target") / "debug" / "mosaic")
SDKS = SCRIPTS / "sdks"
CLIENTS = ["with_openai.py", "with_anthropic.py", "with_openai.mjs", "with_anthropic.mjs"]
PATIENCE = 180
RULE = "Everything is echoed"
# What the agent programs are made to run, and to say afterwards.
COMMAND = "echo the file is written > proof.txt && cat proof.txt"
PROOF = "the file is written"
SAID = "The command answered:"


# ---- What is made up ----


class Embedder(http.server.BaseHTTPRequestHandler):
    """A provider of embeddings: a text's vector begins with its length."""

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.answer(200, {"object": "list", "data": [{"id": "tiny-embed", "object": "model"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith("/embeddings"):
            return self.answer(404, {"error": {"message": "only embeddings"}})
        texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
        data = [{"object": "embedding", "index": n, "embedding": [len(text), 0.25, -0.5]} for n, text in enumerate(texts)]
        usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        return self.answer(200, {"object": "list", "model": asked["model"], "data": data, "usage": usage})


@contextlib.contextmanager
def embedder():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Embedder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


class Stand:
    """The program with its providers, and what clients need to know of it."""

    def __init__(self, program, embeddings):
        self.address = program.start()
        self.api = Api(self.address)
        self.session, self.admin, _ = self.api.first_admin(program.code)
        self.token = self.make_token("models", ["models"])
        self.other = self.make_token("others", ["read"])
        self.add("/api/providers", {"name": "scripted", "kind": "scripted", "server": True})
        place = {"name": "embedder", "kind": "compatible", "server": True, "base_url": embeddings, "key": "sk-made-up"}
        self.add("/api/providers", place)
        # The first rule of all, so that it is known what `auto` comes to.
        echo = {"provider": "scripted", "model": "echo"}
        self.add("/api/routing/rules", {"name": RULE, "priority": -1_000_000, "then": {"models": [echo]}})

    def make_token(self, name, scopes):
        _, made = self.api.call("POST", "/api/me/tokens", {"name": name, "scopes": scopes, "expires_in_days": 1}, self.session)
        return made["secret"]

    def add(self, path, body):
        return self.api.call("POST", path, body, self.session)[1]

    def environment(self, home):
        """Nothing of the caller's that could lead elsewhere: no keys, no addresses, no settings in a home."""
        kept = {k: v for k, v in os.environ.items() if not re.match(r"MOSAIC_|OPENAI_|ANTHROPIC_|XDG_|CODEX_|OPENCODE_|.*_proxy$", k, re.I)}
        own = {"HOME": str(home), "BASE_URL": self.address, "TOKEN": self.token, "OTHER_TOKEN": self.other}
        return kept | own | {"RULE": RULE, "EMBEDDER": "embedder/tiny-embed", "PYTHONDONTWRITEBYTECODE": "1"}


# ---- The clients ----


def client(name, sdks, stand, folder, tally):
    say(f"{name}:")
    if name.endswith(".py"):
        command = [str(sdks / "venv" / "bin" / "python"), str(SDKS / name)]
    else:
        # Node looks for packages from where a script lies.
        for script in SDKS.glob("*.mjs"):
            shutil.copy(script, sdks)
        command = ["node", str(sdks / name)]
    code, text = run(command, folder, stand.environment(folder))
    print(text, end="", flush=True)
    tally.passed += len(re.findall(r"^  passed ", text, re.MULTILINE))
    failed = len(re.findall(r"^  FAILED ", text, re.MULTILINE))
    tally.failed += failed
    if code != 0 and not failed:
        tally.check(f"{name} runs to its end", f"it ended with {code}")


def run(command, folder, environment, typed=""):
    """The exit code, and all that was printed."""
    # Some look there rather than where they are.
    environment = environment | {"PWD": str(folder)}
    child = children.spawn(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )  # fmt: skip
    try:
        text, _ = child.communicate(typed, timeout=PATIENCE)
        return child.returncode, text
    except subprocess.TimeoutExpired:
        return "no end", f"  it did not end within {PATIENCE} s\n"
    finally:
        children.stop(child, signal.SIGTERM, patience=2)


# ---- The agent programs ----


def script(tool, arguments):
    """A prompt that has the scripted model call this tool, and then tell what it answered."""
    turns = [{"calls": [{"tool": tool, "arguments": arguments}]}, {"text": SAID + " {{results}}"}]
    return "Play this.\n```script\n" + json.dumps({"turns": turns}) + "\n```\n"


def codex(program, stand, home, work):
    settings = home / ".codex"
    settings.mkdir()
    (settings / "config.toml").write_text(
        f"""model = "scripted/script"
model_provider = "mosaic"
approval_policy = "never"
sandbox_mode = "danger-full-access"
[model_providers.mosaic]
name = "Mosaic"
base_url = "{stand.address}/v1"
env_key = "TOKEN"
wire_api = "responses"
"""
    )
    command = [program, "exec", "--skip-git-repo-check", "--json", script("exec_command", {"cmd": COMMAND})]
    return run(command, work, stand.environment(home))


def opencode(program, stand, home, work):
    models = {name: {"name": name, "tool_call": True} for name in ("scripted/script", "scripted/echo")}
    options = {"baseURL": f"{stand.address}/v1", "apiKey": stand.token}
    provider = {"npm": "@ai-sdk/openai-compatible", "name": "Mosaic", "options": options, "models": models}
    settings = {
        "autoupdate": False,
        "share": "disabled",
        "enabled_providers": ["mosaic"],
        "model": "mosaic/scripted/script",
        # It also asks for a title.
        "small_model": "mosaic/scripted/echo",
        "provider": {"mosaic": provider},
    }
    (work / "opencode.json").write_text(json.dumps(settings))
    quiet = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
    # Typed in, because it puts marks before the quotes of what stands on its command line.
    typed = script("bash", {"command": COMMAND, "description": "writes a file"})
    return run([program, "run"], work, stand.environment(home) | quiet, typed)


def agent(name, start, program, stand, folder, tally):
    say(f"{name}:")
    home, work = folder / f"{name}-home", folder / f"{name}-work"
    home.mkdir()
    work.mkdir()
    code, text = start(program, stand, home, work)
    proof = work / "proof.txt"
    shown = f"it ended with {code} and printed:\n{text[-3000:]}"
    written = proof.is_file() and proof.read_text().strip() == PROOF
    tally.check("the command that the model asked for was run", None if written else shown)
    answered = code == 0 and re.search(rf"{SAID}[^\n]*", text) and text.count(PROOF) > 1
    tally.check("the model's answer to what it printed came back", None if answered else shown)


# ---- Counting ----


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, sentence, reason):
        if reason is None:
            self.passed += 1
            say(f"  passed {sentence}")
        else:
            self.failed += 1
            say(f"  FAILED {sentence}: {reason}")

    def missing(self, what):
        say(f"!! {what}")
        if os.environ.get("TEST_REQUIRED") == "1":
            self.failed += 1


AGENTS = {"codex": ("TEST_CODEX", codex), "opencode": ("TEST_OPENCODE", opencode)}


def everything(wanted, folder, tally):
    with embedder() as embeddings, contextlib.ExitStack() as stack:
        program = Program(BINARY, folder)
        stack.callback(lambda: program.child and children.stop(program.child, signal.SIGTERM))
        try:
            stand = Stand(program, embeddings)
        except Broken as reason:
            tally.check("the program starts and takes its providers", f"{reason}\n{tail(program.log)}")
            return
        if sdks := os.environ.get("TEST_SDKS"):
            for name in (name for name in CLIENTS if name in wanted):
                client(name, Path(sdks), stand, folder, tally)
        else:
            tally.missing("the clients ARE MISSING (TEST_SDKS is not set): official SDKs are NOT tested")
        for name, (variable, start) in AGENTS.items():
            if name not in wanted:
                continue
            if place := os.environ.get(variable):
                agent(name, start, place, stand, folder, tally)
            else:
                tally.missing(f"{name} IS MISSING ({variable} is not set): it is NOT tested")
        if program.child.poll() is not None:
            tally.check("the program is still there", f"it ended with {program.child.returncode}:\n{tail(program.log, 40)}")


def main(names):
    every = [*CLIENTS, *AGENTS]
    if unknown := [name for name in names if name not in every]:
        sys.exit(f"there is no {', '.join(unknown)}; there are {', '.join(every)}")
    tally = Tally()
    if BINARY.is_file():
        folder = Path(tempfile.mkdtemp(prefix="mosaic-sdks-")).resolve()
        everything(names or every, folder, tally)
        if tally.failed:
            say(f"!! what was written is in {folder}")
        else:
            shutil.rmtree(folder)
    else:
        tally.check("the program is built", f"{BINARY} is missing: cargo build -p mosaic")
    say(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
