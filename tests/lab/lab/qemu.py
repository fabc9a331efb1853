# SPDX-License-Identifier: GPL-2.0-only
"""The QEMU process: one emulated machine."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .clock import Deadline
from .errors import EnvironmentFailure
from .monitor import Monitor
from .spec import MIB

# PCI slot of the card that a host with an IOMMU has to spare.
SPARE_PCI = "1e.0"


def free_ports(count: int) -> list[int]:
    """Ports nobody uses now. Another program may take one first; the start is then repeated."""
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(count):
            s = stack.enter_context(socket.socket())
            s.bind(("127.0.0.1", 0))
            ports.append(s.getsockname()[1])
    return ports


def ram_folder(size: int) -> Path:
    """Where the file behind the RAM goes: memory if there is room, else disk."""
    shm = Path("/dev/shm")
    if not shm.is_dir():
        return Path(tempfile.gettempdir())
    # Other hosts' RAM takes room as their guests use it; together they must not fill the memory.
    promised = 0
    for other in shm.glob("lab-*.ram"):
        with contextlib.suppress(FileNotFoundError):
            about = other.stat()
            promised += max(0, about.st_size - about.st_blocks * 512)
    # A tmpfs may be as large as the memory that it takes from everything else, such as what QEMU
    # needs to translate.
    meminfo = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(meminfo["MemAvailable"].split()[0]) * 1024
    if min(shutil.disk_usage(shm).free, available) - promised > size + 2048 * MIB:
        return shm
    return Path(tempfile.gettempdir())


def die_with_parent() -> None:
    # A test run that is killed must not leave a machine running.
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def make_overlay(base: Path, overlay: Path, base_format: str) -> None:
    """A disk that starts as base and keeps its changes to itself."""
    done = subprocess.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base.resolve()), "-F", base_format,
         str(overlay)], capture_output=True, text=True)
    if done.returncode != 0:
        raise EnvironmentFailure(f"qemu-img: {done.stderr}")


@dataclass(frozen=True)
class Card:
    """A network card beside the first one. tap: the descriptor of what it is plugged to."""

    name: str
    mac: str
    tap: int


class Qemu:
    """Starts with the constructor, ends with close().

    disks: (file, format, read-only), in the order of dom0's vda, vdb, ...
    shared: those of them that another machine has open too; only raw files can be.
    forwards: outside port -> (address, port) inside; net: where those addresses are, if not
    where QEMU puts them. cards: their taps are QEMU's from here on.
    """

    def __init__(self, folder: Path, *, kernel: Path, append: str, modules: list[str],
                 memory: int, smp: int, icount: bool, ram: Path,
                 disks: list[tuple[Path, str, bool]], forwards: dict[int, tuple[str, int]],
                 incoming: str | None = None, interactive: bool = False, q35: bool = False,
                 iommu: bool = False, net: str = "", cards: Sequence[Card] = (),
                 shared: Collection[Path] = ()):
        self._taps = [c.tap for c in cards]
        self.folder = folder
        self.serial = folder / "serial.log"
        self.ram = ram
        self.log = folder / "qemu.log"
        self._process: subprocess.Popen[bytes] | None = None
        # Unix sockets have short names.
        self._sockets = Path(tempfile.mkdtemp(prefix="lab-"))
        # Not interactive: a socket on which a test can type. Nobody there, nothing blocks.
        chardev = "stdio,mux=on,signal=off" if interactive else \
            f"socket,path={self.console_socket()},server=on,wait=off"
        argv = [
            *(a for f in paths.FIRMWARE for a in ("-L", str(f))),
            "-no-user-config", "-nodefaults", "-display", "none",
            # Multi-threaded TCG gave PVH guests triple faults; with tests/lab/qemu it is untried.
            "-accel", "tcg,thread=single",
            "-cpu", "qemu64,+svm,+npt,+rdrand,+invtsc",
            "-machine", ("q35" if q35 else "pc") + ",memory-backend=ram0",
            # The calendar clock is the machine's too: it stands still in a snapshot, so that a gap
            # in a guest's calendar is a blackout of that guest and nothing else.
            "-rtc", "clock=vm",
            "-m", str(memory), "-smp", str(smp),
            "-object", f"memory-backend-file,id=ram0,size={memory}M,mem-path={ram},share=on",
            "-chardev", f"{chardev},id=console,logfile={self.serial},logappend=on",
            "-serial", "chardev:console",
            "-chardev", f"socket,id=qmp,path={self._sockets / 'qmp'},server=on,wait=off",
            "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=gdb,path={self.gdb_socket()},server=on,wait=off",
            "-gdb", "chardev:gdb",
            "-kernel", str(kernel), "-append", append, "-initrd", ",".join(modules),
        ]
        if interactive:
            # Ctrl-A belongs to Xen's console (three times: talk to Xen instead of dom0).
            argv += ["-mon", "chardev=console", "-echr", "0x14"]
        if icount:
            argv += ["-icount", "shift=1"]
        forward = "".join(f",hostfwd=tcp:127.0.0.1:{port}-{ip}:{inside}"
                          for port, (ip, inside) in forwards.items())
        # Without these a virtio device goes past the IOMMU.
        virtio = ",disable-legacy=on,iommu_platform=on" if iommu else ""
        argv += ["-netdev", "user,id=net" + (f",net={net}" if net else "") + forward,
                 "-device", "virtio-net-pci,netdev=net,romfile=" + virtio]
        for card in cards:
            argv += ["-netdev", f"tap,id={card.name},fd={card.tap},vhost=off", "-device",
                     f"virtio-net-pci,netdev={card.name},mac={card.mac},romfile=" + virtio]
        for i, (file, form, readonly) in enumerate(disks):
            virtio_disk = virtio + (",share-rw=on" if file in shared else "")
            argv += ["-drive", f"if=none,id=disk{i},file={file},format={form},cache=unsafe"
                               f"{',readonly=on' if readonly else ''}",
                     # A request counts as under way before the processor that made it can be idle.
                     "-device", f"virtio-blk-pci,drive=disk{i},ioeventfd=off{virtio_disk}"]
        if iommu:
            # With a network card that nobody uses, to be given to a guest.
            argv += ["-device", "amd-iommu", "-device", f"e1000,addr={SPARE_PCI},romfile="]
        if incoming:
            argv += ["-incoming", "defer"]
        try:
            self._start([str(paths.need(paths.QEMU)), *argv], interactive)
        except BaseException:
            self.close()
            raise

    def _start(self, argv: list[str], interactive: bool) -> None:
        (self.folder / "qemu.argv").write_text("\n".join(argv) + "\n")
        with open(self.log, "wb") as log:
            try:
                self._process = subprocess.Popen(
                    argv, stdin=None if interactive else subprocess.DEVNULL,
                    stdout=None if interactive else log, stderr=log,
                    preexec_fn=die_with_parent, pass_fds=self._taps)
            except OSError as e:
                raise EnvironmentFailure(f"cannot start {paths.QEMU}: {e}") from None
        self._close_taps()
        deadline = Deadline(30, "QEMU's monitor socket")
        while not (self._sockets / "qmp").exists():
            self.check()
            if deadline.left() == 0:
                raise EnvironmentFailure("QEMU does not open its monitor socket")
            time.sleep(0.02)
        try:
            self.monitor = Monitor(self._sockets / "qmp")
        except (EnvironmentFailure, OSError):
            # Most often QEMU has ended over an argument or a port.
            self.check_ended()
            raise

    def _close_taps(self) -> None:
        """A port of a wire is gone with the last descriptor; QEMU's is to be the last."""
        for tap in self._taps:
            os.close(tap)
        self._taps = []

    def gdb_socket(self) -> Path:
        return self._sockets / "gdb"

    def console_socket(self) -> Path:
        return self._sockets / "console"

    def control_socket(self, name: str) -> Path:
        return self._sockets / name

    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def check(self) -> None:
        """Raises if the process has ended."""
        if not self.alive():
            code = self._process.returncode if self._process else None
            raise EnvironmentFailure(f"QEMU has ended (code {code}): "
                                     + self.log.read_text(errors="replace")[-2000:])

    def check_ended(self) -> None:
        """After its monitor has gone: if the process ends over that, raises what its log says."""
        assert self._process
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.check()

    def wait(self) -> int:
        """Until the machine is powered off."""
        assert self._process
        return self._process.wait()

    def close(self) -> None:
        self._close_taps()
        if self._process and self._process.poll() is None:
            self._process.kill()
        if self._process:
            self._process.wait()
        with contextlib.suppress(AttributeError, OSError):
            self.monitor.close()
        shutil.rmtree(self._sockets, ignore_errors=True)
        self.ram.unlink(missing_ok=True)
