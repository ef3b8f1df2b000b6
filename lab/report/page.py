# SPDX-License-Identifier: GPL-2.0-only
"""The report as one HTML page that needs nothing else: no script, no network, plots and style inside."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

from .data import Cell, Figure, Missing, Section, Table

_STYLE = Path(__file__).with_name("page.css")


def words(sentence: str) -> str:
    """Text with `code` in backquotes."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def render(title: str, lead: list[str], quality: tuple[bool | None, str], sections: list[Section],
           plots: dict[str, str], plot_folder: str) -> str:
    """The page.

    lead: its first paragraphs, empty ones are left out. plots: the SVG element of each figure; plot_folder: where
    their files are.
    """
    good, verdict = quality
    mood = {True: " good", False: " bad", None: ""}[good]
    links = "\n".join(f'<a href="#{_anchor(section)}">{escape(section.title)}</a>' for section in sections)
    paragraphs = "\n".join(f'<p class="lead">{words(text)}</p>' for text in lead if text)
    body = "\n".join(_section(section, plots, plot_folder) for section in sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>
{_STYLE.read_text()}</style>
</head>
<body>
<h1>{escape(title)}</h1>
{paragraphs}
<p class="quality{mood}">{words(verdict)}</p>
<nav>
{links}
</nav>
{body}
</body>
</html>
"""


def _anchor(section: Section) -> str:
    return re.sub(r"[^a-z]+", "-", section.title.lower()).strip("-")


def _section(section: Section, plots: dict[str, str], plot_folder: str) -> str:
    parts = [f'<section id="{_anchor(section)}">', f"<h2>{escape(section.title)}</h2>"]
    if section.intro:
        parts.append(f"<p>{words(section.intro)}</p>")
    symbols = False
    for block in section.blocks:
        inside = isinstance(block, Table) and block.name.startswith("symbols-")
        if inside != symbols:
            parts.append('<div class="pairs symbols">' if inside else "</div>")
            symbols = inside
        if isinstance(block, Figure):
            parts.append(_figure(block, plots[block.name], plot_folder))
        elif isinstance(block, Table):
            parts.append(_table(block))
        elif isinstance(block, Missing):
            parts.append(f'<p class="missing">{words(block.sentence)}</p>')
    return "\n".join([*parts, *["</div>"] * symbols, "</section>"])


def _figure(figure: Figure, svg: str, plot_folder: str) -> str:
    return (f'<figure id="figure-{figure.name}">\n<h3>{escape(figure.title)}</h3>\n{svg}\n'
            f"<figcaption>{words(figure.sees)}</figcaption>\n"
            f'<p class="source">Numbers: {escape(figure.source)}. Plot: {escape(plot_folder)}/{figure.name}.png, '
            f"drawn by {figure.name}.gp beside it.</p>\n</figure>")


def _table(table: Table) -> str:
    head = "\n".join("<tr>" + "".join(f'<th{_span(columns)}>{escape(text)}</th>' for text, columns in row) + "</tr>"
                     for row in table.head)
    rows = []
    for index, row in enumerate(table.rows):
        who = table.families[index] if index < len(table.families) else None
        mark = f' class="{who}"' if who and not table.words else ""
        rows.append(f"<tr{mark}>" + "".join(map(_cell, row)) + "</tr>")
    notes = "".join(f'<p class="note">{words(note)}</p>\n' for note in table.notes)
    kind = ' class="words"' if table.words else ""
    return (f'<div class="table" id="table-{table.name}">\n<h3>{escape(table.title)}</h3>\n<table{kind}>\n'
            f"<thead>\n{head}\n</thead>\n<tbody>\n" + "\n".join(rows) + f"\n</tbody>\n</table>\n{notes}"
            f'<p class="source">Numbers: {escape(table.source)}.</p>\n</div>')


def _span(columns: int) -> str:
    return f' colspan="{columns}"' if columns > 1 else ""


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, Cell):
        share = 100 * min(max(cell.share, 0.0), 1.0)
        return f'<td class="bar" style="background-size:{share:.1f}% 70%">{escape(cell.text)}</td>'
    return f"<td>{escape(cell)}</td>"
