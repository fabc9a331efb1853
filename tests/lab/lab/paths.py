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


def need(path: Path) -> Path:
    if not path.exists():
        raise EnvironmentFailure(f"{path} is missing: run 'make lab-images' first")
    return path
