# SPDX-License-Identifier: GPL-2.0-only
"""The paper's model of what a reboot costs (sections 3.2 and 4.5), and least squares to fit it.

RootHammer, Kourai and Chiba: of n guests,

    d_w(n) = reboot_vmm(n) + resume(n)
    d_c(n) = reset_hw + reboot_vmm(0) + reboot_os(n) - alpha reboot_os(1)
    r(n)   = d_c(n) - d_w(n)
"""

from collections.abc import Sequence
from dataclasses import dataclass

# The part of the guests' own interval that has gone by when the host is rebooted.
ALPHA = 0.5
WEEK = 7 * 24 * 3600.0
# Guests are rejuvenated every week, hosts every four.
OS_REBOOTS = 4


@dataclass(frozen=True)
class Line:
    """slope n + intercept, in seconds."""

    slope: float
    intercept: float
    points: int = 0     # it was fitted to; 0: it follows from other lines

    def at(self, n: float) -> float:
        return self.slope * n + self.intercept

    def plus(self, other: "Line") -> "Line":
        return Line(self.slope + other.slope, self.intercept + other.intercept)

    def minus(self, other: "Line") -> "Line":
        return Line(self.slope - other.slope, self.intercept - other.intercept)

    def __str__(self) -> str:
        sign = "-" if self.intercept < 0 else "+"
        return f"{self.slope:.3f} n {sign} {abs(self.intercept):.3f}"


def fit(points: Sequence[tuple[float, float]]) -> Line | None:
    """The line of least squares; None if the points are of less than two numbers of guests."""
    if len({x for x, _ in points}) < 2:
        return None
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    slope = (sum((x - mean_x) * (y - mean_y) for x, y in points)
             / sum((x - mean_x) ** 2 for x, _ in points))
    return Line(slope, mean_y - slope * mean_x, count)


def warm_downtime(reboot_vmm: Line, resume: Line) -> Line:
    return reboot_vmm.plus(resume)


def cold_downtime(reset_hw: float, reboot_vmm_0: float, reboot_os: Line,
                  alpha: float = ALPHA) -> Line:
    return Line(reboot_os.slope, reset_hw + reboot_vmm_0 + reboot_os.intercept
                - alpha * reboot_os.at(1))


def availability(downtime: float, os_downtime: float, os_reboots: float = OS_REBOOTS) -> float:
    """Of a guest over four weeks: one reboot of the host, os_reboots of its own.

    After a cold reboot of the host, which reboots the guest too, its next own one is later:
    then os_reboots is OS_REBOOTS - alpha.
    """
    return 1 - (downtime + os_reboots * os_downtime) / (OS_REBOOTS * WEEK)
