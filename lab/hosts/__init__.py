# SPDX-License-Identifier: GPL-2.0-only
"""The experiments on hosts that the user names in a file, reached by ssh."""

from .job import run

__all__ = ["run"]
