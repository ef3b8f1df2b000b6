// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices through which packets leave, port0 and port1. They can whatever ethtool says.
 *
 * Each compares what it is to transmit with what came in: an aggregate is cut up first, by
 * a segmentation that is not the kernel's.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/if_vlan.h>

#include <compat.h>

#include "consumers.h"
#include "gso.h"
#include "wire.h"

#define OFFERED	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_FRAGLIST | NETIF_F_ALL_TSO | \
		 NETIF_F_HIGHDMA | NETIF_F_HW_VLAN_CTAG_TX)
#define SPACE	(70 * 1024)

/**
 * struct port - a device
 * @dev: device
 * @next: which frame of the flight has to come next
 */
struct port {
	struct net_device *dev;
	unsigned int next;
};

static struct port ports[PORTS];
static u8 *space, *cut, one[FRAME_MAX];
/* Both ports use what is above. */
static DEFINE_SPINLOCK(lock);

void port_begin(void)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		ports[i].next = 0;
}

unsigned int port_seen(void)
{
	unsigned int i, seen = UINT_MAX;

	for (i = 0; i < consumers_row->ports; i++)
		seen = min(seen, READ_ONCE(ports[i].next));
	return seen;
}

static unsigned int tcp_at(const u8 *frame)
{
	return WIRE_ETH + (wire_is_v6(frame) ? WIRE_V6 : WIRE_V4);
}

/* Is it a segment of ours? @frame is without a tag and without what a tunnel added. */
static bool is_ours(const u8 *frame, unsigned int len)
{
	const u8 *ip = frame + WIRE_ETH;
	unsigned int tcp;

	if (len < WIRE_ETH + WIRE_V4 || (ip[0] >> 4 != 4 && ip[0] >> 4 != 6))
		return false;
	tcp = WIRE_ETH + (ip[0] >> 4 == 6 ? WIRE_V6 : WIRE_V4);
	return len >= tcp + WIRE_TCP && (ip[0] >> 4 == 6 ? ip[6] : ip[9]) == IPPROTO_TCP &&
	       wire_get16(frame + tcp + 2) == DPORT;
}

/* Bytes up to the end of the IP packet. */
static unsigned int ip_end(const u8 *frame)
{
	const u8 *ip = frame + WIRE_ETH;

	return WIRE_ETH + (ip[0] >> 4 == 6 ? WIRE_V6 + wire_get16(ip + 4) : wire_get16(ip + 2));
}

static bool checksums_are_right(const u8 *frame, unsigned int len)
{
	unsigned int tcp = tcp_at(frame), tcp_len = len - tcp;
	const u8 *ip = frame + WIRE_ETH;

	if (!wire_is_v6(frame) && (wire_fold(wire_sum(ip, WIRE_V4, 0)) ||
				   wire_get16(ip + 2) != len - WIRE_ETH))
		return false;
	return !wire_fold(wire_sum(frame + tcp, tcp_len, wire_pseudo(frame, tcp_len)));
}

/* Take back what the consumer has to change; returns false when it has not done so. */
static bool take_back(u8 *frame, const u8 *want, unsigned int len)
{
	const struct row *row = consumers_row;
	bool v6 = wire_is_v6(want);
	u8 *ip = frame + WIRE_ETH;
	const u8 *to = want + WIRE_ETH;
	unsigned int ttl = v6 ? 7 : 8, dst = v6 ? 24 : 16, dst_len = v6 ? 16 : 4;

	/* A bridge that sends a packet elsewhere writes the address of that. */
	if (!row->bridged || row->dst)
		memcpy(frame, want, WIRE_ETH);
	if (ip[ttl] != to[ttl] - row->ttl)
		return false;
	ip[ttl] = to[ttl];
	if (row->dst) {
		if (!memcmp(ip + dst, to + dst, dst_len))
			return false;
		memcpy(ip + dst, to + dst, dst_len);
	}
	if (row->tos) {
		if (!memcmp(ip, to, 2))
			return false;
		memcpy(ip, to, 2);
	}
	if (!v6)
		wire_check_ip(ip);
	wire_check_tcp(frame, tcp_at(want), len - tcp_at(want));
	return true;
}

static unsigned int first_difference(const u8 *a, const u8 *b)
{
	unsigned int i = 0;

	while (a[i] == b[i])
		i++;
	return i;
}

void port_compare(unsigned int n, const u8 *data, unsigned int len, u16 tag)
{
	const struct flight *flight = consumers_flight;
	struct port *port = &ports[n];
	const struct frame *want;
	unsigned int at = consumers_row->at;

	if (len < at)
		return;
	len -= at - WIRE_ETH;
	if (len > SPACE)
		return;
	memcpy(cut, data + at - WIRE_ETH, len);
	if (!is_ours(cut, len))
		return;
	if (consumers_row->trailer)
		len = min(len, ip_end(cut));
	if (port->next >= flight->count) {
		consumers_fault("port%u: more segments leave than came", n);
		return;
	}
	want = &flight->frame[port->next];
	WRITE_ONCE(port->next, port->next + 1);
	/* A tunnel for IP alone has no Ethernet header of its own inside. */
	if (!consumers_row->bridged)
		memcpy(cut, want->data, WIRE_ETH);
	if (tag != consumers_row->out)
		consumers_fault("port%u: segment %u has tag %u", n, port->next - 1, tag);
	else if (len != want->len)
		consumers_fault("port%u: segment %u has %u bytes, not %u", n, port->next - 1, len,
				want->len);
	else if (!checksums_are_right(cut, len))
		consumers_fault("port%u: segment %u has a wrong checksum or length", n,
				port->next - 1);
	else if (!take_back(cut, want->data, len))
		consumers_fault("port%u: segment %u is not changed as it has to be", n,
				port->next - 1);
	else if (memcmp(cut, want->data, len))
		consumers_fault("port%u: segment %u differs at byte %u", n, port->next - 1,
				first_difference(cut, want->data));
}

/* Does the device get what it can do? */
static void check_offload(unsigned int n, const struct sk_buff *skb, netdev_features_t features)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	const struct net_device *dev = skb->dev;
	const struct sk_buff *member;

	if (skb_is_nonlinear(skb) && !(features & NETIF_F_SG))
		consumers_fault("port%u: fragments without scatter-gather", n);
	if (skb_has_frag_list(skb) && !(features & NETIF_F_FRAGLIST))
		consumers_fault("port%u: a frag_list that it does not take", n);
	if (skb->ip_summed == CHECKSUM_PARTIAL && !(features & NETIF_F_HW_CSUM))
		consumers_fault("port%u: a checksum is left to be computed", n);
	skb_walk_frags(skb, member)
		if (skb_shinfo(member)->nr_frags > MAX_SKB_FRAGS)
			consumers_fault("port%u: too many fragments", n);
	if (!skb_is_gso(skb))
		return;
	if (!net_gso_ok(features, info->gso_type))
		consumers_fault("port%u: segmentation 0x%x that it does not do", n,
				info->gso_type);
	if (skb->len > dev->gso_max_size || info->gso_segs > dev->gso_max_segs)
		consumers_fault("port%u: %u bytes in %u segments are more than it takes", n,
				skb->len, info->gso_segs);
}

/* What a device computes for itself. */
static bool complete_checksum(unsigned int n, const struct sk_buff *skb, u8 *frame)
{
	unsigned int start = skb_checksum_start_offset(skb);

	if (start + WIRE_TCP > skb->len) {
		consumers_fault("port%u: the checksum begins at byte %u", n, start);
		return false;
	}
	wire_put16(frame + start + skb->csum_offset,
		   wire_fold(wire_sum(frame + start, skb->len - start, 0)));
	return true;
}

static void transmit_aggregate(unsigned int n, const struct sk_buff *skb, u16 tag)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	struct segment seg;
	unsigned int i;

	if (skb_checksum_start_offset(skb) != tcp_at(space) || skb->csum_offset != 16)
		consumers_fault("port%u: the checksum of an aggregate begins elsewhere", n);
	for (i = 0; segment_cut(space, skb->len, info->gso_size, segment_kind(skb), i, &seg); i++) {
		if (seg.hdr_len + seg.payload_len > sizeof(one)) {
			consumers_fault("port%u: segments of %u bytes", n, seg.payload_len);
			return;
		}
		memcpy(one, seg.hdr, seg.hdr_len);
		memcpy(one + seg.hdr_len, seg.payload, seg.payload_len);
		port_compare(n, one, seg.hdr_len + seg.payload_len, tag);
	}
	if (i != info->gso_segs)
		consumers_fault("port%u: %u segments in an aggregate that says %u", n, i,
				info->gso_segs);
}

/* Tag in the frame, which is taken out of it. */
static u16 untag(u8 *frame, unsigned int *len)
{
	u16 tag;

	if (*len < WIRE_ETH + VLAN_HLEN || wire_get16(frame + 12) != ETH_P_8021Q)
		return 0;
	tag = wire_get16(frame + 14);
	*len -= VLAN_HLEN;
	memmove(frame + 12, frame + 12 + VLAN_HLEN, *len - 12);
	return tag;
}

static void transmit(unsigned int n, const struct sk_buff *skb)
{
	u16 tag = skb_vlan_tag_present(skb) ? skb_vlan_tag_get(skb) : 0;
	unsigned int len = skb->len;

	if (len > SPACE || skb_copy_bits(skb, 0, space, len))
		return;
	check_offload(n, skb, ports[n].dev->features);
	if (skb_is_gso(skb) && is_ours(space, len)) {
		transmit_aggregate(n, skb, tag);
		return;
	}
	if (skb->ip_summed == CHECKSUM_PARTIAL && !complete_checksum(n, skb, space))
		return;
	port_compare(n, space, len, tag ?: untag(space, &len));
}

static netdev_tx_t port_transmit(struct sk_buff *skb, struct net_device *dev)
{
	spin_lock_bh(&lock);
	if (consumers_row)
		transmit(dev == ports[1].dev, skb);
	spin_unlock_bh(&lock);
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops port_ops = {
	.ndo_start_xmit		= port_transmit,
	.ndo_set_mac_address	= eth_mac_addr,
};

static int create(struct port *port, const char *name, u8 last)
{
	int err;

	port->dev = alloc_etherdev(0);
	if (!port->dev)
		return -ENOMEM;
	strscpy(port->dev->name, name, IFNAMSIZ);
	port->dev->netdev_ops = &port_ops;
	port->dev->hw_features = OFFERED;
	port->dev->vlan_features = OFFERED & ~NETIF_F_HW_VLAN_CTAG_TX;
	port->dev->hw_enc_features = NETIF_F_SG | NETIF_F_HW_CSUM;
	port->dev->max_mtu = 9000;
	eth_hw_addr_set(port->dev, (const u8 []){ 2, 0, 0, 0, 'p', last });
	err = register_netdev(port->dev);
	if (err) {
		free_netdev(port->dev);
		port->dev = NULL;
	}
	return err;
}

int port_setup(void)
{
	space = kvmalloc(SPACE, GFP_KERNEL);
	cut = kvmalloc(SPACE, GFP_KERNEL);
	if (!space || !cut)
		return -ENOMEM;
	return create(&ports[0], "port0", 0) ?: create(&ports[1], "port1", 1);
}

void port_unregister(struct list_head *list)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		if (ports[i].dev)
			unregister_netdevice_queue(ports[i].dev, list);
}

void port_remove(void)
{
	unsigned int i;

	for (i = 0; i < PORTS; i++)
		if (ports[i].dev)
			free_netdev(ports[i].dev);
	kvfree(space);
	kvfree(cut);
}
