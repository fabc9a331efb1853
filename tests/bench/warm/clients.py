# SPDX-License-Identifier: GPL-2.0-only
"""Clients outside the host that keep asking its guests, and what QEMU records of that.

They pace themselves by the machine's clock, not by ours: what they load a guest with, and how
fine they see, does then not depend on how busy this machine is. That clock is read from the
packets as they are recorded; so that there always are some, a datagram goes in every so often.

A guest that is away is asked by datagrams only, to which its kernel answers that nobody listens.
QEMU would go on with every connection that was begun meanwhile, and the guest come back to all of
them at once.
"""

import contextlib
import socket
import threading
import time
from pathlib import Path
from types import TracebackType

from lab import pcap
from lab.clock import wait_until
from lab.errors import EnvironmentFailure
from lab.guest import Guest
from lab.host import Host
from lab.spec import DOM0_IP, guest_ip

from . import downtime

# Of a frame this much is recorded: headers, and the beginning of an answer.
RECORDED = 256
TICK = 0.02            # seconds of ours between two looks at the record
PATIENCE = 20.0        # of ours, the longest a client waits for an answer or for its turn
# Of the machine's clock: how long an answer may take of a guest that has taken the connection, and
# when a service is tried again that its guest does not have yet.
LONG, AGAIN = 5.0, 0.2
# And between two datagrams to a guest that is away, or to dom0 to keep the clock known. By our clock
# they would be the more the busier this machine is; QEMU keeps those that come before dom0 has its
# network up, and dom0 would have them all at once.
ASK = 0.1
SILENCE = 0.5          # seconds of ours after which dom0 gets one although the clock stands still


def pauses(guests: int) -> dict[str, float]:
    """Service -> seconds of the machine's clock from a question to the next.

    sshd starts two programs for every connection: all guests' together shall take a third of the
    emulated machine at most.
    """
    return {"ssh": max(0.5, guests / 4), "redis": 0.5}


class Client(threading.Thread):
    """Connects, waits for the answer, and again after a pause.

    Without an answer for a whole pause the guest is taken to be away, until it is heard of.
    """

    def __init__(self, outside: "Outside", guest: Guest, ip: str, service: str, question: bytes,
                 pause: float):
        super().__init__(name=f"{guest.name}-{service}", daemon=True)
        self._outside = outside
        self._port = guest.ports[service]
        self._question = question
        self._pause = pause
        port, self._answer = downtime.SERVICES[service]
        self._peer = (ip, port)
        self.ip = ip
        self.away = False
        self.answers = 0

    def run(self) -> None:
        was_away = False
        while not self._outside.ended.is_set():
            started = self._outside.now
            answered = False
            with contextlib.suppress(OSError):
                answered = self._ask(started)
            if answered and was_away:
                # It is back. What follows shall only show that it stays.
                self._pause *= 2
                was_away = False
            if not answered and self._outside.heard.get(self.ip, 0) < started:
                self.away = True
                while self._outside.heard.get(self.ip, 0) < started \
                        and not self._outside.ended.wait(TICK / 2):
                    pass
                self.away = False
                # A machine that is busy elsewhere may be that late: less is no absence.
                was_away |= self._outside.now > started + LONG
            else:
                self._wait(started + (self._pause if answered else AGAIN))

    def _ask(self, started: float) -> bool:
        # QEMU takes the connection at once, whatever the guest does.
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as s:
            s.sendall(self._question)
            s.settimeout(TICK)
            give_up = time.monotonic() + PATIENCE
            while not self._outside.ended.is_set() and time.monotonic() < give_up:
                taken = self._outside.taken.get(self._peer, 0) >= started
                if self._outside.now >= started + (LONG if taken else self._pause):
                    break
                try:
                    # Nothing, if it was refused; a first answer is no longer than this.
                    answered = self._answer in s.recv(4096)
                    self.answers += answered
                    return answered
                except TimeoutError:
                    pass
        return False

    def _wait(self, until: float) -> None:
        give_up = time.monotonic() + PATIENCE
        while self._outside.now < until and time.monotonic() < give_up:
            if self._outside.ended.wait(TICK / 2):
                return


class Outside:
    """Records the host's network from its making to close(); clients between start() and stop()."""

    QUESTIONS = {"ssh": b"", "redis": b"EXISTS lab:salt\r\n"}

    def __init__(self, host: Host, record: Path):
        self.host = host
        self.record = record
        self.pauses = pauses(len(host.guests))
        # Seen in the record, by the machine's clock: its last packet, each guest's, and each
        # service's last taking of a connection.
        self.now = 0.0
        self.heard: dict[str, float] = {}
        self.taken: dict[tuple[str, int], float] = {}
        self.ended = threading.Event()
        self._clients: list[Client] = []
        self._datagrams = socket.socket(type=socket.SOCK_DGRAM)
        record.unlink(missing_ok=True)
        host.monitor.command("object-add", **{"qom-type": "filter-dump", "id": "bench-dump",
                                              "netdev": "net", "file": str(record),
                                              "maxlen": RECORDED})
        self._ips = [guest_ip(i) for i in range(len(host.guests))]
        self._ways = {ip: self._forward(ip) for ip in (DOM0_IP, *self._ips)}
        self._reader = pcap.Reader(record)
        self._ticking = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def __enter__(self) -> "Outside":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _forward(self, ip: str) -> tuple[str, int]:
        """Where to send datagrams for a port of this machine on which nobody listens."""
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            way: tuple[str, int] = free.getsockname()
        refused = self.host.monitor.human(f"hostfwd_add net udp:127.0.0.1:{way[1]}-{ip}:9")
        if refused.strip():
            raise EnvironmentFailure(f"QEMU does not forward datagrams: {refused}")
        return way

    def _tick(self) -> None:
        asked: dict[str, float] = {}
        sent = 0.0
        while not self._ticking.wait(TICK):
            due = {ip for ip in (DOM0_IP, *(c.ip for c in self._clients if c.away))
                   if self.now >= asked.get(ip, 0) + ASK}
            if time.monotonic() >= sent + SILENCE:
                due.add(DOM0_IP)
            if DOM0_IP in due:
                sent = time.monotonic()
            asked |= dict.fromkeys(due, self.now)
            for ip in due:
                with contextlib.suppress(OSError):
                    self._datagrams.sendto(b"tick", self._ways[ip])
            for p in self._reader.more():
                self.heard[p.source[0]] = p.time
                if p.protocol == pcap.TCP and p.flags & pcap.SYN and p.flags & pcap.ACK:
                    self.taken[p.source] = p.time
            self.now = self._reader.last

    def mark(self, words: str) -> None:
        """Puts words into the record; dom0 gets them as a datagram that it has no use for."""
        self._datagrams.sendto(f"bench: {words}".encode(), self._ways[DOM0_IP])

    def start(self) -> None:
        self.ended.clear()
        self._clients = [Client(self, guest, ip, service, question, self.pauses[service])
                         for guest, ip in zip(self.host.guests, self._ips, strict=True)
                         for service, question in self.QUESTIONS.items()]
        for client in self._clients:
            client.start()

    def settle(self, times: int = 2, seconds: float = 1200) -> None:
        """Until every client has had so many answers more."""
        wanted = {c: c.answers + times for c in self._clients}
        wait_until("every service to answer the clients", seconds,
                   lambda: all(c.answers >= n for c, n in wanted.items()))

    def stop(self) -> None:
        self.ended.set()
        for client in self._clients:
            client.join(2 * PATIENCE)

    def packets(self) -> list[pcap.Packet]:
        return pcap.read(self.record)

    def marks(self) -> list[tuple[float, str]]:
        return downtime.marks(self.packets())

    def close(self) -> None:
        self.stop()
        self._ticking.set()
        self._ticker.join(10)
        self._datagrams.close()
        with contextlib.suppress(EnvironmentFailure, OSError):
            self.host.monitor.command("object-del", id="bench-dump")
