# SPDX-License-Identifier: GPL-2.0-only
"""The host's serial log: Xen's console, with dom0's in it."""

import re
from collections.abc import Callable
from pathlib import Path

from .clock import wait_until
from .errors import ProductFailure


class SerialLog:
    """Reads the log that QEMU writes. Offsets count bytes from the machine's power-on."""

    def __init__(self, path: Path, alive: Callable[[], None]):
        self.path = path
        self._alive = alive

    def read(self, since: int = 0) -> str:
        try:
            with open(self.path, "rb") as f:
                f.seek(since)
                return f.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def end(self) -> int:
        """Where the log ends now: pass it as since= to look only at what comes later."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.read().splitlines()[-lines:])

    def find(self, pattern: str, since: int = 0) -> re.Match[str] | None:
        return re.search(pattern, self.read(since), re.MULTILINE)

    def wait_for(self, pattern: str, seconds: float, since: int = 0,
                 unless: str | None = None) -> re.Match[str]:
        """Waits for a line that matches; a line that matches unless= ends the wait at once."""

        def probe() -> re.Match[str] | None:
            text = self.read(since)
            found = re.search(pattern, text, re.MULTILINE)
            if found:
                return found
            bad = unless and re.search(unless, text, re.MULTILINE)
            if bad:
                raise ProductFailure(f"console says {bad[0]!r} while waiting for {pattern!r}")
            self._alive()
            return None

        return wait_until(f"console line {pattern!r}", seconds, probe, 0.1)
