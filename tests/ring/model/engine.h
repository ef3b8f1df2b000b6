/* SPDX-License-Identifier: GPL-2.0-only */
/* What a test can ask of the engine's model. */
#ifndef _RING_ENGINE_H
#define _RING_ENGINE_H

struct net_device;

/* It takes one packet in this number, 0: none. */
extern unsigned int engine_takes;

/* Its timer has each instance polled, whether or not there is anything for it. */
void engine_timer(struct net_device *dev);
void engine_reset(void);

#endif /* _RING_ENGINE_H */
