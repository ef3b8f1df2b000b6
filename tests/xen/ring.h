/* SPDX-License-Identifier: GPL-2.0-only */
/* The other end of a guest's receive ring, for programs that take netback's place: see liar.c and peer.c. */
#ifndef _XEN_RING_H
#define _XEN_RING_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE 4096
#define SLOTS 256 /* of 8 bytes behind a header of 64 in one page */
#define HEADERS 54 /* Ethernet, IPv4 and TCP without options */
#define FRAME 1514
#define MARK 0x5a /* as in witness.c */

enum { VALIDATED = 1, BLANK = 2, MORE = 4, EXTRA = 8 };
enum { EXTRA_MORE = 1, EXTRA_GSO = 1, EXTRA_MCAST_ADD = 2, EXTRA_HASH = 4, EXTRA_XDP = 5 };

/* As in Xen's public netif.h: both kinds of entry share the slot. */
struct request { uint16_t id, pad; uint32_t ref; };
struct response { uint16_t id, offset, flags; int16_t status; };
struct extra { uint8_t type, flags; uint16_t size; uint8_t gso_type, pad; uint16_t features; };

struct ring {
	uint32_t req_prod, req_event, rsp_prod, rsp_event;
	uint8_t pad[48];
	union {
		struct request request;
		struct response response;
		struct extra extra;
	} slot[SLOTS];
};

extern volatile struct ring *ring;
/* The next slot to answer. */
extern uint32_t place;

/* Prints what has failed, with errno, and ends the program with status 2. */
void fail(const char *what);

/* Take the ring of a front end, whose domain, grant reference and event channel are told as text. */
void take(const char *domain_text, const char *ref_text, const char *port_text);

/* Be ready to map pages of a domain, which is told as text. */
void open_grants(const char *domain_text);

/* Map a page of the guest; `index` is for giving it back. */
void *map(uint32_t ref, uint64_t *index);
void unmap(void *page, uint64_t index);

/* Tell the front end of all that was answered. */
void push(void);

/* Whether the front end has taken all there is: then it asks for the next event. */
bool taken(void);

/* Wait for `count` slots that the front end has filled; ends the program with status 1 where none come. */
void await(uint32_t count);

/* A TCP segment from the sender's discard port, each one following on the last. */
void write_frame(uint8_t *to, unsigned int len);

/* Answer the next slot with an extra info. */
void add_extra(unsigned int type, unsigned int flags, unsigned int size, unsigned int gso_type);

#endif /* _XEN_RING_H */
