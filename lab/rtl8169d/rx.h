/* SPDX-License-Identifier: GPL-2.0-only */
/* Receive path: from a frame on the wire to the guest's ring. */
#ifndef RTL8169D_RX_H
#define RTL8169D_RX_H

#include "util.h"

struct nic;

struct rx {
	u32 index;	  /* next descriptor */
	u32 ahead;	  /* if not 0: one more than the index to go on at after the next frame */
	u32 unreported;	  /* frames in the ring since rx_flush() */
	bool starved;	  /* the ring was empty at the last frame; reported once to the guest */
	u64 retry_at;	  /* back-pressure: when to look at the ring again, 0 = not waiting */
	u64 paused_since; /* back-pressure: since when, 0 = not waiting */
};

/** rx_reset() - back to the first descriptor. */
void rx_reset(struct nic *nic);

/** rx_changed() - the driver did something after which descriptors may be back. */
void rx_changed(struct nic *nic);

/**
 * rx_waiting() - is a frame held back because the ring is empty, and not yet time to look again?
 */
bool rx_waiting(const struct nic *nic);

/**
 * rx_frame() - one frame from the wire.
 * @frame:	without FCS; only read
 *
 * Return: true if the frame is done with: delivered, or dropped and counted. false: keep it and
 * offer it again when rx_waiting() is false.
 */
bool rx_frame(struct nic *nic, const u8 *frame, u32 len);

/**
 * rx_settle() - after all sources had their turn: nobody offered the frame that was held back
 * again, so forget it.
 */
void rx_settle(struct nic *nic);

/** rx_flush() - end of a batch: report what was received. */
void rx_flush(struct nic *nic);

/** rx_deadline() - lower @next to the time at which rx_waiting() ends. */
void rx_deadline(const struct nic *nic, u64 *next);

#endif
