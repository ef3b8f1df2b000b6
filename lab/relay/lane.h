/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One direction of the wire: frames read from one stream socket and written to another, each
 * behind its length of four bytes in network order, as QEMU's "stream" network back end has
 * them. A full lane is not read into, which slows the sender down.
 */
#ifndef RELAY_LANE_H
#define RELAY_LANE_H

#include "pcap.h"
#include "rate.h"
#include "util.h"

#define LANE_LENGTH	4
#define LANE_FRAME_MAX	(65536 + 4096)		/* QEMU's own limit */
#define LANE_SIZE	(256 * 1024)
/* Bytes that are written in one go where there is a rate to keep. */
#define LANE_PART	4096

/**
 * struct lane - bytes on their way
 * @frames: frames that have been written completely
 * @octets: their bytes
 * @rate: limit of the written bytes
 * @first: beginning of the first frame that has not
 * @sent: bytes up to here have been written
 * @end: bytes up to here have been read
 * @data: bytes on their way
 */
struct lane {
	u64 frames;
	u64 octets;
	struct rate rate;
	u32 first, sent, end;
	u8 data[LANE_SIZE];
};

/** lane_has_room() - whether lane_read() has room for a frame of any length. */
bool lane_has_room(const struct lane *lane);

/** lane_is_busy() - whether lane_write() has bytes to write. */
static inline bool lane_is_busy(const struct lane *lane)
{
	return lane->sent != lane->end;
}

/** lane_is_ready() - whether lane_write() has bytes to write that the rate allows at time @now. */
static inline bool lane_is_ready(const struct lane *lane, u64 now)
{
	return lane_is_busy(lane) && rate_ready(&lane->rate, now);
}

/** lane_read() - read the available bytes. Return: NULL, or why no more will come. */
const char *lane_read(struct lane *lane, int fd);

/**
 * lane_write() - write as much as the other side takes; frames that are complete are counted, and
 * captured as @dir. @now is the time for the rate. Return: NULL, or why no more can be written.
 */
const char *lane_write(struct lane *lane, int fd, struct pcap *pcap, enum pcap_dir dir, u64 now);

#endif
