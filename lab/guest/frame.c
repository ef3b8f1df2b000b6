// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing the frames of the control protocol. */
#include "frame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int read_whole(int fd, void *buffer, size_t length)
{
	uint8_t *at = buffer;

	while (length) {
		ssize_t n = read(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = ECONNRESET;
			return -1;
		}
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

static int write_whole(int fd, const void *buffer, size_t length)
{
	const uint8_t *at = buffer;

	while (length) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int frame_read(int fd, struct frame *head, void *payload)
{
	uint8_t *raw = (uint8_t *)head;

	if (read_whole(fd, head, sizeof(*head)))
		return -1;
	while (head->magic != FRAME_MAGIC || head->length > FRAME_MAX) {
		memmove(raw, raw + 1, sizeof(*head) - 1);
		if (read_whole(fd, raw + sizeof(*head) - 1, 1))
			return -1;
	}
	return read_whole(fd, payload, head->length);
}

int frame_write(int fd, uint32_t type, uint32_t id, const void *payload,
		size_t length)
{
	struct frame head = {
		.magic = FRAME_MAGIC,
		.type = type,
		.id = id,
		.length = (uint32_t)length,
	};

	if (write_whole(fd, &head, sizeof(head)))
		return -1;
	return write_whole(fd, payload, length);
}

int frame_done(int fd, uint32_t id, enum done_kind kind, uint32_t value)
{
	struct done done = { .kind = kind, .value = value };

	return frame_write(fd, FRAME_DONE, id, &done, sizeof(done));
}
