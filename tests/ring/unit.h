/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver, and what a test may know of its insides. */
#ifndef _RING_UNIT_H
#define _RING_UNIT_H

#include "model.h"

/* What module_init() and module_exit() name. */
extern int (*const driver_begins)(void);
extern void (*const driver_ends)(void);

/* The kernel that it is of. */
extern const unsigned int driver_kernel;

/* Parameters of the module. */
void driver_parameters(unsigned int queues, bool trusted, unsigned int mode);

struct net_device *driver_netdev(const struct xenbus_device *dev);
bool driver_is_broken(const struct net_device *netdev);
unsigned int driver_queues(const struct net_device *netdev);

/* The XDP program that a queue runs, or NULL. */
const struct bpf_prog *driver_program(const struct net_device *netdev, unsigned int queue);

/* The timer after which a queue tries to fill its ring. */
struct timer_list *driver_timer(const struct net_device *netdev, unsigned int queue);

/* Whether all slots are offered, and each has a page that is granted; whether none is waited for to be sent. */
bool driver_ring_is_full(const struct net_device *netdev, unsigned int queue);
bool driver_has_sent(const struct net_device *netdev, unsigned int queue);

#endif /* _RING_UNIT_H */
