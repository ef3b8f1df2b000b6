# SPDX-License-Identifier: GPL-2.0-only
"""The experiments on hosts that are reached by ssh, here the lab's own machines."""
