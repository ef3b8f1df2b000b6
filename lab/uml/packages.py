# SPDX-License-Identifier: GPL-2.0-only
"""Packages of the lab's root that building Linux needs; a separate file, so that the root's recipe can name it."""

COMPILER = "gcc-14"
PACKAGES = ("bc", "bison", "busybox-static", "flex", COMPILER, "libc6-dev", "libelf-dev", "make")
