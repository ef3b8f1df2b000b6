/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receive paths that are compared.
 */
#ifndef _LRO_BENCH_PATHS_H
#define _LRO_BENCH_PATHS_H

#include <linux/netdevice.h>

#include "bounds.h"
#include "lro.h"
#include "stream.h"

/**
 * struct rx - a driver's data while it polls
 * @napi: its NAPI instance
 * @dev: its device
 * @lro: its engine context
 * @bounds: state of the paths without an engine
 * @offer: the frame at hand, for the engine; what is the same for all frames stays
 */
struct rx {
	struct napi_struct *napi;
	struct net_device *dev;
	struct lro *lro;
	struct bounds *bounds;
	struct lro_frame offer;
};

/**
 * struct rx_path - one way to receive
 * @name: as in the results
 * @kind: packets it is fed
 * @delivers: the packets reach the sink
 * @engine: polls begin and end with those of the engine
 * @size: the only frame size of the path, or 0
 * @poll: receives @count frames, the last that stream_fill() made
 */
struct rx_path {
	const char *name;
	enum stream_kind kind;
	bool delivers;
	bool engine;
	unsigned int size;
	void (*poll)(struct rx *rx, struct stream *stream, unsigned int count);
};

extern const struct rx_path bench_paths[];
extern const unsigned int bench_path_count;

#endif /* _LRO_BENCH_PATHS_H */
