#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# modules.sh KERNEL-TREE LIST: the modules named in LIST and what they depend on, in load
# order, as paths below lib/modules/VERSION. A name the kernel has built in is skipped; one it
# does not have at all is an error.
set -euo pipefail
tree=$1 list=$2
ver=$(ls "$tree/lib/modules")
[ -e "$tree/lib/modules/$ver/modules.dep.bin" ] || depmod -b "$tree" "$ver"
grep -v '^#' "$list" | while read -r name; do
    modprobe -d "$tree" -S "$ver" --show-depends "$name" || exit 1
done | awk -v cut="$tree/lib/modules/$ver/" '
    $1 == "insmod" { sub(/^.*\/lib\/modules\/[^\/]*\//, "", $2); if (!seen[$2]++) print $2 }'
