// SPDX-License-Identifier: GPL-2.0-only
/*
 * Idle accounting: the time that each vCPU was halted, and the cost of wake-ups without work.
 *
 * Under Xen an idle pCPU is woken by the hypervisor's own timers. A wake-up in which only the
 * hypervisor ran did no domain's work. The counters at both ends identify it exactly.
 */
#include <string.h>

#include "insn.h"

struct vcpu_state {
	struct idle idle;
	uint64_t halted_since;		/* 0: running */
	uint64_t xen_at_wake;
	uint64_t domain_at_wake;	/* all but the hypervisor */
};

static struct vcpu_state states[MAX_VCPUS];

/* Written by the vCPU's own thread, read by the thread that takes a snapshot. */
static void publish(uint64_t *field, uint64_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELAXED);
}

static uint64_t observe(const uint64_t *field)
{
	return __atomic_load_n(field, __ATOMIC_RELAXED);
}

static void executed(unsigned int vcpu, uint64_t *xen, uint64_t *domain)
{
	struct counters now;

	count_read(vcpu, &now);
	*xen = now.insns[CAT_XEN];
	*domain = 0;
	for (int cat = 0; cat < CAT_COUNT; cat++)
		if (cat != CAT_XEN)
			*domain += now.insns[cat];
}

static void on_halt(unsigned int vcpu, void *userdata)
{
	struct vcpu_state *state = &states[vcpu % MAX_VCPUS];
	uint64_t xen, domain;

	(void)userdata;
	executed(vcpu, &xen, &domain);
	if (domain == state->domain_at_wake) {
		publish(&state->idle.empty_wakes, state->idle.empty_wakes + 1);
		publish(&state->idle.empty_insns,
			state->idle.empty_insns + xen - state->xen_at_wake);
	}
	publish(&state->idle.halts, state->idle.halts + 1);
	publish(&state->halted_since, monotonic_ns());
}

static void on_wake(unsigned int vcpu, void *userdata)
{
	struct vcpu_state *state = &states[vcpu % MAX_VCPUS];

	(void)userdata;
	if (state->halted_since)
		publish(&state->idle.halted_ns,
			state->idle.halted_ns + monotonic_ns() - state->halted_since);
	publish(&state->halted_since, 0);
	executed(vcpu, &state->xen_at_wake, &state->domain_at_wake);
}

void idle_read(unsigned int vcpu, struct idle *out)
{
	const struct vcpu_state *state = &states[vcpu % MAX_VCPUS];
	uint64_t since = observe(&state->halted_since);
	uint64_t now = monotonic_ns();

	out->halted_ns = observe(&state->idle.halted_ns);
	if (since && now > since)
		out->halted_ns += now - since;
	out->halts = observe(&state->idle.halts);
	out->empty_wakes = observe(&state->idle.empty_wakes);
	out->empty_insns = observe(&state->idle.empty_insns);
}

void idle_setup(uint64_t id)
{
	memset(states, 0, sizeof(states));
	qemu_plugin_register_vcpu_idle_cb(id, on_halt, NULL);
	qemu_plugin_register_vcpu_resume_cb(id, on_wake, NULL);
}
