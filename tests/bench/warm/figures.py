# SPDX-License-Identifier: GPL-2.0-only
"""From the pieces to the figures: everything that is reported, and nothing that is drawn.

A piece that was not run leaves None, or is absent from a list.
"""

from collections.abc import Iterable, Mapping
from statistics import mean
from typing import Any

from . import disks, model
from .disks import DISKS
from .downtime import SERVICES
from .shapes import COUNTED_MIB, FULL, PROBED, WAYS, Shape
from .targets import Target, ratio

Json = dict[str, Any]
Pieces = Mapping[tuple[str, Shape], Json]


def calls(piece: Json, verb: str) -> list[Json]:
    return [c for c in piece["calls"] if c["verb"] == verb]


def sizes_of(piece: Json) -> dict[str, int]:
    return {c["guest"]: c["bytes"] for c in calls(piece, "save")}


def phases(piece: Json) -> dict[str, float]:
    """Steps of a reboot, in seconds: the host's as a whole, not a guest's."""
    at = piece["at"]
    if piece["way"] == "warm":
        return {"freeze": at["last_frozen"] - at["first_freeze"],
                "reboot_vmm": at["resume_start"] - at["last_frozen"],
                "to_entry": at["entry"] - at["jump"], "to_dom0": at["dom0"] - at["jump"],
                "resume": at["resume_end"] - at["resume_start"]}
    shift = piece["counter_to_clock"]
    reset, entry, dom0 = (at[k] + shift for k in ("reset", "entry", "dom0"))
    out = {"to_entry": entry - reset, "to_dom0": dom0 - reset}
    if piece["way"] == "saved":
        saves, restores = calls(piece, "save"), calls(piece, "restore")
        down, up = saves[-1]["end"], restores[0]["begin"]
        out |= {"save": down - saves[0]["begin"], "restore": restores[-1]["end"] - up}
    else:
        shutdowns, creates = calls(piece, "shutdown"), calls(piece, "create")
        # xendomains asks for a guest's number until it is gone.
        gone = [c["end"] for c in calls(piece, "domid")
                if shutdowns[0]["begin"] < c.get("end", 0) < reset]
        down, up = max(gone, default=shutdowns[-1]["end"]), creates[0]["begin"]
        serving = max(gap["end"] for g in piece["downtime"].values() for gap in g.values())
        out |= {"shutdown": down - shutdowns[0]["begin"], "boot": serving - up}
    return out | {"dom0_down": reset - down, "dom0_up": up - entry}


def away(piece: Json) -> Json:
    """Service -> how long it was away: on average over the guests, at most, how exact that is."""
    out = {}
    for service in SERVICES:
        gaps = [g[service] for g in piece["downtime"].values()]
        out[service] = {"mean": mean(g["length"] for g in gaps),
                        "longest": max(g["length"] for g in gaps),
                        "resolution": max(g["resolution"] for g in gaps)}
    return out


def away_with_disk(piece: Json, service: str) -> dict[str, float]:
    """Disk -> mean downtime of the saved way if its bytes took that disk's time; computed."""
    moved = disks.while_away([c["guest"] for c in calls(piece, "save")],
                             [c["guest"] for c in calls(piece, "restore")], sizes_of(piece))
    gaps = piece["downtime"]
    return {name: mean(gaps[g][service]["length"] + disks.seconds(moved[g], rate) for g in gaps)
            for rate, name in DISKS.items()}


def of_size(pieces: Pieces, shape: Shape) -> Json:
    """One guest: what takes it out of the way of a reboot, and back (figure 3)."""
    out: Json = {"mib": shape.mib}
    warm, saved, cold = (pieces.get((way, shape)) for way in WAYS)
    if warm:
        (frozen,), (resumed,) = warm["freeze"].values(), warm["resume"].values()
        out |= {"freeze": frozen["whole"], "standing_still": frozen["standing_still"],
                "resume": resumed["whole"]}
    if saved:
        (save,), (restore,) = calls(saved, "save"), calls(saved, "restore")
        out |= {"save": save["seconds"], "restore": restore["seconds"], "bytes": save["bytes"]}
    if cold:
        out |= {k: v for k, v in phases(cold).items() if k in ("shutdown", "boot")}
    return out


def of_count(pieces: Pieces, shape: Shape) -> Json:
    """n guests: the same for all of them (figure 4), and what clients saw (figure 5)."""
    out: Json = {"guests": shape.guests, "downtime": {}, "phases": {}}
    for way in WAYS:
        piece = pieces.get((way, shape))
        if piece:
            out["phases"][way] = phases(piece)
            out["downtime"][way] = away(piece)
            if way == "saved":
                out["bytes"] = sum(sizes_of(piece).values())
                out["saved_with_disk"] = {s: away_with_disk(piece, s) for s in SERVICES}
    return out


def cache(pieces: Pieces) -> Json:
    """Way -> what -> when -> throughput, with and without a disk's time, and sectors read
    (figure 6)."""
    out: Json = {}
    for way in WAYS:
        for when, look in pieces.get((way, PROBED), {}).get("cache", {}).items():
            for what, seen in look.items():
                read = seen["disk_sectors"] * 512
                out.setdefault(way, {}).setdefault(what, {})[when] = {
                    "bytes_per_second": seen["bytes"] / seen["seconds"],
                    "disk_sectors": seen["disk_sectors"],
                    "with_disk": {
                        name: seen["bytes"] / (seen["seconds"] + disks.seconds(read, rate))
                        for rate, name in DISKS.items()}}
    return out


def versions(pieces: Pieces) -> Json:
    """Way -> the hosts its pieces ran on: several if pieces of several runs are kept."""
    out: dict[str, set[str]] = {}
    for (way, _), piece in pieces.items():
        ran_on = piece["versions"]
        out.setdefault(way, set()).add(f"{ran_on['xen']}, host of {ran_on['host_mib']} MiB"
                                       + (", PVH dom0" if ran_on["dom0"] == "pvh" else "")
                                       + (", resumed before init" if piece.get("early") else ""))
    return {way: sorted(out[way]) for way in WAYS if way in out}


def functions(counts: Iterable[Json]) -> Json:
    """The paper's functions, each None if too few numbers of guests were run."""
    def points(way: str, *steps: str) -> list[tuple[float, float]]:
        return [(c["guests"], sum(c["phases"][way][s] for s in steps))
                for c in counts if way in c["phases"]]

    counts = list(counts)
    lines = {"reboot_vmm": model.fit(points("warm", "reboot_vmm")),
             "resume": model.fit(points("warm", "resume")),
             "freeze": model.fit(points("warm", "freeze")),
             "reboot_os": model.fit(points("cold", "shutdown", "boot")),
             "boot": model.fit(points("cold", "boot"))}
    resets = [y for way in ("saved", "cold") for _, y in points(way, "to_entry")]
    vmms = [y for _, y in points("cold", "dom0_down", "dom0_up")]
    reset_hw, reboot_vmm_0 = (mean(v) if v else None for v in (resets, vmms))
    vmm, resume, reboot_os = lines["reboot_vmm"], lines["resume"], lines["reboot_os"]
    d_w = model.warm_downtime(vmm, resume) if vmm and resume else None
    d_c = None
    if reboot_os and reset_hw is not None and reboot_vmm_0 is not None:
        d_c = model.cold_downtime(reset_hw, reboot_vmm_0, reboot_os)
    lines |= {"d_w": d_w, "d_c": d_c, "r": d_c.minus(d_w) if d_w and d_c else None}
    return {"lines": {k: vars(v) if v else None for k, v in lines.items()},
            "constants": {"reset_hw": reset_hw, "reboot_vmm_0": reboot_vmm_0},
            "alpha": model.ALPHA}


def availabilities(counts: Iterable[Json]) -> list[Json]:
    """For each number of guests: way -> share of four weeks a guest's sshd answers."""
    counts = list(counts)
    one = next((c["phases"]["cold"] for c in counts
                if c["guests"] == 1 and "cold" in c["phases"]), None)
    if one is None:
        return []
    own = one["shutdown"] + one["boot"]
    out = []
    for c in counts:
        row: Json = {"guests": c["guests"], "own_reboot": own}
        for way, seen in c["downtime"].items():
            reboots = model.OS_REBOOTS - (model.ALPHA if way == "cold" else 0)
            row[way] = model.availability(seen["ssh"]["mean"], own, reboots)
        out.append(row)
    return out


def targets(sizes: Iterable[Json], counts: Iterable[Json]) -> list[Target]:
    by_count = {c["guests"]: c for c in counts}
    full = by_count.get(FULL, {"downtime": {}})

    def away_of(entry: Json, way: str, service: str = "ssh") -> float | None:
        seen = entry["downtime"].get(way)
        return seen[service]["mean"] if seen else None

    warm = away_of(full, "warm")
    # By the service that is asked often with any number of guests, since this is a difference.
    growth = ratio(away_of(full, "warm", "redis"),
                   away_of(by_count.get(1, {"downtime": {}}), "warm", "redis"))
    largest: Json = next((s for s in sizes if s["mib"] == 8192), {})

    def of_disk(key: str, other: str) -> dict[str, float]:
        if key not in largest or other not in largest:
            return {}
        return {name: largest[key] / (largest[other] + disks.seconds(largest["bytes"], rate))
                for rate, name in DISKS.items()}

    saved_disk = full.get("saved_with_disk", {}).get("ssh", {})
    return [
        Target("11 guests of 1 GB, downtime of sshd, warm of saved", 0.05,
               ratio(warm, away_of(full, "saved")),
               with_disk={k: warm / v for k, v in saved_disk.items()} if warm else {}),
        Target("11 guests of 1 GB, downtime of sshd, warm of cold", 0.08,
               ratio(warm, away_of(full, "cold"))),
        Target("growth of the warm downtime of Redis from 1 to 11 guests", 0.10,
               None if growth is None else growth - 1, strict=True),
        Target("one guest of 8 GB, its freeze of `xl save`", 0.0005,
               ratio(largest.get("freeze"), largest.get("save")),
               with_disk=of_disk("freeze", "save")),
        Target("one guest of 8 GB, its resume of `xl restore`", 0.003,
               ratio(largest.get("resume"), largest.get("restore")),
               with_disk=of_disk("resume", "restore")),
    ]


def everything(pieces: Pieces, wanted: Iterable[Shape]) -> Json:
    """wanted: the shapes of this run, whether or not they have pieces yet."""
    wanted = list(wanted)
    have = {shape for _, shape in pieces}
    sizes = [of_size(pieces, s) for s in sorted(wanted, key=lambda s: s.mib)
             if s.guests == 1 and s in have]
    counts = [of_count(pieces, s) for s in sorted(wanted)
              if s.mib == COUNTED_MIB and s in have]
    return {"sizes": sizes, "counts": counts, "cache": cache(pieces), "versions": versions(pieces),
            "functions": functions(counts), "availability": availabilities(counts),
            "targets": targets(sizes, counts),
            "not_run": [f"{way}-{s}" for s in wanted for way in WAYS if (way, s) not in pieces]}
