// SPDX-License-Identifier: GPL-2.0-only
/* Faults on request. */
#include "fault.h"
#include "nic.h"

#define STORM_GAP_NS	(20 * NSEC_PER_USEC)
#define STORM_BITS	(INT_RX_OK | INT_RX_ERR | INT_TX_OK | INT_RX_UNAVAILABLE)

static const char *const names[FAULT_KINDS] = {
	[FAULT_SHORT] = "short",
	[FAULT_LONG] = "long",
	[FAULT_FRAGMENT] = "fragment",
	[FAULT_STATUS] = "status",
	[FAULT_CHECKSUM] = "checksum",
	[FAULT_OWNER] = "owner",
	[FAULT_STORM] = "storm",
};

const char *fault_start(struct nic *nic, const char *name, u32 count)
{
	struct fault *fault = &nic->fault;
	u32 kind;

	for (kind = 0; kind < FAULT_KINDS; kind++)
		if (name && !strcmp(name, names[kind]))
			break;
	if (kind == FAULT_KINDS)
		return "\"kind\" is short, long, fragment, status, checksum, owner or storm";
	fault->kind = kind;
	fault->left = count;
	fault->storm_at = nic->now;
	return NULL;
}

u32 fault_status(struct nic *nic, u32 opts1)
{
	static const u32 ends[] = { 0, DESC_FIRST, DESC_LAST };
	static const u32 errors[] = { RXD_ERROR, RXD_ERROR | RXD_WATCHDOG, RXD_ERROR | RXD_RUNT,
				      RXD_ERROR | RXD_CRC, RXD_WATCHDOG, RXD_RUNT, RXD_CRC };
	struct fault *fault = &nic->fault;
	u32 n = fault->left;

	if (!n || fault->kind == FAULT_STORM || fault->kind == FAULT_OWNER)
		return opts1;
	fault->left--;
	nic->stats.faults++;
	switch (fault->kind) {
	case FAULT_SHORT:
		return (opts1 & ~RXD_LEN_MASK) | n % (ETH_HEADER + ETH_FCS) |
		       (n % 4 ? 0 : RXD_ERROR | RXD_RUNT);
	case FAULT_LONG:
		return (opts1 & ~RXD_LEN_MASK) | (RXD_LEN_MASK - n % 4096);
	case FAULT_FRAGMENT:
		return (opts1 & ~(DESC_FIRST | DESC_LAST)) | ends[n % ARRAY_SIZE(ends)];
	case FAULT_STATUS:
		return opts1 | errors[n % ARRAY_SIZE(errors)];
	default:
		return (opts1 & ~(RXD_PROTO_IP | RXD_IP_FAIL | RXD_UDP_FAIL | RXD_TCP_FAIL)) |
		       RXD_PROTO_TCP;
	}
}

bool fault_owner_due(const struct nic *nic)
{
	return nic->fault.kind == FAULT_OWNER && nic->fault.left;
}

enum owner_lie fault_owner(struct nic *nic)
{
	nic->stats.faults++;
	return nic->fault.left-- % 2 ? OWNER_SKIP : OWNER_EMPTY;
}

static bool storming(const struct nic *nic)
{
	return nic->fault.kind == FAULT_STORM && nic->fault.left;
}

void fault_timer(struct nic *nic)
{
	if (!storming(nic) || nic->now < nic->fault.storm_at)
		return;
	nic->fault.left--;
	nic->fault.storm_at = nic->now + STORM_GAP_NS;
	nic->stats.faults++;
	irq_raise(nic, STORM_BITS);
}

void fault_deadline(const struct nic *nic, u64 *next)
{
	if (storming(nic))
		earliest(next, nic->fault.storm_at);
}
