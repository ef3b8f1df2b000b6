/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted igb calls; defined behind the driver's own code in rx.c. */
#ifndef _IGB_LRO_RX_H
#define _IGB_LRO_RX_H

#include <graft.h>

struct lro_igb {
	struct igb_adapter adapter;
	struct lro_graft graft;
};

static int lro_igb_poll(struct napi_struct *napi, int budget);
static void lro_igb_create(struct igb_q_vector *q_vector);
static void lro_igb_destroy(struct igb_q_vector *q_vector);
static void lro_igb_stop(struct igb_q_vector *q_vector);
static unsigned int lro_igb_size(struct igb_ring *ring, union e1000_adv_rx_desc *desc,
				 struct sk_buff **chain);
static bool lro_igb_offer(struct igb_q_vector *q_vector, const union e1000_adv_rx_desc *desc,
			  const void *frame, unsigned int size);
static void lro_igb_mapped(struct igb_ring *ring, struct page *page, dma_addr_t dma);
static bool lro_igb_is_synced(const struct igb_ring *ring);
static void lro_igb_receive(struct igb_q_vector *q_vector, struct sk_buff *skb);
static bool lro_igb_complete(struct napi_struct *napi, int done);

#endif /* _IGB_LRO_RX_H */
