// SPDX-License-Identifier: GPL-2.0-only
/*
 * scribble DOMAIN REF MILLISECONDS: writes to the receive ring of a guest's network interface while
 * netback serves it, as a front end may that means ill. REF is the ring's grant reference.
 *
 * It writes req_prod as fast as it can: values between what netback has taken and what a packet
 * needs, values that jump, and any value; then any bytes over requests and events as well.
 *
 * Exit status: 0 that was done, 2 wrong usage, or the ring cannot be had.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ring.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double begun, length;
	uint64_t index;

	if (argc != 4) {
		fprintf(stderr, "usage: scribble DOMAIN REF MILLISECONDS\n");
		return 2;
	}
	open_grants(argv[1]);
	ring = map((uint32_t)atoi(argv[2]), &index);
	length = atoi(argv[3]) / 1e3;
	begun = now();
	for (uint32_t turn = 0; now() < begun + length; turn++) {
		double part = (now() - begun) / length;

		for (int i = 0; i < 1000; i++) {
			uint32_t taken = ring->rsp_prod;

			if (part < .25)
				ring->req_prod = taken + (uint32_t)i % 16;
			else if (part < .5)
				ring->req_prod = taken + (i & 1 ? 0 : SLOTS);
			else
				ring->req_prod = (uint32_t)random();
			if (part < .75)
				continue;
			ring->slot[random() % SLOTS].request.ref = (uint32_t)random();
			ring->slot[random() % SLOTS].request.id = (uint16_t)random();
			ring->req_event = (uint32_t)random();
			ring->rsp_event = (uint32_t)random();
		}
	}
	/* What a front end does not look at stays as it is. */
	ring->req_prod = ring->rsp_prod;
	unmap((void *)ring, index);
	return 0;
}
