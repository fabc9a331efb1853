# SPDX-License-Identifier: GPL-2.0-only
"""Clients against a small server: what they take for an answer, and when they stop asking."""

import socket
import threading
import time
import unittest
from types import SimpleNamespace
from typing import Any

from warm import clients

IP, PORT = "10.0.2.16", 6379


class Service(threading.Thread):
    """Takes connections; says what reply() returns, None: nothing."""

    def __init__(self, reply: Any):
        super().__init__(daemon=True)
        self.reply = reply
        self.connections = 0
        self.listening = socket.create_server(("127.0.0.1", 0))

    def run(self) -> None:
        kept = []
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            answer = self.reply()
            if answer is None:
                kept.append(connection)
            else:
                connection.sendall(answer)
                connection.close()


class Clock:
    """The part of Outside that a client looks at, with our own clock for the machine's."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        self.taken: dict[tuple[str, int], float] = {}
        self.ended = threading.Event()

    @property
    def now(self) -> float:
        return time.monotonic()


class Clients(unittest.TestCase):
    def client(self, reply: Any, pause: float) -> tuple[clients.Client, Clock, Service]:
        service, clock = Service(reply), Clock()
        service.start()
        self.addCleanup(service.listening.close)
        guest = SimpleNamespace(name="g01", ports={"redis": service.listening.getsockname()[1]})
        client = clients.Client(clock, guest, IP, "redis", b"x\r\n",  # type: ignore[arg-type]
                                pause)
        self.addCleanup(clock.ended.set)
        client.start()
        return client, clock, service

    def until(self, what: Any) -> None:
        end = time.monotonic() + 20
        while not what():
            self.assertLess(time.monotonic(), end, "not within 20 s")
            time.sleep(0.01)

    def test_answers_are_counted(self) -> None:
        client, _, _ = self.client(lambda: b":1\r\n", 0.05)
        self.until(lambda: client.answers >= 3)
        self.assertFalse(client.away)

    def test_another_answer_is_none(self) -> None:
        client, clock, service = self.client(lambda: b":0\r\n", 0.05)
        clock.heard[IP] = float("inf")
        self.until(lambda: service.connections >= 3)
        self.assertEqual(client.answers, 0)

    def test_a_guest_that_is_away_is_left_alone_until_it_is_heard(self) -> None:
        replies: list[Any] = [None]
        client, clock, service = self.client(lambda: replies[0], 0.1)
        self.until(lambda: client.away)
        time.sleep(0.5)
        self.assertEqual(service.connections, 1)
        replies[0] = b":1\r\n"
        clock.heard[IP] = clock.now
        self.until(lambda: client.answers >= 1)
        self.assertFalse(client.away)

    def test_what_has_taken_the_connection_gets_time(self) -> None:
        client, clock, service = self.client(lambda: None, 0.1)
        clock.taken[IP, PORT] = float("inf")
        time.sleep(0.5)
        self.assertEqual((service.connections, client.away), (1, False))

    def test_ends(self) -> None:
        client, clock, _ = self.client(lambda: None, 0.1)
        self.until(lambda: client.away)
        clock.ended.set()
        client.join(5)
        self.assertFalse(client.is_alive())


class Pauses(unittest.TestCase):
    def test_load_stays_the_same(self) -> None:
        self.assertEqual(clients.pauses(1), {"ssh": 0.5, "redis": 0.5})
        self.assertEqual(clients.pauses(11)["ssh"], 11 / 4)
