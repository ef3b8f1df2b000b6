/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of the control socket. */
#ifndef RTL8169D_COMMAND_H
#define RTL8169D_COMMAND_H

#include "stats.h"
#include "util.h"

struct nic;

#define COMMAND_ANSWER_MAX	(STATS_JSON_MAX + 256)

/**
 * command_run() - execute one command.
 * @line:	the JSON object, NUL-terminated
 * @answer:	receives the JSON answer with its newline, COMMAND_ANSWER_MAX bytes
 */
void command_run(struct nic *nic, const char *line, char *answer);

#endif
