// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that a backend which has gone, or is no longer trusted, still has in use.
 *
 * The kernel's own gnttab_end_foreign_access() takes a reference to the page while it waits for
 * such a backend. That does not keep memory of kmalloc(): it would be used for something else, and
 * the backend could read that. A packet keeps its memory, and has a reference count of its own.
 */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <xen/grant_table.h>

#include "frame.h"
#include "kept.h"

/**
 * struct kept - a grant that is in use
 * @list: in kept_grants
 * @skb: the packet whose memory it is of
 * @ref: the grant
 */
struct kept {
	struct list_head list;
	struct sk_buff *skb;
	grant_ref_t ref;
};

static LIST_HEAD(kept_grants);
static DEFINE_SPINLOCK(kept_lock);

static void kept_look(struct work_struct *work);
static DECLARE_DELAYED_WORK(kept_work, kept_look);

/* Free what has been let go of. Return: how many grants are left. */
static unsigned int kept_try(void)
{
	struct kept *kept, *next;
	unsigned int left = 0;
	LIST_HEAD(tried);

	spin_lock(&kept_lock);
	list_splice_init(&kept_grants, &tried);
	spin_unlock(&kept_lock);
	list_for_each_entry_safe(kept, next, &tried, list) {
		if (!gnttab_try_end_foreign_access(kept->ref)) {
			left++;
			continue;
		}
		list_del(&kept->list);
		kfree_skb(kept->skb);
		kfree(kept);
	}
	spin_lock(&kept_lock);
	list_splice_tail_init(&tried, &kept_grants);
	spin_unlock(&kept_lock);
	return left;
}

static void kept_look(struct work_struct *work)
{
	if (kept_try())
		schedule_delayed_work(&kept_work, HZ);
}

void lro_kept_add(struct sk_buff *skb, grant_ref_t ref)
{
	struct kept *kept = kmalloc(sizeof(*kept), GFP_NOIO | __GFP_NOFAIL);

	/* Neither socket nor device nor connection has to wait for the backend. */
	if (!lro_frame_is(skb))
		skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb->dev = NULL;
	kept->skb = skb;
	kept->ref = ref;
	spin_lock(&kept_lock);
	list_add_tail(&kept->list, &kept_grants);
	spin_unlock(&kept_lock);
	schedule_delayed_work(&kept_work, HZ);
}

void lro_kept_exit(void)
{
	struct kept *kept, *next;
	unsigned int left;

	cancel_delayed_work_sync(&kept_work);
	left = kept_try();
	if (left)
		pr_warn("%s: memory of %u grants is lost, which the backend has not let go of\n",
			KBUILD_MODNAME, left);
	/* The packets stay: they must not be freed. */
	list_for_each_entry_safe(kept, next, &kept_grants, list) {
		list_del(&kept->list);
		kfree(kept);
	}
}
