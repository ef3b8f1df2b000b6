/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers and descriptor bits of the RTL8169 family. Names and numbers: Realtek's RTL8169 and
 * RTL8168C data sheets, compared with the register names of Linux's r8169 driver, which is the
 * client.
 */
#ifndef RTL8169D_CHIP_H
#define RTL8169D_CHIP_H

#include "util.h"

#define REGS_SIZE     256
#define ETH_HEADER    14
#define ETH_VLAN_TAG  4
#define ETH_MIN_FRAME 60 /* without FCS */
#define ETH_FCS	      4
#define FRAME_MAX     (0x3fff - ETH_FCS) /* 14-bit length field, which counts the FCS */

enum reg {
	REG_MAC0		= 0x00,
	REG_MAR0		= 0x08,
	REG_COUNTER_LOW		= 0x10,
	REG_COUNTER_HIGH	= 0x14,
	REG_TX_DESC_LOW		= 0x20,
	REG_TX_DESC_HIGH	= 0x24,
	REG_CHIP_CMD		= 0x37,
	REG_TX_POLL		= 0x38,
	REG_INTR_MASK		= 0x3c,
	REG_INTR_STATUS		= 0x3e,
	REG_TX_CONFIG		= 0x40,
	REG_RX_CONFIG		= 0x44,
	REG_RX_MISSED		= 0x4c,
	REG_CFG9346		= 0x50,
	REG_CONFIG1		= 0x52,
	REG_PHYAR		= 0x60,
	REG_CSIDR		= 0x64,	/* PCIe chips */
	REG_CSIAR		= 0x68,	/* PCIe chips */
	REG_PHY_STATUS		= 0x6c,
	REG_EPHYAR		= 0x80,	/* PCIe chips */
	REG_RX_MAX_SIZE		= 0xda,
	REG_CPLUS_CMD		= 0xe0,
	REG_INTR_MITIGATE	= 0xe2,
	REG_RX_DESC_LOW		= 0xe4,
	REG_RX_DESC_HIGH	= 0xe8,
	REG_WIRE_CLOCK		= 0xf8,	/* no real chip's: see generate.h */
};

/* CounterAddrLow: commands in the low bits of the address */
#define COUNTER_RESET		BIT(0)
#define COUNTER_DUMP		BIT(3)

/* ChipCmd */
#define CMD_RESET		BIT(4)
#define CMD_RX_ENABLE		BIT(3)
#define CMD_TX_ENABLE		BIT(2)

/* TxPoll */
#define POLL_NORMAL		BIT(6)
#define POLL_SOFT_INT		BIT(0)

/* IntrMask, IntrStatus */
#define INT_SYS_ERR		BIT(15)
#define INT_SOFT		BIT(8)
#define INT_LINK_CHANGE		BIT(5)
#define INT_RX_UNAVAILABLE	BIT(4)
#define INT_TX_ERR		BIT(3)
#define INT_TX_OK		BIT(2)
#define INT_RX_ERR		BIT(1)
#define INT_RX_OK		BIT(0)

/* TxConfig: the hardware version; the other bits are the driver's */
#define TX_CONFIG_XID_MASK	0xfcf00000u
#define TX_CONFIG_XID_SHIFT	20

/* RxConfig */
#define ACCEPT_BROADCAST	BIT(3)
#define ACCEPT_MULTICAST	BIT(2)
#define ACCEPT_MY_PHYS		BIT(1)
#define ACCEPT_ALL_PHYS		BIT(0)

/* CPlusCmd */
#define CPLUS_RX_VLAN		BIT(6)
#define CPLUS_RX_CSUM		BIT(5)
#define CPLUS_TIMER_SCALE	(BIT(1) | BIT(0))

/* PHYAR, EPHYAR, CSIAR: bit 31 */
#define ACCESS_FLAG		BIT(31)

/* PHYstatus */
#define PHYSTAT_1000		BIT(4)
#define PHYSTAT_100		BIT(3)
#define PHYSTAT_10		BIT(2)
#define PHYSTAT_LINK		BIT(1)
#define PHYSTAT_FULL_DUPLEX	BIT(0)
#define PHYSTAT_TX_FLOW		BIT(6)
#define PHYSTAT_RX_FLOW		BIT(5)

/* Descriptors are 16 bytes: opts1, opts2, 64-bit address; at most 1024 in a ring. */
#define DESC_SIZE		16
#define RING_MAX		1024

/* opts1, both directions */
#define DESC_OWN		BIT(31)
#define DESC_RING_END		BIT(30)
#define DESC_FIRST		BIT(29)
#define DESC_LAST		BIT(28)

/* opts1 of a received frame */
#define RXD_MULTICAST		BIT(27)
#define RXD_PHYSICAL		BIT(26)
#define RXD_BROADCAST		BIT(25)
#define RXD_WATCHDOG		BIT(22)
#define RXD_ERROR		BIT(21)
#define RXD_RUNT		BIT(20)
#define RXD_CRC			BIT(19)
#define RXD_PROTO_UDP		BIT(18)
#define RXD_PROTO_TCP		BIT(17)
#define RXD_PROTO_IP		(BIT(18) | BIT(17))
#define RXD_IP_FAIL		BIT(16)
#define RXD_UDP_FAIL		BIT(15)
#define RXD_TCP_FAIL		BIT(14)
#define RXD_LEN_MASK		0x3fffu

/* opts2 of a received frame */
#define RXD2_IPV6		BIT(31)	/* 8168 layout */
#define RXD2_IPV4		BIT(30)	/* 8168 layout */
#define RXD2_VLAN		BIT(16)

/* opts1 of a frame to send */
#define TXD_LEN_MASK		0xffffu
/* 8169 layout */
#define TXD_LSO			BIT(27)
#define TXD_LSO_MSS_SHIFT	16
#define TXD_IP_CSUM		BIT(18)
#define TXD_UDP_CSUM		BIT(17)
#define TXD_TCP_CSUM		BIT(16)
/* 8168 layout */
#define TXD_GIANT_IPV4		BIT(26)
#define TXD_GIANT_IPV6		BIT(25)
#define TXD_GIANT_L4_SHIFT	18
#define TXD_GIANT_L4_MASK	0x7fu
#define MSS_MASK		0x7ffu

/* opts2 of a frame to send */
#define TXD2_VLAN		BIT(17)
/* 8168 layout */
#define TXD2_UDP_CSUM		BIT(31)
#define TXD2_TCP_CSUM		BIT(30)
#define TXD2_IPV4_CSUM		BIT(29)
#define TXD2_IPV6_CSUM		BIT(28)
#define TXD2_L4_SHIFT		18
#define TXD2_L4_MASK		0x3ffu
#define TXD2_MSS_SHIFT		18

/* Differences between the two chips. */
struct chip {
	const char *name;
	u16 pci_device;
	u16 xid;		/* hardware version as TxConfig shows it */
	u16 phy_id2;
	bool pcie; /* MSI, memory BAR 2 of 4 KiB, CSI and EPHY registers, mirrored multicast hash */
	bool new_layout;  /* 8168 descriptor layout */
	u32 intr_unit_ns; /* unit of IntrMitigate's times at 1000 Mbit/s, scale 0 */
};

extern const struct chip chip_8169;
extern const struct chip chip_8168;

#endif
