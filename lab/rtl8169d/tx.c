// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit ring. A packet is copied out of guest memory before it is checked, so that the guest
 * cannot change it between check and transmission.
 */
#include "nic.h"
#include "offload.h"

/*
 * Descriptors per run, so that a guest that refills the ring as fast as it is emptied cannot occupy
 * the loop.
 */
#define RUN_DESCRIPTORS	256

void tx_reset(struct nic *nic)
{
	struct tx *tx = &nic->tx;

	tx->index = 0;
	tx->pending = false;
	tx->in_packet = false;
	tx->len = 0;
}

void tx_kick(struct nic *nic)
{
	nic->tx.pending = true;
}

void tx_deadline(const struct nic *nic, u64 *next)
{
	if (nic->tx.waiting_rate)
		earliest(next, nic->tx_rate.free_at);
}

static struct tx_request decode_8169(u32 opts1)
{
	struct tx_request req = { 0 };

	if (opts1 & TXD_LSO) {
		req.mss = opts1 >> TXD_LSO_MSS_SHIFT & MSS_MASK;
	} else {
		req.ip_csum = opts1 & TXD_IP_CSUM;
		req.tcp_csum = opts1 & TXD_TCP_CSUM;
		req.udp_csum = opts1 & TXD_UDP_CSUM;
	}
	return req;
}

static struct tx_request decode_8168(u32 opts1, u32 opts2)
{
	struct tx_request req = { 0 };

	if (opts1 & (TXD_GIANT_IPV4 | TXD_GIANT_IPV6)) {
		req.giant_ipv4 = opts1 & TXD_GIANT_IPV4;
		req.giant_ipv6 = opts1 & TXD_GIANT_IPV6;
		req.l4_offset = opts1 >> TXD_GIANT_L4_SHIFT & TXD_GIANT_L4_MASK;
		req.mss = opts2 >> TXD2_MSS_SHIFT & MSS_MASK;
	} else {
		req.ip_csum = opts2 & TXD2_IPV4_CSUM;
		req.tcp_csum = opts2 & TXD2_TCP_CSUM;
		req.udp_csum = opts2 & TXD2_UDP_CSUM;
		if (req.tcp_csum || req.udp_csum)
			req.l4_offset = opts2 >> TXD2_L4_SHIFT & TXD2_L4_MASK;
	}
	return req;
}

static bool is_large_send(const struct nic *nic, u32 opts1)
{
	return opts1 & (nic->chip->new_layout ? TXD_GIANT_IPV4 | TXD_GIANT_IPV6 : TXD_LSO);
}

/*
 * Put one finished frame on the wire, which has room for it. @frame has room for padding behind
 * @len.
 */
static void emit(struct nic *nic, u8 *frame, u32 len)
{
	if (len < ETH_MIN_FRAME) {
		memset(frame + len, 0, ETH_MIN_FRAME - len);
		len = ETH_MIN_FRAME;
	}
	if (!nic->phy.link) {
		nic->stats.tx_link_down++;
		return;
	}
	rate_charge(&nic->tx_rate, nic->now, len);
	pcap_frame(&nic->pcap, PCAP_TX, frame, len);
	if (!wire_send(&nic->wire, frame, len)) {
		nic->stats.tx_no_peer++;
		return;
	}
	nic->stats.tx_frames++;
	nic->stats.tx_bytes += len;
	nic->stats.wire_tx_frames++;
}

static bool send_segments(struct nic *nic, const struct tx_request *req)
{
	struct tx *tx = &nic->tx;
	/* An 11-bit MSS behind a 7-bit offset, a VLAN tag and 60 bytes of TCP. */
	u8 frame[4096];
	struct segmenter seg;
	u32 i;

	if (!offload_segment_begin(&seg, tx->packet, tx->len, req) ||
	    seg.header_len + seg.mss > sizeof(frame))
		return false;
	for (i = 0; i < seg.count; i++)
		emit(nic, frame, offload_segment(&seg, i, frame));
	nic->stats.tx_tso_packets++;
	nic->stats.tx_tso_segments += seg.count;
	return true;
}

static bool send_packet(struct nic *nic)
{
	struct tx *tx = &nic->tx;
	bool insert = tx->opts2 & TXD2_VLAN;
	struct tx_request req;

	if (tx->bad || tx->len < ETH_HEADER)
		return false;
	req = nic->chip->new_layout ? decode_8168(tx->opts1, tx->opts2) : decode_8169(tx->opts1);
	if (insert) {
		memmove(tx->packet + 16, tx->packet + 12, tx->len - 12);
		put_be16(tx->packet + 12, 0x8100);
		put_le16(tx->packet + 14, (u16)tx->opts2);
		tx->len += ETH_VLAN_TAG;
		if (req.l4_offset)
			req.l4_offset += ETH_VLAN_TAG;
	}
	if (is_large_send(nic, tx->opts1)) {
		if (!send_segments(nic, &req))
			return false;
	} else {
		if (tx->len > FRAME_MAX)
			return false;
		if (req.ip_csum || req.tcp_csum || req.udp_csum) {
			if (!offload_fill(tx->packet, tx->len, &req))
				return false;
			nic->stats.tx_csum++;
		}
		emit(nic, tx->packet, tx->len);
	}
	if (insert)
		nic->stats.tx_vlan_inserted++;
	nic->tally.tx_ok++;
	return true;
}

static void refuse(struct nic *nic)
{
	nic->stats.tx_errors++;
	nic->tally.tx_errors++;
	irq_raise(nic, INT_TX_ERR);
}

/* Add one fragment to the packet being collected. */
static void take_fragment(struct nic *nic, u32 opts1, u32 opts2, u64 addr)
{
	struct tx *tx = &nic->tx;
	u32 len = opts1 & TXD_LEN_MASK;

	if (opts1 & DESC_FIRST) {
		if (tx->in_packet) {
			nic->stats.bad_descriptors++;
			refuse(nic);
		}
		tx->in_packet = true;
		tx->bad = false;
		tx->len = 0;
		tx->opts1 = opts1;
		tx->opts2 = opts2;
	} else if (!tx->in_packet) {
		/* A middle without a beginning: skip it up to its end. */
		nic->stats.bad_descriptors++;
		tx->in_packet = true;
		tx->bad = true;
		tx->len = 0;
	}
	if (tx->bad)
		return;
	if (!len || tx->len + len > TX_PACKET_MAX) {
		nic->stats.bad_descriptors++;
		tx->bad = true;
	} else if (!dma_read(&nic->dma, addr, tx->packet + tx->len, len)) {
		irq_raise(nic, INT_SYS_ERR);
		tx->bad = true;
	} else {
		tx->len += len;
	}
}

/* One descriptor. Return: was there one? */
static bool take_descriptor(struct nic *nic, u32 *packets)
{
	struct tx *tx = &nic->tx;
	u64 at = reg64(nic, REG_TX_DESC_LOW) + (u64)tx->index * DESC_SIZE;
	u8 *desc = dma_ptr(&nic->dma, at, DESC_SIZE, true);
	u32 opts1;

	if (!desc) {
		irq_raise(nic, INT_SYS_ERR);
		return false;
	}
	opts1 = le32toh(__atomic_load_n((u32 *)(void *)desc, __ATOMIC_ACQUIRE));
	if (!(opts1 & DESC_OWN))
		return false;
	take_fragment(nic, opts1, get_le32(desc + 4), get_le64(desc + 8));
	tx->index = opts1 & DESC_RING_END ? 0 : (tx->index + 1) % RING_MAX;
	if (opts1 & DESC_LAST) {
		if (!send_packet(nic))
			refuse(nic);
		tx->in_packet = false;
		(*packets)++;
	}
	/* The packet is sent, or copied to the wire's queue: the buffer is the driver's again. */
	__atomic_store_n((u32 *)(void *)desc, htole32(opts1 & ~DESC_OWN), __ATOMIC_RELEASE);
	return true;
}

bool tx_run(struct nic *nic)
{
	struct tx *tx = &nic->tx;
	u32 packets = 0;
	u32 i;

	tx->waiting_rate = false;
	if (!tx->pending)
		return false;
	if (!(nic->regs.bytes[REG_CHIP_CMD] & CMD_TX_ENABLE) || !pci_bus_master(nic)) {
		tx->pending = false;
		return false;
	}
	for (i = 0; i < RUN_DESCRIPTORS && tx->pending; i++) {
		if (wire_congested(&nic->wire))
			break;
		if (!rate_ready(&nic->tx_rate, nic->now)) {
			tx->waiting_rate = true;
			nic->stats.rate_waits++;
			break;
		}
		tx->pending = take_descriptor(nic, &packets);
	}
	wire_flush(nic);
	irq_tx_done(nic, packets);
	return tx->pending && !tx->waiting_rate && !wire_congested(&nic->wire);
}
