/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One NIC: all that a file of this program may know of the others. A single thread runs all of it.
 */
#ifndef RTL8169D_NIC_H
#define RTL8169D_NIC_H

#include "chip.h"
#include "ctl.h"
#include "dma.h"
#include "fault.h"
#include "generate.h"
#include "ident.h"
#include "irq.h"
#include "options.h"
#include "pcap.h"
#include "pci.h"
#include "phy.h"
#include "rate.h"
#include "regs.h"
#include "replay.h"
#include "rx.h"
#include "stats.h"
#include "tally.h"
#include "tx.h"
#include "vfu.h"
#include "wire.h"

struct nic {
	const struct options *opt;
	const struct chip *chip;
	u64 now;		/* ns, taken once per turn of the loop */
	bool pause;		/* back-pressure instead of drops */
	bool clear_ident;	/* received datagrams have one identification */
	bool quit;
	int exit_code;
	struct stats stats;
	struct tally tally;
	struct dma_space dma;
	struct pci pci;
	struct regs regs;
	struct phy phy;
	struct irq irq;
	struct rx rx;
	struct tx tx;
	struct rate rx_rate;
	struct rate tx_rate;
	struct pcap pcap;
	struct replay replay;
	struct generator generator;
	struct fault fault;
	struct wire wire;
	struct vfu vfu;
	struct ctl ctl;
};

/**
 * nic_reset() - PCI reset of configuration space, registers, PHY and rings. Guest memory stays
 * known.
 */
void nic_reset(struct nic *nic);

#endif
