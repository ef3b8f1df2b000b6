/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parameters of the module, as they are at the moment.
 */
#ifndef _XENLRO_PARAM_H
#define _XENLRO_PARAM_H

unsigned int lro_param_max_flows(void);
unsigned int lro_param_max_segs(void);
unsigned int lro_param_hold_us(void);

#endif /* _XENLRO_PARAM_H */
