// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the grant copies that a Xen back end asks the hypervisor for, without changing it.
 *
 * Each copy passes gnttab_batch_copy(), or netback_lro's lro_grant_copy() if that module was
 * loaded before this one. One call is one hypercall, with one operation per contiguous piece of
 * memory; a copy that the hypervisor asks to retry is not counted twice. All
 * callers are counted; besides netback that is only gntdev, for programs that copy by ioctl.
 *
 * /sys/module/grant_count/parameters/counters shows the counts since loading, or since "reset" was
 * written to it, as one line of JSON.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <xen/interface/grant_table.h>

/**
 * struct way - copies in one direction
 * @calls: hypercalls that held at least one operation of this direction
 * @ops: copy operations
 * @bytes: bytes that they copied
 */
struct way {
	u64 calls;
	u64 ops;
	u64 bytes;
};

/**
 * struct counters - the counts
 * @calls: hypercalls
 * @to_guest: copies into memory that another domain granted
 * @from_guest: copies out of memory that another domain granted
 */
struct counters {
	u64 calls;
	struct way to_guest;
	struct way from_guest;
};

static DEFINE_PER_CPU(struct counters, counters);

/* Subtracted from the counts when they are shown, so that a reset never races with counting. */
static struct counters baseline;
static DEFINE_MUTEX(baseline_lock);

static void way_add(struct way *to, const struct way *from)
{
	to->calls += from->calls;
	to->ops += from->ops;
	to->bytes += from->bytes;
}

static void way_subtract(struct way *from, const struct way *amount)
{
	from->calls -= amount->calls;
	from->ops -= amount->ops;
	from->bytes -= amount->bytes;
}

static void counters_sum(struct counters *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct counters *one = per_cpu_ptr(&counters, cpu);

		sum->calls += one->calls;
		way_add(&sum->to_guest, &one->to_guest);
		way_add(&sum->from_guest, &one->from_guest);
	}
}

/* Runs with preemption off, in the thread of the back end or in softirq. */
static int batch_copy_entered(struct kprobe *probe, struct pt_regs *regs)
{
	const struct gnttab_copy *op = (void *)regs_get_kernel_argument(regs, 0);
	unsigned int count = regs_get_kernel_argument(regs, 1);
	const struct gnttab_copy *end = op + count;
	struct counters *mine = this_cpu_ptr(&counters);
	struct way to = {}, from = {};

	for (; op < end; op++) {
		/* A copy between two granted pages is a copy to a guest, too. */
		struct way *way = op->flags & GNTCOPY_dest_gref ? &to : &from;

		way->calls = 1;
		way->ops++;
		way->bytes += op->len;
	}
	mine->calls++;
	way_add(&mine->to_guest, &to);
	way_add(&mine->from_guest, &from);
	return 0;
}

static struct kprobe batch_copy = {
	.symbol_name = "gnttab_batch_copy",
	.pre_handler = batch_copy_entered,
};

static struct kprobe netback_copy = {
	.symbol_name = "lro_grant_copy",
	.pre_handler = batch_copy_entered,
};

static bool netback_counted;

static int way_show(char *buffer, int at, const char *name, const struct way *way)
{
	return sysfs_emit_at(buffer, at,
			     ",\"%s\":{\"hypercalls\":%llu,\"ops\":%llu,\"bytes\":%llu}", name,
			     way->calls, way->ops, way->bytes);
}

static int counters_show(char *buffer, const struct kernel_param *kp)
{
	struct counters now;
	int len;

	mutex_lock(&baseline_lock);
	counters_sum(&now);
	now.calls -= baseline.calls;
	way_subtract(&now.to_guest, &baseline.to_guest);
	way_subtract(&now.from_guest, &baseline.from_guest);
	mutex_unlock(&baseline_lock);

	len = sysfs_emit(buffer, "{\"hypercalls\":%llu", now.calls);
	len += way_show(buffer, len, "to_guest", &now.to_guest);
	len += way_show(buffer, len, "from_guest", &now.from_guest);
	len += sysfs_emit_at(buffer, len, "}\n");
	return len;
}

static int counters_reset(const char *value, const struct kernel_param *kp)
{
	if (!sysfs_streq(value, "reset"))
		return -EINVAL;
	mutex_lock(&baseline_lock);
	counters_sum(&baseline);
	mutex_unlock(&baseline_lock);
	return 0;
}

static const struct kernel_param_ops counters_ops = {
	.set = counters_reset,
	.get = counters_show,
};
module_param_cb(counters, &counters_ops, NULL, 0644);
MODULE_PARM_DESC(counters, "grant copies since loading; write \"reset\" to start at zero");

static int __init grant_count_init(void)
{
	int err = register_kprobe(&batch_copy);

	if (err) {
		pr_err("cannot probe gnttab_batch_copy (%d): are kprobes off?\n", err);
		return err;
	}
	/* There is no such function without that module. */
	netback_counted = !register_kprobe(&netback_copy);
	return 0;
}
module_init(grant_count_init);

static void __exit grant_count_exit(void)
{
	if (netback_counted)
		unregister_kprobe(&netback_copy);
	unregister_kprobe(&batch_copy);
}
module_exit(grant_count_exit);

MODULE_DESCRIPTION("counts the grant copies of Xen back ends");
MODULE_LICENSE("GPL");
