# SPDX-License-Identifier: GPL-2.0-only
"""The curves: advertised window over time, segments per aggregate, scaling over flows and guests."""

from __future__ import annotations

from collections import Counter
from statistics import fmean, median

from .. import windows
from ..ratios import field, number
from .data import GRO, NOBODY, OURS, Block, Data, Figure, family
from .missing import missing
from .plots import COMMON, NAMES, SHADES, block, panel, text
from .words import amount, best, listed, without

# Points of a window's line: with more of them lines that go up and down cover each other.
POINTS = 150
_DASHES = (1, 2, 4, 5)
_ENGINES = {"lro": OURS, "gro": GRO}


def _line_style(config: str, rank: int, dashes: bool = True) -> str:
    """Same hue in a family; shade and dashes tell its members apart. A line that goes up and down is lost in dashes."""
    shades = SHADES[family(config)]
    return f'lw 2 dt {_DASHES[rank % len(_DASHES)] if dashes else 1} lc rgb "{shades[(1, 0, 2, 3)[rank % 4]]}"'


def _thinned(samples: list[float | None]) -> tuple[list[tuple[int, float]], int]:
    """(index, mean) of groups of consecutive samples, at most POINTS of them, and the samples in a group."""
    size = -(-len(samples) // POINTS)
    groups = ((begin, [value for value in samples[begin:begin + size] if value is not None])
              for begin in range(0, len(samples), size))
    return [(begin, fmean(group)) for begin, group in groups if group], size


def _typical(data: Data, config: str) -> tuple[int, dict, list[float | None]] | None:
    """Of the runs with a window, the one whose throughput is the median: its repeat, window and samples."""
    runs = []
    for run in data.runs(config):
        window = run.get("window")
        proper = [number(sample) for sample in windows.curve(window, data.folder) or ()]
        if proper and number(window.get("unit_ms")) and any(sample is not None for sample in proper):
            runs.append((run["mbps"], run["repeat"], window, proper))
    if not runs:
        return None
    runs.sort(key=lambda entry: entry[:2])
    _, repeat, window, proper = runs[(len(runs) - 1) // 2]
    return repeat, window, proper


def window(data: Data) -> Block:
    """Figure 2 of the study: advertised window over time, one line for each configuration."""
    found = {name: typical for name in data.configs if (typical := _typical(data, name))}
    if not found:
        return missing(data, "window")
    means = {name: fmean(sample for sample in samples if sample is not None)
             for name, (_, _, samples) in found.items()}
    families = [who for who in (OURS, GRO, NOBODY) if any(family(name) == who for name in found)]
    top = 1.1 * max(value for _, _, samples in found.values() for _, value in _thinned(samples)[0]) / 1024
    script, widest = "", 1.0
    plots = COMMON + f"set multiplot layout {len(families)},1\nset yrange [0:{top:.6g}]\n"
    plots += 'set ylabel "window (KiB)"\nset xlabel "time (ms)" offset 0,0.4\nset key outside right top vertical\n'
    plots += "set lmargin 9\nset rmargin 18\nset tmargin 2\nset bmargin 3.2\nset xrange [0:*]\n"
    for who in families:
        lines = []
        for rank, name in enumerate(name for name in found if family(name) == who):
            _, taken, samples = found[name]
            unit = taken["unit_ms"]
            points, size = _thinned(samples)
            widest = max(widest, size * unit)
            label = "line_" + "".join(c if c.isalnum() else "_" for c in name)
            script += block(label, [(begin * unit, value / 1024) for begin, value in points])
            lines.append(f"${label} using 1:2 with lines {_line_style(name, rank, dashes=False)} title {text(name)}")
        plots += panel(NAMES[who]) + "plot " + ", \\\n ".join(lines) + "\n"
    which = listed(f"{name} {repeat + 1}" for name, (repeat, _, _) in found.items())
    sees = _window_words(means) + (f" Each point is the mean over at most {widest:g} ms; each line is the repeat with "
                                   f"the median throughput ({which}).")
    lacking = [name for name in data.configs if name not in found]
    return Figure("window", "Figure 2: advertised window over time", sees + without(lacking),
                  data.at("runs[].window") + _files(found), script + plots + "unset multiplot\n",
                  (1100, 240 * len(families)))


def _files(found: dict[str, tuple[int, dict, list[float | None]]]) -> str:
    """The files that the curves are from, beside the results."""
    names = [str(taken["file"]) for _, taken, _ in found.values() if "file" in taken]
    return f"; beside it {', '.join(names)}" if names else ""


def _window_words(means: dict[str, float]) -> str:
    said = [f"{name} {amount(means[name] / 1024)}" for who in (OURS, GRO, NOBODY) if (name := best(means, who, True))]
    if "native" in means:
        said.append(f"native {amount(means['native'] / 1024)}")
    if not said:
        said = [f"{name} {amount(mean / 1024)}" for name, mean in means.items()]
    return f"Mean advertised window over the transfer, in KiB: {listed(said)}."


def _histogram(data: Data, config: str) -> Counter[int]:
    """Aggregates by their segments, summed over the repeats."""
    total: Counter[int] = Counter()
    for run in data.runs(config):
        counts = run.get("segs_histogram")
        for size, count in counts.items() if isinstance(counts, dict) else ():
            if str(size).isdigit() and (proper := number(count)):
                total[int(size)] += int(proper)
    return total


def half_way(counts: Counter[int]) -> int:
    """The largest size such that at least half of all segments arrived in aggregates of that size or more."""
    whole, above = sum(size * count for size, count in counts.items()), 0
    for size in sorted(counts, reverse=True):
        above += size * counts[size]
        if 2 * above >= whole:
            return size
    return 0


def histogram(data: Data) -> Block:
    """Segments per aggregate, a panel for each configuration that merges any."""
    found = {name: counts for name in data.configs if (counts := _histogram(data, name))}
    if not found:
        return missing(data, "segs_histogram")
    merging = {name: counts for name, counts in found.items() if max(counts) > 1}
    if not merging:
        return missing(data, "segs_histogram")
    shares = {name: {size: 100 * count / sum(counts.values()) for size, count in counts.items()}
              for name, counts in merging.items()}
    columns = min(3, len(merging))
    rows = -(-len(merging) // columns)
    right = max(max(counts) for counts in merging.values())
    top = max(max(share.values()) for share in shares.values())
    script = (COMMON + f"set multiplot layout {rows},{columns}\nset yrange [0:{1.1 * top:.6g}]\n"
              f"set xrange [0:{right + 1}]\nset boxwidth 0.85\nset xlabel \"segments per aggregate\"\n"
              'set ylabel "aggregates (%)"\nunset key\nset tmargin 2\nset bmargin 4\n')
    for index, (name, share) in enumerate(shares.items()):
        script += block(f"h{index}", sorted(share.items())) + panel(name)
        script += f'plot $h{index} using 1:2 with boxes lc rgb "{SHADES[family(name)][1]}"\n'
    middles = {name: float(half_way(counts)) for name, counts in merging.items()}
    ordered = sorted(middles, key=middles.__getitem__, reverse=True)
    sees = ("Half of all segments arrive in aggregates of at least this many segments: "
            + listed(f"{name} {middles[name]:.0f}" for name in ordered) + ".")
    if plain := [name for name in found if name not in merging]:
        sees += f" In {listed(plain)} every segment came alone."
    return Figure("histogram", "Segments per aggregate", sees + without([n for n in data.configs if n not in found]),
                  data.at("runs[].segs_histogram, summed over the repeats"), script + "unset multiplot\n",
                  (1100, 250 * rows))


def _series(rows: list[dict], across: str, who: str, *path: str) -> dict[str, dict[int, float]]:
    """Line name -> position along the x axis -> median of the field at `path`."""
    found: dict[str, dict[int, list[float]]] = {}
    for row in rows:
        place, value = number(row.get(across)), field(row, path)
        if place and place > 0 and value is not None and isinstance(row.get(who), str):
            found.setdefault(row[who], {}).setdefault(int(place), []).append(value)
    return {name: {place: median(values) for place, values in sorted(line.items())} for name, line in found.items()}


def _panels(panels: list[tuple[str, dict[str, dict[int, float]], dict[str, str]]], across: str) -> str:
    rows = -(-len(panels) // 2)
    script = COMMON + f"set multiplot layout {rows},{min(len(panels), 2)}\nset xlabel {text(across)}\nset logscale x 2\n"
    for number_of, (label, series, styles) in enumerate(panels):
        places = sorted({place for line in series.values() for place in line})
        top = max(value for line in series.values() for value in line.values())
        script += "".join(block(f"s{number_of}_{index}", line.items()) for index, line in enumerate(series.values()))
        script += (f"set ylabel {text(label)}\nset yrange [0:{1.12 * top or 1:.6g}]\n"
                   f"set xrange [{places[0] / 1.15:.6g}:{places[-1] * 1.15:.6g}]\n"
                   f"set xtics ({', '.join(str(place) for place in places)})\nplot "
                   + ", \\\n ".join(f"$s{number_of}_{index} using 1:2 with linespoints pt 7 ps 0.8 {styles[name]} "
                                    f"title {text(_line_name(name))}" for index, name in enumerate(series)) + "\n")
    return script + "unset multiplot\n"


def _line_name(name: str) -> str:
    engine, _, burst = name.partition(" ")
    if engine not in _ENGINES:
        return name
    how = {"": "", "1": ", packet by packet"}.get(burst, f", bursts of {burst}")
    return NAMES[_ENGINES[engine]] + how


def _lines(rows: list[dict]) -> list[dict]:
    """Rows of flows with the `line` of each: an engine, and bursts of one length."""
    return [row | {"line": " ".join(map(str, (row["engine"], *(row[part] for part in ("burst",) if part in row))))}
            for row in rows]


def _flows_style(line: str) -> str:
    engine, _, burst = line.partition(" ")
    return f'lw 2 lc rgb "{SHADES[_ENGINES[engine]][1]}"' + (" dt 2" if burst == "1" else "")


def flows(data: Data) -> Block:
    """LRO ratio, longest wait and instructions per byte against the number of flows, ours against GRO."""
    rows = _lines([row for row in data.rows("scaling", "flows") if row.get("engine") in _ENGINES])
    styles = {row["line"]: _flows_style(row["line"]) for row in rows}
    ratio = _series(rows, "flows", "line", "lro_ratio")
    wait = _series(rows, "flows", "line", "longest_wait_us")
    cost = _series(rows, "flows", "line", "insn_per_byte")
    panels = [(label, series, styles) for label, series in
              (("LRO ratio (segments per packet)", ratio), ("longest wait of any packet (us)", wait),
               ("instructions per byte", cost)) if series]
    if not panels:
        return missing(data, "flows")
    said = [_ends(_line_name(name), line, what, "flows") for what, series in (("an LRO ratio", ratio),
            ("us of longest wait", wait), ("instructions per byte", cost)) for name, line in series.items()]
    if not cost or not ratio:
        said.append(f"{'Instructions per byte' if not cost else 'LRO ratios'} were not measured in this series.")
    return Figure("flows", "Interleaved flows", " ".join(said), data.at("scaling.flows"),
                  _panels(panels, "flows that take turns"), (1100, 400 * -(-len(panels) // 2)))


def guests(data: Data) -> Block:
    """Throughput, LRO ratio and each domain's instructions per byte against the number of guests that receive at once."""
    rows = data.rows("scaling", "guests")
    found = [("throughput (Mbit/s)", "Mbit/s", _series(rows, "guests", "config", "mbps")),
             ("LRO ratio (segments per packet)", "an LRO ratio", _series(rows, "guests", "config", "lro_ratio")),
             *((f"instructions per byte, {place}", f"instructions per byte in {place}",
                _series(rows, "guests", "config", "insn_per_byte", domain))
               for domain, place in (("driver", "the driver domain"), ("guest", "all guests")))]
    panels = []
    for label, _, series in found:
        ranks = {name: sum(family(other) == family(name) for other in list(series)[:index])
                 for index, name in enumerate(series)}
        if series:
            panels.append((label, series, {name: _line_style(name, rank) for name, rank in ranks.items()}))
    if not panels:
        return missing(data, "guests")
    said = [_ends(name, line, what, "guests") for _, what, series in found for name, line in series.items()]
    lacking = [label for label, _, series in found if not series]
    if lacking:
        said.append(f"Not measured in this series: {listed(lacking)}.")
    return Figure("guests", "Guests that receive at once", " ".join(said), data.at("scaling.guests"),
                  _panels(panels, "guests"), (1100, 400 * -(-len(panels) // 2)))


def _ends(name: str, line: dict[int, float], what: str, across: str) -> str:
    """A sentence about the two ends of a line."""
    places = list(line)
    first, last = places[0], places[-1]
    subject = name[0].upper() + name[1:] if name.partition(",")[0] in NAMES.values() else name
    if what.startswith("an "):
        text_first, text_last = f"{what} of {amount(line[first])}", amount(line[last])
    else:
        text_first, text_last = f"{amount(line[first])} {what}", amount(line[last])
    if first == last:
        return f"{subject}: {text_first} with {first} {across}."
    return f"{subject}: {text_first} with {first} {across if first > 1 else across[:-1]}, {text_last} with {last}."
