# SPDX-License-Identifier: GPL-2.0-only
"""docs/engine.md and docs/porting.md say what the code has: each reason, counter, parameter, tracepoint and function."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CORE = TOP / "lro_core"
PAGE = (TOP / "docs/engine.md").read_text()
PORTING = (TOP / "docs/porting.md").read_text()
EXAMPLE = (TOP / "examples/lro_pair/lro_pair.c").read_text()
HEADER = (TOP / "include/lro.h").read_text()

REASON = re.compile(r"^(?:gro|pass|drop|flush)_[a-z0-9_]+$")


def section(title: str) -> str:
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)[1]


def first_cells(text: str) -> list[str]:
    return re.findall(r"^\| `([^`]+)` \|", text, re.M)


class EnginePage(unittest.TestCase):
    def test_reasons(self):
        code = re.findall(r'\bR\(\w+, "(\w+)"\)', (CORE / "reasons.h").read_text())
        told = [name for name in re.findall(r"\| `([a-z0-9_]+)` \|$", PAGE, re.M) if REASON.match(name)]
        self.assertGreater(len(code), 40)
        self.assertEqual(sorted(told), sorted(code))

    def test_order_of_reasons(self):
        code = re.findall(r'\bR\(\w+, "([a-z]+)_\w+"\)', (CORE / "reasons.h").read_text())
        kinds = [kind for kind, before in zip(code, ["", *code]) if kind != before]
        self.assertEqual(kinds, re.findall(r"`([a-z]+)_`", section("Counters").split("Always")[0]))

    def test_counters(self):
        code = re.findall(r'\bC\(\w+, "(\w+)"\)', (CORE / "engine.h").read_text())
        self.assertGreater(len(code), 10)
        self.assertEqual(first_cells(section("Counters")), code)

    def test_parameters(self):
        text = (CORE / "param.c").read_text()
        limits = dict(re.findall(r"^#define (\w+)\s+(\d+)$", text, re.M))
        for name in re.findall(r"module_param_cb\((\w+),", text):
            with self.subTest(name):
                low = re.search(rf"set_{name}\(.*?kp, (\d+), {name.upper()}_LIMIT", text, re.S)[1]
                default = limits[f"{name.upper()}_DEFAULT"]
                told = f"| `{name}` | {low} to {limits[f'{name.upper()}_LIMIT']} ({default}) |"
                self.assertIn(told, section("Parameters"))
                self.assertIn(f"| `lro_core` {told}", (TOP / "docs/parameters.md").read_text())
        self.assertEqual(sorted(first_cells(section("Parameters"))),
                         sorted(re.findall(r"module_param_cb\((\w+),", text)))

    def test_tracepoints(self):
        code = re.findall(r"(?:DEFINE_EVENT\(\w+, |TRACE_EVENT\()(\w+),", (CORE / "trace.h").read_text())
        self.assertEqual(re.findall(r"`(lro_\w+)` \(", section("Tracepoints")), code)


class PortingPage(unittest.TestCase):
    def test_every_function_of_the_interface(self):
        functions = re.findall(r"^ \* (lro_\w+)\(\) - ", HEADER, re.M)
        self.assertGreater(len(functions), 10)
        for name in functions:
            with self.subTest(name):
                self.assertIn(name, PORTING)

    def test_every_call_that_is_shown_is_in_the_interface(self):
        for name in re.findall(r"\b(lro_\w+)\(", PORTING):
            with self.subTest(name):
                self.assertRegex(HEADER, rf"\b{name}\(")

    def test_example_is_a_short_port(self):
        marked = [line for line in EXAMPLE.splitlines() if "LRO:" in line]
        self.assertLessEqual(len(marked), 26)
        for name in ("lro_create", "lro_begin", "lro_receive_skb", "lro_complete_done", "lro_stop", "lro_destroy"):
            self.assertTrue(any(name in line for line in marked), name)


if __name__ == "__main__":
    unittest.main()
