// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware statistics ("dump tally counter" of the data sheet). Collisions and alignment errors
 * cannot happen here.
 */
#include "nic.h"

#define TALLY_SIZE		64
#define TALLY_TX_OK		0
#define TALLY_RX_OK		8
#define TALLY_TX_ERRORS		16
#define TALLY_RX_ERRORS		24
#define TALLY_RX_MISSED		28
#define TALLY_RX_UNICAST	40
#define TALLY_RX_BROADCAST	48
#define TALLY_RX_MULTICAST	56

void tally_clear(struct nic *nic)
{
	memset(&nic->tally, 0, sizeof(nic->tally));
}

void tally_dump(struct nic *nic, u64 iova)
{
	const struct tally *tally = &nic->tally;
	u8 block[TALLY_SIZE] = { 0 };

	put_le64(block + TALLY_TX_OK, tally->tx_ok);
	put_le64(block + TALLY_RX_OK, tally->rx_ok);
	put_le64(block + TALLY_TX_ERRORS, tally->tx_errors);
	put_le32(block + TALLY_RX_ERRORS, tally->rx_errors);
	put_le16(block + TALLY_RX_MISSED, tally->rx_missed);
	put_le64(block + TALLY_RX_UNICAST, tally->rx_unicast);
	put_le64(block + TALLY_RX_BROADCAST, tally->rx_broadcast);
	put_le32(block + TALLY_RX_MULTICAST, tally->rx_multicast);
	if (pci_bus_master(nic) && dma_write(&nic->dma, iova, block, sizeof(block)))
		nic->stats.counter_dumps++;
	else
		irq_raise(nic, INT_SYS_ERR);
}
