// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/lro_consumers: a row that is written is tested with all flights; what came of it is
 * read. "way N" says how frames from wire0 are handed in.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/rtnetlink.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/tcp.h>

#include <compat.h>

#include "consumers.h"

#define NAME		"lro_consumers"

const struct row *consumers_row;
const struct flight *consumers_flight;

static struct flight *flight;
static char fault[160], told[4096];
static DEFINE_MUTEX(lock);

void consumers_fault(const char *format, ...)
{
	va_list arguments;

	if (*fault)
		return;
	va_start(arguments, format);
	vsnprintf(fault, sizeof(fault), format, arguments);
	va_end(arguments);
}

static __printf(1, 2) void tell(const char *format, ...)
{
	size_t len = strlen(told);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(told + len, sizeof(told) - len, format, arguments);
	va_end(arguments);
}

#define WORD(name)	{ #name, offsetof(struct row, name) }

static const struct word {
	const char *name;
	size_t at;
} numbers[] = {
	WORD(at), WORD(every), WORD(first), WORD(least), WORD(only), WORD(out), WORD(ports),
	WORD(tag), WORD(ttl), WORD(way),
}, flags[] = {
	WORD(bridged), WORD(dnat), WORD(dsa), WORD(dst), WORD(in_band), WORD(keep), WORD(nofin), WORD(quiet),
	WORD(scribble), WORD(single), WORD(tos), WORD(trailer),
};

static bool parse_word(char *text, struct row *row)
{
	char *name = strsep(&text, "=");
	size_t i;

	for (i = 0; text && i < ARRAY_SIZE(numbers); i++)
		if (!strcmp(name, numbers[i].name))
			return !kstrtouint(text, 0, (void *)row + numbers[i].at);
	for (i = 0; !text && i < ARRAY_SIZE(flags); i++)
		if (!strcmp(name, flags[i].name)) {
			*(bool *)((void *)row + flags[i].at) = true;
			return true;
		}
	pr_err(NAME ": a row has no word %s\n", name);
	return false;
}

/* The words of a row, the first its name. */
static int parse(char *text, struct row *row)
{
	char *word;

	strscpy(row->name, strsep(&text, " "), sizeof(row->name));
	row->at = ETH_HLEN;
	row->ports = 1;
	row->way = WAY_COUNT;
	row->every = 1;
	while ((word = strsep(&text, " ")))
		if (*word && !parse_word(word, row))
			return -EINVAL;
	return row->ports <= PORTS && row->every ? 0 : -EINVAL;
}

/* Some consumers hold packets for a while. */
static void await_ports(void)
{
	unsigned int tries;

	for (tries = 0; tries < 400 && port_seen() < flight->count && !*fault; tries++)
		usleep_range(500, 1000);
	if (port_seen() < flight->count)
		consumers_fault("%u of %u segments left", port_seen(), flight->count);
}

static void fly(void)
{
	*fault = 0;
	port_begin();
	if (nic_receive(flight))
		consumers_fault("the engine does not let go");
	if (!consumers_row->quiet)
		await_ports();
	if (consumers_row->keep)
		keeper_check();
	/* What is behind a fault must not be taken for the next flight's. */
	if (*fault)
		msleep(20);
}

static void run(const struct row *row)
{
	unsigned int n, flights = 0, faults = 0;
	unsigned long ways = 0;
	char about[64];

	tap_counts = (struct tap_counts){ 0 };
	consumers_flight = flight;
	for (n = row->first; n < flight_count(); n += row->every) {
		flight_make(flight, n, row, about, sizeof(about));
		if (flight->payload < row->least || (row->nofin && flight->flags & TCPHDR_FIN) ||
		    (row->only && row->only != (flight->v6 ? 6 : 4)) ||
		    (row->way < WAY_COUNT && row->way != flight->way))
			continue;
		WRITE_ONCE(consumers_row, row);
		if (row->dsa)
			switch_attach(nic_device());
		fly();
		if (row->dsa)
			switch_detach(nic_device());
		WRITE_ONCE(consumers_row, NULL);
		flights++;
		if (!*fault)
			continue;
		faults++;
		/* The first of each way in, as the others mostly say the same. */
		if (!__test_and_set_bit(flight->way, &ways))
			tell("consumers: fault: %s: %s\n", about, fault);
	}
	synchronize_net();
	tell("consumers: %s %s: %u of %u flights right; %lu packets, %lu aggregates, %lu members\n",
	     faults || !flights ? "not ok" : "ok", row->name, flights - faults, flights, tap_counts.packets,
	     tap_counts.aggregates, tap_counts.members);
}

static ssize_t write(struct file *file, const char __user *from, size_t len, loff_t *at)
{
	char *text = memdup_user_nul(from, len), *words;
	struct row row = { };
	unsigned int way;
	int err = 0;

	if (IS_ERR(text))
		return PTR_ERR(text);
	words = strim(text);
	mutex_lock(&lock);
	*told = 0;
	if (!strncmp(words, "way ", 4)) {
		err = kstrtouint(words + 4, 0, &way);
		if (!err && way >= WAY_COUNT)
			err = -ERANGE;
		if (!err)
			nic_set_way(way);
	} else {
		err = parse(words, &row);
		if (!err)
			run(&row);
	}
	mutex_unlock(&lock);
	kfree(text);
	return err ?: len;
}

static int show(struct seq_file *seq, void *unused)
{
	mutex_lock(&lock);
	seq_puts(seq, told);
	mutex_unlock(&lock);
	return 0;
}

static int open(struct inode *inode, struct file *file)
{
	return single_open(file, show, NULL);
}

static const struct proc_ops ops = {
	.proc_open	= open,
	.proc_read	= seq_read,
	.proc_write	= write,
	.proc_release	= single_release,
};

static void remove(void)
{
	LIST_HEAD(devices);

	remove_proc_entry(NAME, NULL);
	tap_remove();
	keeper_remove();
	rtnl_lock();
	nic_unregister(&devices);
	port_unregister(&devices);
	unregister_netdevice_many(&devices);
	rtnl_unlock();
	nic_remove();
	port_remove();
	feed_remove();
	kvfree(flight);
}

static int __init consumers_init(void)
{
	int err;

	flight = kvzalloc(sizeof(*flight), GFP_KERNEL);
	if (!flight)
		return -ENOMEM;
	err = feed_setup() ?: port_setup() ?: nic_setup() ?: keeper_setup(nic_device()) ?:
	      tap_setup(nic_device());
	if (!err && !proc_create(NAME, 0600, NULL, &ops))
		err = -ENOMEM;
	if (err)
		remove();
	return err;
}

static void __exit consumers_exit(void)
{
	remove();
}

module_init(consumers_init);
module_exit(consumers_exit);

MODULE_IMPORT_XENLRO();
MODULE_DESCRIPTION("Test of those who take what the Large Receive Offload engine delivers");
MODULE_LICENSE("GPL");
