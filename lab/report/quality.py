# SPDX-License-Identifier: GPL-2.0-only
"""How well repeats agree: the median absolute deviation of every instruction figure."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from .. import ratios

# Largest median absolute deviation of an instruction figure, relative to its median.
LIMIT = 0.03
REPEATS = 3


def deviation(values: list[float]) -> float:
    """Median absolute deviation, in the values' unit."""
    centre = median(values)
    return median(abs(value - centre) for value in values)


@dataclass(frozen=True)
class Agreement:
    """One instruction figure: instructions per byte of a domain in a configuration, once per repeat."""

    config: str
    domain: str
    values: tuple[float, ...]

    @property
    def relative(self) -> float:
        """Median absolute deviation relative to the median."""
        centre = median(self.values)
        return deviation(list(self.values)) / centre if centre else 0.0

    def __str__(self) -> str:
        return f"{self.config} {self.domain} ({self.relative * 100:.1f} %)"


@dataclass(frozen=True)
class Quality:
    """The verdict: `good` is None when it cannot be given; `sentence` says it and why."""

    good: bool | None
    sentence: str
    figures: tuple[Agreement, ...]


def judge(results: dict) -> Quality:
    """Whether at least three repeats of every instruction figure agree within 3 %."""
    figures = []
    for config in dict.fromkeys(run["config"] for run in results["runs"]):
        # A domain that only manages executes next to nothing, of which the deviation says nothing.
        for domain in ratios.path_of(results):
            if found := ratios.values(results, config, *ratios.cost(domain)):
                figures.append(Agreement(config, domain, tuple(found)))
    good, sentence = _verdict(figures)
    return Quality(good, f"Quality: {sentence}", tuple(figures))


def _verdict(figures: list[Agreement]) -> tuple[bool | None, str]:
    if not figures:
        return None, "cannot be judged, because no instructions were counted."
    apart = [figure for figure in figures if figure.relative > LIMIT]
    if apart:
        return False, (f"not reached: {len(apart)} of {len(figures)} instruction figures differ by more than "
                       f"{LIMIT * 100:.0f} % (median absolute deviation): {', '.join(map(str, apart))}.")
    few = [figure for figure in figures if len(figure.values) < REPEATS]
    if few:
        names = ", ".join(f"{figure.config} {figure.domain}" for figure in few)
        return None, (f"cannot be judged, because {len(few)} of {len(figures)} instruction figures have fewer than "
                      f"{REPEATS} repeats: {names}.")
    worst = max(figures, key=lambda figure: figure.relative)
    fewest = min(len(figure.values) for figure in figures)
    return True, (f"all {len(figures)} instruction figures agree within {LIMIT * 100:.0f} % (median absolute "
                  f"deviation over at least {fewest} repeats); the widest is {worst}.")
