/* SPDX-License-Identifier: GPL-2.0-only */
/* The file descriptors of one turn of the loop. */
#ifndef RTL8169D_POLLSET_H
#define RTL8169D_POLLSET_H

#include <poll.h>

#include "util.h"

#define POLLSET_MAX	16

struct pollset {
	struct pollfd fds[POLLSET_MAX];
	nfds_t count;
};

/**
 * pollset_add() - wait for @events on @fd too.
 *
 * Return: its slot. Without descriptor or events the slot stays silent: poll() would else report a
 * hang-up that nobody is ready to look at, again and again.
 */
static inline unsigned int pollset_add(struct pollset *set, int fd, short events)
{
	set->fds[set->count] = (struct pollfd){ .fd = events ? fd : -1, .events = events };
	return (unsigned int)set->count++;
}

/** pollset_events() - what happened in a slot. */
static inline short pollset_events(const struct pollset *set, unsigned int slot)
{
	return set->fds[slot].fd < 0 ? 0 : set->fds[slot].revents;
}

#endif
