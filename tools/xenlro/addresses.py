# SPDX-License-Identifier: GPL-2.0-only
"""The addresses of an interface, as configuration: reading them and adding them again."""

from __future__ import annotations

from . import iproute
from .system import System

FOREVER = 0xFFFFFFFF
# Fields of `ip -json address` that make an address what it is; all else is its state.
_FIELDS = ("family", "local", "address", "prefixlen", "broadcast", "scope", "label", "metric", "noprefixroute",
           "secondary", "nodad", "mngtmpaddr", "home", "autojoin")
_STATE = ("tentative", "dadfailed")
_FLAGS = ("noprefixroute", "nodad", "mngtmpaddr", "home", "autojoin")


def save(system: System, name: str) -> list[dict]:
    """Addresses in the order in which they have to be added. Temporary ones are the kernel's to make."""
    shown = iproute.show(system, "ip", "address", "show", "dev", name)
    found = [entry for link in shown for entry in link.get("addr_info", ())
             if entry.get("local") and not entry.get("temporary")]
    # The kernel lists the newest IPv6 address of a scope first, and the oldest of IPv4.
    return ([entry for entry in found if entry["family"] == "inet"]
            + [entry for entry in reversed(found) if entry["family"] == "inet6"])


def leased(address: dict) -> bool:
    """Whether an address ends by itself unless a program prolongs it."""
    return address.get("valid_life_time", FOREVER) != FOREVER


def announced(address: dict) -> bool:
    """Whether the kernel made the address from a router's announcement."""
    return leased(address) and address["family"] == "inet6" and address["prefixlen"] == 64


def differences(before: list[dict], now: list[dict]) -> list[str]:
    wanted, there = _keyed(before), _keyed(now)
    found = [f"the address {_called(entry)} is missing" for key, entry in wanted.items() if key not in there]
    found += [f"the address {_called(entry)} is new" for key, entry in there.items() if key not in wanted]
    return found + [f"the address {_called(entry)} is not in use yet, or is another machine's too"
                    for key, entry in there.items() if key in wanted and entry["family"] == "inet6"
                    and any(entry.get(word) and not wanted[key].get(word) for word in _STATE)]


def mend(system: System, name: str, before: list[dict], now: list[dict], patient: bool) -> list[str]:
    """Restore the addresses; return the commands that were refused. `patient` leaves time for announced ones.

    An address that was secondary and is primary counts as another one, so it is removed and added in its place.
    """
    wanted, there = _keyed(before), _keyed(now)
    commands = [f"address del {_called(entry)} dev {name}" for key, entry in there.items()
                if key not in wanted and not (patient and leased(entry))]
    # The client of a lease takes it again.
    missing = [entry for key, entry in wanted.items() if key not in there
               and (not leased(entry) or (announced(entry) and not patient))]
    return iproute.batch(system, ("ip",), commands + [_added(entry, name) for entry in missing])


def _keyed(addresses: list[dict]) -> dict[tuple, dict]:
    # Time decides whether an address with a lifetime is still preferred.
    return {(*(entry.get(word) for word in _FIELDS), leased(entry), not leased(entry) and entry.get("deprecated")): entry
            for entry in addresses}


def _called(address: dict) -> str:
    peer = f" peer {address['address']}" if "address" in address else ""
    return f"{address['local']}{peer}/{address['prefixlen']}"


def _added(address: dict, name: str) -> str:
    words = ["address", "add", _called(address), "dev", name]
    for word in ("broadcast", "scope", "label", "metric"):
        if word in address and not (word == "scope" and address["family"] == "inet6"):
            words += [word, str(address[word])]
    words += [flag for flag in _FLAGS if address.get(flag)]
    if leased(address) or address.get("deprecated"):
        lifetimes = {"valid_lft": address.get("valid_life_time", FOREVER),
                     "preferred_lft": 0 if address.get("deprecated") else address.get("preferred_life_time", FOREVER)}
        for word, value in lifetimes.items():
            words += [word, "forever" if value == FOREVER else str(value)]
    return " ".join(words)
