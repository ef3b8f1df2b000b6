# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages on a Debian 13 system, and the command xenlro."""
