/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of the process, reported by the control socket. README.md documents each name.
 */
#ifndef RTL8169D_STATS_H
#define RTL8169D_STATS_H

#include "util.h"

#define STATS_COUNTERS(X)		\
	X(rx_frames)			\
	X(rx_bytes)			\
	X(rx_unicast)			\
	X(rx_multicast)			\
	X(rx_broadcast)			\
	X(rx_missed)			\
	X(rx_filtered)			\
	X(rx_disabled)			\
	X(rx_link_down)			\
	X(rx_runt)			\
	X(rx_too_long)			\
	X(rx_errors)			\
	X(rx_padded)			\
	X(rx_csum_good)			\
	X(rx_csum_bad)			\
	X(rx_vlan_stripped)		\
	X(rx_replayed)			\
	X(rx_generated)			\
	X(tx_frames)			\
	X(tx_bytes)			\
	X(tx_tso_packets)		\
	X(tx_tso_segments)		\
	X(tx_csum)			\
	X(tx_vlan_inserted)		\
	X(tx_no_peer)			\
	X(tx_link_down)			\
	X(tx_errors)			\
	X(irqs)				\
	X(intx_unmasks)			\
	X(mmio_reads)			\
	X(mmio_writes)			\
	X(config_accesses)		\
	X(vfio_messages)		\
	X(vfio_errors)			\
	X(dma_maps)			\
	X(dma_maps_nofd)		\
	X(dma_faults)			\
	X(bad_descriptors)		\
	X(faults)			\
	X(counter_dumps)		\
	X(wire_rx_frames)		\
	X(wire_tx_frames)		\
	X(wire_connects)		\
	X(wire_errors)			\
	X(wire_pauses)			\
	X(wire_paused_ns)		\
	X(rate_waits)

struct stats {
#define X(name) u64 name;
	STATS_COUNTERS(X)
#undef X
};

/**
 * stats_json() - write all counters as one JSON object.
 * @buf:	receives the text, NUL-terminated
 * @size:	of @buf in bytes; STATS_JSON_MAX is enough
 */
void stats_json(const struct stats *stats, char *buf, size_t size);

#define STATS_JSON_MAX	4096

#endif
