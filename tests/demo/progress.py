# SPDX-License-Identifier: GPL-2.0-only
"""What happens on the host, told while it happens: its console, turned into plain sentences."""

import re
import threading

from lab.serial import SerialLog

# A console line, and what it means to somebody who has never seen one.
MEANING = [
    (r"^\(XEN\) (?:\[[^]]*\] )?Xen version ([\w.-]+)", "Xen {0} starts"),
    (r"Linux version (\S+) ", "dom0's kernel starts: Linux {0}"),
    (r"event=freeze guest=(\S+)", "{0} is asked to suspend, in memory"),
    (r"event=frozen guest=(\S+)", "{0} is frozen; its memory stays where it is"),
    (r"event=armed", "the list of all preserved memory is complete"),
    (r"event=resume guest=(\S+)", "{0} gets a new domain, around the memory it had"),
    (r"event=running guest=(\S+)", "{0} runs again"),
    (r"event=(?:abort|freeze-failed|resume-failed)(.*)", "FAILED{0}"),
    (r"dom0 login:", "dom0 is up"),
    (r"vif vif-(\d+)-0 vif.*: Guest Rx ready", "domain {0} has its network"),
]


class Progress:
    """Follows the console inside a with block."""

    def __init__(self, serial: SerialLog):
        self._serial = serial
        self._since = serial.end()
        self._told = 0  # lines since then
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ended.wait(0.3):
            self._tell()
        self._tell()

    def _tell(self) -> None:
        text = self._serial.read(self._since)
        lines = text.splitlines()
        # The last line may still grow; a prompt does not.
        if lines and not text.endswith("\n") and not lines[-1].rstrip().endswith("login:"):
            lines.pop()
        for line in lines[self._told:]:
            sentence = meaning(line)
            if sentence:
                print(f"        {sentence}", flush=True)
        self._told = max(self._told, len(lines))


def meaning(line: str) -> str | None:
    for pattern, sentence in MEANING:
        found = re.search(pattern, line)
        if found:
            return sentence.format(*found.groups())
    return None
