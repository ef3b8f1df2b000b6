// SPDX-License-Identifier: GPL-2.0-only
/* Control socket. */
#include <errno.h>
#include <unistd.h>

#include "command.h"
#include "nic.h"

bool ctl_init(struct nic *nic)
{
	struct ctl *ctl = &nic->ctl;
	unsigned int i;

	ctl->listen_fd = -1;
	for (i = 0; i < CTL_CLIENTS; i++)
		ctl->clients[i].fd = -1;
	if (!nic->opt->ctl)
		return true;
	if (!sock_unix(&ctl->addr, nic->opt->ctl))
		return false;
	ctl->listen_fd = sock_listen(&ctl->addr);
	return ctl->listen_fd >= 0;
}

static void client_close(struct ctl_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

void ctl_exit(struct nic *nic)
{
	struct ctl *ctl = &nic->ctl;
	unsigned int i;

	for (i = 0; i < CTL_CLIENTS; i++)
		client_close(&ctl->clients[i]);
	if (ctl->listen_fd >= 0) {
		close(ctl->listen_fd);
		sock_unlink(&ctl->addr);
	}
}

static struct ctl_client *free_client(struct ctl *ctl)
{
	unsigned int i;

	for (i = 0; i < CTL_CLIENTS; i++)
		if (ctl->clients[i].fd < 0)
			return &ctl->clients[i];
	return NULL;
}

void ctl_poll(struct nic *nic, struct pollset *set)
{
	struct ctl *ctl = &nic->ctl;
	unsigned int i;

	/* Further clients wait in the listening socket until one leaves. */
	ctl->slot = pollset_add(set, ctl->listen_fd, free_client(ctl) ? POLLIN : 0);
	for (i = 0; i < CTL_CLIENTS; i++)
		ctl->clients[i].slot = pollset_add(set, ctl->clients[i].fd, POLLIN);
}

static void answer(struct nic *nic, struct ctl_client *client, const char *line)
{
	char text[COMMAND_ANSWER_MAX];
	size_t len;

	command_run(nic, line, text);
	len = strlen(text);
	/* The NIC does not wait for a client that leaves whole answers unread. */
	if (send(client->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		client_close(client);
}

static void client_read(struct nic *nic, struct ctl_client *client)
{
	ssize_t got = recv(client->fd, client->line + client->used, CTL_LINE_MAX - client->used,
			   MSG_DONTWAIT);
	char *end;

	if (got <= 0) {
		if (!got || (errno != EAGAIN && errno != EINTR))
			client_close(client);
		return;
	}
	client->used += (u32)got;
	while (client->fd >= 0 && (end = memchr(client->line, '\n', client->used))) {
		u32 len = (u32)(end - client->line) + 1;

		*end = 0;
		answer(nic, client, client->line);
		memmove(client->line, client->line + len, client->used - len);
		client->used -= len;
	}
	if (client->used == CTL_LINE_MAX) {
		say("a control client sent a line of more than %d bytes: connection closed",
		    CTL_LINE_MAX);
		client_close(client);
	}
}

void ctl_event(struct nic *nic, const struct pollset *set)
{
	struct ctl *ctl = &nic->ctl;
	unsigned int i;

	for (i = 0; i < CTL_CLIENTS; i++)
		if (ctl->clients[i].fd >= 0 && pollset_events(set, ctl->clients[i].slot))
			client_read(nic, &ctl->clients[i]);
	if (pollset_events(set, ctl->slot)) {
		struct ctl_client *client = free_client(ctl);

		if (client) {
			client->fd = sock_accept(ctl->listen_fd);
			client->used = 0;
		}
	}
}
