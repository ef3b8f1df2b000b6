// SPDX-License-Identifier: GPL-2.0-only
/* Event channels and the interrupts that they are bound to. */
#include "input.h"
#include "xen.h"

#define CHANNELS (4 * QUEUES)

/**
 * struct channel - an event channel; its number is its place and 1, that of its interrupt is the same
 * @handler: what its interrupt runs, NULL: not bound
 * @data: for the handler
 * @open: it is there
 * @pending: the other side has told of something
 * @masked: the handler has not said yet that it is done
 */
static struct channel {
	irqreturn_t (*handler)(int irq, void *data);
	void *data;
	bool open, pending, masked;
} channels[CHANNELS];

int xenbus_alloc_evtchn(struct xenbus_device *dev, unsigned int *port)
{
	(void)dev;
	for (unsigned int i = 0; i < CHANNELS && memory_left; i++) {
		if (channels[i].open)
			continue;
		channels[i] = (struct channel){ .open = true };
		*port = i + 1;
		return 0;
	}
	return -ENOSPC;
}

static struct channel *find(unsigned int number)
{
	if (!number || number > CHANNELS || !channels[number - 1].open)
		finding("event", "an event channel is used that is not there");
	return &channels[number - 1];
}

int xenbus_free_evtchn(struct xenbus_device *dev, unsigned int port)
{
	(void)dev;
	*find(port) = (struct channel){};
	return 0;
}

int bind_evtchn_to_irqhandler_lateeoi(unsigned int port, irqreturn_t (*handler)(int irq, void *data),
				      unsigned long flags, const char *name, void *data)
{
	struct channel *channel = find(port);

	(void)flags;
	(void)name;
	if (!memory_left)
		return -ENOMEM;
	channel->handler = handler;
	channel->data = data;
	other_side_acts();
	return (int)port;
}

/* The channel is closed with it; until then interrupts come. */
void unbind_from_irqhandler(unsigned int irq, void *data)
{
	struct channel *channel = find(irq);

	other_side_acts();
	if (!channel->handler || channel->data != data)
		finding("event", "an interrupt is freed that is not the driver's");
	*channel = (struct channel){};
}

void xen_irq_lateeoi(unsigned int irq, unsigned int flags)
{
	(void)flags;
	/* netpoll names none. */
	if (irq)
		find(irq)->masked = false;
}

void events_send(unsigned int number)
{
	for (unsigned int i = 0; i < CHANNELS; i++)
		if (channels[i].open && !number--)
			channels[i].pending = true;
}

void events_deliver(void)
{
	for (unsigned int i = 0; i < CHANNELS && !irqs_off; i++) {
		struct channel *channel = &channels[i];

		if (!channel->pending || channel->masked || !channel->handler)
			continue;
		channel->pending = false;
		channel->masked = true;
		irqs_off++;
		call_begins();
		channel->handler((int)i + 1, channel->data);
		irqs_off--;
	}
}

void events_reset(void)
{
	memset(channels, 0, sizeof(channels));
}

void events_check(void)
{
	for (unsigned int i = 0; i < CHANNELS; i++)
		if (channels[i].open)
			finding("leak", "an event channel is never closed");
}
