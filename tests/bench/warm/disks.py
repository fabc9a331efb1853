# SPDX-License-Identifier: GPL-2.0-only
"""What saved memory costs on a disk: computed, since under instruction counting disks are free.

Images are written one after the other, then read one after the other, at the disk's full rate.
"""

from collections.abc import Mapping, Sequence

# Bytes a second -> what it is called.
DISKS = {200e6: "200 MB/s", 1e9: "1 GB/s", 5e9: "5 GB/s"}


def seconds(size: float, rate: float) -> float:
    return size / rate


def while_away(saved: Sequence[str], restored: Sequence[str],
               sizes: Mapping[str, int]) -> dict[str, int]:
    """Guest -> bytes that the disk moves while it is away.

    From its own saving on all that is still saved, then all that is restored up to its own.
    """
    return {name: sum(sizes[s] for s in saved[saved.index(name):])
            + sum(sizes[r] for r in restored[:restored.index(name) + 1])
            for name in saved}
