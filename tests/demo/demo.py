# SPDX-License-Identifier: GPL-2.0-only
"""make demo: replace the hypervisor and dom0 under three running guests, and show that it is so.

Exit code 0: everything that must be so is. 1: something is not. 2: the lab does not work.
"""

import argparse
import contextlib
import dataclasses
import json
import sys
from pathlib import Path

from lab.errors import EnvironmentFailure, ProductFailure
from lab.guest import Guest, HttpConnection, RedisConnection, WitnessConnection
from lab.host import Host
from lab.report import Json, blackouts, timeline_table, verdict_table
from lab.snapshot import Snapshot
from lab.spec import HostSpec
from lab.state import Check, GuestState
from lab.warm import ALL, build_id, warm_reboot
from progress import Progress

CACHED = "/var/www/html/data/file5"
# 512-byte sectors of the 1 MiB file above that may come from the disk if the rest is cached
FEW_SECTORS = 64


class Client:
    """A client outside the host: three connections to one guest, held over the warm reboot."""

    def __init__(self, guest: Guest, stack: contextlib.ExitStack):
        self.guest = guest
        self.web: HttpConnection = stack.enter_context(guest.http_connection())
        self.redis: RedisConnection = stack.enter_context(guest.redis_connection())
        self.witness: WitnessConnection = stack.enter_context(guest.witness_connection())
        self._answer()
        guest.run(f"cat {CACHED} > /dev/null")
        self.before = GuestState.of(guest)
        self.witness.ask("reset")

    def _answer(self) -> bool:
        return self.web.get("/", 300) == b"ok\n" and self.redis.ask("PING", seconds=300) == "PONG"

    def gaps(self) -> list[Json]:
        """The times in which the guest did not run, as its own clocks show them."""
        gaps: list[Json] = self.witness.ask("get", seconds=300)["gaps"]
        return gaps

    def checks(self) -> list[Check]:
        try:
            held = Check("connections opened before still answer", self._answer(),
                         "web server, Redis, witness")
        except ProductFailure as e:
            held = Check("connections opened before still answer", False, str(e))
        later = GuestState.look(self.guest)
        reads = self.guest.disk_reads()
        self.guest.run(f"cat {CACHED} > /dev/null")
        reads = self.guest.disk_reads() - reads
        return [*self.before.continues_as(later), held,
                Check("a file it had cached is still cached", reads < FEW_SECTORS,
                      f"{reads} sectors of 2048 read from the disk")]


def replaced(what: str, before: str, after: str) -> Check:
    return Check(f"{what} is another one", before != after, f"{before}, then {after}")


def say(text: str) -> None:
    print(f"\n==> {text}", flush=True)


def boot(host: Host) -> None:
    """From power-on until every guest serves: some minutes, once."""
    say("The machine boots; the booted machine is kept for the next time")
    with Progress(host.serial):
        host.wait_dom0()
        for guest in host.guests:
            guest.wait_up()
            print(f"        {guest.name} serves: nginx, Redis with a data set, memory witness",
                  flush=True)


def run(host: Host) -> Json:
    """The demonstration proper; returns what is written as JSON."""
    with contextlib.ExitStack() as stack:
        say("Clients outside the host open TCP connections to every guest and keep them")
        clients = [Client(guest, stack) for guest in host.guests]
        old_xen, old_dom0 = build_id(host), host.dom0_boot_id()

        say("dom0: xl-warm-reboot (checks everything first, then stops dom0's services)")
        with Progress(host.serial):
            timeline = warm_reboot(host, show=lambda _: None)

        say("The clients ask on the connections they kept")
        gaps = {client.guest.name: client.gaps() for client in clients}
        checks = {"host": [replaced("the hypervisor", old_xen, build_id(host)),
                           replaced("dom0", f"boot id {old_dom0}", host.dom0_boot_id())]}
        for client in clients:
            checks[f"guest {client.guest.name}"] = client.checks()
    seen = blackouts(timeline, gaps)

    say("Timeline; 0 is the jump from the old Xen into the new one\n"
        "    (time of the emulated machine, which depends on how fast it is emulated today)\n")
    print(timeline_table(timeline, seen))
    say("What must be so\n")
    print(verdict_table(checks))
    return {"timeline": timeline, "blackout": seen, "gaps": gaps,
            "checks": {name: [dataclasses.asdict(c) for c in group]
                       for name, group in checks.items()},
            "ok": all(c.ok for group in checks.values() for c in group)}


def verdict(ok: bool, guests: int) -> str:
    if ok:
        return (f"PASSED. The hypervisor and dom0 under {guests} running guests were replaced. The "
                "guests stood\nstill for a moment; none was restarted, none lost a byte of memory or "
                "a connection.")
    return "FAILED. See the lines that say NO."


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("folder", type=Path, help="where demo.json goes")
    folder = parser.parse_args().folder
    result = folder / "demo.json"
    result.unlink(missing_ok=True)
    names = ", ".join(f"{g.name} ({g.type.upper()}, {g.memory} MiB)" for g in ALL)
    say(f"An emulated machine with Xen, dom0 and guests {names}")
    spec = HostSpec(guests=tuple(ALL))
    try:
        if Snapshot.find(spec):
            print("        going on from where an earlier run has booted it", flush=True)
        with Host.from_snapshot(spec, "demo", boot) as host:
            outcome = run(host)
            console = host.serial.path
    except ProductFailure as e:
        print(f"\nFAILED. {e}", file=sys.stderr)
        return 1
    except EnvironmentFailure as e:
        print(f"\nThe lab does not work here: {e}", file=sys.stderr)
        return 2
    result.write_text(json.dumps(outcome, indent=2) + "\n")
    say(verdict(outcome["ok"], len(ALL)))
    print(f"\n    {result}: the same as JSON. {console.relative_to(Path.cwd())}: the console.")
    return 0 if outcome["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
