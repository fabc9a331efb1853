# SPDX-License-Identifier: GPL-2.0-only
"""When things happened, from the hypervisor's console lines, which carry the time stamp counter."""

import re
from dataclasses import dataclass

# The counter runs at 1 GHz where an instruction is 2 ns (QEMU's -icount shift=1).
TICKS_A_SECOND = 1e9
LINE = re.compile(r"^\(XEN\) (?:\[([0-9a-f]{16})\] )?(.*)$", re.MULTILINE)
RESET = r"Hardware Dom0 shutdown|Resetting with|rebooting machine"
FIRST = r"Xen version \d"
DOM0 = r"\*\*\* Serial input to DOM0|Freed \d+kB init memory"


@dataclass(frozen=True)
class Reset:
    """A hardware reset, in seconds of the counter."""

    reset: float     # the last the old hypervisor said
    entry: float     # the new one's first line
    dom0: float      # it has handed over to dom0's kernel


def lines(text: str) -> list[tuple[float | None, str]]:
    """Every line of the hypervisor: when, and what."""
    return [(int(m[1], 16) / TICKS_A_SECOND if m[1] else None, m[2])
            for m in LINE.finditer(text)]


def reset(text: str) -> Reset:
    """text: the console from before the reboot on. Raises ValueError if a line is missing."""
    found = lines(text)
    entry = next((i for i, (_, what) in enumerate(found) if re.search(FIRST, what)), None)
    if entry is None:
        raise ValueError("the console shows no new hypervisor")
    before = [when for when, what in found[:entry] if when is not None
              and re.search(RESET, what)]
    after = [when for when, what in found[entry:] if when is not None and re.search(DOM0, what)]
    first = found[entry][0]
    if not before or not after or first is None:
        raise ValueError("the console does not show when the machine was reset and dom0 began")
    return Reset(before[-1], first, after[0])


def events(text: str, event: str) -> dict[str, float]:
    """Guest -> when roothammer logged this event of it."""
    return {name: int(tsc) / TICKS_A_SECOND
            for name, tsc in re.findall(rf"event={event} guest=(\S+) tsc=(\d+)", text)}
