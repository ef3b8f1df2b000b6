# SPDX-License-Identifier: GPL-2.0-only
"""netback_lro's way to a guest in user space, with threads for processors, the queue's thread and the guest."""
