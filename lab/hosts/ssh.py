# SPDX-License-Identifier: GPL-2.0-only
"""A host reached by ssh: all commands share one connection."""

from __future__ import annotations

import base64
import os
import re
import shlex
import time
from pathlib import Path

from .. import proc
from ..agent import CommandFailed
from ..steps import EXIT_ENVIRONMENT, LabError
from .inventory import HostEntry

# Seconds: to connect, and after which a connection without an answer is given up.
CONNECT, SILENCE = 20, 30
# Seconds that an answer may take beyond the command's own limit.
GRACE = 20.0
OUT_OF_TIME = 124
_STATUS = re.compile(r"\n?xenlro-status (\d+)\n\Z")


class SshHost:
    """A machine behind ssh; a Host as lab/agent.py defines it. close() ends the connection."""

    def __init__(self, entry: HostEntry, folder: Path, log: Path):
        """`folder` gets the connection's socket, `log` the messages of ssh."""
        self.name = entry.role
        self.entry = entry
        self.log = log
        self.scratch = "/tmp"
        self._socket = folder / entry.role
        self._master: proc.Child | None = None

    def connect(self) -> None:
        """Make the connection; raise LabError, with ssh's own words, when there is none within CONNECT seconds."""
        self.log.unlink(missing_ok=True)
        options = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"ConnectTimeout={CONNECT}", "ControlPersist=no",
                   f"ServerAliveInterval={SILENCE // 3}", "ServerAliveCountMax=3", "ForwardAgent=no", "ForwardX11=no",
                   "ControlMaster=yes", "PermitLocalCommand=no", "RequestTTY=no"]
        if self.entry.known_hosts:
            options += [f"UserKnownHostsFile={self.entry.known_hosts}", "GlobalKnownHostsFile=/dev/null"]
        if self.entry.identity:
            options += [f"IdentityFile={self.entry.identity}", "IdentitiesOnly=yes"]
        arguments = [part for option in options for part in ("-o", option)]
        if self.entry.port:
            arguments += ["-p", str(self.entry.port)]
        self._master = proc.Child(["ssh", *arguments, "-S", str(self._socket), "-N", "-T", "--", self.entry.ssh],
                                  log=self.log, name="ssh")
        deadline = time.monotonic() + CONNECT + GRACE
        while not self._socket.exists():
            if not self._master.alive() or time.monotonic() > deadline:
                said = proc.tail(self.log, 1) or "no answer"
                self._master.stop()
                raise LabError(f"{self.name}: ssh does not reach {self.entry.ssh}: {said}; `ssh {self.entry.ssh}` has "
                               "to work without a password and with a known host key", self.log, EXIT_ENVIRONMENT)
            time.sleep(0.05)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._master:
            self._master.stop()
            self._master = None

    def check(self) -> None:
        """Raise LabError when the connection is gone."""
        if not self._master or not self._master.alive():
            raise LabError(f"{self.name}: the ssh connection to {self.entry.ssh} was lost"
                           f" ({proc.tail(self.log, 1) or 'no reason given'})", self.log)

    def command(self, script: str) -> list[str]:
        """The command line that runs a shell script on the host over the connection."""
        return ["ssh", "-S", str(self._socket), "-o", "BatchMode=yes", "-o", "ControlMaster=no", "-T", "--",
                self.entry.ssh, f"exec sh -c {shlex.quote(script)}"]

    def run(self, command: str, timeout: float = 30, check: bool = True, given: bytes = b"") -> str:
        """As Host.run(); `given` is the command's standard input."""
        self.check()
        limited = (f"timeout -k 5 {max(1, round(timeout))} sh -c {shlex.quote(command)} 2>&1; "
                   "status=$?; echo; echo xenlro-status $status")
        try:
            said = proc.run(self.command(limited), log=None, timeout=timeout + GRACE, input=given,
                            env=os.environ | {"LC_ALL": "C"})
        except LabError as error:
            self.check()
            raise LabError(f"{self.name}: `{command[:80]}` could not be run over ssh: {error}", self.log) from error
        found = _STATUS.search(said)
        if not found:
            raise LabError(f"{self.name}: `{command[:80]}` was cut off: {said.strip()[-200:]}", self.log)
        output, status = said[:found.start()], int(found[1])
        if status == 0 or not check:
            return output
        why = f"did not end within {timeout:.0f} s" if status == OUT_OF_TIME else f"failed with status {status}"
        raise CommandFailed(self.name, command, status, output, why)

    def put(self, data: bytes, path: str, mode: int = 0o644) -> None:
        """As Host.put()."""
        name = shlex.quote(path)
        self.run(f"cat >{name} && chmod {mode:o} {name}", given=data)

    def get(self, path: str, offset: int = 0) -> bytes:
        """As Host.get()."""
        return base64.b64decode(self.run(f"tail -c +{offset + 1} {shlex.quote(path)} | base64"))
