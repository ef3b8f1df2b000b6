/* SPDX-License-Identifier: GPL-2.0-only */
/* Running one shell command with a time limit. */
#ifndef LAB_GUEST_RUN_H
#define LAB_GUEST_RUN_H

#include "frame.h"

/**
 * run_command() - run the command of a FRAME_RUN and report it
 * @out: descriptor for FRAME_OUTPUT and FRAME_DONE
 * @head: the request's header
 * @payload: the request's payload, followed by a zero byte
 *
 * Standard output and error come back mixed, as on a terminal. The request ends with the shell,
 * even if processes that it started still hold its output open. After the time limit its whole
 * process group is killed.
 *
 * Return: -1 when FRAME_DONE was sent, or an errno that the caller reports.
 */
int run_command(int out, const struct frame *head, const uint8_t *payload);

#endif
