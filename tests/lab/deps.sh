#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# deps.sh LIST...: installs the Debian packages named in the lists that are missing here.
set -euo pipefail
wanted=$(cat "$@" | sed 's/#.*//' | tr -s ' \n' '\n' | sort -u)
missing=()
for p in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$p")
done
if [ ${#missing[@]} -eq 0 ]; then
    echo "deps: all installed"
    exit 0
fi
echo "deps: installing ${missing[*]}"
# Indexes of a machine that never ran apt-get update name no packages; fresh ones are left alone.
apt-cache show "${missing[@]}" >/dev/null 2>&1 || apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "${missing[@]}"
