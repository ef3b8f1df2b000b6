/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames of a pcap file, given to the receiver as if they came from the wire. */
#ifndef RTL8169D_REPLAY_H
#define RTL8169D_REPLAY_H

#include <stdio.h>

#include "util.h"

struct nic;

struct replay {
	FILE *file;		/* NULL: nothing to replay */
	bool timed;		/* keep the file's gaps */
	bool swapped;		/* file of the other byte order */
	u32 per_second;		/* ticks of its time stamps */
	bool loaded;		/* frame[] holds the next one */
	bool rate_waiting;
	u64 first_stamp;	/* ns, of the first frame in the file */
	u64 started;		/* ns, time at which that was replayed; 0 = not yet */
	u64 due;		/* ns, time at which to replay the loaded frame */
	u32 len;
	u8 frame[262144];
};

/**
 * replay_start() - begin with file @name.
 *
 * Return: NULL, or one sentence about the error.
 */
const char *replay_start(struct nic *nic, const char *name, bool timed);

/** replay_stop() - drop the rest of the file. */
void replay_stop(struct nic *nic);

/**
 * replay_run() - give frames to the receiver. Return: there are more that it would take at once.
 */
bool replay_run(struct nic *nic);

/** replay_deadline() - lower @next to the time of the next frame. */
void replay_deadline(const struct nic *nic, u64 *next);

#endif
