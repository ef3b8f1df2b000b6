// SPDX-License-Identifier: GPL-2.0-only
/* The wire. */
#include <errno.h>
#include <unistd.h>

#include "nic.h"

#define LENGTH_SIZE	4
#define RECONNECT_NS	(200 * NSEC_PER_MSEC)

/* Frames per run, so that registers and the other direction get their turn. */
#define RUN_FRAMES	64

bool wire_init(struct nic *nic)
{
	struct wire *wire = &nic->wire;

	wire->fd = -1;
	wire->listen_fd = -1;
	wire->enabled = nic->opt->wire;
	if (!wire->enabled)
		return true;
	if (!sock_parse(&wire->addr, nic->opt->wire))
		return false;
	wire->listening = nic->opt->wire_listen;
	if (wire->listening) {
		wire->listen_fd = sock_listen(&wire->addr);
		return wire->listen_fd >= 0;
	}
	wire->connect_at = now_ns();
	return true;
}

static void wire_close(struct nic *nic)
{
	struct wire *wire = &nic->wire;

	if (wire->fd < 0)
		return;
	close(wire->fd);
	wire->fd = -1;
	wire->connecting = false;
	wire->tx_head = 0;
	wire->tx_tail = 0;
	if (!wire->listening)
		wire->connect_at = now_ns() + RECONNECT_NS;
}

void wire_exit(struct nic *nic)
{
	struct wire *wire = &nic->wire;

	wire_close(nic);
	if (wire->listen_fd >= 0) {
		close(wire->listen_fd);
		sock_unlink(&wire->addr);
	}
}

static void wire_lost(struct nic *nic, const char *why)
{
	say_verbose("wire peer at %s is gone: %s", nic->wire.addr.name, why);
	wire_close(nic);
}

static void wire_connected(struct nic *nic)
{
	struct wire *wire = &nic->wire;

	wire->connecting = false;
	/* The bytes left belong to the previous peer and may end in the middle of a frame. */
	wire->rx_head = 0;
	wire->rx_tail = 0;
	nic->stats.wire_connects++;
	say_verbose("wire peer at %s is there", wire->addr.name);
}

static void wire_connect(struct nic *nic)
{
	struct wire *wire = &nic->wire;
	bool done;

	wire->fd = sock_connect(&wire->addr, &done);
	if (wire->fd < 0) {
		wire->connect_at = nic->now + RECONNECT_NS;
		return;
	}
	wire->connect_at = 0;
	wire->connecting = true;
	if (done)
		wire_connected(nic);
}

static void wire_finish_connect(struct nic *nic)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(nic->wire.fd, SOL_SOCKET, SO_ERROR, &err, &len) || err)
		wire_lost(nic, strerror(err));
	else
		wire_connected(nic);
}

/* Length of the first buffered frame if all of it is there, or -1. */
static long wire_next(const struct wire *wire)
{
	u32 have = wire->rx_tail - wire->rx_head;
	u32 len;

	if (have < LENGTH_SIZE)
		return -1;
	len = get_be32(wire->rx + wire->rx_head);
	if (len > WIRE_FRAME_MAX)
		return WIRE_FRAME_MAX + 1;
	return have - LENGTH_SIZE >= len ? (long)len : -1;
}

static void wire_read(struct nic *nic)
{
	struct wire *wire = &nic->wire;
	ssize_t got;

	if (wire->rx_head == wire->rx_tail) {
		wire->rx_head = 0;
		wire->rx_tail = 0;
	} else if (WIRE_RX_SIZE - wire->rx_head < LENGTH_SIZE + WIRE_FRAME_MAX) {
		memmove(wire->rx, wire->rx + wire->rx_head, wire->rx_tail - wire->rx_head);
		wire->rx_tail -= wire->rx_head;
		wire->rx_head = 0;
	}
	got = recv(wire->fd, wire->rx + wire->rx_tail, WIRE_RX_SIZE - wire->rx_tail, MSG_DONTWAIT);
	if (got > 0)
		wire->rx_tail += (u32)got;
	else if (!got)
		wire_lost(nic, "it closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		wire_lost(nic, strerror(errno));
}

bool wire_run(struct nic *nic)
{
	struct wire *wire = &nic->wire;
	unsigned int frames;
	bool more = false;

	wire->rate_waiting = false;
	for (frames = 0; !rx_waiting(nic); frames++) {
		long len = wire_next(wire);
		u8 *frame = wire->rx + wire->rx_head + LENGTH_SIZE;

		if (len < 0)
			break;
		if (len > WIRE_FRAME_MAX) {
			say("the wire peer sent a frame of %u bytes, more than %u: connection closed",
			    get_be32(wire->rx + wire->rx_head), WIRE_FRAME_MAX);
			nic->stats.wire_errors++;
			wire->rx_head = wire->rx_tail;
			wire_close(nic);
			break;
		}
		if (!rate_ready(&nic->rx_rate, nic->now)) {
			nic->stats.rate_waits++;
			wire->rate_waiting = true;
			break;
		}
		if (frames == RUN_FRAMES) {
			more = true;
			break;
		}
		if (nic->clear_ident)
			ident_clear(frame, (u32)len);
		if (!rx_frame(nic, frame, (u32)len))
			break;
		pcap_frame(&nic->pcap, PCAP_RX, frame, (u32)len);
		rate_charge(&nic->rx_rate, nic->now, (u64)len);
		nic->stats.wire_rx_frames++;
		wire->rx_head += LENGTH_SIZE + (u32)len;
	}
	rx_flush(nic);
	return more;
}

void wire_poll(struct nic *nic, struct pollset *set)
{
	struct wire *wire = &nic->wire;

	if (wire->fd < 0) {
		wire->slot = pollset_add(set, wire->listen_fd, POLLIN);
	} else if (wire->connecting) {
		wire->slot = pollset_add(set, wire->fd, POLLOUT);
	} else {
		/*
		 * A whole frame in the buffer means that the receiver refuses frames. Reading no
		 * more stops the peer.
		 */
		short events = wire_next(wire) < 0 ? POLLIN : 0;

		if (wire->tx_tail != wire->tx_head)
			events |= POLLOUT;
		wire->slot = pollset_add(set, wire->fd, events);
	}
}

void wire_event(struct nic *nic, const struct pollset *set)
{
	struct wire *wire = &nic->wire;
	short events = pollset_events(set, wire->slot);

	if (wire->connect_at && nic->now >= wire->connect_at)
		wire_connect(nic);
	if (!events)
		return;
	if (wire->fd < 0) {
		wire->fd = sock_accept(wire->listen_fd);
		if (wire->fd >= 0)
			wire_connected(nic);
		return;
	}
	if (wire->connecting) {
		wire_finish_connect(nic);
		return;
	}
	if (events & POLLOUT)
		wire_flush(nic);
	if (wire_up(wire) && (events & (POLLIN | POLLHUP | POLLERR)) && wire_next(wire) < 0)
		wire_read(nic);
}

void wire_deadline(const struct nic *nic, u64 *next)
{
	earliest(next, nic->wire.connect_at);
	if (nic->wire.rate_waiting && !rx_waiting(nic))
		earliest(next, nic->rx_rate.free_at);
}

bool wire_send(struct wire *wire, const u8 *frame, u32 len)
{
	if (!wire_up(wire) || WIRE_TX_SIZE - wire->tx_tail < LENGTH_SIZE + len)
		return false;
	put_be32(wire->tx + wire->tx_tail, len);
	memcpy(wire->tx + wire->tx_tail + LENGTH_SIZE, frame, len);
	wire->tx_tail += LENGTH_SIZE + len;
	return true;
}

void wire_flush(struct nic *nic)
{
	struct wire *wire = &nic->wire;

	while (wire_up(wire) && wire->tx_head != wire->tx_tail) {
		ssize_t sent = send(wire->fd, wire->tx + wire->tx_head,
				    wire->tx_tail - wire->tx_head, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0) {
			if (errno != EAGAIN && errno != EINTR)
				wire_lost(nic, strerror(errno));
			break;
		}
		wire->tx_head += (u32)sent;
	}
	/* Room for the largest packet must always be behind the tail. */
	if (wire->tx_head) {
		memmove(wire->tx, wire->tx + wire->tx_head, wire->tx_tail - wire->tx_head);
		wire->tx_tail -= wire->tx_head;
		wire->tx_head = 0;
	}
}
