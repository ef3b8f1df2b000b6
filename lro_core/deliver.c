// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handing packets to the stack.
 *
 * Why a flow is never reordered: every TCP packet over IP that comes in goes
 * out through the one list here, in the order in which its flow delivers, and
 * none goes through GRO, which has lists of its own (aggregates it holds, and a
 * batch that it delivers later). Whether a packet is TCP over IP is written in
 * each packet of a flow, fragments included, so the packets of one flow all take
 * the same way. Packets of other protocols all go through GRO, and between flows
 * no order is promised. The two ways meet only when the mode changes; then
 * lro_begin() empties one before it opens the other.
 */
#include <linux/netdevice.h>
#include <net/busy_poll.h>
#include <net/gro.h>

#include "deliver.h"
#include "engine.h"

/*
 * As many as GRO collects. More would leave the first of them in a farther cache by the
 * time that the stack looks at them.
 */
#define READY_MAX	8

/*
 * Bytes of a packet that does not wait for others: it costs little to hand it over alone,
 * and its memory comes back before the cache has to make room for more.
 */
#define READY_ALONE	32768

void lro_deliver(struct lro *lro, struct sk_buff *skb)
{
	skb_mark_napi_id(skb, lro->napi);
	list_add_tail(&skb->list, &lro->ready);
	if (++lro->ready_count >= READY_MAX || skb->len >= READY_ALONE)
		lro_deliver_ready(lro);
}

void lro_deliver_ready(struct lro *lro)
{
	LIST_HEAD(list);

	if (!lro->ready_count)
		return;
	list_splice_init(&lro->ready, &list);
	lro->ready_count = 0;
	netif_receive_skb_list(&list);
}

void lro_drain_gro(struct napi_struct *napi)
{
	LIST_HEAD(list);

	napi_gro_flush(napi, false);
	list_splice_init(&xenlro_gro(napi)->rx_list, &list);
	xenlro_gro(napi)->rx_count = 0;
	if (!list_empty(&list))
		netif_receive_skb_list(&list);
}
