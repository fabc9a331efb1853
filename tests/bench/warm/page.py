# SPDX-License-Identifier: GPL-2.0-only
"""The figures as one self-contained HTML page: plots as inline SVG, the text table below them."""

import html
import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

from . import report  # noqa: E402
from .downtime import SERVICES  # noqa: E402
from .model import Line  # noqa: E402
from .shapes import WAYS  # noqa: E402

Json = dict[str, Any]
COLORS = {"warm": "#c0392b", "saved": "#2c6fbb", "cold": "#5a5a5a"}
# Ids and clip paths are named after this: two runs of the same pieces give the same page.
matplotlib.rcParams |= {"svg.hashsalt": "bench-warm", "svg.fonttype": "none"}

STYLE = """body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto;
  padding: 0 1rem; color: #222; background: #fff }
figure { margin: 2rem 0 } svg { width: 100%; height: auto }
pre { font-size: 13px; overflow-x: auto; background: #f6f6f4; padding: 1rem }
li { white-space: pre-line } .met { color: #1e7d34 } .missed { color: #b02a1e } .not { color: #666 }"""


def series(axes: Axes, points: Sequence[tuple[float, float | None]], label: str, color: str,
           style: str = "o-") -> None:
    have = [(x, y) for x, y in points if y is not None]
    if have:
        axes.plot(*zip(*have, strict=True), style, label=label, color=color)


def finish(axes: Axes, title: str, x: str, y: str, log: bool = True) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if axes.has_data():
        if log:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        else:
            axes.set_ylim(bottom=0)
        axes.legend(fontsize="small")
    axes.grid(True, which="both", alpha=0.25)


def pairs(fields: Sequence[Axes], entries: Sequence[Json], x: str, value: Callable[..., Any],
          label: str) -> None:
    """Left: out of the way of the reboot; right: back."""
    steps = (("warm", "freeze", "resume"), ("saved", "save", "restore"),
             ("cold", "shutdown", "boot"))
    for way, down, up in steps:
        for axes, step in ((fields[0], down), (fields[1], up)):
            series(axes, [(e[x], value(e, way, step)) for e in entries], f"{way}: {step}",
                   COLORS[way])
    finish(fields[0], "before the reboot", label, "s")
    finish(fields[1], "after it", label, "s")


def draw_sizes(figures: Json) -> Any:
    figure, fields = plt.subplots(1, 2, figsize=(10, 4))
    pairs(fields, figures["sizes"], "mib", lambda e, _, step: e.get(step),
          "memory of the guest, MiB")
    return figure


def draw_counts(figures: Json) -> Any:
    figure, fields = plt.subplots(1, 2, figsize=(10, 4))
    pairs(fields, figures["counts"], "guests",
          lambda e, way, step: e["phases"].get(way, {}).get(step), "guests of 1 GiB")
    return figure


def draw_downtime(figures: Json) -> Any:
    figure, fields = plt.subplots(1, 2, figsize=(10, 4))
    for axes, service in zip(fields, SERVICES, strict=True):
        for way in WAYS:
            series(axes, [(c["guests"], c["downtime"].get(way, {}).get(service, {}).get("mean"))
                          for c in figures["counts"]], way, COLORS[way])
        for index, disk in enumerate(next((c["saved_with_disk"][service] for c in figures["counts"]
                                           if "saved_with_disk" in c), {})):
            series(axes, [(c["guests"], c.get("saved_with_disk", {}).get(service, {}).get(disk))
                          for c in figures["counts"]], f"saved, {disk}, computed",
                   COLORS["saved"], ("^:", "s:", "v:")[index % 3])
        finish(axes, service, "guests of 1 GiB", "downtime, s")
    return figure


def draw_cache(figures: Json) -> Any:
    figure, fields = plt.subplots(1, 2, figsize=(10, 4))
    moments = ("before", "after", "later")
    for axes, what in zip(fields, ("file", "web"), strict=True):
        for way, kinds in figures["cache"].items():
            looks = kinds.get(what, {})
            series(axes, [(i, looks[m]["bytes_per_second"] / 1e6 if m in looks else None)
                          for i, m in enumerate(moments)], way, COLORS[way])
        axes.set_xticks(range(3), ["before", "first after", "again"])
        finish(axes, {"file": "reading cached files", "web": "web server"}[what], "", "MB/s", False)
    return figure


def draw_functions(figures: Json) -> Any:
    figure, axes = plt.subplots(figsize=(10, 4))
    lines = figures["functions"]["lines"]
    most = max((c["guests"] for c in figures["counts"]), default=1)
    for name, color in (("d_w", COLORS["warm"]), ("d_c", COLORS["cold"]), ("r", "#2e8b57")):
        if lines.get(name):
            line = Line(**lines[name])
            series(axes, [(n, line.at(n)) for n in (0, most)], f"{name}(n) = {line}", color, "-")
    finish(axes, "downtime by the model, and what warm saves", "guests of 1 GiB", "s", False)
    return figure


PLOTS = (("One guest by its memory (figure 3)", draw_sizes),
         ("All guests, one after the other (figure 4)", draw_counts),
         ("Downtime as a client outside saw it (figure 5)", draw_downtime),
         ("Throughput around the reboot (figure 6)", draw_cache),
         ("The paper's functions (section 4.5)", draw_functions))


def svg(figure: Any) -> str:
    figure.tight_layout()
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    plt.close(figure)
    # What stands before <svg is for a file of its own.
    return re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.DOTALL)


def page(figures: Json) -> str:
    verdicts = "".join(
        f'<li class="{t.verdict(t.value).split()[0]}">{html.escape(t.line())}</li>'
        for t in figures["targets"])
    plots = "".join(f"<figure><figcaption><h2>{html.escape(title)}</h2></figcaption>"
                    f"{svg(draw(figures))}</figure>" for title, draw in PLOTS)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Warm, saved and cold reboots</title>
<style>{STYLE}</style></head><body>
<h1>Warm, saved and cold reboots of one host</h1>
<p>{html.escape(report.HOW)}</p>
<ul>{verdicts}</ul>
{plots}
<h2>All figures</h2>
<pre>{html.escape(report.text(figures))}</pre>
</body></html>
"""
