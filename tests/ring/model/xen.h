/* SPDX-License-Identifier: GPL-2.0-only */
/* Grants, event channels and xenbus, as a front end sees them, and what the other side can do with them. */
#ifndef _RING_XEN_H
#define _RING_XEN_H

#include "device.h"

typedef u16 domid_t;
typedef u32 grant_ref_t;

#define INVALID_GRANT_REF ((grant_ref_t)-1)
#define GNTMAP_readonly 4

#define xen_domain() true
#define xen_has_pv_nic_devices() true

/* The other side has time to do something, and interrupts may come; outside of the model. */
void other_side_acts(void);
/* It goes on with what it does, faster than it can be answered. */
extern bool other_side_storms;
/* A call into the driver begins that has to end by itself. */
void call_begins(void);
/* The grant of a ring ends. */
void ring_goes(grant_ref_t ref);

/* Grants. grants.c */
int gnttab_alloc_grant_references(u16 count, grant_ref_t *head);
void gnttab_free_grant_references(grant_ref_t head);
int gnttab_claim_grant_reference(grant_ref_t *head);
void gnttab_release_grant_reference(grant_ref_t *head, grant_ref_t ref);
void gnttab_grant_foreign_access_ref(grant_ref_t ref, domid_t domain, unsigned long frame, int readonly);
int gnttab_end_foreign_access_ref(grant_ref_t ref);
int gnttab_try_end_foreign_access(grant_ref_t ref);
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page);

static inline void gnttab_page_grant_foreign_access_ref_one(grant_ref_t ref, domid_t domain, struct page *page,
							    int readonly)
{
	gnttab_grant_foreign_access_ref(ref, domain, xen_page_to_gfn(page), readonly);
}

typedef void (*xen_grant_fn_t)(unsigned long frame, unsigned int offset, unsigned int len, void *data);

void gnttab_foreach_grant_in_range(struct page *page, unsigned int offset, unsigned int len, xen_grant_fn_t fn,
				   void *data);
void gnttab_for_one_grant(struct page *page, unsigned int offset, unsigned int len, xen_grant_fn_t fn, void *data);

#define gnttab_count_grant(start, len)						\
	((unsigned int)((offset_in_page(start) + (len) + PAGE_SIZE - 1) / PAGE_SIZE))

/* The other side: the page of a grant that has not ended, and whether it holds on to it. */
struct page *grant_page(grant_ref_t ref);
void grant_map(grant_ref_t ref);
void grants_unmap(void);
/* What gnttab_end_foreign_access() has put off. */
void grants_retry(void);
void grants_reset(void);
void grants_check(void);

/* Event channels. events.c */
typedef enum { IRQ_HANDLED = 1 } irqreturn_t;
#define XEN_EOI_FLAG_SPURIOUS 1u

struct xenbus_device;

int xenbus_alloc_evtchn(struct xenbus_device *dev, unsigned int *port);
int xenbus_free_evtchn(struct xenbus_device *dev, unsigned int port);
int bind_evtchn_to_irqhandler_lateeoi(unsigned int port, irqreturn_t (*handler)(int irq, void *data),
				      unsigned long flags, const char *name, void *data);
void unbind_from_irqhandler(unsigned int irq, void *data);
void xen_irq_lateeoi(unsigned int irq, unsigned int flags);
#define notify_remote_via_irq(irq) ((void)(irq))

/* The other side: tell of something on a channel, the lowest number first; and interrupts that come where they can. */
void events_send(unsigned int number);
void events_deliver(void);
void events_reset(void);
void events_check(void);

/* xenbus. xenbus.c */
enum xenbus_state {
	XenbusStateUnknown, XenbusStateInitialising, XenbusStateInitWait, XenbusStateInitialised,
	XenbusStateConnected, XenbusStateClosing, XenbusStateClosed, XenbusStateReconfiguring,
	XenbusStateReconfigured,
};

struct xenbus_device {
	const char *nodename, *otherend;
	int otherend_id;
	struct device dev;
	enum xenbus_state state;
};

struct xenbus_device_id { char devicetype[32]; };
struct xenbus_transaction { u32 id; };
#define XBT_NIL ((struct xenbus_transaction){ 0 })

struct xenbus_driver {
	const char *name;
	const struct xenbus_device_id *ids;
	int (*probe)(struct xenbus_device *dev, const struct xenbus_device_id *id);
	void (*otherend_changed)(struct xenbus_device *dev, enum xenbus_state state);
	void (*remove)(struct xenbus_device *dev);
	int (*resume)(struct xenbus_device *dev);
};

int xenbus_register_frontend(struct xenbus_driver *driver);
void xenbus_unregister_driver(struct xenbus_driver *driver);
int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state);
enum xenbus_state read_other_state(void);
void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node, unsigned int *len);
unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int otherwise);
int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node);
int xenbus_write(struct xenbus_transaction t, const char *dir, const char *node, const char *text);
int __attribute__((format(printf, 4, 5)))
xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node, const char *format, ...);
int xenbus_transaction_start(struct xenbus_transaction *t);
int xenbus_transaction_end(struct xenbus_transaction t, int abort);
int xenbus_setup_ring(struct xenbus_device *dev, gfp_t flags, void **address, unsigned int pages,
		      grant_ref_t *refs);
void xenbus_teardown_ring(void **address, unsigned int pages, grant_ref_t *refs);
int xenbus_frontend_closed(struct xenbus_device *dev);
void device_unregister(struct device *dev);

#define xenbus_dev_fatal(dev, error, ...) ((void)(error), no_print(__VA_ARGS__), xenbus_fatal(dev))
#define xenbus_strstate(state) ((void)(state), "state")
void xenbus_fatal(struct xenbus_device *dev);

/* From 7.0 or so on the kernel wants to know which device asks. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define xenbus_read_driver_state(dev, path) ((void)(dev), (void)(path), read_other_state())
#else
#define xenbus_read_driver_state(path) ((void)(path), read_other_state())
#endif

/* What the other side has in xenstore. */
extern enum xenbus_state other_state;
/* Bits: those of features[] in xenbus.c. */
extern unsigned int other_features;
#define FEATURE_QUEUES 16
#define FEATURE_NO_QUEUE 32

/* The rings that the front end has written of: their grants, by number of queue. */
struct written_rings { grant_ref_t tx, rx; };
extern struct written_rings written_rings[QUEUES];

/* The bus, which calls the driver. NULL while there is no device. */
extern struct xenbus_device *bus_device;
void bus_probe(void);
void bus_changed(void);
void bus_resume(void);
void bus_remove(void);
void bus_reset(void);

#endif /* _RING_XEN_H */
