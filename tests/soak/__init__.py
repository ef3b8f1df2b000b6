# SPDX-License-Identifier: GPL-2.0-only
"""Long runs of the drivers: `make soak-drivers`."""
