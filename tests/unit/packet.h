/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames for the tests: described by their fields, built as bytes.
 */
#ifndef _TEST_PACKET_H
#define _TEST_PACKET_H

#include <linux/types.h>

/**
 * struct spec - a TCP segment over IP in an Ethernet frame
 * @ipv6: over IPv6; then @id, @frag and @ip_options are not used
 * @label: IPv6 flow label
 * @payload: bytes of payload
 * @padding: bytes after the IP packet
 * @tcp_options: bytes of TCP options, multiple of 4; timestamps if it is 12
 * @option: bytes of other options
 * @ip_options: bytes of IPv4 options, multiple of 4
 * @extensions: bytes of an IPv6 header with options for the destination, multiple of 8
 * @extension: bytes of these
 *
 * The rest are header fields, in host byte order.
 */
struct spec {
	bool ipv6;
	u32 label;
	u8 mac_last;
	u8 tos;
	u16 id;
	u16 frag;
	u8 ttl;
	u8 proto;
	u32 saddr;
	u32 daddr;
	u16 sport;
	u16 dport;
	u32 seq;
	u32 ack;
	u8 reserved;
	u8 flags;
	u16 window;
	u16 urgent;
	u32 tsval;
	u32 tsecr;
	unsigned int tcp_options;
	u8 option;
	unsigned int ip_options;
	unsigned int extensions;
	u8 extension;
	unsigned int payload;
	unsigned int padding;
};

/**
 * struct frame - built frame
 * @data: exactly @len bytes from malloc(), so that reading past them is seen
 * @len: length without FCS, bytes
 */
struct frame {
	u8 *data;
	unsigned int len;
};

/* A full-sized segment of a bulk transfer with timestamps. */
extern const struct spec spec_bulk;

/* The payload is made from sequence numbers, so that equal bytes come again. */
struct frame frame_build(const struct spec *spec);
void frame_free(struct frame *frame);

/* Recompute the IPv4 header checksum after the test changed the header. */
void frame_fix_ip_checksum(struct frame *frame);

/* Recompute the TCP checksum of a packet without IP options. */
void frame_fix_tcp_checksum(struct frame *frame);

/* The same segment, over IPv6. */
struct spec spec_v6(struct spec spec);

void put_be16(u8 *p, u16 v);
void put_be32(u8 *p, u32 v);

#endif /* _TEST_PACKET_H */
