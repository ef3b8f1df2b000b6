/* SPDX-License-Identifier: GPL-2.0-only */
/* Transmit path: from the guest's ring to the wire. */
#ifndef RTL8169D_TX_H
#define RTL8169D_TX_H

#include "util.h"

struct nic;

/* Largest packet that descriptors can describe: a large send of 64 KiB with its headers. */
#define TX_PACKET_MAX	(65535 + 256)

struct tx {
	u32 index;			/* next descriptor */
	bool pending;			/* the doorbell rang, and the ring was not yet seen empty */
	bool in_packet;			/* a first fragment was taken, the last was not */
	bool bad;			/* this packet must not be sent */
	bool waiting_rate;
	u32 opts1, opts2;		/* of the first fragment */
	u32 len;
	u8 packet[TX_PACKET_MAX + 64];	/* room for padding and a VLAN tag */
};

/** tx_reset() - back to the first descriptor; an incomplete packet is dropped. */
void tx_reset(struct nic *nic);

/** tx_kick() - the driver rang the doorbell. */
void tx_kick(struct nic *nic);

/** tx_run() - send, as far as ring, wire and rate allow. Return: there is more to do at once. */
bool tx_run(struct nic *nic);

/** tx_deadline() - lower @next to the time at which the rate limit allows the next packet. */
void tx_deadline(const struct nic *nic, u64 *next);

#endif
