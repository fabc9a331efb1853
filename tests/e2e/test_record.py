# SPDX-License-Identifier: GPL-2.0-only
"""The lab's reader of records, without a host: published vectors and a round trip."""

from lab.record import Run, pack_runs, unpack_runs, xxh64


def test_xxh64_vectors():
    assert xxh64(b"") == 0xEF46DB3751D8E999
    assert xxh64(b"a") == 0xD24EC4F1A98C6E5B
    assert xxh64(b"abc") == 0x44BC2CF5AD770999


def test_runs_round_trip():
    runs = [Run(0, 100, 1, 0), Run(1, 101, 5, 0), Run(300, 7, 1, 4), Run(301, 1 << 30, 512, 0)]
    assert unpack_runs(pack_runs(runs)) == runs
