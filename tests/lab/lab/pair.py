# SPDX-License-Identifier: GPL-2.0-only
"""Two hosts, the networks between them, and a client outside.

    with Pair.from_snapshot(HostSpec(guests=(GuestSpec("g1"),)), HostSpec()) as pair:
        pair.a.dom0("xl migrate g1 b")
        pair.guest("g1").witness()              # from the client, wherever the guest is
        pair.link.cut("a", "b")                 # the hosts' own line; clients notice nothing
        pair.network.cut("a", "client")         # the network of guests, clients and dom0s
        pair.a.shape("peer0", rate="100mbit", delay="5ms")
        with pair.b.capture("peer0") as seen: ...

    network  10.0.2.0/24  a .11, b .12, client .2, guests .16 and up    net0 in each dom0, in xenbr0
    link     10.0.4.0/24  a .11, b .12                                  peer0 in each dom0
"""

import contextlib
import os
import shutil
import sys
from pathlib import Path
from types import TracebackType

from . import paths
from .errors import EnvironmentFailure
from .guest import Guest
from .host import Host, claim
from .namespace import Namespace
from .qemu import Card
from .snapshot import Snapshot, booting, copy_sparse
from .spec import CLIENT_IP, GUEST_PORTS, GuestSpec, HostSpec, Side, guest_ip
from .ssh import Ssh
from .wire import Wire


def sides(a: HostSpec, b: HostSpec) -> tuple[HostSpec, HostSpec]:
    everyone = a.guests + b.guests
    if len({g.name for g in everyone}) != len(everyone):
        raise EnvironmentFailure("two guests of a pair of hosts have the same name")
    return a.with_(side=Side("a", everyone)), b.with_(side=Side("b", everyone))


class Pair:
    def __init__(self, a: HostSpec, b: HostSpec, name: str = "pair", interactive: bool = False,
                 snapshots: tuple[Snapshot, Snapshot] | None = None):
        """interactive: the console of a is this terminal."""
        specs = sides(a, b)
        self.name = name
        self.hosts: list[Host] = []
        # Guest -> the file that is its disk, on both hosts.
        self.disks: dict[str, Path] = {}
        with contextlib.ExitStack() as made:
            self.folder = paths.RUNS / name
            made.enter_context(claim(self.folder))
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            made.callback(self._drop_disks)
            for i, spec in enumerate(specs):
                for guest in spec.guests:
                    file = self.folder / self._disk_name(guest.name)
                    copy_sparse(snapshots[i].folder / file.name if snapshots
                                else paths.need(paths.GUEST_IMAGE), file)
                    self.disks[guest.name] = file
            self.client = made.enter_context(contextlib.closing(Namespace()))
            self.network = made.enter_context(contextlib.closing(Wire()))
            self.link = made.enter_context(contextlib.closing(Wire()))
            self.network.join("client", self.client, f"{CLIENT_IP}/24")
            for i, spec in enumerate(specs):
                host = Host(spec, f"{name}-{'ab'[i]}", interactive and i == 0,
                            snapshots[i] if snapshots else None, self)
                self.hosts.append(host)
                made.callback(host.close)
            self.a, self.b = self.hosts
            self._made = made.pop_all()

    @staticmethod
    def _disk_name(guest: str) -> str:
        return f"guest-{guest}.raw"

    def _drop_disks(self) -> None:
        for file in self.disks.values():
            file.unlink(missing_ok=True)

    @classmethod
    def from_snapshot(cls, a: HostSpec, b: HostSpec, name: str = "pair") -> "Pair":
        """Both hosts serving in seconds, booted once for each kind of pair: Host.from_snapshot."""
        specs = sides(a, b)
        with booting(specs[0]), booting(specs[1]):
            kept = cls.find_snapshots(a, b)
            if kept is None:
                with cls(a, b, name) as pair:
                    pair.wait_up()
                    for host in pair.hosts:
                        Snapshot.take(host, [pair.disks[g.name] for g in host.spec.guests])
                kept = cls.find_snapshots(a, b)
                assert kept
            pair = cls(a, b, name, snapshots=kept)
        try:
            for host in pair.hosts:
                host.dom0("lab-restage", seconds=900)
        except BaseException:
            print(pair.report(), file=sys.stderr)
            pair.close()
            raise
        return pair

    @staticmethod
    def find_snapshots(a: HostSpec, b: HostSpec) -> tuple[Snapshot, Snapshot] | None:
        of_a, of_b = (Snapshot.find(spec) for spec in sides(a, b))
        return (of_a, of_b) if of_a and of_b else None

    # --- for Host
    def cards(self, spec: HostSpec) -> list[Card]:
        assert spec.side
        cards: list[Card] = []
        try:
            for name, wire in zip(Side.CARDS, (self.network, self.link), strict=True):
                cards.append(Card(name, spec.side.mac(name), wire.tap(spec.side.name)))
        except BaseException:
            for card in cards:
                os.close(card.tap)
            raise
        return cards

    def make_guest(self, spec: GuestSpec, index: int, control: Path) -> Guest:
        """As the client reaches it, by its own address, on whichever host it is."""
        address = guest_ip(index)
        ssh = Ssh(spec.name, GUEST_PORTS["ssh"], control, self.check, address,
                  self.client.prefix())
        return Guest(spec, GUEST_PORTS, ssh, address, self.client)

    # --- life
    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is not None:
            print(self.report(), file=sys.stderr)
        self.close()

    def close(self) -> None:
        """Kills both machines; the networks go with them. The serial logs stay."""
        self._made.close()

    def check(self) -> None:
        for host in self.hosts:
            host.qemu.check()

    def report(self, lines: int = 60) -> str:
        return "\n".join(host.report(lines) for host in self.hosts)

    def wait_up(self, seconds: float = 1800) -> None:
        for host in self.hosts:
            host.wait_up(seconds)

    def guest(self, name: str) -> Guest:
        for host in self.hosts:
            for guest in host.guests:
                if guest.name == name:
                    return guest
        raise EnvironmentFailure(f"neither host has a guest {name}")

    def on(self, guest: str) -> list[str]:
        """The hosts that have such a domain: a, b."""
        return [h.spec.side.name for h in self.hosts if h.spec.side and guest in h.domains()]
