# SPDX-License-Identifier: GPL-2.0-only
"""Asks a running QEMU's instruction plugin for snapshots, from outside the guests."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path

from .errors import InsnError
from .reader import Snapshot, parse_snapshot

TIMEOUT_S = 10.0


class Control:
    """The plugin's control socket. Each request makes its own connection.

    `folder` has the plugin's output; histogram paths are relative to it.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = Path(path)
        self.folder = Path(folder)

    def snapshot(self, label: str, *, histogram: bool = False) -> Snapshot:
        """Takes a snapshot now. `label` must not contain blanks; at most 63 characters."""
        if not label or len(label) > 63 or any(c.isspace() for c in label):
            raise InsnError(f"{label!r} cannot label a snapshot: 1 to 63 characters, no blanks")
        request = f"snapshot {label}{' histogram' if histogram else ''}\n"
        reply = self._ask(request)
        try:
            line = json.loads(reply)
        except ValueError:
            raise InsnError(f"the instruction plugin at {self.path} answered no whole line: "
                            "QEMU ended, see its log") from None
        if line.get("type") == "error":
            raise InsnError(f"the instruction plugin refused {label!r}: {line['error']}")
        return parse_snapshot(line, self.folder)

    def wait(self, timeout: float = TIMEOUT_S, alive: Callable[[], None] = lambda: None) -> None:
        """Returns when the plugin listens, which it does before the machine executes anything.

        `alive` raises when QEMU has ended: its error tells more than a refused connection.
        """
        limit = time.monotonic() + timeout
        while True:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                    sock.connect(str(self.path))
                return
            except OSError as error:
                alive()
                if time.monotonic() > limit:
                    raise self._silent(error) from None
            time.sleep(0.02)

    def _silent(self, error: OSError) -> InsnError:
        return InsnError(f"the instruction plugin does not answer at {self.path} ({error.strerror or error}): "
                         "is QEMU running, with the plugin loaded? see its log")

    def _ask(self, request: str) -> str:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(TIMEOUT_S)
                sock.connect(str(self.path))
                sock.sendall(request.encode())
                parts = []
                while part := sock.recv(65536):
                    parts.append(part)
                return b"".join(parts).decode()
        except OSError as error:
            raise self._silent(error) from None
