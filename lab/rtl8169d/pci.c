// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI configuration space. QEMU answers the sizing of BARs itself, from the region sizes; here they
 * only hold type and address.
 */
#include "nic.h"

enum {
	PCI_VENDOR		= 0x00,
	PCI_DEVICE		= 0x02,
	PCI_COMMAND		= 0x04,
	PCI_STATUS		= 0x06,
	PCI_REVISION		= 0x08,
	PCI_CLASS		= 0x0a,
	PCI_CACHE_LINE		= 0x0c,
	PCI_LATENCY		= 0x0d,
	PCI_BAR0		= 0x10,
	PCI_SUBSYSTEM_VENDOR	= 0x2c,
	PCI_SUBSYSTEM		= 0x2e,
	PCI_CAPABILITIES	= 0x34,
	PCI_INTERRUPT_LINE	= 0x3c,
	PCI_INTERRUPT_PIN	= 0x3d,
	PCI_MIN_GRANT		= 0x3e,
	PCI_MAX_LATENCY		= 0x3f,
	CAP_PM			= 0x40,
	CAP_MSI			= 0x50,
	CAP_EXPRESS		= 0x70,
};

#define VENDOR_REALTEK		0x10ec
#define CLASS_ETHERNET		0x0200

#define COMMAND_MASTER	     BIT(2)
#define COMMAND_WRITABLE     0x0557 /* not: special cycles, palette snoop, stepping */
#define COMMAND_INTX_DISABLE BIT(10)
#define STATUS_INTERRUPT     BIT(3)
#define STATUS_CAPABILITIES  BIT(4)
#define STATUS_FIXED	     0x02a0 /* 66 MHz, fast back-to-back, medium DEVSEL */
#define STATUS_ERRORS	     0xf900 /* write 1 to clear */

#define BAR_IO			BIT(0)
#define BAR_MEM64		BIT(2)
#define IO_BAR			0
#define MEM_BAR_PCI		1
#define MEM_BAR_PCIE		2
#define MEM_SIZE_PCIE		4096

static void fixed8(struct pci *pci, unsigned int at, u8 value, u8 writable)
{
	pci->config[at] = value;
	pci->writable[at] = writable;
}

static void fixed16(struct pci *pci, unsigned int at, u16 value, u16 writable)
{
	put_le16(&pci->config[at], value);
	put_le16(&pci->writable[at], writable);
}

static void fixed32(struct pci *pci, unsigned int at, u32 value, u32 writable)
{
	put_le32(&pci->config[at], value);
	put_le32(&pci->writable[at], writable);
}

static void pm_capability(struct pci *pci, u8 next)
{
	fixed8(pci, CAP_PM, 0x01, 0);
	fixed8(pci, CAP_PM + 1, next, 0);
	fixed16(pci, CAP_PM + 2, 0xf7c2, 0);		/* version 2, PME from all states */
	fixed16(pci, CAP_PM + 4, 0, 0x0103);		/* power state, PME enable */
	put_le16(&pci->clears[CAP_PM + 4], 0x8000);	/* PME status */
}

static void msi_capability(struct pci *pci, u8 next)
{
	fixed8(pci, CAP_MSI, 0x05, 0);
	fixed8(pci, CAP_MSI + 1, next, 0);
	fixed16(pci, CAP_MSI + 2, 0x0080, 0x0071); /* 64-bit, one vector; enable, vectors granted */
	fixed32(pci, CAP_MSI + 4, 0, 0xfffffffcu);
	fixed32(pci, CAP_MSI + 8, 0, 0xffffffffu);
	fixed16(pci, CAP_MSI + 12, 0, 0xffff);
}

static void express_capability(struct pci *pci)
{
	fixed8(pci, CAP_EXPRESS, 0x10, 0);
	fixed8(pci, CAP_EXPRESS + 1, 0, 0);
	fixed16(pci, CAP_EXPRESS + 2, 0x0001, 0); /* version 1, endpoint */
	fixed32(pci, CAP_EXPRESS + 4, 0x00008fc0, 0); /* latencies, 128-byte payload */
	fixed16(pci, CAP_EXPRESS + 8, 0x2810, 0x7fff); /* device control */
	fixed16(pci, CAP_EXPRESS + 10, 0, 0);
	put_le16(&pci->clears[CAP_EXPRESS + 10], 0x000f);
	fixed32(pci, CAP_EXPRESS + 12, 0x0003fc11, 0);	/* 2.5 GT/s, one lane */
	fixed16(pci, CAP_EXPRESS + 16, 0, 0x01fb);	/* link control */
	fixed16(pci, CAP_EXPRESS + 18, 0x1011, 0);	/* link status */
}

void pci_reset(struct nic *nic)
{
	struct pci *pci = &nic->pci;

	memset(pci, 0, sizeof(*pci));
	fixed16(pci, PCI_VENDOR, VENDOR_REALTEK, 0);
	fixed16(pci, PCI_DEVICE, nic->chip->pci_device, 0);
	fixed16(pci, PCI_COMMAND, 0, COMMAND_WRITABLE);
	fixed16(pci, PCI_STATUS, STATUS_CAPABILITIES | STATUS_FIXED, 0);
	put_le16(&pci->clears[PCI_STATUS], STATUS_ERRORS);
	fixed8(pci, PCI_REVISION, nic->chip->pcie ? 0x02 : 0x10, 0);
	fixed16(pci, PCI_CLASS, CLASS_ETHERNET, 0);
	fixed8(pci, PCI_CACHE_LINE, 0, 0xff);
	fixed8(pci, PCI_LATENCY, 0, 0xff);
	fixed32(pci, PCI_BAR0, BAR_IO, 0xffffff00u);
	if (nic->chip->pcie) {
		fixed32(pci, PCI_BAR0 + 4 * MEM_BAR_PCIE, BAR_MEM64, ~(MEM_SIZE_PCIE - 1u));
		fixed32(pci, PCI_BAR0 + 4 * MEM_BAR_PCIE + 4, 0, 0xffffffffu);
	} else {
		fixed32(pci, PCI_BAR0 + 4 * MEM_BAR_PCI, 0, 0xffffff00u);
	}
	fixed16(pci, PCI_SUBSYSTEM_VENDOR, VENDOR_REALTEK, 0);
	fixed16(pci, PCI_SUBSYSTEM, nic->chip->pci_device, 0);
	fixed8(pci, PCI_CAPABILITIES, CAP_PM, 0);
	fixed8(pci, PCI_INTERRUPT_LINE, 0, 0xff);
	fixed8(pci, PCI_INTERRUPT_PIN, 1, 0);
	fixed8(pci, PCI_MIN_GRANT, 32, 0);
	fixed8(pci, PCI_MAX_LATENCY, 64, 0);
	pm_capability(pci, nic->chip->pcie ? CAP_MSI : 0);
	if (nic->chip->pcie) {
		msi_capability(pci, CAP_EXPRESS);
		express_capability(pci);
	}
}

void pci_read(struct nic *nic, u64 offset, void *buf, u32 len)
{
	u8 *to = buf;
	u32 i;

	for (i = 0; i < len; i++)
		to[i] = offset + i < PCI_CONFIG_SIZE ? nic->pci.config[offset + i] : 0;
}

void pci_write(struct nic *nic, u64 offset, const void *buf, u32 len)
{
	struct pci *pci = &nic->pci;
	const u8 *from = buf;
	u32 i;

	for (i = 0; i < len && offset + i < PCI_CONFIG_SIZE; i++) {
		u64 at = offset + i;
		u8 change = pci->writable[at];

		pci->config[at] = (u8)((pci->config[at] & ~change) | (from[i] & change));
		pci->config[at] &= (u8)~(from[i] & pci->clears[at]);
	}
	irq_update(nic);
}

bool pci_bus_master(const struct nic *nic)
{
	return nic->pci.config[PCI_COMMAND] & COMMAND_MASTER;
}

bool pci_intx_disabled(const struct nic *nic)
{
	return get_le16(&nic->pci.config[PCI_COMMAND]) & COMMAND_INTX_DISABLE;
}

void pci_set_intx_status(struct nic *nic, bool on)
{
	u8 *status = &nic->pci.config[PCI_STATUS];

	*status = (u8)((*status & ~STATUS_INTERRUPT) | (on ? STATUS_INTERRUPT : 0));
}

u32 pci_bar_size(const struct nic *nic, unsigned int index)
{
	if (index == IO_BAR)
		return REGS_SIZE;
	if (nic->chip->pcie)
		return index == MEM_BAR_PCIE ? MEM_SIZE_PCIE : 0;
	return index == MEM_BAR_PCI ? REGS_SIZE : 0;
}
