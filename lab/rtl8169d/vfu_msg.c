// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-user commands. Each checks the length before it reads; a refusal is an errno value for the
 * client.
 */
#include <errno.h>
#include <fcntl.h>

#include "nic.h"
#include "vfu_msg.h"

#define REGION_ROM		6
#define REGION_CONFIG		7
#define REGIONS			9
#define IRQ_INDEXES		5

#define DEVICE_FLAG_RESET	BIT(0)
#define DEVICE_FLAG_PCI		BIT(1)
#define REGION_FLAG_READ	BIT(0)
#define REGION_FLAG_WRITE	BIT(1)
#define IRQ_FLAG_EVENTFD	BIT(0)
#define IRQ_FLAG_MASKABLE	BIT(1)
#define IRQ_FLAG_AUTOMASKED	BIT(2)
#define IRQ_FLAG_NORESIZE	BIT(3)
#define IRQ_DATA_NONE		BIT(0)
#define IRQ_DATA_EVENTFD	BIT(2)
#define IRQ_ACTION_MASK		BIT(3)
#define IRQ_ACTION_UNMASK	BIT(4)
#define IRQ_ACTION_TRIGGER	BIT(5)
#define DMA_FLAG_READ		BIT(0)
#define DMA_FLAG_WRITE		BIT(1)
#define UNMAP_FLAG_ALL		BIT(1)

static const char capabilities[] =
	"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,"
	"\"pgsizes\":4096,\"max_dma_maps\":512}}";

static int do_version(const struct vfu_request *req, struct vfu_reply *reply)
{
	if (req->len < 4)
		return EINVAL;
	if (get_le16(req->data)) {
		say("the vfio-user client speaks protocol version %u, this program version 0",
		    get_le16(req->data));
		return ENOTSUP;
	}
	put_le16(reply->data, 0);
	put_le16(reply->data + 2, 0);
	memcpy(reply->data + 4, capabilities, sizeof(capabilities));
	reply->len = 4 + sizeof(capabilities);
	return 0;
}

static int do_dma_map(struct nic *nic, const struct vfu_request *req)
{
	u32 flags;
	int fd, err;

	if (req->len < 32)
		return EINVAL;
	flags = get_le32(req->data + 4);
	fd = req->nfds ? req->fds[0] : -1;
	err = dma_map_add(&nic->dma, get_le64(req->data + 16), get_le64(req->data + 24), fd,
			  get_le64(req->data + 8), flags & DMA_FLAG_READ, flags & DMA_FLAG_WRITE);
	if (err)
		return err;
	nic->stats.dma_maps++;
	if (fd < 0)
		nic->stats.dma_maps_nofd++;
	return 0;
}

static int do_dma_unmap(struct nic *nic, const struct vfu_request *req, struct vfu_reply *reply)
{
	if (req->len < 24)
		return EINVAL;
	if (get_le32(req->data + 4) & UNMAP_FLAG_ALL)
		dma_clear(&nic->dma);
	else
		dma_map_remove(&nic->dma, get_le64(req->data + 8), get_le64(req->data + 16));
	memcpy(reply->data, req->data, 24);
	reply->len = 24;
	return 0;
}

static int do_get_info(struct vfu_reply *reply)
{
	put_le32(reply->data, 16);
	put_le32(reply->data + 4, DEVICE_FLAG_RESET | DEVICE_FLAG_PCI);
	put_le32(reply->data + 8, REGIONS);
	put_le32(reply->data + 12, IRQ_INDEXES);
	reply->len = 16;
	return 0;
}

static u32 region_size(const struct nic *nic, u32 index)
{
	if (index < REGION_ROM)
		return pci_bar_size(nic, index);
	return index == REGION_CONFIG ? PCI_CONFIG_SIZE : 0;
}

static int do_get_region_info(struct nic *nic, const struct vfu_request *req,
			      struct vfu_reply *reply)
{
	u32 index, size;

	if (req->len < 12)
		return EINVAL;
	index = get_le32(req->data + 8);
	if (index >= REGIONS)
		return EINVAL;
	size = region_size(nic, index);
	memset(reply->data, 0, 32);
	put_le32(reply->data, 32);
	put_le32(reply->data + 4, size ? REGION_FLAG_READ | REGION_FLAG_WRITE : 0);
	put_le32(reply->data + 8, index);
	put_le64(reply->data + 16, size);
	reply->len = 32;
	return 0;
}

static bool has_irq(const struct nic *nic, u32 index)
{
	return index == IRQ_INTX || (index == IRQ_MSI && nic->chip->pcie);
}

static int do_get_irq_info(struct nic *nic, const struct vfu_request *req, struct vfu_reply *reply)
{
	u32 index, flags = 0;

	if (req->len < 12)
		return EINVAL;
	index = get_le32(req->data + 8);
	if (index >= IRQ_INDEXES)
		return EINVAL;
	if (has_irq(nic, index))
		flags = index == IRQ_INTX
				? IRQ_FLAG_EVENTFD | IRQ_FLAG_MASKABLE | IRQ_FLAG_AUTOMASKED
				: IRQ_FLAG_EVENTFD | IRQ_FLAG_NORESIZE;
	put_le32(reply->data, 16);
	put_le32(reply->data + 4, flags);
	put_le32(reply->data + 8, index);
	put_le32(reply->data + 12, flags ? 1 : 0);
	reply->len = 16;
	return 0;
}

static int set_trigger(struct nic *nic, const struct vfu_request *req, u32 flags, u32 index,
		       u32 count)
{
	if (flags & IRQ_DATA_EVENTFD) {
		int fd = req->nfds ? req->fds[0] : -1;

		if (fd >= 0) {
			/* A full eventfd must not stop the NIC. */
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			req->fds[0] = -1;
		}
		irq_set_fd(nic, index, fd);
	} else if ((flags & IRQ_DATA_NONE) && !count) {
		irq_set_fd(nic, index, -1);
	} else {
		return EINVAL;
	}
	return 0;
}

static int do_set_irqs(struct nic *nic, const struct vfu_request *req)
{
	u32 flags, index, start, count;

	if (req->len < 20)
		return EINVAL;
	flags = get_le32(req->data + 4);
	index = get_le32(req->data + 8);
	start = get_le32(req->data + 12);
	count = get_le32(req->data + 16);
	if (index >= IRQ_INDEXES)
		return EINVAL;
	if (!has_irq(nic, index))
		return count ? EINVAL : 0;
	if (start || count > 1)
		return EINVAL;
	if (flags & IRQ_ACTION_TRIGGER)
		return set_trigger(nic, req, flags, index, count);
	/* Masking through an eventfd is not offered. */
	if (!(flags & (IRQ_ACTION_MASK | IRQ_ACTION_UNMASK)) || (flags & IRQ_DATA_EVENTFD) ||
	    index != IRQ_INTX)
		return EINVAL;
	irq_intx_mask(nic, flags & IRQ_ACTION_MASK);
	return 0;
}

static int do_region_access(struct nic *nic, const struct vfu_request *req, struct vfu_reply *reply)
{
	bool write = req->command == VFU_REGION_WRITE;
	u32 region, count, size;
	u64 offset;

	if (req->len < 16)
		return EINVAL;
	offset = get_le64(req->data);
	region = get_le32(req->data + 8);
	count = get_le32(req->data + 12);
	size = region_size(nic, region);
	if (!count || offset >= size || count > size - offset || (write && req->len - 16 < count))
		return EINVAL;
	memcpy(reply->data, req->data, 16);
	reply->len = 16 + (write ? 0 : count);
	if (region == REGION_CONFIG) {
		nic->stats.config_accesses++;
		if (write)
			pci_write(nic, offset, req->data + 16, count);
		else
			pci_read(nic, offset, reply->data + 16, count);
	} else if (write) {
		regs_write(nic, offset, req->data + 16, count);
	} else {
		regs_read(nic, offset, reply->data + 16, count);
	}
	return 0;
}

int vfu_handle(struct nic *nic, const struct vfu_request *req, struct vfu_reply *reply)
{
	reply->len = 0;
	switch (req->command) {
	case VFU_VERSION:
		return do_version(req, reply);
	case VFU_DMA_MAP:
		return do_dma_map(nic, req);
	case VFU_DMA_UNMAP:
		return do_dma_unmap(nic, req, reply);
	case VFU_GET_INFO:
		return do_get_info(reply);
	case VFU_GET_REGION_INFO:
		return do_get_region_info(nic, req, reply);
	case VFU_GET_IRQ_INFO:
		return do_get_irq_info(nic, req, reply);
	case VFU_SET_IRQS:
		return do_set_irqs(nic, req);
	case VFU_REGION_READ:
	case VFU_REGION_WRITE:
		return do_region_access(nic, req, reply);
	case VFU_RESET:
		nic_reset(nic);
		return 0;
	}
	return ENOTSUP;
}
