/* SPDX-License-Identifier: GPL-2.0-only */
/* What the grafted igc calls; defined behind the driver's own code in rx.c. */
#ifndef _IGC_LRO_RX_H
#define _IGC_LRO_RX_H

#include <graft.h>

struct lro_igc {
	struct igc_adapter adapter;
	struct lro_graft graft;
};

static int lro_igc_poll(struct napi_struct *napi, int budget);
static void lro_igc_create(struct igc_q_vector *q_vector);
static void lro_igc_destroy(struct igc_q_vector *q_vector);
static void lro_igc_stop(struct igc_q_vector *q_vector);
static void lro_igc_off(struct igc_ring *ring);
static void lro_igc_on(struct igc_ring *ring);
static unsigned int lro_igc_size(struct igc_ring *ring, union igc_adv_rx_desc *desc,
				 struct sk_buff **chain);
static bool lro_igc_offer(struct igc_q_vector *q_vector, const union igc_adv_rx_desc *desc,
			  const void *frame, unsigned int size);
static void lro_igc_mapped(struct igc_ring *ring, struct page *page, dma_addr_t dma);
static bool lro_igc_is_synced(const struct igc_ring *ring);
static void lro_igc_receive(struct igc_q_vector *q_vector, struct sk_buff *skb);
static bool lro_igc_complete(struct napi_struct *napi, int done);

#endif /* _IGC_LRO_RX_H */
