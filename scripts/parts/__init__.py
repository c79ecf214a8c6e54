"""Real parts for tests: one file per part, and the files that set them up and run them."""

from . import chromium, codex, deny, oidc, opencode, postgres, proxies, schemathesis, sdks, valkey

# In the order in which they are set up: quick ones first, the one that compiles for minutes last.
ALL = (postgres, valkey, oidc, schemathesis, sdks, codex, opencode, proxies, chromium, deny)
