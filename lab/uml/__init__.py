# SPDX-License-Identifier: GPL-2.0-only
"""User-mode Linux: a kernel as a process, for in-kernel tests and for measurements at native speed."""
