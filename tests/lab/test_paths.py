# SPDX-License-Identifier: GPL-2.0-only
"""Report, table and ratios from results of a path through several domains, and of the default path."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from lab import domains, nics, ratios, report, table
from lab.report import path
from lab.report.data import Data

from .test_report import Page, domain, full

# Instructions per byte by domain, copies per 64 KiB and mean bytes of a packet by hop.
CHAIN = {
    "guest12": ({"dom0": 0.25, "net": 1.5, "firewall": 4.5, "app": 1.25}, ((16.5, 40000), (17.5, 41000))),
    "gro12": ({"dom0": 0.25, "net": 3.0, "firewall": 5.0, "app": 1.75}, ((74.0, 28000), (60.0, 30000))),
}


def chained() -> dict:
    """Results of the chain: its domains are not those of a bridge, and natively there is "driver" alone."""
    found = full()
    found["topology"] = domains.select("chain").described("pvh")
    kept = []
    for run in found["runs"]:
        if run["config"] in CHAIN:
            width = (0.99, 1.0, 1.02)[run["repeat"]]
            costs, hops = CHAIN[run["config"]]
            run["insn_per_byte"] = {name: domain((cost, 0.0, 0.0, 0.0), width) for name, cost in costs.items()}
            run["moved_per_byte"] = dict.fromkeys(costs, 1.0)
            run["hops"] = [{"back": hop["back"], "front": hop["front"], "grant_copies_per_64k": copies * width,
                            "grant_hypercalls_per_64k": 2.0, "mean_bytes": size}
                           for hop, (copies, size) in zip(found["topology"]["hops"], hops)]
            run["grant_copies_per_64k"] = hops[0][0] * width
            kept.append(run)
        elif run["config"] == "native":
            kept.append(run)
    found["runs"] = kept
    symbols = found["profile"]["native"]["driver"]
    found["profile"] = {"native": {"driver": symbols}, "guest12": {"net": symbols, "firewall": symbols}}
    return found


class Chain(unittest.TestCase):
    """A page of four domains and two hops."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.page = Page(report.write(chained(), cls.folder).read_text())

    def test_page_is_whole(self) -> None:
        self.assertEqual((self.page.faults, self.page.missing), ([], []))
        self.assertIn("figure-path", self.page.ids)

    def test_drawing_has_domains_and_hops(self) -> None:
        script = (self.folder / "plots/path.gp").read_text()
        for said in ("net domain", "firewall", "app domain", "PVH, pCPU 3", "PV, pCPU 1", "guest12: 4.50", "gro12: 5.00",
                     "16.5 copies/64K", "60.0 copies/64K", "39.1 KiB/packet", "29.3 KiB/packet", "route", "NIC"):
            self.assertIn(f'"{said}"', script)
        self.assertEqual(script.count("set object"), 5)
        self.assertEqual(script.count("set arrow"), 4)
        self.assertIn("In guest12 a packet has 39.06 KiB on the first hop and 40.04 KiB on the last.",
                      self.page.texts["figure-path"])

    def test_tables_have_each_domain(self) -> None:
        self.assertEqual(self.page.row("hops", "gro12")[1:], ["74.0", "2.00", "28,000", "60.0", "2.00", "30,000"])
        self.assertEqual([cell for cell in self.page.tables["table-4"][0] if cell],
                         ["net domain", "firewall", "app domain", "dom0"])
        self.assertEqual(self.page.row("table-4", "guest12")[1:],
                         ["–", "1.50", "–", "–", "4.50", "–", "–", "1.25", "–", "–", "0.25", "–"])
        self.assertEqual(self.page.row("table-3", "guest12")[5], "7.50")
        self.assertEqual(self.page.row("split", "native")[5], "4.00")
        self.assertEqual(len(self.page.row("split", "guest12")), 1 + 4 * 6)
        self.assertIn(["guest12", "instructions per byte, firewall", "4.500", "0.045", "1.00", "3"],
                      self.page.tables["spread"])
        for name in ("symbols-guest12-net", "symbols-guest12-firewall", "symbols-native-driver"):
            self.assertIn(name, self.page.tables)

    def test_only_the_path_is_judged(self) -> None:
        judged = {(figure.config, figure.domain) for figure in report.judge(chained()).figures}
        self.assertEqual(judged, {("native", "net"), *((config, name) for config in CHAIN
                                                       for name in ("net", "firewall", "app"))})


class Figures(unittest.TestCase):
    """Ratios and the terminal's table."""

    def test_ratios(self) -> None:
        found = ratios.compute(chained())
        # (0.25 + 1.5 + 4.5 + 1.25) / (0.25 + 3 + 5 + 1.75); 41000 / 40000; native's 4 / the firewall's 4.5.
        self.assertEqual((found["both_cost"], found["kept"], found["capacity"]), (0.75, 1.025, 0.8889))
        self.assertNotIn("driver_cost", found)
        self.assertIn("0.75 times for all domains together", report.sentences(found, 4))
        self.assertIn("In guest12 the busiest domain could", report.sentences(found, 4))

    def test_driver_of_the_measured_nic_is_named(self) -> None:
        found = chained() | {"ratios": {"driver_cost": 0.4}}
        for nic, driver in ((nics.MODELS["igb"].about, "igb_lro"), (nics.MODELS["8168"].about, "r8169_lro"),
                            ("10ec:8169", "r8169_lro")):
            self.assertIn(f"0.40 times for {driver} in the driver domain", report.compared(found | {"nic": nic}))

    def test_one_hop_keeps_nothing(self) -> None:
        self.assertNotIn("kept", ratios.compute(full() | {"topology": domains.select("bridge").described("pv")}))

    def test_terminal(self) -> None:
        lines = table.render(chained()).splitlines()
        self.assertIn("sender -> NIC -> net (pv) -[route]-> firewall (pvh) -[route]-> app (pvh)", lines)
        row = next(line.split() for line in lines if line.startswith("guest12"))
        self.assertEqual(row[7:], ["1.50", "4.50", "1.25", "0.25", "16.5", "39.1", "17.5", "40.0", "2000"])
        native = next(line.split() for line in lines if line.startswith("native"))
        self.assertEqual(native[7:], ["4.00", "-", "-", "-", "-", "-", "-", "-", "2000"])

    def test_what_else_is_not_as_ever(self) -> None:
        found = chained()
        found["topology"]["varied"] = ["flowtable", "fixed_id"]
        self.assertTrue(table.path(found).endswith("app (pvh) [flowtable, fixed_id]"))

    def test_bridge_is_shown_as_ever(self) -> None:
        known = full() | {"topology": domains.select("bridge").described("pv")}
        lines = [line for line in table.render(known).splitlines() if not line.startswith("sender ->")]
        self.assertEqual(lines, table.render(full()).splitlines())
        self.assertEqual(ratios.compute(known), ratios.compute(full()))

    def test_nothing_is_drawn_of_old_results(self) -> None:
        self.assertIsNone(path.drawing(Data(full(), "file")))
        self.assertIsNone(path.hops(Data(full(), "file")))
        self.assertEqual(table.path(full()), "")


if __name__ == "__main__":
    unittest.main()
