#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernel.sh OUT-DIR: Debian's kernel and hypervisor, unpacked from their packages:
#   OUT-DIR/vmlinuz  OUT-DIR/tree/lib/modules/VERSION  OUT-DIR/xen-debian (uncompressed ELF)
set -euo pipefail
out=$1
work=$(mktemp -d "$(dirname "$out")/kernel.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
image=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*-amd64\)$/\1/p' | head -n 1)
[ -n "$image" ] || { echo "kernel.sh: apt does not know linux-image-amd64; run apt-get update" >&2; exit 1; }

(cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$image" xen-hypervisor-4.17-amd64)
dpkg-deb -x "$work/$image"_*.deb "$work/tree"
dpkg-deb -x "$work"/xen-hypervisor-*.deb "$work/xen"
mkdir "$work/out"
mv "$work/tree" "$work/out/tree"
cp "$work/out/tree/boot/vmlinuz-"* "$work/out/vmlinuz"
zcat "$work/xen/boot/xen-4.17-amd64.gz" > "$work/out/xen-debian"
depmod -b "$work/out/tree" "$(ls "$work/out/tree/lib/modules")"
rm -rf "$out"
mv "$work/out" "$out"
