# SPDX-License-Identifier: GPL-2.0-only
"""Tables about a warm reboot: what happened when, and what is true of it now."""

from collections.abc import Mapping, Sequence
from typing import Any

from .state import Check

Json = dict[str, Any]

# When a thing happened -> what to call it: of the host, and of each guest.
HOST_EVENTS = {
    "armed": "record of preserved memory complete",
    "jump": "the old Xen jumps",
    "entry": "the new Xen's first line",
    "heap": "the new Xen's heap is up",
    "dom0": "the new dom0's kernel starts",
    "resume_start": "resume service starts",
    "resume_end": "resume service done",
}
GUEST_EVENTS = {
    "asked": "asked",
    "suspended": "suspended",
    "preserve_end": "frozen",
    "restore_start": "remade",
    "adopt_end": "adopted",
    "running": "running",
}
WIDTH = 10


def milliseconds(ticks: int, timeline: Json) -> float:
    return float(ticks) / float(timeline["tsc_khz"])


def blackouts(timeline: Json, gaps: Mapping[str, Sequence[Json]]) -> dict[str, Json]:
    """Each guest's blackout in ms: by the host's clock, and by the guest's own.

    gaps: guest -> times in which the witness inside, which keeps looking at the clocks, could
    not. The guest's clock is that of its calendar, which goes on over the reboot, while its
    other clocks do not count all of the time.
    """
    return {g["name"]: {"host_ms": milliseconds(g["running"] - g["suspended"], timeline),
                        "guest_ms": max((gap["realtime_ns"] / 1e6 for gap in gaps[g["name"]]),
                                        default=0.0)}
            for g in timeline["guests"]}


def timeline_table(timeline: Json, seen: Mapping[str, Json]) -> str:
    """A line an event, a column a guest; seen: what blackouts() returned."""
    names = [g["name"] for g in timeline["guests"]]
    events = [(timeline[key], text, None, "") for key, text in HOST_EVENTS.items()]
    events += [(g[key], "", g["name"], text) for g in timeline["guests"]
               for key, text in GUEST_EVENTS.items()]
    wide = max(map(len, HOST_EVENTS.values()))

    def row(first: str, middle: str, cells: Sequence[str]) -> str:
        return f"{first:>12}  {middle:<{wide}}  {''.join(f'{c:<{WIDTH}}' for c in cells)}".rstrip()

    lines = [row("ms", "host", names)]
    for tsc, text, guest, cell in sorted(events, key=lambda e: e[0]):
        if tsc:
            at = f"{milliseconds(tsc - timeline['jump'], timeline):.3f}"
            lines.append(row(at, text, [cell if name == guest else "" for name in names]))
    lines.append("")
    for key, text in (("host_ms", "suspended to running"),
                      ("guest_ms", "blackout as the guest saw it")):
        lines.append(row("ms", text, [f"{seen[name][key]:.1f}" for name in names]))
    for key, text, unit in (("frames", "memory kept in place", "MiB"),
                            ("metadata_bytes", "described by", "bytes")):
        per = 256 if key == "frames" else 1
        lines.append(row(unit, text, [str(g[key] // per) for g in timeline["guests"]]))
    return "\n".join(lines)


def verdict_table(checks: Mapping[str, Sequence[Check]]) -> str:
    """checks: host or guest -> what was checked of it."""
    wide = max(len(c.what) for group in checks.values() for c in group)
    lines = []
    for name, group in checks.items():
        lines.append(name)
        lines += [f"  {'yes' if c.ok else 'NO '}  {c.what:<{wide}}  {c.seen}" for c in group]
    return "\n".join(lines)
