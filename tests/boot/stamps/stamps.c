// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamps send DEVICE COUNT: sends Sync messages of PTP over Ethernet, each tenth of a second.
 * stamps read DEVICE COUNT: asks the NIC to stamp events of PTP, prints "ready" and then the NIC's
 * time of each message that comes, in nanoseconds. Exit status 1 for one without, or where none
 * comes for 10 s.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define ETHERTYPE_PTP	0x88f7
#define PTP_VERSION	2
#define PTP_LEN		44
#define PATIENCE	10

static const unsigned char ptp_group[ETH_ALEN] = { 0x01, 0x1b, 0x19, 0, 0, 0 };

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static int on_device(const char *device)
{
	struct sockaddr_ll place = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETHERTYPE_PTP),
	};
	struct packet_mreq group = { .mr_type = PACKET_MR_MULTICAST, .mr_alen = ETH_ALEN };
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETHERTYPE_PTP));

	place.sll_ifindex = (int)if_nametoindex(device);
	group.mr_ifindex = place.sll_ifindex;
	memcpy(group.mr_address, ptp_group, ETH_ALEN);
	if (fd < 0 || bind(fd, (struct sockaddr *)&place, sizeof(place)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)))
		fail(device);
	return fd;
}

static int sends(const char *device, int count)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETHERTYPE_PTP),
				  .sll_halen = ETH_ALEN };
	unsigned char sync[PTP_LEN] = { 0, PTP_VERSION, 0, PTP_LEN };
	int fd = on_device(device);

	to.sll_ifindex = (int)if_nametoindex(device);
	memcpy(to.sll_addr, ptp_group, ETH_ALEN);
	while (count--) {
		if (sendto(fd, sync, sizeof(sync), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			fail("sendto");
		usleep(100000);
	}
	return 0;
}

/* The NIC's own time of a message, or 0. */
static long long stamp_of(struct msghdr *message)
{
	struct scm_timestamping stamps;
	struct cmsghdr *part;

	for (part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SO_TIMESTAMPING)
			continue;
		memcpy(&stamps, CMSG_DATA(part), sizeof(stamps));
		return stamps.ts[2].tv_sec * 1000000000LL + stamps.ts[2].tv_nsec;
	}
	return 0;
}

static int reads(const char *device, int count)
{
	int wanted = SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE;
	struct hwtstamp_config config = { .rx_filter = HWTSTAMP_FILTER_PTP_V2_EVENT };
	struct ifreq request = { .ifr_data = (void *)&config };
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = on_device(device);

	snprintf(request.ifr_name, IFNAMSIZ, "%s", device);
	if (ioctl(fd, SIOCSHWTSTAMP, &request))
		fail("SIOCSHWTSTAMP");
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof(wanted)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		fail("setsockopt");
	puts("ready");
	fflush(stdout);
	while (count--) {
		unsigned char data[PTP_LEN], more[256];
		struct iovec part = { data, sizeof(data) };
		struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = more,
					  .msg_controllen = sizeof(more) };
		long long stamp;

		if (recvmsg(fd, &message, 0) < 0)
			fail("recvmsg");
		stamp = stamp_of(&message);
		printf("%lld\n", stamp);
		fflush(stdout);
		if (!stamp)
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "send"))
		return sends(argv[2], atoi(argv[3]));
	if (argc == 4 && !strcmp(argv[1], "read"))
		return reads(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: stamps send|read DEVICE COUNT\n");
	return 2;
}
