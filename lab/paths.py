# SPDX-License-Identifier: GPL-2.0-only
"""Paths of the checkout and of its products."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("XENLRO_BUILD") or ROOT / "build").resolve()
LOGS = BUILD / "logs"
