"""What xl-warm-reboot refuses before it freezes anybody, saying what and how to mend it."""

import struct

import pytest
from lab import paths
from lab.spec import GuestSpec
from state import GuestState
from warm import DB, OLD, WEB, dry_run, findings, preserved

GUEST_REFUSED, HOST_REFUSED = 3, 4


def one_refusal(command, code, subject, *words):
    """Exactly this refusal and no other: a check that refuses everything is no check."""
    assert command.code == code, command.out + command.err
    report = command.json()
    refused = findings(report)
    assert [f["subject"] for f in refused] == [subject], refused
    text = (refused[0]["text"] + " " + refused[0]["mend"]).lower()
    for word in words:
        assert word in text, f"{word!r} not in {text!r}"
    assert refused[0]["mend"], "a refusal must say how to mend it"


def test_a_fit_host_is_not_refused_and_not_changed(start):
    host = start(guests=[WEB, DB, OLD])
    before = [GuestState.of(g) for g in host.guests]
    command = dry_run(host)
    assert command.code == 0, command.out + command.err
    assert {g["name"] for g in command.json()["guests"]} == {"web", "db", "old"}
    assert preserved(host) == {}
    for state, guest in zip(before, host.guests):
        state.must_continue_as(GuestState.of(guest))


def too_big(elf: bytes) -> bytes:
    """The same hypervisor with a .bss that no window has room for."""
    out = bytearray(elf)
    # 32-bit ELF: e_phoff at 28, e_phentsize and e_phnum at 42; p_type at 0, p_memsz at 20
    offset, = struct.unpack_from("<I", out, 28)
    size, count = struct.unpack_from("<HH", out, 42)
    for i in range(count):
        at = offset + i * size
        if struct.unpack_from("<I", out, at)[0] == 1:
            memsz, = struct.unpack_from("<I", out, at + 20)
            struct.pack_into("<I", out, at + 20, memsz + (64 << 20))
            return bytes(out)
    raise AssertionError("no PT_LOAD in the hypervisor's ELF")


@pytest.mark.parametrize("kind", ["not Xen", "cut short", "too big", "missing"])
def test_image(start, kind):
    host = start(guests=[DB])
    good = paths.XEN_NEXT.read_bytes()
    bad = {"not Xen": paths.KERNEL.read_bytes()[:1 << 20], "cut short": good[:len(good) // 2],
           "too big": too_big(good), "missing": None}[kind]
    if bad is not None:
        host.ssh.put(bad, "/root/bad-xen")
    one_refusal(dry_run(host, "--xen /root/bad-xen"), HOST_REFUSED, "xen image")
    # The real command must refuse the same, and leave the guest alone.
    before = GuestState.of(host.guest("db"))
    result = host.dom0("xl-warm-reboot --xen /root/bad-xen", check=False)
    assert result.code == HOST_REFUSED
    before.must_continue_as(GuestState.of(host.guest("db")))


def test_no_reserved_range(start):
    host = start(guests=[], liveupdate=None)
    one_refusal(dry_run(host), HOST_REFUSED, "range", "liveupdate=")


def test_range_too_small(start):
    """96 MiB hold the modules, but not the kernel's unpacking beside them."""
    host = start(guests=[], liveupdate="96M@0x20000000")
    one_refusal(dry_run(host), HOST_REFUSED, "range", "liveupdate=")


def test_hypervisor_without_the_feature(start):
    host = start(guests=[], xen=paths.DEBIAN_XEN)
    one_refusal(dry_run(host), HOST_REFUSED, "hypervisor")


def test_paused_guest(start):
    host = start(guests=[DB])
    host.dom0("xl pause db")
    one_refusal(dry_run(host), GUEST_REFUSED, "guest db", "paused", "unpause")
    host.dom0("xl unpause db")
    assert dry_run(host).code == 0


def test_guest_without_drivers(start):
    """A kernel that hangs before Xen's drivers start never says that it can suspend."""
    deaf = GuestSpec("deaf", memory=128, witness=0, autostart=False,
                     linux_args="panic=0 initcall_blacklist=xenbus_init,xenbus_probe_initcall")
    host = start(guests=[DB, deaf])
    host.dom0("xl create /etc/xen/deaf.cfg", check=False)
    assert "deaf" in host.domains()
    one_refusal(dry_run(host), GUEST_REFUSED, "guest deaf", "drivers")


def test_guest_in_log_dirty_mode(start):
    """A live migration whose other end has stopped reading."""
    host = start(guests=[DB])
    host.ssh.put(b"#!/bin/sh\n"
                 b"printf 'xl migration receiver ready, send binary domain data.\\n'\n"
                 b"exec sleep 300\n", "/root/receiver", "755")
    migration = host.ssh.start("xl migrate -s /root/receiver db nowhere",
                               host.folder / "migrate.log")
    try:
        host.dom0("for i in $(seq 60); do pgrep -f libxl-save-helper && exit 0; sleep 0.5; done; "
                  "exit 1")
        host.dom0("sleep 5")
        command = dry_run(host)
        assert command.code == GUEST_REFUSED, command.out + command.err
        assert [f["subject"] for f in findings(command.json())] == ["guest db"]
    finally:
        host.dom0("pkill -x sleep; true")
        migration.wait(120)
