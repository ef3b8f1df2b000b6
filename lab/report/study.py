# SPDX-License-Identifier: GPL-2.0-only
"""The numbers of the study that this project builds on; its table 2 is in lab/table.py.

Counts of a whole system over a transfer, in the study's own unit: only their ratios compare with other machines.
"""

from __future__ import annotations

from ..table import STUDY as TABLE_2

__all__ = ["CLOCK", "DOMAINS", "INSTRUCTIONS", "TABLE_2"]

# Table 3, whole system.
CLOCK = {"native": 6268246, "guest0": 9711714, "guest1": 8011935, "guest2": 9866277}
INSTRUCTIONS = {"guest0": 7162061, "guest1": 5356630, "guest2": 7494295}
# Table 4: driver domain, guest.
DOMAINS = {"guest0": (1495928, 5666134), "guest1": (1326092, 4030538), "guest2": (2267178, 5227117)}
