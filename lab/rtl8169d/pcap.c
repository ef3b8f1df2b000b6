// SPDX-License-Identifier: GPL-2.0-only
/* Writing pcap files. */
#include <errno.h>
#include <time.h>

#include "pcap.h"

#define PCAP_SNAPLEN	262144
#define FLUSH_NS	(200 * NSEC_PER_MSEC)

struct file_header {
	u32 magic;
	u16 major, minor;
	u32 zone, accuracy;
	u32 snaplen;
	u32 linktype;
};

struct record_header {
	u32 sec, nsec;
	u32 captured, original;
};

static int pcap_fail(struct pcap *pcap)
{
	int err = errno ? errno : EIO;

	fclose(pcap->file);
	pcap->file = NULL;
	pcap->dirty = false;
	return err;
}

int pcap_start(struct pcap *pcap, const char *name, enum pcap_dir dir, u32 snaplen)
{
	struct file_header header = {
		.magic = PCAP_MAGIC_NSEC,
		.major = 2,
		.minor = 4,
		.snaplen = snaplen ? snaplen : PCAP_SNAPLEN,
		.linktype = PCAP_ETHERNET,
	};

	if (pcap->file)
		return EBUSY;
	pcap->file = fopen(name, "we");
	if (!pcap->file)
		return errno;
	snprintf(pcap->name, sizeof(pcap->name), "%s", name);
	pcap->dir = dir;
	pcap->snaplen = header.snaplen;
	pcap->dirty = false;
	pcap->flush_at = 0;
	if (fwrite(&header, sizeof(header), 1, pcap->file) != 1 || fflush(pcap->file))
		return pcap_fail(pcap);
	return 0;
}

int pcap_stop(struct pcap *pcap)
{
	FILE *file = pcap->file;

	pcap->file = NULL;
	pcap->dirty = false;
	return file && fclose(file) ? errno : 0;
}

void pcap_write(struct pcap *pcap, const u8 *frame, u32 len)
{
	u32 kept = len < pcap->snaplen ? len : pcap->snaplen;
	struct record_header record = { .captured = kept, .original = len };
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	record.sec = (u32)t.tv_sec;
	record.nsec = (u32)t.tv_nsec;
	pcap->dirty = true;
	if (fwrite(&record, sizeof(record), 1, pcap->file) != 1 ||
	    (kept && fwrite(frame, kept, 1, pcap->file) != 1))
		say("capture to %s ended: %s", pcap->name, strerror(pcap_fail(pcap)));
}

void pcap_timer(struct pcap *pcap, u64 now)
{
	if (!pcap->dirty || now < pcap->flush_at)
		return;
	pcap->dirty = false;
	pcap->flush_at = now + FLUSH_NS;
	if (fflush(pcap->file))
		say("capture to %s ended: %s", pcap->name, strerror(pcap_fail(pcap)));
}
