/* SPDX-License-Identifier: GPL-2.0-only */
/* Server side of the vfio-user protocol: how the virtual machine reaches the NIC. */
#ifndef RTL8169D_VFU_H
#define RTL8169D_VFU_H

#include "pollset.h"
#include "sock.h"
#include "util.h"

struct nic;

#define VFU_HEADER	16
#define VFU_DATA_MAX	65536
#define VFU_MSG_MAX	(VFU_HEADER + 64 + VFU_DATA_MAX)
#define VFU_BUF_SIZE	(4 * VFU_MSG_MAX)
#define VFU_FDS_MAX	8

struct vfu {
	struct sock_addr addr;
	int listen_fd;
	int fd;			/* -1: no virtual machine */
	unsigned int slot;
	bool greeted;		/* versions were exchanged */
	u32 head, tail;		/* of buf */
	u32 fd_owner;		/* position in buf of the message to which fds[] belong */
	int fds[VFU_FDS_MAX];
	unsigned int nfds;
	u8 buf[VFU_BUF_SIZE];
};

/** vfu_init() - open the listening socket. Return: false and a message. */
bool vfu_init(struct nic *nic);

/** vfu_exit() - disconnect, and remove the socket's file. */
void vfu_exit(struct nic *nic);

/** vfu_poll() - add the descriptors to wait for. */
void vfu_poll(struct nic *nic, struct pollset *set);

/** vfu_event() - accept, and serve the messages that have arrived. */
void vfu_event(struct nic *nic, const struct pollset *set);

/** vfu_up() - is a virtual machine attached? */
static inline bool vfu_up(const struct vfu *vfu)
{
	return vfu->fd >= 0;
}

#endif
