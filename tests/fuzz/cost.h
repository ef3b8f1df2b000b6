/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much the engine does for an input: the basic blocks of its own files that are executed, by
 * packet or poll. The same input always takes as many, on any machine. The fuzzer learns of it,
 * too, and keeps an input that is dearer than those before.
 */
#ifndef _FUZZ_COST_H
#define _FUZZ_COST_H

#include <linux/types.h>

/**
 * cost_begin() - an input begins; what was done to prepare for it does not count
 */
void cost_begin(void);

/**
 * cost_event() - a packet is handed to the engine, or a poll ends
 */
void cost_event(void);

/**
 * cost_pause() - what follows is the test's own
 * @on: whether that begins or ends
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
