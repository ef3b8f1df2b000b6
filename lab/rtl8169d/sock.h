/* SPDX-License-Identifier: GPL-2.0-only */
/* Stream sockets, unix and TCP. All are non-blocking and close-on-exec. */
#ifndef RTL8169D_SOCK_H
#define RTL8169D_SOCK_H

#include <sys/socket.h>

#include "util.h"

struct sock_addr {
	struct sockaddr_storage sa;
	socklen_t len;
	char name[256];		/* as the user wrote it */
};

/** sock_unix() - address of a unix socket. Return: false and a message if @path is too long. */
bool sock_unix(struct sock_addr *addr, const char *path);

/** sock_parse() - "unix:PATH" or "tcp:HOST:PORT", looked up. Return: false and a message. */
bool sock_parse(struct sock_addr *addr, const char *text);

/**
 * sock_listen() - listen at @addr. The unix socket of a dead process is replaced, that of a live
 * one is not.
 *
 * Return: descriptor, or -1 and a message.
 */
int sock_listen(const struct sock_addr *addr);

/** sock_accept() - Return: next connection, or -1 if there is none. */
int sock_accept(int listen_fd);

/**
 * sock_connect() - start to connect. Return: descriptor, *@done tells if it is connected already;
 * -1 with errno.
 */
int sock_connect(const struct sock_addr *addr, bool *done);

/** sock_unlink() - remove the file of a unix socket. */
void sock_unlink(const struct sock_addr *addr);

#endif
