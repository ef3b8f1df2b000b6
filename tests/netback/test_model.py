# SPDX-License-Identifier: GPL-2.0-only
"""netback_lro of each kernel in user space: under races that are real every packet arrives once, whole and in order.

Runs in the lab's root, with KSRC_6_1 and so on naming the kernels' sources (see tests/__main__.py). unit.c says what
takes part; `unit KIND PACKETS SEED` below build/netback/ repeats a run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

from lab.kernels import SERIES
from lab.paths import BUILD, ROOT

HERE, OURS, OUT = ROOT / "tests/netback", ROOT / "netback_lro", BUILD / "netback"
KINDS = ("plain", "switched", "down", "again", "xdp", "all", "hostile")
PACKETS = 3000
# Runs at most in which a fault has to show.
SEEDS = 12
# The kernel's own, which say what is in the ring.
REAL = ("xen/interface/io/netif.h", "xen/interface/io/ring.h")
# What is spoiled in poll.c or poll.h, the kind that has to notice, and what it says.
FAULTS = {
    "the thread does not wait for the queue": (
        "\twait_on_bit_lock(&queue->lro.state, LRO_XENVIF_BUSY, TASK_UNINTERRUPTIBLE);", "\t;",
        "all", "not in order|took too long"),
    "what a poll was to do is forgotten": ("\tif (test_bit(LRO_XENVIF_WANTED, &queue->lro.state))\n\t\txenvif_kick",
                                           "\tif (0)\n\t\txenvif_kick", "down", "stands still"),
    "slots are counted without room for XDP": (
        "\treturn DIV_ROUND_UP(len, XEN_PAGE_SIZE - headroom) + !!headroom;",
        "\treturn DIV_ROUND_UP(len, XEN_PAGE_SIZE);", "xdp", "an answer without a slot"),
    "a guest has as much room for XDP as it wants": (
        "\treturn min_t(u16, wanted, XDP_PACKET_HEADROOM);", "\treturn wanted;", "plain", "room in a slot"),
    "copies that are to come are shown": ("\treturn test_bit(LRO_XENVIF_POSTPONED, &queue->lro.state);", "\treturn false;",
                                          "again", "not whole|not in order|a copy failed"),
}


def run(*command: str, limit: float = 120) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "it took too long")


def grafted(series: str) -> Path:
    """Folder with the kernel's files, changed by the rules."""
    out = OUT / series
    done = run(sys.executable, str(ROOT / "graft/graft.py"), "--kver", f"{series}.0-test", "--ksrc",
               os.environ["KSRC_" + series.replace(".", "_")], "--out", str(out), "netback_lro", limit=900)
    if done.returncode:
        raise AssertionError(done.stdout)
    return out / "netback_lro"


def stand_ins(series: str, driver: Path) -> Path:
    """Folder of headers: the model in the place of each one that the driver includes."""
    folder = OUT / series / "include"
    shutil.rmtree(folder, ignore_errors=True)
    # Headers of other versions have left empty folders.
    headers = next(path for path in sorted(Path("/usr/src").glob(f"linux-headers-{series}.*-common/include"))
                   if "-rt" not in path.parent.name)
    sources = [driver / "rx.c", driver / "common.h", *OURS.glob("*.[ch]"), *(headers / name for name in REAL)]
    # The C library has need of that one as it is.
    for name in {name for source in sources for name in re.findall(r"^#include <(.+)>", source.read_text(), re.M)} - {"linux/types.h"}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text('#include "model.h"\n')
    for name in REAL:
        shutil.copyfile(headers / name, folder / name)
    return folder


def compile_unit(series: str, ours: Path, name: str) -> Path:
    """The program, of our sources in a folder."""
    driver = grafted(series)
    include, unit = stand_ins(series, driver), OUT / series / name
    files = OUT / series / "driver"
    files.mkdir(exist_ok=True)
    for file in ("rx.c", "common.h"):
        shutil.copyfile(driver / file, files / file)
    done = run("clang", "-std=gnu11", "-g", "-O1", "-w", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
               *(f"-I{path}" for path in (HERE, include, files, ours)), '-DKBUILD_MODNAME="netback_lro"',
               '-DXENLRO_VERSION="0"', "-o", str(unit), str(HERE / "unit.c"), str(HERE / "model.c"), "-lpthread")
    if done.returncode:
        raise AssertionError(done.stdout[-3000:])
    return unit


class Races(unittest.TestCase):
    def test_each_packet_arrives_once_whole_and_in_order(self):
        for series in SERIES:
            unit = compile_unit(series, OURS, "unit")
            for kind in KINDS:
                seed, polled = time.time_ns() % 10**6, 0
                # The schedule is the machine's: about one run in 70 leaves all packets to the thread.
                for again in range(3):
                    with self.subTest(series=series, kind=kind, seed=seed + again):
                        done = run(str(unit), kind, str(PACKETS), str(seed + again))
                        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
                        polled, postponed = (int(re.search(rf"(\d+) {word}", done.stdout)[1])
                                             for word in ("by polls", "postponed"))
                        if polled:
                            self.assertEqual(postponed > 0, kind in ("again", "all", "hostile"))
                    if polled:
                        break
                with self.subTest(series=series, kind=kind):
                    self.assertGreater(polled, 0)


class Noticed(unittest.TestCase):
    """Each of these faults shows."""

    def test_faults_are_found(self):
        for name, (right, wrong, kind, said) in FAULTS.items():
            spoiled = OUT / "spoiled"
            shutil.rmtree(spoiled, ignore_errors=True)
            shutil.copytree(OURS, spoiled)
            files = [file for file in (spoiled / "poll.c", spoiled / "poll.h") if right in file.read_text()]
            self.assertEqual(len(files), 1, name)
            text = files[0].read_text()
            self.assertEqual(text.count(right), 1, name)
            files[0].write_text(text.replace(right, wrong))
            unit = compile_unit("6.12", spoiled, "spoiled-unit")
            with self.subTest(name):
                # The moment that matters comes by chance.
                found = []
                while len(found) < SEEDS and not any(found):
                    done = run(str(unit), kind, str(PACKETS), str(len(found) + 1))
                    found.append(done.returncode and re.search(said, done.stdout))
                self.assertTrue(any(found), f"{len(found)} runs without notice")


if __name__ == "__main__":
    unittest.main()
