# SPDX-License-Identifier: GPL-2.0-only
"""Deadlines. Every wait in the lab has one."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

from .errors import Timeout

# Emulation on a busy or slow machine: LAB_TIME_SCALE=3 makes every deadline three times as
# long. Deadlines only bound how long a failure takes; nothing is measured with them.
SCALE = float(os.environ.get("LAB_TIME_SCALE", "1"))

T = TypeVar("T")


class Deadline:
    def __init__(self, seconds: float, what: str):
        self.what = what
        self.seconds = seconds * SCALE
        self._end = time.monotonic() + self.seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        if self.left() == 0:
            raise Timeout(f"{self.what}: not within {self.seconds:g} s")


def wait_until(what: str, seconds: float, probe: Callable[[], T | None],
               interval: float = 0.2) -> T:
    """Calls probe until it returns something true; that is the result."""
    deadline = Deadline(seconds, what)
    while True:
        result = probe()
        if result:
            return result
        deadline.check()
        time.sleep(min(interval, max(deadline.left(), 0.001)))
