/* SPDX-License-Identifier: GPL-2.0-only */
/* The chip's own statistics, which the driver has dumped into its memory. */
#ifndef RTL8169D_TALLY_H
#define RTL8169D_TALLY_H

#include "util.h"

struct nic;

struct tally {
	u64 tx_ok;
	u64 rx_ok;
	u64 tx_errors;
	u32 rx_errors;
	u16 rx_missed;
	u64 rx_unicast;
	u64 rx_broadcast;
	u32 rx_multicast;
};

/** tally_clear() - all to zero. */
void tally_clear(struct nic *nic);

/** tally_dump() - write the 64-byte block to guest memory at @iova. */
void tally_dump(struct nic *nic, u64 iova);

#endif
