#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Compares the compiler at hand with the one that a kernel was built with, for the Makefile.
#
#   compiler.sh KVER COMMAND gcc|clang NUMBER
#
# COMMAND is the compiler that will be used, NUMBER the kernel's CONFIG_GCC_VERSION or CONFIG_CLANG_VERSION, such as
# 140200. Another version gets a warning, as from Kbuild. If the compiler is missing, the status is 3.

kver=$1 command=$2 kind=$3 number=$4

# The kernel's compiler is unknown.
test -n "$number" || exit 0
if ! command -v "$command" >/dev/null; then
	echo "modules: Linux $kver was built with $kind $((number / 10000)), and $command is missing:" \
		"install the package ${command##*-gnu-}" >&2
	exit 3
fi
has=$("$command" --version 2>/dev/null | sed -n '1s/.*[^0-9.]\([0-9][0-9]*\)\.[0-9][0-9]*\.[0-9].*/\1/p')
if test "$has" != $((number / 10000)); then
	echo "modules: warning: Linux $kver was built with $kind $((number / 10000)), and $command is ${has:-of another kind}:" \
		"a module that does not build, or does not load, wants that version" >&2
fi
exit 0
