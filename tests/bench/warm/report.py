# SPDX-License-Identifier: GPL-2.0-only
"""The figures as a text table. A figure that was not obtained is a dash."""

from collections.abc import Iterable, Sequence
from typing import Any

from .disks import DISKS, seconds
from .downtime import SERVICES
from .model import Line
from .shapes import WAYS

Json = dict[str, Any]
NONE = "-"

HOW = """All times are of the machine's own clock, which counts instructions: one is 2 ns. Disks and
firmware cost next to nothing there, which is the worst case for the warm way.
"""


def number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column to the left, figures to the right."""
    body = [list(head), *(list(r) for r in rows)]
    wide = [max(len(r[i]) for r in body) for i in range(len(head))]
    return "\n".join("  ".join([r[0].ljust(wide[0]), *(c.rjust(w) for c, w in
                                                     zip(r[1:], wide[1:], strict=True))]).rstrip()
                     for r in body)


def sizes(figures: Json) -> str:
    rows = []
    for s in figures["sizes"]:
        rows.append([str(s["mib"]), *(number(s.get(k)) for k in (
            "freeze", "standing_still", "save", "shutdown", "resume", "restore", "boot"))])
        if "save" in s:
            for rate, name in DISKS.items():
                more = seconds(s["bytes"], rate)
                rows.append([f"  computed, {name}", NONE, NONE, number(s["save"] + more), NONE,
                             NONE, number(s["restore"] + more), NONE])
    return ("One guest by its memory (figure 3), s\n"
            + table(["MiB", "freeze", "of that still", "xl save", "shutdown", "resume",
                     "xl restore", "boot"], rows))


def counts(figures: Json) -> str:
    steps = {"warm": ("freeze", "resume"), "saved": ("save", "restore"),
             "cold": ("shutdown", "boot")}
    rows = [[str(c["guests"]), *(number(c["phases"].get(way, {}).get(step))
                                 for way in WAYS for step in steps[way])]
            for c in figures["counts"]]
    return ("All guests of 1 GiB, one after the other (figure 4), s\n"
            + table(["guests", *(s for way in WAYS for s in steps[way])], rows))


def downtimes(figures: Json) -> str:
    rows = []
    for c in figures["counts"]:
        for service in SERVICES:
            for way in WAYS:
                seen = c["downtime"].get(way, {}).get(service)
                rows.append([f"{c['guests']} {service} {way}",
                             *(number(seen[k], 2) if seen else NONE
                               for k in ("mean", "longest", "resolution"))])
                if way == "saved" and seen:
                    rows += [[f"  computed, {disk}", number(value, 2), NONE, NONE]
                             for disk, value in c["saved_with_disk"][service].items()]
    return ("Downtime of a service as a client outside saw it (figure 5), s\n"
            + table(["guests service way", "mean", "longest", "exact to"], rows))


def caches(figures: Json) -> str:
    titles = {"file": "cached file, read", "web": "web server"}
    moments = ("before", "after", "later")
    rows = []
    for what, title in titles.items():
        for way, kinds in figures["cache"].items():
            looks = kinds.get(what, {})
            rows.append([f"{title}, {way}", *(
                f"{looks[m]['bytes_per_second'] / 1e6:.1f} ({looks[m]['disk_sectors']})"
                if m in looks else NONE for m in moments)])
            if looks.get("after", {}).get("disk_sectors"):
                rows += [[f"  computed, {disk}", NONE, f"{value / 1e6:.1f}", NONE]
                         for disk, value in looks["after"]["with_disk"].items()]
    return ("Throughput around the reboot (figure 6), MB/s (sectors read from the disk)\n"
            + table(["", "before", "first after", "again"], rows))


def reload(figures: Json) -> str:
    rows = []
    for c in figures["counts"]:
        p = c["phases"]
        rows.append([str(c["guests"]), *(number(p.get(way, {}).get(step)) for step in
                                         ("to_entry", "to_dom0") for way in WAYS)])
    return ("Quick reload (warm) against reset (section 4.2), s\n"
            + table(["guests", *(f"{way}, to {to}" for to in ("Xen", "dom0") for way in WAYS)],
                    rows))


def functions(figures: Json) -> str:
    found = figures["functions"]
    lines = []
    for name, line in found["lines"].items():
        text = str(Line(**line)) if line else "not fitted: it takes two numbers of guests"
        points = f"   ({line['points']} points)" if line and line["points"] else ""
        lines.append(f"{name}(n) = {text}{points}")
    for name, value in found["constants"].items():
        lines.append(f"{name} = {number(value)}")
    lines.append(f"alpha = {found['alpha']}")
    return "The paper's functions (sections 3.2 and 4.5), s\n" + "\n".join(lines)


def availability(figures: Json) -> str:
    rows = [[str(a["guests"]), number(a["own_reboot"], 2),
             *(f"{a[way] * 100:.5f} %" if way in a else NONE for way in WAYS)]
            for a in figures["availability"]]
    return ("Availability: a guest's own reboot each week, the host's every four\n"
            + table(["guests", "own reboot, s", *WAYS], rows))


def targets(figures: Json) -> str:
    return "Targets\n" + "\n".join(t.line() for t in figures["targets"])


def text(figures: Json) -> str:
    parts = [HOW, *(f"{way}: Xen {xen}" for way, several in figures["versions"].items()
                    for xen in several), ""]
    if figures["not_run"]:
        parts.append("Not run: " + ", ".join(figures["not_run"]) + "\n")
    parts += [part(figures) + "\n" for part in (
        sizes, counts, downtimes, caches, reload, functions, availability, targets)]
    return "\n".join(parts)
