// SPDX-License-Identifier: GPL-2.0-only
/*
 * Header prediction of the packets that are not inlined: all but those over IPv4 with
 * timestamps.
 */
#include <linux/string.h>
#include <linux/types.h>

#include "predict.h"

/* With other options than timestamps, or with extension headers. */
static bool predicted_any(const struct lro_state *state, const u8 *frame)
{
	unsigned int check = state->tcp + LRO_TCP_CHECK;

	return !memcmp(state->hdr, frame, check) &&
	       !memcmp(state->hdr + check + 2, frame + check + 2, state->hdr_len - check - 2) &&
	       lro_load16(frame + check) != LRO_CHECK_OTHER_ZERO;
}

bool lro_predicted_other(const struct lro_state *state, const u8 *frame)
{
	switch (state->hdr_len) {
	case LRO_V6_TCP + LRO_TCP_LEN + LRO_TS_LEN:
		if (state->tcp == LRO_V6_TCP)
			return lro_predicted_kind(state, frame, LRO_V6_TCP, true);
		break;
	case LRO_V4_TCP + LRO_TCP_LEN:
		return lro_predicted_kind(state, frame, LRO_V4_TCP, false);
	case LRO_V6_TCP + LRO_TCP_LEN:
		if (state->tcp == LRO_V6_TCP)
			return lro_predicted_kind(state, frame, LRO_V6_TCP, false);
		break;
	}
	return predicted_any(state, frame);
}
