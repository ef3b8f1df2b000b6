// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register file. A write of any size is split into the registers that it touches; each gets its new
 * value and a mask of the written bits. Registers without a handler are storage.
 */
#include "nic.h"

typedef void (*reg_write_fn)(struct nic *nic, u32 value, u32 written);

u16 reg16(const struct nic *nic, enum reg reg)
{
	return get_le16(&nic->regs.bytes[reg]);
}

u64 reg64(const struct nic *nic, enum reg low)
{
	return get_le64(&nic->regs.bytes[low]);
}

static void set32(struct nic *nic, enum reg reg, u32 value)
{
	put_le32(&nic->regs.bytes[reg], value);
}

static void write_counter_low(struct nic *nic, u32 value, u32 written)
{
	u32 command = value & written & (COUNTER_RESET | COUNTER_DUMP);

	/* The commands are done before the driver can look: their bits never read as set. */
	set32(nic, REG_COUNTER_LOW, value & ~(u32)(COUNTER_RESET | COUNTER_DUMP));
	if (command & COUNTER_RESET)
		tally_clear(nic);
	if (command & COUNTER_DUMP)
		tally_dump(nic, reg64(nic, REG_COUNTER_LOW) & ~63ull);
}

static void write_tx_desc_low(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_TX_DESC_LOW, value & ~255u);
	tx_reset(nic);
}

static void write_tx_desc_high(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_TX_DESC_HIGH, value);
	tx_reset(nic);
}

static void write_rx_desc_low(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_RX_DESC_LOW, value & ~255u);
	rx_reset(nic);
}

static void write_rx_desc_high(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_RX_DESC_HIGH, value);
	rx_reset(nic);
}

static void soft_reset(struct nic *nic)
{
	nic->regs.bytes[REG_CHIP_CMD] = 0;
	nic->regs.bytes[REG_TX_POLL] = 0;
	put_le16(&nic->regs.bytes[REG_INTR_MITIGATE], 0);
	tx_reset(nic);
	rx_reset(nic);
	irq_reset(nic);
}

static void write_chip_cmd(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	if (value & CMD_RESET) {
		soft_reset(nic);
		return;
	}
	nic->regs.bytes[REG_CHIP_CMD] = value & (CMD_RX_ENABLE | CMD_TX_ENABLE);
	rx_changed(nic);
}

static void write_tx_poll(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	if (value & POLL_SOFT_INT)
		irq_raise(nic, INT_SOFT);
	if (value & POLL_NORMAL)
		tx_kick(nic);
}

static void write_intr_mask(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	put_le16(&nic->regs.bytes[REG_INTR_MASK], (u16)value);
	irq_update(nic);
	/* The driver unmasks when it has emptied the ring: it has returned descriptors then. */
	if (value)
		rx_changed(nic);
}

static void write_intr_status(struct nic *nic, u32 value, u32 written)
{
	irq_ack(nic, (u16)(value & written));
}

static void write_tx_config(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_TX_CONFIG,
	      (value & ~TX_CONFIG_XID_MASK) | (u32)nic->chip->xid << TX_CONFIG_XID_SHIFT);
}

static void write_rx_missed(struct nic *nic, u32 value, u32 written)
{
	(void)value;
	(void)written;
	set32(nic, REG_RX_MISSED, 0);
}

/*
 * Bit 31 as 1 asks for a write and reads as 0 when that is done; as 0 it asks for a read and reads
 * as 1 when that is done.
 */
static void write_phyar(struct nic *nic, u32 value, u32 written)
{
	unsigned int reg = value >> 16 & 31;

	if (!(written & ACCESS_FLAG)) {
		set32(nic, REG_PHYAR, value);
	} else if (value & ACCESS_FLAG) {
		phy_write(nic, reg, (u16)value);
		set32(nic, REG_PHYAR, value & ~ACCESS_FLAG);
	} else {
		set32(nic, REG_PHYAR, ACCESS_FLAG | reg << 16 | phy_read(nic, reg));
	}
}

static void write_ephyar(struct nic *nic, u32 value, u32 written)
{
	unsigned int reg = value >> 16 & 31;

	if (!nic->chip->pcie || !(written & ACCESS_FLAG)) {
		set32(nic, REG_EPHYAR, value);
	} else if (value & ACCESS_FLAG) {
		nic->regs.ephy[reg] = (u16)value;
		set32(nic, REG_EPHYAR, value & ~ACCESS_FLAG);
	} else {
		set32(nic, REG_EPHYAR, ACCESS_FLAG | reg << 16 | nic->regs.ephy[reg]);
	}
}

static void write_csiar(struct nic *nic, u32 value, u32 written)
{
	u32 *csi = &nic->regs.csi[(value & 0xfff) / 4];
	u32 enables = value >> 12 & 15;
	unsigned int i;

	if (!nic->chip->pcie || !(written & ACCESS_FLAG)) {
		set32(nic, REG_CSIAR, value);
	} else if (value & ACCESS_FLAG) {
		u32 data = get_le32(&nic->regs.bytes[REG_CSIDR]);

		for (i = 0; i < 4; i++)
			if (enables & BIT(i))
				*csi = (*csi & ~(0xffu << 8 * i)) | (data & 0xffu << 8 * i);
		set32(nic, REG_CSIAR, value & ~ACCESS_FLAG);
	} else {
		set32(nic, REG_CSIDR, *csi);
		set32(nic, REG_CSIAR, value | ACCESS_FLAG);
	}
}

static void write_wire_clock(struct nic *nic, u32 value, u32 written)
{
	(void)written;
	set32(nic, REG_WIRE_CLOCK, value);
	generate_clock(&nic->generator, value);
	/* A read returns when the frames that are due are in the ring. */
	generate_run(nic);
}

static void write_ignored(struct nic *nic, u32 value, u32 written)
{
	(void)nic;
	(void)value;
	(void)written;
}

static const struct {
	u8 reg;
	u8 size;
	reg_write_fn write;
} handlers[] = {
	{ REG_COUNTER_LOW, 4, write_counter_low },
	{ REG_TX_DESC_LOW, 4, write_tx_desc_low },
	{ REG_TX_DESC_HIGH, 4, write_tx_desc_high },
	{ REG_CHIP_CMD, 1, write_chip_cmd },
	{ REG_TX_POLL, 1, write_tx_poll },
	{ REG_INTR_MASK, 2, write_intr_mask },
	{ REG_INTR_STATUS, 2, write_intr_status },
	{ REG_TX_CONFIG, 4, write_tx_config },
	{ REG_RX_MISSED, 4, write_rx_missed },
	{ REG_PHYAR, 4, write_phyar },
	{ REG_CSIAR, 4, write_csiar },
	{ REG_PHY_STATUS, 1, write_ignored },
	{ REG_EPHYAR, 4, write_ephyar },
	{ REG_RX_DESC_LOW, 4, write_rx_desc_low },
	{ REG_RX_DESC_HIGH, 4, write_rx_desc_high },
	{ REG_WIRE_CLOCK, 4, write_wire_clock },
};

static int find_handler(u64 offset)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (offset >= handlers[i].reg && offset < (u64)handlers[i].reg + handlers[i].size)
			return (int)i;
	return -1;
}

void regs_reset(struct nic *nic)
{
	struct regs *regs = &nic->regs;

	memset(regs, 0, sizeof(*regs));
	memcpy(&regs->bytes[REG_MAC0], nic->opt->mac, sizeof(nic->opt->mac));
	set32(nic, REG_TX_CONFIG, (u32)nic->chip->xid << TX_CONFIG_XID_SHIFT);
	regs->bytes[REG_CONFIG1] = 0x0d;	/* memory and I/O mapped, power management */
}

void regs_read(struct nic *nic, u64 offset, void *buf, u32 len)
{
	u8 *to = buf;
	u32 i;

	nic->stats.mmio_reads++;
	for (i = 0; i < len; i++)
		to[i] = offset + i < REGS_SIZE ? nic->regs.bytes[offset + i] : 0;
}

void regs_write(struct nic *nic, u64 offset, const void *buf, u32 len)
{
	const u8 *from = buf;
	u32 i = 0;

	nic->stats.mmio_writes++;
	while (i < len && offset + i < REGS_SIZE) {
		u64 at = offset + i;
		int found = find_handler(at);
		u32 value = 0, written = 0;
		unsigned int byte;

		if (found < 0) {
			nic->regs.bytes[at] = from[i++];
			continue;
		}
		for (byte = 0; byte < handlers[found].size; byte++) {
			u64 pos = handlers[found].reg + byte;
			u8 b = nic->regs.bytes[pos];

			if (pos >= offset && pos - offset < len) {
				b = from[pos - offset];
				written |= 0xffu << 8 * byte;
			}
			value |= (u32)b << 8 * byte;
		}
		i = (u32)(handlers[found].reg + handlers[found].size - offset);
		handlers[found].write(nic, value, written);
	}
}
