// SPDX-License-Identifier: GPL-2.0-only
/* Checksums (RFC 1071) and TCP segmentation. */
#include "chip.h"
#include "csum.h"
#include "offload.h"

#define ETHERTYPE_IPV4	0x0800
#define ETHERTYPE_IPV6	0x86dd
#define ETHERTYPE_VLAN	0x8100
#define ETHERTYPE_QINQ	0x88a8
#define PROTO_TCP	6
#define PROTO_UDP	17
#define IPV4_MIN	20
#define IPV6_HEADER	40
#define TCP_MIN		20
#define UDP_HEADER	8
#define TCP_CSUM	16
#define UDP_CSUM	6
#define TCP_FLAGS	13
#define TCP_FIN		BIT(0)
#define TCP_PSH		BIT(3)
#define TCP_CWR		BIT(7)

/* Offset of the network header behind at most one VLAN tag; 0 if the frame is too short. */
static u32 network_offset(const u8 *frame, u32 len, u16 *ethertype)
{
	u32 at = ETH_HEADER;

	if (len < at)
		return 0;
	*ethertype = get_be16(frame + at - 2);
	if (*ethertype == ETHERTYPE_VLAN || *ethertype == ETHERTYPE_QINQ) {
		at += ETH_VLAN_TAG;
		if (len < at)
			return 0;
		*ethertype = get_be16(frame + at - 2);
	}
	return at;
}

/* Sum of the pseudo header: addresses, length, protocol. */
static u64 pseudo_sum(const u8 *ip, bool ipv6, u32 l4_len, u8 proto)
{
	u64 sum = ipv6 ? csum_add(0, ip + 8, 32) : csum_add(0, ip + 12, 8);
	u8 rest[8];

	put_be32(rest, l4_len);
	put_be32(rest + 4, proto);
	return csum_add(sum, rest, sizeof(rest));
}

static void check_l4(struct rx_verdict *v, const u8 *ip, const u8 *l4, u32 l4_len, u8 proto)
{
	if (proto == PROTO_TCP && l4_len >= TCP_MIN) {
		v->tcp = true;
	} else if (proto == PROTO_UDP && l4_len >= UDP_HEADER) {
		v->udp = true;
		if (!get_be16(l4 + UDP_CSUM) && v->ipv4)
			return;
	} else {
		return;
	}
	v->l4_checked = true;
	v->l4_bad = csum_fold(csum_add(pseudo_sum(ip, v->ipv6, l4_len, proto), l4, l4_len)) != 0;
}

static void check_ipv4(struct rx_verdict *v, const u8 *ip, u32 room)
{
	u32 header, total;

	if (room < IPV4_MIN || ip[0] >> 4 != 4)
		return;
	header = 4u * (ip[0] & 15);
	total = get_be16(ip + 2);
	v->ipv4 = true;
	if (header < IPV4_MIN || header > room || total < header || total > room ||
	    csum_fold(csum_add(0, ip, header))) {
		v->ip_bad = true;
		return;
	}
	/* Fragments carry no checksum. */
	if (get_be16(ip + 6) & 0x3fff)
		return;
	check_l4(v, ip, ip + header, total - header, ip[9]);
}

static void check_ipv6(struct rx_verdict *v, const u8 *ip, u32 room)
{
	u32 payload;

	if (room < IPV6_HEADER || ip[0] >> 4 != 6)
		return;
	v->ipv6 = true;
	payload = get_be16(ip + 4);
	if (payload > room - IPV6_HEADER)
		return;
	check_l4(v, ip, ip + IPV6_HEADER, payload, ip[6]);
}

struct rx_verdict offload_check(const u8 *frame, u32 len)
{
	struct rx_verdict v = { 0 };
	u16 ethertype = 0;
	u32 l3 = network_offset(frame, len, &ethertype);

	if (!l3)
		return v;
	if (ethertype == ETHERTYPE_IPV4)
		check_ipv4(&v, frame + l3, len - l3);
	else if (ethertype == ETHERTYPE_IPV6)
		check_ipv6(&v, frame + l3, len - l3);
	return v;
}

/* Offsets of the headers of a frame to send. */
struct layout {
	u32 l3, l4;
	u32 end;		/* of the IP packet; Ethernet padding follows */
	bool ipv6;
	u8 proto;
};

static bool find_headers(struct layout *lay, const u8 *frame, u32 len, const struct tx_request *req)
{
	u16 ethertype = 0;
	const u8 *ip;
	u32 header;

	lay->l3 = network_offset(frame, len, &ethertype);
	if (!lay->l3)
		return false;
	ip = frame + lay->l3;
	lay->ipv6 = ethertype == ETHERTYPE_IPV6;
	if (lay->ipv6) {
		if (len - lay->l3 < IPV6_HEADER)
			return false;
		header = IPV6_HEADER;
		lay->proto = ip[6];
		lay->end = lay->l3 + IPV6_HEADER + get_be16(ip + 4);
	} else {
		if (ethertype != ETHERTYPE_IPV4 || len - lay->l3 < IPV4_MIN)
			return false;
		header = 4u * (ip[0] & 15);
		if (header < IPV4_MIN || header > len - lay->l3)
			return false;
		lay->proto = ip[9];
		lay->end = lay->l3 + get_be16(ip + 2);
	}
	lay->l4 = lay->l3 + header;
	if (req->l4_offset) {
		/* IPv4's header has its length; IPv6 may have extension headers in between. */
		if (req->l4_offset < lay->l4 || (!lay->ipv6 && req->l4_offset != lay->l4))
			return false;
		lay->l4 = req->l4_offset;
	}
	/* Behind IPv6 extension headers the request itself names the protocol. */
	if (lay->ipv6 && req->l4_offset)
		lay->proto = req->udp_csum ? PROTO_UDP : PROTO_TCP;
	return lay->l4 <= len;
}

static void fill_ipv4_header(u8 *ip)
{
	put_be16(ip + 10, 0);
	put_be16(ip + 10, csum_fold(csum_add(0, ip, 4u * (ip[0] & 15))));
}

static void fill_l4(u8 *ip, bool ipv6, u8 *l4, u32 l4_len, u8 proto)
{
	u8 *at = l4 + (proto == PROTO_TCP ? TCP_CSUM : UDP_CSUM);
	u16 csum;

	put_be16(at, 0);
	csum = csum_fold(csum_add(pseudo_sum(ip, ipv6, l4_len, proto), l4, l4_len));
	/* UDP writes a sum of zero as its other form, because zero means "none". */
	put_be16(at, proto == PROTO_UDP && !csum ? 0xffff : csum);
}

bool offload_fill(u8 *frame, u32 len, const struct tx_request *req)
{
	u8 want = req->tcp_csum ? PROTO_TCP : req->udp_csum ? PROTO_UDP : 0;
	struct layout lay;

	if (!find_headers(&lay, frame, len, req))
		return false;
	if (want) {
		if (lay.proto != want || lay.end > len ||
		    lay.end < lay.l4 + (want == PROTO_TCP ? TCP_MIN : UDP_HEADER))
			return false;
		fill_l4(frame + lay.l3, lay.ipv6, frame + lay.l4, lay.end - lay.l4, want);
	}
	if (req->ip_csum && !lay.ipv6)
		fill_ipv4_header(frame + lay.l3);
	return true;
}

bool offload_segment_begin(struct segmenter *seg, const u8 *frame, u32 len,
			   const struct tx_request *req)
{
	struct layout lay;
	u32 tcp_len;

	if (!req->mss || !find_headers(&lay, frame, len, req))
		return false;
	if (lay.ipv6 != req->giant_ipv6 || lay.proto != PROTO_TCP || len - lay.l4 < TCP_MIN)
		return false;
	tcp_len = 4u * (frame[lay.l4 + 12] >> 4);
	if (tcp_len < TCP_MIN || tcp_len > len - lay.l4)
		return false;
	seg->frame = frame;
	seg->header_len = lay.l4 + tcp_len;
	/*
	 * The length fields of a large send need not be right: the driver clears IPv6's. The
	 * frame's own length counts.
	 */
	seg->payload_len = len - seg->header_len;
	seg->mss = req->mss;
	seg->l3_offset = lay.l3;
	seg->l4_offset = lay.l4;
	seg->ipv6 = lay.ipv6;
	seg->count = seg->payload_len ? (seg->payload_len - 1) / seg->mss + 1 : 1;
	return seg->count <= SEGMENTS_MAX;
}

u32 offload_segment(const struct segmenter *seg, u32 index, u8 *out)
{
	u32 from = index * seg->mss;
	u32 left = seg->payload_len - from;
	u32 size = left < seg->mss ? left : seg->mss;
	u32 len = seg->header_len + size;
	u8 *ip = out + seg->l3_offset;
	u8 *tcp = out + seg->l4_offset;

	memcpy(out, seg->frame, seg->header_len);
	memcpy(out + seg->header_len, seg->frame + seg->header_len + from, size);
	if (seg->ipv6) {
		put_be16(ip + 4, (u16)(len - seg->l3_offset - IPV6_HEADER));
	} else {
		put_be16(ip + 2, (u16)(len - seg->l3_offset));
		put_be16(ip + 4, (u16)(get_be16(ip + 4) + index));
		fill_ipv4_header(ip);
	}
	put_be32(tcp + 4, get_be32(tcp + 4) + from);
	if (index)
		tcp[TCP_FLAGS] &= (u8)~TCP_CWR;
	if (index + 1 < seg->count)
		tcp[TCP_FLAGS] &= (u8)~(TCP_FIN | TCP_PSH);
	fill_l4(ip, seg->ipv6, tcp, len - seg->l4_offset, PROTO_TCP);
	return len;
}
