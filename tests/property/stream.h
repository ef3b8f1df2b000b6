/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The packets that a receiver may get: packets of many flows, interleaved in bursts, with
 * loss, duplication and reordering, every flag and option, changes of every header
 * field, packets of other protocols, and broken ones. The same seed gives the same
 * stream. Compiles in the kernel and in user space.
 */
#ifndef _PROPERTY_STREAM_H
#define _PROPERTY_STREAM_H

#include <linux/types.h>

#define STREAM_FRAME_MAX	2048
#define STREAM_FLOWS		48
#define STREAM_LANE_OTHER	STREAM_FLOWS	/* lane of packets without an order */
#define STREAM_LANES		(STREAM_FLOWS + 1)
#define STREAM_PATTERN		32768

/**
 * struct stream_packet - one frame
 * @len: length without FCS, bytes
 * @trim: length without what follows the IP packet, bytes
 * @lane: flow, or %STREAM_LANE_OTHER; packets of one flow must stay in order
 * @vlan: VLAN protocol << 16 | tag control information, 0 without a tag
 * @in_band: the tag is in the frame when it is received; it is not in @data
 * @verified: the TCP checksum is right, and a device that looks finds it so
 * @local: the sender is on this machine and has left the checksum to be computed;
 *	@data has it nevertheless
 * @tcp: offset of the TCP header, of packets with @local
 * @data: the frame, without a tag
 */
struct stream_packet {
	u16 len;
	u16 trim;
	u16 lane;
	u32 vlan;
	bool in_band;
	bool verified;
	bool local;
	u16 tcp;
	u8 data[STREAM_FRAME_MAX];
};

/**
 * struct stream_spec - header fields of a packet, in host byte order
 * @payload: bytes of TCP payload
 * @options: kind of TCP options, see &enum stream_options
 * @extension: IPv6 extension headers, see &enum stream_extension
 * @filling: what is in them that says nothing
 * @ip_options: bytes of IPv4 options
 * @padding: bytes after the IP packet
 * @quirk: its fault, see &enum stream_quirk
 */
struct stream_spec {
	u32 seq;
	u32 ack;
	u32 tsval;
	u32 tsecr;
	u32 label;
	u16 id;
	u16 frag;
	u16 window;
	u16 urgent;
	u16 payload;
	u8 tos;
	u8 ttl;
	u8 flags;
	u8 reserved;
	u8 mac;
	u8 options;
	u8 extension;
	u8 filling;
	u8 ip_options;
	u8 padding;
	u8 quirk;
};

/**
 * struct stream_flow - a sender
 * @next: its next packet
 * @sent: its last packet, for duplicates
 * @late: a packet that others overtake
 * @overtaken: packets until @late is sent, 0 if there is none
 * @id_step: step of the identification
 * @mss: payload of a full packet, bytes
 */
struct stream_flow {
	struct stream_spec next;
	struct stream_spec sent;
	struct stream_spec late;
	unsigned int overtaken;
	u32 vlan;
	u16 id_step;
	u16 mss;
	bool v6;
	bool in_band;
	bool local;
};

/**
 * struct stream - generator
 * @random: state of the random numbers
 * @flow: senders
 * @current_flow: sender of the burst
 * @burst: packets left of it
 * @pattern: payload comes from here, by sequence number
 */
struct stream {
	u64 random;
	struct stream_flow flow[STREAM_FLOWS];
	unsigned int current_flow;
	unsigned int burst;
	u8 pattern[STREAM_PATTERN + STREAM_FRAME_MAX];
};

/**
 * stream_setup() - begin a stream
 * @s: generator
 * @seed: determines the stream
 */
void stream_setup(struct stream *s, u64 seed);

/**
 * stream_next() - make the next packet
 * @s: generator
 * @pkt: filled in
 */
void stream_next(struct stream *s, struct stream_packet *pkt);

/**
 * stream_below() - random number
 * @s: generator
 * @n: bound
 * Return: 0 to @n - 1.
 */
u32 stream_below(struct stream *s, u32 n);

#endif /* _PROPERTY_STREAM_H */
