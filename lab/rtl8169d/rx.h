/* SPDX-License-Identifier: GPL-2.0-only */
/* Receive path: from a frame on the wire to the guest's ring. */
#ifndef RTL8169D_RX_H
#define RTL8169D_RX_H

#include "util.h"

struct nic;

struct rx {
	u32 index;	  /* next descriptor */
	u32 ahead;	  /* if not 0: one more than the index that follows the next frame */
	u32 unreported;	  /* frames in the ring since rx_flush() */
	bool starved;	  /* the ring was empty at the last frame; reported once to the guest */
	u64 retry_at;	  /* back-pressure: time of the next look at the ring, 0 = not waiting */
	u64 paused_since; /* back-pressure: time of its beginning, 0 = not waiting */
};

/** rx_reset() - back to the first descriptor. */
void rx_reset(struct nic *nic);

/** rx_changed() - the driver may have returned descriptors. */
void rx_changed(struct nic *nic);

/**
 * rx_waiting() - is a frame held back because the ring is empty, and not yet time to look again?
 */
bool rx_waiting(const struct nic *nic);

/**
 * rx_frame() - one frame from the wire.
 * @frame:	without FCS; only read
 *
 * Return: true if the frame was delivered, or dropped and counted. false: keep it and offer it
 * again when rx_waiting() is false.
 */
bool rx_frame(struct nic *nic, const u8 *frame, u32 len);

/**
 * rx_settle() - called when all sources had their turn. If none offered the held frame again,
 * forget it.
 */
void rx_settle(struct nic *nic);

/** rx_flush() - end of a batch: report the received frames. */
void rx_flush(struct nic *nic);

/** rx_deadline() - lower @next to the time at which rx_waiting() ends. */
void rx_deadline(const struct nic *nic, u64 *next);

#endif
