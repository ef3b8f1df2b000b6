# SPDX-License-Identifier: GPL-2.0-only
"""Kernels that report wrong accesses to memory and wrong use of locks, for the driver tests."""
