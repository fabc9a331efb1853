# SPDX-License-Identifier: GPL-2.0-only
"""How fast and how good a host's line is: netem in its dom0, on what the card sends.

In dom0 and not on the wire, so that rate and delay are in the emulated machine's own time, which
passes at another pace than ours and, under instruction counting, counts instructions.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """As tc-netem(8) writes them: rate="10mbit", delay="20ms" or "20ms 5ms", loss="1%"."""

    rate: str = ""
    delay: str = ""
    loss: str = ""
    duplicate: str = ""
    corrupt: str = ""
    # Frames that wait to be sent. netem's own 1000 is little for a line that is fast and long.
    limit: int = 10000

    def commands(self, card: str) -> list[str]:
        words = [f"{name} {value}" for name, value in (
            ("rate", self.rate), ("delay", self.delay), ("loss", self.loss),
            ("duplicate", self.duplicate), ("corrupt", self.corrupt)) if value]
        # netem drops whole pieces of 64 KiB, where a line would drop one frame of them.
        pieces = 1 if self.loss or self.duplicate or self.corrupt else 65535
        return [f"ip link set dev {card} gso_max_segs {pieces}",
                f"tc qdisc replace dev {card} root netem limit {self.limit} {' '.join(words)}"]


def unshaped(card: str) -> list[str]:
    return [f"ip link set dev {card} gso_max_segs 65535",
            f"tc qdisc del dev {card} root 2>/dev/null || true"]
