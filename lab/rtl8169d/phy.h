/* SPDX-License-Identifier: GPL-2.0-only */
/* The PHY behind PHYAR, and with it the state of the link. */
#ifndef RTL8169D_PHY_H
#define RTL8169D_PHY_H

#include "util.h"

struct nic;

#define PHY_PAGES	16
#define PHY_REGS	32

struct phy {
	u16 page;			/* register 31 */
	u16 regs[PHY_PAGES][PHY_REGS];
	bool cable;			/* plugged in; survives resets */
	bool link;
	bool link_lost; /* since BMSR was last read */
	u64 link_at;	/* time at which autonegotiation ends, 0 if it is not running */
};

/** phy_init() - cable plugged in. */
void phy_init(struct nic *nic);

/** phy_reset() - power-on state: link down, autonegotiation started. */
void phy_reset(struct nic *nic);

/** phy_read() - MII register @reg of the current page. */
u16 phy_read(struct nic *nic, unsigned int reg);

/** phy_write() - likewise; may start autonegotiation or take the link down. */
void phy_write(struct nic *nic, unsigned int reg, u16 value);

/**
 * phy_plug() - the cable. Unplugging takes the link down at once, plugging starts autonegotiation.
 */
void phy_plug(struct nic *nic, bool cable);

/** phy_timer() - end autonegotiation when it is due. */
void phy_timer(struct nic *nic);

/** phy_deadline() - ns time of the next phy_timer() with something to do, or 0. */
static inline u64 phy_deadline(const struct phy *phy)
{
	return phy->link_at;
}

#endif
