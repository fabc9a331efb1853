# SPDX-License-Identifier: GPL-2.0-only
"""What freezing, getting frames back and the jump cost, in instructions.

On these hosts virtual time counts instructions (QEMU's -icount shift=1): an instruction is 2 ns
and the machine's time stamp counter runs at 1 GHz, so two ticks are one instruction. The figures
do not depend on how fast or busy the machine is that runs the test.
"""

import re

import pytest
from lab import paths
from lab.host import Host
from lab.spec import GuestSpec
from lab.warm import Json, balloon, warm_reboot

TICKS = 2
GIB_FRAMES = 1 << 18
KIB = 1 << 10


@pytest.fixture
def counting(start):
    """A host under instruction counting, from a release build of Xen to a release build."""
    return lambda guests: start(guests=guests, icount=True, xen_next=paths.XEN)


def guest(name, kind, memory):
    return GuestSpec(name, kind, memory=memory, witness=0, idle=20)


def measured_reboot(host: Host) -> Json:
    """One warm reboot; the timeline, each guest with what its freeze cost as a whole."""
    since = host.serial.end()
    timeline = warm_reboot(host, seconds=3600)
    assert abs(timeline["tsc_khz"] - 1_000_000) < 2000, "not the instruction-counted clock"
    frozen = dict(re.findall(r"event=frozen guest=(\S+) tsc=(\d+)", host.serial.read(since)))
    for times in timeline["guests"]:
        # From the guest's standing still to its state and frames being safe, with all that
        # the helper, libxl and xl do in between.
        times["freeze"] = (int(frozen[times["name"]]) - times["suspended"]) / TICKS
        times["preserve"] = times["preserve_ticks"] / TICKS
        for step in ("adopt", "commit"):
            times[f"{step}_per_frame"] = times[f"{step}_ticks"] / TICKS / times["frames"]
        # A frame is the guest's own again when it has been adopted and committed.
        times["back_per_frame"] = times["adopt_per_frame"] + times["commit_per_frame"]
        times["metadata_per_gib"] = times["metadata_bytes"] / times["frames"] * GIB_FRAMES
    for g in host.guests:
        host.wait_alive(g)
    return timeline


def figures(timeline: Json) -> dict[str, Json]:
    """By guest's name; printed, for docs/claims.md."""
    guests = {g["name"]: g for g in timeline["guests"]}
    for name, g in guests.items():
        print(f"{name}: {g['frames']} frames in {g['extents']} extents; "
              f"freeze {g['freeze'] / 1e6:.2f} M instructions, of that PRESERVE "
              f"{g['preserve'] / 1e6:.3f} M; ADOPT {g['adopt_per_frame']:.1f} and COMMIT "
              f"{g['commit_per_frame']:.1f} a frame; "
              f"metadata {g['metadata_per_gib'] / KIB:.1f} KiB a GiB")
    return guests


def test_cost_is_metadata_not_memory(counting):
    """Backed by 2 MiB frames, eight times the memory costs the same."""
    host = counting([guest("small", "pvh", 256), guest("large", "pvh", 2048)])
    timeline = measured_reboot(host)
    guests = figures(timeline)
    small, large = guests["small"], guests["large"]
    jump = (timeline["entry"] - timeline["jump"]) / TICKS
    print(f"freeze, large to small: {large['freeze'] / small['freeze']:.3f} as a whole, "
          f"{large['preserve'] / small['preserve']:.3f} the hypercall alone; "
          f"jump to the new Xen's first line {jump / 1e6:.2f} M instructions")
    assert large["freeze"] <= 1.15 * small["freeze"]
    assert 0 < large["commit_ticks"], "the hypervisor does not say what COMMIT took"
    assert large["back_per_frame"] <= 40
    assert large["metadata_per_gib"] <= 64 * KIB
    assert 0 < jump <= 50e6


def test_cost_with_4k_frames(counting):
    """Ballooned down and up, a guest has its memory back as single frames, in no order."""
    host = counting([guest("hap", "pvh", 512), guest("para", "pv", 512)])
    for megabytes in (160, 512):  # much less, and Linux runs out of memory
        for name in ("hap", "para"):
            balloon(host, name, megabytes)
    guests = figures(measured_reboot(host))
    for name, g in guests.items():
        gib = GIB_FRAMES / g["frames"] / 1e6
        print(f"{name}, a GiB of such frames: freeze {g['freeze'] * gib:.0f} M instructions, of "
              f"that PRESERVE {g['preserve'] * gib:.0f} M; ADOPT "
              f"{g['adopt_per_frame'] * GIB_FRAMES / 1e6:.0f} M, COMMIT "
              f"{g['commit_per_frame'] * GIB_FRAMES / 1e6:.0f} M")
    for g in guests.values():
        assert g["extents"] >= g["frames"] / 2, "the frames are not scattered"
        assert g["metadata_per_gib"] <= 1536 * KIB
