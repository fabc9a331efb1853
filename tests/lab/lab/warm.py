# SPDX-License-Identifier: GPL-2.0-only
"""One warm reboot, as an operator would do it, and what there is to know about it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .clock import wait_until
from .errors import ProductFailure
from .host import DEATH, Host
from .spec import GuestSpec

Json = dict[str, Any]

# Guests of different sizes, both types, one and two processors.
WEB = GuestSpec("web", "pvh", memory=384, vcpus=2, witness=96)
DB = GuestSpec("db", "pvh", memory=256)
OLD = GuestSpec("old", "pv", memory=256)
ALL = [WEB, DB, OLD]
# One of each type: what most tests run on. Few kinds of host mean few snapshots to boot.
PAIR = [DB, OLD]

RANGE_START = 0x20000000


@dataclass(frozen=True)
class Command:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


def dry_run(host: Host, *options: str) -> Command:
    result = host.dom0(" ".join(["xl-warm-reboot --dry-run --json", *options]), check=False)
    return Command(result.code, result.out, result.err)


def findings(report: Json, verdict: str = "refused") -> list[Json]:
    return [f for f in report["findings"] if f["verdict"] == verdict]


def preserved(host: Host) -> dict[str, Json]:
    """Guests that wait for being resumed, by name."""
    return {g["name"]: g for g in json.loads(host.dom0("roothammer list --json").out)["guests"]}


def begin(host: Host, *options: str) -> tuple[Any, int]:
    """Starts xl-warm-reboot; returns its process and the console offset from which to look."""
    since = host.serial.end()
    log = host.folder / f"warm-{since}.log"
    return host.ssh.start(" ".join(["xl-warm-reboot", *options]), log), since


def wait_jump(host: Host, process: Any, since: int, seconds: float = 1200) -> None:
    """Until the next hypervisor's first line."""
    log = host.folder / f"warm-{since}.log"

    def probe() -> bool:
        if host.serial.find(r"^\(XEN\).* Xen version", since):
            return True
        bad = host.serial.find(DEATH, since)
        if bad:
            raise ProductFailure(f"console says {bad[0]!r} before the jump")
        code = process.poll()
        if code not in (None, 255):  # 255: ssh lost the connection, as it must
            raise ProductFailure(f"xl-warm-reboot ended with {code}:\n"
                                 + log.read_text(errors="replace"))
        host.qemu.check()
        return False

    wait_until("the next hypervisor's first line", seconds, probe)


def wait_resumed(host: Host, since: int, seconds: float = 1200) -> None:
    """Until the new dom0 is up and its resume service has ended, well or not."""
    host.wait_dom0(seconds, since)
    wait_until("the resume service", seconds, lambda: host.dom0(
        "systemctl show -P ActiveState roothammer-resume.service").out.strip()
        in ("active", "failed", "inactive"), 1)


def warm_reboot(host: Host, *options: str, seconds: float = 1200,
                show: Callable[[str], None] = print) -> Json:
    """The whole thing; returns the timeline. Guests are running again when it returns."""
    boot_id = host.dom0_boot_id()
    process, since = begin(host, *options)
    try:
        wait_jump(host, process, since, seconds)
    finally:
        host.ssh.end(process)
    wait_resumed(host, since, seconds)
    if host.dom0_boot_id() == boot_id:
        raise ProductFailure("dom0 is not a new one")
    waiting = preserved(host)
    if waiting:
        raise ProductFailure(f"not resumed: {waiting}\n" + host.dom0(
            "journalctl -b --no-pager -u roothammer-resume.service").out)
    timeline: Json = json.loads(host.dom0("roothammer timeline --json").out)
    show(host.dom0("roothammer timeline").out)
    return timeline


def build_id(host: Host) -> str:
    """Names the hypervisor that runs: its version and the hash its linker made of it."""
    info = host.xen_info()
    return f"{info['xen_version']}, build id {info['build_id']}"


def balloon(host: Host, guest: str, megabytes: int, seconds: float = 1200) -> None:
    """Has a guest give memory back, or take it again, and waits until it has."""
    host.dom0(f"xl mem-set {guest} {megabytes}")

    def reached() -> bool:
        for line in host.dom0("xl list").out.splitlines()[1:]:
            name, _, memory = line.split()[:3]
            if name == guest:
                return abs(int(memory) - megabytes) <= 2
        raise ProductFailure(f"{guest} is gone")

    wait_until(f"{guest} has {megabytes} MiB", seconds, reached, 1)
