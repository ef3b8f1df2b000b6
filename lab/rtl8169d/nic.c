// SPDX-License-Identifier: GPL-2.0-only
/* The NIC as a whole: the chips it can be, and reset. */
#include "nic.h"

const struct chip chip_8169 = {
	.name = "8169",
	.pci_device = 0x8169,
	.xid = 0x100,
	.phy_id2 = 0xc910,
	.intr_unit_ns = 320,
};

const struct chip chip_8168 = {
	.name = "8168",
	.pci_device = 0x8168,
	.xid = 0x3c0,
	.phy_id2 = 0xc912,
	.pcie = true,
	.new_layout = true,
	.intr_unit_ns = 5000,
};

void nic_reset(struct nic *nic)
{
	pci_reset(nic);
	regs_reset(nic);
	phy_reset(nic);
	tx_reset(nic);
	rx_reset(nic);
	tally_clear(nic);
	irq_reset(nic);
}
