# SPDX-License-Identifier: GPL-2.0-only
"""The graft on the kernels it is made for, and what it says where it cannot work.

Runs where Coccinelle is: in the laboratory's root. KSRC_6_1 and so on in the
environment name the kernels' source trees.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from graft import graft, tree
from lab.kernels import SERIES

TOP = Path(__file__).resolve().parents[2]
DRIVERS = tree.drivers()
# Grafts that were made before, in this tree's own cache.
KEPT = TOP / "build/source"


def run_graft(*args: str, top: Path = TOP, env: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(top / "graft/graft.py"), *args], capture_output=True, text=True,
                          timeout=900, env=env, check=False)


def directory_of(driver: str) -> str:
    text = (TOP / driver / "graft.toml").read_text()
    return re.search(r'^directory = "(.*)"', text, re.M)[1]


def tree_of(series: str) -> str:
    return os.environ["KSRC_" + series.replace(".", "_")]


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.scratch = Path(folder.name)
        self.out = self.scratch / "out"


class Kernels(Scratch):
    """Every supported kernel's own drivers."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.base = Path(folder.name)
        with ThreadPoolExecutor(2) as pool:
            cls.done = dict(zip(SERIES, pool.map(cls.graft, SERIES)))

    @classmethod
    def graft(cls, series: str) -> subprocess.CompletedProcess:
        return run_graft("--kver", f"{series}.1-test", "--ksrc", tree_of(series), "--out", str(cls.base / series),
                         *DRIVERS)

    def test_every_rule_fires(self):
        for series in SERIES:
            with self.subTest(series):
                self.assertEqual(self.done[series].returncode, 0, self.done[series].stderr)

    def test_result_is_the_kernel_s_driver_with_the_receive_path_redirected(self):
        wanted = {
            "r8169_lro": ("+\twork_done = lro_rtl_rx(dev, tp, budget);", "-\t\tnapi_gro_receive(&tp->napi, skb);",
                          "+\t\tlro_rtl_receive(tp, skb);", "+\tlro_rtl_create(tp);", "+\tstruct lro *lro;",
                          "-MODULE_DEVICE_TABLE(pci, rtl8169_pci_tbl);",
                          "+\tlro_stop(tp->lro);",
                          "+\tif (work_done < budget && lro_rtl_complete_done(napi, work_done))",
                          "+\tlro_rtl_init_features(dev);", "+\t.ndo_set_features\t= lro_rtl_set_features,"),
            "netfront_lro": ("+\twork_done -= lro_xennet_incoming(queue, &rxq);",
                             "-\t\tnapi_gro_receive(&queue->napi, skb);", "+\t\tlro_xennet_receive(queue, skb);",
                             "+\t\tlro_xennet_create(queue);", "+\t\tlro_xennet_destroy(queue);",
                             "+\t\tif (lro_xennet_complete_done(napi, work_done))", "+\t\tlro_stop(queue->lro);",
                             "+\t\tlro_xennet_synchronize(queue);", '-MODULE_ALIAS("xen:vif");',
                             "+\t.name = KBUILD_MODNAME,", "+\tlro_xennet_init_features(netdev);",
                             "+\t\tif (unlikely(skb_shinfo(skb)->nr_frags >= MAX_SKB_FRAGS || "
                             "lro_xennet_beyond_page(&rx))) {",
                             "+\t\treturn lro_xennet_broken(queue, &rxq, &errq, &tmpq, budget);",
                             # Coccinelle folds what gets too long.
                             "+\t\t\t\treturn lro_xennet_broken(queue, &rxq, &errq,",
                             "+\t.get_drvinfo = lro_xennet_get_drvinfo,",
                             "+\t\tskb = lro_xennet_end_tx(skb, queue->grant_tx_ref[i]);", "+\tlro_kept_exit();",
                             "+\t\tif (unlikely(lro_xennet_fill_frags(queue, skb, &tmpq))) {",
                             "+\t} while (!err && lro_xennet_waits(dev));",
                             "+\t\treturn lro_xennet_xdp_set(dev, xdp->prog, xdp->extack);",
                             "+\tstruct bpf_prog *lro_xdp_prog;",
                             "+\t\tif (dev->state == XenbusStateClosed || dev->state == XenbusStateInitialising)",
                             "+\tif (info->broken || !info->queues || !netif_carrier_ok(dev))",
                             "+\t\t\t\tqueue->tx_skbs[id] = skb;", "+\t\t\txennet_move_rx_slot(queue, skb, ref);",
                             "+\t\tqueue->lro_extras++;",
                             "+\t\t\t\tif (unlikely(!lro_xennet_extra_answered(queue)))",
                             "+\tif (unlikely(!netif_carrier_ok(dev) ||!netfront_tx_slot_available(queue) ||",
                             "+\tif (unlikely(!netif_carrier_ok(dev) || queue->info->broken))",
                             "+\tif (unlikely(np->broken || !netif_carrier_ok(np->netdev) || !np->queues))",
                             "+\t\tif (lro_xennet_xdp_send(dev, queue, xdpf))",
                             "+\t\t\t\tlro_xennet_xdp_gone(skb, verdict);", "+\t\t\txdp_return_buff(xdp);",
                             "+\t\t\tlro_xennet_undo_queues(queue);",
                             "+\tnum_queues = min(min(max_queues, xennet_max_queues),"),
            "e1000e_lro": ("+\tnetdev = alloc_etherdev(sizeof(struct lro_e1000));", "+\tlro_e1000_create(netdev);",
                           "+\tlro_e1000_stop(adapter);", "-\tnapi_gro_receive(&adapter->napi, skb);",
                           "+\tlro_e1000_receive(adapter, skb);",
                           "+\tif (likely(lro_e1000_complete(napi, work_done))) {",
                           "+\t\tlro_e1000_map(rx_ring->adapter, buffer_info, skb->data);",
                           "+\tlro_graft_init(netdev);", "-MODULE_DEVICE_TABLE(pci, e1000_pci_tbl);",
                           "+\treturn lro_register_driver(&e1000_driver);"),
            "igb_lro": ("+\tlro_igb_create(q_vector);", "+\tlro_igb_destroy(q_vector);",
                        "+\t\t\tlro_igb_stop(adapter->q_vector[i]);",
                        "+\t\tsize = lro_igb_size(rx_ring, rx_desc, &skb);",
                        "+\t\tif (!skb && lro_igb_offer(q_vector, rx_desc, pktbuf, size)) {",
                        "+\tlro_igb_mapped(rx_ring, page, dma);", "+\t\tlro_igb_receive(q_vector, skb);",
                        "+\tif (likely(lro_igb_complete(napi, work_done)))", "+\tlro_graft_init(netdev);",
                        "+\tret = lro_register_driver(&igb_driver);"),
            "igc_lro": ("+\tlro_igc_create(q_vector);", "+\tlro_igc_destroy(q_vector);",
                        "+\t\t\tlro_igc_stop(adapter->q_vector[i]);",
                        "+\t\tsize = lro_igc_size(rx_ring, rx_desc, &skb);",
                        "+\t\tif (!skb && lro_igc_offer(q_vector, rx_desc, pktbuf, size)) {",
                        "+\tif (likely(lro_igc_complete(napi, work_done)))", "+\tlro_graft_init(netdev);",
                        "+\tret = lro_register_driver(&igc_driver);"),
            "netback_lro": ('+#include "poll.h"', "+\tstruct lro_xenvif lro;", "+\tunsigned long rx_polled;",
                            "+\twork_done = lro_xenvif_poll(queue, budget);", "+\tlro_xenvif_wake(queue);",
                            "+\t\tlro_xenvif_wake(queue);", "+\tlro_xenvif_copy(queue);", "+\tlro_xenvif_consume(queue);",
                            "+\tif (lro_xenvif_postponed(queue))", "+\t\tlro_xenvif_own(queue);",
                            "+\t\tlro_xenvif_disown(queue);", "+\tif (lro_xenvif_have_work(queue))",
                            "+\t\tif (lro_xenvif_have_work(queue))",
                            "+\t\tif (atomic_fetch_andnot(NETBK_RX_EOI, &queue->eoi_pending) & NETBK_RX_EOI)",
                            "+\t\tif (atomic_fetch_andnot(NETBK_TX_EOI, &queue->eoi_pending) & NETBK_TX_EOI)",
                            "+\t\tif (atomic_fetch_andnot(NETBK_COMMON_EOI, &queue->eoi_pending) & NETBK_COMMON_EOI)",
                            "+\t\tret = schedule_timeout(lro_xenvif_timeout(queue));",
                            "+\t} while (queue->rx.sring->req_prod != prod && lro_looks_again(&looks, cons, needed));",
                            "+\t\tneeded = lro_xenvif_slots(READ_ONCE(queue->vif->xdp_headroom),",
                            "+\tWRITE_ONCE(vif->xdp_headroom, lro_xenvif_headroom(headroom));",
                            "+\t.name = KBUILD_MODNAME,", "+\t.get_drvinfo = lro_xenvif_get_drvinfo,",
                            "+\t\t(queue->vif->disabled && !queue->id);", '-MODULE_ALIAS("xen-backend:vif");',
                            "+\txen_netback_dbg_root = debugfs_create_dir(KBUILD_MODNAME, NULL);"),
        }
        for series in SERIES:
            for driver in DRIVERS:
                lines = (self.base / series / driver / "graft.diff").read_text().splitlines()
                for line in wanted[driver]:
                    with self.subTest(series=series, driver=driver, line=line):
                        self.assertEqual(lines.count(line), 1)

    def test_kernel_s_own_receive_function_stays(self):
        for series in SERIES:
            for name, function in (("r8169_lro/r8169_main.c", "static int rtl_rx(struct net_device *dev"),
                                   ("e1000e_lro/netdev.c", "static bool e1000_clean_rx_irq(struct e1000_ring *rx_ring"),
                                   ("igb_lro/igb_main.c", "static int igb_clean_rx_irq(struct igb_q_vector *q_vector"),
                                   ("igc_lro/igc_main.c", "static int igc_clean_rx_irq(struct igc_q_vector *q_vector"),
                                   ("netback_lro/rx.c", "static void xenvif_rx_action(struct xenvif_queue *queue)")):
                with self.subTest(series=series, name=name):
                    self.assertIn(function, (self.base / series / name).read_text())

    def test_rules_reach_all_files_that_are_named(self):
        for series in SERIES:
            text = (self.base / series / "netback_lro/graft.diff").read_text()
            self.assertEqual(sorted(re.findall(r"^\+\+\+ b/netback_lro/(\S+)$", text, re.M)),
                             ["common.h", "interface.c", "netback.c", "rx.c", "xenbus.c"])

    def test_all_files_of_a_folder_come_along(self):
        for series in SERIES:
            names = {path.name for path in (self.base / series / "igb_lro").iterdir()}
            wanted = {path.name for path in Path(tree_of(series), directory_of("igb_lro")).glob("*.[ch]")}
            self.assertGreater(len(wanted), 15)
            self.assertEqual(wanted - names, set())

    def test_second_run_does_nothing(self):
        target = self.base / "6.12/r8169_lro/r8169_main.c"
        before = target.stat().st_mtime_ns
        done = self.graft("6.12")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing changed", done.stdout)
        self.assertEqual(target.stat().st_mtime_ns, before)


class Package(Scratch):
    """The source as the distribution packs it."""

    def test_files_come_out_of_the_archive(self):
        packed = self.scratch / "linux-source-6.12.tar.xz"
        subprocess.run(["tar", "-cJf", str(packed), "--transform", "s,^\\.,linux-source-6.12,", "-C", tree_of("6.12"), "."],
                       check=True, timeout=120)
        # The driver that the other classes have grafted is at hand, as it takes a minute.
        for kept in KEPT.glob("netfront_lro-*"):
            shutil.copytree(kept, self.scratch / "cache" / kept.name)
        arguments = ("--kver", "6.12.1-test", "--packages", str(self.scratch), "--cache", str(self.scratch / "cache"),
                     "--out", str(self.out), "netfront_lro")
        done = run_graft(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue("lro_xennet_receive" in (self.out / "netfront_lro/xen-netfront.c").read_text())
        packed.write_bytes(b"not an archive")
        shutil.rmtree(self.out)
        done = run_graft(*arguments)
        self.assertEqual(done.returncode, 3, done.stdout)
        self.assertIn("package linux-source-6.12", done.stderr)


class Base(Scratch):
    """The version that a graft is made from, and which graft goes first where there are two."""

    def setUp(self):
        super().setUp()
        self.version = self.point(Path(tree_of("6.12")))
        self.packed = self.scratch / "packed"
        self.older = self.tree("older", "90")

    @staticmethod
    def point(tree: Path) -> str:
        return ".".join(re.search(rf"^{name} = (\d+)", (tree / "Makefile").read_text(), re.M)[1]
                        for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL"))

    def tree(self, name: str, sublevel: str) -> Path:
        """The 6.12 source as that of another point release."""
        tree = self.scratch / name / "linux-source-6.12"
        (tree / "drivers/net").mkdir(parents=True)
        (tree / "Makefile").write_text(f"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = {sublevel}\n")
        shutil.copy(Path(tree_of("6.12")) / "drivers/net/xen-netfront.c", tree / "drivers/net")
        return tree

    def pack(self, sublevel: str) -> None:
        self.graft("--ksrc", str(self.tree("packed-source", sublevel)), "--out", str(self.packed))

    def graft(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = run_graft("--kver", "6.12.100-test", *arguments, "netfront_lro", env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def base(self) -> str:
        text = (self.out / "netfront_lro/xen-netfront.c").read_text()
        return re.findall(r'^MODULE_INFO\(base, "(.*)"\);$', text, re.M)[-1]

    def test_graft_tells_the_version_of_its_source(self):
        self.graft("--ksrc", tree_of("6.12"), "--out", str(self.out))
        self.assertEqual(self.base(), self.version)
        self.graft("--ksrc", str(self.older), "--out", str(self.out))
        self.assertEqual(self.base(), "6.12.90")

    def test_source_that_is_as_new_goes_before_what_is_packed(self):
        self.pack("100")
        for name, sublevel, point, base in (("newer", "110", "6.12.110", "6.12.110"), ("same", "100", "6.12.100", "6.12.100"),
                                            ("forgotten", "90", "6.12.100", "6.12.100"),
                                            # The kernel is an old one, too, and this is its very source.
                                            ("fitting", "90", "6.12.90", "6.12.90")):
            with self.subTest(name):
                packages = self.tree(name, sublevel).parent
                said = self.graft("--packages", str(packages), "--packed", str(self.packed), "--point", point, "--out", str(self.out))
                self.assertEqual(self.base(), base)
                if name == "forgotten":
                    self.assertIn("packed with this release (xen-netfront.c of Linux 6.12.100): the source on this machine is "
                                  "that of Linux 6.12.90: upgrade linux-source-6.12", said)

    def test_packed_graft_serves_where_none_can_be_made(self):
        self.pack("100")
        arguments = ("--packages", str(self.scratch / "none"), "--packed", str(self.packed), "--out", str(self.out))
        self.assertIn("the source of Linux 6.12 is missing", self.graft(*arguments))
        self.assertEqual(self.base(), "6.12.100")
        self.assertIn("Coccinelle is missing", self.graft(*arguments, env=dict(os.environ, PATH=str(self.scratch))))
        packages = self.tree("other", "110")
        (packages / "drivers/net/xen-netfront.c").write_text("int nothing;\n")
        self.assertIn("matches nothing", self.graft("--packages", str(packages.parent), *arguments[2:]))
        self.assertEqual(self.base(), "6.12.100")


class Refusals(Scratch):
    """One sentence, a code that is not 0, nothing half-built."""

    def refused(self, done: subprocess.CompletedProcess, code: int, *words: str) -> None:
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual([path for path in self.out.rglob("*") if path.is_file()], [])

    def kernel_tree(self, version: str, patchlevel: str) -> Path:
        tree = self.scratch / "linux"
        tree.mkdir()
        (tree / "Makefile").write_text(f"VERSION = {version}\nPATCHLEVEL = {patchlevel}\n")
        return tree

    def test_source_package_missing(self):
        self.refused(run_graft("--kver", "9.9.1", "--out", str(self.out), *DRIVERS), 3, "linux-source-9.9")

    def test_tree_of_another_series(self):
        tree = self.kernel_tree("5", "10")
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), *DRIVERS), 3,
                     "5.10", "linux-source-6.12")

    def test_tree_without_makefile(self):
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(self.scratch), "--out", str(self.out), *DRIVERS), 3,
                     "not a kernel source tree", "KSRC=")

    def test_tree_without_the_driver(self):
        tree = self.kernel_tree("6", "12")
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), *DRIVERS), 3,
                     "is not a complete kernel source")

    def test_release_that_is_none(self):
        self.refused(run_graft("--kver", "latest", "--out", str(self.out), *DRIVERS), 2, "KVER=")

    def test_driver_that_is_none(self):
        self.refused(run_graft("--kver", "6.12.1", "--out", str(self.out), "lro_core"), 2, "lro_core")

    def test_coccinelle_missing(self):
        env = dict(os.environ, PATH=str(self.scratch))
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", tree_of("6.12"), "--out", str(self.out), *DRIVERS,
                               env=env), 3,
                     "package coccinelle")

    def test_source_that_does_not_match(self):
        tree = self.kernel_tree("6", "12")
        folder = tree / directory_of("netfront_lro")
        folder.mkdir(parents=True)
        # A driver whose poll function hands its packets on in another way.
        (folder / "xen-netfront.c").write_text(
            "#include <xen/interface/grant_table.h>\n"
            "struct netfront_queue { unsigned int id; struct napi_struct napi; int tx; };\n")
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), "netfront_lro"), 1,
                     "rule 'program'", "xen-netfront.c", "stock driver")

    def test_rule_that_matches_in_none_of_several_files(self):
        tree = self.kernel_tree("6", "12")
        folder = tree / directory_of("netback_lro")
        folder.mkdir(parents=True)
        for name in ("common.h", "interface.c", "netback.c", "rx.c", "xenbus.c"):
            (folder / name).write_text("int nothing;\n")
        (folder / "common.h").write_text("#include <linux/debugfs.h>\nint nothing;\n")
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), "netback_lro"), 1,
                     "rule 'context'", "rx.c or common.h or interface.c or netback.c or xenbus.c", "stock driver")

    def test_file_that_rules_are_for_is_missing(self):
        tree = self.kernel_tree("6", "12")
        folder = tree / directory_of("netback_lro")
        folder.mkdir(parents=True)
        for name in ("common.h", "rx.c"):
            (folder / name).write_text("int nothing;\n")
        self.refused(run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), "netback_lro"), 3,
                     "xen-netback/interface.c")

    def test_failure_leaves_the_earlier_graft_alone(self):
        good = self.out / "netfront_lro"
        good.mkdir(parents=True)
        (good / "xen-netfront.c").write_text("earlier")
        tree = self.kernel_tree("6", "12")
        folder = tree / directory_of("netfront_lro")
        folder.mkdir(parents=True)
        (folder / "xen-netfront.c").write_text("int nothing;\n")
        done = run_graft("--kver", "6.12.1", "--ksrc", str(tree), "--out", str(self.out), "netfront_lro")
        self.assertEqual(done.returncode, 1)
        self.assertEqual((good / "xen-netfront.c").read_text(), "earlier")


class Together(Scratch):
    """All rules in one run of Coccinelle do what they do one by one, and none that does not fire stays unseen."""

    DRIVER = "netback_lro"  # with rules for several files
    IDLE = "@ idle @\n@@\n-xenvif_nowhere\n+xenvif_somewhere\n"

    def setUp(self):
        super().setUp()
        self.spec = graft.Spec.load(self.DRIVER)
        self.rules = graft.split_rules((TOP / self.DRIVER / "graft.cocci").read_text())

    def copies(self, name: str) -> list[Path]:
        """The files that the rules are for, in a folder of their own."""
        folder = self.scratch / name
        folder.mkdir()
        sources = {path.name: path for path in self.spec.sources(Path(tree_of("7.3")))}
        return [Path(shutil.copyfile(sources[file], folder / file)) for file in self.spec.changed]

    def test_result_is_that_of_one_by_one(self):
        together, single, work = self.copies("together"), self.copies("single"), self.scratch / "work"
        work.mkdir()
        # A few: one by one, each costs seconds.
        rules = self.rules[:8]
        self.assertTrue(graft.apply_together(rules, together, work))
        for name, rule in rules:
            graft.apply_rule(name, rule, single, work, "graft.cocci")
        self.assertEqual([path.read_text() for path in together], [path.read_text() for path in single])

    def test_rule_that_does_not_fire_leaves_all_as_it_was(self):
        for place in (0, len(self.rules)):
            with self.subTest(place=place):
                paths, work = self.copies(f"files{place}"), self.scratch / f"work{place}"
                work.mkdir()
                before = [path.read_text() for path in paths]
                rules = [*self.rules[:place], ("idle", self.IDLE), *self.rules[place:]]
                self.assertFalse(graft.apply_together(rules, paths, work))
                self.assertEqual([path.read_text() for path in paths], before)


class Make(Scratch):
    """The same through `make modules`."""

    def make(self, *args: str) -> subprocess.CompletedProcess:
        return subprocess.run(["make", "-s", "-C", str(TOP), "modules", f"OUT={self.out}", *args], text=True,
                              capture_output=True, timeout=300, check=False)

    def test_headers_missing(self):
        done = self.make("KVER=9.9.1-test")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("linux-headers-9.9.1-test", done.stderr)
        self.assertFalse(self.out.exists())

    def test_source_missing(self):
        headers = self.scratch / "headers"
        headers.mkdir()
        shutil.copy(TOP / "Makefile", headers / "Makefile")
        done = self.make("KVER=9.9.1-test", f"KDIR={headers}")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("linux-source-9.9", done.stderr)
        self.assertEqual(list(self.out.rglob("*.ko")), [])


if __name__ == "__main__":
    unittest.main()
