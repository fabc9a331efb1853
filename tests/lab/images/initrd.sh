#!/bin/bash
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
for a in sh mount umount insmod cat sed tr dd head tar sleep switch_root; do
    ln -s busybox "$work/bin/$a"
done
"$here/modules.sh" "$tree" "$here/initrd/modules" | while read -r m; do
    cp "$tree/lib/modules/$ver/$m" "$work/modules/"
    basename "$m"
done > "$work/order"
mv "$work/order" "$work/modules/order"
install -m 755 "$here/initrd/init" "$work/init"
(cd "$work" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) | gzip -n -9 > "$out.new"
mv "$out.new" "$out"
