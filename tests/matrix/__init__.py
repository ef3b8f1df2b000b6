# SPDX-License-Identifier: GPL-2.0-only
"""The modules on each supported kernel series, without a warning."""
