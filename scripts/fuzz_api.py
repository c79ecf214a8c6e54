"""Runs schemathesis against a freshly started program: with a session, with a token, and with no credentials.

A 5xx, a status, content type or body that `/openapi.json` does not declare fails the run. On failure the data
folder is kept, and the command that serves it again is printed, so that the printed curl lines can be tried.
Which answer is right is not judged here; the Rust tests do that.
"""

import json
import os
import queue
import random
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from parts import children
from parts.place import REPOSITORY, say, tail

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
# These would end the run's own credentials, or (the event stream) never end themselves.
EXCLUDED = r"^(DELETE /api/me|POST /api/logout|POST /api/me/password|GET /api/me/events)$"
SETTINGS = {f"MOSAIC_THROTTLE_{whose}_PER_MINUTE": "1000000" for whose in ("ADDRESS", "USER", "TOKEN")}
SCOPES = ["read", "write", "admin", "metrics"]


class Broken(Exception):
    """The run cannot go on, or is over before its time: a sentence for the person who reads it."""


class Program:
    """The running program on a port of its own choice, with its data in `folder`."""

    def __init__(self, program, folder):
        self.folder = folder
        self.code = secrets.token_urlsafe(18)
        self.command = [str(program), "up", "--data", str(folder / "data"), f"--setup-code={self.code}"]
        # Nothing of the caller's own configuration may leak in: no variable, and no file from where we stand.
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("MOSAIC_")} | SETTINGS
        self.log = folder / "program.log"
        self.child = None

    def start(self, patience=60):
        with open(self.log, "ab") as log:
            self.child = children.spawn(
                [*self.command, "--listen", "127.0.0.1:0"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        lines = queue.SimpleQueue()
        threading.Thread(target=self.read, args=(lines,), daemon=True).start()
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise Broken(f"the program ended with {self.child.wait()} before it printed its address:\n{tail(self.log)}")
            for word in line.split():
                if word.startswith("http://127.0.0.1:"):
                    # The first start's line is a link with the setup code; only its origin is wanted.
                    return "/".join(word.split("#")[0].split("/")[:3]).rstrip(".,;")
        raise Broken(f"the program printed no address within {patience} s:\n{tail(self.log)}")

    def read(self, lines):
        with open(self.log, "a") as log:
            for line in self.child.stdout:
                log.write(line)
                log.flush()
                lines.put(line)
        lines.put(None)

    def again(self, address):
        """The command that serves the same data at the same address."""
        settings = [f"{key}={value}" for key, value in SETTINGS.items()]
        return shlex.join(["env", *settings, *self.command, "--listen", address.removeprefix("http://")])


class Api:
    """The few calls that get us credentials."""

    def __init__(self, address):
        self.address = address

    def call(self, method, path, body=None, headers=()):
        request = urllib.request.Request(self.address + path, method=method)
        request.add_header("Origin", self.address)
        for name, value in dict(headers).items():
            request.add_header(name, value)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.headers, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            raise Broken(f"{method} {path} answered {error.code}: {text}") from None
        except OSError as error:
            raise Broken(f"{method} {path}: {error}") from None

    def first_admin(self, code):
        """Returns the headers of a session, those of a token, and the ids that must stay alive."""
        body = {"code": code, "name": "fuzz", "password": secrets.token_urlsafe(18)}
        answer, me = self.call("POST", "/api/setup", body)
        session = {"Cookie": answer["Set-Cookie"].split(";")[0], "Origin": self.address}
        wanted = {"name": "fuzz", "scopes": SCOPES, "expires_in_days": 1}
        _, made = self.call("POST", "/api/me/tokens", wanted, session)
        token = {"Authorization": f"Bearer {made['secret']}"}
        _, sessions = self.call("GET", "/api/me/sessions", headers=session)
        own = [me["user"]["id"], made["token"]["id"], *(item["id"] for item in sessions["items"])]
        return session, token, own


def fuzz(schemathesis, api, folder, label, headers, own, seconds):
    say(f"\n=== {label}, {seconds} s")
    seed = os.environ.get("FUZZ_SEED", "1")
    command = [schemathesis, "run", f"{api.address}/openapi.json", "--url", api.address, "--checks", CHECKS]
    command += ["--exclude-name-regex", EXCLUDED, "--max-examples", os.environ.get("FUZZ_EXAMPLES", "20")]
    # One worker: with two, Python 3.11's parser (which hypothesis calls) now and then loses count between threads.
    command += ["--max-time", str(seconds), "--workers", "1", "--request-timeout", "20", "--warnings", "off"]
    command += ["--seed", str(random.randrange(2**32)) if seed == "random" else seed, "--generation-database", "none"]
    command += ["--suppress-health-check", "all", "--output-sanitize", "false", "--no-color"]
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    hooks = REPOSITORY / "scripts" / "fuzz_hooks.py"
    environment = os.environ | {
        "SCHEMATHESIS_HOOKS": hooks.stem,
        "PYTHONPATH": str(hooks.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FUZZ_OWN_IDS": ",".join(own),
    }
    child = children.spawn(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL)
    try:
        # Its own limit covers generating and calling; shrinking a failure comes on top.
        if child.wait(timeout=seconds * 2 + 120) != 0:
            raise Broken(f"schemathesis found something {label}: see the curl lines above")
    except subprocess.TimeoutExpired:
        raise Broken(f"schemathesis did not end in time {label}") from None
    finally:
        children.stop(child)


def passes(schemathesis, program, api, folder):
    seconds = int(os.environ.get("FUZZ_SECONDS", "90"))
    session, token, own = api.first_admin(program.code)
    # The session first: with a token, "end all other sessions" would end it.
    plan = [("with a session", session, seconds // 3), ("with a token", token, seconds), ("without credentials", {}, seconds // 3)]
    for label, headers, share in plan:
        fuzz(schemathesis, api, folder, label, headers, own, max(share, 1))
        if program.child.poll() is not None:
            raise Broken(f"the program ended with {program.child.returncode} {label}:\n{tail(program.log, 40)}")
        if headers:
            try:
                api.call("GET", "/api/me", headers=headers)
            except Broken as broken:
                raise Broken(f"the credentials did not survive the run {label}, so it tested too little: {broken}") from None


def main():
    schemathesis = os.environ.get("TEST_SCHEMATHESIS")
    if not schemathesis:
        say("!! schemathesis IS MISSING (TEST_SCHEMATHESIS is not set): the HTTP API is NOT fuzzed")
        return 1 if os.environ.get("TEST_REQUIRED") == "1" else 0
    binary = REPOSITORY / os.environ.get("FUZZ_PROGRAM", "target/debug/mosaic")
    if not binary.is_file():
        say(f"!! {binary} is not built: run `cargo build -p mosaic`")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="fuzz-api-"))
    program, api = Program(binary, folder), None
    try:
        api = Api(program.start())
        passes(schemathesis, program, api, folder)
    except Broken as broken:
        say(f"\n!! {broken}")
        say(f"!! The program's log: {program.log}")
        if api:
            say(f"!! To try the curl lines, serve the same data again:\n{program.again(api.address)}")
        return 1
    finally:
        if program.child:
            children.stop(program.child, signal.SIGTERM)
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
