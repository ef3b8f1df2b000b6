// SPDX-License-Identifier: GPL-2.0-only
/*
 * relay: the wire between a sender and a NIC that QEMU emulates. It counts and captures frames
 * outside of both machines.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "lane.h"
#include "pollset.h"
#include "sock.h"

#define EXIT_USAGE	2
#define LINE_MAX_BYTES	4096
#define ANSWER_MAX	512

static const char help[] =
	"relay - the wire between a sender and a NIC of QEMU, with counters and captures\n"
	"\n"
	"usage: relay --wire PATH --nic PATH --ctl PATH\n"
	"\n"
	"  --wire PATH  unix socket on which the sender's \"stream\" back end connects\n"
	"  --nic PATH   unix socket on which the NIC's \"stream\" back end connects\n"
	"  --ctl PATH   unix socket for control commands (JSON lines): stats, pcap, rate\n"
	"  --help\n"
	"\n"
	"Ends, with exit code 0, when one of the two has gone.\n"
	"exit codes: 0 ended as asked, 1 run-time error, 2 wrong command line\n";

enum { SENDER, NIC, PEERS };

static const char * const peer_names[PEERS] = { "sender", "NIC" };

static struct relay {
	struct sock_addr addr[PEERS], ctl_addr;
	int listen_fd[PEERS], fd[PEERS], ctl_listen_fd, ctl_fd;
	struct lane lane[PEERS];	/* by the peer that sends */
	struct pcap pcap;
	char line[LINE_MAX_BYTES];
	u32 line_len;
} relay;

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static void stats(char *answer)
{
	const struct lane *rx = &relay.lane[SENDER], *tx = &relay.lane[NIC];

	snprintf(answer, ANSWER_MAX,
		 "{\"ok\":true,\"stats\":{\"rx_frames\":%" PRIu64 ",\"rx_bytes\":%" PRIu64
		 ",\"tx_frames\":%" PRIu64 ",\"tx_bytes\":%" PRIu64 "}}\n",
		 rx->frames, rx->octets, tx->frames, tx->octets);
}

static const char *capture(const struct json *json)
{
	const char *action = json_string(json, "action"), *file = json_string(json, "file");
	double snaplen = 0;
	int err;

	if (action && !strcmp(action, "stop")) {
		err = pcap_stop(&relay.pcap);
	} else if (action && !strcmp(action, "start") && file) {
		if (relay.pcap.file)
			return "a capture is running: stop it first";
		json_number(json, "snaplen", &snaplen);
		if (!(snaplen >= 0 && snaplen <= 65535))
			return "pcap's snaplen is a number from 0 to 65535";
		err = pcap_start(&relay.pcap, file, PCAP_BOTH, (u32)snaplen);
	} else {
		return "pcap needs an action, start or stop, and start a file";
	}
	return err ? strerror(err) : NULL;
}

static const char *limit(const struct json *json)
{
	unsigned int peer;
	double mbit;

	if (!json_number(json, "mbit", &mbit) || !(mbit >= 0 && mbit <= 1e6))
		return "rate needs mbit, a number from 0 (no limit) to 1000000";
	for (peer = 0; peer < PEERS; peer++)
		rate_set(&relay.lane[peer].rate, (u64)mbit);
	return NULL;
}

static void command(char *answer)
{
	static struct json json;
	const char *error = json_parse(&json, relay.line), *name = json_string(&json, "cmd");

	strcpy(answer, "{\"ok\":true}\n");
	if (!error && name && !strcmp(name, "stats"))
		stats(answer);
	else if (!error && name && !strcmp(name, "pcap"))
		error = capture(&json);
	else if (!error && name && !strcmp(name, "rate"))
		error = limit(&json);
	else if (!error)
		error = "cmd must be stats, pcap or rate";
	if (error)
		snprintf(answer, ANSWER_MAX, "{\"ok\":false,\"error\":\"%s\"}\n", error);
}

static void ctl_close(void)
{
	close(relay.ctl_fd);
	relay.ctl_fd = -1;
}

/* One client at a time, one command at a time. */
static void ctl_read(void)
{
	ssize_t got = recv(relay.ctl_fd, relay.line + relay.line_len,
			   LINE_MAX_BYTES - 1 - relay.line_len, MSG_DONTWAIT);
	char answer[ANSWER_MAX], *end;

	if (got <= 0) {
		ctl_close();
		return;
	}
	relay.line_len += (u32)got;
	relay.line[relay.line_len] = 0;
	end = strchr(relay.line, '\n');
	if (end) {
		*end = 0;
		command(answer);
		relay.line_len = 0;
		if (send(relay.ctl_fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			ctl_close();
	} else if (relay.line_len == LINE_MAX_BYTES - 1) {
		ctl_close();
	}
}

/* Events to wait for at a peer. */
static short wanted(unsigned int peer, u64 now)
{
	short events = 0;

	if (relay.fd[peer] < 0)
		return 0;
	if (lane_has_room(&relay.lane[peer]))
		events |= POLLIN;
	if (lane_is_ready(&relay.lane[!peer], now))
		events |= POLLOUT;
	return events;
}

/* Return: NULL, or why the peer is gone. */
static const char *serve(unsigned int peer, short events, u64 now)
{
	const char *why = NULL;

	if (relay.fd[peer] < 0) {
		if (events)
			relay.fd[peer] = sock_accept(relay.listen_fd[peer]);
		return NULL;
	}
	if (events & POLLOUT)
		why = lane_write(&relay.lane[!peer], relay.fd[peer], &relay.pcap,
				 peer == NIC ? PCAP_RX : PCAP_TX, now);
	if (!why && events & (POLLIN | POLLHUP | POLLERR) && lane_has_room(&relay.lane[peer]))
		why = lane_read(&relay.lane[peer], relay.fd[peer]);
	return why;
}

/* How long to wait at most: until a rate lets more pass, or else a second. */
static struct timespec patience(u64 now)
{
	u64 wait = NSEC_PER_SEC;
	unsigned int peer;

	for (peer = 0; peer < PEERS; peer++) {
		const struct lane *lane = &relay.lane[peer];

		if (lane_is_busy(lane) && !rate_ready(&lane->rate, now) &&
		    lane->rate.free_at - now < wait)
			wait = lane->rate.free_at - now;
	}
	return (struct timespec){ .tv_sec = (time_t)(wait / NSEC_PER_SEC),
				  .tv_nsec = (long)(wait % NSEC_PER_SEC) };
}

/* Return: whether to go on. */
static bool turn(void)
{
	u64 now = now_ns();
	struct timespec ts = patience(now);
	struct pollset set = { .count = 0 };
	unsigned int slot[PEERS], ctl, peer;
	const char *why;

	for (peer = 0; peer < PEERS; peer++)
		slot[peer] = relay.fd[peer] < 0 ?
			     pollset_add(&set, relay.listen_fd[peer], POLLIN) :
			     pollset_add(&set, relay.fd[peer], wanted(peer, now));
	ctl = pollset_add(&set, relay.ctl_fd < 0 ? relay.ctl_listen_fd : relay.ctl_fd, POLLIN);
	if (ppoll(set.fds, set.count, &ts, NULL) < 0)
		return errno == EINTR;
	now = now_ns();
	for (peer = 0; peer < PEERS; peer++) {
		why = serve(peer, pollset_events(&set, slot[peer]), now);
		if (why) {
			say("the %s is gone: %s", peer_names[peer], why);
			return false;
		}
	}
	if (pollset_events(&set, ctl)) {
		if (relay.ctl_fd < 0)
			relay.ctl_fd = sock_accept(relay.ctl_listen_fd);
		else
			ctl_read();
	}
	pcap_timer(&relay.pcap, now);
	return true;
}

static bool parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "wire", required_argument, NULL, 'w' },
		{ "nic", required_argument, NULL, 'n' },
		{ "ctl", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct sock_addr *addr;
	unsigned int given = 0;
	int which;

	opterr = 0;
	while ((which = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (which == '?')
			break;
		addr = which == 'c' ? &relay.ctl_addr : &relay.addr[which == 'n' ? NIC : SENDER];
		if (!sock_unix(addr, optarg))
			return false;
		given |= which == 'c' ? 4 : which == 'n' ? 2 : 1;
	}
	if (which != -1 || given != 7 || optind != argc) {
		say("--wire, --nic and --ctl are needed, and nothing else: see relay --help");
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct sigaction stop = { .sa_handler = on_stop };
	unsigned int peer;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(help, stdout);
		return 0;
	}
	set_program("relay");
	if (!parse(argc, argv))
		return EXIT_USAGE;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	relay.ctl_fd = -1;
	relay.ctl_listen_fd = sock_listen(&relay.ctl_addr);
	if (relay.ctl_listen_fd < 0)
		return 1;
	for (peer = 0; peer < PEERS; peer++) {
		relay.fd[peer] = -1;
		relay.listen_fd[peer] = sock_listen(&relay.addr[peer]);
		if (relay.listen_fd[peer] < 0)
			return 1;
	}
	while (!stopped && turn())
		;
	pcap_stop(&relay.pcap);
	for (peer = 0; peer < PEERS; peer++)
		sock_unlink(&relay.addr[peer]);
	sock_unlink(&relay.ctl_addr);
	return 0;
}
