#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# build.sh FOLDER: builds FOLDER/qemu-system-x86_64 from Debian's source with the patches beside this file.
#
# Firmware is Debian's, from its own package.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(realpath "$1")

"$here/../../../xen-patches/fetch-source" "$here/BASE" "$folder/source"
rm -rf "$folder/tree" "$folder/objects"
dpkg-source -x --no-check --no-copy "$folder"/source/qemu_*.dsc "$folder/tree"
for patch in "$here"/*.patch; do
    patch -d "$folder/tree" -p1 < "$patch"
done
# Debian names its build in the version; so does this one, by its patches.
patches=$(cat "$here"/*.patch | sha256sum | cut -c 1-12)
mkdir "$folder/objects"
cd "$folder/objects"
../tree/configure --target-list=x86_64-softmmu --without-default-features \
    --enable-tcg --enable-slirp --enable-fdt=system --disable-install-blobs \
    --with-pkgversion="lab, patches $patches"
ninja qemu-system-x86_64
echo quit | ./qemu-system-x86_64 -nodefaults -M q35 -S -display none -monitor stdio -L /usr/share/qemu -L /usr/share/seabios
strip --strip-debug -o ../qemu-system-x86_64.new qemu-system-x86_64
mv ../qemu-system-x86_64.new ../qemu-system-x86_64
rm -rf "$folder/objects" "$folder/tree"
