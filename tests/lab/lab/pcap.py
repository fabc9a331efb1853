# SPDX-License-Identifier: GPL-2.0-only
"""The packets that QEMU recorded (filter-dump): times of the machine's virtual clock.

Reads a file that is still being written: a record that is not whole yet is left for later.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0xA1B2C3D4
HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
ETHERNET, IPV4, ICMP, TCP, UDP = 14, 0x0800, 1, 6, 17
SYN, ACK = 0x02, 0x10


@dataclass(frozen=True)
class Packet:
    """A TCP segment, a UDP datagram, or an ICMP message (its ports are 0)."""

    time: float        # seconds
    protocol: int
    source: tuple[str, int]
    target: tuple[str, int]
    flags: int         # TCP's; the type of an ICMP message; 0 of UDP
    length: int        # of the payload, as it was sent
    payload: bytes     # as much of it as was recorded


def decode(time: float, frame: bytes) -> Packet | None:
    """None: something else than these over IPv4, or a header that was cut off."""
    if len(frame) < ETHERNET + 20 or frame[12:14] != IPV4.to_bytes(2, "big"):
        return None
    ip = frame[ETHERNET:]
    size, protocol = (ip[0] & 15) * 4, ip[9]
    total = int.from_bytes(ip[2:4], "big")
    inner = ip[size:]
    if protocol == TCP and len(inner) >= 20:
        head, flags = (inner[12] >> 4) * 4, inner[13]
    elif protocol in (UDP, ICMP) and len(inner) >= 8:
        head, flags = 8, inner[0] if protocol == ICMP else 0
    else:
        return None
    ports = (0, 0) if protocol == ICMP else (int.from_bytes(inner[0:2], "big"),
                                             int.from_bytes(inner[2:4], "big"))
    source = ".".join(map(str, ip[12:16])), ports[0]
    target = ".".join(map(str, ip[16:20])), ports[1]
    length = max(0, total - size - head)
    # Short frames are padded: what follows the IP packet is not payload.
    return Packet(time, protocol, source, target, flags, length, inner[head:head + length])


class Reader:
    """Reads on from where it stopped the last time."""

    def __init__(self, path: Path):
        self.path = path
        self.last = 0.0     # time of the last record, of whatever kind
        self._at = 0

    def more(self) -> list[Packet]:
        """What has been recorded since."""
        try:
            with open(self.path, "rb") as f:
                f.seek(self._at)
                data = f.read()
        except FileNotFoundError:
            return []
        at = 0
        if self._at == 0:
            if len(data) < HEADER.size:
                return []
            if HEADER.unpack_from(data)[0] != MAGIC:
                raise ValueError(f"{self.path} is no file of packets")
            at = HEADER.size
        packets = []
        while at + RECORD.size <= len(data):
            seconds, micros, kept, _ = RECORD.unpack_from(data, at)
            if at + RECORD.size + kept > len(data):
                break
            at += RECORD.size
            self.last = seconds + micros / 1e6
            packet = decode(self.last, data[at:at + kept])
            if packet:
                packets.append(packet)
            at += kept
        self._at += at
        return packets


def read(path: Path) -> list[Packet]:
    return Reader(path).more()
