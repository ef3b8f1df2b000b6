# SPDX-License-Identifier: GPL-2.0-only
"""The cost of measuring in throughput: the same transfers with all measurements of a run, and with none.

Two laboratories stand side by side, one with the instruction plugin and the counter of grant copies, one without, and
transfers alternate between them. An idle laboratory costs a few per cent of a core, and costs both alike. Throughput is
steady enough on an idle machine only, so this is no part of `make check`.
"""

from __future__ import annotations

import unittest
from contextlib import ExitStack
from statistics import median

from lab import configs, measure, steps, vm
from lab.topology import Lab, NativeLab, XenLab

COUNT = 64 << 20
PAIRS = 5
# Of the throughput without measuring.
LEAST = 0.90


class Overhead(unittest.TestCase):
    """A measured transfer is nearly as fast as an unmeasured one."""

    def compare(self, kind: type[Lab], config: configs.Config) -> None:
        with ExitStack() as stack:
            plain, counted = (
                stack.enter_context(kind(with_ours=config.ours, counted=on, logs=vm.LOGS / f"overhead-{on:d}"))
                for on in (False, True))
            for lab in (plain, counted):
                lab.apply(config)
            baseline = measure.at_rest(counted)
            rates: list[tuple[float, float]] = []
            for turn in range(PAIRS):
                # The order changes, so that a machine that becomes slower or faster favours neither.
                pair = {}
                for lab in (plain, counted) if turn % 2 else (counted, plain):
                    around = measure.Meter(counted, baseline, COUNT) if lab is counted else None
                    pair[lab] = lab.transfer(COUNT, around=around).mbps
                rates.append((pair[plain], pair[counted]))
        ratios = [measured / free for free, measured in rates]
        steps.say(f"     {config.name}: {median(ratios):.3f} of the throughput without measuring, "
                  f"Mbit/s {', '.join(f'{free:.0f}/{measured:.0f}' for free, measured in rates)}")
        self.assertGreaterEqual(median(ratios), LEAST)

    def test_native(self) -> None:
        self.compare(NativeLab, configs.ALL["native-gro"])

    def test_xen(self) -> None:
        self.compare(XenLab, configs.ALL["guest12"])


if __name__ == "__main__":
    unittest.main()
