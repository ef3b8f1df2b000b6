// SPDX-License-Identifier: GPL-2.0-only
/* Reading pcap files. */
#include <byteswap.h>
#include <errno.h>

#include "nic.h"

#define RUN_FRAMES	64

static u32 field(const struct replay *rep, const u8 *at)
{
	u32 v;

	memcpy(&v, at, sizeof(v));
	return rep->swapped ? bswap_32(v) : v;
}

/* Load the next record. Return: false at the end. */
static bool replay_load(struct nic *nic)
{
	struct replay *rep = &nic->replay;
	u8 header[16];
	u64 stamp;

	if (fread(header, sizeof(header), 1, rep->file) != 1)
		return false;
	rep->len = field(rep, header + 8);
	if (rep->len > sizeof(rep->frame) ||
	    (rep->len && fread(rep->frame, rep->len, 1, rep->file) != 1)) {
		say("the replayed file ends with a broken record");
		return false;
	}
	stamp = field(rep, header) * NSEC_PER_SEC +
		field(rep, header + 4) * (NSEC_PER_SEC / rep->per_second);
	if (!rep->started) {
		rep->started = now_ns();
		rep->first_stamp = stamp;
	}
	rep->due = stamp > rep->first_stamp ? rep->started + (stamp - rep->first_stamp)
					    : rep->started;
	rep->loaded = true;
	return true;
}

const char *replay_start(struct nic *nic, const char *name, bool timed)
{
	struct replay *rep = &nic->replay;
	u8 header[24];
	u32 magic;

	if (rep->file)
		return "another file is being replayed: wait until info shows replaying false";
	rep->file = fopen(name, "re");
	if (!rep->file)
		return strerror(errno);
	if (fread(header, sizeof(header), 1, rep->file) != 1) {
		replay_stop(nic);
		return "the file is too short to be a pcap file";
	}
	memcpy(&magic, header, sizeof(magic));
	rep->swapped = magic == bswap_32(PCAP_MAGIC_USEC) || magic == bswap_32(PCAP_MAGIC_NSEC);
	magic = field(rep, header);
	if (magic != PCAP_MAGIC_USEC && magic != PCAP_MAGIC_NSEC) {
		replay_stop(nic);
		return "the file is not a classic pcap file (pcapng: convert it with editcap -F pcap)";
	}
	if ((field(rep, header + 20) & 0xffff) != PCAP_ETHERNET) {
		replay_stop(nic);
		return "the file holds no Ethernet frames";
	}
	rep->per_second = magic == PCAP_MAGIC_NSEC ? (u32)NSEC_PER_SEC : 1000000u;
	rep->timed = timed;
	rep->started = 0;
	rep->loaded = false;
	return NULL;
}

void replay_stop(struct nic *nic)
{
	struct replay *rep = &nic->replay;

	if (rep->file)
		fclose(rep->file);
	rep->file = NULL;
	rep->loaded = false;
}

bool replay_run(struct nic *nic)
{
	struct replay *rep = &nic->replay;
	unsigned int frames = 0;
	bool more = false;

	if (!rep->file)
		return false;
	rep->rate_waiting = false;
	while (!rx_waiting(nic)) {
		if (!rep->loaded && !replay_load(nic)) {
			replay_stop(nic);
			break;
		}
		if (rep->timed && rep->due > nic->now)
			break;
		if (!rate_ready(&nic->rx_rate, nic->now)) {
			nic->stats.rate_waits++;
			rep->rate_waiting = true;
			break;
		}
		if (frames++ == RUN_FRAMES) {
			more = true;
			break;
		}
		if (!rx_frame(nic, rep->frame, rep->len))
			break;
		pcap_frame(&nic->pcap, PCAP_RX, rep->frame, rep->len);
		rate_charge(&nic->rx_rate, nic->now, rep->len);
		nic->stats.rx_replayed++;
		rep->loaded = false;
	}
	rx_flush(nic);
	return more;
}

void replay_deadline(const struct nic *nic, u64 *next)
{
	const struct replay *rep = &nic->replay;

	if (!rep->loaded || rx_waiting(nic))
		return;
	if (rep->rate_waiting)
		earliest(next, nic->rx_rate.free_at);
	else if (rep->timed)
		earliest(next, rep->due);
}
