// SPDX-License-Identifier: GPL-2.0-only
/* The loop that gives each part of the NIC its turn. */
#define _GNU_SOURCE
#include <errno.h>

#include "loop.h"
#include "nic.h"

/* The longest sleep. */
#define SLEEP_MAX_NS	NSEC_PER_SEC

void nic_stop(struct nic *nic, int exit_code)
{
	nic->quit = true;
	nic->exit_code = exit_code;
}

static u64 next_deadline(const struct nic *nic)
{
	u64 next = nic->now + SLEEP_MAX_NS;

	earliest(&next, phy_deadline(&nic->phy));
	earliest(&next, pcap_deadline(&nic->pcap));
	irq_deadline(nic, &next);
	rx_deadline(nic, &next);
	tx_deadline(nic, &next);
	wire_deadline(nic, &next);
	replay_deadline(nic, &next);
	generate_deadline(nic, &next);
	fault_deadline(nic, &next);
	return next;
}

static int wait_until(struct pollset *set, u64 now, u64 until)
{
	u64 left = until > now ? until - now : 0;
	struct timespec ts = { .tv_sec = (time_t)(left / NSEC_PER_SEC),
			       .tv_nsec = (long)(left % NSEC_PER_SEC) };

	return ppoll(set->fds, set->count, &ts, NULL);
}

/* One turn. @busy: some work is left to do at once; *@active: time of the latest traffic. */
static bool turn(struct nic *nic, bool busy, u64 *active)
{
	struct pollset set = { .count = 0 };
	u64 next = next_deadline(nic);
	bool spin = nic->opt->spin_us && nic->now - *active < nic->opt->spin_us * NSEC_PER_USEC;

	vfu_poll(nic, &set);
	wire_poll(nic, &set);
	ctl_poll(nic, &set);
	if (wait_until(&set, nic->now, busy || spin ? nic->now : next) < 0 && errno != EINTR) {
		say("poll failed: %s", strerror(errno));
		nic_stop(nic, 1);
		return false;
	}
	nic->now = now_ns();
	vfu_event(nic, &set);
	wire_event(nic, &set);
	ctl_event(nic, &set);
	phy_timer(nic);
	irq_timer(nic);
	fault_timer(nic);
	pcap_timer(&nic->pcap, nic->now);
	if (pollset_events(&set, nic->vfu.slot) || pollset_events(&set, nic->wire.slot))
		*active = nic->now;
	busy = wire_run(nic);
	busy |= replay_run(nic);
	busy |= generate_run(nic);
	rx_settle(nic);
	busy |= tx_run(nic);
	return busy;
}

int nic_run(struct nic *nic)
{
	bool busy = false;
	u64 active = 0;

	nic->now = now_ns();
	while (!nic->quit)
		busy = turn(nic, busy, &active);
	return nic->exit_code;
}
