# SPDX-License-Identifier: GPL-2.0-only
"""The command line of xenlro."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from . import choices, devices, modules, report_cli, status, switch, watch
from .errors import EXIT_FAILED, EXIT_USAGE, XenlroError
from .system import System

def main(arguments: Sequence[str] | None = None, system: System | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(system or System(), options)
    except XenlroError as error:
        print(f"xenlro: {error}", file=sys.stderr)
        return error.code
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except KeyboardInterrupt:
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xenlro", description="Shows and changes which driver serves each NIC and Xen vif.",
        epilog="Exit codes: 0 done, 1 not possible (the stock driver serves the device), 2 wrong usage, 3 something is "
               "missing on this machine. See xenlro(8).")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = commands.add_parser("status", help="which driver serves each device, and the state of the modules")
    shown.add_argument("--json", action="store_true", help="print one JSON object")
    shown.set_defaults(run=_status)
    use = commands.add_parser("use", help="choose a device's driver, now and after each reboot")
    use.add_argument("device", metavar="DEVICE", help="interface, PCI address or vif")
    use.add_argument("driver", choices=("lro", "stock"), help="this project's driver or the kernel's")
    use.set_defaults(run=_use)
    watched = commands.add_parser("watch", help="LRO ratio and why aggregates end, live")
    watched.add_argument("device", nargs="?", metavar="DEVICE", help="interface, PCI address or vif; default: all")
    watched.add_argument("--interval", type=_positive, default=1.0, metavar="SECONDS", help="default: 1")
    watched.add_argument("--count", type=_count, metavar="N", help="end after N intervals")
    watched.add_argument("--json", action="store_true", help="print one JSON object per line")
    watched.set_defaults(run=_watch)
    report_cli.add(commands)
    applied = commands.add_parser("apply", help="what udev runs for a chosen device that appeared")
    applied.add_argument("device", metavar="DEVICE")
    applied.set_defaults(run=_apply)
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0.01 <= value <= 86400:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.01 and 86400 seconds")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _status(system: System, options: argparse.Namespace) -> None:
    state = status.collect(system)
    print(json.dumps(state, indent=1) if options.json else status.text(state))


def _use(system: System, options: argparse.Namespace) -> None:
    device = devices.named(system, options.device)
    ours = options.driver == "lro"
    if not ours:
        choices.remember(system, device, False)
    found = switch.use(system, device, ours)
    if ours:
        # Only a driver that serves now is wanted after a reboot.
        choices.remember(system, device, True)
    print(f"{found.id} ({found.interface or 'no interface'}) is served by {found.driver}, now and after a reboot")
    if note := modules.misspelt(system, device.bus.ours) if ours else None:
        print(f"Note: {note}")


def _watch(system: System, options: argparse.Namespace) -> None:
    watch.watch(system, options.device, options.interval, options.count, options.json)


def _apply(system: System, options: argparse.Namespace) -> None:
    try:
        device = devices.named(system, options.device)
    except XenlroError as error:
        # udev asks for every chosen device, and one may have gone meanwhile or be none of ours.
        if error.code == EXIT_USAGE:
            return
        raise
    switch.apply(system, device)
