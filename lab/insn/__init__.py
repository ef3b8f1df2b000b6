# SPDX-License-Identifier: GPL-2.0-only
"""Guest instruction counting: a QEMU TCG plugin (C), and readers of its output (Python)."""
