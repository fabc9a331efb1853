# SPDX-License-Identifier: GPL-2.0-only
"""A running host put aside, so that many tests start from it in seconds.

The machine's RAM is a file already (shared with QEMU), so only its devices and processors
are written by a migration; the RAM file and the disks' overlays are kept beside it.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import paths
from .clock import Deadline
from .errors import EnvironmentFailure
from .monitor import Monitor
from .qemu import Qemu

if TYPE_CHECKING:
    from .host import Host
    from .spec import HostSpec


# Xen's code is in this TiB of virtual addresses, where no guest has any.
XEN_TIB = 0xFFFF82


def migration_done(qemu: Qemu, seconds: float) -> None:
    deadline = Deadline(seconds, "migration")
    while True:
        status = qemu.monitor.command("query-migrate").get("status")
        if status == "completed":
            return
        if status == "failed" or deadline.left() == 0:
            raise EnvironmentFailure(f"machine state: migration is {status}")
        time.sleep(0.05)


def ignore_shared(qemu: Qemu) -> None:
    qemu.monitor.command("migrate-set-capabilities", capabilities=[
        {"capability": "x-ignore-shared", "state": True}])


def stop_in_hypervisor(monitor: Monitor) -> None:
    """Stops the machine while every processor executes Xen itself.

    Stopped inside an SVM guest, it would be written like any other moment but refused when
    read again: QEMU then asks for KVM's account of the guest (target/i386/machine.c).
    """
    deadline = Deadline(60, "a moment in which Xen runs")
    while True:
        monitor.stop()
        registers = monitor.human("info registers -a")
        if all(int(rip, 16) >> 40 == XEN_TIB for rip in re.findall(r"RIP=(\w+)", registers)):
            return
        monitor.cont()
        deadline.check()
        time.sleep(0.03)


def copy_sparse(source: Path, target: Path) -> None:
    done = subprocess.run(["cp", "--sparse=always", str(source), str(target)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        raise EnvironmentFailure(f"cannot copy the machine's memory: {done.stderr}")


def machine_key(spec: "HostSpec") -> str:
    """Names everything that a running host's state depends on.

    Not the staged tools and the next hypervisor: those are laid over dom0 at each start.
    """
    digest = hashlib.sha256()
    fixed = spec.with_(xen=Path(), xen_next=None, trees=(), files=())
    digest.update(repr(fixed).encode())
    digest.update(spec.xen.read_bytes())
    for image in (paths.KERNEL, paths.INITRD, paths.DOM0_IMAGE, paths.GUEST_IMAGE):
        about = paths.need(image).stat()
        digest.update(f"{image.name} {about.st_size} {about.st_mtime_ns}\n".encode())
    digest.update(subprocess.run([paths.QEMU, "--version"], capture_output=True).stdout)
    digest.update(Path(__file__).with_name("qemu.py").read_bytes())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def booting(spec: "HostSpec") -> Iterator[None]:
    """Tests that run side by side boot each kind of host once: the second waits for the first."""
    paths.SNAPSHOTS.mkdir(parents=True, exist_ok=True)
    with open(paths.SNAPSHOTS / f"{machine_key(spec)}.lock", "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Snapshot:
    # Each is as big as the memory its host has touched; the least recently used go first.
    KEEP = 16

    def __init__(self, folder: Path):
        self.folder = folder

    def disk(self, name: str) -> Path:
        return self.folder / f"{name}.qcow2"

    def serial(self) -> Path:
        return self.folder / "serial.log"

    def copy_ram(self, target: Path) -> None:
        copy_sparse(self.folder / "ram", target)

    def load(self, qemu: Qemu) -> None:
        ignore_shared(qemu)
        try:
            qemu.monitor.command("migrate-incoming", uri=f"exec:cat {self.folder / 'state'}")
            migration_done(qemu, 60)
        except EnvironmentFailure:
            qemu.check_ended()
            raise
        qemu.monitor.cont()

    @classmethod
    def find(cls, spec: "HostSpec") -> "Snapshot | None":
        folder = paths.SNAPSHOTS / machine_key(spec)
        if not folder.exists():
            return None
        os.utime(folder)
        return cls(folder)

    @classmethod
    def take(cls, host: "Host", disks: Sequence[Path] = ()) -> "Snapshot":
        """Ends the host and keeps its state, under the key of its spec.

        disks: what belongs to it of the disks that lie outside its folder.
        """
        folder = paths.SNAPSHOTS / machine_key(host.spec)
        making = folder.with_suffix(".new")
        for old in (folder, making):
            shutil.rmtree(old, ignore_errors=True)
        making.mkdir(parents=True)
        monitor = host.monitor
        stop_in_hypervisor(monitor)
        ignore_shared(host.qemu)
        monitor.command("migrate", uri=f"exec:cat > {making / 'state'}")
        migration_done(host.qemu, 60)
        copy_sparse(host.qemu.ram, making / "ram")
        # The disks' last writes are in their files once QEMU has ended by itself.
        monitor.command("quit")
        host.qemu.wait()
        for disk in host.folder.glob("*.qcow2"):
            shutil.move(disk, making / disk.name)
        for disk in disks:
            # The other machine that has it open looks for it by its name once more when it ends.
            os.link(disk, making / disk.name)
        shutil.copyfile(host.serial.path, making / "serial.log")
        making.rename(folder)
        cls.prune()
        return cls(folder)

    @classmethod
    def prune(cls) -> None:
        kept = sorted((p for p in paths.SNAPSHOTS.iterdir() if not p.suffix),
                      key=lambda p: p.stat().st_mtime)
        for folder in kept[:-cls.KEEP]:
            shutil.rmtree(folder)
            folder.with_suffix(".lock").unlink(missing_ok=True)
