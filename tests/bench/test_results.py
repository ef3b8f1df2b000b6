# SPDX-License-Identifier: GPL-2.0-only
"""Rounds of the benchmark to rows of results."""

from __future__ import annotations

import json
import unittest
from typing import Any

from tests.bench import results, worst

KHZ = 2_000_000  # two ticks per nanosecond
PACKETS = 1000


def record(path: str, ns: list[float], **changes: Any) -> str:
    """A line as the module prints it; `ns` per packet and round, the empty loop included."""
    values = {
        "path": path, "flows": 1, "size": 1514, "packets": PACKETS, "segments": PACKETS * len(ns), "deliveries": 500,
        "failure": "", "tsc": [int(2 * value * PACKETS) for value in ns], "pmu": [0] * len(ns),
        "counted": [PACKETS] * len(ns),
    } | changes
    return f"[    1.000000] lro_bench: row {json.dumps(values)}"


def console(*records: str, end: bool = True) -> str:
    """A whole console."""
    about = {"tsc_khz": KHZ, "rounds": 5, "mode": 1, "pmu": False}
    lines = [f"[    0.500000] lro_bench: run {json.dumps(about)}", record("empty", [1] * 5), record("alloc", [101] * 5),
             *(record(floor, [51] * 5) for floor in results.FLOORS.values()), *records]
    return "\n".join(lines + (["[    2.000000] lro_bench: end"] if end else []))


GRO = record("gro_skb", [201, 201, 301, 201, 201])


class Rows(unittest.TestCase):
    """The results of known rounds."""

    def row(self, *records: str, path: str = "lro_skb") -> dict[str, Any]:
        return next(row for row in results.rows(results.parse(console(*records))) if row["path"] == path)

    def test_empty_loop_is_subtracted(self) -> None:
        row = self.row(GRO, record("lro_skb", [101, 101, 101, 101, 101]))
        self.assertAlmostEqual(row["ns"], 100)
        self.assertAlmostEqual(row["base_ns"], 200)
        self.assertAlmostEqual(row["extra_ns"], -100)
        self.assertAlmostEqual(row["alloc_ns"], 100)
        self.assertTrue(row["ok"])

    def test_ratio_is_taken_between_rounds_that_ran_together(self) -> None:
        row = self.row(GRO, record("lro_skb", [101, 101, 151, 101, 101]))
        self.assertAlmostEqual(row["ratio"], 0.5)
        self.assertAlmostEqual(row["ratio_mad"], 0)

    def test_disturbed_rounds_are_dropped(self) -> None:
        counted = [PACKETS, 0, PACKETS, PACKETS, PACKETS]
        row = self.row(record("gro_skb", [201] * 5), record("lro_skb", [101, 9999, 101, 101, 101], counted=counted))
        self.assertAlmostEqual(row["ns"], 100)
        self.assertEqual(row["rounds_dropped"], 1)
        self.assertFalse(row["ok"], "five rounds were wanted, four are left")
        self.assertIn("busy", row["failure"])

    def test_failure_in_the_module_fails_the_row(self) -> None:
        row = self.row(GRO, record("lro_skb", [101] * 5, failure="packets lost or doubled"))
        self.assertFalse(row["ok"])
        self.assertEqual(row["failure"], "packets lost or doubled")

    def test_failure_of_the_comparison_fails_the_row(self) -> None:
        row = self.row(record("gro_skb", [201] * 5, failure="bytes lost or doubled"), record("lro_skb", [101] * 5))
        self.assertIn("gro_skb", row["failure"])

    def test_cheaper_than_nothing_fails(self) -> None:
        row = self.row(GRO, record("lro_skb", [0.5] * 5))
        self.assertIn("empty loop", row["failure"])

    def test_a_busy_machine_is_no_failure_where_time_does_not_matter(self) -> None:
        busy = results.rows(results.parse(console(GRO, record("lro_skb", [101] * 5, counted=[0] * 5))))
        self.assertEqual(len(results.row_failures(busy)), 1)
        self.assertEqual(results.row_failures(busy, timing=False), [])
        lost = results.rows(results.parse(console(GRO, record("lro_skb", [101] * 5, failure="packets lost"))))
        self.assertEqual(len(results.row_failures(lost, timing=False)), 1)

    def test_judgement_names_what_is_missed(self) -> None:
        told = results.judgement(results.rows(results.parse(console(
            GRO, record("lro_skb", [201] * 5), record("lro_page", [51] * 5), record("gro_pull", [201] * 5),
            record("gro_frags", [151] * 5)))))
        self.assertEqual([line.split()[:2] for line in told], [["missed", "lro_skb,"], ["kept", "lro_page,"]])

    def judged(self, floor: list[float], lro: float) -> str:
        """The sentence about skb mode, by the times of its lower bound and of the engine."""
        records = [record("bound_skb", floor), GRO, record("lro_skb", [lro] * 5)]
        return results.judgement(results.rows(results.parse(console(*records))))[0]

    def test_a_bound_below_the_floor_is_out_of_reach(self) -> None:
        self.assertRegex(self.judged([181] * 5, 201), r"^out of reach lro_skb, .*the lower bound takes 0\.90$")
        self.assertTrue(self.judged([121] * 5, 201).startswith("missed "))
        self.assertTrue(self.judged([181] * 5, 151).startswith("kept "), "what is measured counts")

    def test_a_floor_above_the_bound_by_chance_proves_nothing(self) -> None:
        self.assertTrue(self.judged([201, 141, 251, 163, 163], 201).startswith("missed "))

    def test_passing_packets_name_their_kind(self) -> None:
        row = self.row(GRO, record("bare_ack", [101] * 5), record("passcopy_ack", [121] * 5), path="pass")
        self.assertEqual((row["kind"], row["entry"], row["ratio_to"]), ("ack", "lro_copy", "bare_ack"))
        self.assertAlmostEqual(row["extra_ns"], 20)

    def test_no_cycles_without_a_pmu(self) -> None:
        self.assertIsNone(self.row(GRO, record("lro_skb", [101] * 5))["cycles"])

    def test_segments_per_delivery(self) -> None:
        self.assertAlmostEqual(self.row(GRO, record("lro_skb", [101] * 5, deliveries=100))["segs_per_delivery"], 50)

    def test_a_run_that_stopped_early_is_refused(self) -> None:
        with self.assertRaises(results.NoResults):
            results.parse(console(GRO, end=False))


def dear(case: str, **ns: float) -> list[str]:
    """The lines of a case, `ns` per packet by path, GRO's included."""
    return [record(path, [value] * 5, case=case, max_flows=1024).replace("lro_bench: row", "lro_bench: worst")
            for path, value in ({"gro_skb": 100.0} | ns).items()]


class Worst(unittest.TestCase):
    """Costs that a sender can cause are compared with an ordinary packet."""

    def found(self, *lines: str) -> list[dict[str, Any]]:
        return worst.rows(results.parse(console(GRO, *lines)))

    def test_beside_gro_and_an_ordinary_packet(self) -> None:
        found = self.found(*dear("ordinary", lro_skb=200, lro_copy=400), *dear("fragments", lro_skb=500, lro_copy=500))
        row = next(row for row in found if (row["case"], row["path"]) == ("fragments", "lro_skb"))
        self.assertEqual((row["ns"], row["gro_ns"], row["ratio"], row["times"]), (500, 100, 5, 2.5))
        self.assertEqual([row["times"] for row in found if row["path"] == "lro_copy"], [1, 1.25])
        self.assertEqual(worst.failures(found), [])
        self.assertIn("500 (2.5)", worst.table(found))

    def test_dearer_than_the_bound_and_noise_fails(self) -> None:
        found = self.found(*dear("ordinary", lro_skb=200), *dear("fragments", lro_skb=1190), *dear("bytes", lro_skb=1300))
        said = worst.failures(found)
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], "^bytes to lro_skb, .* 6.5 times an ordinary packet")

    def test_what_was_not_measured_fails(self) -> None:
        self.assertEqual(len(worst.failures(self.found())), 1)
        busy = record("lro_skb", [300] * 5, case="bytes", max_flows=1024, counted=[0] * 5)
        found = self.found(*dear("ordinary", lro_skb=200), *dear("bytes"),
                           busy.replace("lro_bench: row", "lro_bench: worst"))
        self.assertEqual(len(worst.failures(found)), 1)
        self.assertIn("too busy", worst.failures(found)[0])

    def test_lost_packets_fail(self) -> None:
        lost = record("lro_skb", [300] * 5, case="bytes", max_flows=1024, failure="packets lost or doubled")
        found = self.found(*dear("ordinary", lro_skb=200), *dear("bytes"),
                           lost.replace("lro_bench: row", "lro_bench: worst"))
        self.assertEqual(len(worst.failures(found)), 1)
        self.assertIn("lost", worst.failures(found)[0])

    def test_every_run_has_to_end(self) -> None:
        begun = f"lro_bench: run {json.dumps({'tsc_khz': KHZ, 'rounds': 5, 'mode': 1, 'pmu': False})}\n"
        with self.assertRaises(results.NoResults):
            results.parse(begun + console(GRO))


if __name__ == "__main__":
    unittest.main()
