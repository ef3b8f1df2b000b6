# SPDX-License-Identifier: GPL-2.0-only
"""Reads KTAP, the format in which KUnit reports, from a kernel's console."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RESULT = re.compile(r"^(?P<indent> *)(?P<not>not )?ok (?P<number>\d+) ?(?:- )?(?P<name>.*?)(?P<skip>\s+# SKIP.*)?$")
PLAN = re.compile(r"^(?P<indent> *)1\.\.(?P<count>\d+)$")
PREFIX = re.compile(r"^\[\s*\d+\.\d+\] ?")


@dataclass
class Report:
    """Names of tests by outcome; `details` are the lines before a failure. A parent test is not counted."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    details: dict[str, list[str]] = field(default_factory=dict)
    broken: str = ""


def parse(console: str) -> Report:
    """Count the innermost results; `broken` tells why the report is incomplete, if it is."""
    report = Report()
    plans: dict[int, int] = {}  # indentation -> results still to come
    deepest = -1  # indentation of results since the last one that was further out
    pending: list[str] = []
    for raw in console.splitlines():
        line = PREFIX.sub("", raw).rstrip()
        if plan := PLAN.match(line):
            plans[len(plan["indent"])] = int(plan["count"])
            continue
        result = RESULT.match(line)
        if not result:
            pending.append(line)
            continue
        indent = len(result["indent"])
        plans[indent] = plans.get(indent, 0) - 1
        for inner in [level for level in plans if level > indent]:
            if plans.pop(inner) > 0:
                report.broken = f"{result['name']} ended before all of its tests had run"
        if deepest <= indent:
            _count(report, result, pending)
        elif result["not"] and not report.failed:
            # A parent that failed in its own setup.
            _count(report, result, pending)
        deepest = indent
        pending = []
    if not report.passed and not report.failed:
        report.broken = "the console holds no test result"
    elif any(left > 0 for left in plans.values()):
        report.broken = "the tests ended before all of them had run"
    return report


def _count(report: Report, result: re.Match[str], pending: list[str]) -> None:
    name = result["name"]
    if result["skip"]:
        report.skipped.append(name)
    elif result["not"]:
        report.failed.append(name)
        report.details[name] = [line for line in pending if line.strip() and "# Subtest" not in line]
    else:
        report.passed.append(name)
