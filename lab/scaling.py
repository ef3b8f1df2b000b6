# SPDX-License-Identifier: GPL-2.0-only
"""The scaling series: the configurations with more flows, and with more guests.

The results get `scaling`: `flows` holds the rows of lab/scaling_flows.py, `guests` those of lab/scaling_guests.py,
`fairness` those of lab/scaling_fairness.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from . import configs, ratios, results, scaling_fairness, scaling_flows, scaling_guests
from .configs import Config
from .steps import EXIT_USAGE, LabError
from .table import columns

# The choices of SCALING=, and the series of SCALING=1, which the report draws.
BOTH = ("flows", "guests")
SERIES = (*BOTH, "fairness")
# The series that have guests.
_GUESTS = {"guests": scaling_guests, "fairness": scaling_fairness}
# Fields that have to be equal before rows may stand beside runs.
_SAME = ("kernel", "xen", "qemu", "nic", "machine", "topology")
_TITLES = {"gro": "stock r8169, GRO", "lro": "r8169_lro"}


def select(text: str) -> list[str]:
    """The series of "1" (both curves of the report), one of SERIES, or "" and "0" (none); raises LabError otherwise."""
    if text in ("", "0"):
        return []
    if text == "1":
        return list(BOTH)
    if text in SERIES:
        return [text]
    raise LabError(f"SCALING={text} is neither 1 nor one of {', '.join(SERIES)}", code=EXIT_USAGE)


def wanted_configs(names: str, text: str = "") -> list[Config]:
    """The configurations that get more guests: those of CONFIGS, or those of the series that SCALING= names."""
    wanted = configs.select(names or " ".join(_GUESTS.get(text, scaling_guests).CONFIGS))
    for config in wanted:
        if not config.xen:
            raise LabError(f"{config.name} has no guest: SCALING takes configurations that have", code=EXIT_USAGE)
    return wanted


def join(earlier: dict | None, described: dict, path: Path) -> dict:
    """The results that get the rows: the earlier ones if there are any, otherwise new ones without runs.

    described: the fields of new results. Raises LabError when the earlier ones, of `path`, have other fields.
    """
    if earlier is None:
        return described | {"runs": []}
    for name in _SAME:
        if name in earlier and earlier[name] != described[name]:
            raise LabError(f"{path} is of another {name} ({earlier[name]}, now {described[name]}): "
                           "run `make lab` again first, or move that file away", code=EXIT_USAGE)
    return earlier


def run(series: str, kernel: str, repeats: int, wanted: list[Config], found: dict) -> dict:
    """Measure one series; return `found` with its rows in place of earlier ones, and new ratios."""
    rows = (_GUESTS[series].run(kernel, repeats, wanted) if series in _GUESTS
            else scaling_flows.run(kernel, repeats))
    before = found.get("scaling")
    found = found | {"scaling": (before if isinstance(before, dict) else {}) | {series: rows}}
    return results.validate(found | {"ratios": ratios.compute(found)})


def render(found: dict) -> str:
    """The rows as short tables of medians over the repeats; of the longest waits the longest."""
    scaling = found.get("scaling", {})
    shown = {"flows": _flows, "guests": _guests, "fairness": _fairness}
    tables = [text for name, table in shown.items() if (text := table(scaling.get(name, [])))]
    return "\n\n".join(tables)


def _middle(rows: list[dict], *path: str) -> float | None:
    values = [value for row in rows if (value := ratios.field(row, path)) is not None]
    return median(values) if values else None


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _flows(rows: list[dict]) -> str:
    if not rows:
        return ""
    engines = [name for name in _TITLES if any(row["engine"] == name for row in rows)]
    lines = [["", "", *(cell for name in engines for cell in (_TITLES[name], "", ""))],
             ["flows", "burst", *(cell for _ in engines for cell in ("LRO ratio", "longest wait, us", "insn/B"))]]
    for burst, flows in sorted({(row.get("burst", 1), row["flows"]) for row in rows}):
        line = [str(flows), str(burst)]
        for name in engines:
            here = [row for row in rows if (row["engine"], row.get("burst", 1), row["flows"]) == (name, burst, flows)]
            waits = [wait for row in here if (wait := ratios.field(row, ("longest_wait_us",))) is not None]
            line += [_cell(_middle(here, "lro_ratio"), 2), _cell(max(waits, default=None), 0),
                     _cell(_middle(here, "insn_per_byte"), 3)]
        lines.append(line)
    return columns("Scaling: flows that take turns, burst by burst; driver domain's side without Xen", lines, 2)


def _guests(rows: list[dict]) -> str:
    if not rows:
        return ""
    lines = [["", "", "all guests", "", "slowest", "driver", "all guests"],
             ["configuration", "guests", "Mbit/s", "LRO ratio", "Mbit/s", "insn/B", "insn/B"]]
    for (name, count), here in _grouped(rows, "config", "guests"):
        lines.append([name, str(count), _cell(_middle(here, "mbps"), 1), _cell(_middle(here, "lro_ratio"), 2), _slowest(here),
                      *_instructions(here)])
    return columns("Scaling: guests that receive at once, all on one pCPU", lines, 2)


def _grouped(rows: list[dict], *fields: str) -> Iterator[tuple[tuple, list[dict]]]:
    """The rows that are alike in some fields, by what these are."""
    def key(row: dict) -> tuple:
        return tuple(row[field] for field in fields)

    for one in dict.fromkeys(map(key, rows)):
        yield one, [row for row in rows if key(row) == one]


def _instructions(rows: list[dict]) -> list[str]:
    return [_cell(_middle(rows, "insn_per_byte", domain), 2) for domain in ("driver", "guest")]


def _rates(rows: list[dict]) -> list[list[float]]:
    """Mbit/s of each guest, by row; earlier rows have none."""
    return [row["mbps_per_guest"] for row in rows if row.get("mbps_per_guest")]


def _slowest(rows: list[dict]) -> str:
    rates = _rates(rows)
    return _cell(median(min(each) for each in rates) if rates else None, 1)


def _fairness(rows: list[dict]) -> str:
    if not rows:
        return ""
    lines = [["", "", "all guests", "first", "slowest other", "driver", "all guests"],
             ["configuration", "first guest", "Mbit/s", "Mbit/s", "Mbit/s", "insn/B", "insn/B"]]
    for (name, case), here in _grouped(rows, "config", "case"):
        rates = _rates(here)
        lines.append([name, case, _cell(_middle(here, "mbps"), 1), _cell(median(each[0] for each in rates), 1),
                      _cell(median(min(each[1:]) for each in rates), 1),
                      *_instructions(here)])
    return columns("Fairness: four guests that receive at once, the first of some kind", lines, 2)
