# SPDX-License-Identifier: GPL-2.0-only
"""Files of /proc/sys and sysfs that the kernel makes for each interface, and that an administrator may write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from .errors import XenlroError
from .system import System

_SYSCTL = ("net/ipv4/conf", "net/ipv4/neigh", "net/ipv6/conf", "net/ipv6/neigh", "net/mpls/conf")
_SYSFS = ("ifalias", "gro_flush_timeout", "napi_defer_hard_irqs", "threaded", "brport/group_fwd_mask",
          "brport/multicast_router", "brport/backup_port", "brport/proxyarp", "brport/proxyarp_wifi", "queues/rx-*/rps_cpus",
          "queues/rx-*/rps_flow_cnt", "queues/tx-*/xps_cpus", "queues/tx-*/xps_rxqs", "queues/tx-*/tx_maxrate",
          "queues/tx-*/byte_queue_limits/limit_min", "queues/tx-*/byte_queue_limits/limit_max",
          "queues/tx-*/byte_queue_limits/hold_time")
# State, or another name of a value that is here anyway.
_SKIPPED = {"mc_forwarding", "base_reachable_time", "retrans_time"}


def save(system: System, name: str) -> dict[str, str]:
    """The value of each file, by its path below the folder of the interface; there is none where it cannot be read."""
    return {key: value for key, path in _files(system, name) if (value := _value(path)) is not None}


def _value(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return None


def differences(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """A file that this kernel's driver has no more is no difference: a setting without a meaning is not lost."""
    return [f"{key} is '{now[key]}' and was '{value}'" for key, value in before.items() if key in now and now[key] != value]


def mend(system: System, name: str, before: dict[str, str], now: dict[str, str]) -> list[str]:
    refused = []
    for key, path in _files(system, name):
        if key in before and now.get(key) != before[key]:
            try:
                # ifalias is taken away by an empty line.
                system.write(path, f"{before[key]}\n")
            except XenlroError as error:
                refused.append(str(error))
    return refused


def _files(system: System, name: str) -> Iterator[tuple[str, Path]]:
    folders = []
    for group in _SYSCTL:
        folder = system.proc / "sys" / group / name
        folders.append((group.removeprefix("net/"), folder, sorted(_listed(folder))))
    net = system.sys / "class/net" / name
    folders.append(("sysfs", net, sorted(path for pattern in _SYSFS for path in net.glob(pattern))))
    for group, folder, paths in folders:
        for path in paths:
            if path.name not in _SKIPPED and os.stat(path).st_mode & 0o200:
                yield f"{group}/{path.relative_to(folder)}", path


def _listed(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
