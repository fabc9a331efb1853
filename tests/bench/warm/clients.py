"""Clients outside the host that keep asking its guests, and what QEMU records of that.

They pace themselves by the machine's clock, not by ours: what they load a guest with, and how
fine they see, does then not depend on how busy this machine is. That clock is read from the
packets as they are recorded; so that there always are some, a datagram goes in every so often.
"""

import contextlib
import socket
import threading
import time
from pathlib import Path
from types import TracebackType

from lab.clock import wait_until
from lab.errors import EnvironmentFailure
from lab.guest import Guest
from lab.host import Host
from lab.spec import DOM0_IP

from . import downtime, pcap

# Of a frame this much is recorded: headers, and the beginning of an answer.
RECORDED = 256
TICK = 0.05            # seconds of ours between two datagrams
PATIENCE = 20.0        # of ours, the longest a client waits for an answer or for its turn


class Client(threading.Thread):
    """Connects, waits for the answer, and again: after a pause if there was one, else at once.

    A service that is away is asked often, since that costs it nothing. It is taken to be away
    when it has not answered for a whole pause. An answer that is late counts all the same.
    """

    def __init__(self, outside: "Outside", guest: Guest, service: str, question: bytes):
        super().__init__(name=f"{guest.name}-{service}", daemon=True)
        self._outside = outside
        self._port = guest.ports[service]
        self._question = question
        self.answers = 0

    def run(self) -> None:
        answered = True
        while not self._outside.ended.is_set():
            started = self._outside.now
            patience = self._outside.pause if answered else self._outside.retry
            answered = False
            with contextlib.suppress(OSError):
                answered = self._ask(started + patience)
            self._wait(started + (self._outside.pause if answered else patience))

    def _ask(self, until: float) -> bool:
        # QEMU takes the connection at once, whatever the guest does.
        with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as s:
            s.sendall(self._question)
            s.settimeout(TICK)
            give_up = time.monotonic() + PATIENCE
            while not self._outside.ended.is_set() and time.monotonic() < give_up \
                    and self._outside.now < until:
                try:
                    answered = bool(s.recv(4096))
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

    def __init__(self, host: Host, record: Path, pause: float):
        self.host = host
        self.record = record
        # Seconds of the machine's clock from a client's question to its next: of a service that
        # answers, and of one that is away.
        self.pause = pause
        self.retry = min(pause, max(0.2, pause / 2))
        self.now = 0.0         # the virtual clock as last seen
        self.ended = threading.Event()
        self._clients: list[Client] = []
        self._datagrams = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket(type=socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self._to = free.getsockname()
        record.unlink(missing_ok=True)
        host.monitor.command("object-add", **{"qom-type": "filter-dump", "id": "bench-dump",
                                              "netdev": "net", "file": str(record),
                                              "maxlen": RECORDED})
        refused = host.monitor.human(f"hostfwd_add net udp:127.0.0.1:{self._to[1]}-{DOM0_IP}:9")
        if refused.strip():
            raise EnvironmentFailure(f"QEMU does not forward datagrams: {refused}")
        self._reader = pcap.Reader(record)
        self._ticking = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._ticker.start()

    def __enter__(self) -> "Outside":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _tick(self) -> None:
        while not self._ticking.wait(TICK):
            with contextlib.suppress(OSError):
                self._datagrams.sendto(b"tick", self._to)
            self._reader.more()
            self.now = self._reader.last

    def mark(self, words: str) -> None:
        """Puts words into the record; dom0 gets them as a datagram that it has no use for."""
        self._datagrams.sendto(f"bench: {words}".encode(), self._to)

    def start(self) -> None:
        self.ended.clear()
        self._clients = [Client(self, guest, service, question) for guest in self.host.guests
                         for service, question in self.QUESTIONS.items()]
        for client in self._clients:
            client.start()

    def settle(self, times: int = 3, seconds: float = 1200) -> None:
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
