# SPDX-License-Identifier: GPL-2.0-only
"""What the documentation promises: links, commands, names and versions."""
