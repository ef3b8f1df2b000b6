/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of many TCP streams, made here and given to the receiver as if they came from the wire: a
 * single sender does not interleave its streams packet by packet.
 */
#ifndef RTL8169D_GENERATE_H
#define RTL8169D_GENERATE_H

#include "rate.h"
#include "util.h"

struct nic;

/* Source ports count the flows, from this one on. */
#define GENERATE_PORT		1024
#define GENERATE_FLOWS_MAX	32768
#define GENERATE_BURST_MAX	1024

/* A full frame of TCP over IPv4 with timestamps at an MTU of 1500. */
#define GENERATE_HEADERS	66
#define GENERATE_PAYLOAD	1448
#define GENERATE_FRAME		(GENERATE_HEADERS + GENERATE_PAYLOAD)

/*
 * The clock of an emulated machine may run more slowly than this process's, which cannot read it.
 * With "clock":"guest" the machine tells the time: it writes the lower 32 bits of its clock's
 * nanoseconds to REG_WIRE_CLOCK, and frames come at the line rate by the latest of these times. The
 * first four bytes of each frame's payload are that time.
 */
struct generator {
	u64 frames;		/* to make in all; 0 = nothing to do */
	u64 next;		/* number of the next one */
	u32 flows;
	u32 burst;		/* frames of one flow before those of the next */
	bool loaded;		/* frame[] holds the next one */
	bool rate_waiting;
	bool guest_clock;	/* the machine tells the time */
	bool clock_runs;	/* the machine has told the time */
	u64 clock;		/* ns, the latest time, extended to 64 bits */
	struct rate line;	/* of that clock */
	u8 frame[GENERATE_FRAME];
};

/**
 * generate_start() - begin to make @frames frames.
 * @mac:	destination address
 * @flows:	1 to GENERATE_FLOWS_MAX, each sends in turn
 * @burst:	1 to GENERATE_BURST_MAX, frames that a flow sends in its turn
 * @guest_clock: the machine tells the time
 *
 * Return: NULL, or one sentence about the error.
 */
const char *generate_start(struct nic *nic, const u8 *mac, u64 frames, u32 flows, u32 burst,
			   bool guest_clock);

/**
 * generate_clock() - the machine tells the time.
 * @ns:	lower 32 bits of the time; less than 2^32 ns after the time before
 */
void generate_clock(struct generator *gen, u32 ns);

/**
 * generate_run() - give frames to the receiver. Return: there are more that it would take at once.
 */
bool generate_run(struct nic *nic);

/** generate_deadline() - lower @next to the time of the next frame. */
void generate_deadline(const struct nic *nic, u64 *next);

/** generate_busy() - are there frames left to make? */
static inline bool generate_busy(const struct generator *gen)
{
	return gen->next < gen->frames;
}

#endif
