/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part that both liars share. Before each poll of the driver a liar changes one descriptor that
 * the NIC has written into the receive ring, as long as there are lies to tell. The parameter `lie`
 * takes a kind and a number, and shows the number of lies left.
 */
#ifndef LIAR_H
#define LIAR_H

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

/* The includer defines LIAR_POLL, the name of the driver's poll function. */

/*
 * The kinds of a driver, ended by NULL, and the function that tells a lie if there is a descriptor.
 */
static const char * const liar_kinds[];
static bool liar_lies(struct napi_struct *napi, unsigned int kind);

static unsigned int liar_kind;
static atomic_t liar_left = ATOMIC_INIT(0);

static int liar_set(const char *text, const struct kernel_param *kp)
{
	unsigned int count, kind;
	char name[16];

	if (sscanf(text, "%15s %u", name, &count) != 2)
		return -EINVAL;
	for (kind = 0; liar_kinds[kind]; kind++)
		if (!strcmp(name, liar_kinds[kind]))
			break;
	if (!liar_kinds[kind])
		return -EINVAL;
	liar_kind = kind;
	atomic_set_release(&liar_left, count);
	return 0;
}

static int liar_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&liar_left));
}

static const struct kernel_param_ops liar_ops = { .set = liar_set, .get = liar_get };
module_param_cb(lie, &liar_ops, NULL, 0644);

static int liar_before(struct kprobe *probe, struct pt_regs *regs)
{
	if (atomic_read_acquire(&liar_left) > 0 &&
	    liar_lies((struct napi_struct *)regs_get_kernel_argument(regs, 0), liar_kind))
		atomic_dec(&liar_left);
	return 0;
}

static struct kprobe liar_probe = { .pre_handler = liar_before, .symbol_name = LIAR_POLL };

static int __init liar_init(void)
{
	return register_kprobe(&liar_probe);
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	unregister_kprobe(&liar_probe);
}
module_exit(liar_exit);

MODULE_DESCRIPTION("Lies of a NIC");
MODULE_LICENSE("GPL");

#endif /* LIAR_H */
