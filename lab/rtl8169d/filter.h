/* SPDX-License-Identifier: GPL-2.0-only */
/* Address filter of the receiver. */
#ifndef RTL8169D_FILTER_H
#define RTL8169D_FILTER_H

#include "util.h"

struct nic;

enum address {
	ADDRESS_UNICAST,
	ADDRESS_MULTICAST,
	ADDRESS_BROADCAST,
};

/** filter_class() - kind of the destination address @mac. */
enum address filter_class(const u8 *mac);

/** filter_accepts() - does RxConfig let frames to @mac in? */
bool filter_accepts(const struct nic *nic, const u8 *mac);

/** filter_hash() - number of the multicast filter bit of @mac, 0 to 63. */
unsigned int filter_hash(const u8 *mac);

#endif
