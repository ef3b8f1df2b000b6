// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-user connection: framing, file descriptors, replies.
 *
 * Many messages may arrive in one read. Linux ends a read behind the data to which descriptors are
 * attached, so descriptors always belong to the last message that begins in the read data.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "loop.h"
#include "nic.h"
#include "vfu_msg.h"

/* A virtual machine that leaves a reply unread for longer counts as broken. */
#define REPLY_TIMEOUT_MS	10000

bool vfu_init(struct nic *nic)
{
	struct vfu *vfu = &nic->vfu;

	vfu->fd = -1;
	vfu->listen_fd = -1;
	if (!sock_unix(&vfu->addr, nic->opt->vfio))
		return false;
	vfu->listen_fd = sock_listen(&vfu->addr);
	return vfu->listen_fd >= 0;
}

static void close_fds(struct vfu *vfu)
{
	while (vfu->nfds) {
		int fd = vfu->fds[--vfu->nfds];

		if (fd >= 0)
			close(fd);
	}
}

/* The virtual machine is gone: all of its state goes, and the NIC is as after power-on. */
static void vfu_close(struct nic *nic, int exit_code)
{
	struct vfu *vfu = &nic->vfu;

	if (vfu->fd < 0)
		return;
	close(vfu->fd);
	vfu->fd = -1;
	close_fds(vfu);
	irq_set_fd(nic, IRQ_INTX, -1);
	irq_set_fd(nic, IRQ_MSI, -1);
	nic_reset(nic);
	dma_clear(&nic->dma);
	if (nic->opt->once)
		nic_stop(nic, exit_code);
}

void vfu_exit(struct nic *nic)
{
	struct vfu *vfu = &nic->vfu;

	vfu_close(nic, nic->exit_code);
	if (vfu->listen_fd >= 0) {
		close(vfu->listen_fd);
		sock_unlink(&vfu->addr);
	}
}

static bool send_all(struct nic *nic, const u8 *data, size_t len)
{
	struct pollfd writable = { .fd = nic->vfu.fd, .events = POLLOUT };

	while (len) {
		ssize_t sent = send(nic->vfu.fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent >= 0) {
			data += sent;
			len -= (size_t)sent;
		} else if (errno == EAGAIN) {
			if (poll(&writable, 1, REPLY_TIMEOUT_MS) == 0) {
				say("the vfio-user client did not read its replies for %d s: connection closed",
				    REPLY_TIMEOUT_MS / 1000);
				vfu_close(nic, 1);
				return false;
			}
		} else if (errno != EINTR) {
			vfu_close(nic, 0);
			return false;
		}
	}
	return true;
}

static void serve(struct nic *nic, const u8 *msg, u32 size, int *fds, unsigned int nfds)
{
	static u8 out[VFU_MSG_MAX];
	struct vfu_request req = {
		.command = get_le16(msg + 2),
		.data = msg + VFU_HEADER,
		.len = size - VFU_HEADER,
		.fds = fds,
		.nfds = nfds,
	};
	struct vfu_reply reply = { .data = out + VFU_HEADER };
	u32 flags = get_le32(msg + 8);
	int err;

	nic->stats.vfio_messages++;
	/* This side makes no requests, so it expects no answers. */
	if ((flags & VFU_FLAG_TYPE_MASK) != 0) {
		nic->stats.vfio_errors++;
		return;
	}
	if (!nic->vfu.greeted && req.command != VFU_VERSION)
		err = EINVAL;
	else
		err = vfu_handle(nic, &req, &reply);
	if (err) {
		nic->stats.vfio_errors++;
		say_verbose("vfio-user command %u of %u bytes refused: %s", req.command, size,
			    strerror(err));
		reply.len = 0;
	} else if (req.command == VFU_VERSION) {
		nic->vfu.greeted = true;
	}
	if (flags & VFU_FLAG_NO_REPLY)
		return;
	memcpy(out, msg, 4);
	put_le32(out + 4, VFU_HEADER + reply.len);
	put_le32(out + 8, VFU_FLAG_REPLY | (err ? VFU_FLAG_ERROR : 0));
	put_le32(out + 12, (u32)err);
	send_all(nic, out, VFU_HEADER + reply.len);
}

/* Serve all whole messages in the buffer. */
static void serve_buffer(struct nic *nic)
{
	struct vfu *vfu = &nic->vfu;

	while (vfu->fd >= 0 && vfu->tail - vfu->head >= VFU_HEADER) {
		const u8 *msg = vfu->buf + vfu->head;
		u32 size = get_le32(msg + 4);
		bool owner = vfu->nfds && vfu->fd_owner == vfu->head;

		if (size < VFU_HEADER || size > VFU_MSG_MAX) {
			say("the vfio-user client sent a message of %u bytes, allowed are %u to %u: connection closed",
			    size, VFU_HEADER, VFU_MSG_MAX);
			nic->stats.vfio_errors++;
			vfu_close(nic, 1);
			return;
		}
		if (vfu->tail - vfu->head < size)
			return;
		vfu->head += size;
		serve(nic, msg, size, vfu->fds, owner ? vfu->nfds : 0);
		if (owner)
			close_fds(vfu);
	}
}

/* Position of the last message that begins in the buffer. */
static u32 last_message(const struct vfu *vfu)
{
	u32 at = vfu->head;

	while (vfu->tail - at > VFU_HEADER) {
		u32 size = get_le32(vfu->buf + at + 4);

		if (size < VFU_HEADER || size >= vfu->tail - at)
			break;
		at += size;
	}
	return at;
}

static void take_fds(struct vfu *vfu, struct msghdr *hdr)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		size_t count, i;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		close_fds(vfu);
		count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (vfu->nfds < VFU_FDS_MAX)
				vfu->fds[vfu->nfds++] = fd;
			else
				close(fd);
		}
		vfu->fd_owner = last_message(vfu);
	}
}

/* Read once, and serve the whole messages. */
static void vfu_read(struct nic *nic)
{
	struct vfu *vfu = &nic->vfu;
	union {
		char bytes[CMSG_SPACE(VFU_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr hdr = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;

	if (vfu->head) {
		memmove(vfu->buf, vfu->buf + vfu->head, vfu->tail - vfu->head);
		vfu->fd_owner -= vfu->head;
		vfu->tail -= vfu->head;
		vfu->head = 0;
	}
	iov.iov_base = vfu->buf + vfu->tail;
	iov.iov_len = VFU_BUF_SIZE - vfu->tail;
	got = recvmsg(vfu->fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		if (vfu->tail)
			say("the vfio-user client closed the connection in the middle of a message");
		else
			say_verbose("the virtual machine is gone");
		vfu_close(nic, vfu->tail ? 1 : 0);
		return;
	}
	vfu->tail += (u32)got;
	take_fds(vfu, &hdr);
	serve_buffer(nic);
}

void vfu_poll(struct nic *nic, struct pollset *set)
{
	struct vfu *vfu = &nic->vfu;

	vfu->slot = pollset_add(set, vfu->fd >= 0 ? vfu->fd : vfu->listen_fd, POLLIN);
}

void vfu_event(struct nic *nic, const struct pollset *set)
{
	struct vfu *vfu = &nic->vfu;

	if (!pollset_events(set, vfu->slot))
		return;
	if (vfu->fd < 0) {
		vfu->fd = sock_accept(vfu->listen_fd);
		vfu->greeted = false;
		vfu->head = 0;
		vfu->tail = 0;
		return;
	}
	vfu_read(nic);
}
