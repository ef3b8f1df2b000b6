/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test bed: a device with a NAPI instance whose poll function feeds the
 * packets of a case to the engine, and a handler that collects what reaches the
 * network stack.
 */
#ifndef _LRO_KUNIT_BED_H
#define _LRO_KUNIT_BED_H

#include <linux/completion.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "lro.h"
#include "packet.h"

/**
 * enum way - how packets are handed in
 * @WAY_SKB: skb mode
 * @WAY_COPY: each is offered as a frame in a buffer first
 * @WAY_PAGE: each is offered as page fragments first
 * @WAY_FRAGS: each is page fragments of the skb that NAPI keeps
 */
enum way {
	WAY_SKB,
	WAY_COPY,
	WAY_PAGE,
	WAY_FRAGS,
};

/**
 * struct bed - the test bed
 * @napi: NAPI instance
 * @dev: device
 * @lro: engine context under test
 * @flow: next packet of each flow
 * @fed: packets made so far, oldest first
 * @next: first of @fed that was not handed in yet, or NULL
 * @mode: promise asked for at the next poll
 * @way: how packets are handed in
 * @taken: packets that the engine took in copy or page mode
 * @pool: page pool for packets in page mode that ask for one
 * @abandon: the last poll ends without lro_complete_done(), as when a driver
 *	stops while packets are held
 * @no_wait: bed_run() does not wait for what the engine holds
 * @polls: polls so far
 * @tell_work: polls that got packets say so when they complete
 * @dropped: frames that each poll says to have dropped before the engine saw them
 * @begin_result: latest result of lro_begin()
 * @last: a poll that uses up its budget is the last one, as NAPI is being disabled
 * @interrupt: latest result of lro_complete_done()
 * @delivered: skbs that reached the stack, in order; Ethernet header pushed
 * @done: all packets were fed and the last poll completed
 * @value: space for the counters
 * @name: names of the counters
 * @buffer: the driver's receive buffer in copy mode
 */
struct bed {
	struct napi_struct napi;
	struct net_device *dev;
	struct lro *lro;
	struct flow_state flow[PACKET_FLOWS];
	struct list_head fed;
	struct fed *next;
	enum lro_mode mode;
	enum way way;
	unsigned int taken;
	struct page_pool *pool;
	bool abandon;
	bool no_wait;
	unsigned int polls;
	bool tell_work;
	unsigned int dropped;
	bool last;
	bool begin_result;
	bool interrupt;
	struct sk_buff_head delivered;
	struct completion done;
	u64 *value;
	u8 *name;
	u8 buffer[PACKET_MAX + VLAN_HLEN];
};

/**
 * bed_create() - make a test bed
 * Return: the bed, or NULL.
 */
struct bed *bed_create(void);

/**
 * bed_destroy() - destroy a test bed with all that it holds
 * @bed: bed, or NULL
 */
void bed_destroy(struct bed *bed);

/**
 * bed_add() - make the packets to feed
 * @bed: bed
 * @pkt: first description
 * @count: descriptions
 * Return: 0 or -ENOMEM.
 */
int bed_add(struct bed *bed, const struct pkt *pkt, unsigned int count);

/**
 * bed_run() - feed all packets that were added and not fed yet
 * @bed: bed
 *
 * Waits for packets that the engine holds beyond the last poll.
 *
 * Return: 0, or -ETIMEDOUT if the polls did not come to their end or the engine
 * does not let go.
 */
int bed_run(struct bed *bed);

/**
 * bed_stop_engine() - destroy the context while it may hold packets
 * @bed: bed
 */
void bed_stop_engine(struct bed *bed);

/**
 * bed_empty() - drop the delivered packets
 * @bed: bed
 */
void bed_empty(struct bed *bed);

/**
 * bed_drop_clones() - free the clones of packets that have one
 * @bed: bed
 */
void bed_drop_clones(struct bed *bed);

/**
 * bed_counter() - value of a counter of the engine
 * @bed: bed
 * @name: name without its prefix
 * Return: value, or -1 if there is no such counter.
 */
s64 bed_counter(struct bed *bed, const char *name);

/**
 * bed_leaks() - number of packets whose pages still have references
 * @bed: bed
 */
unsigned int bed_leaks(const struct bed *bed);

#endif /* _LRO_KUNIT_BED_H */
