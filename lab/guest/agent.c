// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control agent of a lab machine: runs shell commands and moves files for the
 * host that drives the experiment.
 *
 *	agent serve DEVICE	answer on a serial port, made raw, or "-": its own
 *				standard input and output
 *	agent listen PORT	answer on TCP, one process per connection
 *
 * The console is not used for this because a long command typed there hangs
 * Xen's console, and because kernel messages would mix with the answers.
 */
#define _GNU_SOURCE
#include "frame.h"
#include "run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* The path of a file request as a string, or NULL when the frame is too short. */
static char *file_path(const struct frame *head, const uint8_t *payload)
{
	const struct file_request *request = (const void *)payload;

	if (head->length < sizeof(*request) ||
	    head->length - sizeof(*request) < request->path_length)
		return NULL;
	return strndup((const char *)payload + sizeof(*request),
		       request->path_length);
}

static int put_file(const struct frame *head, const uint8_t *payload)
{
	const struct file_request *request = (const void *)payload;
	char *path = file_path(head, payload);
	const uint8_t *data;
	size_t left;
	off_t offset;
	int error = 0;
	int fd;

	if (!path)
		return EINVAL;
	data = payload + sizeof(*request) + request->path_length;
	left = head->length - sizeof(*request) - request->path_length;
	offset = (off_t)request->offset;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (offset ? 0 : O_TRUNC),
		  request->mode & 07777);
	free(path);
	if (fd < 0)
		return errno;
	while (left) {
		ssize_t n = pwrite(fd, data, left, offset);

		if (n < 0) {
			error = errno;
			break;
		}
		data += n;
		left -= (size_t)n;
		offset += n;
	}
	if (close(fd) && !error)
		error = errno;
	return error;
}

static int get_file(int out, const struct frame *head, uint8_t *payload)
{
	const struct file_request request = *(const struct file_request *)payload;
	char *path = file_path(head, payload);
	size_t count;
	ssize_t n;
	int error = 0;
	int fd;

	if (!path)
		return EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return errno;
	count = request.count < FRAME_MAX ? request.count : FRAME_MAX;
	n = pread(fd, payload, count, (off_t)request.offset);
	/* /proc and /sys have files that cannot be read at an offset */
	if (n < 0 && errno == ESPIPE && request.offset == 0)
		n = read(fd, payload, count);
	if (n < 0)
		error = errno;
	else if (frame_write(out, FRAME_OUTPUT, head->id, payload, (size_t)n))
		error = errno;
	close(fd);
	return error;
}

static int connect_to(const struct forward_request *request)
{
	struct timeval patience = { .tv_sec = request->timeout_s };
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(request->port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	memcpy(&address.sin_addr, request->address, sizeof(address.sin_addr));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* Passes a request on and its replies back; the last one ends this request too. */
static int forward(int out, const struct frame *head, uint8_t *payload)
{
	const struct forward_request *request = (const void *)payload;
	struct frame reply;
	int error = 0;
	int fd;

	if (head->length < sizeof(*request) + sizeof(struct frame))
		return EINVAL;
	fd = connect_to(request);
	if (fd < 0)
		return errno;
	if (write(fd, payload + sizeof(*request),
		  head->length - sizeof(*request)) < 0)
		error = errno;
	do {
		if (error || frame_read(fd, &reply, payload) ||
		    frame_write(out, reply.type, head->id, payload, reply.length)) {
			error = error ? error : errno;
			break;
		}
	} while (reply.type != FRAME_DONE);
	close(fd);
	/* 0 would send a second FRAME_DONE */
	return error ? error : -1;
}

static void serve(int in, int out)
{
	static uint8_t payload[FRAME_MAX + 1];
	struct frame head;

	while (!frame_read(in, &head, payload)) {
		int error = EOPNOTSUPP;

		payload[head.length] = 0;
		switch (head.type) {
		case FRAME_PING:
			error = 0;
			break;
		case FRAME_RUN:
			error = run_command(out, &head, payload);
			break;
		case FRAME_PUT:
			error = put_file(&head, payload);
			break;
		case FRAME_GET:
			error = get_file(out, &head, payload);
			break;
		case FRAME_FORWARD:
			error = forward(out, &head, payload);
			break;
		}
		if (error > 0)
			frame_done(out, head.id, DONE_FAILED, (uint32_t)error);
		else if (error == 0)
			frame_done(out, head.id, DONE_EXITED, 0);
	}
}

static int serve_device(const char *device)
{
	struct termios line;
	int fd;

	if (!strcmp(device, "-")) {
		serve(STDIN_FILENO, STDOUT_FILENO);
		return 0;
	}
	fd = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		perror(device);
		return 1;
	}
	if (isatty(fd)) {
		tcgetattr(fd, &line);
		cfmakeraw(&line);
		line.c_cflag |= CLOCAL;
		cfsetspeed(&line, B115200);
		tcsetattr(fd, TCSANOW, &line);
	}
	serve(fd, fd);
	return 0;
}

static int serve_tcp(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 8)) {
		perror("agent: listen");
		return 1;
	}
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			continue;
		if (fork() == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(fd);
			setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on,
				   sizeof(on));
			serve(client, client);
			_exit(0);
		}
		close(client);
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve_device(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "listen"))
		return serve_tcp((uint16_t)atoi(argv[2]));
	fprintf(stderr, "usage: agent serve DEVICE | agent listen PORT\n");
	return 2;
}
