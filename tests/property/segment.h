/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TCP segmentation as devices and the kernel do it, written for the tests.
 */
#ifndef _PROPERTY_SEGMENT_H
#define _PROPERTY_SEGMENT_H

#include <linux/types.h>

#define SEGMENT_HDR_MAX	160

/* Fields that all packets of an aggregate have from the first. */
enum {
	SEGMENT_FIXED_ID = 1,		/* its identification */
	SEGMENT_KEEPS_CWR = 2,		/* its CWR flag */
};

/**
 * struct segment - one packet of an aggregate
 * @hdr: its headers
 * @hdr_len: bytes in @hdr
 * @payload: in the aggregate's memory
 * @payload_len: bytes
 */
struct segment {
	u8 hdr[SEGMENT_HDR_MAX];
	unsigned int hdr_len;
	const u8 *payload;
	unsigned int payload_len;
};

/**
 * segment_cut() - make one packet of an aggregate
 * @frame: Ethernet header without a tag, IPv4 without options or IPv6, TCP; all in one
 *	piece
 * @len: bytes
 * @gso_size: payload of a full packet, bytes
 * @kind: the bits above, for fields that all packets have
 * @n: which packet, from 0
 * @seg: filled in
 *
 * Lengths and checksums are computed; the identification counts up unless it is fixed; PSH
 * and FIN are the last packet's, CWR is the first packet's unless kept; all else is copied.
 *
 * Return: whether there is such a packet.
 */
bool segment_cut(const u8 *frame, unsigned int len, unsigned int gso_size, unsigned int kind,
		 unsigned int n, struct segment *seg);

#endif /* _PROPERTY_SEGMENT_H */
