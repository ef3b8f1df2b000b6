# SPDX-License-Identifier: GPL-2.0-only
"""The errors that the command tells its user, and the exit codes."""

from __future__ import annotations

EXIT_FAILED = 1         # the wish was understood and could not be met; the former driver serves the device
EXIT_USAGE = 2
EXIT_ENVIRONMENT = 3    # root, a program or a place to write to is missing on this machine, or the device has no driver left
EXIT_INTERRUPTED = 130  # by a key, before anything was touched


class XenlroError(Exception):
    """A sentence for the user: the fault and what to do."""

    def __init__(self, message: str, code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.code = code
