/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook.c: the bridge's hook, start and end. egress.c: the hooks of single ports.
 * rewrite.c: rewriting a packet. slots.c: the cost of a packet for netback.
 * stats.c: counters. param.c: the user's choices.
 */
#ifndef _BR_LINEARIZE_H
#define _BR_LINEARIZE_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

/**
 * enum brl_mode - how aggregates are rewritten before a port transmits them
 * @BRL_OFF: not at all
 * @BRL_LINEARIZE: copied whole into one buffer
 * @BRL_INPHASE: payload copied into whole pages that are in phase with netback's
 * @BRL_SEGMENT: cut up again into packets of the received size
 * @BRL_AUTO: as @BRL_INPHASE, where that saves more than it costs
 */
enum brl_mode {
	BRL_OFF,
	BRL_LINEARIZE,
	BRL_INPHASE,
	BRL_SEGMENT,
	BRL_AUTO,
	BRL_MODES
};

/**
 * enum brl_hook - where packets are met
 * @BRL_BRIDGE: when a bridge has chosen the port
 * @BRL_EGRESS: when the port is about to transmit, from any sender
 */
enum brl_hook {
	BRL_BRIDGE,
	BRL_EGRESS,
	BRL_HOOKS
};

#define BRL_COUNTERS(C)				\
	C(LINEARIZED, "linearized")		\
	C(INPHASE, "inphase")			\
	C(SEGMENTED, "segmented")		\
	C(SEGMENTS, "segments")			\
	C(LEFT, "left")				\
	C(UNSUITED, "unsuited")			\
	C(FAILED, "failed")			\
	C(COPIES_BEFORE, "copies_before")	\
	C(COPIES_AFTER, "copies_after")		\
	C(PAGES_NEW, "pages_new")		\
	C(PAGES_RECYCLED, "pages_recycled")

#define BRL_COUNTER_ENUM(id, name) BRL_COUNT_##id,

/**
 * enum brl_counter - counters of a network namespace
 * @BRL_COUNT_LINEARIZED: aggregates copied into one buffer
 * @BRL_COUNT_INPHASE: aggregates copied into pages
 * @BRL_COUNT_SEGMENTED: aggregates cut up
 * @BRL_COUNT_SEGMENTS: packets made of those
 * @BRL_COUNT_LEFT: aggregates for which a copy into pages would not pay
 * @BRL_COUNT_UNSUITED: aggregates of too many or unreadable pieces, too large, or without room
 *	for the tag that they have
 * @BRL_COUNT_FAILED: aggregates that went on unchanged for want of memory
 * @BRL_COUNT_COPIES_BEFORE: grant copies that aggregates looked at for a copy into
 *	pages would have taken
 * @BRL_COUNT_COPIES_AFTER: grant copies that the same aggregates take
 * @BRL_COUNT_PAGES_NEW: pages allocated to copy into
 * @BRL_COUNT_PAGES_RECYCLED: pages used again for that
 * @BRL_COUNTER_COUNT: number of these counters
 */
enum brl_counter {
	BRL_COUNTERS(BRL_COUNTER_ENUM)
	BRL_COUNTER_COUNT
};

/* param.c */

enum brl_mode brl_mode(void);
enum brl_hook brl_hook(void);
bool brl_port_matches(const char *name);

/**
 * brl_param_start() - let parameters take effect from now on
 * Context: process. Return: 0, or a negative error; then nothing is left behind.
 */
int brl_param_start(void);

/**
 * brl_param_stop() - undo brl_param_start()
 * Context: process.
 */
void brl_param_stop(void);

/* egress.c */

/**
 * brl_egress_start() - hook the ports that match, those to come included
 * Context: process; takes the RTNL. Return: 0, or a negative error.
 */
int brl_egress_start(void);

/**
 * brl_egress_stop() - unhook all ports
 * Context: process; takes the RTNL.
 */
void brl_egress_stop(void);

/* rewrite.c */

/**
 * brl_rewrite() - rewrite a packet as the mode says
 * @net: namespace that counts it
 * @skb: packet that is not shared, data at the Ethernet header
 *
 * Context: any in which packets are transmitted.
 * Return: NULL if the packet goes on, rewritten or not; or the segments that take
 * its place, linked by their next, and @skb is consumed.
 */
struct sk_buff *brl_rewrite(struct net *net, struct sk_buff *skb);

/* Whether a packet is an aggregate that brl_rewrite() may change. */
static inline bool brl_concerns(const struct sk_buff *skb)
{
	/*
	 * A packet without a socket was received. Memory of a packet that is sent
	 * from here belongs to the sender's account. A list of whole packets is
	 * segmented by that list.
	 */
	return skb_is_gso(skb) && skb_is_gso_tcp(skb) && !skb->sk &&
	       !(skb_shinfo(skb)->gso_type & SKB_GSO_FRAGLIST);
}

int brl_rewrite_start(void);
void brl_rewrite_stop(void);

/* stats.c */

void brl_count(struct net *net, enum brl_counter counter, long n);
int brl_stats_start(void);
void brl_stats_stop(void);

#endif /* _BR_LINEARIZE_H */
