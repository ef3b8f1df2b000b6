# SPDX-License-Identifier: GPL-2.0-only
"""The machine as the command sees it: sysfs, configuration and programs, below one root folder.

Tests give another root and other programs; everything else in this package goes through here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import programs
from .errors import EXIT_ENVIRONMENT, XenlroError

PROGRAM_LIMIT = 60  # seconds; modprobe of a driver takes below one
# Runs this package from where it lies, whether it is installed or not.
_AGAIN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from xenlro.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class System:
    """root: folder that holds sys, etc, lib and boot. kernel: release of the running kernel."""

    root: Path = Path("/")
    kernel: str = field(default_factory=lambda: os.uname().release)

    @property
    def sys(self) -> Path:
        return self.root / "sys"

    @property
    def proc(self) -> Path:
        return self.root / "proc"

    @property
    def choices(self) -> Path:
        """Folder with one file per device that has a chosen driver; udev's rule looks for them too."""
        return self.root / "etc/xenlro/devices"

    @property
    def run_folder(self) -> Path:
        """State of a switch, kept until the next reboot."""
        return self.root / "run/xenlro"

    @property
    def first_network(self) -> Path:
        """The network namespace in which the kernel makes the interface of a card: the first process has that one."""
        return self.proc / "1/ns/net"

    @property
    def privileged(self) -> bool:
        return os.geteuid() == 0

    def write(self, path: Path, text: str) -> None:
        """Write to a file of sysfs, in one write; XenlroError names the file."""
        try:
            path.write_text(text)
        except PermissionError as error:
            raise XenlroError("changing drivers needs root: run the same command with sudo",
                              EXIT_ENVIRONMENT) from error
        except OSError as error:
            raise XenlroError(f"the kernel refused '{text.strip()}' in {path}: {error.strerror}; see `dmesg`") from error

    def run(self, *command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, with any exit status, with `text` as its input; XenlroError when it does not exist."""
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin"
        try:
            return programs.run(command, text, {**os.environ, "LC_ALL": "C", "PATH": path}, PROGRAM_LIMIT)
        except FileNotFoundError as error:
            raise XenlroError(f"the program {command[0]} is missing: install the package that has it",
                              EXIT_ENVIRONMENT) from error
        except subprocess.TimeoutExpired as error:
            raise XenlroError(f"`{' '.join(command)}` did not end within {PROGRAM_LIMIT} s; see `dmesg`") from error

    def output(self, *command: str) -> str:
        """Output of a program, or nothing when it failed or does not exist."""
        try:
            done = self.run(*command)
        except XenlroError:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def detach(self, words: Sequence[str], log: Path) -> None:
        """Run this command with these words as a process that outlives the session; its output goes to `log`.

        systemd may end the processes of a session, and so may sudo: a separate unit is safe from both.
        """
        again = [sys.executable, "-B", "-c", _AGAIN, str(Path(__file__).resolve().parents[1]), *words]
        try:
            unit = self.run("systemd-run", "--quiet", "--collect", f"--unit=xenlro-{words[0]}-{os.getpid()}",
                            "--property=OOMScoreAdjust=-900", "--property=Restart=on-failure", f"--property=StandardOutput=append:{log}",
                            f"--property=StandardError=append:{log}", *again)
            if unit.returncode == 0:
                return
        except XenlroError:
            pass    # there is no systemd
        with log.open("ab") as said:
            subprocess.Popen(again, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd="/", start_new_session=True)


def read(path: Path) -> str:
    """A small file without the line's end; empty when it cannot be read."""
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""
