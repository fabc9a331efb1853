# SPDX-License-Identifier: GPL-2.0-only
"""One reboot of a host in each of three ways, and everything that is kept of it.

A piece is one way on one shape: a host is booted, its clients started, it is rebooted, and its
guests must all be there again. Times are seconds of the machine's clock.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.clock import wait_until
from lab.errors import ProductFailure
from lab.host import DEATH, Host
from lab.spec import guest_ip
from lab.warm import build_id, warm_reboot

from . import cache, console, downtime
from .clients import Outside
from .hosts import BenchHost, saves_mib, stock_spec, warm_spec, xendomains
from .shapes import Shape

Json = dict[str, Any]
Say = Callable[[str], None]

# Limits of waits, in seconds of ours: emulation under instruction counting is slow.
BOOT = 3600
REBOOT = 5400


class Piece:
    """A host before and after one reboot."""

    def __init__(self, way: str, shape: Shape, host: Host, outside: Outside, say: Say):
        self.way = way
        self.shape = shape
        self.host = host
        self.outside = outside
        self.say = say
        self.result: Json = {"way": way, "guests": shape.guests, "mib": shape.mib}

    def versions(self) -> Json:
        info = self.host.xen_info()
        qemu = self.host.monitor.command("query-version")["qemu"]
        return {"xen": build_id(self.host), "qemu": "{major}.{minor}.{micro}".format(**qemu),
                "spec": repr(self.host.spec.with_(files=())),
                "xen_command_line": info.get("xen_commandline", ""),
                "dom0_kernel": info.get("release", ""), "dom0": self.host.spec.dom0_type,
                "host_mib": self.host.spec.megabytes(),
                "guest_configuration": self.host.spec.guests[0].config(0)}

    def boot_ids(self) -> dict[str, str]:
        return {g.name: g.boot_id() for g in self.host.guests}

    def run(self, reboot: Callable[["Piece"], Json], probe: bool) -> Json:
        """The piece's result. reboot: what is done, and what it knows of it."""
        host, outside, first = self.host, self.outside, self.host.guests[0]
        self.result["versions"] = self.versions()
        before = self.boot_ids()
        looks: Json = {}
        if probe:
            cache.make_files(first)     # which fills the cache too
            cache.look(host, first)
            looks["before"] = cache.look(host, first)
        offset = self.clock_offset()
        self.say("clients start")
        outside.start()
        outside.settle()
        outside.mark(f"{self.way} begins")
        self.say("reboot begins")
        known = reboot(self)
        for guest in host.guests:
            guest.wait_up(BOOT)
        self.say("every guest serves")
        outside.settle()
        outside.mark(f"{self.way} ends")
        outside.stop()
        if probe:
            # Nobody has read the files yet.
            looks["after"] = cache.look(host, first)
            looks["later"] = cache.look(host, first)
        after = self.boot_ids()
        kept = [name for name in before if after[name] == before[name]]
        if len(kept) != (0 if self.way == "cold" else len(before)):
            raise ProductFailure(f"{self.way} reboot: of {sorted(before)} "
                                 f"the same still run: {kept}")
        packets = outside.packets()
        found = downtime.marks(packets)
        begin, end = (downtime.mark(found, f"{self.way} {w}") for w in ("begins", "ends"))
        addresses = {g.name: guest_ip(i) for i, g in enumerate(host.spec.guests)}
        try:
            gaps = downtime.downtimes(packets, addresses, begin, end)
        except ValueError as e:
            raise ProductFailure(f"the clients' record: {e}") from None
        self.result |= known | {
            "begins": begin, "ends": end, "counter_to_clock": offset, "downtime": gaps,
            "calls": downtime.calls(found, begin, end), "client_pauses": outside.pauses}
        if looks:
            self.result["cache"] = looks
        return self.result

    def clock_offset(self) -> float:
        """What to add to a time of the counter to get one of the recorded packets.

        dom0 has a console line printed between two packets. QEMU starts its packets' clock at a
        whole second, so the offset is one.
        """
        host, since = self.host, self.host.serial.end()
        host.dom0("bash -c 'echo bench: clock before > /dev/udp/10.0.2.2/9; xl debug-keys t;"
                  " echo bench: clock after > /dev/udp/10.0.2.2/9'")
        stamped = wait_until("the hypervisor's answer to a debug key", 60, lambda: [
            when for when, _ in console.lines(host.serial.read(since)) if when is not None])
        found = self.outside.marks()
        low = downtime.mark(found, "clock before") - stamped[0]
        high = downtime.mark(found, "clock after") - stamped[0]
        self.result["clock_bracket"] = [low, high]
        if round(high) != round(low) or low <= round(low) <= high:
            return float(round((low + high) / 2))
        return (low + high) / 2


def warm(piece: Piece) -> Json:
    host, since = piece.host, piece.host.serial.end()
    timeline = warm_reboot(host, seconds=REBOOT, show=lambda _: piece.say("the new dom0 is up"))
    if abs(timeline["tsc_khz"] - 1_000_000) >= 2000:
        raise ProductFailure("the machine's counter is not the instruction-counted clock")
    said = host.serial.read(since)
    begun, frozen = console.events(said, "freeze"), console.events(said, "frozen")
    ticks = console.TICKS_A_SECOND
    freeze, resume = {}, {}
    for g in timeline["guests"]:
        name = g["name"]
        freeze[name] = {"whole": frozen[name] - begun[name],
                        "standing_still": frozen[name] - g["suspended"] / ticks}
        resume[name] = {"whole": (g["running"] - g["restore_start"]) / ticks,
                        "adopt": g["adopt_ticks"] / ticks, "commit": g["commit_ticks"] / ticks}
    missing = {g.name for g in host.guests} - freeze.keys()
    if missing:
        raise ProductFailure(f"the timeline knows nothing of {sorted(missing)}")
    at = {key: timeline[key] / ticks
          for key in ("armed", "jump", "entry", "heap", "dom0", "resume_start", "resume_end")}
    at["first_freeze"], at["last_frozen"] = min(begun.values()), max(frozen.values())
    return {"freeze": freeze, "resume": resume, "at": at, "timeline": timeline,
            "early": "lab.early" in host.spec.dom0_args}


def reset(piece: Piece) -> Json:
    """An ordinary reboot of dom0; what becomes of the guests is xendomains' affair."""
    host, since = piece.host, piece.host.serial.end()
    log = host.folder / f"reboot-{since}.log"
    process = host.ssh.start("systemctl reboot", log)
    try:
        def probe() -> re.Match[str] | None:
            found = host.serial.find(r"^\(XEN\).* Xen version", since)
            bad = None if found else host.serial.find(DEATH, since)
            if bad:
                raise ProductFailure(f"console says {bad[0]!r} before the reset")
            host.qemu.check()
            return found
        wait_until("the reset", REBOOT, probe)
    finally:
        host.ssh.end(process)
    piece.say("the machine was reset")
    text = host.serial.read(since)
    entry = text.index(" Xen version")
    host.wait_dom0(REBOOT, since + len(text[:entry].encode()))
    piece.say("dom0 is up")
    at = console.reset(host.serial.read(since))
    return {"at": {"reset": at.reset, "entry": at.entry, "dom0": at.dom0}}


def check_calls(result: Json) -> None:
    """Every guest was saved and restored, or shut down and created, once and without an error."""
    verbs = ("save", "restore") if result["way"] == "saved" else ("shutdown", "create")
    for verb in verbs:
        seen = [c for c in result["calls"] if c["verb"] == verb]
        wrong = [c for c in seen if c.get("code") != 0]
        if wrong or len({c["guest"] for c in seen}) != result["guests"]:
            raise ProductFailure(f"{result['way']}: xl {verb} of the guests: {seen}")


@contextmanager
def booted(name: str, shape: Shape, memory: int, way: str, dom0: str, early: bool, record: Path,
           say: Say) -> Iterator[tuple[Host, Outside]]:
    stock = way != "warm"
    spec = stock_spec(shape, memory, dom0) if stock else warm_spec(shape, memory, dom0, early)
    say(f"booting: {spec.megabytes()} MiB, {shape.guests} guests of {shape.mib} MiB")
    with BenchHost(spec, name, saves_mib(shape) if stock else 0) as host, \
            Outside(host, record) as outside:
        host.wait_dom0(BOOT)
        say("dom0 is up")
        for guest in host.guests:
            guest.wait_up(BOOT)
        say("every guest serves")
        yield host, outside


def run(way: str, shape: Shape, *, memory: int, dom0: str, early: bool, probe: bool, folder: Path,
        say: Say) -> Json:
    """One piece, on a host of so many MiB.

    Raises ProductFailure if a guest was lost; the run's folder keeps the logs.
    """
    with booted(f"bench-{way}-{shape}", shape, memory, way, dom0, early,
                folder / f"{way}-{shape}.pcap", say) as (host, outside):
        piece = Piece(way, shape, host, outside, say)
        if way == "warm":
            return piece.run(warm, probe)
        put_xendomains(host, way)
        result = piece.run(reset, probe)
        check_calls(result)
        return result


def put_xendomains(host: Host, way: str) -> None:
    host.ssh.put(xendomains(way).encode(), "/etc/default/xendomains")
