# SPDX-License-Identifier: GPL-2.0-only
"""How a command of the lab ends: one sentence on failure, and the documented exit codes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from . import proc, steps
from .steps import EXIT_ENVIRONMENT, EXIT_INTERRUPTED, EXIT_OK, LabError


def main_guard(main: Callable[[], int | None], name: str = "lab") -> int:
    """Run `main`; turn what it raises into one sentence on stderr, after `name`, and the documented exit code.

    0 done, 1 a measurement or test failed, 2 wrong usage, 3 a fault of the machine (no root, no
    network, a missing tool, a full disk, a busy port), 130 interrupted.
    """
    try:
        with proc.supervised():
            return main() or EXIT_OK
    except LabError as error:
        return _fail(name, error.sentence(), error.code)
    except KeyboardInterrupt:
        return _fail(name, "interrupted; nothing is left running, and the next run keeps the finished parts",
                     EXIT_INTERRUPTED)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _fail(name, disk_full(error), EXIT_ENVIRONMENT)
        if error.errno == errno.EADDRINUSE:
            return _fail(name, f"a port or socket of the lab is in use by another program ({error}); "
                         "end that program or the other run of the lab", EXIT_ENVIRONMENT)
        raise


def disk_full(error: OSError) -> str:
    """The sentence for ENOSPC, naming the file system when it is known."""
    where = error.filename or "the build directory"
    return f"disk full: {where} could not be written; free some space and run the same command again"


def _fail(name: str, sentence: str, code: int) -> int:
    steps.status("")
    try:
        sys.stdout.flush()
        print(f"{name}: {sentence}", file=sys.stderr, flush=True)
    except OSError:
        # The reader has gone; the exit code still tells. The interpreter must not try again at exit.
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        os.dup2(devnull, 2)
    return code
