# SPDX-License-Identifier: GPL-2.0-only
"""What makes an archive and Debian packages of the project."""
