# SPDX-License-Identifier: GPL-2.0-only
"""The command line of the lab."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import textwrap
import time
from pathlib import Path

from . import (configs, domains, experiments, guard, hosts, kernels, measure, nics, prereq, provision, report,
               results, scaling, scaling_guests, steps, symbols, table, windows)
from .paths import BUILD
from .steps import LabError

RESULTS = BUILD / "lab" / "results.json"
# Results of a run so far; the file is removed at the end of the run.
PARTIAL = BUILD / "lab" / "results.partial.json"
DEFAULT_BYTES = "64M"
DEFAULT_REPEATS = "3"
SMALLEST = 1 << 20
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def parse_bytes(text: str) -> int:
    """A size such as 67108864, 64M or 1G (powers of 1024); raises LabError for anything else."""
    match = re.fullmatch(r"(\d+)([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(match[1]) * _UNITS[match[2].upper()] if match else 0
    if size < SMALLEST:
        raise LabError(f"BYTES={text} is not a size of at least 1M; give for example 64M", code=steps.EXIT_USAGE)
    return size


def parse_repeats(text: str) -> int:
    """A positive number; raises LabError for anything else."""
    if not re.fullmatch(r"[1-9]\d{0,3}", text.strip()):
        raise LabError(f"REPEATS={text} is not a number from 1 on", code=steps.EXIT_USAGE)
    return int(text)


def _switch(name: str) -> bool:
    """A variable of the environment that switches something on; unset, empty and 0 are off."""
    return os.environ.get(name, "") not in ("", "0")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    whole = argparse.ArgumentParser(prog="python3 -m lab", description="The laboratory. Run it as root.")
    commands = whole.add_subparsers(dest="command", required=True)
    for name, about in (("setup", "fetch and build all that a run needs"),
                        ("run", "measure the configurations and print table 2 (sets up first)")):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--kernel", default=os.environ.get("KERNEL") or kernels.DEFAULT, metavar="SERIES",
                             help=f"kernel under test: {', '.join(kernels.SERIES)} (KERNEL, default "
                                  f"{kernels.DEFAULT})")
        if name == "setup":
            command.add_argument("--refresh", action="store_true",
                                 help="fetch the package lists again, and newer packages with them")
        else:
            _add_run_options(command)
    for name, about in (("table", "print the tables of the last run again"),
                        ("report", "write the last run's report, a page with tables and plots")):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("--results", default=os.environ.get("RESULTS") or RESULTS, metavar="FILE", type=Path,
                             help="results of another run, or of one that was interrupted (RESULTS)")
    commands.add_parser("clean", help="remove images, logs and results of the lab, but nothing that was fetched")
    return whole


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--configs", default=os.environ.get("CONFIGS", ""), metavar="NAMES",
                         help="configurations (CONFIGS, default: all but those in parentheses): " + " ".join(
                             f"({name})" if config.extra else name for name, config in configs.ALL.items()))
    command.add_argument("--nic", default=os.environ.get("NIC") or nics.DEFAULT, metavar="MODEL",
                         help=f"the emulated NIC (NIC, default {nics.DEFAULT}): {', '.join(nics.MODELS)}")
    command.add_argument("--topology", default=os.environ.get("TOPOLOGY") or domains.DEFAULT, metavar="NAME",
                         help=f"the Xen host's domains (TOPOLOGY, default {domains.DEFAULT}): " + "; ".join(
                             f"{topology.name}: {topology.about}" for topology in domains.TOPOLOGIES.values()))
    command.add_argument("--guest", default=os.environ.get("GUEST") or domains.PV, metavar="KIND",
                         help=f"the guests' kind (GUEST, default {domains.PV}): {', '.join(domains.KINDS)}")
    for name, about in (("flowtable", "a flowtable in the firewall of TOPOLOGY=chain"),
                        ("fixed-id", "a sender whose datagrams all have the same identification"),
                        ("mangle-id", "vifs that take aggregates of such datagrams whole")):
        variable = name.upper().replace("-", "_")
        command.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=_switch(variable),
                             help=f"{about} ({variable}=1)")
    command.add_argument("--bytes", default=os.environ.get("BYTES") or DEFAULT_BYTES, metavar="SIZE",
                         help=f"payload of each run (BYTES, default {DEFAULT_BYTES})")
    command.add_argument("--repeats", default=os.environ.get("REPEATS") or DEFAULT_REPEATS, metavar="N",
                         help=f"runs of each configuration (REPEATS, default {DEFAULT_REPEATS})")
    command.add_argument("--hosts", default=os.environ.get("HOSTS") or None, metavar="FILE", type=Path,
                         help="measure the machines that this file names instead of emulated ones (HOSTS; see "
                              "lab/hosts.example.toml)")
    command.add_argument("--scaling", default=os.environ.get("SCALING", ""), metavar="SERIES",
                         help="measure a scaling series instead of the configurations: 1 for flows and guests, or "
                              f"{', '.join(scaling.SERIES)} (SCALING); its rows join the last run's results; CONFIGS "
                              f"get more guests (default {' '.join(scaling_guests.CONFIGS)})")
    command.add_argument("--profile", action=argparse.BooleanOptionalAction, default=_switch("PROFILE"),
                         help="attribute the instructions of each domain to symbols (PROFILE=1)")
    command.epilog = "; ".join(f"{config.name}: {config.about}" for config in configs.ALL.values())


def _setup(series: str, refresh: bool = False) -> None:
    if series not in kernels.SERIES:
        raise LabError(f"KERNEL={series} is not one of {', '.join(kernels.SERIES)}", code=steps.EXIT_USAGE)
    # The sender's kernel is always the default one.
    provision.setup([series, kernels.DEFAULT], refresh)


def _run(options: argparse.Namespace) -> None:
    begun = time.monotonic()
    model = nics.select(options.nic)
    wanted = configs.select(options.configs, model)
    count, repeats = parse_bytes(options.bytes), parse_repeats(options.repeats)
    place = _place(options)
    if not options.hosts:
        _setup(options.kernel)
    ready = time.monotonic()
    PARTIAL.unlink(missing_ok=True)
    try:
        found = (hosts.run(options.configs, options.hosts, count, repeats, save=_save) if options.hosts
                 else experiments.run(wanted, options.kernel, count, repeats, options.profile, save=_save, model=model,
                                      place=place))
    except BaseException:
        if PARTIAL.exists():
            steps.say(f"The results until then are kept: `make report RESULTS={PARTIAL}` shows them.")
        raise
    results.write(found, RESULTS)
    PARTIAL.unlink(missing_ok=True)
    minutes = (time.monotonic() - ready) / 60
    if "profile" in found:
        steps.say(symbols.render(found["profile"]))
    compared = textwrap.fill(report.compared(found), 100)
    steps.say(f"\n{table.render(found)}\n{f'{chr(10)}{compared}{chr(10)}' if compared else ''}\n"
              f"{report.judge(found).sentence}\nResults: {RESULTS}\n"
              f"Set-up took {(ready - begun) / 60:.1f} min, the run {minutes:.1f} min.")


def _place(options: argparse.Namespace) -> experiments.Place:
    """The topology and the kind of guests that were chosen; LabError where they cannot be had."""
    place = experiments.Place(domains.select(options.topology), domains.guest_kind(options.guest), options.flowtable,
                              options.mangle_id, options.fixed_id)
    if place.flowtable and not place.topology.filters:
        raise LabError("FLOWTABLE=1 is about a firewall: give TOPOLOGY=chain with it", code=steps.EXIT_USAGE)
    if place.fixed_id and nics.select(options.nic).emulated:
        raise LabError("FIXED_ID=1 needs rtl8169d, which changes the sender's frames: leave NIC out", code=steps.EXIT_USAGE)
    if (options.hosts or scaling.select(options.scaling)) and place != experiments.Place():
        raise LabError("TOPOLOGY, GUEST, FLOWTABLE, FIXED_ID and MANGLE_ID choose emulated machines of a run of "
                       "configurations: leave HOSTS and SCALING out, or those", code=steps.EXIT_USAGE)
    return place


def _save(found: dict) -> None:
    results.write(found, PARTIAL)


def _run_scaling(options: argparse.Namespace) -> None:
    if options.hosts or nics.select(options.nic).name != nics.DEFAULT:
        raise LabError("SCALING needs rtl8169d's NIC and its Xen host: leave HOSTS and NIC out", code=steps.EXIT_USAGE)
    _place(options)
    wanted, repeats = scaling.wanted_configs(options.configs, options.scaling), parse_repeats(options.repeats)
    count = parse_bytes(options.bytes)
    _setup(options.kernel)
    begun = time.monotonic()
    earlier = results.read(RESULTS) if RESULTS.exists() else None
    described = experiments.described(options.kernel, count)
    described |= {"topology": domains.TOPOLOGIES[domains.DEFAULT].described(domains.PV)}
    found = scaling.join(earlier, described, RESULTS)
    for series in scaling.select(options.scaling):
        found = scaling.run(series, options.kernel, repeats, wanted, found)
        results.write(found, RESULTS)
    steps.say(f"\n{scaling.render(found)}\n\nResults: {RESULTS}\n"
              f"The run took {(time.monotonic() - begun) / 60:.1f} min.")


def _print_table(path: Path) -> None:
    found = results.read(path)
    steps.say("\n\n".join(text for text in (table.render(found) if found["runs"] else "", scaling.render(found)) if text))


def _report(path: Path) -> None:
    found = results.read(path)
    prereq.ensure(machines=False)
    with steps.step("Writing the report"):
        page = report.write(found, RESULTS.parent)
    steps.say(f"{report.judge(found).sentence}\nReport: {page}")


def _clean() -> None:
    for name in ("images", "logs", "run", windows.FOLDER.name):
        shutil.rmtree(BUILD / "lab" / name, ignore_errors=True)
    shutil.rmtree(RESULTS.parent / report.PLOTS, ignore_errors=True)
    for path in (RESULTS, PARTIAL, RESULTS.parent / report.NAME, measure.PACKETS):
        path.unlink(missing_ok=True)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    options = parser().parse_args(arguments)

    def command() -> None:
        if options.command == "setup":
            _setup(options.kernel, options.refresh)
        elif options.command == "run":
            (_run_scaling if scaling.select(options.scaling) else _run)(options)
        elif options.command == "table":
            _print_table(options.results)
        elif options.command == "report":
            _report(options.results)
        else:
            _clean()

    return guard.main_guard(command)


