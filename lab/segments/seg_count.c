// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts the segments in each packet that IP hands to TCP, merged by the engine or by GRO.
 *
 * The number of segments is the payload divided by gso_size: gso_segs would be the same number, but
 * the kernel's xen-netfront leaves it at 0. A packet without gso_size is one segment; a packet
 * without payload is not counted.
 *
 * /sys/module/seg_count/parameters/:
 *	counting	1: clear the counts, and begin; 0: end, and probe nothing
 *	port		packets to this TCP port only; 0: to any
 *	histogram	"SEGMENTS:PACKETS" for each number of segments that occurred, on one line
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/tcp.h>

/* 64 KiB in segments of 536 bytes are 122; larger numbers count as this one. */
#define SEGMENTS_MAX 128

struct histogram {
	u64 packets[SEGMENTS_MAX + 1];
};

static DEFINE_PER_CPU(struct histogram, histogram);
/* Held while counting begins and ends. */
static DEFINE_MUTEX(control);
static bool counting;

static ushort port;
module_param(port, ushort, 0644);
MODULE_PARM_DESC(port, "count packets to this TCP port only; 0: to any");

/* Runs with preemption off, in the receiving softirq; skb->data is at the TCP header. */
static int tcp_entered(struct kprobe *probe, struct pt_regs *regs)
{
	const struct sk_buff *skb = (void *)regs_get_kernel_argument(regs, 0);
	unsigned int size = skb_shinfo(skb)->gso_size;
	const struct tcphdr *header;
	unsigned int payload, segments;
	struct tcphdr copy;

	header = skb_header_pointer(skb, 0, sizeof(copy), &copy);
	if (!header || (port && header->dest != htons(port)) || skb->len <= header->doff * 4u)
		return 0;
	payload = skb->len - header->doff * 4u;
	segments = size ? DIV_ROUND_UP(payload, size) : 1;
	this_cpu_inc(histogram.packets[min(segments, SEGMENTS_MAX + 0u)]);
	return 0;
}

static struct kprobe probe;

static int begin(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&histogram, cpu), 0, sizeof(struct histogram));
	/* The fields that an earlier registration has set must be clear. */
	probe = (struct kprobe){ .symbol_name = "tcp_v4_rcv", .pre_handler = tcp_entered };
	err = register_kprobe(&probe);
	if (err)
		pr_err("cannot probe tcp_v4_rcv (%d): are kprobes off?\n", err);
	return err;
}

static int counting_set(const char *value, const struct kernel_param *kp)
{
	bool wanted;
	int err = kstrtobool(value, &wanted);

	if (err)
		return err;
	mutex_lock(&control);
	if (counting) {
		unregister_kprobe(&probe);
		counting = false;
	}
	if (wanted) {
		err = begin();
		counting = !err;
	}
	mutex_unlock(&control);
	return err;
}

static const struct kernel_param_ops counting_ops = {
	.set = counting_set,
	.get = param_get_bool,
};
module_param_cb(counting, &counting_ops, &counting, 0644);
MODULE_PARM_DESC(counting, "1: clear the counts, and begin; 0: end");

static int histogram_show(char *buffer, const struct kernel_param *kp)
{
	int segments, cpu, len = 0;

	for (segments = 1; segments <= SEGMENTS_MAX; segments++) {
		u64 packets = 0;

		for_each_possible_cpu(cpu)
			packets += per_cpu_ptr(&histogram, cpu)->packets[segments];
		if (packets)
			len += sysfs_emit_at(buffer, len, "%s%d:%llu", len ? " " : "", segments,
					     packets);
	}
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops histogram_ops = {
	.get = histogram_show,
};
module_param_cb(histogram, &histogram_ops, NULL, 0444);
MODULE_PARM_DESC(histogram, "packets by their segments, since counting began");

static int __init seg_count_init(void)
{
	return 0;
}
module_init(seg_count_init);

static void __exit seg_count_exit(void)
{
	if (counting)
		unregister_kprobe(&probe);
}
module_exit(seg_count_exit);

MODULE_DESCRIPTION("counts the segments in each packet that TCP receives");
MODULE_LICENSE("GPL");
