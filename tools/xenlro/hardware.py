# SPDX-License-Identifier: GPL-2.0-only
"""ethtool's settings: offloads, coalescing, speed and duplex, flow control, energy, wake-on-LAN, queues and rings."""

from __future__ import annotations

import re

from .errors import XenlroError
from .system import System

_ADAPTIVE = re.compile(r"^Adaptive RX: (\S+)\s+TX: (\S+)", re.M)
_LINE = re.compile(r"^([\w-]+):\s+(\S+)$", re.M)
_NEGOTIATED = {"autoneg", "speed", "duplex", "advertise"}
_WITHOUT = {"n/a", "Unknown!", ""}


def save(system: System, name: str) -> dict[str, dict[str, str]]:
    """By option of ethtool, words with their values; only what can be set."""
    return {"-L": _current(system.output("ethtool", "-l", name)), "-G": _current(system.output("ethtool", "-g", name)),
            "--set-priv-flags": _flags(system.output("ethtool", "--show-priv-flags", name)),
            "-K": _features(system.output("ethtool", "-k", name)), "-C": _coalescing(system.output("ethtool", "-c", name)),
            "-s": _link(system.output("ethtool", name)), "-A": _pause(system.output("ethtool", "-a", name)),
            "--set-eee": _energy(system.output("ethtool", "--show-eee", name))}


def differences(before: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """Differences in settings that either driver has."""
    return [f"{word} (ethtool {option}) is {now[option][word]} and was {value}"
            for option, words in before.items() for word, value in words.items()
            if now[option].get(word, value) != value]


def mend(system: System, name: str, before: dict[str, dict[str, str]],
         now: dict[str, dict[str, str]]) -> list[str]:
    """Restore settings that differ, one word at a time, so that a refused one does not stop the others."""
    refused = []
    for option, words in before.items():
        changed = {word: value for word, value in words.items() if now[option].get(word, value) != value}
        if set(changed) & _NEGOTIATED and option == "-s":
            # Speed and duplex go with negotiation: without it, a speed that is not given may change.
            refused += _set(system, name, option, {word: value for word, value in words.items() if word in _NEGOTIATED})
            changed = {word: value for word, value in changed.items() if word not in _NEGOTIATED}
        for word, value in changed.items():
            refused += _set(system, name, option, {word: value})
    return refused


def _set(system: System, name: str, option: str, words: dict[str, str]) -> list[str]:
    command = ["ethtool", option, name]
    for word, value in words.items():
        if word == "advertise":
            command += [word, *(part for mode in value.split() for part in (mode, "on"))]
        else:
            command += [word, value]
    try:
        done = system.run(*command)
    except XenlroError as error:
        return [str(error)]
    return [f"`{' '.join(command)}`: {' '.join(done.stderr.split())}"] if done.returncode else []


def _features(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        match = re.match(r"^\s*([\w-]+): (on|off)( \[requested on\]| \[requested off\])?$", line)
        if match:
            # A feature that waits for another one is wanted all the same.
            found[match[1]] = match[3].split()[1].rstrip("]") if match[3] else match[2]
    return found


def _coalescing(text: str) -> dict[str, str]:
    found = {word: value for word, value in _LINE.findall(text) if value.isdigit()}
    if match := _ADAPTIVE.search(text):
        found |= {word: value for word, value in zip(("adaptive-rx", "adaptive-tx"), match.groups()) if value not in _WITHOUT}
    return found


def _link(text: str) -> dict[str, str]:
    fields = dict(re.findall(r"^\s*([\w -]+): (.+)$", text, re.M))
    found = {}
    if fields.get("Supports auto-negotiation") == "Yes" and fields.get("Auto-negotiation") in ("on", "off"):
        found["autoneg"] = fields["Auto-negotiation"]
        if found["autoneg"] == "off":
            speed = re.fullmatch(r"(\d+)Mb/s", fields.get("Speed", ""))
            found |= {"speed": speed[1]} if speed else {}
            found |= {"duplex": fields["Duplex"].lower()} if fields.get("Duplex") in ("Half", "Full") else {}
        elif modes := _modes(text):
            found["advertise"] = modes
    if "d" != fields.get("Supports Wake-on", "d") and "Wake-on" in fields:
        found["wol"] = fields["Wake-on"]
    return found


def _modes(text: str) -> str:
    """Names of the advertised link modes, which ethtool prints over several lines."""
    match = re.search(r"^\s*Advertised link modes:\s+(.+(?:\n\s+\d[^:\n]*)*)", text, re.M)
    return " ".join(word for word in (match[1].split() if match else ()) if "/" in word)


def _pause(text: str) -> dict[str, str]:
    names = {"Autonegotiate": "autoneg", "RX": "rx", "TX": "tx"}
    return {names[word]: value for word, value in _LINE.findall(text) if word in names and value in ("on", "off")}


def _energy(text: str) -> dict[str, str]:
    match = re.search(r"^\s*EEE status: (enabled|disabled)", text, re.M)
    return {"eee": {"enabled": "on", "disabled": "off"}[match[1]]} if match else {}


def _current(text: str) -> dict[str, str]:
    """The settings of queues or of rings, whose maxima come first."""
    found = re.findall(r"^([\w -]+):\s+(\d+)$", text.partition("Current hardware settings:")[2], re.M)
    return {word.lower().replace(" ", "-"): value for word, value in found}


def _flags(text: str) -> dict[str, str]:
    return {word.strip(): value for word, value in re.findall(r"^(.+?)\s*: (on|off)$", text, re.M)}


def merging(system: System, name: str) -> bool | None:
    """Whether a driver of this project merges: the features that show it, None when they cannot be read.

    Besides the module's parameter, `ethtool -K` and the kernel turn them off.
    """
    found = re.findall(r"^\s*(?:rx-gro-hw|large-receive-offload): (on|off)", system.output("ethtool", "-k", name), re.M)
    return "on" in found if found else None
