# SPDX-License-Identifier: GPL-2.0-only
"""The host's memory as the emulator sees it, whatever hypervisor or dom0 runs in it.

An oracle that shares no code with the product: it reads the file that backs the RAM.
"""

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE = 4096
GIB = 1 << 30


class Ram:
    """Physical addresses of QEMU's machine mapped to offsets in the file behind them."""

    def __init__(self, path: Path, size: int, q35: bool = False):
        self.size = size
        # hw/i386/pc_piix.c: RAM of 3.5 GiB and more is split at 3 GiB, the rest goes above 4 GiB;
        # pc_q35.c: of 2.75 GiB and more, at 2 GiB.
        if q35:
            self.below_4g = 2 * GIB if size >= 0xB0000000 else size
        else:
            self.below_4g = 3 * GIB if size >= 0xE0000000 else size
        with open(path, "r+b") as f:
            self._map = mmap.mmap(f.fileno(), size)

    def close(self) -> None:
        self._map.close()

    def offset(self, physical: int) -> int:
        if physical < self.below_4g:
            return physical
        above = physical - 4 * GIB
        if 0 <= above < self.size - self.below_4g:
            return self.below_4g + above
        raise ValueError(f"no RAM at {physical:#x}")

    def physical(self, offset: int) -> int:
        return offset if offset < self.below_4g else offset - self.below_4g + 4 * GIB

    def has_frame(self, mfn: int) -> bool:
        try:
            self.offset(mfn * PAGE)
        except ValueError:
            return False
        return True

    def read(self, physical: int, length: int) -> bytes:
        at = self.offset(physical)
        return self._map[at:at + length]

    def write(self, physical: int, data: bytes) -> None:
        """Only with the machine stopped: code already translated is not invalidated."""
        at = self.offset(physical)
        self._map[at:at + len(data)] = data

    def frame(self, mfn: int) -> bytes:
        return self.read(mfn * PAGE, PAGE)

    def frame_digests(self, extents: Iterable[tuple[int, int]]) -> dict[int, bytes]:
        """A digest of each frame of extents (first mfn, frames): says which frames differ."""
        view = memoryview(self._map)
        out: dict[int, bytes] = {}
        try:
            for first, count in extents:
                for mfn in range(first, first + count):
                    at = self.offset(mfn * PAGE)
                    out[mfn] = hashlib.blake2b(view[at:at + PAGE], digest_size=12).digest()
        finally:
            view.release()
        return out

    def find(self, needle: bytes, limit: int = 1000) -> list[int]:
        """Physical addresses at which the bytes stand, anywhere in RAM."""
        found: list[int] = []
        at = self._map.find(needle)
        while at >= 0 and len(found) < limit:
            found.append(self.physical(at))
            at = self._map.find(needle, at + 1)
        return found

    def witness_frames(self) -> Iterator[int]:
        """Frames that look like a memory witness's pages (of any process, any seed).

        A witness page is an arithmetic progression of 64-bit words (witness.cpp: Pages::word).
        """
        step, mask = 0xD1342543DE82EF95, (1 << 64) - 1
        view = memoryview(self._map)
        words = view.cast("Q")
        try:
            per = PAGE // 8
            first, second, last = words[0::per], words[1::per], words[per - 1::per]
            for i in range(self.size // PAGE):
                base = first[i]
                if (base + step) & mask == second[i] and \
                        (base + (per - 1) * step) & mask == last[i]:
                    yield self.physical(i * PAGE) // PAGE
        finally:
            first.release()
            second.release()
            last.release()
            words.release()
            view.release()
