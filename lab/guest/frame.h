/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's control protocol: frames that carry requests to a machine and its
 * replies back. lab/agent.py holds the other end; both state the same layout.
 *
 * Every frame is a header followed by `length` bytes. All integers are little
 * endian. A reply repeats the id of its request, so that a client that gave up
 * on a request can tell late replies from new ones.
 */
#ifndef LAB_GUEST_FRAME_H
#define LAB_GUEST_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_MAGIC	0x474f524cu	/* "LROG" on the wire */
#define FRAME_MAX	(64u * 1024)	/* largest payload in bytes */

/**
 * struct frame - header of one frame
 * @magic: FRAME_MAGIC; a reader skips bytes until it finds it
 * @type: enum frame_type
 * @id: number chosen by the client
 * @length: bytes of payload that follow
 */
struct frame {
	uint32_t magic;
	uint32_t type;
	uint32_t id;
	uint32_t length;
} __attribute__((packed));

/**
 * enum frame_type - meaning of a frame
 * @FRAME_PING: no payload; answered by FRAME_DONE
 * @FRAME_RUN: struct run_request, then a command for the shell
 * @FRAME_PUT: struct file_request, then the path, then the data
 * @FRAME_GET: struct file_request, then the path
 * @FRAME_FORWARD: struct forward_request, then a whole frame for another agent
 * @FRAME_OUTPUT: reply; some of the command's output or the file's bytes
 * @FRAME_DONE: reply; struct done, always the last one of a request
 */
enum frame_type {
	FRAME_PING = 1,
	FRAME_RUN = 2,
	FRAME_PUT = 3,
	FRAME_GET = 4,
	FRAME_FORWARD = 5,
	FRAME_OUTPUT = 0x81,
	FRAME_DONE = 0x82,
};

/**
 * struct run_request - start of a FRAME_RUN
 * @timeout_ms: time after which the command's process group is killed
 */
struct run_request {
	uint32_t timeout_ms;
} __attribute__((packed));

/**
 * struct file_request - start of a FRAME_PUT or FRAME_GET
 * @offset: position of the first byte; a PUT at 0 replaces the file
 * @count: GET: most bytes wanted, at most FRAME_MAX
 * @mode: PUT: permission bits of a new file
 * @path_length: bytes of path that follow, without a terminating zero
 */
struct file_request {
	uint64_t offset;
	uint32_t count;
	uint16_t mode;
	uint16_t path_length;
} __attribute__((packed));

/**
 * struct forward_request - start of a FRAME_FORWARD
 * @address: IPv4 address of the other agent, in network order
 * @port: its TCP port
 * @timeout_s: silence after which the request has failed
 */
struct forward_request {
	uint8_t address[4];
	uint16_t port;
	uint16_t timeout_s;
} __attribute__((packed));

/**
 * enum done_kind - how a request ended
 * @DONE_EXITED: value is the exit status; 0 for requests other than RUN
 * @DONE_SIGNALLED: value is the signal that killed the command
 * @DONE_TIMED_OUT: the command was killed after its time
 * @DONE_FAILED: the agent could not do it; value is an errno
 */
enum done_kind {
	DONE_EXITED = 0,
	DONE_SIGNALLED = 1,
	DONE_TIMED_OUT = 2,
	DONE_FAILED = 3,
};

struct done {
	uint32_t kind;
	uint32_t value;
} __attribute__((packed));

/**
 * frame_read() - read the next frame
 * @fd: descriptor to read from
 * @head: its header
 * @payload: its payload, room for FRAME_MAX bytes
 *
 * Bytes before a header are skipped, so that reading recovers from line noise or a half-sent frame.
 *
 * Return: 0, or -1 with errno set; end of file is ECONNRESET.
 */
int frame_read(int fd, struct frame *head, void *payload);

/**
 * frame_write() - write one frame whole
 * @fd: where to
 * @type: enum frame_type
 * @id: id of the request
 * @payload: its bytes
 * @length: how many
 *
 * Return: 0, or -1 with errno set.
 */
int frame_write(int fd, uint32_t type, uint32_t id, const void *payload,
		size_t length);

/**
 * frame_done() - write the reply that ends a request
 * @fd: where to
 * @id: id of the request
 * @kind: how it ended
 * @value: exit status, signal or errno
 *
 * Return: 0, or -1 with errno set.
 */
int frame_done(int fd, uint32_t id, enum done_kind kind, uint32_t value);

#endif
