#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# DKMS runs this before it builds: it grafts the drivers. If the rules do not match this kernel's drivers and none are
# packed, it ends with the status that makes DKMS skip the kernel.
#
#   prebuild.sh KVER KDIR

make -s grafts "KVER=$1" "KDIR=$2" OUT=out && exit 0
echo "xenlro: no modules for Linux $1: its stock drivers serve" >&2
exit 77
