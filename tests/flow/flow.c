// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic between two machines of which every byte is checked.
 *
 *   flow sink PORT                          serves TCP and UDP until it is killed
 *   flow KIND ADDRESS PORT SECONDS [FILE]   KIND: bulk, small, echo, udp
 *
 * A source sends for SECONDS or until SIGTERM. bulk and small write 64 KiB or a few bytes at a
 * time; the sink checks each byte and, at the stream's end, answers how many were right. echo and
 * udp get their own bytes back: requests one by one, datagrams of up to 8000 bytes, of which some
 * may be lost, but none may be damaged.
 *
 * Exit status of a source: 0 all is right, 1 a byte is wrong or missing, 2 a fault of the network
 * or of the command line. FILE shows the bytes sent so far. Both ends have the same byte order.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define WRITE_MAX 65536
#define ECHO_MAX 8000
#define PATIENCE 180 /* seconds without a byte after which a connection counts as broken */
#define UDP_GAP_US 2000
#define ROOM 262144

enum kind { BULK, SMALL, ECHO, UDP, KINDS };
static const char * const kind_name[KINDS] = { "bulk", "small", "echo", "udp" };

struct hello {
	uint64_t seed;
	uint64_t kind;
};

static volatile sig_atomic_t stopped;
static uint8_t buffer[WRITE_MAX];
static int progress = -1;

__attribute__((noreturn, format(printf, 2, 3)))
static void end(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(status);
}

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show(uint64_t bytes)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRIu64 "\n", bytes);

	if (progress >= 0 && pwrite(progress, text, (size_t)len, 0) < 0)
		end(2, "cannot write the progress: %s", strerror(errno));
}

static void set_up(int fd)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	int room = ROOM;

	/*
	 * Few bytes are on their way, so that sent bytes have nearly arrived, and a stopped stream
	 * ends soon.
	 */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void write_all(int fd, const void *from, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const uint8_t *)from + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			end(2, "write: %s", strerror(errno));
		done += (size_t)n;
	}
}

/* Read `len` bytes, fewer only at the stream's end. */
static size_t read_all(int fd, void *to, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (uint8_t *)to + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			end(2, "read: %s", strerror(errno));
		if (!n)
			break;
		done += (size_t)n;
	}
	return done;
}

/* The sink's end of one connection; its answer is how many bytes were right. */
static void serve(int fd)
{
	struct hello hello;
	uint64_t at = 0;
	bool bad = false;
	ssize_t n;

	set_up(fd);
	if (read_all(fd, &hello, sizeof(hello)) != sizeof(hello))
		end(2, "no greeting");
	/* After a wrong byte the rest is read, so that no reset overtakes the answer. */
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		size_t right;

		if (bad)
			continue;
		right = pattern_check(buffer, (size_t)n, hello.seed, at);
		at += right;
		bad = right < (size_t)n;
		if (hello.kind == ECHO)
			write_all(fd, buffer, right);
		if (bad) {
			if (hello.kind != ECHO)
				write_all(fd, &at, sizeof(at));
			shutdown(fd, SHUT_WR);
		}
	}
	if (n < 0)
		end(2, "read: %s", strerror(errno));
	if (!bad && hello.kind != ECHO)
		write_all(fd, &at, sizeof(at));
	exit(0);
}

static int sink(uint16_t port)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(port) };
	int tcp = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
	struct pollfd on[2] = { { .fd = tcp, .events = POLLIN }, { .fd = udp, .events = POLLIN } };

	signal(SIGCHLD, SIG_IGN);
	setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(tcp, (void *)&here, sizeof(here)) || bind(udp, (void *)&here, sizeof(here)) || listen(tcp, 64))
		end(2, "port %d: %s", port, strerror(errno));
	while (poll(on, 2, -1) >= 0 || errno == EINTR) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);

		if (on[0].revents) {
			int fd = accept(tcp, NULL, NULL);

			if (fd >= 0 && !fork())
				serve(fd);
			close(fd);
		}
		if (on[1].revents) {
			ssize_t n = recvfrom(udp, buffer, sizeof(buffer), 0, (void *)&peer, &len);

			if (n > 0)
				sendto(udp, buffer, (size_t)n, 0, (void *)&peer, len);
		}
	}
	end(2, "poll: %s", strerror(errno));
}

static bool going_on(double deadline)
{
	return !stopped && now() < deadline;
}

static void stream(int fd, const struct hello *hello, double deadline)
{
	struct pollfd answer = { .fd = fd, .events = POLLIN };
	uint64_t at = 0, right = 0;

	while (going_on(deadline) && !poll(&answer, 1, 0)) {
		size_t len = hello->kind == BULK ? WRITE_MAX : 1 + (size_t)random() % 700;

		pattern_fill(buffer, len, hello->seed, at);
		write_all(fd, buffer, len);
		at += len;
		show(at);
	}
	shutdown(fd, SHUT_WR);
	if (read_all(fd, &right, sizeof(right)) != sizeof(right))
		end(2, "no answer to %" PRIu64 " bytes", at);
	if (right != at)
		end(1, "%" PRIu64 " bytes were sent, and byte %" PRIu64 " is wrong or missing", at, right);
	end(0, "%" PRIu64 " bytes", at);
}

static void echo(int fd, const struct hello *hello, double deadline)
{
	uint64_t at = 0;

	while (going_on(deadline)) {
		size_t len = 1 + (size_t)random() % ECHO_MAX, back;

		pattern_fill(buffer, len, hello->seed, at);
		write_all(fd, buffer, len);
		back = read_all(fd, buffer, len);
		back = pattern_check(buffer, back, hello->seed, at);
		if (back != len)
			end(1, "byte %" PRIu64 " came back wrong", at + back);
		at += len;
		show(at);
	}
	end(0, "%" PRIu64 " bytes", at);
}

/* A datagram begins with its seed. */
static void datagrams(int fd, double deadline)
{
	uint64_t sent = 0, back = 0, bytes = 0, seed;

	for (double quiet = deadline + 1; now() < quiet; usleep(UDP_GAP_US)) {
		size_t len = sizeof(seed) + (size_t)random() % (ECHO_MAX - sizeof(seed));
		ssize_t n;

		if (going_on(deadline)) {
			seed = sent++;
			memcpy(buffer, &seed, sizeof(seed));
			pattern_fill(buffer + sizeof(seed), len - sizeof(seed), seed, 0);
			if (write(fd, buffer, len) < 0)
				sent--;
		} else if (stopped && quiet > now() + 1) {
			quiet = now() + 1;
		}
		while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
			memcpy(&seed, buffer, sizeof(seed));
			len = (size_t)n - sizeof(seed);
			if ((size_t)n < sizeof(seed) ||
			    pattern_check(buffer + sizeof(seed), len, seed, 0) != len)
				end(1, "datagram %" PRIu64 " came back damaged", seed);
			back++;
			bytes += (size_t)n;
			show(bytes);
		}
	}
	if (!back)
		end(1, "none of %" PRIu64 " datagrams came back", sent);
	end(0, "%" PRIu64 " bytes; %" PRIu64 " of %" PRIu64 " datagrams", bytes, back, sent);
}

static void source(enum kind kind, const char *address, uint16_t port, double seconds)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct hello hello = { .seed = (uint64_t)getpid() << 32 | port, .kind = kind };
	int fd = socket(AF_INET, kind == UDP ? SOCK_DGRAM : SOCK_STREAM, 0), one = 1;
	double deadline = now() + seconds;

	if (inet_pton(AF_INET, address, &there.sin_addr) != 1)
		end(2, "%s is no IPv4 address", address);
	set_up(fd);
	if (connect(fd, (void *)&there, sizeof(there)))
		end(2, "connect: %s", strerror(errno));
	if (kind == UDP)
		datagrams(fd, deadline);
	if (kind != BULK)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	write_all(fd, &hello, sizeof(hello));
	if (kind == ECHO)
		echo(fd, &hello, deadline);
	stream(fd, &hello, deadline);
}

int main(int argc, char **argv)
{
	const struct sigaction on_term = { .sa_handler = stop };

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "sink"))
		return sink((uint16_t)atoi(argv[2]));
	sigaction(SIGTERM, &on_term, NULL);
	if (argc == 6)
		progress = open(argv[5], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	for (int kind = 0; kind < KINDS && (argc == 5 || argc == 6); kind++)
		if (!strcmp(argv[1], kind_name[kind]))
			source((enum kind)kind, argv[2], (uint16_t)atoi(argv[3]), atof(argv[4]));
	end(2, "usage: flow sink PORT | flow bulk|small|echo|udp ADDRESS PORT SECONDS [FILE]");
}
