/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine's work for an input: the executed basic blocks of its files, by packet or poll. The
 * number is the same on any machine. The fuzzer gets it, too, and keeps an input that costs more
 * than those before.
 */
#ifndef _FUZZ_COST_H
#define _FUZZ_COST_H

#include <linux/types.h>

/**
 * cost_begin() - an input begins; preparations before it do not count
 */
void cost_begin(void);

/**
 * cost_event() - a packet is handed to the engine, or a poll ends
 */
void cost_event(void);

/**
 * cost_pause() - begin or end a part that belongs to the test
 * @on: whether the part begins
 */
void cost_pause(bool on);

/**
 * cost_end() - the input has ended
 *
 * With FUZZ_COST in the environment the figures go to stderr.
 */
void cost_end(void);

/* Called by each basic block of the engine's files, and once for each file: see Makefile. */
void cost_block(u32 *guard);
void cost_blocks(u32 *first, u32 *end);

#endif /* _FUZZ_COST_H */
