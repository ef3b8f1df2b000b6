/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An independent version of the rules, field by field, to judge those of the engine.
 */
#ifndef _FUZZ_ORACLE_H
#define _FUZZ_ORACLE_H

#include "match.h"

/**
 * oracle_mergeable() - may this frame be merged with others
 * @frame: frame
 * @avail: bytes that may be read of it
 * @len: its length, bytes
 */
bool oracle_mergeable(const u8 *frame, unsigned int avail, unsigned int len);

/**
 * oracle_continues() - would segmentation give back this frame
 * @state: aggregate
 * @pkt: candidate of the same flow and tag
 * @rules: bits of &enum lro_rule
 */
bool oracle_continues(const struct lro_state *state, const struct lro_packet *pkt,
		      unsigned int rules);

/**
 * oracle_repeats() - is it the frame before, counted up
 * @state: open aggregate
 * @pkt: candidate of the same flow and tag
 * @rules: bits of &enum lro_rule
 */
bool oracle_repeats(const struct lro_state *state, const struct lro_packet *pkt,
		    unsigned int rules);

#endif /* _FUZZ_ORACLE_H */
