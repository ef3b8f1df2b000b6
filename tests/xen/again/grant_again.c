// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lets the hypervisor answer GNTST_eagain to copies that netback_lro makes in its poll, as it does
 * where memory of a guest is paged out. The copies have been made nevertheless; nothing else tells
 * them from such ones.
 *
 * Of each call the copies whose number is a multiple of the parameter `every` get that answer: with
 * 1 all, with 0 none.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <xen/interface/grant_table.h>

static unsigned int every = 3;
module_param(every, uint, 0644);
MODULE_PARM_DESC(every, "copies of each call that have to be made again: one of this number");

struct call {
	struct gnttab_copy *op;
	unsigned int num;
};

static int entered(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	struct call *call = (struct call *)instance->data;

	call->op = (void *)regs_get_kernel_argument(regs, 0);
	call->num = regs_get_kernel_argument(regs, 1);
	return 0;
}

static int returned(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct call *call = (struct call *)instance->data;
	unsigned int step = READ_ONCE(every), i;

	for (i = 0; step && i < call->num; i += step) {
		if (call->op[i].status == GNTST_okay)
			call->op[i].status = GNTST_eagain;
	}
	return 0;
}

static struct kretprobe copy = {
	.kp.symbol_name = "lro_grant_copy",
	.entry_handler = entered,
	.handler = returned,
	.data_size = sizeof(struct call),
	.maxactive = 16,
};

static int __init again_init(void)
{
	int err = register_kretprobe(&copy);

	if (err)
		pr_err("cannot probe lro_grant_copy (%d): is netback_lro loaded?\n", err);
	return err;
}
module_init(again_init);

static void __exit again_exit(void)
{
	unregister_kretprobe(&copy);
}
module_exit(again_exit);

MODULE_DESCRIPTION("makes grant copies of netback_lro fail");
MODULE_LICENSE("GPL");
