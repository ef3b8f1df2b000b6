# SPDX-License-Identifier: GPL-2.0-only
"""Sentences computed from the numbers that they speak of."""

from __future__ import annotations

from collections.abc import Iterable

from .data import GRO, NOBODY, OURS, family, has_guest


def amount(value: float, unit: str = "") -> str:
    """A number with as many digits as it deserves, and its unit."""
    size = abs(value)
    digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 0.1 or not size else 4
    text = f"{value:,.{digits}f}"
    return f"{text} {unit}" if unit else text


def listed(names: Iterable[str]) -> str:
    """"a, b and c"."""
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else "nothing"


def best(medians: dict[str, float], who: str, more_is_better: bool) -> str | None:
    """The best guest configuration of a family; None when none was measured."""
    found = [name for name in medians if family(name) == who and has_guest(name)]
    return (max if more_is_better else min)(found, key=medians.__getitem__) if found else None


def leader(medians: dict[str, float], what: str, unit: str, more_is_better: bool) -> str:
    """How this project's best guest configuration stands beside GRO's best and where nothing merges.

    `what` starts the sentence, such as "Throughput".
    """
    ours, peer, plain = (best(medians, who, more_is_better) for who in (OURS, GRO, NOBODY))
    if not ours:
        extremes = sorted(medians, key=medians.__getitem__)
        return (f"{what}: from {amount(medians[extremes[0]], unit)} ({extremes[0]}) to "
                f"{amount(medians[extremes[-1]], unit)} ({extremes[-1]}); no configuration of this project was "
                "measured.")
    text = f"{what}: {amount(medians[ours], unit)} in {ours}, the best of this project"
    if peer:
        text += _beside(medians[ours], medians[peer], f"({peer}, {amount(medians[peer], unit)})", more_is_better)
    if plain:
        text += f"; {plain}, where nothing merges, has {amount(medians[plain], unit)}"
    return text + "."


def _beside(ours: float, peer: float, peer_text: str, more_is_better: bool) -> str:
    share = ours / peer if peer else None
    if ours == peer or (share and 0.995 < share < 1.005):
        return f"; level with the best GRO configuration {peer_text}"
    if share is None:
        return f"; the best GRO configuration {peer_text}"
    verdict = "better" if (share > 1) == more_is_better else "worse"
    return f"; {share:.2f} times the best GRO configuration {peer_text}, which is {verdict}"


def without(names: list[str]) -> str:
    """A sentence that says which configurations lack the number; empty when none does."""
    return f" Not measured for {listed(names)}." if names else ""
