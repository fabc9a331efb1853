#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# initrd.sh OUT KERNEL-TREE: the initrd, from busybox and the few modules it needs.
# KERNEL-TREE is an unpacked linux-image package.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
out=$1 tree=$2
ver=$(ls "$tree/lib/modules")
work=$(mktemp -d "$(dirname "$out")/initrd.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

mkdir -p "$work/bin" "$work/modules" "$work/proc" "$work/sys" "$work/dev" "$work/root"
cp "$(command -v busybox)" "$work/bin/busybox"
for a in sh mount umount mkdir insmod cat sed tr grep dd head tar sleep chroot switch_root; do
    ln -s busybox "$work/bin/$a"
done
"$here/modules.sh" "$tree" "$here/initrd/modules" | while read -r m; do
    cp "$tree/lib/modules/$ver/$m" "$work/modules/"
    basename "$m"
done > "$work/order"
mv "$work/order" "$work/modules/order"
install -m 755 "$here/initrd/init" "$work/init"
sed 's|@libexec@|/usr/local/libexec/roothammer|g' "$here/../../../roothammer/early/initramfs" > "$work/roothammer-early"
chmod 755 "$work/roothammer-early"
(cd "$work" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) | gzip -n -9 > "$out.new"
mv "$out.new" "$out"
