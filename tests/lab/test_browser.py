# SPDX-License-Identifier: GPL-2.0-only
"""The report in headless Chromium, in light and in dark: every figure is drawn, and nothing in it overlaps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import unittest
from html import unescape
from pathlib import Path

from lab import report

from . import test_report

WIDTH = 1240
SECONDS = 120
# Sizes of each figure and of the page, written where --dump-dom shows them. Boxes are those of the shapes in a figure;
# level labels that overlap by more than 2 pixels each way are named.
SCRIPT = """
<script>
window.addEventListener("load", () => {
	const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
		&& Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
	const figures = {};
	for (const figure of document.querySelectorAll("figure")) {
		const box = figure.querySelector("svg").getBoundingClientRect();
		const labels = [...figure.querySelectorAll("svg text")]
			.filter(text => text.textContent.trim() && Math.abs(text.getScreenCTM().b) < 0.01);
		const boxes = labels.map(text => text.getBoundingClientRect());
		const clashes = [], outside = [];
		boxes.forEach((one, i) => {
			if (one.left < box.left - 1 || one.right > box.right + 1 || one.top < box.top - 1 || one.bottom > box.bottom + 1)
				outside.push(labels[i].textContent);
			boxes.slice(i + 1).forEach((other, j) => overlap(one, other)
				&& clashes.push(labels[i].textContent + " / " + labels[i + 1 + j].textContent));
		});
		figures[figure.id] = {width: box.width, height: box.height, top: box.top + scrollY, clashes, outside,
			labels: labels.length, shapes: [...figure.querySelectorAll("svg path, svg polygon, svg use, svg circle")]
				.filter(shape => { const drawn = shape.getBoundingClientRect(); return drawn.width + drawn.height > 0; }).length};
	}
	const tables = [...document.querySelectorAll("table")].filter(table => {
		const box = table.getBoundingClientRect();
		return box.right > document.documentElement.clientWidth; }).map(table => table.parentElement.id);
	const found = {figures, wide: tables, height: document.documentElement.scrollHeight,
		ink: getComputedStyle(document.body).color, paper: getComputedStyle(document.body).backgroundColor};
	document.body.setAttribute("data-found", JSON.stringify(found));
});
</script>
"""


def chromium(*options: str) -> str:
    """Run it without a window; return its output."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if not program:
        raise AssertionError("there is no Chromium to render the report: install the package "
                             "chromium and run the tests again")
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             f"--user-data-dir={home}", "--no-first-run", "--disable-extensions",
             *options], capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise AssertionError(f"Chromium ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


class Rendered(unittest.TestCase):
    """The page of the results made by hand, as a reader sees it."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.page = report.write(test_report.full(), cls.folder)
        cls.light = cls.seen()
        cls.dark = cls.seen("--blink-settings=preferredColorScheme=0")

    @classmethod
    def seen(cls, *options: str) -> dict:
        copy = cls.folder / "copy.html"
        copy.write_text(cls.page.read_text().replace("</body>", SCRIPT + "</body>"))
        dom = chromium("--dump-dom", f"--window-size={WIDTH},900", *options, copy.as_uri())
        found = re.search(r'data-found="([^"]*)"', dom)
        if not found:
            raise AssertionError(f"Chromium did not render the page to its end: {dom[-300:]!r}")
        return json.loads(unescape(found[1]))

    def test_every_figure_is_drawn(self) -> None:
        self.assertEqual(set(self.light["figures"]), {f"figure-{name}" for name in test_report.FIGURES})
        for name, figure in self.light["figures"].items():
            with self.subTest(name):
                self.assertGreater(figure["width"], 1000)
                self.assertGreater(figure["height"], 200)
                self.assertGreater(figure["shapes"], 10)
                self.assertGreater(figure["labels"], 5)

    def test_labels_do_not_overlap(self) -> None:
        for name, figure in self.light["figures"].items():
            with self.subTest(name):
                self.assertEqual(figure["clashes"], [])
                self.assertEqual(figure["outside"], [])

    def test_tables_fit(self) -> None:
        self.assertEqual(self.light["wide"], [])

    def test_light_and_dark(self) -> None:
        def brightness(colour: str) -> int:
            return sum(int(part) for part in re.findall(r"\d+", colour)[:3])
        self.assertGreater(brightness(self.light["paper"]), brightness(self.light["ink"]) + 400)
        self.assertLess(brightness(self.dark["paper"]) + 400, brightness(self.dark["ink"]))

    def test_picture_of_the_page_is_not_blank(self) -> None:
        picture = self.folder / "page.png"
        height = min(self.light["height"], 12_000)
        chromium(f"--screenshot={picture}", f"--window-size={WIDTH},{height}", "--force-device-scale-factor=0.5",
                 self.page.as_uri())
        rows = test_report.png_rows(picture)
        scale = len(rows) / height
        for name, figure in self.light["figures"].items():
            top, bottom = (int(scale * at) for at in (figure["top"], figure["top"] + figure["height"]))
            if bottom < len(rows):
                with self.subTest(name):
                    self.assertGreater(len(set(b"".join(rows[top:bottom]))), 32)
        self.assertLess(len(set(rows[4])), 4, "the margin of the page is not blank: this test sees nothing")


if __name__ == "__main__":
    unittest.main()
