# SPDX-License-Identifier: GPL-2.0-only
"""The tables: the study's 2, 3 and 4 with ours beside them, and the numbers behind the plots."""

from __future__ import annotations

from statistics import median

from .. import ratios
from . import quality, study
from .data import PARTS, Block, Cell, Data, Table, family, has_guest
from .missing import missing
from .words import listed

NONE = "–"
_TOP_SYMBOLS = 12
_MACHINE = {"cpu_model": "Processor", "cpu": "Processor", "cores": "Cores", "kernel": "Kernel of the machine",
            "memory_mib": "Memory (MiB)", "os": "System", "emulated_cpu": "Emulated processor"}
_NO_CYCLES = ("the processor of the lab is emulated and has no clock cycles to count; on a real machine with a "
              "performance monitoring unit `make lab HOSTS=hosts.toml` has `perf stat` count them in each domain")


def show(value: float | str | None, digits: int = 2) -> str:
    """A table's number."""
    if value is None:
        return NONE
    return value if isinstance(value, str) else f"{value:,.{digits}f}"


def _relative(value: float | None, base: float | None) -> str:
    return NONE if value is None or not base else f"{value / base:.2f}"


def _families(names: list[str]) -> list[str | None]:
    return [family(name) for name in names]


def _total(data: Data, config: str, field: str) -> str:
    """Sum of a count over the runs that have it."""
    found = data.values(config, field)
    return f"{sum(found):,.0f}" if found else NONE


def table_2(data: Data) -> Block:
    """Throughput and LRO ratio."""
    base = data.middle("guest0", "mbps")
    rows: list[list[str | Cell]] = []
    for name in data.configs:
        rate, ratio = study.TABLE_2.get(name, (None, None))
        ours = data.middle(name, "mbps")
        rows.append([name, show(rate, 1), show(ours, 1), _relative(rate, study.TABLE_2["guest0"][0]),
                     _relative(ours, base), show(ratio, 3), show(data.middle(name, "lro_ratio"), 2),
                     _total(data, name, "retransmits"), show(data.middle(name, "acks_per_mb"), 1),
                     str(len(data.runs(name))), _total(data, name, "discarded")])
    notes = [f"Medians over the repeats, {data.results['bytes']:,} bytes per run, 64 KiB writes, MTU 1500; "
             "retransmissions and discarded attempts are sums. An attempt is discarded, and made again, when its "
             "measured interval contained a retransmission storm, a restart or a kernel warning."]
    notes += _absent(data, {"acks_per_mb": "acknowledgements per megabyte", "discarded": "discarded attempts"})
    return Table("table-2", "Table 2: TCP receive throughput", [
        [("", 1), ("Mbit/s", 2), ("relative to guest0", 2), ("LRO ratio", 2), ("retrans­missions", 1),
         ("ACKs per MB", 1), ("runs", 1), ("discarded", 1)],
        [("configuration", 1), *[("study", 1), ("here", 1)] * 3, *[("here", 1)] * 4]], rows,
        data.at("runs[].mbps", "lro_ratio", "retransmits", "acks_per_mb", "discarded"), notes, _families(data.configs))


def _absent(data: Data, fields: dict[str, str]) -> list[str]:
    """A sentence for the columns that no run fills."""
    empty = [name for field, name in fields.items() if not data.repeats(field)]
    return [f"Not measured: {listed(empty)}; `make lab` measures them with every run."] if empty else []


def _sum(data: Data, config: str, field: str, *rest: str) -> float | None:
    """Median of a domain's count, or the sum of those of all domains where there are several."""
    wanted = list(data.domains) if has_guest(config) else data.path[:1]
    found = [data.middle(config, field, domain, *rest) for domain in wanted]
    known = [value for value in found if value is not None]
    return sum(known) if len(known) == len(found) else None


def table_3(data: Data) -> Block:
    """Clock and instructions of the whole system."""
    names = [name for name in data.configs if name in study.CLOCK or _sum(data, name, "insn_per_byte", "total")]
    counted = {name: _sum(data, name, "insn_per_byte", "total") for name in names}
    cycles = {name: _sum(data, name, "cycles_per_byte") for name in names}
    if not any(counted.values()):
        return missing(data, "insn_per_byte")
    rows: list[list[str | Cell]] = [
        [name, show(study.CLOCK.get(name), 0), show(cycles[name]),
         _relative(study.CLOCK.get(name), study.CLOCK["guest0"]), show(study.INSTRUCTIONS.get(name), 0),
         show(counted[name]), _relative(study.INSTRUCTIONS.get(name), study.INSTRUCTIONS["guest0"]),
         _relative(counted[name], counted.get("guest0"))] for name in names]
    notes = ["The study's columns are events of a whole transfer, ours are per byte of payload: compare those "
             f"relative to guest0. The whole system is {listed(data.domains.values())} together; native has one system "
             "only."]
    if not any(cycles.values()):
        why = data.part("machine", "cycles_absent_because")
        notes.append(f"No clock cycles here: {why if isinstance(why, str) and why else _NO_CYCLES}.")
    return Table("table-3", "Table 3: clock and instructions, whole system", [
        [("", 1), ("clock", 3), ("instructions", 4)],
        [("configuration", 1), ("study", 1), ("here, cycles per byte", 1), ("study / guest0", 1), ("study", 1),
         ("here, per byte", 1), ("study / guest0", 1), ("here / guest0", 1)]], rows,
        data.at("runs[].insn_per_byte", "cycles_per_byte"), notes, _families(names))


def table_4(data: Data) -> Block:
    """Instructions of each domain; the study's are those of the NIC's domain and of the receiver."""
    domains = data.domains
    field = {domain: {name: data.middle(name, "insn_per_byte", domain, "total") for name in data.configs}
             for domain in domains}
    names = [name for name in data.configs
             if has_guest(name) and any(field[domain][name] is not None for domain in domains)]
    studied = {data.path[0]: 0, data.path[-1]: 1}
    if not names:
        return missing(data, "insn_per_byte")
    rows: list[list[str | Cell]] = []
    for name in names:
        row: list[str | Cell] = [name]
        for domain in domains:
            ours = [show(field[domain][name]), _relative(field[domain][name], field[domain].get("guest0"))]
            if domain in studied:
                index = studied[domain]
                theirs = study.DOMAINS[name][index] if name in study.DOMAINS else None
                ours = [show(theirs, 0), ours[0], _relative(theirs, study.DOMAINS["guest0"][index]), ours[1]]
            row += ours
        rows.append(row)
    both = [("study", 1), ("here, per byte", 1), ("study / guest0", 1), ("here / guest0", 1)]
    heads = {domain: both if domain in studied else both[1::2] for domain in domains}
    return Table("table-4", f"Table 4: instructions of {listed(domains.values())}", [
        [("", 1), *[(title, len(heads[domain])) for domain, title in domains.items()]],
        [("configuration", 1), *[cell for domain in domains for cell in heads[domain]]]], rows,
        data.at(*(f"{'runs[].' if not number else ''}insn_per_byte.{domain}.total"
                  for number, domain in enumerate(domains))),
        ["Units as in table 3: compare the columns relative to guest0."], _families(names))


def split(data: Data) -> Block:
    """The numbers behind the bars of the instructions, and bytes moved beside them."""
    names = [name for name in data.configs if data.values(name, *ratios.cost(data.path[0]))]
    if not names:
        return missing(data, "insn_per_byte")
    rows: list[list[str | Cell]] = [
        [name, *[show(value) for domain in data.domains for value in (
            *(data.middle(name, "insn_per_byte", domain, part) for part in PARTS),
            data.middle(name, "insn_per_byte", domain, "total"), data.middle(name, "moved_per_byte", domain))]]
        for name in names]
    notes = ["Medians of each column, so parts need not add up to the total. One string instruction counts as one "
             "however many bytes it moves; moved is the bytes that such instructions moved, per byte of payload."]
    if not any(data.repeats("moved_per_byte", domain) for domain in data.domains):
        notes.append(missing(data, "moved_per_byte").sentence)
    return Table("split", "Instructions and bytes moved, per byte of payload", [
        [("", 1), *[(name, len(PARTS) + 2) for name in data.domains.values()]],
        [("configuration", 1), *[(part, 1) for part in (*PARTS, "total", "moved")] * len(data.domains)]], rows,
        data.at("runs[].insn_per_byte", "moved_per_byte"), notes, _families(names))


def grants(data: Data) -> Block | None:
    """Copies, hypercalls and bytes per copy; None where the chart says already that there are none."""
    names = [name for name in data.configs if data.values(name, "grant_copies_per_64k")]
    if not names:
        return None
    fields = ("grant_copies_per_64k", "grant_hypercalls_per_64k", "grant_bytes_per_copy")
    rows: list[list[str | Cell]] = [
        [name, show(data.middle(name, fields[0])), show(data.middle(name, fields[1])),
         show(data.middle(name, fields[2]), 0)] for name in names]
    return Table("grants", f"Grant copies that the {data.domains[data.path[0]]} issued", [
        [("configuration", 1), ("copies per 64 KiB", 1), ("hypercalls per 64 KiB", 1), ("bytes per copy", 1)]], rows,
        data.at(*(f"runs[].{field}" for field in fields)), ["Medians over the repeats."], _families(names))


def captured(data: Data) -> Block | None:
    """Results of the captures beside their curves; None where there are none."""
    names = [name for name in data.configs if data.values(name, "window", "mean")]
    if not names:
        return None
    rows: list[list[str | Cell]] = [
        [name, show(data.middle(name, "window", "mean"), 0), show(data.middle(name, "window", "acks_per_mb"), 1),
         show(sum(data.values(name, "window", "retransmitted_packets")), 0),
         show(max(data.values(name, "window", "longest_silence_ms"), default=None), 0)] for name in names]
    notes = ["Medians over the repeats; retransmitted segments are the sum, the silence, in which no packet passed, is "
             "the longest of all. Table 2 has the same from the counters of "
             "the sender's kernel, where answers to SYN and FIN are among the ACKs."]
    return Table("captured", "The same connections in the capture", [
        [("configuration", 1), ("mean window (bytes)", 1), ("ACKs per MB", 1), ("retransmitted segments", 1),
         ("longest silence (ms)", 1)]], rows,
        data.at("runs[].window.mean", "acks_per_mb", "retransmitted_packets", "longest_silence_ms"), notes, _families(names))


def latency(data: Data) -> Block | None:
    """The numbers behind the latency bars; None where the chart says already that there are none."""
    names = [name for name in data.configs if any(data.values(name, "latency_us", point) for point in ("p50", "p99"))]
    if not names:
        return None
    rows: list[list[str | Cell]] = [[name, *(show(data.middle(name, "latency_us", point), 0)
                                             for point in ("p50", "p99")), _total(data, name, "latency_count")]
                                     for name in names]
    rows += [[f"{name}, merging off", *(show(data.middle(name, "latency_off_us", point), 0) for point in ("p50", "p99")),
              _total(data, name, "latency_off_count")] for name in names if data.values(name, "latency_off_us", "p99")]
    return Table("latency", "Request and response", [[("configuration", 1), ("median (µs)", 1),
                                                      ("99th percentile (µs)", 1), ("requests", 1)]], rows,
                 data.at("runs[].latency_us.p50", "p99", "latency_count"),
                 ["Medians over the repeats; requests are those of all repeats together. One request of 100 bytes is "
                  "under way at a time. Each passes four emulated processors that share the cores of this machine, so "
                  "compare configurations of one run only. Merging on and off take turns of "
                  "a few seconds with the same drivers, which is the fairest comparison here."],
                 _families(names) + [None] * (len(rows) - len(names)))


_SPREAD = (("Mbit/s", ("mbps",), 1), ("LRO ratio", ("lro_ratio",), 2))


def spread(data: Data) -> Block:
    """Median and median absolute deviation of every figure that repeats."""
    rows: list[list[str | Cell]] = []
    names = []
    for name in data.configs:
        for title, path, digits in (*_SPREAD, *((f"instructions per byte, {data.domains[domain]}", ratios.cost(domain), 3)
                                                for domain in data.path)):
            if not (found := data.values(name, *path)):
                continue
            centre, wide = median(found), quality.deviation(found) if len(found) > 1 else None
            said = title if has_guest(name) else title.partition(",")[0]
            rows.append([name, said, show(centre, digits), show(wide, digits),
                         f"{100 * wide / centre:.2f}" if centre and wide is not None else NONE, str(len(found))])
            names.append(name)
    return Table("spread", "Median absolute deviation over repeats", [
        [("configuration", 1), ("figure", 1), ("median", 1), ("deviation", 1), ("deviation (%)", 1),
         ("repeats", 1)]], rows, data.at("runs[].mbps", "lro_ratio", "insn_per_byte"), [], _families(names))


def symbols(data: Data) -> list[Block]:
    """A table of the top symbols for each configuration and domain of the profile."""
    profile = data.part("profile")
    tables: list[Block] = []
    for config, domains in profile.items() if isinstance(profile, dict) else ():
        names = data.domains if has_guest(config) else {"driver": "driver domain"}
        for domain, title in names.items():
            rows = [row for row in data.rows("profile", config, domain)
                    if isinstance(row.get("symbol"), str) and ratios.number(row.get("share")) is not None]
            rows = rows[:_TOP_SYMBOLS]
            if rows:
                tables.append(_symbols(data, config, domain, title, rows))
    return tables or [missing(data, "profile")]


def _named(row: dict) -> str:
    owner = row.get("owner")
    return f"{row['symbol']} [{owner}]" if isinstance(owner, str) else row["symbol"]


def _symbols(data: Data, config: str, domain: str, title: str, rows: list[dict]) -> Table:
    largest = max(row["share"] for row in rows) or 1
    return Table(f"symbols-{config}-{domain}", f"{config}, {title}" if has_guest(config) else config, [
        [("symbol", 1), ("share (%)", 1), ("instructions per packet", 1)]],
        [[_named(row), Cell(show(100 * row["share"], 1), row["share"] / largest),
          show(ratios.number(row.get("insn_per_packet")), 1)] for row in rows],
        data.at(f"profile.{config}.{domain}"),
        [f"The first {len(rows)} have {show(100 * sum(row['share'] for row in rows), 1)} % of all instructions "
         "of the domain."], [family(config)] * len(rows))


_RATIOS = (
    ("driver_cost", "Driver domain's instructions per byte: guest1 / gro1", "smaller is better"),
    ("driver_cost_coherent", "The same with the same receive buffers: guest1 / gro1-coherent", "smaller is better"),
    ("guest_cost", "Guest's instructions per byte: guest2 / gro2", "smaller is better"),
    ("both_cost", "Instructions per byte of all domains: guest12 / gro12", "smaller is better"),
    ("capacity", "Capacity relative to native: native's instructions per byte / those of the busier domain",
     "larger is better"),
    ("throughput", "Measured beside capacity: Mbit/s relative to native", "larger is better"),
    ("grant_copies", "Grant copies per 64 KiB in guest1", "smaller is better"),
    ("kept", "Mean size of a packet in guest12: on the last hop / on the first", "1 is the aim"),
    ("lro_ratio", "LRO ratio of this project, {}", "larger is better"),
    ("latency_p99", "99th percentile of the latency in guest12: merging / switched off", "1 is the aim"),
)


def key_ratios(data: Data, found: dict) -> Block:
    """The key ratios by name, and which are missing."""
    rows: list[list[str | Cell]] = []
    for name, title, sense in _RATIOS:
        if isinstance(value := found.get(name), (int, float)):
            best = name in ("capacity", "throughput") and "capacity_config" in found
            config = f" ({found['capacity_config']})" if best else ""
            rows.append([_named_ratio(name), title + config, show(value), sense])
        elif isinstance(value, dict):
            rows += [[_named_ratio(name), title.format(_flows(data, flows)), show(part), sense]
                     for flows, part in value.items()]
    if not rows:
        return missing(data, "ratios")
    absent = [_named_ratio(name) for name, _, _ in _RATIOS
              if name not in found and name not in ("driver_cost_coherent", "throughput", "kept")]
    notes = ["Computed from medians over the repeats."]
    if absent:
        notes.append(f"Not there, because their inputs were not measured: {listed(absent)}.")
    return Table("ratios", "This project beside its peers", [[("", 1), ("ratio", 1), ("value", 1), ("sense", 1)]], rows,
                 data.at("ratios" if data.part("ratios") else "runs, scaling"), notes, [], words=True)


def _named_ratio(name: str) -> str:
    return name.replace("_", " ")


def _flows(data: Data, flows: str) -> str:
    """The number of flows that a ratio is of: the one that was measured, where the results name a round one."""
    measured = {row.get("flows") for row in data.rows("scaling", "flows") if row.get("engine") == "lro"}
    exact = next((str(count) for count in ratios.MANY_FLOWS if count in measured), flows)
    return "1 flow" if flows == "1" else f"{exact} flows"


def machine(data: Data) -> Block:
    """The machine."""
    results = data.results
    rows: list[list[str | Cell]] = [
        ["Kernel under test", f"Linux {results['kernel']}"], ["Hypervisor", f"Xen {results['xen']}"],
        ["Emulator", f"QEMU {results['qemu']}"], ["NIC", results["nic"]]]
    described = data.part("machine")
    described = described if isinstance(described, dict) else {}
    for name, value in described.items():
        if name != "cycles_absent_because":
            shown = listed(map(str, value)) if isinstance(value, list) else str(value)
            rows.append([_MACHINE.get(name, name.replace("_", " ").capitalize()), shown])
    notes = [] if described else [missing(data, "machine").sentence]
    return Table("machine", "What it was measured on", [[("part", 1), ("what", 1)]], rows,
                 data.at("kernel", "xen", "qemu", "nic", "machine"), notes, [], words=True)
