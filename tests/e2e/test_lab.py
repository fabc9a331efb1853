# SPDX-License-Identifier: GPL-2.0-only
"""The lab's own instruments: each oracle must be able to say no."""

import os
import signal
import time

import pytest
from lab.errors import EnvironmentFailure, ProductFailure, Timeout
from lab.host import claim
from lab.state import GuestState
from lab.warm import ALL, PAIR


def test_witness_sees_one_changed_byte(start):
    host = start(guests=PAIR)
    for guest in host.guests:
        assert guest.witness("check")["bad"] == 0
    with host.stopped() as ram:
        frames = list(ram.witness_frames())
        assert len(frames) == sum(g.witness for g in PAIR) * 256
        address = frames[len(frames) // 2] * 4096 + 1234
        byte = ram.read(address, 1)[0]
        ram.write(address, bytes([byte ^ 0x10]))
    answers = {g: g.witness("check") for g in host.guests}
    guest, = [g for g, answer in answers.items() if answer["bad"]]
    assert answers[guest]["bad_now"] == 1 and answers[guest]["first_bad"] >= 0
    with host.stopped() as ram:
        ram.write(address, bytes([byte]))
    answer = guest.witness("check")
    assert answer["bad_now"] == 0
    assert answer["bad"] >= 1, "a page that was wrong once is remembered"
    with pytest.raises(AssertionError):
        GuestState.of(guest)


def test_outside_view_of_guest_memory(start):
    host = start(guests=PAIR)
    # Put together in the guest, so that the bytes stand nowhere else (not in ssh's buffers).
    host.guest("db").run("printf '%s%s' canary- 5d1f0c7e > /dev/shm/canary")
    assert host.find_in_ram(b"canary-" + b"5d1f0c7e")
    assert host.find_in_ram(b"canary-" + b"00000000") == []
    frames = host.find_in_ram(b"canary-" + b"5d1f0c7e")
    extent = (frames[0] // 4096, 1)
    with host.stopped() as ram:
        before = ram.frame_digests([extent])
        assert ram.frame_digests([extent]) == before
        byte = ram.read(frames[0], 1)
        ram.write(frames[0], b"K")
        assert ram.frame_digests([extent]) != before
        ram.write(frames[0], byte)


def test_snapshot_runs_on_and_starts_equal(start):
    """Three hosts from one snapshot: the same guests, each going its own way, none disturbed."""
    seen = []
    for turn in range(3):
        host = start(guests=ALL)
        states = {g.name: GuestState.of(g) for g in host.guests}
        host.guest("db").redis("SET", "turn", str(turn))
        assert host.guest("db").redis("GET", "turn") == str(turn)
        time.sleep(10)
        for guest in host.guests:
            if guest.name != "db":
                states[guest.name].must_continue_as(GuestState.of(guest))
        seen.append({name: s.redis_digest for name, s in states.items()})
        host.close()
    assert seen[0] == seen[1] == seen[2]


def test_machine_reset_keeps_memory_and_boots_cold(start):
    host = start(guests=[], fresh=True)
    boot_id = host.dom0_boot_id()
    host.dom0("sync")
    since = host.serial.end()
    host.monitor.reset()
    host.wait_dom0(since=since)
    assert host.dom0_boot_id() != boot_id


def test_deadlines_and_death(start):
    host = start(guests=[], fresh=True)
    with pytest.raises(Timeout):
        host.serial.wait_for("no such line", 1)
    host.dom0("echo 'Kernel panic - test' > /dev/hvc0")
    with pytest.raises(ProductFailure, match="Kernel panic"):
        host.serial.wait_for("no such line", 60, unless="Kernel panic")
    assert host.dom0("exit 7", check=False).code == 7
    with pytest.raises(ProductFailure):
        host.dom0("exit 7")
    with pytest.raises(EnvironmentFailure, match="another run uses"):
        claim(host.folder)
    # A machine that is gone is not waited for.
    os.kill(host.qemu.pid(), signal.SIGKILL)
    with pytest.raises(EnvironmentFailure, match="QEMU has ended"):
        host.ssh.wait_up(600)
