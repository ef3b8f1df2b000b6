/* SPDX-License-Identifier: GPL-2.0-only */
/* Control socket: commands as JSON lines. README.md describes them. */
#ifndef RTL8169D_CTL_H
#define RTL8169D_CTL_H

#include "pollset.h"
#include "sock.h"
#include "util.h"

struct nic;

#define CTL_CLIENTS	4
#define CTL_LINE_MAX	4096

struct ctl_client {
	int fd;			/* -1: free */
	unsigned int slot;
	u32 used;
	char line[CTL_LINE_MAX];
};

struct ctl {
	struct sock_addr addr;
	int listen_fd;
	unsigned int slot;
	struct ctl_client clients[CTL_CLIENTS];
};

/** ctl_init() - open the listening socket, if one was asked for. Return: false and a message. */
bool ctl_init(struct nic *nic);

/** ctl_exit() - close everything and remove the socket's file. */
void ctl_exit(struct nic *nic);

/** ctl_poll() - add the descriptors to wait for. */
void ctl_poll(struct nic *nic, struct pollset *set);

/** ctl_event() - accept clients and answer their commands. */
void ctl_event(struct nic *nic, const struct pollset *set);

#endif
