/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device on which the packets arrive, and the sink that takes all packets at the entrance of
 * the network stack, so that the stack above costs nothing.
 */
#ifndef _LRO_BENCH_SINK_H
#define _LRO_BENCH_SINK_H

#include <linux/netdevice.h>

#include "stream.h"

/**
 * struct sink - the packets that arrived
 * @stream: source of the packets
 * @expect: next TCP sequence number of each flow
 * @deliveries: skbs
 * @segments: packets as counted by the GSO metadata of those skbs
 * @payload: bytes of payload
 * @wrong: skbs that are not the next of their flow or whose metadata is wrong
 */
struct sink {
	const struct stream *stream;
	u32 expect[STREAM_FLOWS_MAX];
	u64 deliveries;
	u64 segments;
	u64 payload;
	u64 wrong;
};

/**
 * sink_create() - register a device with a sink
 * @sink: sink; must outlive the device
 * Context: process.
 * Return: the device, up, or NULL; for test_netdev_destroy().
 */
struct net_device *sink_create(struct sink *sink);

/**
 * sink_start() - set the counts to zero
 * @sink: sink
 * @stream: source of the packets, just started
 */
void sink_start(struct sink *sink, const struct stream *stream);

#endif /* _LRO_BENCH_SINK_H */
