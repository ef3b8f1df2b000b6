# SPDX-License-Identifier: GPL-2.0-only
"""The drawing of the domains that the payload passes, with the instructions of each and the cost of each hop."""

from __future__ import annotations

from .. import ratios
from .data import GRO, NOBODY, OURS, Data, Figure, Table, family
from .plots import SHADES, text
from .tables import show
from .words import amount, best

_WIDTH, _GAP, _HEIGHT = 1.2, 1.05, 1.0
_LINE = 0.16


def drawing(data: Data) -> Figure | None:
    """The path, with the numbers of this project's best configuration and of its peer; None where none is known."""
    if not isinstance(data.part("topology"), dict):
        return None
    shown = _shown(data)
    titles = {"sender": ["sender", ""], "nic": ["NIC", ""]}
    boxes = ["sender", "nic", *data.path]
    known = {domain["name"]: domain for domain in ratios.topology(data.results)["domains"]}
    for name in data.path:
        domain = known[name]
        titles[name] = [data.domains[name], f"{str(domain.get('kind')).upper()}, pCPU {domain.get('pcpu')}"]
    script = ("set encoding utf8\nunset border\nunset tics\nunset key\nset margins 0,0,0,0\n"
              f"set xrange [-0.1:{len(boxes) * (_WIDTH + _GAP) - _GAP + 0.1}]\nset yrange [-0.25:1.25]\n")
    script += "".join(_box(number, titles[name], [
        (config, f"{config}: {show(data.middle(config, *ratios.cost(name)))}") for config in shown if name in known])
        for number, name in enumerate(boxes))
    script += _arrow(0, "wire", []) + _arrow(1, "PCI", [])
    for number, hop in enumerate(ratios.topology(data.results)["hops"]):
        script += _arrow(number + 2, str(hop.get("way", "")), [(config, _passed(data, config, number))
                                                               for config in shown])
    script += "plot NaN notitle\n"
    return Figure("path", "What the payload passes", _sees(data, shown),
                  data.at("topology", "runs[].insn_per_byte", "hops"), script, (1100, 280))


def _shown(data: Data) -> list[str]:
    """The best configuration of this project by all domains' instructions, and the best of GRO."""
    sums = {}
    for name in data.configs:
        found = [data.middle(name, *ratios.cost(domain)) for domain in data.domains]
        if None not in found:
            sums[name] = sum(value for value in found if value is not None)
    chosen = [best(sums, who, False) for who in (OURS, GRO)]
    return [name for name in chosen if name] or [name for name in sums if family(name) == NOBODY][:1]


def _left(number: int) -> float:
    return number * (_WIDTH + _GAP)


def _box(number: int, title: list[str], lines: list[tuple[str, str]]) -> str:
    left = _left(number)
    script = (f"set object {number + 1} rectangle from {left},0 to {left + _WIDTH},{_HEIGHT} "
              'fc rgb "#f4f6f8" fs solid 1 border rgb "#444444"\n')
    for row, line in enumerate(title):
        script += f"set label {text(line)} at {left + _WIDTH / 2},{0.85 - row * _LINE} center\n"
    if lines:
        script += f'set label "instructions/byte" at {left + _WIDTH / 2},0.5 center font ",9"\n'
    return script + _lines(left + _WIDTH / 2, 0.33, lines)


def _arrow(number: int, way: str, lines: list[tuple[str, str]]) -> str:
    left = _left(number) + _WIDTH
    return (f'set arrow from {left},0.6 to {left + _GAP},0.6 lw 2 lc rgb "#444444"\n'
            f"set label {text(way)} at {left + _GAP / 2},0.7 center\n" + _lines(left + _GAP / 2, 0.45, lines, 9))


def _lines(middle: float, top: float, lines: list[tuple[str, str]], size: int = 11) -> str:
    script, row = "", 0
    for config, said in lines:
        for line in said.split("\n"):
            script += (f'set label {text(line)} at {middle},{top - row * _LINE} center font ",{size}" '
                       f'tc rgb "{SHADES[family(config)][0]}"\n')
            row += 1
    return script


def _passed(data: Data, config: str, number: int) -> str:
    copies, size = (ratios.hop_middle(data.results, config, number, name)
                    for name in ("grant_copies_per_64k", "mean_bytes"))
    return f"{show(copies, 1)} copies/64K\n{show(size and size / 1024, 1)} KiB/packet"


def _sees(data: Data, shown: list[str]) -> str:
    titles = [data.domains[name] for name in data.path]
    said = f"From the NIC the payload passes {', '.join(titles[:-1])} and ends in the {titles[-1]}."
    last = len(data.path) - 2
    for config in shown:
        sizes = [ratios.hop_middle(data.results, config, number, "mean_bytes") for number in range(last + 1)]
        if sizes[0] is None or sizes[-1] is None:
            continue
        said += f" In {config} a packet has {amount(sizes[0] / 1024, 'KiB')} on the first hop"
        said += f" and {amount(sizes[-1] / 1024, 'KiB')} on the last." if last else "."
    return said


def hops(data: Data) -> Table | None:
    """Copies and mean sizes of each hop; None where there is only one, whose copies have a table, or none is known."""
    known = ratios.topology(data.results)["hops"]
    names = [name for name in data.configs if ratios.hop_values(data.results, name, 0, "grant_copies_per_64k")]
    if len(known) < 2 or not names:
        return None
    fields = (("grant_copies_per_64k", 1), ("grant_hypercalls_per_64k", 2), ("mean_bytes", 0))
    rows = [[name, *(show(ratios.hop_middle(data.results, name, number, field), digits)
                     for number in range(len(known)) for field, digits in fields)] for name in names]
    return Table("hops", "Each hop", [
        [("", 1), *[(f"{data.domains[hop['back']]} to {data.domains[hop['front']]}", 3) for hop in known]],
        [("configuration", 1), *[("copies per 64 KiB", 1), ("hypercalls per 64 KiB", 1), ("mean bytes per packet", 1)]
         * len(known)]], list(rows), data.at("runs[].hops"), ["Medians over the repeats."],
        [family(name) for name in names])
