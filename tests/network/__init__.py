# SPDX-License-Identifier: GPL-2.0-only
"""The command xenlro in network namespaces: real interfaces, addresses and routes, and drivers that are stand-ins."""
