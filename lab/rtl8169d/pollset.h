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
 * pollset_add() - also wait for @events on @fd.
 *
 * Return: its slot. A slot without descriptor or events stays silent: otherwise poll() would report
 * a hang-up again and again while its reader is not ready for it.
 */
static inline unsigned int pollset_add(struct pollset *set, int fd, short events)
{
	set->fds[set->count] = (struct pollfd){ .fd = events ? fd : -1, .events = events };
	return (unsigned int)set->count++;
}

/** pollset_events() - events of a slot. */
static inline short pollset_events(const struct pollset *set, unsigned int slot)
{
	return set->fds[slot].fd < 0 ? 0 : set->fds[slot].revents;
}

#endif
