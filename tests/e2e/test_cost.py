"""What freezing and adopting cost, in instructions: virtual time that counts them (icount).

Under -icount shift=1 an instruction is 2 ns and the TSC runs at 1 GHz: 2 ticks each.
"""

from lab.spec import GuestSpec
from warm import warm_reboot

TICKS = 2
GIB_FRAMES = 1 << 18


def test_cost_is_metadata_not_memory(start):
    small = GuestSpec("small", "pvh", memory=256, witness=32)
    large = GuestSpec("large", "pvh", memory=2048, witness=32)
    host = start(guests=[small, large], icount=True)
    timeline = warm_reboot(host, seconds=1800)
    assert timeline["tsc_khz"] == 1_000_000 or abs(timeline["tsc_khz"] - 1_000_000) < 2000
    guests = {g["name"]: g for g in timeline["guests"]}
    freeze = {n: g["preserve_ticks"] / TICKS for n, g in guests.items()}
    adopt = {n: g["adopt_ticks"] / TICKS / g["frames"] for n, g in guests.items()}
    metadata = {n: g["metadata_bytes"] / g["frames"] * GIB_FRAMES for n, g in guests.items()}
    jump = (timeline["entry"] - timeline["jump"]) / TICKS
    print(f"freeze {freeze}  adopt/frame {adopt}  metadata/GiB {metadata}  jump {jump:.0f}")
    assert freeze["large"] <= 1.15 * freeze["small"]
    assert adopt["large"] <= 40
    assert metadata["large"] <= 64 << 10
    assert 0 < jump <= 50e6
