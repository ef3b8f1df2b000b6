/* SPDX-License-Identifier: GPL-2.0-only */
/* hook.c: what happens to a packet. param.c: which packets, chosen by the user. */
#ifndef _BR_LINEARIZE_H
#define _BR_LINEARIZE_H

#include <linux/types.h>

/**
 * enum brl_mode - how aggregates are rewritten before a port transmits them
 * @BRL_OFF: not at all
 * @BRL_LINEARIZE: copied whole into one buffer
 */
enum brl_mode {
	BRL_OFF,
	BRL_LINEARIZE,
	BRL_MODES
};

enum brl_mode brl_mode(void);
bool brl_port_matches(const char *name);
void brl_param_exit(void);

#endif /* _BR_LINEARIZE_H */
