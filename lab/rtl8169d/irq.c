// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt status, signalling and moderation. */
#include <unistd.h>

#include "nic.h"

/*
 * INTx is level-triggered, but QEMU unmasks it at the handler's first register access, when the
 * handler has read IntrStatus and not yet cleared it. Signalling again at once would double every
 * interrupt; a level that is still up after this time is a new one. Measured: no doubles left at
 * 200 us under TCG.
 */
#define INTX_SETTLE_NS	(200 * NSEC_PER_USEC)

/* Report transmits at the latest when this many are unreported: a quarter of the driver's ring. */
#define TX_BATCH	64

static u16 status(const struct nic *nic)
{
	return get_le16(&nic->regs.bytes[REG_INTR_STATUS]);
}

static u16 mask(const struct nic *nic)
{
	return get_le16(&nic->regs.bytes[REG_INTR_MASK]);
}

void irq_init(struct nic *nic)
{
	nic->irq.fd[IRQ_INTX] = -1;
	nic->irq.fd[IRQ_MSI] = -1;
}

void irq_reset(struct nic *nic)
{
	struct irq *irq = &nic->irq;

	put_le16(&nic->regs.bytes[REG_INTR_STATUS], 0);
	put_le16(&nic->regs.bytes[REG_INTR_MASK], 0);
	irq->rx_at = 0;
	irq->tx_at = 0;
	irq->rx_pending = 0;
	irq->tx_pending = 0;
	irq_update(nic);
}

void irq_set_fd(struct nic *nic, enum irq_index kind, int fd)
{
	struct irq *irq = &nic->irq;

	if (irq->fd[kind] >= 0)
		close(irq->fd[kind]);
	irq->fd[kind] = fd;
	if (kind == IRQ_INTX) {
		irq->intx_masked = false;
		irq->intx_seen = false;
		irq->intx_at = 0;
	} else {
		/* A level that is up when MSI is switched on has not been signalled by MSI. */
		irq->level = false;
	}
	irq_update(nic);
}

static void signal_fd(struct nic *nic, enum irq_index kind)
{
	u64 one = 1;

	/* The eventfd does not block; if its counter is full the interrupt is pending anyway. */
	if (write(nic->irq.fd[kind], &one, sizeof(one)) < 0)
		say_verbose("an interrupt eventfd refused a write");
	nic->stats.irqs++;
}

void irq_update(struct nic *nic)
{
	struct irq *irq = &nic->irq;
	bool level = status(nic) & mask(nic);
	bool rising = level && !irq->level;

	irq->level = level;
	if (irq->fd[IRQ_MSI] >= 0) {
		if (rising)
			signal_fd(nic, IRQ_MSI);
		return;
	}
	pci_set_intx_status(nic, level);
	if (!level) {
		irq->intx_seen = false;
		irq->intx_at = 0;
		return;
	}
	if (irq->intx_masked || irq->intx_seen || irq->fd[IRQ_INTX] < 0 || pci_intx_disabled(nic))
		return;
	irq->intx_masked = true;
	irq->intx_seen = true;
	signal_fd(nic, IRQ_INTX);
}

void irq_intx_mask(struct nic *nic, bool on)
{
	struct irq *irq = &nic->irq;

	irq->intx_masked = on;
	if (on) {
		irq->intx_at = 0;
		return;
	}
	nic->stats.intx_unmasks++;
	if (irq->level && irq->intx_seen)
		irq->intx_at = now_ns() + INTX_SETTLE_NS;
	else
		irq_update(nic);
}

void irq_raise(struct nic *nic, u16 bits)
{
	put_le16(&nic->regs.bytes[REG_INTR_STATUS], status(nic) | bits);
	irq_update(nic);
}

void irq_ack(struct nic *nic, u16 bits)
{
	put_le16(&nic->regs.bytes[REG_INTR_STATUS], status(nic) & ~bits);
	irq_update(nic);
}

/*
 * IntrMitigate: four nibbles; from the top: transmit time, transmit frames / 4, receive time,
 * receive frames / 4.
 */
struct moderation {
	u64 delay_ns;
	u32 frames;
};

static struct moderation programmed(const struct nic *nic, unsigned int shift)
{
	static const u32 scale[] = { 1, 8, 16, 32 };
	u32 fields = get_le16(&nic->regs.bytes[REG_INTR_MITIGATE]) >> shift;
	u32 unit = scale[get_le16(&nic->regs.bytes[REG_CPLUS_CMD]) & CPLUS_TIMER_SCALE] *
		   nic->chip->intr_unit_ns;

	return (struct moderation){
		.delay_ns = (u64)unit * (fields >> 4 & 15),
		.frames = 4 * (fields & 15),
	};
}

/*
 * Report all pending frames of both directions: an interrupt for one costs the guest as much as one
 * for both.
 */
static void flush(struct nic *nic)
{
	struct irq *irq = &nic->irq;
	u16 bits = 0;

	if (irq->rx_pending) {
		bits |= INT_RX_OK;
		irq->rx_last = nic->now;
	}
	if (irq->tx_pending)
		bits |= INT_TX_OK;
	irq->rx_pending = 0;
	irq->tx_pending = 0;
	irq->rx_at = 0;
	irq->tx_at = 0;
	if (bits)
		irq_raise(nic, bits);
}

void irq_rx_done(struct nic *nic, u32 frames)
{
	struct irq *irq = &nic->irq;
	struct moderation m = programmed(nic, 0);
	u64 due;

	if (!frames)
		return;
	irq->rx_pending += frames;
	if (m.delay_ns)
		due = nic->now + m.delay_ns;
	else
		due = irq->rx_last + nic->opt->rx_irq_gap_us * NSEC_PER_USEC;
	if (due <= nic->now || (m.frames && irq->rx_pending >= m.frames))
		flush(nic);
	else if (!irq->rx_at)
		irq->rx_at = due;
}

void irq_tx_done(struct nic *nic, u32 frames)
{
	struct irq *irq = &nic->irq;
	struct moderation m = programmed(nic, 8);

	if (!frames)
		return;
	irq->tx_pending += frames;
	if (!m.delay_ns) {
		m.delay_ns = nic->opt->tx_irq_delay_us * NSEC_PER_USEC;
		m.frames = TX_BATCH;
	}
	if (!m.delay_ns || (m.frames && irq->tx_pending >= m.frames))
		flush(nic);
	else if (!irq->tx_at)
		irq->tx_at = nic->now + m.delay_ns;
}

void irq_timer(struct nic *nic)
{
	struct irq *irq = &nic->irq;

	if ((irq->rx_at && nic->now >= irq->rx_at) || (irq->tx_at && nic->now >= irq->tx_at))
		flush(nic);
	if (irq->intx_at && nic->now >= irq->intx_at) {
		irq->intx_at = 0;
		irq->intx_seen = false;
		irq_update(nic);
	}
}

void irq_deadline(const struct nic *nic, u64 *next)
{
	earliest(next, nic->irq.rx_at);
	earliest(next, nic->irq.tx_at);
	earliest(next, nic->irq.intx_at);
}
