# SPDX-License-Identifier: GPL-2.0-only
"""The command line of xenlro."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import suppress

from . import apply, guard, refuse, report_cli, status, use, vifs, watch
from .errors import EXIT_FAILED, EXIT_INTERRUPTED, XenlroError
from .system import System


def main(arguments: Sequence[str] | None = None, system: System | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(system or System(), options)
    except XenlroError as error:
        with suppress(OSError):     # the session may be gone
            print(f"xenlro: {error}", file=sys.stderr, flush=True)
        return error.code
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILED
    except KeyboardInterrupt:
        # The usual end of `watch`.
        return 0 if options.command == "watch" else EXIT_INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xenlro", description="Shows and changes which driver serves each NIC and Xen vif.",
        epilog="Exit codes: 0 done, 1 not possible (the former driver serves the device), 2 wrong usage, 3 something is "
               "missing on this machine. See xenlro(8).")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = commands.add_parser("status", help="is it on, does it help, what is wrong; drivers and modules")
    shown.add_argument("--json", action="store_true", help="print one JSON object")
    shown.set_defaults(run=_status)
    chosen = commands.add_parser("use", help="choose a device's driver, now and after each reboot",
                              epilog="Over a connection that runs through the device or is unknown, the change goes back by "
                                     "itself unless `xenlro confirm` follows within 60 s.")
    chosen.add_argument("device", metavar="DEVICE", help="interface, alternative name, PCI address or vif")
    chosen.add_argument("driver", choices=("lro", "stock"), help="this project's driver or the kernel's")
    when = chosen.add_mutually_exclusive_group()
    when.add_argument("--now", action="store_true", help="do not ask for a confirmation; for consoles")
    when.add_argument("--at-boot", action="store_true", help="change nothing now, only from the next boot on")
    chosen.set_defaults(run=_use)
    confirmed = commands.add_parser("confirm", help="keep a change that was made over a connection through the device")
    confirmed.set_defaults(run=_confirm)
    watched = commands.add_parser("watch", help="LRO ratio and why aggregates end, live")
    watched.add_argument("device", nargs="?", metavar="DEVICE",
                         help="interface, alternative name, PCI address or vif; default: all that these drivers serve")
    watched.add_argument("--interval", type=_positive, default=1.0, metavar="SECONDS",
                         help="time from line to line; default: 1")
    watched.add_argument("--count", type=_count, metavar="N", help="end after N intervals")
    watched.add_argument("--json", action="store_true", help="print one JSON object per line")
    watched.set_defaults(run=_watch)
    report_cli.add(commands)
    applied = commands.add_parser("apply", help="run by udev for a chosen device that appears")
    applied.add_argument("device", metavar="DEVICE")
    applied.set_defaults(run=lambda system, options: apply.apply(system, options.device))
    offered = commands.add_parser("vif", help="run by udev for the interface of a guest that appears")
    offered.add_argument("interface", metavar="INTERFACE")
    offered.set_defaults(run=lambda system, options: vifs.apply(system, options.interface))
    guarded = commands.add_parser("guard", help="run by `use` to complete a change")
    guarded.set_defaults(run=lambda system, options: guard.guard(system))
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
    ours = options.driver == "lro"
    if options.at_boot:
        told = use.at_boot(system, options.device, ours)
    else:
        told = use.now(system, options.device, ours, options.now)
    _tell(told)


def _confirm(system: System, options: argparse.Namespace) -> None:
    refuse.unprivileged(system)
    _tell(guard.confirm(system))


def _tell(told: str) -> None:
    """Print; if the session is gone, ignore the error, as the work is done."""
    with suppress(OSError):
        print(told, flush=True)


def _watch(system: System, options: argparse.Namespace) -> None:
    watch.watch(system, options.device, options.interval, options.count, options.json)
