# SPDX-License-Identifier: GPL-2.0-only
"""The hosts of the benchmark: the same guests and disks under our hypervisor or under Debian's."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from lab import paths
from lab.errors import EnvironmentFailure
from lab.host import Host
from lab.spec import MIB, GuestSpec, HostSpec, guest_disk

from .shapes import Shape

# The hypervisor stamps its console lines with the time stamp counter, which under instruction
# counting is the machine's virtual clock.
XEN_ARGS = "console_timestamps=raw"

# Where dom0 sends its marks: QEMU's gateway. Nobody listens; the packet is recorded on its way.
MARKS_IP, MARKS_PORT = "10.0.2.2", 9

# Found before the real one by the script of xendomains, which starts guests' saves, restores,
# creations and shutdowns. It says when each began and ended, on the recorded network.
TIMED_XEN = f"""#!/bin/bash
mark() {{ echo "bench: $*" > /dev/udp/{MARKS_IP}/{MARKS_PORT}; }} 2>/dev/null
verb=$1 what=$2 size=0
[ "$verb" = save ] && what=$3
name=${{what##*/}} name=${{name%.cfg}}
case $verb in
    save|restore|shutdown|domid) ;;
    create)
        # A dry run only tells the script the guest's name.
        [[ "$*" == *dryrun* || " $* " == *" -n "* ]] && exec /usr/sbin/xen "$@"
        for name; do :; done
        name=${{name##*/}} name=${{name%.cfg}} ;;
    *) exec /usr/sbin/xen "$@" ;;
esac
[ "$verb" = restore ] && size=$(stat -c %s "$what")
mark begin "$verb" "$name"
/usr/sbin/xen "$@"
code=$?
[ "$verb" = save ] && size=$(stat -c %s "$what")
mark end "$verb" "$name" "$code" "${{size:-0}}"
exit $code
"""

SAVES = "/var/lib/xen/save"
XENDOMAINS = """XENDOMAINS_MIGRATE=""
XENDOMAINS_SAVE="{save}"
XENDOMAINS_RESTORE=true
XENDOMAINS_AUTO=/etc/xen/auto
XENDOMAINS_STOP_MAXWAIT=3600
"""


def xendomains(way: str) -> str:
    """Debian's own switch between the two: at shutdown guests are saved, or shut down."""
    return XENDOMAINS.format(save=SAVES if way == "saved" else "")


def guests(shape: Shape) -> tuple[GuestSpec, ...]:
    # No witness: it would keep every guest busy, and the figures are those of idle servers.
    return tuple(GuestSpec(f"g{i + 1:02d}", memory=shape.mib, witness=0)
                 for i in range(shape.guests))


def host_mib(shapes: Iterable[Shape]) -> int:
    """Memory of one host for all of them: what boots on it costs the same with few guests as with
    many (the paper's was one machine too).
    """
    return max(HostSpec(guests=guests(shape)).megabytes() for shape in shapes)


def common(shape: Shape, memory: int, dom0: str) -> HostSpec:
    return HostSpec(guests=guests(shape), memory=memory, icount=True, q35=True,
                    iommu=dom0 == "pvh", dom0_type=dom0, xen_args=XEN_ARGS)


def warm_spec(shape: Shape, memory: int, dom0: str, early: bool) -> HostSpec:
    return common(shape, memory, dom0).with_(xen_next=paths.XEN,
                                             dom0_args="lab.early" if early else "")


def stock_spec(shape: Shape, memory: int, dom0: str) -> HostSpec:
    """Debian's hypervisor, tools and scripts, nothing of ours but what says when."""
    fstab = f"/dev/{guest_disk(shape.guests)} {SAVES} ext4 noatime 0 0\n"
    return common(shape, memory, dom0).with_(
        xen=paths.DEBIAN_XEN, xen_next=None, liveupdate=None, trees=(),
        files=(("etc/fstab", fstab.encode()),
               ("etc/default/xendomains", xendomains("saved").encode()),
               ("usr/local/sbin/xen", TIMED_XEN.encode())))


def make_disk(path: Path, mib: int) -> None:
    """An empty ext4 disk; it takes room as it is written."""
    with open(path, "wb") as f:
        os.truncate(f.fileno(), mib * MIB)
    done = subprocess.run(["/sbin/mkfs.ext4", "-q", "-F", "-m", "0", str(path)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise EnvironmentFailure(f"mkfs.ext4: {done.stderr}")


class BenchHost(Host):
    """A host with one disk more, after the guests', if there is something to save on it."""

    def __init__(self, spec: HostSpec, name: str, saves_mib: int = 0):
        self._saves_mib = saves_mib
        super().__init__(spec, name)

    def _make_disks(self, snapshot: object) -> list[tuple[Path, str, bool]]:
        disks = super()._make_disks(None)
        if self._saves_mib:
            saves = self.folder / "saves.img"
            make_disk(saves, self._saves_mib)
            disks.append((saves, "raw", False))
        return disks


def saves_mib(shape: Shape) -> int:
    """Room for every guest's memory, and what a file system and images take beside it."""
    return shape.guests * (shape.mib + 32) * 11 // 10 + 256
