/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Consumers of what the engine delivers, each given aggregates of all layouts.
 *
 *	flights -- nic0 [ engine ] -- tap -- whatever the machine does -- port0, port1
 *	wire0 ----/
 *
 * A flight is consecutive TCP segments of one flow. The tap looks at each packet that the
 * engine delivers; the ports compare what leaves the machine with what came in.
 */
#ifndef _CONSUMERS_H
#define _CONSUMERS_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

#include "lro.h"

#define FRAME_MAX	1522
#define FLIGHT_MAX	64
#define PORTS		2
#define DPORT		5001

/**
 * enum way - how a frame is handed to the engine
 * @WAY_KMALLOC: an skb with all in its head, from kmalloc, with room behind
 * @WAY_PAGE_HEAD: the same, the head in a page
 * @WAY_SPLIT: headers in the head, payload in a page
 * @WAY_CHAIN: headers in the head, payload in an skb on the frag_list
 * @WAY_COPY: a frame in a buffer
 * @WAY_PAGE: a page
 * @WAY_PAGES: headers in one page, payload in another
 * @WAY_POOL: a page of a page_pool
 * @WAY_TURNS: page, kmalloc, page head, split, one after the other
 */
enum way {
	WAY_KMALLOC,
	WAY_PAGE_HEAD,
	WAY_SPLIT,
	WAY_CHAIN,
	WAY_COPY,
	WAY_PAGE,
	WAY_PAGES,
	WAY_POOL,
	WAY_TURNS,
	WAY_COUNT
};

/**
 * struct frame - one frame of a flight
 * @len: length without a tag
 * @data: bytes without a tag
 */
struct frame {
	unsigned int len;
	u8 data[FRAME_MAX];
};

/**
 * struct flight - segments of one flow
 * @way: how they are handed in
 * @v6: IPv6
 * @sport: source port
 * @payload: TCP payload of all but the last, bytes
 * @last: of the last
 * @flags: TCP flags of the last, besides ACK
 * @count: number of frames
 * @tag: VLAN tag that the device took out, 0 for none
 * @in_band: the device has left the tag in the frame
 * @cwr: the first frame has CWR
 * @frame: the frames
 */
struct flight {
	enum way way;
	bool v6;
	u16 sport;
	unsigned int payload;
	unsigned int last;
	unsigned int count;
	u8 flags;
	u16 tag;
	bool in_band;
	bool cwr;
	struct frame frame[FLIGHT_MAX];
};

/**
 * struct row - what is known of a consumer, from the line that asks for the test
 * @name: its name
 * @bridged: Ethernet headers stay, and packets are for another machine than this
 * @tag: VLAN tag with which packets arrive
 * @in_band: that tag is in the frame
 * @out: VLAN tag with which packets leave
 * @at: bytes before the IP header of a frame that leaves
 * @ttl: what the time to live is less by
 * @dst: the destination is another
 * @tos: the type of service is another
 * @ports: number of ports that get each packet
 * @only: IP version, 0 for both
 * @way: the one way wanted, %WAY_COUNT: all
 * @least: flights with segments shorter than this number of bytes are left out
 * @nofin: flights that end with FIN are left out
 * @every: only one flight of this number
 * @first: number of the first
 * @single: no aggregate may be delivered
 * @scribble: 16 bytes before the network header are written
 * @dnat: the destination is changed before it is looked up
 * @keep: a clone of each packet is kept
 * @quiet: nothing arrives at the ports
 * @trailer: something follows the IP packet
 * @dsa: packets are for a switch behind the device
 */
struct row {
	char name[64];
	bool bridged;
	unsigned int tag;
	bool in_band;
	unsigned int out;
	unsigned int at;
	unsigned int ttl;
	bool dst;
	bool tos;
	unsigned int ports;
	unsigned int only;
	unsigned int way;
	unsigned int least;
	bool nofin;
	unsigned int every;
	unsigned int first;
	bool single;
	bool scribble;
	bool dnat;
	bool keep;
	bool quiet;
	bool trailer;
	bool dsa;
};

/* What is wrong first, and what for; kept until consumers_reset_fault(). */
__printf(1, 2) void consumers_fault(const char *format, ...);

/* The row and the flight under way; NULL when none is. */
extern const struct row *consumers_row;
extern const struct flight *consumers_flight;

/* flight.c */
unsigned int flight_count(void);

/* Whether a frame is one of a flight: the stack sends router solicitations and the like, at any time. */
bool flight_has(const struct ethhdr *eth);
/* Make the flight number @n; @buf gets its description. */
void flight_make(struct flight *flight, unsigned int n, const struct row *row, char *buf,
		 size_t size);

/* feed.c */
int feed_setup(void);
void feed_remove(void);
/* Hand a frame to the engine or, without it, to GRO. Context: NAPI poll. */
int feed_frame(struct lro *lro, struct napi_struct *napi, const struct flight *flight,
	       unsigned int n, bool engine);
/* The same of a frame from wire0. */
int feed_wire(struct lro *lro, struct napi_struct *napi, const u8 *data, unsigned int len,
	      enum way way, bool engine);

/* nic.c */
int nic_setup(void);
/* Unregister the devices, all together as that takes long; then free them. Context: RTNL, process. */
void nic_unregister(struct list_head *list);
void nic_remove(void);
struct net_device *nic_device(void);
/* Receive a flight; returns when the engine holds none of it, or -ETIMEDOUT. */
int nic_receive(const struct flight *flight);
/* How frames from wire0 are handed in. */
void nic_set_way(enum way way);

/* tap.c */
int tap_setup(struct net_device *dev);
void tap_remove(void);
struct tap_counts {
	unsigned long packets;
	unsigned long aggregates;
	unsigned long members;
};

extern struct tap_counts tap_counts;

/* port.c */
int port_setup(void);
void port_unregister(struct list_head *list);
void port_remove(void);
void port_begin(void);
/* Packets that have left through each of the ports wanted, the fewest. */
unsigned int port_seen(void);
/* Compare a frame that leaves, from its Ethernet header on, with the next one that came in. */
void port_compare(unsigned int port, const u8 *data, unsigned int len, u16 tag);

/* keeper.c */
int keeper_setup(struct net_device *dev);
void keeper_remove(void);
/* Compare what was kept, and let go of it. */
void keeper_check(void);

/* switch.c: an imitated switch behind nic0 */
void switch_attach(struct net_device *dev);
void switch_detach(struct net_device *dev);

#endif /* _CONSUMERS_H */
