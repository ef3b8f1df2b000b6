/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shared rings: the kernel's own definition of what they look like, with fewer slots than fit into a page. The
 * driver says everything in terms of their number, and an input of the fuzzer goes round them sooner.
 */
#ifndef _RING_RING_H
#define _RING_RING_H

#include "xen.h"
#include <xen/interface/io/ring.h>

#define RING_SLOTS 32

#undef __CONST_RING_SIZE
#undef __RING_SIZE
#define __CONST_RING_SIZE(type, size) RING_SLOTS
#define __RING_SIZE(ring, size) RING_SLOTS

#include <xen/interface/io/netif.h>

#endif /* _RING_RING_H */
