# SPDX-License-Identifier: GPL-2.0-only
"""A host with an IOMMU, and a dom0 whose addresses are not the machine's."""

import contextlib
import functools

import pytest
from lab.state import GuestState, all_must_continue
from lab.warm import (ALL, PAIR, begin, build_id, dry_run, findings, wait_jump, wait_resumed,
                      warm_reboot)

HOST_REFUSED = 4
KIND = "/sys/hypervisor/guest_type"


def kind_of_dom0(host):
    return host.dom0(f"cat {KIND}").out.strip().lower()


def devices_that_write(host):
    """Functions on bus 0 that are bus masters, or may send message interrupts (MSI-X, MSI)."""
    found = set()
    for devfn in range(256):
        config = functools.partial(host.monitor.pci_config, devfn)
        if config(0) == 0xffffffff:
            continue
        command, status = config(4) & 0xffff, config(4) >> 16
        if command & 4:
            found.add((devfn, "bus master"))
        at = config(0x34) & 0xfc if status & 0x10 else 0
        while at:
            capability = config(at)
            if capability & 0xff == 0x11 and capability >> 31:
                found.add((devfn, "MSI-X"))
            if capability & 0xff == 0x05 and capability >> 16 & 1:
                found.add((devfn, "MSI"))
            at = capability >> 8 & 0xfc
    return found


def iommu_translates(host):
    """Bit 0 of the control register, where QEMU's AMD IOMMU has it."""
    return bool(host.monitor.physical(0xfed80018) & 1)


@pytest.mark.parametrize("dom0", ["pv", "pvh"])
def test_nothing_writes_at_the_jump(start, dom0):
    host = start(guests=PAIR) if dom0 == "pv" else start(
        guests=PAIR, fresh=True, q35=True, iommu=True, dom0_type=dom0)
    before = {g.name: GuestState.of(g) for g in host.guests}
    host.monitor.stop()
    writing = devices_that_write(host)
    assert {what for _, what in writing} >= {"bus master", "MSI-X"}, writing
    assert dom0 == "pv" or iommu_translates(host)
    host.monitor.cont()
    gdb = host.break_at("machine_kexec")
    process, since = begin(host)
    gdb.wait_stop(900, "the jump")
    assert devices_that_write(host) == set()
    assert dom0 == "pv" or not iommu_translates(host)
    gdb.clear(gdb.register("rip"))
    gdb.cont()
    wait_jump(host, process, since, 900)
    host.ssh.end(process)
    wait_resumed(host, since)
    all_must_continue(host.guests, before)


@pytest.mark.parametrize("dom0", ["pv", "pvh"])
def test_with_an_iommu(start, dom0):
    """Three in a row. The devices that dom0 uses go through the IOMMU, so none works if the next
    Xen finds it in a state that it cannot take over."""
    host = start(guests=ALL, fresh=True, q35=True, iommu=True, dom0_type=dom0)
    assert kind_of_dom0(host) == dom0
    before = {g.name: GuestState.of(g) for g in host.guests}
    with contextlib.ExitStack() as held:
        witness = {g.name: held.enter_context(g.witness_connection()) for g in host.guests}
        for turn in range(3):
            for connection in witness.values():
                connection.ask("reset")
            old = build_id(host)
            # Two builds in turn, so that each generation is provably another hypervisor.
            image = "/boot/xen-next" if turn % 2 == 0 else "/boot/xen"
            timeline = warm_reboot(host, f"--xen {image}")
            assert build_id(host) != old
            assert kind_of_dom0(host) == dom0
            for guest in host.guests:
                answer = witness[guest.name].ask("check", seconds=300)
                assert answer["bad"] == 0
                assert not answer["monotonic_back"] and not answer["tsc_back"]
                before[guest.name].must_continue_as(GuestState.of(guest))
            # dom0 and Xen read the same counter, or the account is none.
            times = [timeline[step] for step in ("jump", "entry", "heap", "dom0", "resume_start")]
            assert times == sorted(times), times
            for g in timeline["guests"]:
                steps = [g["asked"], g["suspended"], g["preserve_begin"], timeline["jump"],
                         g["restore_start"], g["adopt_begin"], g["committed"]]
                assert steps == sorted(steps), steps


def test_from_one_type_to_the_other_and_back(start):
    host = start(guests=PAIR, fresh=True, q35=True, iommu=True)
    before = {g.name: GuestState.of(g) for g in host.guests}
    line = host.xen_info()["xen_commandline"]
    for kind in ("pvh", "pv"):
        warm_reboot(host, f"--xen-cmdline '{line} dom0={kind}'")
        assert kind_of_dom0(host) == kind
        all_must_continue(host.guests, before)


def test_without_an_iommu_it_is_refused(start):
    """The next Xen would panic, with every guest in its memory."""
    host = start(guests=PAIR)
    line = host.xen_info()["xen_commandline"]
    refused = dry_run(host, f"--xen-cmdline '{line} dom0=pvh'")
    assert refused.code == HOST_REFUSED, refused.out + refused.err
    said = findings(refused.json())
    assert [f["subject"] for f in said] == ["dom0 type"], said
    assert "IOMMU" in said[0]["text"] and "dom0=pvh" in said[0]["mend"]
