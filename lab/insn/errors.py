# SPDX-License-Identifier: GPL-2.0-only
"""The error of this package."""

from ..steps import LabError


class InsnError(LabError):
    """A measurement that would give a wrong number."""
