/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flow tables in debugfs.
 */
#ifndef _XENLRO_DUMP_H
#define _XENLRO_DUMP_H

struct lro;

/**
 * lro_dump_setup() - create the file
 */
void lro_dump_setup(void);

/**
 * lro_dump_remove() - remove it again
 */
void lro_dump_remove(void);

/**
 * lro_snapshot_fill() - copy the open aggregates for the reader
 * @lro: context that has @lro->snapshot
 *
 * Context: NAPI poll.
 */
void lro_snapshot_fill(struct lro *lro);

#endif /* _XENLRO_DUMP_H */
