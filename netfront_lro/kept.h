/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that were to be sent when their backend went, and that it has not let go of. They are
 * freed when it does, and their grants end then.
 */
#ifndef _NETFRONT_LRO_KEPT_H
#define _NETFRONT_LRO_KEPT_H

#include <linux/skbuff.h>
#include <xen/interface/grant_table.h>

/**
 * lro_kept_add() - keep a packet as long as a grant of its memory is in use
 * @skb: packet; the caller's reference goes with the grant
 * @ref: grant that could not be ended
 *
 * Context: process.
 */
void lro_kept_add(struct sk_buff *skb, grant_ref_t ref);

/* The module goes: nothing looks after the grants that are left any more. */
void lro_kept_exit(void);

#endif /* _NETFRONT_LRO_KEPT_H */
