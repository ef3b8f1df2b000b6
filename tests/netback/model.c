// SPDX-License-Identifier: GPL-2.0-only
/* The functions of model.h that are more than a line. */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "model.h"

static __thread struct waiter *waiting;

unsigned long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long)time.tv_sec * 1000 + (unsigned long)time.tv_nsec / 1000000;
}

int wait_on_bit_lock(unsigned long *word, int bit, unsigned int mode)
{
	(void)mode;
	while (test_and_set_bit_lock(bit, word))
		sched_yield();
	return 0;
}

void clear_and_wake_up_bit(int bit, unsigned long *word)
{
	clear_bit(bit, word);
}

void prepare_to_wait(wait_queue_head_t *queue, struct waiter *waiter, int state)
{
	(void)state;
	pthread_mutex_lock(&queue->mutex);
	waiter->queue = queue;
	waiter->turn = queue->turn;
	waiting = waiter;
	pthread_mutex_unlock(&queue->mutex);
}

void wake_up(wait_queue_head_t *queue)
{
	pthread_mutex_lock(&queue->mutex);
	queue->turn++;
	pthread_cond_broadcast(&queue->cond);
	pthread_mutex_unlock(&queue->mutex);
}

long schedule_timeout(long timeout)
{
	struct waiter *waiter = waiting;
	unsigned long begun = now_ms();
	struct timespec until;
	long left = timeout;

	clock_gettime(CLOCK_REALTIME, &until);
	/* For ever is longer than any test. */
	until.tv_sec += timeout == MAX_SCHEDULE_TIMEOUT ? 3600 : timeout / 1000 + 1;
	pthread_mutex_lock(&waiter->queue->mutex);
	while (waiter->queue->turn == waiter->turn && left > 0) {
		if (pthread_cond_timedwait(&waiter->queue->cond, &waiter->queue->mutex, &until))
			left = 0;
		else if (timeout != MAX_SCHEDULE_TIMEOUT)
			left = timeout - (long)(now_ms() - begun);
	}
	pthread_mutex_unlock(&waiter->queue->mutex);
	return left > 0 ? left : 0;
}

void cond_resched(void)
{
	sched_yield();
}

void __skb_queue_head_init(struct sk_buff_head *list)
{
	list->next = (struct sk_buff *)list;
	list->prev = (struct sk_buff *)list;
	list->qlen = 0;
}

void __skb_queue_tail(struct sk_buff_head *list, struct sk_buff *skb)
{
	skb->next = (struct sk_buff *)list;
	skb->prev = list->prev;
	list->prev->next = skb;
	list->prev = skb;
	list->qlen++;
}

struct sk_buff *skb_peek(const struct sk_buff_head *list)
{
	struct sk_buff *first = READ_ONCE(list->next);

	return first == (const struct sk_buff *)list ? NULL : first;
}

struct sk_buff *__skb_dequeue(struct sk_buff_head *list)
{
	struct sk_buff *skb = skb_peek(list);

	if (!skb)
		return NULL;
	skb->next->prev = skb->prev;
	skb->prev->next = skb->next;
	list->qlen--;
	return skb;
}

void kfree_skb(struct sk_buff *skb)
{
	free(skb->data);
	/* What is read of a freed packet is nonsense. */
	memset(skb, 0xa5, sizeof(*skb));
	free(skb);
}
