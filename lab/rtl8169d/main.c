// SPDX-License-Identifier: GPL-2.0-only
/* rtl8169d: an RTL8169 as a process. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "loop.h"
#include "nic.h"

static struct nic nic;

static void on_stop(int sig)
{
	(void)sig;
	nic_stop(&nic, 0);
}

/*
 * Reached at the next access after a client has shrunk its memory file under a mapping. The process
 * cannot continue.
 */
static void on_bus_error(int sig)
{
	static const char text[] =
		"rtl8169d: guest memory is gone: the client shrank the file that it shares\n";

	(void)sig;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(1);
	_exit(1);
}

static void set_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop };
	struct sigaction bus = { .sa_handler = on_bus_error };

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGBUS, &bus, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static bool nic_init(const struct options *opt)
{
	int err;

	nic.opt = opt;
	nic.chip = opt->chip;
	nic.pause = opt->pause;
	nic.now = now_ns();
	dma_init(&nic.dma, &nic.stats.dma_faults);
	irq_init(&nic);
	phy_init(&nic);
	rate_set(&nic.rx_rate, opt->rate_mbit);
	rate_set(&nic.tx_rate, opt->rate_mbit);
	nic_reset(&nic);
	if (opt->pcap) {
		err = pcap_start(&nic.pcap, opt->pcap, PCAP_BOTH, 0);
		if (err) {
			say("cannot write %s: %s", opt->pcap, strerror(err));
			return false;
		}
	}
	/* All three are initialised even if one fails, so that each can be ended. */
	return vfu_init(&nic) & wire_init(&nic) & ctl_init(&nic);
}

static void nic_exit(void)
{
	int err;

	replay_stop(&nic);
	err = pcap_stop(&nic.pcap);
	if (err) {
		say("cannot finish the capture: %s", strerror(err));
		nic.exit_code = 1;
	}
	vfu_exit(&nic);
	wire_exit(&nic);
	ctl_exit(&nic);
}

int main(int argc, char **argv)
{
	struct options opt;
	int code = options_parse(&opt, argc, argv);

	if (code >= 0)
		return code;
	set_verbose(opt.verbose);
	set_signals();
	/* The default slack of 50 us would blur every deadline here. */
	prctl(PR_SET_TIMERSLACK, 1000ul);
	if (nic_init(&opt)) {
		puts("rtl8169d: ready");
		fflush(stdout);
		nic_run(&nic);
	} else {
		nic.exit_code = 1;
	}
	nic_exit();
	return nic.exit_code;
}
