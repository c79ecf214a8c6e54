"""Loaded by schemathesis: keeps it from ending the credentials that it tests with.

Stateful testing takes ids from answers, so sooner or later it would suspend its own user or revoke its own token,
and everything after that would be a test of "401". Such a call gets another id of the same shape.
"""

import os

import schemathesis

OWN = set(os.environ.get("FUZZ_OWN_IDS", "").split(","))
NOBODY = "00000000-0000-4000-8000-000000000000"


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() not in ("GET", "HEAD", "OPTIONS"):
        for name, value in (case.path_parameters or {}).items():
            if str(value).lower() in OWN:
                case.path_parameters[name] = NOBODY
