# SPDX-License-Identifier: GPL-2.0-only
"""What building Linux needs of the lab's root; a file of its own, so that the root's recipe can name it."""

COMPILER = "gcc-14"
PACKAGES = ("bc", "bison", "busybox-static", "flex", COMPILER, "libc6-dev", "libelf-dev", "make")
