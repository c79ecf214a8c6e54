#!/usr/bin/env bash
# Looks for 5xx and undeclared answers of the built program with schemathesis. See fuzz_api.py, which does it all.
#   FUZZ_SECONDS=90   time for the pass with a token; the two others take a third of it each
#   FUZZ_EXAMPLES=20  test cases per operation and round        FUZZ_SEED=1  "random" for a new one each time
#   FUZZ_PROGRAM=target/debug/mosaic
exec python3 "$(dirname "$0")/fuzz_api.py"
