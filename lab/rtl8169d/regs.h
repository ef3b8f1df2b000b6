/* SPDX-License-Identifier: GPL-2.0-only */
/* The register file, the same through the I/O and the memory BAR. */
#ifndef RTL8169D_REGS_H
#define RTL8169D_REGS_H

#include "chip.h"

struct nic;

struct regs {
	u8 bytes[REGS_SIZE];
	u32 csi[1024];		/* PCIe core registers behind CSIAR */
	u16 ephy[32];		/* PCIe PHY registers behind EPHYAR */
};

/** regs_reset() - power-on values. */
void regs_reset(struct nic *nic);

/** regs_read() - @len bytes at @offset of a BAR; zero where there is no register. */
void regs_read(struct nic *nic, u64 offset, void *buf, u32 len);

/** regs_write() - likewise, with all side effects, of any length and alignment. */
void regs_write(struct nic *nic, u64 offset, const void *buf, u32 len);

/** reg16() / reg64() - current value of a register or a pair of 32-bit registers. */
u16 reg16(const struct nic *nic, enum reg reg);
u64 reg64(const struct nic *nic, enum reg low);

#endif
