"""A running host put aside, so that many tests start from it in seconds.

The machine's RAM is a file already (shared with QEMU), so only its devices and processors
are written by a migration; the RAM file and the disks' overlays are kept beside it.
"""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import paths
from .clock import Deadline
from .errors import EnvironmentFailure
from .qemu import Qemu

if TYPE_CHECKING:
    from .host import Host


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


def copy_sparse(source: Path, target: Path) -> None:
    done = subprocess.run(["cp", "--sparse=always", str(source), str(target)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        raise EnvironmentFailure(f"cannot copy the machine's memory: {done.stderr}")


class Snapshot:
    def __init__(self, folder: Path):
        self.folder = folder

    def disk(self, name: str) -> Path:
        return self.folder / f"{name}.qcow2"

    def staged(self) -> Path:
        return self.folder / "stage.tar"

    def copy_ram(self, target: Path) -> None:
        copy_sparse(self.folder / "ram", target)

    def load(self, qemu: Qemu) -> None:
        ignore_shared(qemu)
        qemu.monitor.command("migrate-incoming", uri=f"exec:cat {self.folder / 'state'}")
        migration_done(qemu, 60)
        qemu.monitor.cont()

    @classmethod
    def take(cls, host: "Host", name: str) -> "Snapshot":
        """Stops the host for good and keeps it under name."""
        folder = paths.SNAPSHOTS / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        snapshot = cls(folder)
        monitor = host.monitor
        monitor.stop()
        ignore_shared(host.qemu)
        monitor.command("migrate", uri=f"exec:cat > {folder / 'state'}")
        migration_done(host.qemu, 60)
        copy_sparse(host.qemu.ram, folder / "ram")
        host.qemu.monitor.command("quit")
        host.qemu.wait()
        for disk in host.folder.glob("*.qcow2"):
            shutil.move(disk, folder / disk.name)
        shutil.copyfile(host.folder / "stage.tar", folder / "stage.tar")
        (folder / "serial.log").write_bytes(host.serial.path.read_bytes())
        (folder / "about.json").write_text(json.dumps({"memory": host.spec.megabytes()}))
        return snapshot
