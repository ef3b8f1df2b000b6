// SPDX-License-Identifier: GPL-2.0-only
/* Stream sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "sock.h"

bool sock_unix(struct sock_addr *addr, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)(void *)&addr->sa;

	memset(addr, 0, sizeof(*addr));
	if (!*path || strlen(path) >= sizeof(un->sun_path)) {
		say("socket path \"%s\" must have 1 to %zu characters", path,
		    sizeof(un->sun_path) - 1);
		return false;
	}
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	addr->len = sizeof(*un);
	snprintf(addr->name, sizeof(addr->name), "%s", path);
	return true;
}

bool sock_parse(struct sock_addr *addr, const char *text)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	const char *port;
	char host[200];
	int err;

	if (!strncmp(text, "unix:", 5))
		return sock_unix(addr, text + 5);
	port = strrchr(text, ':');
	if (strncmp(text, "tcp:", 4) || port < text + 4 ||
	    (size_t)(port - text - 4) >= sizeof(host)) {
		say("\"%s\" is not an address: write unix:PATH or tcp:HOST:PORT", text);
		return false;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(port - text - 4), text + 4);
	err = getaddrinfo(*host ? host : NULL, port + 1, &hints, &found);
	if (err) {
		say("cannot look up \"%s\": %s", text, gai_strerror(err));
		return false;
	}
	memset(addr, 0, sizeof(*addr));
	memcpy(&addr->sa, found->ai_addr, found->ai_addrlen);
	addr->len = found->ai_addrlen;
	snprintf(addr->name, sizeof(addr->name), "%s", text);
	freeaddrinfo(found);
	return true;
}

static int sock_open(const struct sock_addr *addr)
{
	return socket(addr->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Does a process listen there? */
static bool sock_alive(const struct sock_addr *addr)
{
	int fd = sock_open(addr);
	bool alive;

	if (fd < 0)
		return false;
	alive = !connect(fd, (const struct sockaddr *)&addr->sa, addr->len) || errno == EAGAIN;
	close(fd);
	return alive;
}

int sock_listen(const struct sock_addr *addr)
{
	int fd = sock_open(addr);
	int one = 1;

	if (addr->sa.ss_family == AF_UNIX) {
		if (sock_alive(addr)) {
			say("%s is in use by another process: end it or choose another path",
			    addr->name);
			close(fd);
			return -1;
		}
		sock_unlink(addr);
	} else if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	}
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr->sa, addr->len) || listen(fd, 8)) {
		say("cannot listen at %s: %s", addr->name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void sock_tune(int fd)
{
	int one = 1;

	/* Fails on unix sockets, which do not delay anyway. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int sock_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		sock_tune(fd);
	return fd;
}

int sock_connect(const struct sock_addr *addr, bool *done)
{
	int fd = sock_open(addr);

	if (fd < 0)
		return -1;
	sock_tune(fd);
	*done = !connect(fd, (const struct sockaddr *)&addr->sa, addr->len);
	if (!*done && errno != EINPROGRESS) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

void sock_unlink(const struct sock_addr *addr)
{
	if (addr->sa.ss_family == AF_UNIX)
		unlink(((const struct sockaddr_un *)(const void *)&addr->sa)->sun_path);
}
