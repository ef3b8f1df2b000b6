/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Internet checksums in both directions and segmentation of large sends. Pure functions on frames
 * in private memory.
 */
#ifndef RTL8169D_OFFLOAD_H
#define RTL8169D_OFFLOAD_H

#include "util.h"

/* The receiver's verdict about a frame; absent checksums (UDP) count as good. */
struct rx_verdict {
	bool ipv4, ipv6;
	bool tcp, udp;
	bool ip_bad;
	bool l4_bad;
	bool l4_checked;	/* a TCP or UDP checksum was verified */
};

/**
 * offload_check() - classify a received frame and verify its checksums; reads at most @len bytes.
 */
struct rx_verdict offload_check(const u8 *frame, u32 len);

/* The driver's request in a transmit descriptor. */
struct tx_request {
	bool ip_csum;		/* IPv4 header checksum */
	bool tcp_csum, udp_csum;
	u32 l4_offset;		/* from the frame's start; 0: find it in the IP header */
	u32 mss;		/* segment the TCP payload, 0 = no */
	bool giant_ipv4;	/* IP version that a segmented frame must have; none set = IPv4 */
	bool giant_ipv6;
};

/**
 * offload_fill() - fill in the requested checksums of one frame.
 *
 * Return: false if the headers do not fit the request; the frame must not be sent.
 */
bool offload_fill(u8 *frame, u32 len, const struct tx_request *req);

/* A large send that is being segmented. Filled by offload_segment_begin(). */
struct segmenter {
	const u8 *frame;
	u32 header_len;		/* link, IP and TCP headers */
	u32 payload_len;
	u32 mss;
	u32 l3_offset, l4_offset;
	bool ipv6;
	u32 count;		/* number of segments */
};

/**
 * The most that a driver can ask for: 64 KiB in segments of the smallest MSS that Linux accepts,
 * with some room.
 */
#define SEGMENTS_MAX	2048

/**
 * offload_segment_begin() - check a large send and prepare its segmentation.
 * @frame:	stays the caller's and must live until the last segment is made
 *
 * Return: false if the headers do not fit the request or it would make more than SEGMENTS_MAX
 * segments.
 */
bool offload_segment_begin(struct segmenter *seg, const u8 *frame, u32 len,
			   const struct tx_request *req);

/**
 * offload_segment() - make segment number @index, with all header fields and checksums.
 * @out:	receives at most header_len + mss bytes
 *
 * Return: its length in bytes.
 */
u32 offload_segment(const struct segmenter *seg, u32 index, u8 *out);

#endif
