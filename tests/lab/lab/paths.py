# SPDX-License-Identifier: GPL-2.0-only
"""Where things are. Everything the lab makes is under build/lab of the tree."""

import os
from pathlib import Path

from .errors import EnvironmentFailure

TREE = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("LAB_BUILD", TREE / "build" / "lab"))
RUNS = BUILD / "run"
SNAPSHOTS = BUILD / "snapshot"

KERNEL = BUILD / "kernel" / "vmlinuz"
MODULES = BUILD / "kernel" / "tree" / "lib" / "modules"
INITRD = BUILD / "initrd"
DOM0_IMAGE = BUILD / "dom0.ext4"
GUEST_IMAGE = BUILD / "guest.ext4"
SSH_KEY = BUILD / "id_ed25519"
DEBIAN_XEN = BUILD / "kernel" / "xen-debian"
TOOLS = BUILD / "tools"
QEMU = Path(os.environ.get("LAB_QEMU", BUILD / "qemu" / "qemu-system-x86_64"))
# Debian's, which QEMU's own build would not find.
FIRMWARE = (Path("/usr/share/qemu"), Path("/usr/share/seabios"))

# The programs of this tree that are run here, not in a dom0.
BIN = Path(os.environ.get("LAB_BIN", TREE / "build" / "release" / "bin")).resolve()

# The patched hypervisor as make xen builds it. The debug build serves as "a new Xen": another
# build id, and a bigger image than the release build.
XEN = Path(os.environ.get("LAB_XEN", TREE / "build" / "xen" / "release" / "xen")).resolve()
XL = Path(os.environ.get("LAB_XL", TREE / "build" / "xen" / "xl")).resolve()
XEN_NEXT = Path(os.environ.get("LAB_XEN_NEXT", TREE / "build" / "xen" / "debug" / "xen")).resolve()


def need(path: Path) -> Path:
    if not path.exists():
        raise EnvironmentFailure(f"{path} is missing: run 'make lab-images lab-tools xen' first")
    return path
