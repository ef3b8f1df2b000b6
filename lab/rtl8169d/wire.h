/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire: a stream socket on which each frame follows its length, four bytes in network order, as
 * QEMU's "stream" and "socket" network back ends do it. One peer at a time; it may come and go.
 */
#ifndef RTL8169D_WIRE_H
#define RTL8169D_WIRE_H

#include "pollset.h"
#include "sock.h"
#include "util.h"

struct nic;

#define WIRE_FRAME_MAX	(65536 + 4096)		/* QEMU's own limit */
#define WIRE_RX_SIZE	(512 * 1024)
#define WIRE_TX_SIZE	(1024 * 1024)
#define WIRE_TX_HIGH	(256 * 1024)		/* above this no new packets are fetched */

struct wire {
	bool enabled;
	bool listening;
	struct sock_addr addr;
	int listen_fd;
	int fd;			/* -1 without a peer */
	bool connecting;	/* fd is not connected yet */
	u64 connect_at;		/* next attempt, 0 = none needed */
	unsigned int slot;
	bool rate_waiting;
	u32 rx_head, rx_tail;
	u32 tx_head, tx_tail;
	u8 rx[WIRE_RX_SIZE];
	u8 tx[WIRE_TX_SIZE];
};

/** wire_init() - open the listening socket or start connecting. Return: false and a message. */
bool wire_init(struct nic *nic);

/** wire_exit() - close everything and remove the socket's file. */
void wire_exit(struct nic *nic);

/** wire_poll() - add the descriptors to wait for. */
void wire_poll(struct nic *nic, struct pollset *set);

/** wire_event() - accept, connect, read, write. */
void wire_event(struct nic *nic, const struct pollset *set);

/**
 * wire_run() - give buffered frames to the receiver. Return: there are more that it would take at
 * once.
 */
bool wire_run(struct nic *nic);

/**
 * wire_deadline() - lower @next to the time of the next connection attempt or of the next frame by
 * rate.
 */
void wire_deadline(const struct nic *nic, u64 *next);

/** wire_send() - queue a frame, to be sent by wire_flush(). Return: false if there is no peer. */
bool wire_send(struct wire *wire, const u8 *frame, u32 len);

/** wire_flush() - send the queue as far as the peer takes it. */
void wire_flush(struct nic *nic);

/** wire_congested() - is the queue so long that the transmitter has to wait? */
static inline bool wire_congested(const struct wire *wire)
{
	return wire->tx_tail - wire->tx_head > WIRE_TX_HIGH;
}

/** wire_up() - is there a peer? */
static inline bool wire_up(const struct wire *wire)
{
	return wire->fd >= 0 && !wire->connecting;
}

#endif
