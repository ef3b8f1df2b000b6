// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies a known amount through the grant table, into and out of a page that this domain granted to
 * itself.
 *
 * Each of CALLS hypercalls holds TO_OPS copies into that page and FROM_OPS out of it, of different
 * lengths. Markers stand around all of them.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/grant_table.h>
#include <xen/page.h>

#include "measured.h"

#define CALLS		100
#define TO_OPS		3
#define TO_BYTES	1000
#define FROM_OPS	2
#define FROM_BYTES	50

static bool probed;
module_param(probed, bool, 0);
MODULE_PARM_DESC(probed, "which pair of markers to use");

static void fill(struct gnttab_copy *ops, grant_ref_t ref, unsigned long frame)
{
	memset(ops, 0, sizeof(*ops) * (TO_OPS + FROM_OPS));
	for (int i = 0; i < TO_OPS + FROM_OPS; i++) {
		bool to = i < TO_OPS;

		ops[i].source.domid = DOMID_SELF;
		ops[i].dest.domid = DOMID_SELF;
		ops[i].source.u.gmfn = frame;
		ops[i].dest.u.gmfn = frame;
		ops[i].len = to ? TO_BYTES : FROM_BYTES;
		ops[i].flags = to ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
		if (to)
			ops[i].dest.u.ref = ref;
		else
			ops[i].source.u.ref = ref;
	}
}

static int copy_all(unsigned long granted, unsigned long own, struct gnttab_copy *ops)
{
	int ref = gnttab_grant_foreign_access(0, virt_to_gfn((void *)granted), 0);

	if (ref < 0)
		return ref;
	if (probed)
		MARKER(33);
	else
		MARKER(31);
	for (int call = 0; call < CALLS; call++) {
		fill(ops, ref, virt_to_gfn((void *)own));
		gnttab_batch_copy(ops, TO_OPS + FROM_OPS);
	}
	if (probed)
		MARKER(34);
	else
		MARKER(32);
	for (int i = 0; i < TO_OPS + FROM_OPS; i++)
		if (ops[i].status != GNTST_okay)
			pr_err("copies: operation %d ended with %d\n", i, ops[i].status);
	gnttab_end_foreign_access_ref(ref);
	return -ECANCELED;
}

static int __init copies_init(void)
{
	unsigned long granted = __get_free_page(GFP_KERNEL), own = __get_free_page(GFP_KERNEL);
	struct gnttab_copy *ops = kcalloc(TO_OPS + FROM_OPS, sizeof(*ops), GFP_KERNEL);
	int err = -ENOMEM;

	if (granted && own && ops)
		err = copy_all(granted, own, ops);
	kfree(ops);
	free_page(own);
	free_page(granted);
	return err;
}
module_init(copies_init);

MODULE_DESCRIPTION("executes what the grant copy counter is measured against");
MODULE_LICENSE("GPL");
