# SPDX-License-Identifier: GPL-2.0-only
"""The staged files: a tar file that is a disk of the host, unpacked over dom0's root at boot.

So that a changed tool or hypervisor is in dom0 at the next start without a new root image.
"""

import hashlib
import io
import os
import tarfile
from pathlib import Path

from . import paths
from .errors import EnvironmentFailure
from .spec import MIB, PAIR_DOM0_IP, HostSpec, Side

ID = "etc/lab-stage.id"

ROOTHAMMER_CONF = """xen = {xen}
kernel = /boot/vmlinuz
initrd = /boot/initrd
"""

PAIR_INTERFACES = """auto lo
iface lo inet loopback

# The tests' way in.
auto eth0
iface eth0 inet static
    address {dom0}/24

# The guests' bridge: the same Ethernet on both hosts, so that a guest that moves keeps its address.
auto xenbr0
iface xenbr0 inet static
    address @IP@
    bridge_ports net0
    # By itself it would get one that follows from its name and the image: the same on both.
    bridge_hw {mac}
    bridge_stp off
    bridge_fd 0
    bridge_maxwait 0

# The line to the other host, to nobody else.
auto peer0
iface peer0 inet static
    address {link}/24
"""

# "xl migrate GUEST b" goes over the line between the hosts.
PAIR_SSH = """Host {name} {network} {link}
    StrictHostKeyChecking no
    UserKnownHostsFile /dev/null
    LogLevel ERROR
    BatchMode yes
Host {name}
    HostName {link}
"""

# Of fixed size, so that a host started from a snapshot can be given other staged files: its
# kernel remembers how big the disk is.
DISK = 128 * MIB


def members(spec: HostSpec) -> dict[str, tuple[int, bytes | str]]:
    """Path in dom0 -> mode and content (text: where a symbolic link points)."""
    out: dict[str, tuple[int, bytes | str]] = {}
    for tree in spec.trees:
        for folder, folders, names in os.walk(tree):
            for name in sorted(names + folders):
                path = Path(folder, name)
                inside = str(path.relative_to(tree))
                if path.is_symlink():
                    out[inside] = (0o777, os.readlink(path))
                elif path.is_file():
                    out[inside] = (path.stat().st_mode & 0o777, path.read_bytes())
    out["boot/xen"] = (0o644, spec.xen.read_bytes())
    if spec.xen_next:
        out["boot/xen-next"] = (0o644, spec.xen_next.read_bytes())
    # This dom0 has no bootloader whose configuration would name what to boot next.
    out["etc/xen/roothammer.conf"] = (0o644, ROOTHAMMER_CONF.format(
        xen="/boot/xen-next" if spec.xen_next else "/boot/xen").encode())
    # xenconsoled writes there, but only if there is such a folder.
    out["var/log/xen/console/README"] = (0o644, b"guest-NAME.log: what a guest's console said\n")
    if spec.side:
        out |= of_pair(spec.side)
    for index, guest in spec.numbered():
        out[f"etc/xen/{guest.name}.cfg"] = (0o644, guest.config(index).encode())
        if guest.autostart:
            out[f"etc/xen/auto/{guest.name}.cfg"] = (0o777, f"../{guest.name}.cfg")
    for name, data in spec.files:
        out[name.lstrip("/")] = (0o755 if data.startswith(b"#!") else 0o644, data)
    return out


def of_pair(side: Side) -> dict[str, tuple[int, bytes | str]]:
    """What makes dom0 that of one of two hosts: three cards, and a way to the other by ssh."""
    out: dict[str, tuple[int, bytes | str]] = {
        "etc/network/interfaces.in": (0o644, PAIR_INTERFACES.format(
            dom0=PAIR_DOM0_IP, link=side.link_ip(), mac=side.mac("net0")).encode()),
        "root/.ssh/id_ed25519": (0o600, paths.need(paths.SSH_KEY).read_bytes()),
        "root/.ssh/config": (0o600, "".join(
            PAIR_SSH.format(name=s.name, network=s.network_ip(), link=s.link_ip())
            for s in (Side("a", ()), Side("b", ()))).encode())}
    for card in side.CARDS:
        # The kernel numbers cards as it finds them.
        out[f"etc/systemd/network/10-{card}.link"] = (
            0o644, f"[Match]\nMACAddress={side.mac(card)}\n\n[Link]\nName={card}\n".encode())
    return out


def write(spec: HostSpec, out: Path) -> None:
    content = members(spec)
    digest = hashlib.sha256()
    for name, (mode, data) in sorted(content.items()):
        body = data if isinstance(data, bytes) else data.encode()
        digest.update(f"{name} {mode:o} {len(body)}\n".encode())
        digest.update(body)
    identity = digest.hexdigest() + "\n"
    # The identity goes first: the initrd reads it without reading the rest.
    with tarfile.open(out, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, (mode, data) in [(ID, (0o644, identity.encode())), *content.items()]:
            info = tarfile.TarInfo(name)
            info.mode = mode
            if isinstance(data, str):
                info.type = tarfile.SYMTYPE
                info.linkname = data
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    if out.stat().st_size > DISK:
        raise EnvironmentFailure(f"the staged files need {out.stat().st_size} bytes; "
                                 f"their disk has {DISK}")
    os.truncate(out, DISK)
