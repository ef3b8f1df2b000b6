// SPDX-License-Identifier: GPL-2.0-only
/*
 * Header prediction of the packets that are not inlined: all but those over IPv4 with
 * timestamps.
 */
#include <linux/types.h>

#include "predict.h"

bool lro_predicted_other(const struct lro_state *state, const u8 *frame)
{
	if (state->hdr_len == LRO_V6_TCP + LRO_TCP_LEN + LRO_TS_LEN)
		return lro_predicted_kind(state, frame, LRO_V6_TCP, true);
	if (state->hdr_len == LRO_V4_TCP + LRO_TCP_LEN)
		return lro_predicted_kind(state, frame, LRO_V4_TCP, false);
	return lro_predicted_kind(state, frame, LRO_V6_TCP, false);
}
