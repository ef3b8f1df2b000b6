# SPDX-License-Identifier: GPL-2.0-only
"""Fairness: streams to four guests at once, of which the first one is like the others, greedy, or slow.

A greedy guest is sent eight streams, each other one a single stream. A slow one gets a twelfth of the CPU
that all four share, so that it gives netback slots late. Fields of a row are those of scaling_guests.py, and `case`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from . import attempts, configs
from .configs import Config
from .scaling_guests import Bench, GuestsLab
from .steps import step

GUESTS = 4
CONFIGS = ("guest12", "guest12-napi")
CASES = ALIKE, GREEDY, SLOW = ("alike", "greedy", "slow")
# Streams to a greedy guest, and per cent of a CPU for a slow one.
STREAMS, CAP = 8, 8


class _Case(Bench):
    """The laboratory in one configuration, with a first guest of a kind."""

    def __init__(self, lab: GuestsLab, config: Config, case: str) -> None:
        super().__init__(lab, config, GUESTS)
        self._case = case
        self.first = STREAMS if case == GREEDY else 1

    def attempt(self, repeat: int) -> attempts.Attempt:
        with self._capped():
            made = super().attempt(repeat)
        made.record["case"] = self._case
        return made

    @contextmanager
    def _capped(self) -> Iterator[None]:
        """A slow guest's share of the CPU, until the streams are over."""
        def cap(percent: int) -> None:
            self._lab.dom0.run(f"xl sched-credit2 -d {self._lab.guests[0].name} -c {percent}")

        if self._case != SLOW:
            yield
            return
        cap(CAP)
        try:
            yield
        finally:
            cap(0)


def run(series: str, repeats: int, wanted: list[Config]) -> list[dict]:
    """Rows of the results: each configuration with each kind of first guest, `repeats` times."""
    rows: list[dict] = []
    lab = GuestsLab(series, with_ours=any(config.ours for config in wanted), counted=True)
    lab.prepare()
    with lab:
        for config in configs.in_order(wanted):
            for case in CASES:
                bench = _Case(lab, config, case)
                with step(f"{config.name}, first guest {case}: measure it at rest"):
                    bench.settle()
                rows += bench.runs(f"{config.name}, first guest {case}", repeats)
    return rows
