# SPDX-License-Identifier: GPL-2.0-only
"""The program stamps, which asks a NIC for time stamps: see stamps.c."""

from __future__ import annotations

from pathlib import Path

from lab import proc
from lab.paths import BUILD

FOLDER = Path(__file__).parent


def program() -> Path:
    """Build the program, if its source changed, and return its path."""
    proc.run(["make", "-s", "-C", str(FOLDER), f"OUT={BUILD / 'tests/stamps'}"], log=None, timeout=60)
    return BUILD / "tests/stamps/stamps"
