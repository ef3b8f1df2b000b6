#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tells which of this tree's modules a kernel can have, by its configuration. Makefile and dkms.conf run it.
#
#   modules.sh KDIR             the modules, one a line, lro_core first
#   modules.sh --lacking KDIR   the others, each with the option that the kernel lacks
#   modules.sh --graft KVER     status 0: the drivers for this kernel are packed in this tree, or can be grafted here
#
# A module is a folder with a Kbuild. KDIR is the folder of the kernel's headers; without its configuration every
# module counts as possible. XENLRO_SOURCES is where source packages are, /usr/src by default.

top=$(dirname "$0")/..
cd "$top" || exit 2

# The first option that the module in $1 needs and the kernel lacks.
lacks()
{
	test -e "$config" || return 0
	for option in $(sed -n 's/^needs = \[\(.*\)\]$/\1/p' "$1"/*.toml 2>/dev/null | tr -d '",'); do
		grep -q "^$option=[ym]" "$config" || { echo "$option"; return 0; }
	done
}

# Whether the package linux-source-$1 is installed.
have_source()
{
	for path in "${XENLRO_SOURCES:-/usr/src}/linux-source-$1"/Makefile "${XENLRO_SOURCES:-/usr/src}/linux-source-$1".tar.*; do
		test -e "$path" && return 0
	done
	return 1
}

case $1 in
--graft)
	series=$(echo "$2" | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')
	test -d "grafted/$series" && exit 0
	command -v spatch >/dev/null && command -v python3 >/dev/null && have_source "$series"
	exit
	;;
--lacking)
	shown=lacking
	shift
	;;
*)
	shown=modules
	;;
esac

config=$1/include/config/auto.conf
test -e "$config" || config=$1/.config
for folder in lro_core $(ls -d -- */); do
	name=${folder%/}
	test -e "$name/Kbuild" || continue
	test "$folder" != lro_core/ || continue
	missing=$(lacks "$name")
	if test $shown = modules; then
		test -n "$missing" || echo "$name"
	elif test -n "$missing"; then
		echo "$name $missing"
	fi
done
