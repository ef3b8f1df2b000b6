/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The slow path of frames that are not skbs.
 */
#ifndef _XENLRO_LOOK_H
#define _XENLRO_LOOK_H

#include "engine.h"
#include "tag.h"

/**
 * lro_look_up() - take a tag out of the data, parse, find the flow and compare with it
 * @lro: context
 * @view: frame; see lro_untag() for what becomes of it
 * @pkt: filled in for candidates
 * @flow: set to the open aggregate of the packet's flow, or NULL
 * @why: set to why the packet does not continue @flow, or %LRO_CONTINUE
 *
 * The TCP checksum is not looked at.
 *
 * Return: whether the packet is a candidate.
 */
bool lro_look_up(struct lro *lro, struct lro_view *view, struct lro_packet *pkt,
		 struct lro_flow **flow, enum lro_reason *why);

/**
 * lro_knows_checksum() - is the TCP checksum right by what the device says
 * @frame: frame as the device tells of it
 * @view: the same as lro_look_up() has left it
 * @pkt: candidate
 * @data: first byte of the frame as received; its headers may be read
 *
 * Return: false if it is wrong, or has to be computed.
 */
bool lro_knows_checksum(const struct lro_frame *frame, const struct lro_view *view,
			const struct lro_packet *pkt, const u8 *data);

#endif /* _XENLRO_LOOK_H */
