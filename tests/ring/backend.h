/* SPDX-License-Identifier: GPL-2.0-only */
/* The fuzzer as a back end, which does what it likes, whenever it likes. */
#ifndef _RING_BACKEND_H
#define _RING_BACKEND_H

#include "model.h"

/* The rings are new, or will be. */
void backend_begin(void);

/* It holds on to no grant: for searches that something else must not be found by. */
extern bool backend_keeps_nothing;

/* One thing, as the input says. */
void backend_act(void);

/* The driver is about to read what is shared: has the back end something to do in between? */
void backend_moment(const void *address);

/* The driver sleeps. Return: whether the back end has done something meanwhile. */
bool backend_acts_meanwhile(void);

/* From now on it does nothing by itself, and lets go of all that it holds. */
void backend_ends(void);

/*
 * Answer all that is open as an honest back end does. Return: false if that cannot be, because it has claimed to have
 * answered what was not asked.
 */
bool backend_settle(void);

#endif /* _RING_BACKEND_H */
