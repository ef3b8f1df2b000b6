# SPDX-License-Identifier: GPL-2.0-only
"""All tests of the project: `python3 -m tests`, which `make check` runs."""
