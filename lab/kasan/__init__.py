# SPDX-License-Identifier: GPL-2.0-only
"""A Linux that reports each wrong access to memory and each wrong use of a lock, for the driver tests."""
