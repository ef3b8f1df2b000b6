# SPDX-License-Identifier: GPL-2.0-only
"""Asking iproute2's programs, and giving them many commands at a time, with a check of each answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from .errors import EXIT_ENVIRONMENT, XenlroError
from .system import System

_FAILED = re.compile(r"Command failed -:(\d+)")


def check(system: System) -> None:
    """XenlroError unless `ip` is iproute2's: busybox has a program of that name that does not show the whole
    configuration."""
    done = system.run("ip", "-json", "link", "show", "dev", "lo")
    try:
        known = done.returncode == 0 and bool(json.loads(done.stdout))
    except ValueError:
        known = False
    if not known:
        raise XenlroError("the program ip on this machine cannot tell all of an interface's configuration (busybox's "
                          "cannot), so that it would be lost: install the package iproute2, then run the same command",
                          EXIT_ENVIRONMENT)


def show(system: System, program: str, *words: str) -> list[dict]:
    """Output of a program as JSON; XenlroError when it cannot be read."""
    said = _said(system, program, "-json", *words)
    try:
        return [entry for entry in json.loads(said or "[]") if isinstance(entry, dict) and entry]
    except ValueError as error:
        raise XenlroError(f"`{program} -json {' '.join(words)}` shows what cannot be read: install a newer "
                          "iproute2", EXIT_ENVIRONMENT) from error


def lines(system: System, *words: str) -> list[str]:
    """Output of `ip` as text, one entry a line; for routes and rules, since ip's JSON leaves out locked metrics."""
    return [" ".join(line.replace("\\", " ").split())
            for line in _said(system, "ip", "-oneline", *words).splitlines() if line.strip()]


def _said(system: System, *command: str) -> str:
    done = system.run(*command)
    if done.returncode:
        raise XenlroError(f"`{' '.join(command)}` fails ({' '.join(done.stderr.split()) or 'no reason given'}), so that "
                          "what it would show could not be put back", EXIT_ENVIRONMENT)
    return done.stdout


def batch(system: System, program: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Give all commands to one call of a program; return the refused ones, each with the reason."""
    if not commands:
        return []
    done = system.run(*program, "-force", "-batch", "-", text="".join(f"{command}\n" for command in commands))
    refused, said = [], []
    for line in done.stderr.splitlines():
        if match := _FAILED.search(line):
            number = int(match[1])
            if 1 <= number <= len(commands):
                refused.append(f"`{program[0]} {commands[number - 1]}`: {' '.join(said) or 'no reason given'}")
            said = []
        else:
            said.append(line.strip())
    if done.returncode and (said or not refused):
        # The program ends at words that it does not know, and leaves out all commands after them.
        if len(commands) > 1:
            middle = len(commands) // 2
            return batch(system, program, commands[:middle]) + batch(system, program, commands[middle:])
        refused.append(f"`{program[0]} {commands[0]}`: {' '.join(said) or f'exit code {done.returncode}'}")
    return refused
