# SPDX-License-Identifier: GPL-2.0-only
"""The Debian mirror that this machine is configured for, as apt itself reads its configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import cache, proc, steps
from .paths import BUILD, LOGS
from .steps import EnvironmentFault

RELEASES = ("bookworm", "trixie", "oldoldstable", "oldstable", "stable", "testing")
SUITES = ("trixie", "trixie-security", "trixie-backports", "bookworm", "bookworm-security")
KEYRINGS = (Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
            Path("/usr/share/keyrings/debian-archive-keyring.pgp"))
CONFIGURATION = tuple(Path("/etc/apt") / name for name in (
    "sources.list", "sources.list.d", "apt.conf", "apt.conf.d"))


@dataclass(frozen=True)
class MirrorUris:
    """Addresses of the main and the security archive, each without a final slash, and the keys that sign them."""

    main: str
    security: str
    keyring: Path

    def line(self, suite: str) -> str:
        """One line of sources.list for a suite by name."""
        uri = self.security if suite.endswith("-security") else self.main
        return f"deb [signed-by={self.keyring}] {uri} {suite} main"

    def lines(self, suites: tuple[str, ...] = SUITES) -> list[str]:
        """Lines of sources.list."""
        return [self.line(suite) for suite in suites]


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of deb822 text; of a field of several lines only the first counts."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        fields = (line.split(":", 1) for line in paragraph.splitlines() if ":" in line and not line[0].isspace())
        if found := {name: value.strip() for name, value in fields}:
            yield found


def parse(indextargets: str) -> tuple[str | None, str | None]:
    """Addresses of the main and the security archive in the output of `apt-get indextargets`.

    Archives that declare themselves Debian's go before those that only have the suites' names.
    """
    main: list[tuple[bool, str]] = []
    security: list[tuple[bool, str]] = []
    for target in stanzas(indextargets):
        uri = target.get("Repo-URI", "").rstrip("/")
        suite = target.get("Release", "").strip("/")
        if target.get("Created-By") != "Packages" or target.get("Component") != "main" or not uri:
            continue
        if target.get("Origin", "Debian") != "Debian" or uri.startswith("cdrom:"):
            continue
        name, _, kind = suite.replace("/", "-").partition("-")
        if name not in RELEASES:
            continue
        known = "Origin" in target
        if kind == "security" or kind == "updates" and "/updates" in suite:
            security.append((known, uri))
        elif kind == "":
            main.append((known, uri))
    return _best(main), _best(security)


def _best(found: list[tuple[bool, str]]) -> str | None:
    # max() keeps the first of equals: apt's own order.
    return max(found, key=lambda entry: entry[0])[1] if found else None


def _targets() -> str:
    return proc.run(["apt-get", "indextargets"], log=None, timeout=60)


def sources() -> MirrorUris:
    """The machine's configured mirror; EnvironmentFault when it has no Debian archive.

    apt takes seconds to answer, so it runs only when its configuration has changed.
    """
    settings = [path for path in CONFIGURATION if path.exists()]
    folder = cache.keyed(BUILD / "mirror", ("mirror", settings, _RECIPE), _ask)
    main, security, keyring = (folder / "mirror").read_text().splitlines()
    return MirrorUris(main, security, Path(keyring))


def _ask(folder: Path) -> None:
    main, security = parse(_targets())
    if not main or not security:
        # apt names only archives that it has lists of, and a fresh machine has none.
        with steps.step("Fetching this machine's own package lists"):
            proc.run(["apt-get", "update"], log=LOGS / "apt.log", timeout=300)
        main, security = parse(_targets())
    if not main or not security:
        lacking = "Debian archive" if not main else "Debian security archive"
        raise EnvironmentFault(f"apt on this machine has no {lacking} configured: add its component main "
                               "to /etc/apt/sources.list, run apt-get update and start again")
    keyring = next((path for path in KEYRINGS if path.is_file()), None)
    if not keyring:
        raise EnvironmentFault("the keys of the Debian archive are missing: apt-get install debian-archive-keyring")
    (folder / "mirror").write_text(f"{main}\n{security}\n{keyring}\n")


_RECIPE = cache.recipe(parse, _best, _ask)
