// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket: snapshots on demand, without a program in any guest.
 *
 * One line in, one line out, then the connection is closed:
 *	snapshot LABEL [histogram]
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "insn.h"

#define REQUEST_MAX	256
#define FLOOD_MAX	(64 * 1024)
#define REPLY_MAX	(66 * 1024)
#define TIMEOUT_S	5

static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener = -1;

static void send_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t sent = send(fd, text, left, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		left -= sent;
	}
}

/*
 * Return: false when the peer sent no whole line, or a line that is too long. Such a line is read
 * to its end: the peer would lose the answer if a socket with unread data were closed.
 */
static bool read_line(int fd, char *line, size_t size)
{
	size_t used = 0;
	char byte;

	for (size_t i = 0; i < FLOOD_MAX && recv(fd, &byte, 1, 0) == 1; i++) {
		if (byte == '\n') {
			if (used == size)
				return false;
			line[used] = '\0';
			return true;
		}
		if (used < size)
			line[used++] = byte;
	}
	return false;
}

static void refuse(int fd, const char *why)
{
	char text[REQUEST_MAX];

	snprintf(text, sizeof(text), "{\"type\":\"error\",\"error\":\"%s\"}\n", why);
	send_all(fd, text);
}

static void serve(int fd)
{
	static char reply[REPLY_MAX];
	char request[REQUEST_MAX], label[LABEL_MAX + 1], option[16] = "";
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int words;

	/* A silent client must not block the socket for others. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!read_line(fd, request, sizeof(request))) {
		refuse(fd, "expected one line");
		return;
	}
	words = sscanf(request, "snapshot %63s %15s", label, option);
	if (words < 1 || (words == 2 && strcmp(option, "histogram"))) {
		refuse(fd, "expected: snapshot LABEL [histogram]");
		return;
	}
	if (words == 2 && !profile_enabled()) {
		refuse(fd, "no histogram without profile=on");
		return;
	}
	if (snapshot_take(label, "control", words == 2, reply, sizeof(reply)))
		send_all(fd, reply);
	else
		refuse(fd, "writing the snapshot failed");
}

static void *run(void *unused)
{
	(void)unused;
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EINTR || errno == ECONNABORTED)
				continue;
			return NULL;
		}
		serve(fd);
		close(fd);
	}
}

int control_setup(const char *path)
{
	sigset_t all, old;
	struct stat entry;
	pthread_t thread;
	int err;

	if (strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	strcpy(address.sun_path, path);
	if (!stat(path, &entry) && S_ISSOCK(entry.st_mode))
		unlink(path);	/* left by a QEMU that was killed */
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 4))
		return errno;

	/* QEMU controls its threads with signals; this thread must not get them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, NULL, run, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

void control_close(void)
{
	if (listener >= 0)
		unlink(address.sun_path);
}
