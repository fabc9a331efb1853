"""The staged files: a tar file that is a disk of the host, unpacked over dom0's root at boot.

So that a changed tool or hypervisor is in dom0 at the next start without a new root image.
"""

import hashlib
import io
import os
import tarfile
from pathlib import Path

from .errors import EnvironmentFailure
from .spec import MIB, HostSpec

ID = "etc/lab-stage.id"

ROOTHAMMER_CONF = """xen = {xen}
kernel = /boot/vmlinuz
initrd = /boot/initrd
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
    for index, guest in enumerate(spec.guests):
        out[f"etc/xen/{guest.name}.cfg"] = (0o644, guest.config(index).encode())
        if guest.autostart:
            out[f"etc/xen/auto/{guest.name}.cfg"] = (0o777, f"../{guest.name}.cfg")
    for name, data in spec.files:
        out[name.lstrip("/")] = (0o755 if data.startswith(b"#!") else 0o644, data)
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
