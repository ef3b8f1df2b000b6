# SPDX-License-Identifier: GPL-2.0-only
"""Makes the source archive and the packages of the project."""
