# SPDX-License-Identifier: GPL-2.0-only
"""The common parts of all plots: colours, and the gnuplot text of data, axes and bars."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .data import GRO, NOBODY, OURS, family

# Three hues that colour-blind readers tell apart, each from dark to light.
SHADES = {
    OURS: ("#003f66", "#0072b2", "#5aaee0", "#b5daf2"),
    GRO: ("#8a3c00", "#d55e00", "#f29a5c", "#fad3b6"),
    NOBODY: ("#454545", "#7d7d7d", "#b3b3b3", "#dedede"),
}
NAMES = {OURS: "this project", GRO: "GRO", NOBODY: "nothing merges"}
_DOT = "#111111"
# Room above the highest bar for its number.
_HEADROOM = 1.18
_BOX = 0.36
# Letters of a name that stands beside ten others.
_WIDE = 10

COMMON = """\
set encoding utf8
set border 3 lc rgb "#444444"
set tics nomirror out
set grid ytics lc rgb "#dddddd" lt 1 lw 0.6
set style fill solid 1 noborder
set key outside above left horizontal reverse Left samplen 1.5 width 2
"""


def colour(config: str, shade: int = 1) -> str:
    """Colour of a configuration as gnuplot's "rgb variable" takes it."""
    return str(int(SHADES[family(config)][shade][1:], 16))


def text(value: object) -> str:
    """A string for gnuplot's double quotes, in which backquotes would run commands."""
    return '"' + str(value).translate(str.maketrans('\n\\"`', " /''")) + '"'


def block(name: str, rows: Iterable[Sequence[object]]) -> str:
    """A named data block; None becomes a missing value, strings are quoted."""
    def cell(value: object) -> str:
        return "NaN" if value is None else text(value) if isinstance(value, str) else f"{value:.10g}"
    return f"${name} << EOD\n" + "".join(" ".join(map(cell, row)) + "\n" for row in rows) + "EOD\n"


def panel(title: str) -> str:
    """Heading of one panel of several."""
    return f'set title {text(title)} offset 0,-0.4\n'


def names_axis(names: list[str]) -> str:
    """Configurations along the x axis; long names in two lines, or they would touch."""
    labels = [text(name) if len(name) <= _WIDE else text(name).replace("-", r"-\n") for name in names]
    tics = ", ".join(f"{label} {index}" for index, label in enumerate(labels))
    margin = "set bmargin 3.5\n" if any(r"\n" in label for label in labels) else ""
    return f"set xtics ({tics}) scale 0\nset xrange [-0.6:{len(names) - 0.4}]\n{margin}"


def keys(names: Iterable[str]) -> str:
    """Key entries of the families that take part."""
    there = dict.fromkeys(family(name) for name in names)
    return ", ".join(f'keyentry with boxes fs solid 1 lc rgb "{SHADES[who][1]}" title {text(NAMES[who])}'
                     for who in SHADES if who in there)


def dots(repeats: dict[str, list[float]], names: list[str]) -> list[tuple[float, float]]:
    """A dot for each repeat, side by side about the middle of its configuration's bar."""
    points = []
    for name, found in repeats.items():
        index = names.index(name)
        step = min(0.09, 0.5 / len(found))
        points += [(index + step * (n - (len(found) - 1) / 2), value) for n, value in enumerate(found)]
    return points


def bars(name: str, repeats: dict[str, list[float]], medians: dict[str, float], label: str, digits: int) -> str:
    """One bar for each configuration, its median, with a dot for each repeat."""
    rows = [(index, medians[config], f"{medians[config]:,.{digits}f}", max(found))
            for index, (config, found) in enumerate(repeats.items())]
    data = "".join(f"{index} {value:.10g} {colour(config)} {text(said)} {high:.10g}\n"
                   for (index, value, said, high), config in zip(rows, repeats))
    highest = max(high for *_, high in rows)
    return (f"${name} << EOD\n{data}EOD\n" + block(f"{name}_dots", dots(repeats, list(repeats)))
            + names_axis(list(repeats))
            + f"set ylabel {text(label)}\nset yrange [0:{_ceiling(highest)}]\nset boxwidth {2 * _BOX}\n"
            + f'plot ${name} using 1:2:3 with boxes lc rgb variable notitle, {keys(repeats)}, \\\n'
            + f' ${name}_dots using 1:2 with points pt 7 ps 0.45 lc rgb "{_DOT}" title "one repeat", \\\n'
            + f" ${name} using 1:5:4 with labels offset 0,0.8 notitle\n")


def stacked(name: str, stacks: dict[str, list[float]], totals: dict[str, list[float]], medians: dict[str, float],
            parts: Sequence[str], label: str, top: float, names: list[str]) -> str:
    """Bars split into parts, the first at the bottom and darkest; dots and numbers are those of the totals.

    `names` are the configurations along the axis, which may be more than have a bar.
    """
    data = ""
    for config, heights in stacks.items():
        index, low = names.index(config), 0.0
        for shade, height in enumerate(heights):
            data += (f"{index} {low:.10g} {index - _BOX} {index + _BOX} {low:.10g} {low + height:.10g} "
                     f"{colour(config, shade)}\n")
            low += height
    labels = [(names.index(config), max([*totals[config], sum(stacks[config])]), f"{medians[config]:.2f}")
              for config in stacks]
    shades = ", ".join(f'keyentry with boxes fs solid 1 lc rgb "{SHADES[NOBODY][shade]}" title {text(part)}'
                       for shade, part in enumerate(parts))
    return (f"${name} << EOD\n{data}EOD\n" + block(f"{name}_tops", labels)
            + block(f"{name}_dots", dots({config: totals[config] for config in stacks}, names))
            + names_axis(names) + f"set ylabel {text(label)}\nset yrange [0:{_ceiling(top)}]\n"
            + f"plot ${name} using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable notitle, \\\n"
            + f' {keys(stacks)}, keyentry with points pt 7 ps 0.45 lc rgb "{_DOT}" title "one repeat", \\\n'
            + f" {shades}, \\\n"
            + f' ${name}_dots using 1:2 with points pt 7 ps 0.45 lc rgb "{_DOT}" notitle, \\\n'
            + f" ${name}_tops using 1:2:3 with labels offset 0,0.8 notitle\n")


def _ceiling(highest: float) -> float:
    return round(highest * _HEADROOM, 6) if highest > 0 else 1
