/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture of the wire into a pcap file (classic format, nanoseconds, Ethernet). */
#ifndef RTL8169D_PCAP_H
#define RTL8169D_PCAP_H

#include <stdio.h>

#include "util.h"

#define PCAP_MAGIC_USEC	0xa1b2c3d4u
#define PCAP_MAGIC_NSEC	0xa1b23c4du
#define PCAP_ETHERNET	1

enum pcap_dir {
	PCAP_RX = 1,
	PCAP_TX = 2,
	PCAP_BOTH = 3,
};

struct pcap {
	FILE *file;		/* NULL: no capture */
	enum pcap_dir dir;
	u32 snaplen;
	bool dirty;
	u64 flush_at;
	char name[256];
};

/**
 * pcap_start() - capture to file @name, at most @snaplen bytes of each frame (0: whole frames).
 * Return: 0 or an errno value.
 */
int pcap_start(struct pcap *pcap, const char *name, enum pcap_dir dir, u32 snaplen);

/** pcap_stop() - write everything out and close. Return: 0 or an errno value. */
int pcap_stop(struct pcap *pcap);

/**
 * pcap_write() - record a frame; ends the capture with a message when the file cannot be written.
 */
void pcap_write(struct pcap *pcap, const u8 *frame, u32 len);

/** pcap_timer() - write out frames that have waited long enough. */
void pcap_timer(struct pcap *pcap, u64 now);

static inline void pcap_frame(struct pcap *pcap, enum pcap_dir dir, const u8 *frame, u32 len)
{
	if (pcap->file && (pcap->dir & dir))
		pcap_write(pcap, frame, len);
}

static inline u64 pcap_deadline(const struct pcap *pcap)
{
	return pcap->dirty ? pcap->flush_at : 0;
}

#endif
