/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packet stream: correct frames of interleaved flows, made outside the
 * measured time in a ring of pages, as a NIC would leave them.
 */
#ifndef _LRO_BENCH_STREAM_H
#define _LRO_BENCH_STREAM_H

#include <linux/mm_types.h>
#include <linux/types.h>

#define STREAM_SLOTS		256	/* the receive ring of a common NIC */
#define STREAM_FLOWS_MAX	65536
#define STREAM_PORT		10000	/* source port of flow 0 */
#define STREAM_PORTS		32768	/* as many flows of one address */
#define STREAM_CHOSEN		254	/* flows of %STREAM_CHOSEN_PORTS */

/**
 * enum stream_kind - kind of the packets
 * @STREAM_TCP: full segments, each of which continues its flow
 * @STREAM_ACK: TCP without payload, padded to the size wanted
 * @STREAM_UDP: datagrams
 * @STREAM_TINY: segments of one byte, each of which continues its flow
 * @STREAM_SINGLE: segments of which none continues its flow
 * @STREAM_CHOSEN_PORTS: as %STREAM_TCP, %STREAM_CHOSEN flows with source ports whose products
 *	with a known multiplier begin with the same bits
 * @STREAM_FRAGMENT: as %STREAM_TCP, each followed by an IPv4 fragment between other addresses
 * @STREAM_EXTENSION: the same with an IPv6 packet that has a header before that of TCP
 */
enum stream_kind {
	STREAM_TCP,
	STREAM_ACK,
	STREAM_UDP,
	STREAM_TINY,
	STREAM_SINGLE,
	STREAM_CHOSEN_PORTS,
	STREAM_FRAGMENT,
	STREAM_EXTENSION,
};

/**
 * struct frame - one received frame
 * @page: page that holds it, from its first byte on
 * @data: first byte
 * @len: bytes, without FCS
 */
struct frame {
	struct page *page;
	u8 *data;
	unsigned int len;
};

/**
 * struct stream - generator of frames
 * @kind: of the frames
 * @flows: flows that take turns packet by packet
 * @size: bytes of each frame without FCS
 * @headers: bytes before the payload
 * @payload: bytes of payload in each frame
 * @packets: frames made so far
 * @seq: next TCP sequence number of each flow
 * @id: next IPv4 identification of each flow
 * @port: source port of each flow of an address
 * @ports: number of these ports
 * @flow_of: flow of a port
 * @slot: ring
 */
struct stream {
	enum stream_kind kind;
	unsigned int flows;
	unsigned int size;
	unsigned int headers;
	unsigned int payload;
	unsigned int packets;
	u32 seq[STREAM_FLOWS_MAX];
	u16 id[STREAM_FLOWS_MAX];
	u16 port[STREAM_PORTS];
	unsigned int ports;
	u16 flow_of[65536];
	struct frame slot[STREAM_SLOTS];
};

/**
 * stream_init() - allocate the ring
 * @s: zeroed stream
 * Return: 0 or -ENOMEM, after which stream_exit() is still due.
 */
int stream_init(struct stream *s);

/**
 * stream_exit() - free the ring
 * @s: stream
 */
void stream_exit(struct stream *s);

/**
 * stream_start() - choose the next frames
 * @s: stream
 * @kind: of the packets
 * @flows: flows that take turns, at most %STREAM_FLOWS_MAX
 * @size: bytes of each frame without FCS
 */
void stream_start(struct stream *s, enum stream_kind kind, unsigned int flows, unsigned int size);

/**
 * stream_fill() - make the next frames
 * @s: stream
 * @count: frames, at most %STREAM_SLOTS
 *
 * A page with other references is replaced.
 *
 * Context: softirq.
 * Return: 0 or -ENOMEM.
 */
int stream_fill(struct stream *s, unsigned int count);

/**
 * stream_flow() - the flow of a packet
 * @s: stream
 * @saddr: source address
 * @port: source port
 * Return: number of the flow; of the stream's flows only if it is below @s->flows.
 */
unsigned int stream_flow(const struct stream *s, __be32 saddr, __be16 port);

/* Does a stray packet follow each packet of a flow? */
static inline bool stream_has_strays(const struct stream *s)
{
	return s->kind == STREAM_FRAGMENT || s->kind == STREAM_EXTENSION;
}

/**
 * stream_frame() - one of the frames that stream_fill() made last
 * @s: stream
 * @count: as given to stream_fill()
 * @i: which
 */
static inline struct frame *stream_frame(struct stream *s, unsigned int count, unsigned int i)
{
	return &s->slot[(s->packets - count + i) % STREAM_SLOTS];
}

#endif /* _LRO_BENCH_STREAM_H */
