# SPDX-License-Identifier: GPL-2.0-only
"""The record that one hypervisor leaves for the next, read from RAM and, for tests, forged.

Written from the format's description (docs/specs), not from the product's code, so that the
two can disagree. Struct layouts: little endian, 4096-byte pages; see preserved-record.h.
"""

import struct
from dataclasses import dataclass

from .ram import PAGE, Ram

CRUMB_MAGIC = 0x4D55524356525358
INDEX_MAGIC = 0x5845444E56525358
CRUMB_COPY = 2048

_MASK = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                           0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def _rotl(x: int, n: int) -> int:
    return ((x << n) | (x >> (64 - n))) & _MASK


def _round(acc: int, word: int) -> int:
    return (_rotl((acc + word * _P2) & _MASK, 31) * _P1) & _MASK


def xxh64(data: bytes) -> int:
    """xxHash, 64 bits, seed 0."""
    at, length = 0, len(data)
    if length >= 32:
        acc = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at + 32 <= length:
            for i, word in enumerate(struct.unpack_from("<4Q", data, at)):
                acc[i] = _round(acc[i], word)
            at += 32
        h = (_rotl(acc[0], 1) + _rotl(acc[1], 7) + _rotl(acc[2], 12) + _rotl(acc[3], 18)) & _MASK
        for a in acc:
            h = ((h ^ _round(0, a)) * _P1 + _P4) & _MASK
    else:
        h = _P5
    h = (h + length) & _MASK
    while at + 8 <= length:
        h = (_rotl(h ^ _round(0, struct.unpack_from("<Q", data, at)[0]), 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= length:
        word = struct.unpack_from("<I", data, at)[0]
        h = (_rotl(h ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        h = (_rotl(h ^ (byte * _P5 & _MASK), 11) * _P1) & _MASK
    h = ((h ^ (h >> 33)) * _P2) & _MASK
    h = ((h ^ (h >> 29)) * _P3) & _MASK
    return h ^ (h >> 32)


@dataclass
class Chain:
    """A byte string in single pages, which pages of an index list."""

    FORMAT = struct.Struct("<QQQ")
    index: int
    length: int
    xxh64: int

    def pages(self, ram: Ram) -> list[int]:
        pages: list[int] = []
        index = self.index
        while index:
            magic, following, used = struct.unpack_from("<QQQ", ram.frame(index))
            assert magic == INDEX_MAGIC, f"index page {index:#x} has magic {magic:#x}"
            pages += struct.unpack_from(f"<{used}Q", ram.frame(index), 24)
            index = following
        return pages

    def read(self, ram: Ram) -> bytes:
        data = b"".join(ram.frame(mfn) for mfn in self.pages(ram))[:self.length]
        assert len(data) == self.length
        return data

    def write(self, ram: Ram, data: bytes) -> None:
        """Other bytes of the same length, with the checksum that fits them."""
        assert len(data) == self.length
        for i, mfn in enumerate(self.pages(ram)):
            ram.write(mfn * PAGE, data[i * PAGE:(i + 1) * PAGE])
        self.xxh64 = xxh64(data)

    def pack(self) -> bytes:
        return self.FORMAT.pack(self.index, self.length, self.xxh64)


@dataclass(frozen=True)
class Run:
    gfn: int
    mfn: int
    count: int
    pin: int


def unpack_runs(data: bytes) -> list[Run]:
    runs = []
    at = gfn = mfn = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    def signed() -> int:
        value = number()
        return (value >> 1) ^ -(value & 1)

    while at < len(data):
        head = data[at]
        at += 1
        if head & 0x08:
            gfn += signed()
        count = number() + 2 if head & 0x10 else 1
        mfn += signed()
        runs.append(Run(gfn, mfn, count, head & 7))
        gfn += count
        mfn += count
    return runs


def pack_runs(runs: list[Run]) -> bytes:
    out = bytearray()
    gfn = mfn = 0

    def number(value: int) -> None:
        while value >= 0x80:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)

    for run in runs:
        head = run.pin | (0x08 if run.gfn != gfn else 0) | (0x10 if run.count > 1 else 0)
        out.append(head)
        if head & 0x08:
            delta = run.gfn - gfn
            number(delta * 2 if delta >= 0 else -delta * 2 - 1)
        if head & 0x10:
            number(run.count - 2)
        delta = run.mfn - mfn
        number(delta * 2 if delta >= 0 else -delta * 2 - 1)
        gfn, mfn = run.gfn + run.count, run.mfn + run.count
    return bytes(out)


@dataclass
class Set:
    FORMAT = struct.Struct("<IIBBHI16sQQ24s24sQQQ")
    id: int
    domid: int
    type: int
    flags: int
    reason: int
    generation: int
    handle: bytes
    frames: int
    nr_extents: int
    extents: Chain
    blob: Chain
    tsc: tuple[int, int]
    ticks: int

    @classmethod
    def unpack(cls, data: bytes) -> "Set":
        f = cls.FORMAT.unpack(data)
        return cls(*(*f[:9], Chain(*Chain.FORMAT.unpack(f[9])), Chain(*Chain.FORMAT.unpack(f[10])),
                     (f[11], f[12]), f[13]))

    def pack(self) -> bytes:
        return self.FORMAT.pack(self.id, self.domid, self.type, self.flags, self.reason,
                                self.generation, self.handle, self.frames, self.nr_extents,
                                self.extents.pack(), self.blob.pack(), *self.tsc, self.ticks)

    def runs(self, ram: Ram) -> list[Run]:
        return unpack_runs(self.extents.read(ram))


class Record:
    """The record as it stands in RAM between the jump and the next hypervisor's reading it."""

    CRUMB = struct.Struct("<QIIQ24sII24sQQQQ")

    def __init__(self, ram: Ram, range_start: int):
        self.ram = ram
        self.at = range_start
        (self.magic, self.size, self.generation, self.token, keep, self.version, self.flags,
         table, self.tsc_armed, self.tsc_jump, self.wallclock_us, self.xxh64) = \
            self.CRUMB.unpack(ram.read(range_start, self.CRUMB.size))
        assert self.magic == CRUMB_MAGIC, f"no breadcrumb at {range_start:#x}"
        assert xxh64(ram.read(range_start, self.CRUMB.size - 8)) == self.xxh64
        self.keep = Chain(*Chain.FORMAT.unpack(keep))
        self.table = Chain(*Chain.FORMAT.unpack(table))
        raw = self.table.read(ram)
        size = Set.FORMAT.size
        self.sets = [Set.unpack(raw[i:i + size]) for i in range(0, len(raw), size)]

    def extents(self, one: Set) -> list[tuple[int, int]]:
        """(first mfn, frames), as Ram.frame_digests takes them."""
        return [(run.mfn, run.count) for run in one.runs(self.ram)]

    def seal(self) -> None:
        """Writes the sets' table and both copies of the breadcrumb with checksums that fit."""
        self.table.write(self.ram, b"".join(s.pack() for s in self.sets))
        body = self.CRUMB.pack(self.magic, self.size, self.generation, self.token,
                               self.keep.pack(), self.version, self.flags, self.table.pack(),
                               self.tsc_armed, self.tsc_jump, self.wallclock_us, 0)[:-8]
        crumb = body + struct.pack("<Q", xxh64(body))
        for at in (self.at, self.at + CRUMB_COPY):
            self.ram.write(at, crumb)
