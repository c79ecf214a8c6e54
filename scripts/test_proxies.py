#!/usr/bin/env python3
"""Holds docs/reverse-proxy.md to its word: starts nginx and Caddy with the very texts of that page, in front of the
real program, and looks at what arrives through them.

    MOSAIC_BIN        the program, instead of target/debug/mosaic
    TEST_REQUIRED=1   a proxy program that is missing is a failure instead of a loud remark

Replaced in the texts are the name's port, the addresses to listen on and the certificate, and nothing else. The
visitor comes from 127.0.0.2, because 127.0.0.1 is the proxy's address, which the program trusts. Leaves out getting
certificates from an authority, and HTTP/2.
"""

import contextlib
import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from parts import children
from parts.place import REPOSITORY, say, tail

PAGE = REPOSITORY / "docs" / "reverse-proxy.md"
PROGRAM = Path(os.environ.get("MOSAIC_BIN") or REPOSITORY / "target" / "debug" / "mosaic")
NAME = "chat.example.org"
PROXY = "127.0.0.1"
VISITOR = "127.0.0.2"
FORGED = "203.0.113.7"
PATIENCE = 20
BLOB_BYTES = 5 * 1024 * 1024
TRIES = 3


class Broken(Exception):
    """Something is not as it should be: a sentence for the person who reads it."""


def must(holds, sentence):
    if not holds:
        raise Broken(sentence)


# ---- The texts of the page ----


def fenced(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    must(len(found) == 1, f"{PAGE.name} has {len(found)} texts in {language}, not one")
    return found[0]


def replaced(text, *pairs):
    """Each of the old texts must be there: otherwise the page has changed, and this script tests something else."""
    for old, new in pairs:
        must(old in text, f"{PAGE.name} no longer says `{old}`")
        text = text.replace(old, new)
    return text


# ---- What is started ----


class Stand:
    """The program and one proxy in front of it, on ports that were free a moment ago."""

    def __init__(self, folder, stack):
        self.folder, self.stack = folder, stack
        self.port, self.plain_port, self.inner_port = (children.free_port() for _ in range(3))
        self.origin = f"https://{NAME}:{self.port}"
        self.code = secrets.token_urlsafe(18)

    def start(self, command, ready, **options):
        log = self.folder / f"{Path(command[0]).name}.log"
        with open(log, "ab") as out:
            child = children.spawn(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder, **options)
        self.stack.callback(children.stop, child, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while not ready():
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(0.05)
            if child.poll() is not None or time.monotonic() > deadline:
                raise Broken(f"{log.stem} does not answer (exit code {child.poll()}):\n{tail(log)}")

    def start_program(self):
        text = replaced(
            fenced("toml"),
            ('"127.0.0.1:6672"', f'"127.0.0.1:{self.inner_port}"'),
            (f'"https://{NAME}"', f'"{self.origin}"'),
        )
        (self.folder / "mosaic.toml").write_text(text)
        # Nothing of the caller's own configuration may leak in.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MOSAIC_")} | {"MOSAIC_SETUP_CODE": self.code}
        command = [str(PROGRAM), "up", "--config", "mosaic.toml", "--data", "data"]
        self.start(command, lambda: answers(self.direct), env=environment)

    def make_certificate(self):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
        command += ["-keyout", "key.pem", "-out", "cert.pem"]
        made = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        must(made.returncode == 0, f"openssl made no certificate: {made.stderr}")
        self.trust = ssl.create_default_context(cafile=self.folder / "cert.pem")

    def visit(self, headers=(), timeout=PATIENCE):
        return Visitor(Named(self.port, self.trust, timeout), self.origin, headers)

    def direct(self, headers=(), timeout=PATIENCE):
        connection = http.client.HTTPConnection(PROXY, self.inner_port, timeout, source_address=(VISITOR, 0))
        return Visitor(connection, self.origin, {"Host": f"{NAME}:{self.port}", **dict(headers)})


class Named(http.client.HTTPSConnection):
    """A connection to the name that leads to this machine, and comes from the visitor's address."""

    def __init__(self, port, trust, timeout):
        super().__init__(NAME, port, timeout=timeout, context=trust)
        self.trust = trust

    def connect(self):
        plain = socket.create_connection((PROXY, self.port), self.timeout, (VISITOR, 0))
        self.sock = self.trust.wrap_socket(plain, server_hostname=NAME)


class Visitor:
    """One connection, as a browser on the page would use it."""

    def __init__(self, connection, origin, headers):
        self.connection = connection
        self.headers = {"Origin": origin, **dict(headers)}

    def open(self, method, path, body=None):
        headers = dict(self.headers)
        if isinstance(body, dict):
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        self.connection.request(method, path, body, headers)
        return self.connection.getresponse()

    def ask(self, method, path, body=None, wanted=200):
        answer = self.open(method, path, body)
        content = answer.read()
        must(answer.status == wanted, f"{method} {path} answered {answer.status}, not {wanted}: {content[:300]!r}")
        return answer, content

    def login(self, password):
        answer, _ = self.ask("POST", "/api/login", {"name": "ada", "password": password})
        cookie = answer.headers["Set-Cookie"] or ""
        return cookie, {"Cookie": cookie.split(";")[0]}

    def address_seen(self):
        _, content = self.ask("GET", "/api/me/sessions")
        return next(session["address"] for session in json.loads(content)["items"] if session["current"])


def answers(visit):
    try:
        visit(timeout=2).ask("GET", "/healthz")
        return True
    except (OSError, http.client.HTTPException, Broken):
        return False


# ---- The proxies ----


def start_nginx(stand):
    text = replaced(
        fenced("nginx"),
        ("listen 80;", f"listen {PROXY}:{stand.plain_port};"),
        ("listen 443 ", f"listen {PROXY}:{stand.port} "),
        ("/etc/ssl/mosaic/fullchain.pem", f"{stand.folder}/cert.pem"),
        ("/etc/ssl/mosaic/privkey.pem", f"{stand.folder}/key.pem"),
        ("127.0.0.1:6672", f"127.0.0.1:{stand.inner_port}"),
    )
    # What /etc/nginx/nginx.conf would say around it.
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {stand.folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    conf = f"daemon off;\n{user}\npid {stand.folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n{places}\n{text}\n}}\n"
    (stand.folder / "nginx.conf").write_text(conf)
    command = [shutil.which("nginx"), "-p", str(stand.folder), "-c", "nginx.conf", "-e", "nginx-errors.log"]
    stand.start(command, lambda: answers(stand.visit))


def start_caddy(stand):
    certificate = f"bind {PROXY}\n    tls {stand.folder}/cert.pem {stand.folder}/key.pem"
    text = replaced(
        fenced("caddy"),
        (f"{NAME} {{", f"{NAME}:{stand.port} {{\n    {certificate}"),
        ("127.0.0.1:6672", f"127.0.0.1:{stand.inner_port}"),
    )
    # Its management port and the one that sends plain HTTP to TLS may be taken on this machine.
    conf = f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{text}"
    (stand.folder / "Caddyfile").write_text(conf)
    own = {"HOME": str(stand.folder), "XDG_DATA_HOME": str(stand.folder), "XDG_CONFIG_HOME": str(stand.folder)}
    command = [shutil.which("caddy"), "run", "--config", "Caddyfile", "--adapter", "caddyfile"]
    stand.start(command, lambda: answers(stand.visit), env={**os.environ, **own})


# ---- What is looked at ----


def checks(stand):
    """Pairs of a sentence and what shows that it is true, in the order in which they build on each other."""
    password = secrets.token_urlsafe(12)
    session = {}

    def login():
        body = {"code": stand.code, "name": "ada", "password": password}
        stand.visit().ask("POST", "/api/setup", body, wanted=201)
        cookie, headers = stand.visit().login(password)
        must(cookie.startswith("__Host-mosaic_session="), f"the cookie is {cookie.split('=')[0]}")
        for word in ("Secure", "HttpOnly", "Path=/"):
            must(word in cookie.split("; "), f"the cookie is not {word}")
        session.update(headers)
        answer, content = stand.visit(session).ask("GET", "/api/me")
        must(json.loads(content)["user"]["name"] == "ada", "somebody else is logged in")
        must(answer.headers["Strict-Transport-Security"], "browsers are not told to keep to TLS")

    def real_address():
        seen = stand.visit(session).address_seen()
        must(seen == VISITOR, f"the session shows {seen}, not {VISITOR}")

    def forged(visit):
        lies = {"X-Forwarded-For": FORGED, "X-Real-IP": FORGED, "Forwarded": f"for={FORGED}", "X-Forwarded-Proto": "http"}
        cookie, headers = visit(lies).login(password)
        must(cookie.startswith("__Host-"), "a visitor talked the program out of TLS")
        seen = stand.visit(headers).address_seen()
        must(seen == VISITOR, f"the session shows {seen}, not {VISITOR}")

    def events():
        answer = stand.visit(session, timeout=10).open("GET", "/api/me/events")
        must(answer.status == 200, f"the stream was answered with {answer.status}")
        first = event(answer)
        must(first.startswith("event: me"), f"the first event is {first!r}")
        stand.visit(session).ask("PATCH", "/api/me", {"display_name": "Ada L."})
        second = event(answer)
        must("Ada L." in second, f"the second event is {second!r}")

    def upload():
        _, content = stand.visit(session).ask("GET", "/api/me")
        blob = secrets.token_bytes(BLOB_BYTES)
        path = f"/api/workspaces/{json.loads(content)['workspace_id']}/blobs/{hashlib.sha256(blob).hexdigest()}"
        stand.visit(session).ask("PUT", path, blob)
        _, back = stand.visit(session).ask("GET", path)
        must(back == blob, "what came back is not what was stored")

    def other_site():
        stranger = {**session, "Origin": "https://elsewhere.example"}
        stand.visit(stranger).ask("PATCH", "/api/me", {"display_name": "x"}, wanted=403)

    yield "a login works, with a __Host- Secure cookie", login
    yield "the list of sessions shows the visitor's address", real_address
    yield "a forged X-Forwarded-For is not believed", lambda: forged(stand.visit)
    yield "… nor from a visitor who comes past the proxy", lambda: forged(stand.direct)
    yield "events arrive one by one", events
    yield "a blob of 5 MiB goes up and comes back", upload
    yield "a page of another site is refused", other_site


def event(answer):
    lines = []
    while line := answer.readline().decode().rstrip("\n"):
        lines.append(line)
    return "\n".join(lines)


def redirected(stand):
    connection = http.client.HTTPConnection(PROXY, stand.plain_port, timeout=PATIENCE)
    connection.request("GET", "/docs?a=1", headers={"Host": NAME})
    answer = connection.getresponse()
    to = answer.headers["Location"]
    must((answer.status, to) == (301, f"https://{NAME}/docs?a=1"), f"it answered {answer.status} to {to}")


# ---- Counting ----


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, sentence, look):
        try:
            look()
        except (Broken, OSError, http.client.HTTPException, LookupError, ValueError) as reason:
            self.failed += 1
            say(f"  FAILED {sentence}: {type(reason).__name__ if not isinstance(reason, Broken) else ''} {reason}")
            return
        self.passed += 1
        say(f"  passed {sentence}")

    def missing(self, what):
        say(f"!! {what}")
        if os.environ.get("TEST_REQUIRED") == "1":
            self.failed += 1


def through(proxy, start, more, tally):
    say(f"through {proxy}:")
    for left in reversed(range(TRIES)):
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mosaic-proxy-"))).resolve()
            stand = Stand(folder, stack)
            try:
                stand.make_certificate()
                stand.start_program()
                start(stand)
            except Broken as reason:
                # Somebody may have taken a port between finding and using it.
                if left == 0:
                    tally.check(f"{proxy} starts with the text of the page", lambda reason=reason: must(False, str(reason)))
                continue
            for sentence, look in checks(stand):
                tally.check(sentence, look)
            for sentence, look in more:
                tally.check(sentence, lambda look=look: look(stand))
            return


def visitor_exists():
    with socket.socket() as probe:
        try:
            probe.bind((VISITOR, 0))
        except OSError:
            return False
    return True


def main():
    tally = Tally()
    proxies = {
        "nginx": (start_nginx, [("plain HTTP is sent to TLS", redirected)]),
        "caddy": (start_caddy, []),
    }
    if not PROGRAM.is_file():
        tally.check("the program is built", lambda: must(False, f"{PROGRAM} is missing: cargo build -p mosaic"))
    elif not shutil.which("openssl"):
        tally.missing("openssl IS MISSING: the reverse-proxy page is NOT tested (install the package openssl)")
    elif not visitor_exists():
        tally.missing(f"{VISITOR} is no address of this machine: the reverse-proxy page is NOT tested")
    else:
        for proxy, (start, more) in proxies.items():
            if shutil.which(proxy):
                through(proxy, start, more, tally)
            else:
                tally.missing(f"{proxy} IS MISSING: its part of {PAGE.name} is NOT tested (install the package {proxy})")
    say(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
