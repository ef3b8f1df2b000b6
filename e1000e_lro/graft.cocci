// SPDX-License-Identifier: GPL-2.0-only
// What e1000e_lro changes in the kernel's netdev.c. Each rule stands alone and has to
// match; graft/graft.py proves that it did.

// The functions below are defined behind the driver's own code, in rx.c.
@declare@
@@
 #include "e1000.h"
+#include "rx.h"

// The engine's fields stand behind the driver's private data.
@private@
@@
-alloc_etherdev(sizeof(struct e1000_adapter))
+alloc_etherdev(sizeof(struct lro_e1000))

// The context is created once the NAPI instance exists, before it can be enabled.
@create@
expression dev, adapter;
@@
 netif_napi_add(dev, &adapter->napi, e1000e_poll);
+lro_e1000_create(dev);

// Each poll asks the engine first.
@poll@
expression dev, napi;
@@
 netif_napi_add(dev, napi,
-e1000e_poll
+lro_e1000_poll
 )

@destroy@
expression dev;
@@
+lro_e1000_destroy(dev);
 free_netdev(dev);

// What is held is delivered when the rings are about to be cleaned: also for a reset, for
// which this driver does not disable NAPI.
@stop@
expression adapter;
@@
 e1000e_down(...)
 {
 <...
 napi_synchronize(&adapter->napi);
+lro_e1000_stop(adapter);
 ...>
 }

// A slot without a mapped buffer is not the NIC's, even if its descriptor says so.
@given@
statement S;
@@
-while (staterr & E1000_RXD_STAT_DD)
+while (lro_e1000_is_done(buffer_info, staterr))
 S

// A frame that the engine has copied leaves its buffer in its slot, mapped; so does one of
// a length that none can have.
@offer@
expression d, addr, size;
@@
 e1000_clean_rx_irq(...)
 {
 <...
+if (lro_e1000_takes(rx_ring, rx_desc, buffer_info, skb, staterr, &total_rx_packets, &total_rx_bytes)) {
+	buffer_info->skb = skb;
+	goto next_desc;
+}
 dma_unmap_single(d, addr, size, DMA_FROM_DEVICE);
 ...>
 }

// A buffer that is still mapped is not mapped again.
@map@
expression d, data, size;
@@
 e1000_alloc_rx_buffers(...)
 {
 <...
-buffer_info->dma = dma_map_single(d, data, size, DMA_FROM_DEVICE);
+lro_e1000_map(rx_ring->adapter, buffer_info, data);
 ...>
 }

// With large frames, too, no length is believed that cannot be.
@sane@
@@
 e1000_clean_rx_irq_ps(...)
 {
 <...
 buffer_info->dma = 0;
+if (unlikely(lro_e1000_split_is_broken(adapter, rx_desc, staterr))) {
+	dev_kfree_skb_irq(skb);
+	goto next_desc;
+}
 ...>
 }

// Packets go to the engine instead of GRO.
@receive@
expression adapter, skb;
@@
-napi_gro_receive(&adapter->napi, skb)
+lro_e1000_receive(adapter, skb)

// What must not outlive the poll is delivered before it ends.
@complete@
expression napi, done;
@@
-napi_complete_done(napi, done)
+lro_e1000_complete(napi, done)

// The device offers the engine's modes as features, and its counters in ethtool -S.
@offload@
expression err, dev;
@@
+lro_graft_init(dev);
 err = register_netdev(dev);

// Which driver serves a card is the user's choice: no alias, no autoload, a name of its own,
// and loading the module takes no card that was not assigned to it.
@no_autoload@
declarer name MODULE_DEVICE_TABLE;
@@
-MODULE_DEVICE_TABLE(pci, e1000_pci_tbl);

@name@
@@
-char e1000e_driver_name[] = "e1000e";
+char e1000e_driver_name[] = KBUILD_MODNAME;

@assigned_only@
@@
-pci_register_driver(&e1000_driver)
+lro_register_driver(&e1000_driver)

@unregister@
@@
-pci_unregister_driver(&e1000_driver);
+lro_unregister_driver(&e1000_driver);
