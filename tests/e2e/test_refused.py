# SPDX-License-Identifier: GPL-2.0-only
"""What xl-warm-reboot refuses before it freezes anybody, saying what and how to mend it."""

import struct

import pytest
from lab import paths
from lab.elf import Image
from lab.state import GuestState
from lab.warm import OLD, PAIR, dry_run, findings, preserved

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
    host = start(guests=PAIR)
    before = [GuestState.of(g) for g in host.guests]
    command = dry_run(host)
    assert command.code == 0, command.out + command.err
    assert {g["name"] for g in command.json()["guests"]} == {"db", "old"}
    assert preserved(host) == {}
    for state, guest in zip(before, host.guests):
        state.must_continue_as(GuestState.of(guest))


@pytest.mark.parametrize("kind", ["not Xen", "cut short", "too big", "missing", "Debian's"])
def test_image(start, kind):
    host = start(guests=PAIR)
    good = paths.XEN_NEXT.read_bytes()
    bad = {"not Xen": paths.KERNEL.read_bytes()[:1 << 20], "cut short": good[:len(good) // 2],
           "too big": Image(good).with_more_bss(64 << 20),
           # It would start well and give the guests' frames to its heap.
           "Debian's": paths.DEBIAN_XEN.read_bytes(),
           "missing": None}[kind]
    if bad is not None:
        host.ssh.put(bad, "/root/bad-xen")
    words = ["every guest would be lost"] if kind == "Debian's" else []
    one_refusal(dry_run(host, "--xen /root/bad-xen"), HOST_REFUSED, "xen image", *words)
    # The real command must refuse the same, and leave the guest alone.
    before = GuestState.of(host.guest("db"))
    result = host.dom0("xl-warm-reboot --xen /root/bad-xen", check=False)
    assert result.code == HOST_REFUSED
    before.must_continue_as(GuestState.of(host.guest("db")))


def test_no_reserved_range(start):
    host = start(guests=[], fresh=True, liveupdate=None)
    one_refusal(dry_run(host), HOST_REFUSED, "range", "liveupdate=")


def test_range_too_small(start):
    """72 MiB hold the modules, but not what the next Xen's own boot takes beside them."""
    host = start(guests=[], fresh=True, liveupdate="72M@0x20000000")
    one_refusal(dry_run(host), HOST_REFUSED, "range", "liveupdate=")


def test_hypervisor_without_the_feature(start):
    host = start(guests=[], fresh=True, xen=paths.DEBIAN_XEN)
    one_refusal(dry_run(host), HOST_REFUSED, "hypervisor")


def test_paused_guest(start):
    host = start(guests=PAIR)
    host.dom0("xl pause db")
    one_refusal(dry_run(host), GUEST_REFUSED, "guest db", "paused", "unpause")
    host.dom0("xl unpause db")
    assert dry_run(host).code == 0


def test_guest_without_drivers(start):
    """A kernel without the part that listens to the toolstack never says that it can suspend."""
    host = start(guests=PAIR)
    host.ssh.put(b'name="deaf"\ntype="pvh"\nmemory=96\nkernel="/boot/vmlinuz"\n'
                 b'ramdisk="/boot/initrd"\n'
                 b'cmdline="console=hvc0 initcall_blacklist=xen_setup_shutdown_event"\n',
                 "/etc/xen/deaf.cfg")
    host.dom0("xl create /etc/xen/deaf.cfg", seconds=300)
    # Later than a kernel with that part would have said so.
    host.dom0("for i in $(seq 300); do grep -q 'as init process' "
              "/var/log/xen/console/guest-deaf.log && exit 0; sleep 1; done; exit 1", seconds=600)
    one_refusal(dry_run(host), GUEST_REFUSED, "guest deaf", "drivers")


def test_guest_in_log_dirty_mode(start):
    """A live migration whose other end has stopped reading."""
    host = start(guests=PAIR)
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


def test_passed_through_device(start):
    host = start(guests=[OLD], fresh=True, q35=True, iommu=True)
    assert dry_run(host).code == 0
    host.dom0("modprobe xen-pciback; xl pci-assignable-add 00:1e.0; xl destroy old; "
              "cp /etc/xen/auto/old.cfg /root/old.cfg; "
              "printf \"pci=['00:1e.0']\\n\" >> /root/old.cfg; xl create /root/old.cfg",
              seconds=300)
    host.guest("old").wait_up()
    one_refusal(dry_run(host), GUEST_REFUSED, "guest old")


def test_hvm_guest(start):
    """With a real device model and nothing to boot: enough to be an HVM guest."""
    host = start(guests=PAIR)
    host.ssh.put(b'name="full"\ntype="hvm"\nmemory=128\nvcpus=1\nvnc=0\n'
                 b'device_model_version="qemu-xen"\n'
                 b'device_model_override="/usr/libexec/lab-device-model"\n', "/etc/xen/full.cfg")
    host.dom0("xl create /etc/xen/full.cfg", seconds=300)
    command = dry_run(host)
    assert command.code == GUEST_REFUSED, command.out + command.err
    assert {f["subject"] for f in findings(command.json())} == {"guest full"}
    assert any("hvm" in f["text"].lower() for f in findings(command.json()))


def test_guest_frames_where_the_next_boot_goes(start):
    """The hypervisor's idea of the range is moved over a guest: nothing else makes that happen."""
    host = start(guests=PAIR)
    before = [GuestState.of(g) for g in host.guests]
    assert dry_run(host).code == 0
    with host.stopped() as ram:
        address = next(ram.witness_frames()) * 4096 & -(2 << 20)
    gdb = host.gdb()
    gdb.write_memory(host.symbol("preserved_start"), struct.pack("<Q", address))
    gdb.write_memory(host.symbol("preserved_end"), struct.pack("<Q", address + (256 << 20)))
    host.detach()
    command = dry_run(host)
    assert command.code == GUEST_REFUSED, command.out + command.err
    refused = findings(command.json())
    assert refused and {f["subject"] for f in refused} <= {"guest db", "guest old"}, refused
    assert all("next boot" in f["text"] and f["mend"] for f in refused), refused
    assert host.dom0("xl-warm-reboot", check=False).code == GUEST_REFUSED
    for state, guest in zip(before, host.guests):
        state.must_continue_as(GuestState.of(guest))
