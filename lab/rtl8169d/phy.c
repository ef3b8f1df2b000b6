// SPDX-License-Identifier: GPL-2.0-only
/*
 * A gigabit PHY as IEEE 802.3 clause 22 describes it, with an id that the kernel's realtek driver
 * knows, linked to a partner with all abilities. Other pages than 0 are plain storage for the
 * vendor's tuning values.
 */
#include "nic.h"

enum mii {
	MII_BMCR	= 0,
	MII_BMSR	= 1,
	MII_PHYSID1	= 2,
	MII_PHYSID2	= 3,
	MII_ADVERTISE	= 4,
	MII_LPA		= 5,
	MII_EXPANSION	= 6,
	MII_CTRL1000	= 9,
	MII_STAT1000	= 10,
	MII_ESTATUS	= 15,
	MII_PAGE	= 31,
};

#define BMCR_RESET	 BIT(15)
#define BMCR_SPEED100	 BIT(13)
#define BMCR_AUTONEG	 BIT(12)
#define BMCR_POWER_DOWN	 BIT(11)
#define BMCR_RESTART	 BIT(9)
#define BMCR_FULL_DUPLEX BIT(8)
#define BMCR_SPEED1000	 BIT(6)
#define BMSR_FIXED	 0x7949 /* 10/100 half/full, extended status and registers, autoneg */
#define BMSR_AUTONEG_DONE   BIT(5)
#define BMSR_LINK	    BIT(2)
#define REALTEK_PHYSID1	    0x001c
#define ADVERTISE_10_HALF   BIT(5)
#define ADVERTISE_10_FULL   BIT(6)
#define ADVERTISE_100_HALF  BIT(7)
#define ADVERTISE_100_FULL  BIT(8)
#define ADVERTISE_PAUSE	    BIT(10)
#define ADVERTISE_1000_HALF BIT(8) /* MII_CTRL1000 */
#define ADVERTISE_1000_FULL BIT(9) /* MII_CTRL1000 */
#define PARTNER_ABILITY	    0xcde1 /* 10/100, both kinds of pause, acknowledge, next page */
#define PARTNER_1000	    0x3c00 /* both receivers fine, 1000 half/full */
#define ESTATUS_1000	    0x3000

void phy_init(struct nic *nic)
{
	nic->phy.cable = true;
}

/* PHYstatus bits of the mode that autonegotiation or BMCR gives. */
static u8 phy_mode(const struct phy *phy)
{
	u16 bmcr = phy->regs[0][MII_BMCR];
	u16 adv = phy->regs[0][MII_ADVERTISE];
	u16 adv1000 = phy->regs[0][MII_CTRL1000];
	u8 mode;

	if (!(bmcr & BMCR_AUTONEG)) {
		mode = bmcr & BMCR_SPEED100 ? PHYSTAT_100 : PHYSTAT_10;
		if (bmcr & BMCR_SPEED1000)
			mode = PHYSTAT_1000;
		return mode | (bmcr & BMCR_FULL_DUPLEX ? PHYSTAT_FULL_DUPLEX : 0);
	}
	if (adv1000 & ADVERTISE_1000_FULL)
		mode = PHYSTAT_1000 | PHYSTAT_FULL_DUPLEX;
	else if (adv1000 & ADVERTISE_1000_HALF)
		mode = PHYSTAT_1000;
	else if (adv & ADVERTISE_100_FULL)
		mode = PHYSTAT_100 | PHYSTAT_FULL_DUPLEX;
	else if (adv & ADVERTISE_100_HALF)
		mode = PHYSTAT_100;
	else
		mode = PHYSTAT_10 | (adv & ADVERTISE_10_FULL ? PHYSTAT_FULL_DUPLEX : 0);
	if ((mode & PHYSTAT_FULL_DUPLEX) && (adv & ADVERTISE_PAUSE))
		mode |= PHYSTAT_TX_FLOW | PHYSTAT_RX_FLOW;
	return mode;
}

static void phy_set_link(struct nic *nic, bool up)
{
	struct phy *phy = &nic->phy;

	if (phy->link == up)
		return;
	phy->link = up;
	if (!up)
		phy->link_lost = true;
	nic->regs.bytes[REG_PHY_STATUS] = up ? PHYSTAT_LINK | phy_mode(phy) : 0;
	say_verbose("link %s", up ? "up" : "down");
	irq_raise(nic, INT_LINK_CHANGE);
}

static void phy_negotiate(struct nic *nic)
{
	phy_set_link(nic, false);
	nic->phy.link_at = 0;
	if (nic->phy.cable && !(nic->phy.regs[0][MII_BMCR] & BMCR_POWER_DOWN))
		nic->phy.link_at = now_ns() + nic->opt->link_delay_ms * NSEC_PER_MSEC;
}

void phy_reset(struct nic *nic)
{
	struct phy *phy = &nic->phy;

	phy->page = 0;
	phy->link = false;
	phy->link_lost = false;
	memset(phy->regs, 0, sizeof(phy->regs));
	phy->regs[0][MII_BMCR] = BMCR_AUTONEG | BMCR_FULL_DUPLEX | BMCR_SPEED1000;
	phy->regs[0][MII_ADVERTISE] = 0x0de1;
	phy->regs[0][MII_CTRL1000] = ADVERTISE_1000_FULL | ADVERTISE_1000_HALF;
	phy_negotiate(nic);
}

static u16 phy_bmsr(struct phy *phy)
{
	bool link = phy->link && !phy->link_lost;

	/* Link status latches low: a loss shows once, even if the link is back. */
	phy->link_lost = false;
	return BMSR_FIXED | (link ? BMSR_LINK | BMSR_AUTONEG_DONE : 0);
}

u16 phy_read(struct nic *nic, unsigned int reg)
{
	struct phy *phy = &nic->phy;

	if (reg == MII_PAGE)
		return phy->page;
	if (phy->page)
		return phy->regs[phy->page % PHY_PAGES][reg];
	switch (reg) {
	case MII_BMSR:
		return phy_bmsr(phy);
	case MII_PHYSID1:
		return REALTEK_PHYSID1;
	case MII_PHYSID2:
		return nic->chip->phy_id2;
	case MII_LPA:
		return phy->link ? PARTNER_ABILITY : 0;
	case MII_EXPANSION:
		return phy->link ? 1 : 0;
	case MII_STAT1000:
		return phy->link ? PARTNER_1000 : 0;
	case MII_ESTATUS:
		return ESTATUS_1000;
	}
	return phy->regs[0][reg];
}

void phy_write(struct nic *nic, unsigned int reg, u16 value)
{
	struct phy *phy = &nic->phy;
	u16 old;

	if (reg == MII_PAGE) {
		phy->page = value;
		return;
	}
	if (phy->page) {
		/* A page number that aliases page 0 must not reach its registers. */
		if (phy->page % PHY_PAGES)
			phy->regs[phy->page % PHY_PAGES][reg] = value;
		return;
	}
	old = phy->regs[0][reg];
	phy->regs[0][reg] = value;
	if (reg != MII_BMCR)
		return;
	if (value & BMCR_RESET)
		value |= BMCR_RESTART;
	phy->regs[0][MII_BMCR] = value & ~(BMCR_RESET | BMCR_RESTART);
	if (value & BMCR_POWER_DOWN) {
		phy->link_at = 0;
		phy_set_link(nic, false);
	} else if ((value & BMCR_RESTART) ||
		   ((old ^ value) & (BMCR_POWER_DOWN | BMCR_AUTONEG | BMCR_SPEED1000 |
				     BMCR_SPEED100 | BMCR_FULL_DUPLEX))) {
		phy_negotiate(nic);
	}
}

void phy_plug(struct nic *nic, bool cable)
{
	if (nic->phy.cable == cable)
		return;
	nic->phy.cable = cable;
	phy_negotiate(nic);
}

void phy_timer(struct nic *nic)
{
	if (!nic->phy.link_at || nic->now < nic->phy.link_at)
		return;
	nic->phy.link_at = 0;
	phy_set_link(nic, true);
}
