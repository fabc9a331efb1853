# SPDX-License-Identifier: GPL-2.0-only
"""What must still be true of a guest after the host under it was replaced."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import ProductFailure
from .guest import Guest


@dataclass(frozen=True)
class Check:
    """One thing that must be so, whether it is, and what was seen."""

    what: str
    ok: bool
    seen: str


@dataclass(frozen=True)
class GuestState:
    boot_id: str
    processes: dict[str, str]
    redis_digest: str
    redis_salt: str
    seed: str
    pid: int
    pages: int
    bad: int
    uptime: float

    @classmethod
    def look(cls, guest: Guest, seconds: float = 300) -> "GuestState":
        """Asks the guest, whatever its answers."""
        witness = guest.witness("check", seconds)
        return cls(boot_id=guest.boot_id(), processes=guest.processes(),
                   redis_digest=guest.redis_digest(), redis_salt=guest.redis("GET", "lab:salt"),
                   seed=witness["seed"], pid=witness["pid"], pages=witness["pages"],
                   bad=witness["bad"], uptime=witness["uptime"])

    @classmethod
    def of(cls, guest: Guest) -> "GuestState":
        """Asks the guest; fails if the witness has ever seen a wrong page."""
        state = cls.look(guest)
        if state.bad:
            raise ProductFailure(f"{guest.name}: {state.bad} wrong pages of {state.pages}")
        return state

    def continues_as(self, later: "GuestState") -> list[Check]:
        """Is later the same running guest, nothing started anew, nothing changed?"""
        same_witness = (later.seed, later.pid, later.pages) == (self.seed, self.pid, self.pages)
        same_data = (later.redis_digest, later.redis_salt) == (self.redis_digest, self.redis_salt)
        return [
            Check("it has not been booted again", later.boot_id == self.boot_id,
                  change("boot id", self.boot_id, later.boot_id)),
            Check("its uptime goes on", later.uptime > self.uptime,
                  f"{self.uptime:.0f} s, then {later.uptime:.0f} s"),
            Check("no process has started anew", later.processes == self.processes,
                  change("process ids", listed(self.processes), listed(later.processes))),
            Check("every page of the memory witness is right", same_witness and later.bad == 0,
                  f"{later.bad} of {later.pages} pages wrong"
                  + ("" if same_witness else ", and it is another witness")),
            Check("Redis holds the same data", same_data,
                  change("digest", self.redis_digest, later.redis_digest)),
        ]

    def must_continue_as(self, later: "GuestState") -> None:
        wrong = [f"{c.what}: no; {c.seen}" for c in self.continues_as(later) if not c.ok]
        if wrong:
            raise ProductFailure("\n".join(wrong))


def all_must_continue(guests: Iterable[Guest], before: Mapping[str, GuestState]) -> None:
    """Waits for each guest; fails unless it is the one that it was before, by name."""
    for guest in guests:
        guest.wait_up()
        before[guest.name].must_continue_as(GuestState.of(guest))


def listed(processes: dict[str, str]) -> str:
    return ", ".join(f"{name} {pid}" for name, pid in processes.items())


def change(what: str, before: str, after: str) -> str:
    return f"{what} {after}" if before == after else f"{what} {before}, then {after}"
