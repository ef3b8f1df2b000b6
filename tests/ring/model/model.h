/* SPDX-License-Identifier: GPL-2.0-only */
/* All of the model. The headers that a driver includes lead here; run.py makes them. */
#ifndef _RING_MODEL_H
#define _RING_MODEL_H

#define CONFIG_NET_POLL_CONTROLLER

#include "base.h"
#include "memory.h"
#include "packet.h"
#include "device.h"
#include "xen.h"
#include "ring.h"

#endif /* _RING_MODEL_H */
