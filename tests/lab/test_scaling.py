# SPDX-License-Identifier: GPL-2.0-only
"""The scaling series without machines: what is chosen, how rows join earlier results, the tables, several guests."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import cli, measure, results, scaling, scaling_fairness, scaling_flows, scaling_guests, xl
from lab.insn.errors import InsnError
from lab.insn.pinning import domain_pcpus
from lab.steps import EXIT_USAGE, LabError

NOW = {"schema": 1, "kernel": "6.12.1", "xen": "4.20.4", "qemu": "11.1.3", "nic": "RTL8169sb",
       "machine": {"cores": 2}, "bytes": 1 << 26}
RUN = {"config": "guest12", "repeat": 0, "mbps": 100.0, "lro_ratio": 20.0, "retransmits": 0}
FLOWS = [{"engine": engine, "flows": flows, "burst": burst, "repeat": repeat, "lro_ratio": ratio - repeat - 16 / burst,
          "longest_wait_us": 100.0 * (burst + repeat), "insn_per_byte": 0.5}
         for engine, ratio in (("gro", 33.0), ("lro", 46.0)) for burst in (1, 16) for flows in (1, 1024)
         for repeat in (0, 1, 2)]
GUESTS = [{"config": "guest12", "guests": count, "repeat": 0, "mbps": 200.0 / count, "lro_ratio": 30.0,
           "insn_per_byte": {"driver": 0.9, "guest": 1.25}, "mbps_per_guest": [30.0 + count, *range(20, 19 + count)]}
          for count in (1, 8)]
FAIRNESS = [GUESTS[1] | {"case": case, "mbps_per_guest": [rate, 21.0, 20.0, 22.0]}
            for case, rate in (("alike", 20.0), ("slow", 5.0))]
COUNTED = {"driver": "Domain-0", "guest": "guest"}
VCPUS = """\
Name                                ID  VCPU   CPU State   Time(s) Affinity (Hard / Soft)
Domain-0                             0     0    0   r--      14.2  0 / all
guest                                3     0    1   -b-       2.1  1 / all
guest2                               4     0    1   -b-       2.1  1 / all
"""


class Choice(unittest.TestCase):
    """What SCALING= and CONFIGS= choose."""

    def test_series(self) -> None:
        self.assertEqual([scaling.select(text) for text in ("1", "flows", "guests", "fairness", "0", "")],
                         [["flows", "guests"], ["flows"], ["guests"], ["fairness"], [], []])
        with self.assertRaises(LabError) as told:
            scaling.select("2")
        self.assertEqual(told.exception.code, EXIT_USAGE)

    def test_configurations_need_a_guest(self) -> None:
        self.assertEqual([config.name for config in scaling.wanted_configs("")], list(scaling_guests.CONFIGS))
        self.assertEqual([config.name for config in scaling.wanted_configs("gro1")], ["gro1"])
        self.assertEqual([config.name for config in scaling.wanted_configs("", "fairness")], list(scaling_fairness.CONFIGS))
        with self.assertRaisesRegex(LabError, "native has no guest"):
            scaling.wanted_configs("guest1 native")


class Joined(unittest.TestCase):
    """Rows stand beside runs of the same machine and software only."""

    def setUp(self) -> None:
        self.path = Path(self.enterContext(tempfile.TemporaryDirectory())) / "results.json"

    def run_cli(self, earlier: dict | None, *arguments: str) -> int:
        if earlier:
            results.write(earlier, self.path)
        with mock.patch.multiple(cli, RESULTS=self.path, _setup=mock.Mock()), \
                mock.patch.object(cli.experiments, "described", return_value=dict(NOW)), \
                mock.patch.object(scaling_flows, "run", return_value=FLOWS) as flows, \
                mock.patch.object(scaling_guests, "run", return_value=GUESTS) as guests:
            code = cli.main(["run", *arguments])
        self.ran = [one.called for one in (flows, guests)]
        return code

    def test_with_earlier_runs(self) -> None:
        self.assertEqual(self.run_cli(NOW | {"runs": [RUN], "ratios": {"driver_cost": 0.5}}, "--scaling", "1"), 0)
        found = results.read(self.path)
        self.assertEqual((found["runs"], found["scaling"]), ([RUN], {"flows": FLOWS, "guests": GUESTS}))
        self.assertEqual(found["ratios"], {"lro_ratio": {"1": 44.0, "1000": 44.0}})
        # One series alone leaves the rows of the other.
        self.assertEqual(self.run_cli(None, "--scaling", "guests"), 0)
        self.assertEqual(self.ran, [False, True])
        self.assertEqual(results.read(self.path)["scaling"]["flows"], FLOWS)

    def test_not_on_real_machines(self) -> None:
        self.assertEqual(self.run_cli(None, "--scaling", "1", "--hosts", "hosts.toml"), EXIT_USAGE)

    def test_alone(self) -> None:
        self.assertEqual(self.run_cli(None, "--scaling", "flows"), 0)
        found = results.read(self.path)
        self.assertEqual((found["runs"], found["scaling"], found["kernel"]), ([], {"flows": FLOWS}, "6.12.1"))

    def test_not_with_runs_of_another_kernel_or_machine(self) -> None:
        for name, other in (("kernel", "6.1.9"), ("qemu", "10.0"), ("machine", {"cores": 64})):
            earlier = NOW | {"runs": [RUN], name: other}
            self.assertEqual(self.run_cli(earlier, "--scaling", "1"), EXIT_USAGE)
            self.assertEqual((self.ran, results.read(self.path)), ([False, False], earlier))


class Shown(unittest.TestCase):
    """The terminal's tables hold medians, and the longest of the longest waits."""

    def test_tables(self) -> None:
        lines = [line.split() for line in scaling.render({"scaling": {"flows": FLOWS, "guests": GUESTS}}).splitlines()]
        self.assertIn(["1024", "1", "16.00", "300", "0.500", "29.00", "300", "0.500"], lines)
        self.assertIn(["1024", "16", "31.00", "1800", "0.500", "44.00", "1800", "0.500"], lines)
        self.assertIn(["guest12", "8", "25.0", "30.00", "20.0", "0.90", "1.25"], lines)

    def test_fairness(self) -> None:
        lines = [line.split() for line in scaling.render({"scaling": {"fairness": FAIRNESS}}).splitlines()]
        self.assertIn(["guest12", "slow", "25.0", "5.0", "20.0", "0.90", "1.25"], lines)

    def test_nothing_measured(self) -> None:
        self.assertEqual(scaling.render({}), "")
        unsound = {name: value for name, value in GUESTS[0].items() if name != "insn_per_byte"}
        self.assertIn("-", scaling.render({"scaling": {"guests": [unsound]}}).splitlines()[-1].split())


class Guests(unittest.TestCase):
    """Several guests share a pCPU, and only they may."""

    def test_together(self) -> None:
        self.assertEqual(domain_pcpus(VCPUS, together=("guest", "guest2"))["guest2"], 1)
        for text, together in ((VCPUS, ()), (VCPUS, ("guest",)), (VCPUS.replace("1 / all", "0 / all"), ("guest", "guest2"))):
            with self.assertRaisesRegex(InsnError, "share pCPU"):
                domain_pcpus(text, together=together)

    def test_all_on_one_pcpu(self) -> None:
        dom0 = mock.Mock()
        dom0.run.return_value = VCPUS
        self.assertEqual(measure._domains(dom0, COUNTED, ("guest2",)), {"driver": 0, "guest": 1})
        dom0.run.return_value = VCPUS.replace("1   -b-       2.1  1 / all\n", "2   -b-       2.1  2 / all\n", 1)
        with self.assertRaisesRegex(InsnError, "several pCPUs"):
            measure._domains(dom0, COUNTED, ("guest2",))

    def test_descriptions_differ(self) -> None:
        first, last = xl.guest_config("xen-netfront"), xl.guest_config("xen-netfront", 8, 192)
        for line in ('name = "guest"', "lab.ip=10.0.0.3 ", "mac=00:16:3e:00:00:01,", "memory = 256\n",
                     'tsc_mode = "native"\n'):
            self.assertIn(line, first)
        for line in ('name = "guest8"', "lab.ip=10.0.0.10 ", "mac=00:16:3e:00:00:08,", "memory = 192\n"):
            self.assertIn(line, last)


if __name__ == "__main__":
    unittest.main()
