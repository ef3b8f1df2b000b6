# SPDX-License-Identifier: GPL-2.0-only
"""The documentation's links, commands, names and versions."""
