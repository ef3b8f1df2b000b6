/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lies that a broken or malicious NIC tells its driver, in the receive ring or by interrupts. The
 * frames themselves stay intact in memory.
 */
#ifndef RTL8169D_FAULT_H
#define RTL8169D_FAULT_H

#include "util.h"

struct nic;

#define FAULT_COUNT_MAX	1000000

enum fault_kind {
	FAULT_SHORT,	/* impossible lengths, some with an error */
	FAULT_LONG,	/* lengths up to the maximum, beyond the written bytes */
	FAULT_FRAGMENT,	/* frames that do not begin, do not end, or neither */
	FAULT_STATUS,	/* errors of all kinds */
	FAULT_CHECKSUM,	/* every frame a TCP packet with right checksums */
	FAULT_OWNER,	/* descriptors returned out of order, or without a frame */
	FAULT_STORM,	/* interrupts without a cause */
	FAULT_KINDS
};

struct fault {
	enum fault_kind kind;
	u32 left;	/* lies still to tell */
	u64 storm_at;	/* time of the next interrupt of a storm, ns */
};

/**
 * fault_start() - tell lies from now on, in place of an earlier request.
 * @name:	kind as the control socket names it
 * @count:	number of lies; 0 = none any more
 *
 * Return: NULL, or one sentence about the error.
 */
const char *fault_start(struct nic *nic, const char *name, u32 count);

/** fault_status() - first word of a received frame's descriptor, without DESC_RING_END. */
u32 fault_status(struct nic *nic, u32 opts1);

/** enum owner_lie - the lie about the descriptor behind that of a frame. */
enum owner_lie {
	OWNER_TRUTH,
	OWNER_SKIP,	/* it gets the frame, and the one before it the next frame */
	OWNER_EMPTY,	/* it is returned as well, with nothing written to its buffer */
};

/** fault_owner_due() - is there a lie of this kind to tell? */
bool fault_owner_due(const struct nic *nic);

/** fault_owner() - the next lie about ownership, which counts as told. */
enum owner_lie fault_owner(struct nic *nic);

/** fault_timer() - raise the interrupts of a storm. */
void fault_timer(struct nic *nic);

/** fault_deadline() - lower @next to the time at which fault_timer() has something to do. */
void fault_deadline(const struct nic *nic, u64 *next);

#endif
