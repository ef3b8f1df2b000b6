// SPDX-License-Identifier: GPL-2.0-only
/* Making frames of many TCP streams. */
#include "generate.h"
#include "nic.h"
#include "offload.h"

#define RUN_FRAMES	64

#define IP_HEADER	14
#define TCP_HEADER	34

/* Streams in the middle of their lives, none with the sequence numbers of another. */
#define FIRST_SEQ	1000000u
#define SEQ_STEP	65537u

/*
 * The headers that all frames share. The time stamps do not advance: their steps would depend on
 * the sender's clock and rate, and only the interleaving is to differ here.
 */
static const u8 headers[GENERATE_HEADERS] = {
	0, 0, 0, 0, 0, 0, 0x52, 0x54, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00,
	/* IPv4, don't fragment, TTL 64, TCP, 10.0.1.1 to 10.0.1.2 */
	0x45, 0x00, (20 + 32 + GENERATE_PAYLOAD) >> 8, (20 + 32 + GENERATE_PAYLOAD) & 0xff,
	0, 0, 0x40, 0x00, 64, 6, 0, 0, 10, 0, 1, 1, 10, 0, 1, 2,
	/* port 5001, sequence, acknowledgement, 32 bytes of header, ACK, window */
	0, 0, 5001 >> 8, 5001 & 0xff, 0, 0, 0, 0, 0, 0, 0x30, 0x39,
	0x80, 0x10, 0x01, 0xf5, 0, 0, 0, 0,
	/* two NOPs, time stamps */
	1, 1, 8, 10, 0x00, 0x12, 0xd6, 0x87, 0x00, 0x01, 0xe2, 0x40,
};

const char *generate_start(struct nic *nic, const u8 *mac, u64 frames, u32 flows, u32 burst,
			   bool guest_clock)
{
	struct generator *gen = &nic->generator;
	u32 i;

	if (generate_busy(gen))
		return "frames are being generated: wait until info shows generating false";
	if (guest_clock && !nic->rx_rate.mbit)
		return "the guest's clock is for a line with a rate: set one first";
	memcpy(gen->frame, headers, sizeof(headers));
	memcpy(gen->frame, mac, 6);
	for (i = GENERATE_HEADERS; i < GENERATE_FRAME; i++)
		gen->frame[i] = (u8)(i * 31);
	gen->flows = flows;
	gen->burst = burst;
	gen->next = 0;
	gen->frames = frames;
	gen->loaded = false;
	gen->guest_clock = guest_clock;
	gen->clock_runs = false;
	rate_set(&gen->line, nic->rx_rate.mbit);
	return NULL;
}

void generate_clock(struct generator *gen, u32 ns)
{
	if (gen->clock_runs) {
		gen->clock += (u32)(ns - (u32)gen->clock);
		return;
	}
	/* Beyond the credit of a line, so that none is given. */
	gen->clock = 1ull << 32 | ns;
	gen->line.free_at = gen->clock;
	gen->clock_runs = true;
}

/* Turn frame[] into frame number @next. */
static void load(struct generator *gen)
{
	static const struct tx_request checksums = { .ip_csum = true, .tcp_csum = true };
	u64 turn = gen->next / gen->burst;
	u32 flow = (u32)(turn % gen->flows);
	/* Segments of the flow before this one. */
	u32 index = (u32)(turn / gen->flows * gen->burst + gen->next % gen->burst);

	put_be16(gen->frame + IP_HEADER + 4, (u16)index);
	put_be16(gen->frame + TCP_HEADER, (u16)(GENERATE_PORT + flow));
	put_be32(gen->frame + TCP_HEADER + 4,
		 FIRST_SEQ + flow * SEQ_STEP + index * GENERATE_PAYLOAD);
	if (gen->guest_clock)
		put_be32(gen->frame + GENERATE_HEADERS, (u32)gen->clock);
	offload_fill(gen->frame, GENERATE_FRAME, &checksums);
	gen->loaded = true;
}

bool generate_run(struct nic *nic)
{
	struct generator *gen = &nic->generator;
	struct rate *line = gen->guest_clock ? &gen->line : &nic->rx_rate;
	u64 now = gen->guest_clock ? gen->clock : nic->now;
	unsigned int frames = 0;
	bool more = false;

	gen->rate_waiting = false;
	if (gen->guest_clock && !gen->clock_runs)
		return false;
	while (generate_busy(gen) && !rx_waiting(nic)) {
		if (!rate_ready(line, now)) {
			nic->stats.rate_waits++;
			gen->rate_waiting = !gen->guest_clock;
			break;
		}
		if (frames++ == RUN_FRAMES) {
			more = true;
			break;
		}
		if (!gen->loaded)
			load(gen);
		if (!rx_frame(nic, gen->frame, GENERATE_FRAME))
			break;
		pcap_frame(&nic->pcap, PCAP_RX, gen->frame, GENERATE_FRAME);
		rate_charge(line, now, GENERATE_FRAME);
		nic->stats.rx_generated++;
		gen->loaded = false;
		gen->next++;
	}
	rx_flush(nic);
	return more;
}

void generate_deadline(const struct nic *nic, u64 *next)
{
	if (nic->generator.rate_waiting && !rx_waiting(nic))
		earliest(next, nic->rx_rate.free_at);
}
