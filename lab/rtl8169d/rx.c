// SPDX-License-Identifier: GPL-2.0-only
/* Receive ring. */
#include "filter.h"
#include "nic.h"
#include "offload.h"

/* A driver returns descriptors without a doorbell: look again after this time. */
#define RETRY_NS	(400 * NSEC_PER_USEC)

/* A frame that needs more descriptors than this has absurdly small buffers. */
#define PARTS_MAX	64

/* Receive descriptors that one frame will fill. */
struct rx_parts {
	struct {
		u8 *desc;
		u64 addr;
		u32 size;
		u32 opts1;
	} part[PARTS_MAX];
	u32 count;
	u32 next;		/* ring index behind them */
};

enum rx_space {
	SPACE_OK,
	SPACE_EMPTY, /* a descriptor still belongs to the driver */
	SPACE_BAD, /* malformed, or outside guest memory; .part[0 .. count-1] must be returned */
};

void rx_reset(struct nic *nic)
{
	nic->rx.index = 0;
	nic->rx.ahead = 0;
	nic->rx.starved = false;
	rx_changed(nic);
}

void rx_changed(struct nic *nic)
{
	if (nic->rx.retry_at)
		nic->rx.retry_at = nic->now;
}

bool rx_waiting(const struct nic *nic)
{
	return nic->rx.retry_at > nic->now;
}

void rx_deadline(const struct nic *nic, u64 *next)
{
	earliest(next, nic->rx.retry_at);
}

static void resume(struct nic *nic)
{
	struct rx *rx = &nic->rx;

	rx->starved = false;
	rx->retry_at = 0;
	if (rx->paused_since) {
		u64 now = now_ns();

		nic->stats.wire_paused_ns += now - rx->paused_since;
		rx->paused_since = 0;
	}
}

void rx_settle(struct nic *nic)
{
	if (nic->rx.retry_at && !rx_waiting(nic))
		resume(nic);
}

/* Collect descriptors for @len bytes, from ring index @from on. */
static enum rx_space collect(struct nic *nic, u32 from, u32 len, struct rx_parts *parts)
{
	u64 base = reg64(nic, REG_RX_DESC_LOW);
	u32 left = len;

	parts->count = 0;
	parts->next = from;
	while (left) {
		u8 *desc = dma_ptr(&nic->dma, base + (u64)parts->next * DESC_SIZE, DESC_SIZE, true);
		u32 opts1, size;

		if (!desc) {
			irq_raise(nic, INT_SYS_ERR);
			return SPACE_BAD;
		}
		opts1 = le32toh(__atomic_load_n((u32 *)(void *)desc, __ATOMIC_ACQUIRE));
		if (!(opts1 & DESC_OWN))
			return SPACE_EMPTY;
		size = opts1 & RXD_LEN_MASK;
		if (size > left)
			size = left;
		parts->part[parts->count].desc = desc;
		parts->part[parts->count].addr = get_le64(desc + 8);
		parts->part[parts->count].size = size;
		parts->part[parts->count].opts1 = opts1;
		parts->next = opts1 & DESC_RING_END ? 0 : (parts->next + 1) % RING_MAX;
		parts->count++;
		if (!size || (parts->count == PARTS_MAX && size < left)) {
			nic->stats.bad_descriptors++;
			return SPACE_BAD;
		}
		if (!dma_ok(&nic->dma, parts->part[parts->count - 1].addr, size, true)) {
			irq_raise(nic, INT_SYS_ERR);
			return SPACE_BAD;
		}
		left -= size;
	}
	return SPACE_OK;
}

static void give_back(struct nic *nic, const struct rx_parts *parts, u32 index, u32 status,
		      u32 opts2)
{
	u8 *desc = parts->part[index].desc;
	u32 end = parts->part[index].opts1 & DESC_RING_END;

	(void)nic;
	put_le32(desc + 4, opts2);
	__atomic_store_n((u32 *)(void *)desc, htole32(end | status), __ATOMIC_RELEASE);
}

/* Go on behind these descriptors. */
static void advance(struct nic *nic, const struct rx_parts *parts)
{
	struct rx *rx = &nic->rx;

	rx->index = rx->ahead ? rx->ahead - 1 : parts->next;
	rx->ahead = 0;
}

/*
 * Refuse a frame: its descriptors return as errors, so that the ring does not stall, and the frame
 * is lost.
 */
static void refuse(struct nic *nic, const struct rx_parts *parts)
{
	u32 i;

	for (i = 0; i < parts->count; i++)
		give_back(nic, parts, i, DESC_FIRST | DESC_LAST | RXD_ERROR, 0);
	advance(nic, parts);
	nic->stats.rx_errors++;
	nic->tally.rx_errors++;
	irq_raise(nic, INT_RX_ERR);
}

static void fill(struct nic *nic, const struct rx_parts *parts, const u8 *data, u32 len,
		 u32 padding, u32 status, u32 opts2)
{
	static const u8 zeros[ETH_MIN_FRAME + ETH_FCS];
	u32 done = 0;
	u32 i;

	for (i = 0; i < parts->count; i++) {
		u64 addr = parts->part[i].addr;
		u32 size = parts->part[i].size;
		u32 copy = done < len ? len - done : 0;

		if (copy > size)
			copy = size;
		/* collect() found all of it accessible, and mappings change only between frames. */
		dma_write(&nic->dma, addr, data + done, copy);
		dma_write(&nic->dma, addr + copy, zeros, size - copy);
		done += size;
	}
	/* Backwards, so that the guest cannot see the first part before the last is there. */
	for (i = parts->count; i-- > 0;) {
		u32 opts1 = status;

		if (i == 0)
			opts1 |= DESC_FIRST;
		if (i == parts->count - 1)
			opts1 |= DESC_LAST | (len + padding + ETH_FCS);
		else
			opts1 |= parts->part[i].size;
		if (parts->count == 1)
			opts1 = fault_status(nic, opts1);
		give_back(nic, parts, i, opts1, i == 0 || i == parts->count - 1 ? opts2 : 0);
	}
}

/*
 * A lie about ownership needs two descriptors, each with room for any frame, so that no frame needs
 * both.
 */
static bool have_two(struct nic *nic, u32 size, const struct rx_parts *parts,
		     struct rx_parts *behind)
{
	return !nic->rx.ahead && collect(nic, parts->next, size, behind) == SPACE_OK &&
	       (parts->part[0].opts1 & RXD_LEN_MASK) >= FRAME_MAX + ETH_FCS &&
	       (behind->part[0].opts1 & RXD_LEN_MASK) >= FRAME_MAX + ETH_FCS;
}

/* Put a frame into its place in the ring, or into the place of a lie. */
static void put(struct nic *nic, const struct rx_parts *parts, const u8 *data, u32 len,
		u32 padding, u32 status, u32 opts2)
{
	enum owner_lie lie = OWNER_TRUTH;
	u32 size = len + padding + ETH_FCS;
	struct rx_parts behind;

	if (fault_owner_due(nic) && have_two(nic, size, parts, &behind))
		lie = fault_owner(nic);
	switch (lie) {
	case OWNER_TRUTH:
		fill(nic, parts, data, len, padding, status, opts2);
		advance(nic, parts);
		break;
	case OWNER_SKIP:
		fill(nic, &behind, data, len, padding, status, opts2);
		nic->rx.ahead = behind.next + 1;
		break;
	case OWNER_EMPTY:
		fill(nic, parts, data, len, padding, status, opts2);
		give_back(nic, &behind, 0, status | DESC_FIRST | DESC_LAST | size, opts2);
		advance(nic, &behind);
		break;
	}
}

static u32 address_status(struct nic *nic, const u8 *frame)
{
	switch (filter_class(frame)) {
	case ADDRESS_BROADCAST:
		nic->stats.rx_broadcast++;
		nic->tally.rx_broadcast++;
		return RXD_BROADCAST;
	case ADDRESS_MULTICAST:
		nic->stats.rx_multicast++;
		nic->tally.rx_multicast++;
		return RXD_MULTICAST;
	case ADDRESS_UNICAST:
		break;
	}
	nic->stats.rx_unicast++;
	nic->tally.rx_unicast++;
	return RXD_PHYSICAL;
}

/* Checksum status bits; the 8169 knows IPv4 only. */
static u32 checksum_status(struct nic *nic, const u8 *frame, u32 len, u32 *opts2)
{
	struct rx_verdict v = offload_check(frame, len);
	u32 status = 0;

	if (v.ipv6 && !nic->chip->new_layout)
		return 0;
	if (v.tcp)
		status = RXD_PROTO_TCP | (v.l4_bad ? RXD_TCP_FAIL : 0);
	else if (v.udp)
		status = RXD_PROTO_UDP | (v.l4_bad ? RXD_UDP_FAIL : 0);
	else if (v.ipv4)
		status = RXD_PROTO_IP;
	if (v.ip_bad)
		status |= RXD_IP_FAIL;
	if (nic->chip->new_layout)
		*opts2 |= (v.ipv4 ? RXD2_IPV4 : 0) | (v.ipv6 ? RXD2_IPV6 : 0);
	if (v.ip_bad || v.l4_bad)
		nic->stats.rx_csum_bad++;
	else if (v.l4_checked)
		nic->stats.rx_csum_good++;
	return status;
}

/* The ring is empty. Return: whether the frame was dropped. */
static bool starve(struct nic *nic)
{
	struct rx *rx = &nic->rx;

	if (!rx->starved) {
		rx->starved = true;
		irq_raise(nic, INT_RX_UNAVAILABLE);
	}
	if (nic->pause) {
		if (!rx->paused_since) {
			rx->paused_since = now_ns();
			nic->stats.wire_pauses++;
		}
		rx->retry_at = now_ns() + RETRY_NS;
		return false;
	}
	nic->stats.rx_missed++;
	nic->tally.rx_missed++;
	put_le32(&nic->regs.bytes[REG_RX_MISSED],
		 (get_le32(&nic->regs.bytes[REG_RX_MISSED]) + 1) & 0xffffff);
	return true;
}

/* Counter of the reason for which a frame cannot be received, or NULL. */
static u64 *rejected(struct nic *nic, const u8 *frame, u32 len)
{
	struct stats *stats = &nic->stats;
	u32 limit = reg16(nic, REG_RX_MAX_SIZE) & RXD_LEN_MASK;

	if (!nic->phy.link)
		return &stats->rx_link_down;
	if (!(nic->regs.bytes[REG_CHIP_CMD] & CMD_RX_ENABLE) || !pci_bus_master(nic))
		return &stats->rx_disabled;
	if (len < ETH_HEADER)
		return &stats->rx_runt;
	/* The 14-bit limit counts the FCS; 0 means the largest. */
	if (len > FRAME_MAX || (limit && len + ETH_FCS > limit))
		return &stats->rx_too_long;
	if (!filter_accepts(nic, frame))
		return &stats->rx_filtered;
	return NULL;
}

bool rx_frame(struct nic *nic, const u8 *frame, u32 len)
{
	u64 *reason = rejected(nic, frame, len);
	u16 cplus = reg16(nic, REG_CPLUS_CMD);
	u8 untagged[FRAME_MAX];
	struct rx_parts parts;
	const u8 *data = frame;
	u32 data_len = len;
	u32 padding, status, opts2 = 0;

	if (reason) {
		(*reason)++;
		resume(nic);
		return true;
	}
	if ((cplus & CPLUS_RX_VLAN) && len >= ETH_HEADER + ETH_VLAN_TAG &&
	    get_be16(frame + 12) == 0x8100) {
		/* The tag goes into opts2 in network order. */
		opts2 = RXD2_VLAN | get_le16(frame + 14);
		memcpy(untagged, frame, 12);
		memcpy(untagged + 12, frame + 16, len - 16);
		data = untagged;
		data_len = len - ETH_VLAN_TAG;
	}
	padding = data_len < ETH_MIN_FRAME ? ETH_MIN_FRAME - data_len : 0;
	switch (collect(nic, nic->rx.index, data_len + padding + ETH_FCS, &parts)) {
	case SPACE_EMPTY:
		return starve(nic);
	case SPACE_BAD:
		refuse(nic, &parts);
		resume(nic);
		return true;
	case SPACE_OK:
		break;
	}
	resume(nic);
	status = address_status(nic, frame);
	if (cplus & CPLUS_RX_CSUM)
		status |= checksum_status(nic, data, data_len, &opts2);
	put(nic, &parts, data, data_len, padding, status, opts2);
	if (opts2 & RXD2_VLAN)
		nic->stats.rx_vlan_stripped++;
	if (padding)
		nic->stats.rx_padded++;
	nic->stats.rx_frames++;
	nic->stats.rx_bytes += len;
	nic->tally.rx_ok++;
	nic->rx.unreported++;
	return true;
}

void rx_flush(struct nic *nic)
{
	irq_rx_done(nic, nic->rx.unreported);
	nic->rx.unreported = 0;
}
