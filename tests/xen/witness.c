// SPDX-License-Identifier: GPL-2.0-only
/*
 * witness INTERFACE: looks at what the stack is given of the packets of liar.c. Behind their
 * headers are bytes of one value, MARK. Whatever follows on them and is none was read outside of
 * the pages that the front end was given.
 *
 * Runs until it is sent SIGTERM, then prints how many packets with many a MARK it has seen, how
 * many bytes were in them, and how many of these had no business there.
 *
 * Exit status: 0 all bytes were in place, 1 some were not, 2 wrong usage, or no packets are to be
 * had.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

#define MARK 0x5a
/* This number of them in a row is in no packet but the liar's. */
#define ENOUGH 32
#define ROOM (8 << 20)

static volatile sig_atomic_t done;

static void end(int number)
{
	(void)number;
	done = 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll from = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	/* Without SA_RESTART, so that recvfrom() ends. */
	struct sigaction action = { .sa_handler = end };
	unsigned long packets = 0, bytes = 0, strange = 0;
	static unsigned char packet[1 << 17];
	socklen_t size = sizeof(from);
	const int room = ROOM;
	ssize_t len;
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: witness INTERFACE\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	from.sll_ifindex = (int)if_nametoindex(argv[1]);
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&from, sizeof(from))) {
		perror("witness");
		return 2;
	}
	printf("watching\n");
	fflush(stdout);
	while (!done) {
		ssize_t first = 0, i;

		len = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &size);
		if (len < 0 || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		for (i = 0; i < len && i - first < ENOUGH; i++)
			if (packet[i] != MARK)
				first = i + 1;
		if (i - first < ENOUGH)
			continue;
		packets++;
		bytes += (unsigned long)(len - first);
		for (; i < len; i++)
			strange += packet[i] != MARK;
	}
	printf("%lu packets, %lu bytes, %lu strange\n", packets, bytes, strange);
	return strange ? 1 : 0;
}
