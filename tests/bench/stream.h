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
#define STREAM_FLOWS_MAX	1024
#define STREAM_PORT		10000	/* source port of flow 0 */

/**
 * enum stream_kind - what the packets are
 * @STREAM_TCP: full segments, each of which continues its flow
 * @STREAM_ACK: TCP without payload, padded to the size wanted
 * @STREAM_UDP: datagrams
 */
enum stream_kind {
	STREAM_TCP,
	STREAM_ACK,
	STREAM_UDP,
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
 * @kind: what they are
 * @flows: flows that take turns packet by packet
 * @size: bytes of each frame without FCS
 * @headers: bytes before the payload
 * @payload: bytes of payload in each frame
 * @packets: frames made so far
 * @seq: next TCP sequence number of each flow
 * @id: next IPv4 identification of each flow
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
 * stream_start() - choose what comes next
 * @s: stream
 * @kind: what the packets are
 * @flows: flows that take turns, at most %STREAM_FLOWS_MAX
 * @size: bytes of each frame without FCS
 */
void stream_start(struct stream *s, enum stream_kind kind, unsigned int flows, unsigned int size);

/**
 * stream_fill() - make the next frames
 * @s: stream
 * @count: frames, at most %STREAM_SLOTS
 *
 * A page that somebody still refers to is left to them and replaced.
 *
 * Context: softirq.
 * Return: 0 or -ENOMEM.
 */
int stream_fill(struct stream *s, unsigned int count);

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
