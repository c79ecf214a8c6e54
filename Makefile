# Every command of the project. `make` alone lists them; ARGS="…" is passed on to `mosaic up`.
# The real parts that tests need live in .parts (scripts/parts.py); the web UI is built into web/dist.

SHELL := bash
override PARTS_DIR := $(abspath $(or $(PARTS_DIR),.parts))
export PARTS_DIR
export PATH := $(PARTS_DIR)/cargo-deny/bin:$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

PARTS := python3 "$(CURDIR)/scripts/parts.py"
# Fetches the small models that run in the process, quick when they are there.
MODELS := python3 "$(CURDIR)/scripts/models.py"
# Runs one stage of the check and says how long it took: $(TIMED) LINE-OF-THE-BUDGET STAGE -- COMMAND
TIMED := python3 "$(CURDIR)/scripts/timed.py"
MAKE_QUIET = $(MAKE) --no-print-directory
TEST_PARTS := postgres valkey oidc schemathesis sdks codex opencode proxies chromium

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: docs-update help run build models check test fmt clippy deny docs web bench bench-peers soak parts clean
.PHONY: _check _fmt-check _web-check _build-bench _build-tests _test _rust-tests _e2e _proxies _sdks _fuzz-api _cargo-fuzz _chaos

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build everything and start Mosaic on 127.0.0.1:6672 (options: ARGS="--listen …")
	@$(MODELS) --try
	@exec target/release/mosaic up $(ARGS)

models: ## the small local models, into target/models
	@$(MODELS)

build: web ## the release binary, with the web UI in it
	cargo build --release --locked -p mosaic

# ---- the web UI: npm and vite run only when something they read is newer than what they made ----

WEB := $(wildcard web/package.json)
WEB_INPUTS := $(shell find web/src web/public web/index.html web/*.ts web/*.js web/*.json web/.npmrc -type f 2>/dev/null)

web: $(if $(WEB),web/dist/index.html) ## the web UI into web/dist

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node 20 or newer" >&2; exit 1; }
	@cd web && $(TIMED) web "web: npm ci" -- npm ci --no-audit --no-fund && touch node_modules/.package-lock.json

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_INPUTS)
	@cd web && $(TIMED) web "web: build" -- npm run build && touch dist/index.html

# ---- checking ----

fmt: ## format the Rust code
	cargo fmt --all

clippy: web ## clippy, every warning an error
	@$(TIMED) build clippy -- cargo clippy --workspace --all-targets --locked -- -D warnings

deny: ## licences, sources and bans of the dependencies
	@$(TIMED) build "cargo-deny: set up" -- $(PARTS) setup cargo-deny
	@if cargo deny --version >/dev/null 2>&1; \
	then $(TIMED) build "cargo-deny" -- cargo deny --locked check bans licenses sources; \
	else echo "!! cargo-deny IS MISSING: dependencies are NOT checked"; fi

docs: web ## the Rust documentation, every warning an error
	@RUSTDOCFLAGS="-D warnings" $(TIMED) build docs -- \
		cargo doc --workspace --no-deps --document-private-items --locked

docs-update: web ## write the pages in docs/ that are made from the program itself
	UPDATE_DOCS=1 cargo test --locked -p mosaic --bin mosaic pages_are_current

check: export TIMINGS := $(PARTS_DIR)/timings.txt
check: ## everything that a change must pass, with a table of times at the end
	@mkdir -p "$(PARTS_DIR)" && rm -f "$(TIMINGS)"
	@code=0; $(MAKE_QUIET) _check || code=$$?; $(TIMED) --table; exit $$code

# The cheap stages first. That generated files are up to date is among the Rust tests.
_check: _fmt-check deny _web-check clippy docs test

_fmt-check:
	@$(TIMED) build fmt -- cargo fmt --all --check

_web-check: web
	@$(if $(WEB),cd web && $(TIMED) web "web: check" -- npm run check,echo "There is no web UI yet.")

# ---- testing ----

parts: ## set up the real parts for tests (into .parts; PARTS_DIR to change)
	@$(PARTS) setup

test: web ## every test, on both databases, in a browser, and the HTTP API fuzzed
	@$(TIMED) peers "parts: set up" -- $(PARTS) setup $(TEST_PARTS)
	@$(MAKE_QUIET) _build-tests
	@$(PARTS) run -- $(MAKE_QUIET) _test

soak: web ## 1000 rounds of chaos on each database, the Rust tests with SOAK=1, half an hour of API fuzzing, cargo-fuzz
	@$(PARTS) setup $(TEST_PARTS)
	@$(MAKE_QUIET) _build-tests
	@SOAK=1 PROPTEST_CASES=20000 NEXTEST_PROFILE=soak FUZZ_SECONDS=1800 FUZZ_EXAMPLES=500 FUZZ_SEED=random \
		CHAOS_ROUNDS=1000 $(PARTS) run -- $(MAKE_QUIET) _rust-tests _chaos _fuzz-api
	@$(MAKE_QUIET) _cargo-fuzz

# Coverage-guided, over the same bodies as the bounded tests. It needs compiler flags that a stable compiler hides.
_cargo-fuzz:
	@PATH="$(PARTS_DIR)/cargo-fuzz/bin:$$PATH"; export RUSTC_BOOTSTRAP=1; \
	cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --root "$(PARTS_DIR)/cargo-fuzz" cargo-fuzz || exit 1; \
	for body in backup requests frames transfers compatible; do \
		cargo fuzz run $$body -- -max_total_time=$${CARGO_FUZZ_SECONDS:-900} -rss_limit_mb=4096 || exit 1; \
	done

# One build for the tests and the debug binary: two would differ in the dependencies' features and compile them twice.
_build-tests:
	@$(TIMED) peers "local models" -- $(MODELS) --all --try
	@$(TIMED) build "build tests" -- cargo build --workspace --bins --tests --locked

_test: _rust-tests _chaos _e2e _proxies _sdks _fuzz-api

# The real program, broken again and again: CHAOS_ROUNDS on each database. The same seed makes the same choices.
CHAOS = $(or $(CARGO_TARGET_DIR),target)/debug/mosaic-chaos --rounds $${CHAOS_ROUNDS:-10} $${CHAOS_SEED:+--seed $$CHAOS_SEED}
_chaos:
	@$(TIMED) chaos "chaos on SQLite" -- $(CHAOS) --database sqlite
	@if [ -n "$$TEST_POSTGRES_URL" ]; \
	then $(TIMED) chaos "chaos on PostgreSQL" -- $(CHAOS) --database "postgres=$$TEST_POSTGRES_URL"; \
	else echo "!! TEST_POSTGRES_URL is not set: chaos on PostgreSQL is NOT run"; test -z "$$CI"; fi

_proxies:
	@$(TIMED) peers "reverse proxies" -- python3 scripts/test_proxies.py

_sdks:
	@$(TIMED) peers "official SDKs" -- python3 scripts/test_sdks.py

_fuzz-api:
	@$(TIMED) peers "fuzz the API" -- bash scripts/fuzz_api.sh

_e2e:
	@$(if $(WEB),cd web && $(TIMED) web "web: e2e" -- npm run e2e,echo "There is no web UI yet.")

_rust-tests:
	@if cargo nextest --version >/dev/null 2>&1; then \
		$(TIMED) tests "doc tests" -- cargo test --doc --workspace --locked && \
		$(TIMED) tests "Rust tests" -- cargo nextest run --workspace --locked; \
	else \
		$(TIMED) tests "Rust tests" -- cargo test --workspace --locked --no-fail-fast; \
	fi

# ---- measuring, cleaning ----

# Where cargo puts what it builds.
BENCH := $(or $(CARGO_TARGET_DIR),target)/release/mosaic-bench

bench: _build-bench ## what the gateway and the log cost, beside floors in the same run
	@$(BENCH) gateway
	@$(BENCH) log
	@$(BENCH) search
	@$(BENCH) calls

bench-peers: _build-bench ## install peers from their packages and compare
	@bash scripts/bench_peers.sh

# One build for both: what is measured is then always what was just built.
_build-bench: web
	cargo build --release --locked -p mosaic -p mosaic-bench

clean: ## remove everything that was built or set up, .parts too
	cargo clean
	rm -rf web/dist web/node_modules
	@$(PARTS) clean
