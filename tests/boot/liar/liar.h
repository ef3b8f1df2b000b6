/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part that both liars share. Before each poll of the driver a liar changes one descriptor that
 * the NIC has written into the receive ring, as long as there are lies to tell. The parameter `lie`
 * takes a kind and a number, and shows the number of lies left.
 *
 * The parameter `polls` takes a number of polls that no interrupt asks for, one each 100 us,
 * in any state of the driver; it shows the number of polls left.
 */
#ifndef LIAR_H
#define LIAR_H

#include <linux/hrtimer.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>

#include <compat.h>

#define LIAR_PACE_NS	100000

/* The includer defines LIAR_POLL, the name of the driver's poll function. */

/*
 * The kinds of a driver, ended by NULL, and the function that tells a lie if there is a descriptor.
 */
static const char * const liar_kinds[];
static bool liar_lies(struct napi_struct *napi, unsigned int kind);

static unsigned int liar_kind;
static atomic_t liar_left = ATOMIC_INIT(0);

/* The instance that was polled last. */
static struct napi_struct *liar_napi;
static atomic_t liar_polls = ATOMIC_INIT(0);
static struct hrtimer liar_timer;

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

static int liar_set_polls(const char *text, const struct kernel_param *kp)
{
	unsigned int count;
	int err = kstrtouint(text, 0, &count);

	if (err)
		return err;
	hrtimer_cancel(&liar_timer);
	atomic_set(&liar_polls, count);
	hrtimer_start(&liar_timer, ns_to_ktime(LIAR_PACE_NS), HRTIMER_MODE_REL);
	return 0;
}

static int liar_get_polls(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", atomic_read(&liar_polls));
}

static enum hrtimer_restart liar_polls_now(struct hrtimer *timer)
{
	struct napi_struct *napi = READ_ONCE(liar_napi);

	if (napi)
		napi_schedule(napi);
	if (atomic_dec_if_positive(&liar_polls) <= 0)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(LIAR_PACE_NS));
	return HRTIMER_RESTART;
}

static const struct kernel_param_ops liar_ops = { .set = liar_set, .get = liar_get };
module_param_cb(lie, &liar_ops, NULL, 0644);
static const struct kernel_param_ops liar_polls_ops = {
	.set = liar_set_polls,
	.get = liar_get_polls,
};
module_param_cb(polls, &liar_polls_ops, NULL, 0644);

static int liar_before(struct kprobe *probe, struct pt_regs *regs)
{
	struct napi_struct *napi = (struct napi_struct *)regs_get_kernel_argument(regs, 0);

	WRITE_ONCE(liar_napi, napi);
	if (atomic_read_acquire(&liar_left) > 0 && liar_lies(napi, liar_kind))
		atomic_dec(&liar_left);
	return 0;
}

static struct kprobe liar_probe = { .pre_handler = liar_before, .symbol_name = LIAR_POLL };

static int __init liar_init(void)
{
	hrtimer_setup(&liar_timer, liar_polls_now, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	return register_kprobe(&liar_probe);
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	hrtimer_cancel(&liar_timer);
	unregister_kprobe(&liar_probe);
}
module_exit(liar_exit);

MODULE_DESCRIPTION("Lies of a NIC");
MODULE_LICENSE("GPL");

#endif /* LIAR_H */
