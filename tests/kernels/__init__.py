# SPDX-License-Identifier: GPL-2.0-only
"""Kernels of the configured mirror that `make check` boots none of: `make check-kernels`."""
