// SPDX-License-Identifier: GPL-2.0-only
// What igc_lro changes in the kernel's igc_main.c. Each rule stands alone and has to
// match; graft/graft.py proves that it did.

// The functions below are defined behind the driver's own code, in rx.c.
@declare@
@@
 #include "igc.h"
+#include "rx.h"

// The engine's fields stand behind the driver's private data.
@private@
expression queues;
@@
-alloc_etherdev_mq(sizeof(struct igc_adapter), queues)
+alloc_etherdev_mq(sizeof(struct lro_igc), queues)

// Each poll asks the engine first.
@poll@
@@
 igc_alloc_q_vector(...)
 {
 <...
-igc_poll
+lro_igc_poll
 ...>
 }

// A vector that receives has a context, from when its rings are known until its NAPI
// instance is deleted.
@create@
@@
 igc_alloc_q_vector(...)
 {
 <...
+lro_igc_create(q_vector);
 return 0;
 ...>
 }

@destroy@
@@
 igc_reset_q_vector(...)
 {
 <...
+lro_igc_destroy(q_vector);
 netif_napi_del(&q_vector->napi);
 ...>
 }

// Vectors of which too few could be allocated are freed without that.
@destroy_unused@
@@
 igc_free_q_vector(...)
 {
 <...
 adapter->q_vector[v_idx] = NULL;
+if (q_vector)
+	lro_igc_destroy(q_vector);
 ...>
 }

// What is held is delivered when the polls stop.
@stop@
expression adapter, i;
@@
 igc_down(...)
 {
 <...
 napi_disable(&adapter->q_vector[i]->napi);
+lro_igc_stop(adapter->q_vector[i]);
 ...>
 }

// For a program of XDP and a pool of AF_XDP the driver cleans and fills a ring while NAPI is enabled.
@ring_off@
identifier ring;
@@
 igc_disable_rx_ring(struct igc_ring *ring)
 {
+lro_igc_off(ring);
 ...
 }

@ring_on@
identifier ring;
@@
 igc_enable_rx_ring(struct igc_ring *ring)
 {
 ...
+lro_igc_on(ring);
 }

// No length, no slot and no number of buffers is believed that cannot be.
@sane@
@@
 igc_clean_rx_irq(...)
 {
 <...
-size = le16_to_cpu(rx_desc->wb.upper.length);
+size = lro_igc_size(rx_ring, rx_desc, &skb);
 ...>
 }

// A frame that the engine has copied leaves its half page to the next one.
@offer@
@@
 igc_clean_rx_irq(...)
 {
 <...
 pktbuf = page_address(rx_buffer->page) + rx_buffer->page_offset;
+if (!skb && lro_igc_offer(q_vector, rx_desc, pktbuf, size)) {
+	rx_buffer->pagecnt_bias++;
+	igc_put_rx_buffer(rx_ring, rx_buffer, rx_buffer_pgcnt);
+	cleaned_count++;
+	igc_is_non_eop(rx_ring, rx_desc);
+	total_packets++;
+	total_bytes += size;
+	continue;
+}
 ...>
 }

// Buffers stay mapped, and are synced only in a ring in which any needs it.
@mapped@
@@
 igc_alloc_mapped_page(...)
 {
 <...
 bi->dma = dma;
+lro_igc_mapped(rx_ring, page, dma);
 ...>
 }

@sync_for_cpu@
expression d, addr, offset, size;
@@
 igc_get_rx_buffer(...)
 {
 <...
-dma_sync_single_range_for_cpu(d, addr, offset, size, DMA_FROM_DEVICE);
+if (lro_igc_is_synced(rx_ring))
+	dma_sync_single_range_for_cpu(d, addr, offset, size, DMA_FROM_DEVICE);
 ...>
 }

@sync_for_device@
expression d, addr, offset, size;
@@
 igc_alloc_rx_buffers(...)
 {
 <...
-dma_sync_single_range_for_device(d, addr, offset, size, DMA_FROM_DEVICE);
+if (lro_igc_is_synced(rx_ring))
+	dma_sync_single_range_for_device(d, addr, offset, size, DMA_FROM_DEVICE);
 ...>
 }

// Packets go to the engine instead of GRO.
@receive@
expression q_vector, skb;
@@
-napi_gro_receive(&q_vector->napi, skb)
+lro_igc_receive(q_vector, skb)

// What must not outlive the poll is delivered before it ends.
@complete@
expression napi, done;
@@
-napi_complete_done(napi, done)
+lro_igc_complete(napi, done)

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
-MODULE_DEVICE_TABLE(pci, igc_pci_tbl);

@name@
@@
-char igc_driver_name[] = "igc";
+char igc_driver_name[] = KBUILD_MODNAME;

@assigned_only@
@@
-pci_register_driver(&igc_driver)
+lro_register_driver(&igc_driver)

@unregister@
@@
-pci_unregister_driver(&igc_driver);
+lro_unregister_driver(&igc_driver);
