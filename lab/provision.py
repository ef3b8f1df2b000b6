# SPDX-License-Identifier: GPL-2.0-only
"""The whole set-up of the lab; finished parts of an earlier set-up are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from . import apt, kernels, modules, prereq, proc, roots, steps


def setup(series: Sequence[str] = (kernels.DEFAULT,), refresh: bool = False) -> None:
    """Make all products that runs with these kernels need before a VM starts.

    With `refresh` the package lists are fetched again, and newer packages with them.
    """
    wanted = list(dict.fromkeys(series))
    prereq.ensure()
    if refresh:
        _refresh()
    try:
        _fetch(wanted)
    except apt.Gone:
        if refresh:
            raise
        steps.say("The mirror has moved on since its package lists were fetched; fetching them again.")
        _refresh()
        _fetch(wanted)
    modules.host_tools()
    for name in wanted:
        modules.build(name)
        modules.grant_counter(name)
        modules.segment_counter(name)
        modules.wire_clock(name)


def _refresh() -> None:
    apt.snapshot(refresh=True)
    roots.lab_root.cache_clear()
    roots.qemu_version.cache_clear()
    kernels.kernel.cache_clear()


def _fetch(series: list[str]) -> None:
    def fetch_kernels() -> None:
        for name in series:
            kernels.kernel(name)

    # Both tasks need it.
    apt.snapshot()
    tasks: list[Callable[[], object]] = [roots.lab_root, fetch_kernels]
    steps.parallel(*tasks, on_failure=proc.stop_all)
