# SPDX-License-Identifier: GPL-2.0-only
"""Hypervisor images (32-bit ELF files with one loaded segment) made bigger than they are."""

import struct

PT_LOAD = 1
# Offsets of fields: in the file's header, in a program header, in a section header.
E_PHOFF, E_SHOFF, E_PHENTSIZE, E_SHENTSIZE = 28, 32, 42, 46
P_OFFSET, P_FILESZ, P_MEMSZ = 4, 16, 20
SH_OFFSET = 16


class Image:
    def __init__(self, data: bytes):
        self.data = bytearray(data)
        at, (size, count) = self._word(E_PHOFF), self._table(E_PHENTSIZE)
        loads = [a for a in range(at, at + size * count, size) if self._word(a) == PT_LOAD]
        if len(loads) != 1:
            raise ValueError("not the ELF file of a hypervisor")
        self._load = loads[0]

    def _word(self, at: int) -> int:
        return int(struct.unpack_from("<I", self.data, at)[0])

    def _add(self, at: int, more: int) -> None:
        struct.pack_into("<I", self.data, at, self._word(at) + more)

    def _table(self, at: int) -> tuple[int, int]:
        size, count = struct.unpack_from("<HH", self.data, at)
        return int(size), int(count)

    def content(self) -> int:
        """Bytes that are loaded from the file."""
        return self._word(self._load + P_FILESZ)

    def with_more_bss(self, more: int) -> bytes:
        """Asks for so many bytes more of memory."""
        self._add(self._load + P_MEMSZ, more)
        return bytes(self.data)

    def with_more_content(self, more: int) -> bytes:
        """Has so many bytes of zeroes after what it loads, which would have been .bss."""
        end = self._word(self._load + P_OFFSET) + self.content()
        sections, (size, count) = self._word(E_SHOFF), self._table(E_SHENTSIZE)
        for at in range(sections, sections + size * count, size):
            if self._word(at + SH_OFFSET) >= end:
                self._add(at + SH_OFFSET, more)
        self._add(self._load + P_FILESZ, more)
        self._add(E_SHOFF, more)
        return bytes(self.data[:end]) + bytes(more) + bytes(self.data[end:])
