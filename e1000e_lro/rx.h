/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted e1000e calls; defined behind the driver's own code in rx.c. */
#ifndef _E1000E_LRO_RX_H
#define _E1000E_LRO_RX_H

#include <graft.h>

struct lro_e1000 {
	struct e1000_adapter adapter;
	struct lro_graft graft;
};

static void lro_e1000_create(struct net_device *dev);
static int lro_e1000_poll(struct napi_struct *napi, int budget);
static void lro_e1000_destroy(struct net_device *dev);
static void lro_e1000_stop(struct e1000_adapter *adapter);
static bool lro_e1000_is_done(const struct e1000_buffer *buffer, u32 staterr);
static bool lro_e1000_takes(struct e1000_ring *ring, const union e1000_rx_desc_extended *desc,
			    struct e1000_buffer *buffer, const struct sk_buff *skb, u32 staterr,
			    unsigned int *packets, unsigned int *bytes);
static void lro_e1000_map(struct e1000_adapter *adapter, struct e1000_buffer *buffer, void *data);
static bool lro_e1000_split_is_broken(struct e1000_adapter *adapter,
				      const union e1000_rx_desc_packet_split *desc, u32 staterr);
static void lro_e1000_receive(struct e1000_adapter *adapter, struct sk_buff *skb);
static bool lro_e1000_complete(struct napi_struct *napi, int done);

#endif /* _E1000E_LRO_RX_H */
