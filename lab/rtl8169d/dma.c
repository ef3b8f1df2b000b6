// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory: the only code that turns bus addresses into pointers. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dma.h"

void dma_init(struct dma_space *dma, u64 *faults)
{
	memset(dma, 0, sizeof(*dma));
	dma->faults = faults;
}

/* Index of the first map that ends behind @iova. */
static unsigned int dma_search(const struct dma_space *dma, u64 iova)
{
	unsigned int low = 0;
	unsigned int high = dma->count;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct dma_map *map = &dma->maps[mid];

		if (iova - map->iova >= map->size && iova >= map->iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void dma_drop(struct dma_map *map)
{
	if (map->va)
		munmap(map->va, map->size);
}

int dma_map_add(struct dma_space *dma, u64 iova, u64 size, int fd, u64 offset, bool readable,
		bool writable)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE);
	struct dma_map map = { .iova = iova, .size = size, .writable = writable };
	unsigned int at;

	if (!size || iova + size - 1 < iova || (offset & (page - 1)))
		return EINVAL;
	if (dma->count == DMA_MAX_MAPS)
		return ENOSPC;
	at = dma_search(dma, iova);
	if (at < dma->count && dma->maps[at].iova - iova < size)
		return EEXIST;
	if (at < dma->count && iova >= dma->maps[at].iova)
		return EEXIST;

	if (fd >= 0 && readable) {
		struct stat st;

		/* Touching a mapping behind the end of its file would kill the process. */
		if (fstat(fd, &st))
			return errno;
		if (S_ISREG(st.st_mode) &&
		    (offset + size < offset || (u64)st.st_size < offset + size))
			return EINVAL;
		map.va = mmap(NULL, size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd,
			      (off_t)offset);
		if (map.va == MAP_FAILED)
			return errno;
	}
	memmove(&dma->maps[at + 1], &dma->maps[at], (dma->count - at) * sizeof(map));
	dma->maps[at] = map;
	dma->count++;
	dma->last = 0;
	return 0;
}

void dma_map_remove(struct dma_space *dma, u64 iova, u64 size)
{
	unsigned int from, to;

	for (from = 0, to = 0; from < dma->count; from++) {
		struct dma_map *map = &dma->maps[from];

		if (map->iova >= iova && map->size <= size && map->iova - iova <= size - map->size)
			dma_drop(map);
		else
			dma->maps[to++] = *map;
	}
	dma->count = to;
	dma->last = 0;
}

void dma_clear(struct dma_space *dma)
{
	while (dma->count)
		dma_drop(&dma->maps[--dma->count]);
	dma->last = 0;
}

/* The part of [iova, iova + *len) that lies in one accessible map; *len becomes its length. */
static u8 *dma_part(struct dma_space *dma, u64 iova, u64 *len, bool write)
{
	const struct dma_map *map = &dma->maps[dma->last];
	u64 offset;

	if (!dma->count)
		return NULL;
	offset = iova - map->iova;
	if (offset >= map->size) {
		unsigned int at = dma_search(dma, iova);

		if (at == dma->count || iova < dma->maps[at].iova)
			return NULL;
		dma->last = at;
		map = &dma->maps[at];
		offset = iova - map->iova;
	}
	if (!map->va || (write && !map->writable))
		return NULL;
	if (*len > map->size - offset)
		*len = map->size - offset;
	return map->va + offset;
}

void *dma_ptr(struct dma_space *dma, u64 iova, u64 len, bool write)
{
	u64 part = len;
	u8 *p = dma_part(dma, iova, &part, write);

	if (p && part == len)
		return p;
	(*dma->faults)++;
	return NULL;
}

bool dma_ok(struct dma_space *dma, u64 iova, u64 len, bool write)
{
	while (len) {
		u64 part = len;

		if (!dma_part(dma, iova, &part, write)) {
			(*dma->faults)++;
			return false;
		}
		iova += part;
		len -= part;
		if (!iova && len) {
			(*dma->faults)++;
			return false;
		}
	}
	return true;
}

bool dma_read(struct dma_space *dma, u64 iova, void *buf, u64 len)
{
	u8 *to = buf;

	if (!dma_ok(dma, iova, len, false))
		return false;
	while (len) {
		u64 part = len;
		u8 *p = dma_part(dma, iova, &part, false);

		memcpy(to, p, part);
		to += part;
		iova += part;
		len -= part;
	}
	return true;
}

bool dma_write(struct dma_space *dma, u64 iova, const void *buf, u64 len)
{
	const u8 *from = buf;

	if (!dma_ok(dma, iova, len, true))
		return false;
	while (len) {
		u64 part = len;
		u8 *p = dma_part(dma, iova, &part, true);

		memcpy(p, from, part);
		from += part;
		iova += part;
		len -= part;
	}
	return true;
}
