# SPDX-License-Identifier: GPL-2.0-only
"""What a host is made of."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from . import paths

# Guests' services that clients outside reach, and dom0's, by their port inside.
GUEST_PORTS = {"ssh": 22, "http": 80, "redis": 6379, "witness": 7007}
DOM0_PORTS = {"ssh": 22}

DOM0_IP = "10.0.2.15"
# A host that is one of two: there the guests' network is the one between the hosts, so dom0's way
# to this machine, on which the tests reach it, is another.
PAIR_DOM0_IP, PAIR_DOM0_NET = "10.0.3.15", "10.0.3.0/24"
# The place outside from which clients come: what QEMU is for a host alone.
CLIENT_IP = "10.0.2.2"
MIB = 1 << 20


@dataclass(frozen=True)
class GuestSpec:
    name: str
    type: str = "pvh"          # pvh or pv
    memory: int = 256          # MiB
    vcpus: int = 1
    witness: int = 48          # MiB the witness fills; 0: no witness
    # Boots no further than a shell in its initrd, which says "alive" on its console every so many
    # seconds; for hosts that are so slow that booting a guest takes long.
    idle: int | None = None
    maxmem: int | None = None  # MiB, for ballooning
    extra: tuple[str, ...] = ()  # further lines of the xl configuration
    linux_args: str = ""
    autostart: bool = True     # created by xendomains when dom0 boots

    def command_line(self, index: int) -> str:
        words = ["console=hvc0 mitigations=off net.ifnames=0 root=/dev/xvda",
                 f"lab.name={self.name} lab.ip={guest_ip(index)}/24"]
        if self.witness:
            words.append(f"lab.witness={self.witness}")
        if self.linux_args:
            words.append(self.linux_args)
        if self.idle:
            # The words after -- are the shell's.
            words.append('rdinit=/bin/sh -- -c "mount -t devtmpfs dev /dev; '
                         f'while sleep {self.idle}; do echo alive > /dev/hvc0; done"')
        return " ".join(words)

    def config(self, index: int) -> str:
        """The xl configuration file of the host's index-th guest."""
        lines = [
            f'name="{self.name}"',
            f'type="{self.type}"',
            'kernel="/boot/vmlinuz"',
            'ramdisk="/boot/initrd"',
            f"memory={self.memory}",
            f"vcpus={self.vcpus}",
            # Nobody adjusts the machine's own counter, so a gap in it is time the guest stood
            # still. (By itself Xen emulates it after a boot that measured another frequency.)
            'tsc_mode="native"',
            f"cmdline='{self.command_line(index)}'",
        ]
        if not self.idle:
            lines += [f"disk=['phy:/dev/{guest_disk(index)},xvda,w']",
                      f"vif=['mac=00:16:3e:00:00:{index + 1:02x},bridge=xenbr0']"]
        if self.maxmem:
            lines.append(f"maxmem={self.maxmem}")
        return "\n".join([*lines, *self.extra]) + "\n"


def guest_ip(index: int) -> str:
    return f"10.0.2.{16 + index}"


def guest_disk(index: int) -> str:
    """dom0's name of the index-th guest's disk: vda is dom0's root, vdb the staged files."""
    return "vd" + chr(ord("c") + index)


@dataclass(frozen=True)
class Side:
    """Which of two hosts (pair.py) a host is."""

    name: str                        # a or b
    # Both hosts' guests. A guest's place here is its number on either host: address, card and disk
    # are the same wherever it runs.
    everyone: tuple[GuestSpec, ...]
    # dom0's cards, beside the one on which the tests reach it: in the guests' bridge, and to the
    # other host alone.
    CARDS: ClassVar[tuple[str, ...]] = ("net0", "peer0")

    def number(self) -> int:
        return 11 + "ab".index(self.name)

    def network_ip(self) -> str:
        return f"10.0.2.{self.number()}"

    def link_ip(self) -> str:
        return f"10.0.4.{self.number()}"

    def mac(self, card: str) -> str:
        return f"52:54:00:00:{self.CARDS.index(card) + 1:02x}:{self.number():02x}"


@dataclass(frozen=True)
class HostSpec:
    guests: tuple[GuestSpec, ...] = ()
    side: Side | None = None    # of a pair of hosts
    # The hypervisor the machine starts with, and the one dom0 holds for the next warm reboot
    # (/boot/xen-next); both uncompressed ELF files.
    xen: Path = paths.XEN
    xen_next: Path | None = paths.XEN_NEXT
    memory: int | None = None   # MiB; None: enough for dom0, the reserved range and the guests
    smp: int = 1
    icount: bool = False        # virtual time from the instruction count: reproducible figures
    # A machine of 2007 instead of one of 1996. The older one's firmware table makes dom0's kernel
    # interpret a loop for each PCI device, 82 million instructions a disk.
    q35: bool = False
    # With a PCI card to pass through; needs q35. Such a host cannot be put aside as a snapshot.
    iommu: bool = False
    dom0_type: str = "pv"       # pv or pvh, which needs an IOMMU
    dom0_memory: int = 768      # MiB
    liveupdate: str | None = "256M@0x20000000"
    xen_args: str = ""
    dom0_args: str = ""
    # Laid over dom0's root: whole trees (make install DESTDIR=), then single files.
    trees: tuple[Path, ...] = (paths.TOOLS,)
    files: tuple[tuple[str, bytes], ...] = ()

    def megabytes(self) -> int:
        if self.memory is not None:
            return self.memory
        # One of two hosts may have to take the other's guests too.
        everyone = self.side.everyone if self.side else self.guests
        guests = sum(max(g.memory, g.maxmem or 0) + 24 for g in everyone)
        need = self.dom0_memory + 256 + 256 + guests
        return max(2048, -(-need // 256) * 256)

    def xen_command_line(self) -> str:
        words = ["console=com1 com1=115200 loglvl=all guest_loglvl=all sched=credit",
                 # Xen started by kexec must not call the BIOS; the same line serves both.
                 "no-real-mode",
                 f"dom0_mem={self.dom0_memory}M,max:{self.dom0_memory}M"]
        if self.dom0_type != "pv":
            words.append(f"dom0={self.dom0_type}")
        if self.liveupdate:
            words.append(f"liveupdate={self.liveupdate}")
        if self.xen_args:
            words.append(self.xen_args)
        return " ".join(words)

    def numbered(self) -> list[tuple[int, GuestSpec]]:
        """The host's guests, each with the number that its address and its disk follow from."""
        if self.side is None:
            return list(enumerate(self.guests))
        return [(self.side.everyone.index(g), g) for g in self.guests]

    def dom0_command_line(self) -> str:
        name, ip = ("dom0-" + self.side.name, self.side.network_ip()) if self.side else \
            ("dom0", DOM0_IP)
        words = ["console=hvc0 mitigations=off net.ifnames=0 root=/dev/vda lab.stage=/dev/vdb"
                 f" lab.name={name} lab.ip={ip}/24"]
        if self.dom0_args:
            words.append(self.dom0_args)
        return " ".join(words)

    def with_(self, **changes: object) -> "HostSpec":
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]
