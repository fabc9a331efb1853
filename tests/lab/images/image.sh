#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# image.sh dom0|guest OUT.ext4: the root disk of a lab machine.
# Reads from OUT's folder: KIND.tar (rootfs.sh), kernel/ (kernel.sh), id_ed25519.pub, witness.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
kind=$1 out=$2
src=$(dirname "$out")
root=$(mktemp -d "$src/image.XXXXXX")
trap 'rm -rf "$root"' EXIT INT TERM

tar -xf "$src/$kind.tar" -C "$root" --exclude=./dev/* --numeric-owner
cp -r --no-preserve=ownership "$here/common/." "$here/$kind/." "$root/"

# --- kernel modules
ver=$(ls "$src/kernel/tree/lib/modules")
moddir=$root/lib/modules/$ver
mkdir -p "$moddir"
cp "$src/kernel/tree/lib/modules/$ver/"modules.{order,builtin,builtin.modinfo} "$moddir/"
"$here/modules.sh" "$src/kernel/tree" "$here/modules" | while read -r m; do
    install -D -m 644 "$src/kernel/tree/lib/modules/$ver/$m" "$moddir/$m"
done
depmod -b "$root" "$ver"

# --- systemd
mkdir -p "$root/etc/systemd/system"
grep -v '^#' "$here/masked.units" | while read -r unit; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
enable() { # UNIT TARGET
    mkdir -p "$root/etc/systemd/system/$2.wants"
    ln -sf "/etc/systemd/system/$1" "$root/etc/systemd/system/$2.wants/$1"
}
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
# Any fixed value: without one systemd takes every boot for the first.
echo 6c61620000000000000000006c616200 > "$root/etc/machine-id"

# --- ssh
install -d -m 700 "$root/root/.ssh"
install -m 600 "$src/id_ed25519.pub" "$root/root/.ssh/authorized_keys"
rm -f "$root"/etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -C lab -f "$root/etc/ssh/ssh_host_ed25519_key"
sed -i "s/^root:[^:]*:/root::/" "$root/etc/shadow"

case $kind in
dom0)
    # The console on hvc0 logs in by itself: it is the only way in when the network is not up.
    mkdir -p "$root/etc/systemd/system/serial-getty@hvc0.service.d"
    printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty -o "-p -- \\\\u" --autologin root --noclear %%I vt220\n' \
        > "$root/etc/systemd/system/serial-getty@hvc0.service.d/lab.conf"
    install -D -m 644 "$src/kernel/vmlinuz" "$root/boot/vmlinuz"
    install -D -m 644 "$src/initrd" "$root/boot/initrd"
    # Under its own name: found under the stock one, a second QEMU would be started at every boot
    # to serve dom0's own disks, which this dom0 does not need. HVM guests name it themselves.
    mv "$root/usr/libexec/xen-qemu-system-i386" "$root/usr/libexec/lab-device-model"
    mkdir -p "$root/etc/xen/auto" "$root/var/lib/xen/save"
    size=1200M
    ;;
guest)
    install -D -m 755 "$src/witness" "$root/usr/local/sbin/witness"
    enable lab-witness.service multi-user.target
    enable lab-redis-fill.service multi-user.target
    # 20 MB that a web server would hold in its page cache
    mkdir -p "$root/var/www/html/data"
    for i in $(seq 1 20); do
        head -c 1048576 /dev/urandom > "$root/var/www/html/data/file$i"
    done
    echo ok > "$root/var/www/html/index.html"
    sed -i -e 's/^bind .*/bind 0.0.0.0/' -e 's/^protected-mode .*/protected-mode no/' \
        -e 's/^save .*//' -e 's/^# *enable-debug-command .*/enable-debug-command yes/' \
        "$root/etc/redis/redis.conf"
    # Ten wakings a second are a burden to an emulated guest; one is enough.
    printf 'save ""\nenable-debug-command yes\nhz 1\n' >> "$root/etc/redis/redis.conf"
    size=600M
    ;;
*)  echo "image.sh: dom0 or guest, not $kind" >&2; exit 2 ;;
esac

rm -f "$out.new"
mke2fs -q -t ext4 -O ^metadata_csum -J size=8 -E lazy_itable_init=1,root_owner=0:0 \
    -m 0 -d "$root" "$out.new" "$size" > "$src/mke2fs.log"
mv "$out.new" "$out"
