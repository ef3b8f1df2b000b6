// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of cases.
 */
#include <linux/kernel.h>
#include <linux/skbuff.h>
#include <net/tcp.h>

#include "cases.h"
#include "lro.h"

#define FULL	1448	/* payload of a full-sized segment */

/* A full-sized segment that continues its flow, but for what is named. */
#define P(...)	{ .payload = FULL, ##__VA_ARGS__ }

#define PACKETS(...)						\
	.pkt = (const struct pkt[]){ __VA_ARGS__ },		\
	.count = ARRAY_SIZE(((const struct pkt[]){ __VA_ARGS__ }))

#define SEGS(...)	.segs = { __VA_ARGS__ }
#define COUNTS(...)	.counts = { __VA_ARGS__ }

#define SUMMED(how)	.summed = CHECKSUM_##how + 1

/* A packet between two that would merge, and that must not be merged itself. */
#define PASSES(title, why, ...) {				\
	"pass: " title,						\
	PACKETS(P(), P(__VA_ARGS__), P()),			\
	SEGS(1, 1, 1),						\
	COUNTS(why, 1),						\
}

const struct lro_case lro_cases[] = {
	/* What merges. */
	{ "merge: one poll", PACKETS(P(.repeat = 4)), SEGS(5), COUNTS("flush_poll", 1) },
	{ "merge: one packet alone", PACKETS(P()), SEGS(1), COUNTS("flush_poll", 1) },
	{ "merge: across polls that use up their budget",
	  PACKETS(P(.then = THEN_FULL), P(.then = THEN_FULL), P()), SEGS(3),
	  COUNTS("flush_poll", 1) },
	{ "merge: not across a completed poll", PACKETS(P(.then = THEN_DONE), P()), SEGS(1, 1),
	  COUNTS("flush_poll", 2) },
	{ "merge: bulk flow across a completed poll, until its time is up",
	  PACKETS(P(.repeat = 18), P(.then = THEN_DONE), P()),
	  SEGS(21), COUNTS("flush_hold", 1) },
	{ "merge: two flows interleaved",
	  PACKETS(P(), P(.flow = 1), P(), P(.flow = 1)), SEGS(2, 2), COUNTS("flush_poll", 2) },
	{ "merge: sequence number wraps", .seq = 0xfffffa00,
	  PACKETS(P(), P(), P()), SEGS(3) },
	{ "merge: IP identification wraps", .id = 0xfffe,
	  PACKETS(P(.repeat = 3)), SEGS(4) },
	{ "merge: IP identification stays, DF set", .id = 7,
	  PACKETS(P(), P(.id = -1), P(.id = -1)), SEGS(3) },
	{ "merge: IP identification counts without DF",
	  PACKETS(P(.no_df = true, .repeat = 2)), SEGS(3) },
	{ "merge: timestamps", PACKETS(P(.ts = true, .repeat = 3)), SEGS(4) },
	{ "merge: all CE", PACKETS(P(.tos = 3, .repeat = 2)), SEGS(3) },
	{ "merge: all ECE", PACKETS(P(.flags = TCPHDR_ECE, .repeat = 2)), SEGS(3) },
	{ "merge: CWR in the first", PACKETS(P(.flags = TCPHDR_CWR), P(), P()), SEGS(3) },
	{ "merge: same VLAN tag", PACKETS(P(.vlan = 0x2005, .repeat = 2)), SEGS(3) },
	{ "merge: same flow in two VLANs",
	  PACKETS(P(.vlan = 5), P(.flow = 1, .vlan = 6), P(.vlan = 5), P(.flow = 1, .vlan = 6)),
	  SEGS(2, 2) },
	{ "merge: Ethernet padding cut off",
	  PACKETS({ .payload = 4, .pad = 2, .repeat = 2 }), SEGS(3) },
	{ "merge: checksum verified in software", PACKETS(P(SUMMED(NONE), .repeat = 2)), SEGS(3) },
	{ "merge: checksum from CHECKSUM_COMPLETE",
	  PACKETS(P(SUMMED(COMPLETE), .repeat = 2)), SEGS(3) },
	{ "merge: CHECKSUM_COMPLETE over padding",
	  PACKETS({ .payload = 4, .pad = 2, SUMMED(COMPLETE), .repeat = 2 }), SEGS(3) },
	{ "merge: checksum left by a local sender",
	  PACKETS(P(SUMMED(PARTIAL), .repeat = 2)), SEGS(3) },
	{ "merge: checksum left by a local sender, alone", PACKETS(P(SUMMED(PARTIAL))), SEGS(1) },
	{ "merge: payload in fragments", PACKETS(P(.layout = LAYOUT_FRAG, .repeat = 3)), SEGS(4) },
	{ "merge: headers in fragments too",
	  PACKETS(P(.layout = LAYOUT_ALL_FRAG, .repeat = 3)), SEGS(4) },
	{ "merge: linear parts that are not pages",
	  PACKETS(P(.layout = LAYOUT_KMALLOC, .repeat = 3)), SEGS(4) },
	{ "merge: layouts mixed",
	  PACKETS(P(), P(.layout = LAYOUT_FRAG), P(.layout = LAYOUT_KMALLOC),
		  P(.layout = LAYOUT_ALL_FRAG), P()), SEGS(5) },
	{ "merge: more than one skb has fragments for", PACKETS(P(.repeat = 39)), SEGS(40) },

	{ "merge: page pool only", PACKETS(P(.quirk = QUIRK_RECYCLE, .repeat = 3)), SEGS(4) },
	{ "merge: IPv6", PACKETS(P(.v6 = true, .label = 7, .repeat = 4)), SEGS(5) },
	{ "merge: IPv6, timestamps, headers apart",
	  PACKETS(P(.v6 = true, .ts = true, .layout = LAYOUT_FRAG, .repeat = 3)), SEGS(4) },
	{ "merge: IPv6, checksum verified in software",
	  PACKETS(P(.v6 = true, SUMMED(NONE), .layout = LAYOUT_KMALLOC, .repeat = 2)), SEGS(3) },
	{ "merge: IPv6, checksum left by a local sender",
	  PACKETS(P(.v6 = true, SUMMED(PARTIAL), .repeat = 2)), SEGS(3) },
	{ "merge: IPv6, Ethernet padding cut off",
	  PACKETS({ .v6 = true, .payload = 4, .pad = 2, .repeat = 2 }), SEGS(3) },
	{ "merge: IPv6 in a VLAN, CE", PACKETS(P(.v6 = true, .vlan = 5, .tos = 3, .repeat = 2)),
	  SEGS(3) },
	{ "merge: IPv4 and IPv6 with the same ports",
	  PACKETS(P(), P(.flow = 1, .v6 = true), P(), P(.flow = 1, .v6 = true)), SEGS(2, 2) },

	/* What merges and ends an aggregate. */
	{ "end: PSH", PACKETS(P(), P(.flags = TCPHDR_PSH), P()), SEGS(2, 1),
	  COUNTS("flush_psh", 1) },
	{ "end: FIN", PACKETS(P(), P(), P(.flags = TCPHDR_FIN | TCPHDR_PSH)), SEGS(3),
	  COUNTS("flush_fin", 1) },
	{ "end: shorter segment", PACKETS(P(), P(), { .payload = 100 }, P()), SEGS(3, 1),
	  COUNTS("flush_short", 1) },
	{ "end: 64 KiB", PACKETS(P(.repeat = 45)), SEGS(45, 1), COUNTS("flush_full", 1) },
	{ "end: most segments allowed", PACKETS({ .payload = 100, .repeat = 64 }), SEGS(64, 1),
	  COUNTS("flush_segs", 1) },
	{ "end: mode switched off", PACKETS(P(), P(.then = THEN_FULL, .off = true), P()),
	  SEGS(2, 1), COUNTS("flush_mode", 1) },
	{ "end: mode switched off, oldest first",
	  PACKETS(P(), P(.flow = 1), P(.then = THEN_FULL, .off = true), P(.flow = 1)),
	  SEGS(2, 1, 1), COUNTS("flush_mode", 2) },
	{ "end: mode relaxed", PACKETS(P(), P(.then = THEN_FULL, .mode = LRO_RELAXED), P()),
	  SEGS(2, 1), COUNTS("flush_mode", 1) },
	{ "end: mode relaxed and strict again",
	  PACKETS(P(.then = THEN_FULL, .mode = LRO_RELAXED),
		  P(.then = THEN_FULL, .mode = LRO_STRICT), P()),
	  SEGS(1, 1, 1), COUNTS("flush_mode", 2) },
	{ "end: IPv6, PSH", PACKETS(P(.v6 = true), P(.v6 = true, .flags = TCPHDR_PSH)), SEGS(2),
	  COUNTS("flush_psh", 1) },
	{ "end: IPv6, 64 KiB", PACKETS(P(.v6 = true, .repeat = 45)), SEGS(45, 1),
	  COUNTS("flush_full", 1) },
	{ "end: oldest flow evicted",
	  PACKETS(P(), P(.flow = 1), P(.flow = 2), P(.flow = 3), P(.flow = 4), P(.flow = 5),
		  P(.flow = 6), P(.flow = 7), P(.flow = 8), P(.flow = 1)),
	  SEGS(1, 2, 1, 1, 1, 1, 1, 1, 1), COUNTS("flush_evicted", 1) },
	{ "end: page pool and other pages", PACKETS(P(), P(.quirk = QUIRK_RECYCLE), P()),
	  SEGS(1, 1, 1), COUNTS("flush_layout", 2) },

	/* What does not continue the aggregate of its flow. */
	{ "differ: sequence gap", PACKETS(P(), P(.seq = 1), P()), SEGS(1, 2),
	  COUNTS("flush_seq", 1) },
	{ "differ: segment repeated", PACKETS(P(), P(.seq = -FULL), P()), SEGS(1, 2),
	  COUNTS("flush_seq", 1) },
	{ "differ: ACK number", PACKETS(P(), P(.ack = 1), P(.ack = 1)), SEGS(1, 2),
	  COUNTS("flush_ack", 1) },
	{ "differ: window", PACKETS(P(), P(.window = 1)), SEGS(1, 1), COUNTS("flush_window", 1) },
	{ "differ: timestamp", PACKETS(P(.ts = true), P(.ts = true, .tsval = 1)), SEGS(1, 1),
	  COUNTS("flush_timestamp", 1) },
	{ "differ: timestamp appears", PACKETS(P(), P(.ts = true)), SEGS(1, 1),
	  COUNTS("flush_options", 1) },
	{ "differ: CE appears", PACKETS(P(.tos = 2), P(.tos = 3), P(.tos = 2)), SEGS(1, 1, 1),
	  COUNTS("flush_tos", 2) },
	{ "differ: TTL", PACKETS(P(), P(.ttl = -1)), SEGS(1, 1), COUNTS("flush_ttl", 1) },
	{ "differ: DF", PACKETS(P(), P(.no_df = true)), SEGS(1, 1), COUNTS("flush_df", 1) },
	{ "differ: IP identification jumps", PACKETS(P(), P(.id = 1)), SEGS(1, 1),
	  COUNTS("flush_ip_id", 1) },
	{ "differ: IP identification stays without DF", .id = 7,
	  PACKETS(P(.no_df = true), P(.no_df = true, .id = -1)), SEGS(1, 1),
	  COUNTS("flush_ip_id", 1) },
	{ "differ: IP identification stays, then counts", .id = 7,
	  PACKETS(P(), P(.id = -1), P()), SEGS(2, 1), COUNTS("flush_ip_id", 1) },
	{ "differ: IP identification counts, then stays", .id = 7,
	  PACKETS(P(), P(), P(.id = -1)), SEGS(2, 1), COUNTS("flush_ip_id", 1) },
	{ "differ: ECE appears", PACKETS(P(), P(.flags = TCPHDR_ECE)), SEGS(1, 1),
	  COUNTS("flush_flags", 1) },
	{ "differ: CWR after the first",
	  PACKETS(P(), P(.flags = TCPHDR_CWR), P()), SEGS(1, 2), COUNTS("flush_cwr", 1) },
	{ "differ: urgent pointer without URG", PACKETS(P(), P(.quirk = QUIRK_URGENT)),
	  SEGS(1, 1), COUNTS("flush_urgent", 1) },
	{ "differ: VLAN priority", PACKETS(P(.vlan = 0x2005), P(.vlan = 0x4005)), SEGS(1, 1),
	  COUNTS("flush_vlan", 1) },
	{ "differ: MAC address", PACKETS(P(), P(.quirk = QUIRK_MAC)), SEGS(1, 1),
	  COUNTS("flush_mac", 1) },
	{ "differ: longer segment", PACKETS({ .payload = 1000 }, P()), SEGS(1, 1),
	  COUNTS("flush_longer", 1) },

	{ "differ: IPv6, flow label", PACKETS(P(.v6 = true), P(.v6 = true, .label = 1)),
	  SEGS(1, 1), COUNTS("flush_label", 1) },
	{ "differ: IPv6, hop limit", PACKETS(P(.v6 = true), P(.v6 = true, .ttl = -1)),
	  SEGS(1, 1), COUNTS("flush_ttl", 1) },
	{ "differ: IPv6, CE appears", PACKETS(P(.v6 = true, .tos = 2), P(.v6 = true, .tos = 3)),
	  SEGS(1, 1), COUNTS("flush_tos", 1) },
	{ "differ: IPv6, sequence gap", PACKETS(P(.v6 = true), P(.v6 = true, .seq = 1)),
	  SEGS(1, 1), COUNTS("flush_seq", 1) },

	/* What passes untouched, after what its flow holds. */
	PASSES("SYN", "pass_syn", .flags = TCPHDR_SYN),
	PASSES("RST", "pass_rst", .flags = TCPHDR_RST),
	PASSES("URG", "pass_urg", .flags = TCPHDR_URG),
	PASSES("no ACK", "pass_no_ack", .quirk = QUIRK_NO_ACK),
	{ "pass: pure ACK", PACKETS(P(), { .pad = 6 }, P()), SEGS(1, 1, 1),
	  COUNTS("pass_pure_ack", 1) },
	{ "pass: flush is counted", PACKETS(P(), P(), { .pad = 6 }), SEGS(2, 1),
	  COUNTS("flush_pass", 1) },
	PASSES("IP options", "pass_ip_options", .quirk = QUIRK_IP_OPTIONS),
	PASSES("IP fragment", "pass_fragment", .quirk = QUIRK_FRAGMENT),
	PASSES("IP header too short", "pass_ip_header", .quirk = QUIRK_IP_HEADER),
	PASSES("IP length beyond the frame", "pass_length", .quirk = QUIRK_IP_LENGTH),
	PASSES("wrong IP checksum", "pass_ip_checksum", .quirk = QUIRK_IP_CHECKSUM),
	PASSES("TCP header too short", "pass_tcp_header", .quirk = QUIRK_TCP_HEADER),
	PASSES("unknown TCP option", "pass_tcp_options", .quirk = QUIRK_TCP_OPTIONS),
	PASSES("wrong TCP checksum", "pass_tcp_checksum", .quirk = QUIRK_TCP_CHECKSUM),
	PASSES("wrong TCP checksum in CHECKSUM_COMPLETE", "pass_tcp_checksum",
	       .quirk = QUIRK_TCP_CHECKSUM, SUMMED(COMPLETE)),
	PASSES("frame ends in the TCP header", "pass_truncated", .quirk = QUIRK_TRUNCATED),
	PASSES("skb with a clone", "pass_skb_state", .quirk = QUIRK_CLONED),
	{ "pass: IPv6, extension header",
	  PACKETS(P(.v6 = true), P(.v6 = true, .quirk = QUIRK_EXTENSION), P(.v6 = true)),
	  SEGS(1, 1, 1), COUNTS("pass_ip_options", 1) },
	{ "pass: IPv6, wrong TCP checksum",
	  PACKETS(P(.v6 = true), P(.v6 = true, .quirk = QUIRK_TCP_CHECKSUM), P(.v6 = true)),
	  SEGS(1, 1, 1), COUNTS("pass_tcp_checksum", 1) },
	{ "pass: UDP goes to GRO", PACKETS({ .payload = 100, .quirk = QUIRK_UDP }), SEGS(1),
	  COUNTS("gro_not_tcp", 1) },
	{ "pass: not IP goes to GRO", PACKETS({ .payload = 100, .quirk = QUIRK_NOT_IP }), SEGS(1),
	  COUNTS("gro_not_ip", 1) },
};

const unsigned int lro_case_count = ARRAY_SIZE(lro_cases);

/* What the relaxed promise allows beyond the strict one, and what it does not. */
const struct lro_case lro_relaxed_cases[] = {
	{ "newer: ACK number", PACKETS(P(), P(.ack = 1), P(.ack = 2000)), SEGS(3) },
	{ "newer: ACK number wraps",
	  PACKETS(P(.ack = -2), P(.ack = 1)), SEGS(2) },
	{ "newer: window", PACKETS(P(), P(.window = 100), P(.window = -100)), SEGS(3) },
	{ "newer: timestamp and echo",
	  PACKETS(P(.ts = true), P(.ts = true, .tsval = 1), P(.ts = true, .tsval = 9, .tsecr = 5)),
	  SEGS(3) },
	{ "newer: timestamp wraps",
	  PACKETS(P(.ts = true, .tsval = -1000001), P(.ts = true, .tsval = -999999)), SEGS(2) },
	{ "newer: all at once, IPv6",
	  PACKETS(P(.v6 = true, .ts = true),
		  P(.v6 = true, .ts = true, .ack = 7, .window = 7, .tsval = 7, .tsecr = 7)),
	  SEGS(2) },
	{ "newer: IP identification free", PACKETS(P(), P(.id = 77), P(.id = -99)), SEGS(3) },
	{ "newer: all differs, PSH ends",
	  PACKETS(P(), P(.ack = 5, .window = 3, .flags = TCPHDR_PSH), P(.ack = 5)), SEGS(2, 1),
	  COUNTS("flush_psh", 1) },
	{ "older: ACK number", PACKETS(P(.ack = 10), P(.ack = 9), P(.ack = 10)), SEGS(1, 2),
	  COUNTS("flush_ack", 1) },
	{ "older: timestamp", PACKETS(P(.ts = true, .tsval = 5), P(.ts = true)), SEGS(1, 1),
	  COUNTS("flush_timestamp", 1) },
	{ "older: echo", PACKETS(P(.ts = true, .tsecr = 5), P(.ts = true)), SEGS(1, 1),
	  COUNTS("flush_timestamp", 1) },
	{ "exact: CE", PACKETS(P(.tos = 2), P(.tos = 3), P(.tos = 2)), SEGS(1, 1, 1),
	  COUNTS("flush_tos", 2) },
	{ "exact: TOS", PACKETS(P(), P(.tos = 0x10)), SEGS(1, 1), COUNTS("flush_tos", 1) },
	{ "exact: TTL", PACKETS(P(), P(.ttl = 1)), SEGS(1, 1), COUNTS("flush_ttl", 1) },
	{ "exact: DF", PACKETS(P(), P(.no_df = true)), SEGS(1, 1), COUNTS("flush_df", 1) },
	{ "exact: options", PACKETS(P(), P(.ts = true)), SEGS(1, 1), COUNTS("flush_options", 1) },
	{ "exact: ECE", PACKETS(P(), P(.flags = TCPHDR_ECE, .ack = 1)), SEGS(1, 1),
	  COUNTS("flush_flags", 1) },
	{ "exact: CWR after the first", PACKETS(P(), P(.flags = TCPHDR_CWR)), SEGS(1, 1),
	  COUNTS("flush_cwr", 1) },
	{ "exact: urgent pointer", PACKETS(P(), P(.quirk = QUIRK_URGENT)), SEGS(1, 1),
	  COUNTS("flush_urgent", 1) },
	{ "exact: flow label", PACKETS(P(.v6 = true), P(.v6 = true, .label = 1)), SEGS(1, 1),
	  COUNTS("flush_label", 1) },
	{ "exact: VLAN priority", PACKETS(P(.vlan = 0x2005), P(.vlan = 0x4005)), SEGS(1, 1),
	  COUNTS("flush_vlan", 1) },
	{ "exact: MAC address", PACKETS(P(), P(.quirk = QUIRK_MAC)), SEGS(1, 1),
	  COUNTS("flush_mac", 1) },
	{ "exact: sequence", PACKETS(P(), P(.seq = 1, .ack = 1)), SEGS(1, 1),
	  COUNTS("flush_seq", 1) },
	PASSES("wrong TCP checksum", "pass_tcp_checksum", .quirk = QUIRK_TCP_CHECKSUM),
};

const unsigned int lro_relaxed_case_count = ARRAY_SIZE(lro_relaxed_cases);
