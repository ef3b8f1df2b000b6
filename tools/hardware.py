#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Put a folder of reports, as `xenlro report` makes them, into the table of docs/hardware.md.

Each device with a driver of this project gets a row. Present rows stay.

Exit codes: 0 done, 1 a report cannot be used, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/hardware.md"
HEAD = ("| device | driver | kernel | made from | where | LRO ratio | spared | measured |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n")
BEGIN, END = "<!-- reports: made by tools/hardware.py -->\n", "<!-- end of reports -->\n"
REPORT_SCHEMA = 1


def rows(report: dict) -> list[str]:
    """The rows of one report."""
    if report.get("schema") != REPORT_SCHEMA:
        raise ValueError(f"its schema is {report.get('schema')!r} and not {REPORT_SCHEMA}")
    measured = {entry["driver"]: entry for entry in (report["measured"] or {}).get("interfaces", ())}
    return [_row(report, device, measured.get(device["driver"])) for device in report["devices"]
            if device["driver"] == device["ours"]]


def _row(report: dict, device: dict, measured: dict | None) -> str:
    ids, counted = device["ids"], device["counters"]
    name = " ".join(part for part in (device["chip"], f"{ids['vendor'][2:]}:{ids['device'][2:]}" if "device" in ids else None)
                    if part) or device["bus"]
    xen = report["xen"]
    where = "no Xen" if not xen else (f"Xen {xen['version']}, "
                                      + ("dom0" if xen["control_domain"] else xen["guest_type"] or "guest"))
    packets = counted.get("packets")
    spared = f"{(counted.get('merged', 0) - counted.get('aggregates', 0)) / packets:.0%}" if packets else "-"
    ratio = f"{device['lro_ratio']:.1f}" if device["lro_ratio"] else "-"
    at = f"{measured['mbit_per_second']:.0f} Mbit/s, ratio {measured['lro_ratio'] or 1:.1f}" if measured else "-"
    base = report["modules"][device["ours"]]["base"] or "-"
    kernel = report["kernel"] if report["kernel_version"] in (None, report["kernel"]) else (
        f"{report['kernel']} ({report['kernel_version']}), {report['distribution']}")
    cells = (name, device["driver"], kernel, base, where, ratio, spared, at)
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |\n"


def merged(page: str, new: list[str]) -> str:
    """The page with those rows added to its table, each once, in order."""
    before, _, rest = page.partition(BEGIN)
    if not rest or END not in rest:
        raise ValueError(f"the page has no place for the table: {BEGIN.strip()} and {END.strip()}")
    table, _, after = rest.partition(END)
    old = [line + "\n" for line in table.splitlines() if line.startswith("| ")][2:]
    return before + BEGIN + HEAD + "".join(sorted({*old, *new})) + END + after


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0], epilog=__doc__.split("\n\n")[-1])
    parser.add_argument("folder", type=Path, help="folder with *.json")
    parser.add_argument("--page", type=Path, default=PAGE, help="default: docs/hardware.md")
    options = parser.parse_args()
    reports = sorted(options.folder.glob("*.json"))
    if not reports:
        print(f"hardware: {options.folder} has no *.json: name a folder of reports", file=sys.stderr)
        return 2
    found, bad = [], 0
    for path in reports:
        try:
            found += rows(json.loads(path.read_text()))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            print(f"hardware: {path} is no report that can be used: {error}", file=sys.stderr)
            bad = 1
    try:
        options.page.write_text(merged(options.page.read_text(), found))
    except (OSError, ValueError) as error:
        print(f"hardware: {options.page}: {error}", file=sys.stderr)
        return 1
    print(f"hardware: {len(found)} rows from {len(reports)} reports are in {options.page}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
