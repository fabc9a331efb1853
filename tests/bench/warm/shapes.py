# SPDX-License-Identifier: GPL-2.0-only
"""How many guests of which size a piece of the benchmark has."""

from collections.abc import Iterable
from dataclasses import dataclass

WAYS = ("warm", "saved", "cold")

# The paper's: eleven guests of 1 GB.
FULL = 11
COUNTED_MIB = 1024
STEPS = (1, 3, 6, 11)


@dataclass(frozen=True, order=True)
class Shape:
    guests: int
    mib: int

    def __str__(self) -> str:
        return f"{self.guests}x{self.mib}"

    @classmethod
    def parse(cls, text: str) -> "Shape":
        guests, mib = text.split("x")
        return cls(int(guests), int(mib))


# The one on which the caches are looked at; every run has it.
PROBED = Shape(1, COUNTED_MIB)


def counts(most: int) -> list[int]:
    """Numbers of guests up to most, itself always among them."""
    return sorted({n for n in STEPS if n < most} | {most})


def shapes(most: int, sizes: Iterable[int]) -> list[Shape]:
    """All that is run, the cheap ones first: of a run that is cut there is something to show."""
    wanted = {Shape(1, mib) for mib in sizes} | {Shape(n, COUNTED_MIB) for n in counts(most)}
    return sorted(wanted, key=lambda s: (s.guests * s.mib, s.guests))
