/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI configuration space. */
#ifndef RTL8169D_PCI_H
#define RTL8169D_PCI_H

#include "util.h"

struct nic;

#define PCI_CONFIG_SIZE	256

struct pci {
	u8 config[PCI_CONFIG_SIZE];
	u8 writable[PCI_CONFIG_SIZE];	/* bits that software may change */
	u8 clears[PCI_CONFIG_SIZE];	/* bits that writing 1 clears */
};

/** pci_reset() - state after power-on. */
void pci_reset(struct nic *nic);

/** pci_read() - @len bytes at @offset; zero behind the end. */
void pci_read(struct nic *nic, u64 offset, void *buf, u32 len);

/** pci_write() - change the writable bits. */
void pci_write(struct nic *nic, u64 offset, const void *buf, u32 len);

/** pci_bus_master() - may the device access memory? */
bool pci_bus_master(const struct nic *nic);

/** pci_intx_disabled() - does the command register forbid INTx? */
bool pci_intx_disabled(const struct nic *nic);

/** pci_set_intx_status() - set or clear the interrupt bit of the status register. */
void pci_set_intx_status(struct nic *nic, bool on);

/** pci_bar_size() - size in bytes of BAR @index, 0 if there is none. */
u32 pci_bar_size(const struct nic *nic, unsigned int index);

#endif
