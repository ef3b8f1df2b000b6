/* SPDX-License-Identifier: GPL-2.0-only */
/* Command line. */
#ifndef RTL8169D_OPTIONS_H
#define RTL8169D_OPTIONS_H

#include "chip.h"

struct options {
	const char *vfio;
	const char *wire;		/* NULL: no wire */
	const char *ctl;		/* NULL: no control socket */
	const char *pcap;		/* NULL: no capture from the start */
	const struct chip *chip;
	u8 mac[6];
	bool wire_listen;
	bool pause;
	bool once;
	bool verbose;
	u64 rate_mbit;
	u64 rx_irq_gap_us;
	u64 tx_irq_delay_us;
	u64 link_delay_ms;
	u64 spin_us;
};

/**
 * options_parse() - read the command line.
 *
 * Return: -1 to go on, or the exit code after --help, --version or a message about an error.
 */
int options_parse(struct options *opt, int argc, char **argv);

/** mac_parse() - read a unicast address such as 52:54:00:81:69:01. Return: false if it is none. */
bool mac_parse(const char *text, u8 *mac);

#endif
