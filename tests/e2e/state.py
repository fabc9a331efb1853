"""What must still be true of a guest after the host under it was replaced."""

from dataclasses import dataclass

from lab.guest import Guest


@dataclass(frozen=True)
class GuestState:
    boot_id: str
    processes: dict[str, str]
    redis_digest: str
    redis_salt: str
    seed: str
    pid: int
    pages: int
    uptime: float

    @classmethod
    def of(cls, guest: Guest) -> "GuestState":
        """Asks the guest; fails if the witness has ever seen a wrong page."""
        witness = guest.witness("check", seconds=120)
        assert witness["bad"] == 0, f"{guest.name}: {witness}"
        return cls(boot_id=guest.boot_id(), processes=guest.processes(),
                   redis_digest=guest.redis_digest(), redis_salt=guest.redis("GET", "lab:salt"),
                   seed=witness["seed"], pid=witness["pid"], pages=witness["pages"],
                   uptime=witness["uptime"])

    def must_continue_as(self, later: "GuestState") -> None:
        """The same running guest, some time later: nothing started anew, nothing changed."""
        assert later.boot_id == self.boot_id
        assert later.processes == self.processes
        assert later.redis_digest == self.redis_digest
        assert later.redis_salt == self.redis_salt
        assert (later.seed, later.pid, later.pages) == (self.seed, self.pid, self.pages)
        assert later.uptime > self.uptime
