#!/usr/bin/env python3
"""Prints one plain line with the totals of the last Rust test run, from the report that cargo-nextest wrote.

Counts what nextest ran: neither doc tests nor the web's, whose runners print their own lines. Prints nothing when
there is no report.
"""

import os
import xml.etree.ElementTree as xml
from pathlib import Path

report = Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "nextest" / "default" / "junit.xml"
if report.is_file():
    suites = xml.parse(report).getroot()
    failed = int(suites.get("failures", 0)) + int(suites.get("errors", 0))
    print(f"Rust: {int(suites.get('tests')) - failed} passed, {failed} failed")
