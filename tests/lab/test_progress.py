# SPDX-License-Identifier: GPL-2.0-only
"""The output of long work: the jobs, the position, the time left, and the failures."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from lab import progress, steps
from tests import __main__ as suites


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Progress(unittest.TestCase):
    """A clock and a file of durations of the test's own."""

    def setUp(self) -> None:
        self.memory = Path(self.enterContext(tempfile.TemporaryDirectory())) / "durations.json"
        self.now = 0.0

    def made(self, *names: str) -> progress.Progress:
        return progress.Progress("run", names, self.memory, lambda: self.now)

    def run_one(self, where: progress.Progress, name: str, seconds: float, keep: bool = True) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            where.begin()
            self.now += seconds
            where.end(name, keep)
        return said.getvalue()

    def test_nothing_is_known_at_first(self) -> None:
        where = self.made("a", "a", "b")
        self.assertEqual(where.opening(), "3 runs, the time is not known before the first has ended: a x2, b")
        self.assertEqual(self.run_one(where, "a", 120), "run 1 of 3\n")
        self.assertEqual(where.position(), "run 2 of 3, about 4 minutes left")

    def test_durations_are_remembered(self) -> None:
        where = self.made("a", "b")
        self.run_one(where, "a", 60)
        self.run_one(where, "b", 600)
        self.assertEqual(self.made("a", "b").opening(), "2 runs, about 11 minutes: a, b")
        self.assertEqual(self.made("a", "new").opening(), "2 runs, about 2 minutes: a, new")

    def test_pace_of_this_run_counts(self) -> None:
        self.memory.write_text(json.dumps({"run a": 60, "run b": 600}))
        where = self.made("a", "b")
        self.run_one(where, "a", 120)
        self.assertEqual(where.position(), "run 2 of 2, about 20 minutes left")

    def test_pairs_take_half_the_time(self) -> None:
        self.memory.write_text(json.dumps({"run a": 60, "run b": 60, "run c": 600}))
        where = progress.Progress("run", ("a", "b", "c"), self.memory, lambda: self.now, paired=("a", "b"))
        self.assertEqual(where.opening(), "3 runs, about 11 minutes: a, b, c")

    def test_failed_job_is_no_measure(self) -> None:
        where = self.made("a", "b")
        self.run_one(where, "a", 60, keep=False)
        self.assertFalse(self.memory.exists())
        self.assertEqual(where.position(), "run 2 of 2")

    def test_broken_memory_does_no_harm(self) -> None:
        for text in ("", "[1]", '{"run a": "x"}'):
            self.memory.write_text(text)
            self.assertEqual(self.made("a").position(), "run 1 of 1")

    def test_records_pass(self) -> None:
        where = self.made("a", "b")
        with contextlib.redirect_stdout(io.StringIO()) as said:
            found = list(where.each(iter([{"config": "a"}, {"config": "b"}]), lambda record: record["config"]))
        self.assertEqual([record["config"] for record in found], ["a", "b"])
        self.assertIn("run 2 of 2", said.getvalue())

    def test_terminal_has_one_line_that_is_rewritten(self) -> None:
        with contextlib.redirect_stdout(Terminal()) as said:
            steps.status("run 1 of 2")
            steps.say("a line")
            steps.status("run 2 of 2")
            steps.status("")
            steps.say("last")
        clear = "\r\x1b[K"
        self.assertEqual(said.getvalue(), f"{clear}run 1 of 2{clear}a line\nrun 1 of 2{clear}run 2 of 2{clear}last\n")


class Check(unittest.TestCase):
    def check(self, *suites_to_run: suites.Suite, folder: Path) -> tuple[int, list[str]]:
        """The result of `make check` with these suites, and what it says."""
        with contextlib.redirect_stdout(io.StringIO()) as said, mock.patch.object(suites, "LOGS", folder), \
                mock.patch.object(progress, "MEMORY", folder / "durations.json"), \
                mock.patch.object(suites.prereq, "ensure"), mock.patch.object(suites, "SUITES", suites_to_run):
            result = suites.check([], longer=False)
        return result, said.getvalue().splitlines()

    def test_two_suites_run_at_a_time_and_some_alone(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        both, ended = threading.Barrier(2, timeout=20), []

        def together(log: Path, limit: float) -> None:
            both.wait()
            ended.append(log.stem)
            log.write_text("1 passed, 0 failed\n")

        def alone(log: Path, limit: float) -> None:
            self.assertEqual(sorted(ended), ["one", "two"])
            log.write_text("1 passed, 0 failed\n")

        result, lines = self.check(suites.Suite("one", "it", together, 1), suites.Suite("three", "it", alone, 1, alone=True),
                                   suites.Suite("two", "it", together, 1), folder=folder)
        self.assertEqual((result, lines[-1]), (0, "3 passed, 0 failed"))

    def test_failures_are_told_at_the_end(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

        def suite(name: str, failed: int) -> suites.Suite:
            told = f"FAIL the one\nok   another\n    still running: it (10 s)\n2 passed, {failed} failed\n"
            return suites.Suite(name, "something", lambda log, limit: log.write_text(told), 1)

        result, lines = self.check(suite("one", 0), suite("two", 3), suite("three", 0), folder=folder)
        self.assertEqual(result, 1)
        self.assertEqual(lines[0], "3 suites, the time is not known before the first has ended: one, two, three")
        self.assertIn("suite 1 of 3", lines)
        self.assertEqual(lines[-5:], ["failed: two, 3 of its tests", "    FAIL the one", "    2 passed, 3 failed",
                                      f"    the whole log: {folder}/two.log", "6 passed, 3 failed"])


if __name__ == "__main__":
    unittest.main()
