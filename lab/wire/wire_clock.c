// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells the emulated NIC the time of this machine, so that the frames that the NIC makes come at
 * the rate of the wire by this machine's clock. Measures by the same clock the time of each frame
 * up to the interface that drops it.
 *
 * While the module is loaded, a thread that gives way to all others repeatedly writes the time to a
 * register of the NIC (see lab/rtl8169d/README.md), and waits until the NIC has sent the frames
 * that are due. So the machine is never idle: instructions take all of its time, and no time passes
 * while the NIC works. Frames that become due while the machine is busy come when it is not busy
 * any more.
 *
 * An interrupt of the NIC takes its way through two processes, which other work on their machine
 * may delay by milliseconds. So the thread reads the NIC's registers until the interrupt that the
 * NIC has raised is here: each read takes them as long as a hundred thousand instructions, and
 * this machine a few.
 *
 * The NIC puts the time into each frame, at the beginning of its payload. In a packet of several
 * frames that is the time of the first, which has waited for longest.
 *
 * Parameters:
 *	sink		interface whose packets are measured
 *	interval	nanoseconds between two writes
 *	waits		"PACKETS MEAN LONGEST": packets that came, and the time that their first
 *			frames had been here, in nanoseconds; any write clears it
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/if_ether.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/netdevice.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <uapi/linux/sched/types.h>
#include <linux/skbuff.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#define REG_INTR	0x3c	/* mask, and status in the upper half */
#define REG_WIRE_CLOCK	0xf8
#define REGS_SIZE	256

/* Length of the headers of the NIC's frames: Ethernet, IPv4, TCP with time stamps. */
#define HEADERS		66

/* Turns of the loop per reading of the clock, which takes longer than some turns. */
#define TURNS		100

static char sink[IFNAMSIZ];
module_param_string(sink, sink, sizeof(sink), 0444);
MODULE_PARM_DESC(sink, "interface whose packets are measured");

static unsigned int interval = 12000;
module_param(interval, uint, 0444);
MODULE_PARM_DESC(interval, "nanoseconds between two writes of the time");

static struct pci_dev *nic;
static void __iomem *regs;
static struct net_device *device;
static struct task_struct *thread;

/* Written by the softirq of the only CPU. */
static u64 packets, sum;
static u32 longest;

static u64 now_ns(void)
{
	return mul_u64_u32_div(rdtsc_ordered(), 1000000, tsc_khz);
}

/* A NIC that does not send the interrupt that it has raised is not waited for. */
#define READS_MAX	10000

static bool raises_interrupt(void)
{
	u32 mask_and_status = ioread32(regs + REG_INTR);

	return mask_and_status & (mask_and_status >> 16);
}

static void await_interrupt(void)
{
	unsigned int reads = 0;

	while (raises_interrupt() && reads++ < READS_MAX)
		cond_resched();
}

static int tell(void *unused)
{
	/* Any other thread that wakes up runs at once, also if time is left of this one's slice. */
	static const struct sched_attr idle = { .size = sizeof(idle), .sched_policy = SCHED_IDLE };
	u64 told = 0;

	sched_setattr_nocheck(current, &idle);
	while (!kthread_should_stop()) {
		u64 now = now_ns();
		unsigned int turn;

		if (now - told >= interval) {
			iowrite32((u32)now, regs + REG_WIRE_CLOCK);
			ioread32(regs + REG_WIRE_CLOCK);
			await_interrupt();
			told = now;
		}
		for (turn = 0; turn < TURNS; turn++)
			barrier();
		cond_resched();
	}
	return 0;
}

static int look(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
		struct net_device *orig)
{
	__be32 space;
	const __be32 *came = skb_header_pointer(skb, HEADERS, sizeof(space), &space);
	u32 wait;

	if (came && skb->protocol == htons(ETH_P_IP)) {
		wait = (u32)now_ns() - ntohl(*came);
		packets++;
		sum += wait;
		longest = max(longest, wait);
	}
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type taps = {
	.type = htons(ETH_P_ALL),
	.func = look,
};

static int waits_set(const char *value, const struct kernel_param *kp)
{
	packets = 0;
	sum = 0;
	longest = 0;
	return 0;
}

static int waits_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu %llu %u\n", packets,
			  packets ? div64_u64(sum, packets) : 0, longest);
}

static const struct kernel_param_ops waits_ops = {
	.set = waits_set,
	.get = waits_get,
};
module_param_cb(waits, &waits_ops, NULL, 0644);
MODULE_PARM_DESC(waits, "packets, and ns that their first frames were here: mean, longest");

static int map_nic(void)
{
	int bar;

	nic = pci_get_device(PCI_VENDOR_ID_REALTEK, PCI_ANY_ID, NULL);
	if (!nic)
		return -ENODEV;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (pci_resource_flags(nic, bar) & IORESOURCE_MEM)
			break;
	if (bar < PCI_STD_NUM_BARS)
		regs = ioremap(pci_resource_start(nic, bar), REGS_SIZE);
	if (regs)
		return 0;
	pci_dev_put(nic);
	return -ENODEV;
}

static int __init wire_clock_init(void)
{
	int err = map_nic();

	if (err) {
		pr_err("no Realtek NIC with registers in memory\n");
		return err;
	}
	device = dev_get_by_name(&init_net, sink);
	if (!device) {
		pr_err("no interface %s: name one with sink=\n", sink);
		err = -ENODEV;
		goto unmap;
	}
	thread = kthread_run(tell, NULL, "wire_clock");
	if (IS_ERR(thread)) {
		err = PTR_ERR(thread);
		goto put;
	}
	taps.dev = device;
	dev_add_pack(&taps);
	return 0;

put:
	dev_put(device);
unmap:
	iounmap(regs);
	pci_dev_put(nic);
	return err;
}
module_init(wire_clock_init);

static void __exit wire_clock_exit(void)
{
	dev_remove_pack(&taps);
	kthread_stop(thread);
	dev_put(device);
	iounmap(regs);
	pci_dev_put(nic);
}
module_exit(wire_clock_exit);

MODULE_DESCRIPTION("tells the lab's NIC the time, and measures the time of its frames");
MODULE_LICENSE("GPL");
