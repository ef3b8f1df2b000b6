/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver expects of any kernel: types, errors, lists, memory, locks, time. A model of it in
 * user space, as far as xen-netfront uses it.
 */
#ifndef _RING_BASE_H
#define _RING_BASE_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint16_t u16, __be16;
typedef uint32_t u32, __u32, __be32, __wsum;
typedef uint64_t u64;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64, ktime_t;
typedef unsigned int gfp_t;

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))

#define __init
#define __exit
#define __rcu
#define __percpu
#define __read_mostly
#define __must_check
#define ____cacheline_aligned_in_smp
#define fallthrough __attribute__((__fallthrough__))
#define likely(x) (x)
#define unlikely(x) (x)
#define barrier() __asm__ __volatile__("" ::: "memory")
#define rmb() barrier()
#define virt_wmb() barrier()
#define virt_mb() barrier()
#define smp_mb() barrier()

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define min(a, b) ({ __typeof__(a) min_a = (a); __typeof__(b) min_b = (b); min_a < min_b ? min_a : min_b; })
#define max(a, b) ({ __typeof__(a) max_a = (a); __typeof__(b) max_b = (b); max_a > max_b ? max_a : max_b; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, to) (((x) + (to) - 1) & ~((__typeof__(x))(to) - 1))
#define IS_ALIGNED(x, to) (!((x) & ((to) - 1)))
#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define __same_type(a, b) __builtin_types_compatible_p(__typeof__(a), __typeof__(b))

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) ((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)
#define IS_ERR(pointer) IS_ERR_VALUE((unsigned long)(pointer))
#define ERR_PTR(error) ((void *)(long)(error))
#define PTR_ERR(pointer) ((long)(pointer))

/*
 * finding() - something that must not be is
 * @kind: a word, by which a search can be for this one alone
 * @text: what it is
 *
 * Ends the process, or this run alone where the search is for another kind.
 */
void __attribute__((noreturn)) finding(const char *kind, const char *text);

#define BUG_ON(condition) do {							\
	if (condition)								\
		finding("bug", "BUG_ON(" #condition ")");			\
} while (0)
#define BUG() finding("bug", "BUG()")
#define WARN_ON_ONCE(condition) ({						\
	bool warn_condition = !!(condition);					\
	if (warn_condition)							\
		finding("warning", "WARN_ON(" #condition ")");			\
	warn_condition;								\
})
#define WARN_ON(condition) WARN_ON_ONCE(condition)
#define WARN_ONCE(condition, format, ...) WARN_ON_ONCE(condition)

/* No text is printed, but its arguments are checked and read. */
static inline void __attribute__((format(printf, 1, 2))) no_print(const char *format, ...)
{
	(void)format;
}

#define pr_info(...) no_print(__VA_ARGS__)
#define pr_warn(...) no_print(__VA_ARGS__)
#define pr_alert(...) no_print(__VA_ARGS__)
#define net_alert_ratelimited(...) no_print(__VA_ARGS__)
#define net_dbg_ratelimited(...) no_print(__VA_ARGS__)
#define net_ratelimit() true

/* Memory; each piece is known, so that none can be forgotten. memory.c */
#define GFP_KERNEL 0u
#define GFP_ATOMIC 0u
#define GFP_NOIO 0u
#define __GFP_HIGH 0u
#define __GFP_NOWARN 0u
#define __GFP_ZERO 1u
#define __GFP_NOFAIL 2u

void *kmalloc(size_t size, gfp_t flags);
void kfree(const void *pointer);

static inline void *kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

static inline void *kcalloc(size_t count, size_t size, gfp_t flags)
{
	return kzalloc(count * size, flags);
}

#define kzalloc_objs(type, count) ((__typeof__(type) *)kcalloc(count, sizeof(type), GFP_KERNEL))

static inline unsigned long simple_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

/* Lists */
struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->prev = list->prev;
	entry->next = list;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = NULL;
	entry->prev = NULL;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_splice_init(struct list_head *list, struct list_head *to)
{
	if (list_empty(list))
		return;
	list->next->prev = to;
	list->prev->next = to->next;
	to->next->prev = list->prev;
	to->next = list->next;
	INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *to)
{
	if (list_empty(list))
		return;
	list->next->prev = to->prev;
	to->prev->next = list->next;
	list->prev->next = to;
	to->prev = list->prev;
	INIT_LIST_HEAD(list);
}

#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry(list, type, member) list_entry((list)->next, type, member)
#define list_next_entry(entry, member) list_entry((entry)->member.next, __typeof__(*(entry)), member)
#define list_for_each_entry_safe(entry, after, list, member)			\
	for (entry = list_first_entry(list, __typeof__(*entry), member),	\
	     after = list_next_entry(entry, member);				\
	     &entry->member != (list);						\
	     entry = after, after = list_next_entry(after, member))

/* Locks. One thread stands for all: what matters is which interrupts can come, and that none is taken twice. time.c */
typedef struct { bool held; } spinlock_t;

/* A time of carriers that go and of waits for all who have not seen it; and when the last wait was. */
extern unsigned long grace_time, last_grace;

#define DEFINE_SPINLOCK(name) spinlock_t name

extern unsigned int irqs_off;

/* A message of the kernel is on its way through the device. */
extern bool netconsole_sends;

void take_lock(spinlock_t *lock);
void drop_lock(spinlock_t *lock);

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

#define spin_lock(lock) take_lock(lock)
#define spin_unlock(lock) drop_lock(lock)
#define spin_lock_bh(lock) take_lock(lock)
#define spin_unlock_bh(lock) drop_lock(lock)
#define spin_lock_irq(lock) (irqs_off++, take_lock(lock))
#define spin_unlock_irq(lock) (drop_lock(lock), (void)irqs_off--)
#define spin_lock_irqsave(lock, flags) ((flags) = irqs_off++, take_lock(lock))
#define spin_unlock_irqrestore(lock, flags) (drop_lock(lock), (void)(irqs_off = (unsigned int)(flags)))

/* Others who poll have their turn as well: device.c. */
void rtnl_lock(void);
void others_poll(void);
void rtnl_unlock(void);
void locks_reset(void);

#define rcu_read_lock() barrier()
#define rcu_read_unlock() barrier()
#define rcu_dereference(pointer) (pointer)
#define rcu_access_pointer(pointer) (pointer)
#define rtnl_dereference(pointer) (pointer)
#define synchronize_net() ((void)(last_grace = ++grace_time))
#define rcu_assign_pointer(pointer, value) ((pointer) = (value))
#define RCU_INIT_POINTER(pointer, value) ((pointer) = (value))

typedef struct { int counter; } atomic_t;

static inline void atomic_inc(atomic_t *count)
{
	count->counter++;
}

static inline int atomic_read(const atomic_t *count)
{
	return count->counter;
}

/* One CPU */
#define smp_processor_id() 0
#define num_online_cpus() 1
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define this_cpu_ptr(pointer) (pointer)
#define per_cpu_ptr(pointer, cpu) ((void)(cpu), (pointer))
#define free_percpu(pointer) kfree(pointer)
#define netdev_alloc_pcpu_stats(type) ((type *)kzalloc(sizeof(type), GFP_KERNEL))

struct u64_stats_sync { char none; };
typedef struct { u64 value; } u64_stats_t;

#define u64_stats_update_begin(sync) ((void)(sync))
#define u64_stats_update_end(sync) ((void)(sync))
#define u64_stats_fetch_begin(sync) ((void)(sync), 0u)
#define u64_stats_fetch_retry(sync, start) ((void)(sync), (void)(start), false)
#define u64_stats_fetch_begin_irq(sync) u64_stats_fetch_begin(sync)
#define u64_stats_fetch_retry_irq(sync, start) u64_stats_fetch_retry(sync, start)
#define u64_stats_add(count, n) ((void)((count)->value += (n)))
#define u64_stats_inc(count) ((void)(count)->value++)
#define u64_stats_read(count) ((count)->value)

/* Time */
#define HZ 250
/* Time that passes in sleeps. */
extern unsigned long time_slept;
#define time_before(a, b) ((long)((a) - (b)) < 0)
#define jiffies time_slept

struct timer_list {
	void (*function)(struct timer_list *timer);
	bool pending;
};

#define timer_setup(timer, runs, flags) ((timer)->function = (runs), (timer)->pending = false)
#define mod_timer(timer, expires) ((void)(expires), start_timer(timer))
#define del_timer_sync(timer) timer_delete_sync(timer)

/* time.c; a poll that is at work on another CPU goes on when one is deleted: device.c. */
void start_timer(struct timer_list *timer);
void stop_timer(struct timer_list *timer);
void timer_delete_sync(struct timer_list *timer);
/* No timer that runs may be in memory that is freed, and nothing that polls: device.c. */
void timers_check(const void *memory, size_t size);
void napis_check(const void *memory, size_t size);

#define from_timer(owner, timer, member) container_of(timer, __typeof__(*(owner)), member)
#define timer_container_of(owner, timer, member) from_timer(owner, timer, member)

struct work_struct {
	void (*function)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool pending;
};

#define DECLARE_DELAYED_WORK(name, runs) struct delayed_work name = { .work = { .function = (runs) } }

bool schedule_delayed_work(struct delayed_work *work, unsigned long delay);
bool cancel_delayed_work_sync(struct delayed_work *work);
/* Time passes, and what was waiting for it runs. */
void run_delayed_work(void);

typedef struct { char none; } wait_queue_head_t;

#define DECLARE_WAIT_QUEUE_HEAD(name) wait_queue_head_t name
#define wake_up_all(queue) ((void)(queue))

/*
 * Sleep until something may have changed. Return: false if nothing did within @timeout. A task that has slept for
 * longer than ENOUGH, in all, is not coming back.
 */
bool sleep_once(long timeout);
/* A new call into the driver begins: its sleeps are counted from here. */
void wake_afresh(void);

#define wait_event(queue, condition) do {					\
	(void)(queue);								\
	while (!(condition))							\
		sleep_once(LONG_MAX);						\
} while (0)
#define wait_event_timeout(queue, condition, timeout) ({			\
	long waits = (timeout);							\
	(void)(queue);								\
	while (!(condition) && waits)						\
		if (!sleep_once(waits))						\
			waits = 0;						\
	waits ? waits : !!(condition);						\
})
#define msleep(ms) ((void)sleep_once((long)(ms) * HZ / 1000))

/* Modules */
struct module;
#define THIS_MODULE ((struct module *)NULL)
#define module_init(function) int (*const driver_begins)(void) = (function);
#define module_exit(function) void (*const driver_ends)(void) = (function);
#define MODULE_LICENSE(text) extern int module_said
#define MODULE_DESCRIPTION(text) extern int module_said
#define MODULE_ALIAS(text) extern int module_said
#define MODULE_VERSION(text) extern int module_said
#define MODULE_INFO(tag, text) extern int module_said
#define MODULE_IMPORT_NS(name) extern int module_said
#define MODULE_PARM_DESC(name, text) extern int module_said
#define module_param_named(name, variable, type, mode) extern int module_said
#define module_param_cb(name, operations, argument, mode)			\
	const void *const parameter_##name[] = { operations, argument }
struct kernel_param_ops { int none; };

#define CAP_NET_ADMIN 12
#define capable(what) ((void)(what), true)

#endif /* _RING_BASE_H */
