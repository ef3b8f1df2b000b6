/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of the test cases: a description of how each differs from a plain
 * segment that continues its flow, and the skb made from it.
 */
#ifndef _LRO_KUNIT_PACKET_H
#define _LRO_KUNIT_PACKET_H

#include <linux/if_vlan.h>
#include <linux/list.h>
#include <linux/skbuff.h>

#define PACKET_MAX	2048
#define PACKET_FLOWS	32
#define PACKET_FRAGS	MAX_SKB_FRAGS
#define PACKET_PORT	10000	/* source port of flow 0 */
#define PACKET_QUEUE	3	/* receive queue of packets with a hash */

/**
 * enum then - the state of the poll after a packet
 * @THEN_NEXT: the poll goes on
 * @THEN_FULL: the poll has used up its budget, another follows at once
 * @THEN_DONE: the poll completes, another follows later
 */
enum then {
	THEN_NEXT,
	THEN_FULL,
	THEN_DONE,
};

/**
 * enum quirk - an unusual property of a packet
 * @QUIRK_NONE: nothing
 * @QUIRK_NO_ACK: ACK flag not set
 * @QUIRK_IP_OPTIONS: IPv4 header with options
 * @QUIRK_TCP_OPTIONS: TCP option other than timestamps
 * @QUIRK_FRAGMENT: IPv4 more-fragments flag set
 * @QUIRK_IP_HEADER: IPv4 header length below the minimum
 * @QUIRK_IP_LENGTH: IPv4 total length beyond the frame
 * @QUIRK_IP_CHECKSUM: wrong IPv4 header checksum
 * @QUIRK_TCP_HEADER: TCP header length below the minimum
 * @QUIRK_TCP_CHECKSUM: wrong TCP checksum, and the NIC verified none
 * @QUIRK_TRUNCATED: frame ends within the TCP header
 * @QUIRK_UDP: not TCP
 * @QUIRK_NOT_IP: neither IPv4 nor IPv6
 * @QUIRK_MAC: other source MAC address
 * @QUIRK_URGENT: urgent pointer without the URG flag
 * @QUIRK_GSO: an aggregate already
 * @QUIRK_CLONED: there is a clone
 * @QUIRK_RECYCLE: owned by a page pool
 * @QUIRK_OTHER_CPU: another CPU has allocated the skb
 * @QUIRK_EXTENSION: IPv6 header followed by destination options
 * @QUIRK_V6_FRAGMENT: IPv6 header followed by a fragment header, the packet whole
 * @QUIRK_RESERVED: reserved bit of IPv4 set
 * @QUIRK_FORWARDED: the device has forwarded it already
 * @QUIRK_TS_MIDDLE: a NOP on either side of the timestamps
 */
enum quirk {
	QUIRK_NONE,
	QUIRK_NO_ACK,
	QUIRK_IP_OPTIONS,
	QUIRK_TCP_OPTIONS,
	QUIRK_FRAGMENT,
	QUIRK_IP_HEADER,
	QUIRK_IP_LENGTH,
	QUIRK_IP_CHECKSUM,
	QUIRK_TCP_HEADER,
	QUIRK_TCP_CHECKSUM,
	QUIRK_TRUNCATED,
	QUIRK_UDP,
	QUIRK_NOT_IP,
	QUIRK_MAC,
	QUIRK_URGENT,
	QUIRK_GSO,
	QUIRK_CLONED,
	QUIRK_RECYCLE,
	QUIRK_OTHER_CPU,
	QUIRK_EXTENSION,
	QUIRK_V6_FRAGMENT,
	QUIRK_RESERVED,
	QUIRK_FORWARDED,
	QUIRK_TS_MIDDLE,
};

/**
 * enum layout - the places of the bytes of the skb; in page mode, of the fragments
 * @LAYOUT_PAGE: all in the linear part, which is a page fragment; one fragment
 * @LAYOUT_KMALLOC: all in the linear part, which is not; headers in a fragment of
 *	their own, payload in three
 * @LAYOUT_FRAG: headers in the linear part, payload in a page; a fragment each
 * @LAYOUT_ALL_FRAG: only the Ethernet header in the linear part; headers and the
 *	begin of the payload in one fragment, the rest in another
 * @LAYOUT_HEADERS: headers in memory of their own that the test does not hold, so
 *	that KASAN sees who reads them too late; payload in a page
 * @LAYOUT_MANY: as LAYOUT_PAGE; headers in a fragment of their own, payload in as many as
 *	there can be
 */
enum layout {
	LAYOUT_PAGE,
	LAYOUT_KMALLOC,
	LAYOUT_FRAG,
	LAYOUT_ALL_FRAG,
	LAYOUT_HEADERS,
	LAYOUT_MANY,
};

/**
 * struct pkt - a packet, by its difference from the plain next segment
 * @payload: TCP payload, bytes
 * @repeat: further packets like it
 * @pad: bytes of Ethernet padding
 * @vlan: 802.1Q tag, 0 for none
 * @in_band: the NIC left the tag in the frame
 * @seq: shift of the sequence number; the flow goes on from the shifted one
 * @ack: shift of the ACK number
 * @tsval: shift of the timestamp
 * @tsecr: shift of the timestamp echoed
 * @label: IPv6 flow label
 * @hash: hash by the device, 0 for none
 * @stamp: time stamp by the device, 0 for none
 * @id: shift of the IPv4 identification; the flow goes on from the shifted one
 * @window: shift of the window
 * @flow: which flow
 * @flags: TCP flags besides ACK
 * @tos: type of service, or traffic class
 * @ttl: shift of the time to live, or of the hop limit
 * @no_df: don't-fragment flag not set
 * @ts: has the timestamp option
 * @v6: IPv6
 * @summed: 0 for CHECKSUM_UNNECESSARY, else CHECKSUM_NONE + 1 and so on
 * @then: state of the poll afterwards
 * @mode: enum lro_mode from the next poll on, 0 for no change
 * @off: the engine is switched off from the next poll on
 * @quirk: unusual property
 * @layout: layout of the skb
 */
struct pkt {
	u16 payload;
	u16 repeat;
	u16 pad;
	u16 vlan;
	s32 seq;
	s32 ack;
	s32 tsval;
	s32 tsecr;
	u32 label;
	u32 hash;
	u32 stamp;
	s16 id;
	s16 window;
	u8 flow;
	u8 flags;
	u8 tos;
	s8 ttl;
	bool no_df;
	bool ts;
	bool v6;
	bool in_band;
	u8 summed;
	enum then then;
	u8 mode;
	bool off;
	enum quirk quirk;
	enum layout layout;
};

/**
 * struct flow_state - fields of the next packet of a flow
 * @seq: sequence number
 * @id: IPv4 identification
 */
struct flow_state {
	u32 seq;
	u16 id;
};

/**
 * struct fed - a packet that was fed in, kept for comparison
 * @list: in order of feeding
 * @pkt: its description
 * @skb: the skb; NULL once it was handed in
 * @clone: second reference to the data, or NULL
 * @page: pages that hold the bytes of the skb; a reference to each is kept
 * @frag_page: pages that held the frame in page mode, likewise
 * @trim: length without Ethernet padding
 * @len: length
 * @wire_len: length of @wire
 * @seen: was delivered
 * @data: bytes, without a tag
 * @wire: bytes as the driver has them
 */
struct fed {
	struct list_head list;
	const struct pkt *pkt;
	struct sk_buff *skb;
	struct sk_buff *clone;
	struct page *page[2];
	struct page *frag_page[PACKET_FRAGS];
	unsigned int trim;
	unsigned int len;
	unsigned int wire_len;
	bool seen;
	u8 data[PACKET_MAX];
	u8 wire[PACKET_MAX + VLAN_HLEN];
};

/**
 * packet_make() - make a packet and its skb
 * @pkt: description
 * @state: its flow; moved on
 * @dev: device it arrives on
 * Return: the packet, for packet_free(), or NULL without memory.
 */
struct fed *packet_make(const struct pkt *pkt, struct flow_state *state, struct net_device *dev);

/**
 * packet_header_len() - bytes before the payload
 * @pkt: description of a TCP packet
 */
unsigned int packet_header_len(const struct pkt *pkt);

/**
 * packet_unfinish() - replace a TCP checksum by that of the pseudo header
 * @fed: packet
 * @headers: copy of its headers, from the Ethernet header on
 */
void packet_unfinish(const struct fed *fed, void *headers);

/**
 * packet_frags() - put the bytes of a packet into fragments, as its layout says
 * @fed: packet
 * @pool: page pool that the pages come from, or NULL
 * @frags: filled in; %PACKET_FRAGS places; the caller has a reference to each page
 *
 * Context: softirq.
 * Return: number of fragments, 0 without memory.
 */
unsigned int packet_frags(struct fed *fed, struct page_pool *pool, skb_frag_t *frags);

/**
 * packet_pages_free() - only the test refers to the packet's pages
 * @fed: packet
 */
bool packet_pages_free(const struct fed *fed);

/**
 * packet_free() - free a packet and, if it was never handed in, its skb
 * @fed: packet
 */
void packet_free(struct fed *fed);

#endif /* _LRO_KUNIT_PACKET_H */
