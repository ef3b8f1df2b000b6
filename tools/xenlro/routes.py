# SPDX-License-Identifier: GPL-2.0-only
"""Routes of both families in all tables, as `ip route` prints and takes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from . import iproute
from .system import System

FAMILIES = ("-4", "-6")
# Words that tell of a route's state; `ip route add` does not take them.
_STATE = {"linkdown", "dead", "offload", "trap", "rt_offload", "rt_trap", "rt_offload_failed", "offload_failed",
          "unresolved", "notify", "cloned"}
_NO_INTERFACE = "xenlro-no-dev"
# The kernel makes and takes these with the addresses.
_OF_ADDRESSES = ("local", "broadcast", "anycast", "multicast")


def families(system: System) -> tuple[str, ...]:
    """The families that the kernel has, as `ip` calls them."""
    return FAMILIES if (system.proc / "sys/net/ipv6").is_dir() else FAMILIES[:1]


def save(system: System, through: Sequence[str], local: Sequence[str]) -> dict[str, list[str]]:
    """By family, the routes through one of these interfaces, or from one of the addresses."""
    found: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for family in families(system):
        lines = [_taken(line) for line in iproute.lines(system, family, "route", "show", "table", "all")]
        found[family] = [line for line in lines if line and _concerns(line.split(), through, local)]
    return found


def announced(route: str) -> bool:
    """Whether a router's announcement or a lease brought the route, and may bring it again."""
    return bool({"ra", "dhcp"} & set(_values(route.split(), "proto")))


def with_announced(before: dict[str, list[str]], now: dict[str, list[str]]) -> dict[str, list[str]]:
    """The present routes, and those that were announced before."""
    return {family: now[family] + [line for key, line in _keyed(before[family]).items()
                                   if announced(line) and key not in _keyed(now[family])] for family in FAMILIES}


def differences(before: dict[str, list[str]], now: dict[str, list[str]], owned: Sequence[str]) -> list[str]:
    """`owned`: a new route counts where it goes through one of these."""
    found = []
    for family in FAMILIES:
        wanted, there = _keyed(before[family]), _keyed(now[family])
        found += [f"the route '{key}' is missing" for key in wanted if key not in there]
        found += [f"the route '{key}' is new" for key in there
                  if key not in wanted and set(_values(key.split(), "dev")) & set(owned)]
    return found


def mend(system: System, name: str, before: dict[str, list[str]], now: dict[str, list[str]], patient: bool) -> list[str]:
    """Make the routes what they were; the commands that were refused. `patient` leaves time for announced ones."""
    refused = []
    for family in FAMILIES:
        wanted, there = _keyed(before[family]), _keyed(now[family])
        # The ones that a gateway is reached by come first.
        missing = sorted((line for key, line in wanted.items() if key not in there and not (patient and announced(line))),
                         key=lambda line: " via " in f" {line} " and (1 if "onlink" in line else 2))
        extra = [line for key, line in there.items() if key not in wanted and name in _values(line.split(), "dev")
                 and not (patient and announced(line))]
        refused += iproute.batch(system, ("ip", family), [
            *(f"route {_verb(line, family)} {line}" for line in missing),
            *(f"route del {_without_state(line)}" for line in extra)])
    return refused


def _verb(route: str, family: str) -> str:
    """How a missing route is added. Routes that differ in their interface only are appended to each other."""
    if " nexthop " not in route:
        return "append"
    # An IPv6 route keeps the hops through other interfaces, and is then another one in its place.
    return "replace" if family == "-6" else "add"


def refused(system: System, before: dict[str, list[str]]) -> list[str]:
    """Routes that this `ip` does not take back as it has shown them, each with the reason; nothing changes."""
    found = []
    for family in FAMILIES:
        # Words are read before the interface is looked for, and there is none of that name.
        there = [re.sub(r"\bdev \S+", f"dev {_NO_INTERFACE}", line) for line in before[family] if " dev " in line]
        found += [reason.replace(_NO_INTERFACE, "...")
                  for reason in iproute.batch(system, ("ip", family), [f"route add {line}" for line in there])
                  if f'Cannot find device "{_NO_INTERFACE}"' not in reason]
    return found


def words_of(before: dict[str, list[str]]) -> list[list[str]]:
    """The words of each route."""
    return [line.split() for family in FAMILIES for line in before[family]]


def gateways(before: dict[str, list[str]], through: Sequence[str]) -> list[tuple[str, str]]:
    """Gateways of default routes of all tables with the interface that each is on."""
    found = []
    for words in words_of(before):
        if words[0] not in ("default", "0.0.0.0/0", "::/0"):
            continue
        for gateway, interface in zip(_values(words, "via"), _values(words, "dev")):
            if interface in through and (gateway, interface) not in found:
                found.append((gateway, interface))
    return found


def _taken(line: str) -> str:
    """A printed route as `ip route add` takes it; nothing for one that comes and goes with an address."""
    words = line.split()
    if words and words[0] in _OF_ADDRESSES and "kernel" in _values(words, "proto"):
        return ""
    words = [word for word in words if word not in _STATE]
    if "expires" in words:
        after = words.index("expires") + 1
        words[after] = words[after].removesuffix("sec")
    # It is always locked, and `ip route add` refuses the word.
    if "rto_min" in words and words[words.index("rto_min") + 1] == "lock":
        del words[words.index("rto_min") + 1]
    return " ".join(words)


def _without_state(line: str) -> str:
    """The route without what changes while nothing is configured."""
    words = line.split()
    if "expires" in words:
        del words[words.index("expires"):words.index("expires") + 2]
    return " ".join(words)


def _keyed(lines: list[str]) -> dict[str, str]:
    return {_known_by(line): line for line in lines}


def _known_by(line: str) -> str:
    """What tells a route from others. The metric of a leased one is its client's: dhcpcd makes it from the interface's
    number."""
    words = _without_state(line).split()
    if "dhcp" in _values(words, "proto") and "metric" in words:
        del words[words.index("metric"):words.index("metric") + 2]
    return " ".join(words)


def _values(words: Sequence[str], key: str) -> list[str]:
    """All values that follow a word; `via inet6 ADDRESS` gives the address."""
    found = []
    for word, value, third in zip(words, words[1:], [*words[2:], ""]):
        if word == key:
            found.append(third if key == "via" and value in ("inet", "inet6") else value)
    return found


def _concerns(words: Sequence[str], through: Sequence[str], local: Sequence[str]) -> bool:
    return bool(set(_values(words, "dev")) & set(through) or set(_values(words, "src")) & set(local))
