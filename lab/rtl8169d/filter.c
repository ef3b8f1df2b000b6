// SPDX-License-Identifier: GPL-2.0-only
/* Address filter: own address, broadcast, 64-bit multicast hash, everything. */
#include "filter.h"
#include "nic.h"

#define ETH_ADDR	6
#define CRC32_POLY	0x04c11db7u

enum address filter_class(const u8 *mac)
{
	static const u8 broadcast[ETH_ADDR] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	if (!(mac[0] & 1))
		return ADDRESS_UNICAST;
	return memcmp(mac, broadcast, ETH_ADDR) ? ADDRESS_MULTICAST : ADDRESS_BROADCAST;
}

unsigned int filter_hash(const u8 *mac)
{
	u32 crc = ~0u;
	unsigned int i, bit;

	/* Ethernet's CRC in transmission order: least significant bit of each byte first. */
	for (i = 0; i < ETH_ADDR; i++)
		for (bit = 0; bit < 8; bit++) {
			u32 top = crc >> 31 ^ (mac[i] >> bit & 1u);

			crc = crc << 1 ^ (top ? CRC32_POLY : 0);
		}
	return crc >> 26;
}

static bool multicast_hit(const struct nic *nic, const u8 *mac)
{
	unsigned int hash = filter_hash(mac);
	unsigned int byte = hash / 8;

	/* PCIe chips keep the eight filter bytes in the opposite order. */
	if (nic->chip->pcie)
		byte = 7 - byte;
	return nic->regs.bytes[REG_MAR0 + byte] >> hash % 8 & 1;
}

bool filter_accepts(const struct nic *nic, const u8 *mac)
{
	u8 accept = nic->regs.bytes[REG_RX_CONFIG];

	switch (filter_class(mac)) {
	case ADDRESS_BROADCAST:
		return accept & ACCEPT_BROADCAST;
	case ADDRESS_MULTICAST:
		return (accept & ACCEPT_MULTICAST) && multicast_hit(nic, mac);
	case ADDRESS_UNICAST:
		break;
	}
	if (accept & ACCEPT_ALL_PHYS)
		return true;
	return (accept & ACCEPT_MY_PHYS) && !memcmp(mac, &nic->regs.bytes[REG_MAC0], ETH_ADDR);
}
