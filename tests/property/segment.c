// SPDX-License-Identifier: GPL-2.0-only
#include "segment.h"
#include "wire.h"

#define FIN_PSH	0x09
#define CWR	0x80

bool segment_cut(const u8 *frame, unsigned int len, unsigned int gso_size, unsigned int kind,
		 unsigned int n, struct segment *seg)
{
	bool v6 = wire_is_v6(frame);
	unsigned int tcp = wire_tcp(frame), tcp_len, total, at;
	u8 *ip = seg->hdr + WIRE_ETH, *th = seg->hdr + tcp;
	u64 sum;

	if (len < tcp + WIRE_TCP || !gso_size)
		return false;
	seg->hdr_len = tcp + (frame[tcp + 12] >> 4) * 4;
	at = n * gso_size;
	if (len < seg->hdr_len || at >= len - seg->hdr_len)
		return false;
	total = len - seg->hdr_len;
	seg->payload = frame + seg->hdr_len + at;
	seg->payload_len = total - at < gso_size ? total - at : gso_size;

	memcpy(seg->hdr, frame, seg->hdr_len);
	tcp_len = seg->hdr_len - tcp + seg->payload_len;
	if (v6) {
		wire_put16(ip + 4, tcp - WIRE_ETH - WIRE_V6 + tcp_len);
	} else {
		wire_put16(ip + 2, WIRE_V4 + tcp_len);
		wire_put16(ip + 4, wire_get16(ip + 4) + (kind & SEGMENT_FIXED_ID ? 0 : n));
		wire_check_ip(ip);
	}
	wire_put32(th + 4, wire_get32(th + 4) + at);
	if (n && !(kind & SEGMENT_KEEPS_CWR))
		th[13] &= ~CWR;
	if (at + seg->payload_len < total)
		th[13] &= ~FIN_PSH;
	wire_put16(th + 16, 0);
	sum = wire_sum(th, seg->hdr_len - tcp, wire_pseudo(seg->hdr, tcp_len));
	wire_put16(th + 16, wire_fold(wire_sum(seg->payload, seg->payload_len, sum)));
	return true;
}
