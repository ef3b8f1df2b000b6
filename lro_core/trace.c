// SPDX-License-Identifier: GPL-2.0-only
#include <linux/in.h>
#include <linux/in6.h>

#include "engine.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

void lro_key_ends(const struct lro_key *key, struct sockaddr_in6 *from, struct sockaddr_in6 *to)
{
	const __be16 *port = (const __be16 *)&key->ports;
	struct sockaddr_in *from4 = (struct sockaddr_in *)from, *to4 = (struct sockaddr_in *)to;

	memset(from, 0, sizeof(*from));
	memset(to, 0, sizeof(*to));
	/* The port is in the same place in both kinds of address. */
	from->sin6_port = port[0];
	to->sin6_port = port[1];
	if (key->link & LRO_KEY_IPV6) {
		from->sin6_family = AF_INET6;
		to->sin6_family = AF_INET6;
		memcpy(&from->sin6_addr, &key->addr[0], sizeof(from->sin6_addr));
		memcpy(&to->sin6_addr, &key->addr[4], sizeof(to->sin6_addr));
	} else {
		from4->sin_family = AF_INET;
		to4->sin_family = AF_INET;
		from4->sin_addr.s_addr = (__force __be32)key->addr[0];
		to4->sin_addr.s_addr = (__force __be32)key->addr[1];
	}
}
