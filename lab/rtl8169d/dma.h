/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory as the virtual machine announced it: ranges of bus addresses, each backed by a
 * mapped file. Every access to guest memory goes through here, so that nothing outside an announced
 * range can be touched.
 */
#ifndef RTL8169D_DMA_H
#define RTL8169D_DMA_H

#include "util.h"

#define DMA_MAX_MAPS	512

struct dma_map {
	u64 iova;
	u64 size;
	u8 *va;			/* NULL: announced without a file, not accessible */
	bool writable;
};

struct dma_space {
	struct dma_map maps[DMA_MAX_MAPS];	/* sorted by iova, never overlapping */
	unsigned int count;
	unsigned int last;			/* index that the previous look-up found */
	u64 *faults;				/* counter of refused accesses */
};

/**
 * dma_init() - start with no memory.
 * @faults:	counter that refused accesses increment; belongs to the caller
 */
void dma_init(struct dma_space *dma, u64 *faults);

/**
 * dma_map_add() - add a range.
 * @fd:		file behind the range, or -1; stays the caller's
 * @offset:	of the range in the file, in bytes
 *
 * Return: 0, or an errno value: EINVAL for empty, wrapping or unaligned ranges and for files that
 * are too short, EEXIST for overlap, ENOSPC for too many, or the error of mmap().
 */
int dma_map_add(struct dma_space *dma, u64 iova, u64 size, int fd, u64 offset, bool readable,
		bool writable);

/** dma_map_remove() - forget all ranges that lie within @iova, @size. */
void dma_map_remove(struct dma_space *dma, u64 iova, u64 size);

/** dma_clear() - forget all ranges. */
void dma_clear(struct dma_space *dma);

/**
 * dma_ptr() - address of guest memory that lies in one range.
 *
 * Return: pointer valid until the next map or unmap, or NULL and a counted fault.
 */
void *dma_ptr(struct dma_space *dma, u64 iova, u64 len, bool write);

/**
 * dma_ok() - would dma_read() or dma_write() of this range succeed? A refusal is a counted fault.
 */
bool dma_ok(struct dma_space *dma, u64 iova, u64 len, bool write);

/**
 * dma_read() - copy from guest memory, across adjacent ranges if need be. Return: false and a
 * counted fault.
 */
bool dma_read(struct dma_space *dma, u64 iova, void *buf, u64 len);

/** dma_write() - copy to guest memory; nothing is written when any byte lies outside. */
bool dma_write(struct dma_space *dma, u64 iova, const void *buf, u64 len);

#endif
