// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow tables in debugfs: lro_core/flows.
 *
 * A table is used without locks by the poll function of its NAPI instance, so
 * no other code can read it. Opening the file lays down memory beside each
 * context and schedules NAPI; that poll copies its open aggregates.
 *
 * One file for all contexts: a driver creates them before its device has a name.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "contexts.h"
#include "dump.h"
#include "engine.h"

/* A poll that has been asked for comes at once, unless NAPI is disabled. */
#define POLL_TIMEOUT	msecs_to_jiffies(100)

/**
 * struct flow_copy - an open aggregate
 * @key: flow
 * @vlan: tag, see &lro_packet.vlan
 * @next_seq: sequence number that continues it
 * @bytes: IP packet so far
 * @age_ns: time since the end of the poll it began in, 0 if that goes on
 * @segs: packets
 * @layout: how the payload is stored
 * @bulk: belongs to a bulk flow
 */
struct flow_copy {
	struct lro_key key;
	u32 vlan;
	u32 next_seq;
	u32 bytes;
	u64 age_ns;
	u16 segs;
	u8 layout;
	bool bulk;
};

/**
 * struct lro_snapshot - the open aggregates of a context
 * @list: place among those of other contexts
 * @done: completed by the poll that filled it in
 * @dev: name of the device
 * @napi_id: identifier of the NAPI instance
 * @polled: filled in
 * @limit: open aggregates allowed
 * @room: places in @flow
 * @count: places used
 * @flow: open aggregates, oldest first
 */
struct lro_snapshot {
	struct list_head list;
	struct completion done;
	char dev[IFNAMSIZ];
	unsigned int napi_id;
	bool polled;
	unsigned int limit;
	unsigned int room;
	unsigned int count;
	struct flow_copy flow[];
};

static void copy_flows(struct lro *lro, struct lro_snapshot *shot, const struct list_head *from,
		       bool held, u64 now)
{
	const struct lro_flow *flow;

	list_for_each_entry(flow, from, age) {
		struct flow_copy *to = &shot->flow[shot->count];

		if (shot->count == shot->room)
			return;
		to->key = flow->key;
		to->vlan = flow->state.vlan;
		to->next_seq = lro_next_seq(&flow->state);
		to->bytes = flow->state.ip_len;
		to->age_ns = held ? now + lro->hold_ns - flow->deadline : 0;
		to->segs = flow->state.segs;
		to->layout = flow->layout;
		to->bulk = lro_flow_is_bulk(flow);
		shot->count++;
	}
}

void lro_snapshot_fill(struct lro *lro)
{
	struct lro_snapshot *shot = xchg(&lro->snapshot, NULL);
	u64 now = ktime_get_ns();

	if (!shot)
		return;
	shot->limit = lro->flows.limit;
	copy_flows(lro, shot, &lro->flows.held, true, now);
	copy_flows(lro, shot, &lro->flows.bulk, false, now);
	copy_flows(lro, shot, &lro->flows.open, false, now);
	shot->polled = true;
	complete(&shot->done);
}

static int take_snapshot(struct lro *lro, void *data)
{
	/* Of a table that changes its size just now, the first flows have to do. */
	unsigned int room = READ_ONCE(lro->flows.limit);
	struct list_head *shots = data;
	struct lro_snapshot *shot;

	shot = kvzalloc(struct_size(shot, flow, room), GFP_KERNEL);
	if (!shot)
		return -ENOMEM;
	init_completion(&shot->done);
	strscpy(shot->dev, lro->dev->name, sizeof(shot->dev));
	shot->napi_id = lro->napi->napi_id;
	shot->room = room;
	list_add_tail(&shot->list, shots);

	/* The memory has to be ready before the poll sees it. */
	smp_store_release(&lro->snapshot, shot);
	if (lro_kick(lro) && wait_for_completion_timeout(&shot->done, POLL_TIMEOUT))
		return 0;
	/* If it cannot be taken back, a poll is writing to it now. */
	if (!xchg(&lro->snapshot, NULL))
		wait_for_completion(&shot->done);
	return 0;
}

static void *seq_start(struct seq_file *seq, loff_t *pos)
{
	return seq_list_start(seq->private, *pos);
}

static void *seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	return seq_list_next(v, seq->private, pos);
}

static void seq_stop(struct seq_file *seq, void *v)
{
}

static void show_flow(struct seq_file *seq, const struct flow_copy *flow)
{
	static const char * const layout[] = {
		[LRO_LAYOUT_SKB] = "skb",
		[LRO_LAYOUT_COPY] = "copy",
	};
	struct sockaddr_in6 from, to;

	lro_key_ends(&flow->key, &from, &to);
	seq_printf(seq, "  %pISpc > %pISpc vlan %04x:%03x seq %u segs %u bytes %u layout %s%s age_us %llu\n",
		   &from, &to, flow->vlan >> 16, flow->vlan & 0xffff, flow->next_seq, flow->segs,
		   flow->bytes, layout[flow->layout], flow->bulk ? " bulk" : "",
		   div_u64(flow->age_ns, NSEC_PER_USEC));
}

static int seq_show(struct seq_file *seq, void *v)
{
	const struct lro_snapshot *shot = list_entry(v, struct lro_snapshot, list);
	unsigned int i;

	seq_printf(seq, "%s napi %u: ", shot->dev, shot->napi_id);
	if (shot->polled)
		seq_printf(seq, "%u of %u flows\n", shot->count, shot->limit);
	else
		seq_puts(seq, "not polling\n");
	for (i = 0; i < shot->count; i++)
		show_flow(seq, &shot->flow[i]);
	return 0;
}

static const struct seq_operations flows_seq_ops = {
	.start	= seq_start,
	.next	= seq_next,
	.stop	= seq_stop,
	.show	= seq_show,
};

static void free_snapshots(struct list_head *shots)
{
	struct lro_snapshot *shot, *next;

	list_for_each_entry_safe(shot, next, shots, list)
		kvfree(shot);
}

static int flows_release(struct inode *inode, struct file *file)
{
	free_snapshots(((struct seq_file *)file->private_data)->private);
	return seq_release_private(inode, file);
}

static int flows_open(struct inode *inode, struct file *file)
{
	struct list_head *shots = __seq_open_private(file, &flows_seq_ops, sizeof(*shots));
	int err;

	if (!shots)
		return -ENOMEM;
	INIT_LIST_HEAD(shots);
	err = lro_contexts_each(take_snapshot, shots);
	if (err)
		flows_release(inode, file);
	return err;
}

static const struct file_operations flows_ops = {
	.owner		= THIS_MODULE,
	.open		= flows_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= flows_release,
};

static struct dentry *folder;

void lro_dump_setup(void)
{
	folder = debugfs_create_dir("lro_core", NULL);
	debugfs_create_file("flows", 0400, folder, NULL, &flows_ops);
}

void lro_dump_remove(void)
{
	debugfs_remove_recursive(folder);
}
