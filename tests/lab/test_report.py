# SPDX-License-Identifier: GPL-2.0-only
"""The report, the key ratios and the verdict on repeats, from results made by hand."""

from __future__ import annotations

import copy
import json
import struct
import tempfile
import unittest
import zlib
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

from lab import configs, ratios, report
from lab.report import curves, gnuplot, page, plots, words
from lab.report.data import Data
from lab.steps import LabError

# Configuration -> Mbit/s, LRO ratio, instructions of driver domain and guest (xen, kernel, modules, user), copies.
BASIS = {
    "native": (300.0, 1.0, (0.0, 3.0, 0.75, 0.25), None, None),
    "native-gro": (400.0, 12.0, (0.0, 1.5, 0.25, 0.25), None, None),
    "guest0": (25.0, 1.0, (2.5, 3.5, 1.25, 0.25), (3.0, 6.0, 0.75, 0.25), 58.0),
    "guest1": (190.0, 33.0, (0.5, 0.25, 0.125, 0.125), (0.25, 0.75, 0.125, 0.125), 17.5),
    "guest2": (80.0, 18.0, (2.5, 3.5, 1.0, 0.5), (0.75, 1.0, 0.125, 0.125), 58.0),
    "guest12": (195.5, 34.0, (0.5, 0.25, 0.125, 0.125), (0.25, 0.25, 0.125, 0.125), 17.5),
    "gro1": (144.0, 14.0, (0.75, 1.25, 0.25, 0.25), (0.25, 0.75, 0.25, 0.25), 73.0),
    "gro2": (67.0, 5.5, (2.5, 3.5, 1.25, 0.25), (1.0, 2.5, 0.25, 0.25), 58.0),
    "gro12": (150.0, 20.0, (0.75, 1.25, 0.25, 0.25), (0.25, 0.5, 0.125, 0.125), 73.0),
}
# What the middle repeat has; the others are a little above and below it.
WIDTHS = (0.99, 1.0, 1.02)
FIGURES = {"throughput", "lro-ratio", "instructions", "grant-copies", "window", "histogram", "latency", "flows",
           "guests", "spread"}
TABLES = {"ratios", "table-2", "table-3", "table-4", "split", "grants", "latency", "captured", "spread",
          "machine", "symbols-native-driver", "symbols-guest12-driver", "symbols-guest12-guest"}
MINIMAL = ("config", "repeat", "mbps", "lro_ratio", "retransmits")
VOID = {"meta", "link", "br", "img", "hr"}


def domain(parts: tuple[float, ...], width: float) -> dict[str, float]:
    named = {name: part * width for name, part in zip(("xen", "kernel", "modules", "user"), parts)}
    return {"total": sum(named.values()), **named}


def one_run(config: str, repeat: int) -> dict:
    mbps, ratio, driver, guest, copies = BASIS[config]
    width = WIDTHS[repeat]
    run = {"config": config, "repeat": repeat, "mbps": mbps * width, "lro_ratio": ratio * width, "retransmits": repeat,
           "insn_per_byte": {"driver": domain(driver, width)}, "moved_per_byte": {"driver": 2.0 * width},
           "acks_per_mb": 345.0 / ratio, "latency_us": {"p50": 800.0 * width, "p99": 2000.0 * width}, "latency_count": 100,
           "segs_histogram": {"1": 40} if ratio == 1 else {"1": 10, str(int(ratio)): 30},
           "window": {"unit_ms": 1, "bytes": [None, *range(30000, 30000 + 1200 * 50, 50)], "mean": 60000,
                      "acks_per_mb": 344.0 / ratio, "retransmitted_packets": repeat, "longest_silence_ms": 40.0 + repeat}, "discarded": 1}
    if config == "guest12":
        run |= {"latency_off_us": {"p50": 790.0 * width, "p99": 2000.0 * width}, "latency_off_count": 70,
                "latency_histogram": {"width": 50, "bins": {"800": 98, "2000": 2}, "slower": 0},
                "latency_off_histogram": {"width": 50, "bins": {"800": 98, "2000": 2}, "slower": 0}}
    if guest:
        run["insn_per_byte"]["guest"] = domain(guest, width)
        run["moved_per_byte"]["guest"] = 1.0 * width
        run |= {"grant_copies_per_64k": copies * width, "grant_hypercalls_per_64k": 2.0,
                "grant_bytes_per_copy": 65536 / copies}
    return run


def full() -> dict:
    """Results with every part."""
    symbols = [{"symbol": name, "share": 0.5 / (n + 1), "insn_per_packet": 100.0 - n}
               for n, name in enumerate(["gnttab_copy", "a<b>&c", "memcpy"])]
    flows = [{"flows": count, "engine": engine, "burst": burst, "insn_per_byte": cost, "longest_wait_us": 50.0 * burst,
              "lro_ratio": ratio / (1 + count / 500) * burst / 16}
             for engine, ratio, cost in (("lro", 40.0, 1.0), ("gro", 20.0, 2.0)) for burst in (1, 16)
             for count in (1, 8, 64, 256, 1024)]
    guests = [{"guests": count, "config": name, "mbps": BASIS[name][0] / count, "lro_ratio": 20.0,
               "insn_per_byte": {"driver": 1.0 + count, "guest": 2.0}}
              for name in ("guest12", "gro12") for count in (1, 2, 4, 8)]
    return {"schema": 1, "kernel": "6.12.1", "xen": "4.20.4", "qemu": "11.1.3", "nic": "RTL8169sb", "bytes": 67108864,
            "runs": [one_run(config, repeat) for config in BASIS for repeat in range(3)],
            "profile": {"native": {"driver": symbols},
                        "guest12": {"driver": [row | {"owner": "xen"} for row in symbols], "guest": symbols}},
            "scaling": {"flows": flows, "guests": guests}, "machine": {"cpu_model": "Some CPU", "cores": 2}}


def minimal() -> dict:
    """Results as they are where nothing but throughput was measured."""
    found = full()
    for part in ("profile", "scaling", "machine"):
        del found[part]
    found["runs"] = [{name: run[name] for name in MINIMAL} for run in found["runs"]]
    return found


class Page(HTMLParser):
    """A page, checked for balance: its ids, links, tables by id, and the text of figures and of what is missing."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.tables: dict[str, list[list[str]]] = {}
        self.texts: dict[str, str] = {}
        self.missing: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag, _ in self.open]

    def handle_starttag(self, tag: str, attrs: list) -> None:
        known = dict(attrs)
        self.tags[tag] += 1
        if "id" in known:
            self.ids[known["id"]] += 1
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "xlink:href")]
        if tag in VOID:
            return
        self.open.append((tag, known))
        if tag == "tr" and self._within("table-"):
            self.tables.setdefault(self._within("table-"), []).append([])
        if tag in ("td", "th"):
            self.tables[self._within("table-")][-1].append("")
        if known.get("class") == "missing":
            self.missing.append("")

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1][0] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def _within(self, prefix: str) -> str:
        return next((known["id"][len(prefix):] for _, known in reversed(self.open)
                     if str(known.get("id", "")).startswith(prefix)), "")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] in ("td", "th"):
            self.tables[self._within("table-")][-1][-1] += data
        if any(known.get("class") == "missing" for _, known in self.open):
            self.missing[-1] += data
        for prefix in ("figure-", "table-"):
            if (name := self._within(prefix)) and not any(tag == "svg" for tag, _ in self.open):
                self.texts[prefix + name] = self.texts.get(prefix + name, "") + data

    def row(self, table: str, name: str) -> list[str]:
        return next(row for row in self.tables[table] if row[0] == name)


def png_pixels(path: Path) -> tuple[int, int, int]:
    """Width, height, and how many different bytes the picture is made of."""
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n", path
    width, height = struct.unpack(">II", raw[16:24])
    data, at = b"", 8
    while at < len(raw):
        length, kind = struct.unpack(">I4s", raw[at:at + 8])
        data += raw[at + 8:at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    return width, height, len(set(zlib.decompress(data)))


def png_rows(path: Path) -> list[bytes]:
    """The rows of a picture of 8 bits per channel as the file has them, filtered: rows that are alike become zeros."""
    raw = path.read_bytes()
    width, _, _, kind = struct.unpack(">IIBB", raw[16:26])
    data, at = b"", 8
    while at < len(raw):
        length, name = struct.unpack(">I4s", raw[at:at + 8])
        data += raw[at + 8:at + 8 + length] if name == b"IDAT" else b""
        at += 12 + length
    data, stride = zlib.decompress(data), 1 + width * {2: 3, 6: 4}[kind]
    return [data[at + 1:at + stride] for at in range(0, len(data), stride)]


class Report(unittest.TestCase):
    """Each results file once through gnuplot: full, minimal into the same folder, and what is odd or in part."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.results = full()
        before = copy.deepcopy(cls.results)
        cls.path = report.write(cls.results, cls.folder)
        assert cls.results == before, "the report changed the results"
        cls.html = cls.path.read_text()
        cls.page = Page(cls.html)

    def test_page_is_well_formed_and_self_contained(self) -> None:
        self.assertEqual(self.path, self.folder / "report.html")
        self.assertEqual(self.page.faults, [])
        self.assertEqual([name for name, count in self.page.ids.items() if count > 1], [])
        self.assertEqual([link for link in self.page.links if not link.startswith("#")], [])
        self.assertEqual([link for link in self.page.links if link[1:] not in self.page.ids], [])
        self.assertFalse({"script", "link", "img", "iframe"} & set(self.page.tags))
        self.assertNotRegex(self.html, r"@import|url\((?!#)")

    def test_every_figure_and_table_is_there_and_names_its_file(self) -> None:
        self.assertEqual({name[7:] for name in self.page.ids if name.startswith("figure-")}, FIGURES)
        self.assertEqual(set(self.page.tables), TABLES)
        self.assertEqual(self.page.tags["svg"], len(FIGURES))
        self.assertEqual(self.page.missing, [])
        for name, text in self.page.texts.items():
            self.assertIn("results.json", text, name)

    def test_pictures_are_not_blank(self) -> None:
        self.assertEqual({path.stem for path in self.folder.glob("plots/*.png")}, FIGURES)
        self.assertEqual({path.stem for path in self.folder.glob("plots/*.gp")}, FIGURES)
        for path in self.folder.glob("plots/*.png"):
            width, height, different = png_pixels(path)
            self.assertEqual(width, 2200, path.name)
            self.assertGreater(height, 400, path.name)
            self.assertGreater(different, 16, path.name)

    def test_table_2_has_the_study_and_the_medians(self) -> None:
        for config, (mbps, ratio, *_) in BASIS.items():
            row = self.page.row("table-2", config)
            self.assertEqual((row[2], row[6]), (f"{mbps:.1f}", f"{ratio:.2f}"))
            self.assertEqual(row[7:], ["3", f"{345 / ratio:.1f}", "3", "3"])
        self.assertEqual(self.page.row("table-2", "guest2")[:6], ["guest2", "636.9", "80.0", "1.24", "3.20", "3.525"])
        self.assertEqual(self.page.row("table-2", "guest1")[1:6:4], ["523.0", "< guest2"])

    def test_tables_3_and_4_have_the_study_and_the_medians(self) -> None:
        self.assertEqual(self.page.row("table-3", "guest1"),
                         ["guest1", "8,011,935", "–", "0.82", "5,356,630", "2.25", "0.75", "0.13"])
        self.assertEqual(self.page.row("table-3", "native"),
                         ["native", "6,268,246", "–", "0.65", "–", "4.00", "–", "0.23"])
        self.assertIn("No clock cycles here", self.page.texts["table-table-3"])
        self.assertEqual(self.page.row("table-4", "guest2"),
                         ["guest2", "2,267,178", "7.50", "1.52", "1.00", "5,227,117", "2.00", "0.92", "0.20"])

    def test_other_tables_equal_the_input(self) -> None:
        self.assertEqual(self.page.row("split", "gro1")[1:], ["0.75", "1.25", "0.25", "0.25", "2.50", "2.00", "0.25",
                                                              "0.75", "0.25", "0.25", "1.50", "1.00"])
        self.assertEqual(self.page.row("grants", "guest1")[1:], ["17.50", "2.00", "3,745"])
        self.assertEqual(self.page.row("latency", "guest12")[1:], ["800", "2,000", "300"])
        self.assertEqual(self.page.row("latency", "guest12, merging off")[1:], ["790", "2,000", "210"])
        self.assertEqual(self.page.row("captured", "native")[1:], ["60,000", "344.0", "3", "42"])
        self.assertEqual(self.page.tables["symbols-guest12-guest"][2], ["a<b>&c", "25.0", "99.0"])
        self.assertEqual(self.page.tables["symbols-guest12-driver"][2][0], "a<b>&c [xen]")
        self.assertIn(["native", "Mbit/s", "300.0", "3.0", "1.00", "3"], self.page.tables["spread"])
        self.assertIn(["driver cost", "Driver domain's instructions per byte: guest1 / gro1", "0.40",
                       "smaller is better"], self.page.tables["ratios"])
        self.assertIn("LRO ratio of this project, 1024 flows", [row[1] for row in self.page.tables["ratios"]])
        self.assertIn(["Processor", "Some CPU"], self.page.tables["machine"])

    def test_summary_says_the_ratios(self) -> None:
        self.assertIn("beside the kernel&#x27;s own drivers with GRO: 0.40 times for r8169_lro in the driver domain, "
                      "0.50 times for netfront_lro in the guest and 0.50 times for both together.", self.html)
        self.assertIn("In guest12 the busier of the two domains could receive 4.00 times as much", self.html)
        self.assertIn("39.9 segments with one flow and 13.1 with a thousand", self.html)

    def test_windows_are_read_from_their_files(self) -> None:
        folder = self.folder / "files"
        (folder / "windows").mkdir(parents=True)
        (folder / "windows/guest0-1.json").write_text('{"bytes": [null, 1024, 3072]}')
        found = minimal()
        found["runs"] = [run for run in found["runs"] if run["config"] == "guest0"]
        found["runs"][0]["window"] = {"unit_ms": 1, "file": "windows/guest0-1.json"}
        seen = Page(report.write(found, folder).read_text())
        self.assertIn("windows/guest0-1.json", seen.texts["figure-window"])
        self.assertIn("guest0 2.00", seen.texts["figure-window"])
        (folder / "windows/guest0-1.json").unlink()
        with self.assertRaisesRegex(LabError, "gone or damaged"):
            report.write(found, folder)

    def test_sentences_follow_from_the_numbers(self) -> None:
        self.assertIn("195.5 Mbit/s in guest12, the best of this project; 1.30 times the best GRO configuration "
                      "(gro12, 150.0 Mbit/s), which is better; guest0, where nothing merges, has 25.00 Mbit/s.",
                      self.page.texts["figure-throughput"])
        self.assertIn("guest12 34", self.page.texts["figure-histogram"])
        self.assertIn("guest12: 2.00 instructions per byte in the driver domain with 1 guest, 9.00 with 8.",
                      self.page.texts["figure-guests"])
        self.assertIn("In native and guest0 every segment came alone", self.page.texts["figure-histogram"])
        self.assertIn("all 16 instruction figures agree within 3 %", self.html)

    def test_minimal_results_say_what_is_missing(self) -> None:
        folder = self.folder / "again"
        folder.mkdir()
        (folder / "plots").mkdir()
        (folder / "plots/window.png").write_text("of an earlier run")
        found = Page(report.write(minimal(), folder).read_text())
        self.assertEqual(found.faults, [])
        self.assertEqual({path.stem for path in folder.glob("plots/*.png")}, {"throughput", "lro-ratio"})
        self.assertEqual(found.tags["svg"], 2)
        self.assertEqual(set(found.tables), {"table-2", "spread", "machine"})
        self.assertEqual(len(found.missing), 10)
        for sentence, subject in zip(found.missing, ("The inputs of the ratios", "Instructions", "Grant copies",
                                                     "Advertised windows", "Segments", "Request/response",
                                                     "Scaling over flows", "Scaling over guests", "Symbols", "Spread")):
            self.assertTrue(sentence.startswith(subject), sentence)
            self.assertRegex(sentence, "not measured.*make lab")
        self.assertIn("acknowledgements per megabyte", found.texts["table-table-2"])
        self.assertIn("The machine was not described", found.texts["table-machine"])

    def test_partial_and_odd_results(self) -> None:
        """Instructions of two configurations only, one repeat, names and numbers that no lab writes."""
        found = minimal()
        rich = {(run["config"], run["repeat"]): run for run in full()["runs"]}
        found["runs"] = [rich[run["config"], 0] if run["config"] in ("native", "guest12") else run
                         for run in found["runs"] if not run["repeat"]]
        found["runs"].append({**found["runs"][0], "config": 'a"b`touch owned`<i>', "mbps": 0})
        found["runs"][3] |= {"insn_per_byte": "many", "window": {"unit_ms": 1, "bytes": [None, None]},
                             "latency_us": {"p50": float("nan")}, "segs_histogram": []}
        found["scaling"] = {"flows": [{"flows": 8, "engine": "lro", "lro_ratio": 3.0}, 7], "guests": None}
        folder = self.folder / "odd"
        seen = Page(report.write(found, folder).read_text())
        self.assertEqual(seen.faults, [])
        self.assertIn("Not measured for native-gro, guest0, guest1", seen.texts["figure-instructions"])
        self.assertIn("This project: an LRO ratio of 3.00 with 8 flows", seen.texts["figure-flows"])
        self.assertIn("Instructions per byte were not measured in this series", seen.texts["figure-flows"])
        self.assertIn('a"b`touch owned`<i>', [row[0] for row in seen.tables["table-2"]])
        self.assertEqual([path for path in folder.rglob("owned")], [])
        self.assertEqual(seen.row("table-4", "guest12")[2], "0.99")
        # One repeat has no spread.
        self.assertNotIn("figure-spread", seen.ids)
        self.assertIn(["native", "Mbit/s", "297.0", "–", "–", "1"], seen.tables["spread"])

    def test_a_failure_leaves_the_last_report_alone(self) -> None:
        folder = self.folder / "kept"
        folder.mkdir()
        (folder / "report.html").write_text("before")
        with mock.patch.object(gnuplot, "draw", side_effect=LabError("no gnuplot")), self.assertRaises(LabError):
            report.write(minimal(), folder)
        self.assertEqual([(path.name, path.read_text()) for path in folder.iterdir()], [("report.html", "before")])
        with self.assertRaises(LabError):
            report.write({"schema": 1}, folder)

    def test_gnuplot_reports_a_broken_script(self) -> None:
        with tempfile.TemporaryDirectory() as name, self.assertRaises(LabError) as told:
            gnuplot.draw([report.Figure("broken", "", "", "", "plot $nothing using 1:2\n")], Path(name))
        self.assertIn("nothing", told.exception.sentence())


class Pieces(unittest.TestCase):
    """What needs no gnuplot."""

    def test_colours_follow_who_merges(self) -> None:
        self.assertEqual({name: plots.colour(name) for name in ("guest1", "gro1", "guest0", "unknown")},
                         {"guest1": str(0x0072b2), "gro1": str(0xd55e00), "guest0": str(0x7d7d7d),
                          "unknown": str(0x7d7d7d)})
        self.assertEqual(len({plots.colour(name) for name in configs.ALL}), 3)

    def test_bars_begin_at_zero_and_dots_are_repeats(self) -> None:
        script = plots.bars("b", {"gro1": [1.0, 3.0, 2.0]}, {"gro1": 2.0}, "things (1)", 1)
        self.assertIn("set yrange [0:3.54]", script)
        self.assertIn('0 2 13983232 "2.0" 3\n', script)
        self.assertIn("$b_dots << EOD\n-0.09 1\n0 3\n0.09 2\nEOD", script)

    def test_sentence_says_who_is_worse(self) -> None:
        self.assertEqual(words.leader({"guest1": 3.0, "gro1": 2.0, "native": 1.0}, "Cost", "", False),
                         "Cost: 3.00 in guest1, the best of this project; 1.50 times the best GRO configuration "
                         "(gro1, 2.00), which is worse.")
        self.assertIn("no configuration of this project", words.leader({"gro1": 2.0}, "Cost", "", False))
        self.assertIn("level with", words.leader({"guest1": 2.0, "gro1": 2.0}, "Cost", "", False))

    def test_half_way_counts_segments(self) -> None:
        """30 singles and 3 aggregates of 10: half of the 60 segments are in tens."""
        self.assertEqual(curves.half_way(Counter({1: 30, 10: 3})), 10)
        self.assertEqual(curves.half_way(Counter({1: 31, 10: 3})), 1)

    def test_window_is_of_the_median_run_and_thinned_by_means(self) -> None:
        runs = [{"config": "guest1", "repeat": n, "mbps": mbps, "window": {"unit_ms": 2, "bytes": [n, None, 3]}}
                for n, mbps in enumerate((5.0, 1.0, 3.0))]
        self.assertEqual(curves._typical(Data({"runs": runs}, "file"), "guest1")[0], 2)
        self.assertEqual(curves._thinned([None, 4.0, 8.0]), ([(1, 4.0), (2, 8.0)], 1))
        self.assertEqual(curves._thinned([1.0, 3.0] * curves.POINTS)[0][:2], [(0, 2.0), (2, 2.0)])

    def test_svg_ids_are_of_their_figure(self) -> None:
        figure = report.Figure("name", 'a "b" <c>', "", "", "")
        text = gnuplot.inline("<?xml?><svg x='1'><title>t</title><g id=\"a\"/><use xlink:href='#a'/>"
                              "<p fill='url(#a)'/></svg>", figure)
        self.assertEqual(text, "<svg role=\"img\" aria-label=\"a &quot;b&quot; &lt;c>\" x='1'><g id=\"name-a\"/>"
                               "<use xlink:href='#name-a'/><p fill='url(#name-a)'/></svg>")

    def test_words_of_a_page(self) -> None:
        self.assertEqual(page.words("`make lab` & <b>"), "<code>make lab</code> &amp; &lt;b&gt;")


class Ratios(unittest.TestCase):
    """Each ratio by hand."""

    def test_all(self) -> None:
        """With the middle repeat at BASIS: sums of parts are 4 (native), 1 and 1.25 (guest1), 1 and 0.75 (guest12),
        2.5 and 1.5 (gro1), 2 (guest2's guest), 4 (gro2's guest), 2.5 and 1 (gro12)."""
        self.assertEqual(ratios.compute(full()), {
            "driver_cost": 0.4,                          # 1 / 2.5
            "guest_cost": 0.5,                          # 2 / 4
            "both_cost": 0.5,                          # 1.75 / 3.5
            "capacity": 4.0, "capacity_config": "guest12",  # 4 / max(1, 0.75)
            "throughput": 0.6517,                  # 195.5 / 300
            "grant_copies": 17.5,
            "lro_ratio": {"1": 39.9202, "1000": 13.1234},  # 40 / (1 + 1/500), 40 / (1 + 1024/500)
            "latency_p99": 1.0,
        })

    def test_the_same_receive_buffers(self) -> None:
        found = full()
        found["runs"] += [run | {"config": "gro1-coherent"} for run in found["runs"] if run["config"] == "gro2"]
        coherent = ratios.middle(found, "gro1-coherent", *ratios.cost("driver"))
        self.assertEqual(ratios.compute(found)["driver_cost_coherent"], round(1.0 / coherent, 4))

    def test_capacity_takes_the_busier_domain_and_the_best_configuration(self) -> None:
        found = full()
        for run in found["runs"]:
            if run["config"] == "guest12":
                run["insn_per_byte"]["guest"]["total"] = 2.0
        # guest12 is limited by 2.0 now, guest1 by 1.25; gro12 takes no part.
        self.assertEqual({name: value for name, value in ratios.compute(found).items() 
                          if name in ("capacity", "capacity_config", "throughput")},
                         {"capacity": 3.2, "capacity_config": "guest1", "throughput": 0.6333})

    def test_medians_not_means(self) -> None:
        found = full()
        for run in found["runs"]:
            if run["config"] == "guest1" and run["repeat"] == 2:
                run["insn_per_byte"]["driver"]["total"] = 1000.0
                run["grant_copies_per_64k"] = 9000.0
        self.assertEqual(ratios.compute(found)["driver_cost"], 0.4)
        self.assertEqual(ratios.compute(found)["grant_copies"], 17.5)

    def test_latency_is_on_over_off_of_all_repeats_together(self) -> None:
        found = full()
        runs = [run for run in found["runs"] if run["config"] == "guest12"]
        # One repeat of three, with all the slow answers: the hundredth part of all is 3 of 300.
        runs[0]["latency_histogram"]["bins"] = {"800": 94, "2000": 6}
        for run in runs[1:]:
            run["latency_histogram"]["bins"] = {"800": 100}
        for run in runs:
            run["latency_off_histogram"]["bins"] = {"800": 100}
        off = 750 + 50 * 0.99
        self.assertEqual(ratios.compute(found)["latency_p99"], round((1950 + 50 * 3 / 6) / off, 4))
        runs[0]["latency_histogram"]["slower"] = 4
        self.assertNotIn("latency_p99", ratios.compute(found))

    def test_flows_of_1000_go_before_1024_and_gro_does_not_count(self) -> None:
        found = full()
        found["scaling"]["flows"].append({"flows": 1000, "engine": "lro", "lro_ratio": 16.0})
        self.assertEqual(ratios.compute(found)["lro_ratio"]["1000"], 16.0)
        found["scaling"]["flows"] = [{"flows": 1, "engine": "gro", "lro_ratio": 20.0}]
        self.assertNotIn("lro_ratio", ratios.compute(found))

    def test_without_inputs_there_is_no_ratio(self) -> None:
        self.assertEqual(ratios.compute(minimal()), {})
        found = full()
        found["runs"] = [run for run in found["runs"] if run["config"] not in ("native", "gro1", "guest0")]
        self.assertEqual(set(ratios.compute(found)),
                         {"guest_cost", "both_cost", "grant_copies", "lro_ratio", "latency_p99"})


    def test_earlier_results_have_other_names(self) -> None:
        kept = minimal() | {"ratios": {"P1": 0.4, "P4": 3.0, "P4_config": "guest12", "P6": {"1": 45.0}}}
        self.assertEqual(ratios.of(kept), {"driver_cost": 0.4, "capacity": 3.0, "capacity_config": "guest12",
                                           "lro_ratio": {"1": 45.0}})
        self.assertEqual(ratios.of(full()), ratios.compute(full()))


class Quality(unittest.TestCase):
    """The verdict on repeats."""

    def judged(self, *totals: float) -> report.Quality:
        return report.judge({"runs": [{"config": "guest1", "insn_per_byte": {"driver": {"total": total}}}
                                      for total in totals]})

    def test_within(self) -> None:
        """Deviations 2.9, 0 and 50: their median is 2.9 % of 100."""
        found = self.judged(97.1, 100.0, 150.0)
        self.assertIs(found.good, True)
        self.assertIn("guest1 driver (2.9 %)", found.sentence)

    def test_apart(self) -> None:
        found = self.judged(96.9, 100.0, 150.0)
        self.assertIs(found.good, False)
        self.assertIn("not reached: 1 of 1", found.sentence)
        self.assertIn("guest1 driver (3.1 %)", found.sentence)

    def test_too_few_or_none(self) -> None:
        self.assertIs(self.judged(100.0, 100.0).good, None)
        self.assertIn("fewer than 3 repeats", self.judged(100.0, 100.0).sentence)
        self.assertIn("no instructions were counted", self.judged().sentence)
        json.dumps(self.judged(1.0).sentence)


if __name__ == "__main__":
    unittest.main()
