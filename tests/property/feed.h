/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hands packets to the engine as drivers do.
 */
#ifndef _PROPERTY_FEED_H
#define _PROPERTY_FEED_H

#include <linux/netdevice.h>

#include "lro.h"
#include "stream.h"

enum feed_mode {
	FEED_SKB,
	FEED_COPY,
	FEED_PAGE,
	FEED_MIXED,
};

/**
 * struct feed - a driver
 * @mode: way in
 * @random: chooses layouts
 * @pool: pages for FEED_PAGE, half of the time
 * @napi: NAPI instance
 * @lro: engine context
 * @taken: frames that the engine took without an skb
 * @frame: the frame with its tag and, from a local sender, without its checksum
 * @buffer: the driver's receive buffer for FEED_COPY
 */
struct feed {
	enum feed_mode mode;
	struct stream *random;
	struct page_pool *pool;
	struct napi_struct *napi;
	struct lro *lro;
	unsigned long taken;
	u8 frame[STREAM_FRAME_MAX + 4];
	u8 buffer[STREAM_FRAME_MAX + 4];
};

/**
 * feed_setup() - allocate what a driver has
 * @feed: driver
 * Return: 0 or an error.
 */
int feed_setup(struct feed *feed);

/**
 * feed_packet() - receive one packet
 * @feed: driver
 * @pkt: packet
 * @engine: the engine is in the path
 *
 * Context: NAPI poll.
 * Return: 0 or -ENOMEM.
 */
int feed_packet(struct feed *feed, const struct stream_packet *pkt, bool engine);

#endif /* _PROPERTY_FEED_H */
