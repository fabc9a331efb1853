# SPDX-License-Identifier: GPL-2.0-only
"""Made-up packets, console lines and pieces for the tests."""

import struct
from typing import Any

from lab import pcap

Json = dict[str, Any]
CLIENT, GUEST = ("10.0.2.2", 40000), ("10.0.2.16", 22)


def frame(source: tuple[str, int], target: tuple[str, int], payload: bytes = b"",
          flags: int = pcap.ACK, protocol: int = pcap.TCP, options: int = 0) -> bytes:
    def address(text: str) -> bytes:
        return bytes(map(int, text.split(".")))

    ports = struct.pack(">HH", source[1], target[1])
    if protocol == pcap.TCP:
        inner = ports + bytes(8) + bytes([(5 + options) << 4, flags]) + bytes(6 + 4 * options)
    else:
        inner = ports + bytes(4)
    total = 20 + len(inner) + len(payload)
    ip = (bytes([0x45, 0]) + total.to_bytes(2, "big") + bytes(5) + bytes([protocol]) + bytes(2)
          + address(source[0]) + address(target[0]))
    return bytes(12) + b"\x08\x00" + ip + inner + payload


def record(time: float, data: bytes, keep: int = 256) -> bytes:
    kept = data[:keep]
    micros = round(time * 1e6)
    return struct.pack("<IIII", micros // 10**6, micros % 10**6, len(kept), len(data)) + kept


HEADER = struct.pack("<IHHiIII", pcap.MAGIC, 2, 4, 0, 0, 65535, 1)


def packet(time: float, *args: Any, **kwargs: Any) -> pcap.Packet:
    found = pcap.decode(time, frame(*args, **kwargs))
    assert found
    return found


def mark(time: float, words: str) -> pcap.Packet:
    return packet(time, ("10.0.2.15", 5), ("10.0.2.2", 9), f"bench: {words}\n".encode(),
                  protocol=pcap.UDP)


def gap(start: float, length: float) -> Json:
    return {"start": start, "end": start + length, "length": length, "resolution": 0.1,
            "questions": 3}


def call(verb: str, guest: str, begin: float, end: float, size: int = 0) -> Json:
    return {"verb": verb, "guest": guest, "begin": begin, "end": end, "seconds": end - begin,
            "code": 0, "bytes": size}


def names(guests: int) -> list[str]:
    return [f"g{i + 1:02d}" for i in range(guests)]


def piece(way: str, guests: int, mib: int, downtime: float, start: float) -> Json:
    """What the three ways have alike; every guest was away from start on."""
    return {"way": way, "guests": guests, "mib": mib,
            "versions": {"xen": "4.17.5, build id 0", "dom0": "pv", "host_mib": 2048},
            "counter_to_clock": 0.0 if way == "warm" else 100.0,
            "downtime": {g: {s: gap(start, downtime) for s in ("ssh", "redis")}
                         for g in names(guests)}}


def warm_piece(guests: int, mib: int, downtime: float) -> Json:
    return piece("warm", guests, mib, downtime, 10) | {
        "calls": [],
        "freeze": {g: {"whole": 0.1, "standing_still": 0.01} for g in names(guests)},
        "resume": {g: {"whole": 0.3, "adopt": 0.01, "commit": 0.01} for g in names(guests)},
        "at": {"armed": 9.8, "jump": 10.0, "entry": 10.1, "heap": 10.2, "dom0": 10.5,
               "resume_start": 20.0, "resume_end": 20.0 + 0.3 * guests,
               "first_freeze": 9.0, "last_frozen": 9.0 + 0.1 * guests}}


def saved_piece(guests: int, mib: int, downtime: float) -> Json:
    size, each = mib << 20, list(enumerate(names(guests)))
    return piece("saved", guests, mib, downtime, 110) | {
        "calls": [call("save", g, 110 + i, 111 + i, size) for i, g in each]
        + [call("restore", g, 150 + i, 151 + i, size) for i, g in each],
        "at": {"reset": 30.0, "entry": 31.0, "dom0": 33.0}}


def cold_piece(guests: int, mib: int, downtime: float) -> Json:
    each = list(enumerate(names(guests)))
    return piece("cold", guests, mib, downtime, 110) | {
        "calls": [call("domid", "g01", 105, 105.1)]
        + [call("shutdown", g, 110 + i, 110.1 + i) for i, g in each]
        + [call("domid", g, 122, 122.1) for _, g in each]
        + [call("domid", "g01", 149, 149.1)]
        + [call("create", g, 150 + i, 151 + i) for i, g in each],
        "at": {"reset": 30.0, "entry": 31.0, "dom0": 33.0}}
