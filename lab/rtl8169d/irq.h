/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IntrStatus, IntrMask and how they become INTx or MSI.
 *
 * Interrupts of finished frames are moderated: by IntrMitigate if the driver programmed it.
 * Otherwise receive interrupts keep the distance rx_irq_gap, and transmit interrupts wait up to
 * tx_irq_delay for a receive interrupt that reports both.
 */
#ifndef RTL8169D_IRQ_H
#define RTL8169D_IRQ_H

#include "util.h"

struct nic;

enum irq_index {
	IRQ_INTX,
	IRQ_MSI,
	IRQ_KINDS,
};

struct irq {
	int fd[IRQ_KINDS];	/* eventfds of the virtual machine, -1 if not enabled */
	bool level;		/* status & mask */
	bool intx_masked;	/* by the automask of each trigger, or by the virtual machine */
	bool intx_seen;		/* this level was signalled and has not dropped since */
	u64 intx_at;		/* when to signal a level that outlived its unmask, or 0 */
	u64 rx_at, tx_at;	/* when pending frames must be reported, or 0 */
	u64 rx_last;		/* time of the latest receive interrupt */
	u32 rx_pending;		/* finished frames not yet reported */
	u32 tx_pending;
};

/** irq_init() - no eventfds yet. */
void irq_init(struct nic *nic);

/** irq_reset() - clear mask, status and moderation; the eventfds stay. */
void irq_reset(struct nic *nic);

/** irq_set_fd() - the virtual machine's eventfd for one kind, -1 to disable; owned from here on. */
void irq_set_fd(struct nic *nic, enum irq_index kind, int fd);

/** irq_raise() - set IntrStatus bits. */
void irq_raise(struct nic *nic, u16 bits);

/** irq_ack() - clear IntrStatus bits. */
void irq_ack(struct nic *nic, u16 bits);

/** irq_update() - after a change of mask, status or PCI command. */
void irq_update(struct nic *nic);

/** irq_intx_mask() - the virtual machine masks or unmasks INTx. */
void irq_intx_mask(struct nic *nic, bool mask);

/** irq_rx_done() - @frames were received. */
void irq_rx_done(struct nic *nic, u32 frames);

/** irq_tx_done() - @frames were sent. */
void irq_tx_done(struct nic *nic, u32 frames);

/** irq_timer() - raise the interrupts that are due. */
void irq_timer(struct nic *nic);

/** irq_deadline() - lower @next to the ns time of the next irq_timer() with something to do. */
void irq_deadline(const struct nic *nic, u64 *next);

#endif
