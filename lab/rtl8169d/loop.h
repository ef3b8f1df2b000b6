/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RTL8169D_LOOP_H
#define RTL8169D_LOOP_H

struct nic;

/** nic_stop() - end the loop with @exit_code. */
void nic_stop(struct nic *nic, int exit_code);

/** nic_run() - serve until nic_stop(). Return: exit code. */
int nic_run(struct nic *nic);

#endif
