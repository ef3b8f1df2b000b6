// SPDX-License-Identifier: GPL-2.0-only
/* Command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "options.h"

#define VERSION		"0.1"
#define EXIT_USAGE	2

static const char help[] =
	"rtl8169d " VERSION " - a Realtek gigabit NIC as a process, for QEMU's vfio-user-pci\n"
	"\n"
	"usage: rtl8169d --vfio PATH [--wire ADDR [--wire-listen]] [--ctl PATH] [options]\n"
	"\n"
	"  --vfio PATH          unix socket on which the virtual machine attaches the NIC\n"
	"  --wire ADDR          the wire, QEMU's stream framing: unix:PATH or tcp:HOST:PORT\n"
	"  --wire-listen        wait for the peer instead of connecting to it\n"
	"  --ctl PATH           unix socket for control commands (JSON lines)\n"
	"  --chip 8169|8168     RTL8169sb (PCI, INTx) or RTL8168c (PCIe, MSI)            [8169]\n"
	"  --mac MAC            station address                             [52:54:00:81:69:01]\n"
	"  --pause on|off       an empty receive ring stops the wire, or frames are lost   [on]\n"
	"  --rate MBIT          limit each direction, 0 = no limit                          [0]\n"
	"  --rx-irq-gap USEC    least time between receive interrupts                       [0]\n"
	"  --tx-irq-delay USEC  longest wait of a finished transmit for its interrupt     [300]\n"
	"  --link-delay MSEC    time that autonegotiation takes                           [300]\n"
	"  --spin USEC          poll this long before sleeping, once there was traffic      [0]\n"
	"  --pcap FILE          capture both directions from the start\n"
	"  --once               end, with exit code 0, when the virtual machine has gone\n"
	"  --verbose            log link changes, peers and refused messages\n"
	"  --help, --version\n"
	"\n"
	"Prints \"rtl8169d: ready\" when its sockets listen. lab/rtl8169d/README.md describes the\n"
	"control commands and all counters.\n"
	"exit codes: 0 ended as asked, 1 run-time error, 2 wrong command line\n";

enum {
	OPT_VFIO = 256,
	OPT_WIRE,
	OPT_WIRE_LISTEN,
	OPT_CTL,
	OPT_CHIP,
	OPT_MAC,
	OPT_PAUSE,
	OPT_RATE,
	OPT_RX_IRQ_GAP,
	OPT_TX_IRQ_DELAY,
	OPT_LINK_DELAY,
	OPT_SPIN,
	OPT_PCAP,
	OPT_ONCE,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option table[] = {
	{ "vfio", required_argument, NULL, OPT_VFIO },
	{ "wire", required_argument, NULL, OPT_WIRE },
	{ "wire-listen", no_argument, NULL, OPT_WIRE_LISTEN },
	{ "ctl", required_argument, NULL, OPT_CTL },
	{ "chip", required_argument, NULL, OPT_CHIP },
	{ "mac", required_argument, NULL, OPT_MAC },
	{ "pause", required_argument, NULL, OPT_PAUSE },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "rx-irq-gap", required_argument, NULL, OPT_RX_IRQ_GAP },
	{ "tx-irq-delay", required_argument, NULL, OPT_TX_IRQ_DELAY },
	{ "link-delay", required_argument, NULL, OPT_LINK_DELAY },
	{ "spin", required_argument, NULL, OPT_SPIN },
	{ "pcap", required_argument, NULL, OPT_PCAP },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "verbose", no_argument, NULL, OPT_VERBOSE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool number(const char *name, const char *text, u64 max, u64 *value)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || end == text || *text == '-' || v > max) {
		say("--%s takes a number from 0 to %llu, not \"%s\"", name, (unsigned long long)max,
		    text);
		return false;
	}
	*value = v;
	return true;
}

bool mac_parse(const char *text, u8 *mac)
{
	unsigned int b[6];
	int used = 0;
	int i;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &used) != 6 ||
	    text[used] || (b[0] & 1))
		return false;
	for (i = 0; i < 6; i++)
		mac[i] = (u8)b[i];
	return true;
}

static bool chip_name(struct options *opt, const char *text)
{
	if (!strcmp(text, "8169"))
		opt->chip = &chip_8169;
	else if (!strcmp(text, "8168"))
		opt->chip = &chip_8168;
	else
		say("--chip takes 8169 or 8168, not \"%s\"", text);
	return opt->chip;
}

static bool on_off(const char *text, bool *value)
{
	*value = !strcmp(text, "on");
	if (!*value && strcmp(text, "off")) {
		say("--pause takes on or off, not \"%s\"", text);
		return false;
	}
	return true;
}

static bool option(struct options *opt, int which)
{
	switch (which) {
	case OPT_VFIO:
		opt->vfio = optarg;
		return true;
	case OPT_WIRE:
		opt->wire = optarg;
		return true;
	case OPT_WIRE_LISTEN:
		opt->wire_listen = true;
		return true;
	case OPT_CTL:
		opt->ctl = optarg;
		return true;
	case OPT_CHIP:
		opt->chip = NULL;
		return chip_name(opt, optarg);
	case OPT_MAC:
		if (mac_parse(optarg, opt->mac))
			return true;
		say("--mac takes a unicast address like 52:54:00:81:69:01, not \"%s\"", optarg);
		return false;
	case OPT_PAUSE:
		return on_off(optarg, &opt->pause);
	case OPT_RATE:
		return number("rate", optarg, 1000000, &opt->rate_mbit);
	case OPT_RX_IRQ_GAP:
		return number("rx-irq-gap", optarg, 1000000, &opt->rx_irq_gap_us);
	case OPT_TX_IRQ_DELAY:
		return number("tx-irq-delay", optarg, 1000000, &opt->tx_irq_delay_us);
	case OPT_LINK_DELAY:
		return number("link-delay", optarg, 60000, &opt->link_delay_ms);
	case OPT_SPIN:
		return number("spin", optarg, 1000000, &opt->spin_us);
	case OPT_PCAP:
		opt->pcap = optarg;
		return true;
	case OPT_ONCE:
		opt->once = true;
		return true;
	case OPT_VERBOSE:
		opt->verbose = true;
		return true;
	}
	return false;
}

int options_parse(struct options *opt, int argc, char **argv)
{
	int which;

	*opt = (struct options){
		.chip = &chip_8169,
		.mac = { 0x52, 0x54, 0x00, 0x81, 0x69, 0x01 },
		.pause = true,
		.tx_irq_delay_us = 300,
		.link_delay_ms = 300,
	};
	opterr = 0;
	while ((which = getopt_long(argc, argv, ":", table, NULL)) != -1) {
		if (which == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (which == OPT_VERSION) {
			puts("rtl8169d " VERSION);
			return 0;
		}
		if (which == '?' || which == ':') {
			say("%s \"%s\": see rtl8169d --help",
			    which == ':' ? "missing value for" : "unknown option",
			    argv[optind - 1]);
			return EXIT_USAGE;
		}
		if (!option(opt, which))
			return EXIT_USAGE;
	}
	if (optind < argc) {
		say("unexpected \"%s\": see rtl8169d --help", argv[optind]);
		return EXIT_USAGE;
	}
	if (!opt->vfio || (opt->wire_listen && !opt->wire)) {
		say("%s: see rtl8169d --help",
		    opt->vfio ? "--wire-listen needs --wire" : "--vfio PATH is missing");
		return EXIT_USAGE;
	}
	return -1;
}
