# SPDX-License-Identifier: GPL-2.0-only
"""What the benchmark is to show, and whether it did: met, missed, or not run."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """value is a share (0.05: 5 %); it must not pass limit, and is below it if strict."""

    what: str
    limit: float
    value: float | None
    strict: bool = False
    # The same if every saved byte took a disk's time: computed.
    with_disk: Mapping[str, float] = field(default_factory=dict)

    def verdict(self, value: float | None) -> str:
        if value is None:
            return "not run"
        met = value < self.limit if self.strict else value <= self.limit
        return "met" if met else "missed"

    def line(self) -> str:
        limit = f"{'below' if self.strict else 'at most'} {percent(self.limit)}"
        value = "" if self.value is None else f", {percent(self.value)}"
        text = f"{self.verdict(self.value):<8} {self.what}: {limit}{value}"
        if self.value is not None and self.with_disk:
            text += "\n         computed, saved bytes on a disk: " + "; ".join(
                f"{disk} {percent(v)} ({self.verdict(v)})" for disk, v in self.with_disk.items())
        return text


def percent(share: float) -> str:
    """Three significant digits, never in powers of ten."""
    value = share * 100
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f} %"


def ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole
