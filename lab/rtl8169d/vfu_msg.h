/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-user messages: numbers of QEMU's docs/interop/vfio-user.rst, and the handlers of the
 * commands.
 */
#ifndef RTL8169D_VFU_MSG_H
#define RTL8169D_VFU_MSG_H

#include "util.h"

struct nic;

enum vfu_command {
	VFU_VERSION		= 1,
	VFU_DMA_MAP		= 2,
	VFU_DMA_UNMAP		= 3,
	VFU_GET_INFO		= 4,
	VFU_GET_REGION_INFO	= 5,
	VFU_GET_IRQ_INFO	= 7,
	VFU_SET_IRQS		= 8,
	VFU_REGION_READ		= 9,
	VFU_REGION_WRITE	= 10,
	VFU_RESET		= 13,
};

#define VFU_FLAG_REPLY		0x01
#define VFU_FLAG_TYPE_MASK	0x0f
#define VFU_FLAG_NO_REPLY	0x10
#define VFU_FLAG_ERROR		0x20

struct vfu_request {
	u16 command;
	const u8 *data;		/* behind the header */
	u32 len;
	int *fds;		/* a handler that keeps one sets it to -1 */
	unsigned int nfds;
};

struct vfu_reply {
	u8 *data;		/* room for VFU_MSG_MAX - VFU_HEADER bytes */
	u32 len;
};

/**
 * vfu_handle() - execute one command.
 *
 * Return: 0 and a filled @reply, or an errno value for an error reply.
 */
int vfu_handle(struct nic *nic, const struct vfu_request *req, struct vfu_reply *reply);

#endif
