# SPDX-License-Identifier: GPL-2.0-only
"""A host: an emulated machine that runs real Xen, a Debian dom0 and guests.

    with Host(HostSpec(guests=(GuestSpec("g1"),))) as host:
        host.wait_up()
        host.dom0("xl list")
        host.guest("g1").witness()
"""

import contextlib
import fcntl
import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from . import paths, stage
from .capture import WHOLE, Capture
from .clock import wait_until
from .errors import EnvironmentFailure, ProductFailure
from .gdbstub import GdbStub, symbols
from .guest import Guest
from .monitor import Monitor
from .qemu import Qemu, free_ports, make_overlay, ram_folder
from .ram import Ram
from .serial import SerialLog
from .shape import Shape, unshaped
from .spec import (DOM0_IP, DOM0_PORTS, GUEST_PORTS, MIB, PAIR_DOM0_IP, PAIR_DOM0_NET, HostSpec,
                   guest_ip)
from .ssh import Result, Ssh

if TYPE_CHECKING:
    from .pair import Pair
    from .snapshot import Snapshot

# A console line of Xen or Linux after which waiting is pointless.
DEATH = r"Panic on CPU|Kernel panic|Domain 0 crashed|lab initrd: "


def claim(folder: Path) -> IO[bytes]:
    """Keeps a second run of the same test out of the folder while what is returned is open."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = open(folder.with_name(folder.name + ".lock"), "wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise EnvironmentFailure(f"another run uses {folder}: wait until it has ended") from None
    return lock


class Host:
    def __init__(self, spec: HostSpec, name: str = "host", interactive: bool = False,
                 snapshot: "Snapshot | None" = None, pair: "Pair | None" = None):
        """pair: the two hosts (pair.py) of which this one is spec.side."""
        self.spec = spec
        self.name = name
        self._pair = pair
        self._captures = 0
        self.folder = paths.RUNS / name
        self._claim = claim(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._gdb: GdbStub | None = None
        for needed in (paths.KERNEL, paths.INITRD, paths.DOM0_IMAGE, paths.GUEST_IMAGE,
                       paths.SSH_KEY, spec.xen, *spec.trees,
                       *([spec.xen_next] if spec.xen_next else [])):
            paths.need(needed)
        self._disks = self._make_disks(snapshot)
        attempts = 3
        for attempt in range(attempts):
            try:
                self._start(interactive, snapshot)
                break
            except EnvironmentFailure as e:
                # Somebody took a port between our choosing it and QEMU's using it.
                if "host forwarding rule" not in str(e) or attempt + 1 == attempts:
                    raise

    def _make_disks(self, snapshot: "Snapshot | None") -> list[tuple[Path, str, bool]]:
        names = ["dom0"]
        if self._pair is None:
            names += [f"guest-{g.name}" for g in self.spec.guests]
        overlays = []
        for name in names:
            overlay = self.folder / f"{name}.qcow2"
            if snapshot:
                make_overlay(snapshot.disk(name), overlay, "qcow2")
            else:
                base = paths.DOM0_IMAGE if name == "dom0" else paths.GUEST_IMAGE
                make_overlay(base, overlay, "raw")
            overlays.append((overlay, "qcow2", False))
        staged = self.folder / "stage.tar"
        stage.write(self.spec, staged)
        if snapshot:
            # The log goes on where the snapshot's ended.
            shutil.copyfile(snapshot.serial(), self.folder / "serial.log")
        shared = self._pair.disks.values() if self._pair else ()
        return [overlays[0], (staged, "raw", True), *overlays[1:],
                *((file, "raw", False) for file in shared)]

    def _start(self, interactive: bool, snapshot: "Snapshot | None") -> None:
        spec = self.spec
        forwards: dict[int, tuple[str, int]] = {}
        pair = self._pair
        forwarded = 0 if pair else len(spec.guests)
        ports = iter(free_ports(len(DOM0_PORTS) + forwarded * len(GUEST_PORTS)))
        dom0_port = next(ports)
        forwards[dom0_port] = (PAIR_DOM0_IP if pair else DOM0_IP, DOM0_PORTS["ssh"])
        guest_ports: list[dict[str, int]] = []
        for index in range(forwarded):
            own = {}
            for service, inside in GUEST_PORTS.items():
                own[service] = next(ports)
                forwards[own[service]] = (guest_ip(index), inside)
            guest_ports.append(own)

        size = spec.megabytes() * MIB
        ram = ram_folder(size) / f"lab-{self.name.replace('/', '-')}-{dom0_port}.ram"
        try:
            if snapshot:
                snapshot.copy_ram(ram)
            cards = pair.cards(spec) if pair else []
        except BaseException:
            ram.unlink(missing_ok=True)
            raise
        # From here on the RAM and the cards are QEMU's to put away.
        self.qemu = Qemu(
            self.folder, kernel=spec.xen, append=spec.xen_command_line(),
            # QEMU takes a comma for the end of a module's command line, two for a comma.
            modules=[f"{paths.KERNEL} {spec.dom0_command_line()}".replace(",", ",,"),
                     str(paths.INITRD)],
            memory=spec.megabytes(), smp=spec.smp, icount=spec.icount, ram=ram,
            disks=self._disks, forwards=forwards, interactive=interactive, q35=spec.q35,
            iommu=spec.iommu, net=PAIR_DOM0_NET if pair else "",
            cards=cards,
            shared=list(pair.disks.values()) if pair else (),
            incoming="defer" if snapshot else None)
        try:
            if snapshot:
                snapshot.load(self.qemu)
            self.ram = Ram(ram, size, q35=spec.q35)
            self.serial = SerialLog(self.qemu.serial, self.qemu.check)
            self.ssh = Ssh("dom0", dom0_port, self.qemu.control_socket("dom0"),
                           self.qemu.check)
            control = self.qemu.control_socket
            if pair:
                self.guests = [pair.make_guest(g, index, control(g.name))
                               for index, g in spec.numbered()]
            else:
                self.guests = [
                    Guest(g, p, Ssh(g.name, p["ssh"], control(g.name), self.qemu.check))
                    for g, p in zip(spec.guests, guest_ports, strict=True)]
        except BaseException:
            self.qemu.close()
            raise

    @classmethod
    def from_snapshot(cls, spec: HostSpec, name: str = "host",
                      boot: Callable[["Host"], None] | None = None) -> "Host":
        """A host on which dom0 and every guest already serve, in seconds.

        Booted once for each kind of host and kept; today's tools and next hypervisor are laid
        over its dom0, so a change of those does not cost a boot. boot: what waits for the host to
        serve that one time; wait_up() if None.
        """
        from .snapshot import Snapshot, booting
        with booting(spec):
            kept = Snapshot.find(spec)
            if kept is None:
                with cls(spec, name) as host:
                    (boot or cls.wait_up)(host)
                    kept = Snapshot.take(host)
            host = cls(spec, name, snapshot=kept)
        try:
            host.dom0("lab-restage", seconds=900)
        except BaseException:
            print(host.report(), file=sys.stderr)
            host.close()
            raise
        return host

    # --- life
    def __enter__(self) -> "Host":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is not None:
            print(self.report(), file=sys.stderr)
        self.close()

    def close(self) -> None:
        """Kills the machine. Its serial log stays in the run's folder, its disks go."""
        if self._gdb:
            self._gdb.close()
            self._gdb = None
        for machine in (self.ssh, *(g.ssh for g in self.guests)):
            machine.reset()
        self.qemu.close()
        self.ram.close()
        for disk, _, _ in self._disks:
            if not self._pair or disk not in self._pair.disks.values():
                disk.unlink(missing_ok=True)
        self._claim.close()

    def report(self, lines: int = 60) -> str:
        return (f"--- {self.name}: last console lines (all of it: {self.serial.path})\n"
                f"{self.serial.tail(lines)}\n---")

    @property
    def monitor(self) -> Monitor:
        return self.qemu.monitor

    # --- dom0
    def dom0(self, command: str, seconds: float = 300, check: bool = True) -> Result:
        return self.ssh.run(command, seconds, check)

    def dom0_boot_id(self) -> str:
        return self.dom0("cat /proc/sys/kernel/random/boot_id").out.strip()

    def wait_dom0(self, seconds: float = 900, since: int = 0) -> None:
        """Until dom0 has booted and takes commands. since: console offset of this boot."""
        # Not "dom0 login:": the kernel may write its own lines between the two words.
        self.serial.wait_for(r"login:", seconds, since, unless=DEATH)
        self.ssh.wait_up(seconds)

    def wait_up(self, seconds: float = 1800) -> None:
        """Until dom0 and every guest that starts by itself serve."""
        self.wait_dom0(seconds)
        for guest in self.guests:
            if guest.spec.idle:
                self.wait_alive(guest, seconds)
            elif guest.spec.autostart:
                guest.wait_up(seconds)

    def wait_alive(self, guest: Guest, seconds: float = 1800) -> None:
        """Until an idle guest has said once more, on its console, that it is alive."""
        log = f"/var/log/xen/console/guest-{guest.name}.log"

        def said() -> list[int]:
            lines = self.dom0(f"grep -e alive -e 'Linux version' {log}", check=False).out
            return [lines.count("alive"), lines.count("Linux version")]

        before = said()
        _, boots = wait_until(f"{guest.name} says it is alive", seconds,
                              lambda: now if (now := said())[0] > before[0] else None, 2)
        if boots > 1:
            raise ProductFailure(f"{guest.name} has booted {boots} times")

    def guest(self, name: str) -> Guest:
        for guest in self.guests:
            if guest.name == name:
                return guest
        raise EnvironmentFailure(f"the host has no guest {name}")

    def domains(self) -> dict[str, int]:
        """Name -> domid of the guests that xl knows."""
        out = {}
        for line in self.dom0("xl list").out.splitlines()[1:]:
            fields = line.split()
            if fields[1] != "0":
                out[fields[0]] = int(fields[1])
        return out

    def xen_info(self) -> dict[str, str]:
        info = {}
        for line in self.dom0("xl info").out.splitlines():
            key, _, value = line.partition(":")
            info[key.strip()] = value.strip()
        return info

    def type(self, text: str, marker: str | None = None, seconds: float = 120) -> None:
        """Types on the host's serial console; waits for a line that matches marker."""
        since = self.serial.end()
        with socket.socket(socket.AF_UNIX) as console:
            console.connect(str(self.qemu.console_socket()))
            # Slowly: the emulated port has no buffer to speak of.
            for character in text:
                console.sendall(character.encode())
                time.sleep(0.02)
        if marker:
            self.serial.wait_for(marker, seconds, since, unless=DEATH)

    # --- a card of a host that is one of two
    def shape(self, card: str, **how: str) -> None:
        """What dom0 sends on the card goes so fast and so well from now on: shape.Shape."""
        self.dom0(" && ".join(Shape(**how).commands(card)))  # type: ignore[arg-type]

    def unshape(self, card: str) -> None:
        self.dom0(" && ".join(unshaped(card)))

    def capture(self, card: str, kept: int = WHOLE) -> Capture:
        """Records the card's frames, both ways, into a file of the run's folder."""
        self._captures += 1
        return Capture(self.monitor, card, self.folder / f"{card}-{self._captures}.pcap", kept)

    # --- the machine from outside
    @contextlib.contextmanager
    def stopped(self) -> Iterator[Ram]:
        """The machine stands still inside the block; its memory may be read and changed."""
        was_running = self.monitor.running()
        self.monitor.stop()
        try:
            yield self.ram
        finally:
            if was_running:
                self.monitor.cont()

    def frames_digest(self, extents: Iterable[tuple[int, int]]) -> dict[int, bytes]:
        """mfn -> digest of every frame in extents (first mfn, frames), all at one moment."""
        with self.stopped() as ram:
            return ram.frame_digests(extents)

    def find_in_ram(self, needle: bytes) -> list[int]:
        with self.stopped() as ram:
            return ram.find(needle)

    def gdb(self) -> GdbStub:
        """The machine's debugger; connecting stops the machine until cont()."""
        if self._gdb is None:
            self.monitor.stop()
            self._gdb = GdbStub(self.qemu.gdb_socket())
        return self._gdb

    def detach(self) -> None:
        """Takes the debugger off; the machine runs on."""
        if self._gdb:
            self._gdb.close()
            self._gdb = None

    def symbol(self, name: str, syms: Path | None = None) -> int:
        """Address of a hypervisor symbol, from the xen-syms beside the hypervisor's ELF."""
        file = syms or self.spec.xen.with_name("xen-syms")
        table = symbols(paths.need(file))
        if name not in table:
            raise EnvironmentFailure(f"{file} has no symbol {name}")
        return table[name]

    def break_at(self, name: str, syms: Path | None = None) -> GdbStub:
        """Sets a breakpoint at a hypervisor function and lets the machine run on."""
        gdb = self.gdb()
        gdb.set(self.symbol(name, syms))
        gdb.cont()
        return gdb

    def xen_boots(self) -> list[str]:
        """The version line of every hypervisor that has started on this machine."""
        return re.findall(r"^\(XEN\) (?:\[[^]]*\] )?Xen version .*$", self.serial.read(),
                          re.MULTILINE)

