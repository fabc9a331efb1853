# SPDX-License-Identifier: GPL-2.0-only
"""The frames of one of a host's cards, in both directions, at times of the machine's own clock."""

from pathlib import Path
from types import TracebackType

from . import pcap
from .errors import EnvironmentFailure
from .monitor import Monitor

# Before each frame QEMU's filter writes the header with which the frame goes through the tap.
VNET_HEADER = 12
# More than any frame has, those of 64 KiB too.
WHOLE = 1 << 18


class Capture:
    """Records from its making to stop(). path: a file for tcpdump and the like, after packets()."""

    def __init__(self, monitor: Monitor, card: str, path: Path, kept: int = WHOLE):
        """kept: so many bytes of each frame."""
        self.path = path
        self._monitor = monitor
        self._id = f"capture-{path.stem}"
        self._raw = path.with_suffix(".raw")
        self._raw.unlink(missing_ok=True)
        monitor.command("object-add", **{"qom-type": "filter-dump", "id": self._id, "netdev": card,
                                         "file": str(self._raw), "maxlen": kept + VNET_HEADER})
        self._open = True

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        # A machine that has died takes no commands; that is not the news then.
        try:
            self.stop()
        except (EnvironmentFailure, OSError):
            if kind is None:
                raise

    def stop(self) -> None:
        if self._open:
            self._open = False
            self._monitor.command("object-del", id=self._id)

    def packets(self) -> list[pcap.Packet]:
        """What has been recorded until now."""
        try:
            raw = self._raw.read_bytes()
        except OSError as e:
            raise EnvironmentFailure(f"QEMU records nothing: {e}") from None
        self.path.write_bytes(without_header(raw))
        return pcap.read(self.path)


def without_header(raw: bytes) -> bytes:
    out = [raw[:pcap.HEADER.size]]
    at = pcap.HEADER.size
    while at + pcap.RECORD.size <= len(raw):
        seconds, micros, kept, length = pcap.RECORD.unpack_from(raw, at)
        at += pcap.RECORD.size
        if at + kept > len(raw):
            break
        out.append(pcap.RECORD.pack(seconds, micros, kept - VNET_HEADER, length - VNET_HEADER))
        out.append(raw[at + VNET_HEADER:at + kept])
        at += kept
    return b"".join(out)
