# SPDX-License-Identifier: GPL-2.0-only
"""From recorded packets: marks, and how long a service outside saw was away."""

import bisect
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from lab.pcap import ACK, SYN, TCP, UDP, Packet

# What only an answer contains: sshd's first line; Redis saying that its data set is there.
SERVICES = {"ssh": (22, b"SSH-"), "redis": (6379, b":1\r\n")}


@dataclass(frozen=True)
class Gap:
    """How long a service was away, in seconds of the machine's clock."""

    start: float        # the last answer before, of any of the guest's services
    end: float          # its first after
    length: float
    # What the length may be too long by: the service went after the last answer and before the
    # first question without one, and came back likewise.
    resolution: float
    questions: int      # asked in vain


def answers(packets: Iterable[Packet], ip: str, port: int, contains: bytes) -> list[float]:
    return [p.time for p in packets if p.protocol == TCP and p.source == (ip, port)
            and contains in p.payload]


def questions(packets: Iterable[Packet], ip: str, port: int) -> list[float]:
    """When a client tried to connect, or a datagram asked whether the guest is there at all."""
    return [p.time for p in packets
            if (p.protocol == TCP and p.target == (ip, port) and p.flags & (SYN | ACK) == SYN)
            or (p.protocol == UDP and p.target[0] == ip)]


def longest_gap(answered: Sequence[float], asked: Sequence[float], begin: float,
                end: float, others: Sequence[float] = ()) -> Gap:
    """Between two answers of which the later one is after begin and the earlier before end.

    others: when other services of the guest answered. Until the guest fell silent this one was
    there too, though it may not have been asked. (One that a shutdown ends before the others
    then seems to go a little later than it did.)

    Raises ValueError if there is none: a service that was never heard before or after was not
    seen to be away, it was not seen.
    """
    pairs = [(later - earlier, earlier, later)
             for earlier, later in zip(answered, answered[1:], strict=False)
             if later > begin and earlier < end]
    if not pairs:
        raise ValueError("no two answers around the reboot")
    _, last, stop = max(pairs)
    signs = [last, *(t for t in sorted(others) if last < t < stop), stop]
    start = max(pairwise(signs), key=lambda pair: pair[1] - pair[0])[0]
    vain = asked[bisect.bisect_right(asked, start):bisect.bisect_left(asked, stop)]
    # The question that was answered at stop is in there as well: the last one, unless it was
    # asked before the answer before.
    unanswered = vain[:-1]
    seen = unanswered[-1] - unanswered[0] if unanswered else 0.0
    return Gap(start, stop, stop - start, stop - start - seen, len(unanswered))


def marks(packets: Iterable[Packet]) -> list[tuple[float, str]]:
    """(time, words) of every mark, dom0's and the clients'."""
    out = []
    for p in packets:
        if p.protocol == UDP and p.payload.startswith(b"bench: "):
            out.append((p.time, p.payload.decode("utf-8", "replace")[7:].strip()))
    return out


def mark(found: Sequence[tuple[float, str]], words: str) -> float:
    """When the last mark of these words was made."""
    times = [time for time, text in found if text == words]
    if not times:
        raise ValueError(f"no mark {words!r} was recorded")
    return times[-1]


def calls(found: Sequence[tuple[float, str]], begin: float, end: float) -> list[dict[str, Any]]:
    """What xendomains asked the toolstack for between two times, in order."""
    out: list[dict[str, Any]] = []
    for time, text in found:
        if not begin <= time <= end:
            continue
        started = re.fullmatch(r"begin (\w+) (\S+)", text)
        ended = re.fullmatch(r"end (\w+) (\S+) (\d+) (\d+)", text)
        if started:
            out.append({"verb": started[1], "guest": started[2], "begin": time})
        elif ended:
            for call in reversed(out):
                if (call["verb"], call["guest"]) == (ended[1], ended[2]) and "end" not in call:
                    call |= {"end": time, "seconds": time - call["begin"],
                             "code": int(ended[3]), "bytes": int(ended[4])}
                    break
    return out


def downtimes(packets: Sequence[Packet], addresses: dict[str, str], begin: float,
              end: float) -> dict[str, dict[str, dict[str, Any]]]:
    """Guest -> service -> gap."""
    out: dict[str, dict[str, dict[str, Any]]] = {}
    for name, ip in addresses.items():
        out[name] = {}
        answered = {service: answers(packets, ip, port, contains)
                    for service, (port, contains) in SERVICES.items()}
        for service, (port, _) in SERVICES.items():
            others = [t for other in SERVICES if other != service for t in answered[other]]
            try:
                gap = longest_gap(answered[service], questions(packets, ip, port), begin, end,
                                  others)
            except ValueError as e:
                raise ValueError(f"{name}, {service}: {e}") from None
            out[name][service] = asdict(gap)
    return out
