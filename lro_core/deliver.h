/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handing packets to the stack.
 */
#ifndef _XENLRO_DELIVER_H
#define _XENLRO_DELIVER_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

struct lro;

/**
 * lro_deliver() - put a packet at the end of the packets to deliver
 * @lro: context
 * @skb: packet; ownership passes
 */
void lro_deliver(struct lro *lro, struct sk_buff *skb);

/**
 * lro_deliver_ready() - hand all finished packets to the stack
 * @lro: context
 */
void lro_deliver_ready(struct lro *lro);

/**
 * lro_drain_gro() - make GRO deliver the packets that it holds for this NAPI instance
 * @napi: NAPI instance, being polled
 */
void lro_drain_gro(struct napi_struct *napi);

#endif /* _XENLRO_DELIVER_H */
