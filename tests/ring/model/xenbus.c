// SPDX-License-Identifier: GPL-2.0-only
/* xenbus: states, what stands in xenstore, and the bus that calls the driver. */
#include <stdarg.h>

#include "input.h"
#include "xen.h"

/* What a front end asks the other side for; bit i of other_features. That of FEATURE_QUEUES is the number less 1. */
static const char *const features[] = {
	"feature-rx-copy", "feature-sg", "feature-gso-tcpv4", "feature-gso-tcpv6", "feature-ipv6-csum-offload",
	"feature-split-event-channels", "feature-xdp-headroom", "trusted",
};

enum xenbus_state other_state;
unsigned int other_features;
struct written_rings written_rings[QUEUES];
struct xenbus_device *bus_device;

static struct xenbus_driver *driver;
static struct xenbus_device device;

int xenbus_register_frontend(struct xenbus_driver *registered)
{
	driver = registered;
	return 0;
}

void xenbus_unregister_driver(struct xenbus_driver *registered)
{
	(void)registered;
}

int xenbus_switch_state(struct xenbus_device *dev, enum xenbus_state state)
{
	dev->state = state;
	return 0;
}

enum xenbus_state read_other_state(void)
{
	return other_state;
}

void *xenbus_read(struct xenbus_transaction t, const char *dir, const char *node, unsigned int *len)
{
	static const char address[] = "00:16:3e:00:00:01";
	char *text = kmalloc(sizeof(address), GFP_NOIO);

	(void)t;
	(void)dir;
	(void)node;
	(void)len;
	return text ? memcpy(text, address, sizeof(address)) : ERR_PTR(-ENOMEM);
}

unsigned int xenbus_read_unsigned(const char *dir, const char *node, unsigned int otherwise)
{
	(void)dir;
	if (!strcmp(node, "multi-queue-max-queues") && other_features & FEATURE_NO_QUEUE << 8)
		return 0;
	if (!strcmp(node, "multi-queue-max-queues"))
		return other_features & FEATURE_QUEUES << 8 ? QUEUES : 1;
	for (unsigned int i = 0; i < ARRAY_SIZE(features); i++)
		if (!strcmp(node, features[i]))
			return other_features >> i & 1;
	return otherwise;
}

int xenbus_exists(struct xenbus_transaction t, const char *dir, const char *node)
{
	(void)t;
	return (int)xenbus_read_unsigned(dir, node, 0) > 1;
}

int xenbus_write(struct xenbus_transaction t, const char *dir, const char *node, const char *text)
{
	(void)t;
	(void)dir;
	(void)node;
	(void)text;
	other_side_acts();
	return memory_left ? 0 : -EIO;
}

int xenbus_printf(struct xenbus_transaction t, const char *dir, const char *node, const char *format, ...)
{
	const char *queue = strstr(dir, "queue-");
	struct written_rings *rings = &written_rings[queue ? atoi(queue + 6) % QUEUES : 0];
	char text[32];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!strcmp(node, "tx-ring-ref"))
		rings->tx = (grant_ref_t)strtoul(text, NULL, 10);
	if (!strcmp(node, "rx-ring-ref"))
		rings->rx = (grant_ref_t)strtoul(text, NULL, 10);
	return xenbus_write(t, dir, node, text);
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	t->id = 1;
	/* The driver tells of its rings again, of fewer perhaps, whose grants may have the numbers of the former ones. */
	memset(written_rings, 0xff, sizeof(written_rings));
	return memory_left ? 0 : -EIO;
}

int xenbus_transaction_end(struct xenbus_transaction t, int abort)
{
	(void)t;
	return abort || memory_left ? 0 : -EIO;
}

int xenbus_setup_ring(struct xenbus_device *dev, gfp_t flags, void **address, unsigned int pages,
		      grant_ref_t *refs)
{
	struct page *page = take_pages(pages, false);
	grant_ref_t head;

	(void)dev;
	(void)flags;
	if (!page)
		return -ENOMEM;
	memset(page_address(page), 0, PAGE_SIZE);
	*address = page_address(page);
	if (gnttab_alloc_grant_references(1, &head))
		finding("leak", "grant references run out");
	*refs = (grant_ref_t)gnttab_claim_grant_reference(&head);
	gnttab_page_grant_foreign_access_ref_one(*refs, 0, page, 0);
	return 0;
}

void xenbus_teardown_ring(void **address, unsigned int pages, grant_ref_t *refs)
{
	(void)pages;
	if (*refs != INVALID_GRANT_REF)
		gnttab_end_foreign_access(*refs, virt_to_page(*address));
	*refs = INVALID_GRANT_REF;
	*address = NULL;
}

int xenbus_frontend_closed(struct xenbus_device *dev)
{
	return xenbus_switch_state(dev, XenbusStateClosed);
}

void xenbus_fatal(struct xenbus_device *dev)
{
	xenbus_switch_state(dev, XenbusStateClosing);
}

void bus_probe(void)
{
	device = (struct xenbus_device){ .nodename = "device/vif/0", .otherend = "backend/vif/1/0" };
	memset(written_rings, 0xff, sizeof(written_rings));
	wake_afresh();
	/* Nothing is told of the other side until the driver has the device. */
	if (driver->probe(&device, driver->ids))
		return;
	bus_device = &device;
	bus_changed();
	/* A driver that cannot connect lets go of the device. */
	if (bus_device && device.state == XenbusStateClosed &&
	    (other_state == XenbusStateClosed || other_state == XenbusStateClosing))
		finding("stuck", "the device is closed before there was a back end, and takes none");
}

void bus_changed(void)
{
	wake_afresh();
	if (bus_device)
		driver->otherend_changed(bus_device, other_state);
}

void bus_resume(void)
{
	wake_afresh();
	if (!bus_device)
		return;
	driver->resume(bus_device);
	device.state = XenbusStateInitialising;
}

void bus_remove(void)
{
	wake_afresh();
	if (!bus_device)
		return;
	bus_device = NULL;
	driver->remove(&device);
}

void device_unregister(struct device *dev)
{
	(void)dev;
	bus_remove();
}

void bus_reset(void)
{
	bus_device = NULL;
	other_state = XenbusStateInitWait;
	other_features = 0;
}
