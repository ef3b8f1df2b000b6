// SPDX-License-Identifier: GPL-2.0-only
/* Frames from one socket to another. */
#include <errno.h>
#include <sys/socket.h>

#include "lane.h"

bool lane_has_room(const struct lane *lane)
{
	return LANE_SIZE - lane->end >= LANE_LENGTH + LANE_FRAME_MAX;
}

/* Move the bytes to the front, so that there is room behind them. */
static void compact(struct lane *lane)
{
	memmove(lane->data, lane->data + lane->first, lane->end - lane->first);
	lane->sent -= lane->first;
	lane->end -= lane->first;
	lane->first = 0;
}

const char *lane_read(struct lane *lane, int fd)
{
	ssize_t got = recv(fd, lane->data + lane->end, LANE_SIZE - lane->end, MSG_DONTWAIT);

	if (!got)
		return "it closed the connection";
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
	lane->end += (u32)got;
	return NULL;
}

/* Count and capture the frames that have been written completely. */
static const char *pass(struct lane *lane, struct pcap *pcap, enum pcap_dir dir)
{
	while (lane->sent - lane->first >= LANE_LENGTH) {
		const u8 *frame = lane->data + lane->first + LANE_LENGTH;
		u32 len = get_be32(lane->data + lane->first);

		if (len > LANE_FRAME_MAX)
			return "a frame is longer than any can be";
		if (lane->sent - lane->first < LANE_LENGTH + len)
			break;
		lane->frames++;
		lane->octets += len;
		pcap_frame(pcap, dir, frame, len);
		lane->first += LANE_LENGTH + len;
	}
	if (!lane_has_room(lane) || !lane_is_busy(lane))
		compact(lane);
	return NULL;
}

const char *lane_write(struct lane *lane, int fd, struct pcap *pcap, enum pcap_dir dir, u64 now)
{
	u32 count = lane->end - lane->sent;
	ssize_t put;

	if (lane->rate.mbit && count > LANE_PART)
		count = LANE_PART;
	put = send(fd, lane->data + lane->sent, count, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0)
		return errno == EAGAIN || errno == EINTR ? NULL : strerror(errno);
	lane->sent += (u32)put;
	rate_charge(&lane->rate, now, (u64)put);
	return pass(lane, pcap, dir);
}
