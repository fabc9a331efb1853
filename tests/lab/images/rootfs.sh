#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# rootfs.sh OUT.tar PACKAGES-FILE: a Debian 12 root file system from the packages listed.
# The mirror is whatever this machine's own apt uses for Debian 12, so that proxies, local
# mirrors and pinned archives work here exactly as they do for apt-get.
set -euo pipefail
out=$1 list=$2
work=$(mktemp -d "$(dirname "$out")/rootfs.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)|$(ORIGIN)|$(CODENAME)' \
    'Created-By: Packages' |
    awk -F'|' '$2 == "Debian" && $3 ~ /^bookworm/ { print $1 }' | sort -u > "$work/sources"
if ! [ -s "$work/sources" ]; then
    echo "rootfs.sh: apt on this machine has no source of Debian 12 (bookworm); add one and run apt-get update" >&2
    exit 1
fi
# apt's own settings (proxy, date checks on archived suites) go along; hooks do not.
apt-config dump | grep -E '^Acquire::(http|https|Check|Retries|AllowInsecure)[^ ]* "' > "$work/apt.conf" || true

include=$(grep -v '^#' "$list" | paste -sd,)
mmdebstrap --quiet --mode=root --variant=minbase --format=tar --include="$include" \
    --aptopt="$work/apt.conf" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    bookworm "$work/root.tar" "$work/sources"
mv "$work/root.tar" "$out"
