# SPDX-License-Identifier: GPL-2.0-only
"""The plugin on a Xen host with a guest: known code of a domain is counted for that domain."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

from lab import configs, measure, topology
from lab.agent import AgentHost
from lab.insn.errors import InsnError
from lab.insn.reader import delta, snapshots
from lab.paths import BUILD

from . import machine
from .test_linux import CLOSE, COPY_BYTES, LOOP_INSNS

HERE = Path(__file__).resolve().parent
LOGS = BUILD / "check/insn"


class Domains(unittest.TestCase):
    """One boot per kernel; each domain is pinned to a pCPU of its own."""

    def test_known_programs(self) -> None:
        for kernel in machine.wanted():
            with self.subTest(kernel=kernel.series):
                probe = machine.build_modules(HERE / "probe", kernel, (HERE / "measured.h",)) / "probe.ko"
                subprocess.run(["strip", "-g", probe], check=True)
                with topology.XenLab(kernel.series, logs=LOGS / kernel.series, counted=True) as lab:
                    lab.apply(configs.ALL["guest0"])
                    found = measure.at_rest(lab).domains
                    self.check_domain(lab, lab.dom0, found["driver"], probe)
                    self.check_domain(lab, lab.guest, found["guest"], probe)
                    self.check_pinning(lab)

    def check_domain(self, lab: topology.XenLab, host: AgentHost, vcpu: int, probe: Path) -> None:
        counts = lab.logs / "xen.insn.jsonl"
        seen = len(snapshots(counts))
        host.put((machine.OUT / "known").read_bytes(), "/tmp/known", 0o755)
        host.put(probe.read_bytes(), "/tmp/probe.ko")
        host.run("/tmp/known && insmod /tmp/probe.ko && rmmod probe", timeout=120)
        marks = {int(snap.label): snap for snap in snapshots(counts)[seen:] if snap.by == "marker"}
        part = {(a, b): delta(marks[a], marks[b]) for a, b in ((21, 22), (22, 23), (11, 12), (12, 13))}
        # Timer ticks interrupt the loop, and belong to other categories.
        loops = {"user": part[21, 22][vcpu], "modules": part[11, 12][vcpu]}
        for category, spent in loops.items():
            self.assertAlmostEqual(spent["insns"][category], LOOP_INSNS, delta=CLOSE * LOOP_INSNS)
        self.assertEqual(part[22, 23][vcpu]["movs"]["user"], COPY_BYTES)
        self.assertEqual(part[12, 13][vcpu]["movs"]["modules"], COPY_BYTES)
        # The other domain has no part of it.
        other = 1 - vcpu
        for (a, b), category in (((21, 22), "user"), ((11, 12), "modules")):
            self.assertLess(part[a, b][other]["insns"][category], LOOP_INSNS // 10)
        print(f"  {host.name}: loop user {loops['user']['insns']['user']} module "
              f"{loops['modules']['insns']['modules']} of {LOOP_INSNS}")

    def check_pinning(self, lab: topology.XenLab) -> None:
        """A domain that may move is refused before anything is counted."""
        for affinity, words in (("all", "domain guest is not pinned to one pCPU"), ("0", "share pCPU 0")):
            lab.dom0.run(f"xl vcpu-pin guest all {affinity}")
            with self.assertRaisesRegex(InsnError, words):
                measure.at_rest(lab)
        lab.dom0.run("xl vcpu-pin guest all 1")
        measure.at_rest(lab)


if __name__ == "__main__":
    unittest.main()
