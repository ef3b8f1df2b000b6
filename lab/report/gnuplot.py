# SPDX-License-Identifier: GPL-2.0-only
"""Runs gnuplot: each script becomes an SVG for the page and a PNG file.

A script holds its data and sets neither terminal nor output, so `gnuplot -p SCRIPT` shows it again later.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from .. import proc, roots
from ..paths import LOGS
from ..steps import LabError
from .data import Figure

LOG = LOGS / "report.log"
# Plots of the root are drawn in its /tmp, which every command gets afresh.
_INSIDE = "/tmp/plots"
_TIMEOUT = 300
_PROGRAM = "gnuplot-nox"
_FONT = "DejaVu Sans"


def draw(figures: list[Figure], folder: Path) -> dict[str, str]:
    """Write NAME.gp and NAME.png of each figure to `folder`; return the SVG elements by figure name."""
    if not figures:
        return {}
    for figure in figures:
        (folder / f"{figure.name}.gp").write_text(figure.script)
    (folder / "all").write_text("".join(_both(figure) for figure in figures))
    LOG.unlink(missing_ok=True)
    _run(folder)
    (folder / "all").unlink()
    elements = {}
    for figure in figures:
        svg = folder / f"{figure.name}.svg"
        elements[figure.name] = inline(svg.read_text(), figure)
        svg.unlink()
    return elements


def _both(figure: Figure) -> str:
    width, height = figure.size
    return (f'reset session\nset terminal svg size {width},{height} dynamic noenhanced font "{_FONT},13" '
            f'background "#ffffff"\nset output "{figure.name}.svg"\nload "{figure.name}.gp"\nunset output\n'
            f'reset session\nset terminal pngcairo size {2 * width},{2 * height} noenhanced font "{_FONT},10" '
            f'fontscale 2 linewidth 2 pointscale 2\n'
            f'set output "{figure.name}.png"\nload "{figure.name}.gp"\nunset output\n')


def _run(folder: Path) -> None:
    root = roots.lab_root()
    if (root / "usr/bin" / _PROGRAM).exists():
        # gnuplot and fontconfig keep files at home.
        roots.chroot([_PROGRAM, "all"], binds={folder: _INSIDE}, log=LOG, timeout=_TIMEOUT, env={"HOME": "/tmp"},
                     cwd=_INSIDE)
    elif program := shutil.which("gnuplot"):
        proc.run([program, "all"], log=LOG, timeout=_TIMEOUT, cwd=folder)
    else:
        raise LabError("there is no gnuplot in the lab's root nor on this machine: run `make setup`")


def inline(svg: str, figure: Figure) -> str:
    """The <svg> element alone, with names that no other figure of the page has."""
    element = svg[svg.index("<svg"):]
    element = re.sub(r"<title>.*?</title>\s*|<desc>.*?</desc>\s*", "", element, flags=re.S)
    element = re.sub(r"""(\sid=["']|href=["']#|url\(#)""", rf"\g<1>{figure.name}-", element)
    element = element.replace(f'"{_FONT}"', f'"{_FONT}, Verdana, sans-serif"')
    label = figure.title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return element.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
