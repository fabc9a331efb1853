# SPDX-License-Identifier: GPL-2.0-only
"""The wire between machines, with namespaces in the machines' place: no host is started."""

import os
import signal
import socket

import pytest
from lab.clock import wait_until
from lab.errors import EnvironmentFailure
from lab.namespace import Namespace
from lab.wire import Wire

PORTS = ("a", "b", "client")


class Station:
    """A namespace on the wire that sends datagrams and hears them."""

    def __init__(self, wire, port, address):
        self.space = Namespace()
        self.address = address
        wire.join(port, self.space, f"{address}/24")
        self.socket = self.space.run(lambda: socket.socket(type=socket.SOCK_DGRAM))
        self.socket.bind((address, 7))

    def hears(self, other):
        self.socket.settimeout(0.3)
        other.socket.sendto(other.address.encode(), (self.address, 7))
        try:
            return self.socket.recv(100) == other.address.encode()
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()
        self.space.close()


@pytest.fixture
def stations():
    wire = Wire()
    made = {port: Station(wire, port, f"10.9.0.{i}") for i, port in enumerate(PORTS, 1)}
    # Else a cut of one way would take the other with it at the first question for an address.
    for one in made.values():
        for other in made.values():
            assert one is other or one.hears(other)
    yield wire, made
    for station in made.values():
        station.close()
    wire.close()


def heard(stations):
    return {(a, b) for a in PORTS for b in PORTS if a != b and stations[b].hears(stations[a])}


ALL = {(a, b) for a in PORTS for b in PORTS if a != b}


def test_cuts_are_of_the_pair_and_the_way_that_were_named(stations):
    wire, made = stations
    assert heard(made) == ALL
    wire.cut("a", "b", one_way=True)
    assert heard(made) == ALL - {("a", "b")}
    wire.cut("b", "client")
    assert heard(made) == ALL - {("a", "b"), ("b", "client"), ("client", "b")}
    wire.heal("client", "b")
    assert heard(made) == ALL - {("a", "b")}
    wire.cut("a", "b")
    assert heard(made) == ALL - {("a", "b"), ("b", "a")}
    wire.heal()
    assert heard(made) == ALL
    with pytest.raises(EnvironmentFailure, match="no port 'peer'"):
        wire.cut("a", "peer")


def test_two_wires_have_the_same_names_and_do_not_meet():
    wires = [Wire(), Wire()]
    one, two = (Station(wire, "a", f"10.9.0.{i}") for i, wire in enumerate(wires, 1))
    assert not one.hears(two) and not two.hears(one)
    for station in (one, two):
        station.close()
    for wire in wires:
        wire.close()


def test_a_killed_run_leaves_nothing():
    """One end of a line into the killed run's wire is in our hands: it goes with the wire."""
    ours = Namespace()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            wire = Wire()
            wire.join("x", ours, "10.9.0.1/24")
            wire.tap("machine")
            os.write(write, b"up")
            signal.pause()
        finally:
            os._exit(1)
    os.close(write)
    assert os.read(read, 2) == b"up"
    os.close(read)
    assert "eth0" in ours.command("ip", "-br", "link")
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    wait_until("the wire to go", 30, lambda: "eth0" not in ours.command("ip", "-br", "link"))
    ours.close()
