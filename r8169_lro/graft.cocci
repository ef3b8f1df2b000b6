// SPDX-License-Identifier: GPL-2.0-only
// What r8169_lro changes in the kernel's r8169_main.c. Each rule stands alone
// and has to match; graft/graft.py proves that it did.

// The functions below are defined behind the driver's own code, in rx.c.
@declare@
@@
 #include "r8169_firmware.h"
+#include "rx.h"

// One engine context per device, for its one receive queue.
@context@
@@
 struct rtl8169_private {
 ...
 struct napi_struct napi;
+struct lro *lro;
+bool lro_active;
+void **lro_buffers;
 ...
 };

// Created once the NAPI instance exists, before it can be enabled; freed by devres.
@create@
expression dev, tp;
@@
 netif_napi_add(dev, &tp->napi, rtl8169_poll);
+lro_rtl_create(tp);

// What is held is delivered when the polls stop.
@stop@
expression tp;
@@
 rtl8169_cleanup(...)
 {
 <...
 napi_disable(&tp->napi);
+lro_stop(tp->lro);
 ...>
 }

// Receive buffers that need no dma_sync, which under Xen costs more than all else
// that the driver does for a frame.
@fill@
expression tp;
@@
-rtl8169_rx_fill(tp)
+lro_rtl_rx_fill(tp)

@clear@
expression tp;
@@
-rtl8169_rx_clear(tp)
+lro_rtl_rx_clear(tp)

@buffer@
expression tp, entry;
@@
-page_address(tp->Rx_databuff[entry])
+lro_rtl_buffer(tp, entry)

@sync_for_cpu@
identifier rx, dev, tp, budget;
expression d, addr, size;
@@
 rx(struct net_device *dev, struct rtl8169_private *tp, int budget)
 {
 <...
-dma_sync_single_for_cpu(d, addr, size, DMA_FROM_DEVICE)
+lro_rtl_sync_for_cpu(tp, d, addr, size)
 ...>
 }

@sync_for_device@
identifier rx, dev, tp, budget;
expression d, addr, size;
@@
 rx(struct net_device *dev, struct rtl8169_private *tp, int budget)
 {
 <...
-dma_sync_single_for_device(d, addr, size, DMA_FROM_DEVICE)
+lro_rtl_sync_for_device(tp, d, addr, size)
 ...>
 }

// Each poll asks the engine first; the kernel's rtl_rx() does the rest.
@poll@
expression dev, tp, budget;
@@
 rtl8169_poll(...)
 {
 <...
-rtl_rx(dev, tp, budget)
+lro_rtl_rx(dev, tp, budget)
 ...>
 }

// Packets go to the engine instead of GRO.
@receive@
expression tp, skb;
@@
-napi_gro_receive(&tp->napi, skb)
+lro_rtl_receive(tp, skb)

// What must not outlive the poll is delivered before it ends.
@complete@
expression napi, work_done;
@@
-napi_complete_done(napi, work_done)
+lro_rtl_complete_done(napi, work_done)

// ethtool -K switches the engine of one device.
@features@
expression rc, dev;
@@
+lro_rtl_init_features(dev);
 rc = register_netdev(dev);

@fix_features@
identifier ops;
@@
 struct net_device_ops ops = {
 .ndo_fix_features =
-rtl8169_fix_features
+lro_rtl_fix_features
 ,
 };

@set_features@
identifier ops;
@@
 struct net_device_ops ops = {
 .ndo_set_features =
-rtl8169_set_features
+lro_rtl_set_features
 ,
 };

// ethtool -i tells the version of the module.
@drvinfo@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_drvinfo =
-rtl8169_get_drvinfo
+lro_rtl_get_drvinfo
 ,
 };

// The engine's counters stand behind the chip's in ethtool -S.
@ethtool_strings@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_strings =
-rtl8169_get_strings
+lro_rtl_get_strings
 ,
 };

@ethtool_count@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_sset_count =
-rtl8169_get_sset_count
+lro_rtl_get_sset_count
 ,
 };

@ethtool_values@
identifier ops;
@@
 struct ethtool_ops ops = {
 .get_ethtool_stats =
-rtl8169_get_ethtool_stats
+lro_rtl_get_ethtool_stats
 ,
 };

// Which driver serves a card is the user's choice: no alias, no autoload, and
// loading the module takes no card that was not assigned to it.
@no_autoload@
declarer name MODULE_DEVICE_TABLE;
@@
-MODULE_DEVICE_TABLE(pci, rtl8169_pci_tbl);

@writable_ids@
@@
-static const struct pci_device_id rtl8169_pci_tbl[]
+static struct pci_device_id rtl8169_pci_tbl[]
 = { ... };

@assigned_only@
declarer name module_pci_driver;
@@
-module_pci_driver(rtl8169_pci_driver);
