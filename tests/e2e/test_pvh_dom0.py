"""A host with an IOMMU, and a dom0 whose addresses are not the machine's."""

import contextlib

import pytest
from lab.state import GuestState
from lab.warm import ALL, PAIR, build_id, dry_run, findings, warm_reboot

HOST_REFUSED = 4
KIND = "/sys/hypervisor/guest_type"


def kind_of_dom0(host):
    return host.dom0(f"cat {KIND}").out.strip().lower()


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
        for guest in host.guests:
            before[guest.name].must_continue_as(GuestState.of(guest))


def test_without_an_iommu_it_is_refused(start):
    """The next Xen would panic, with every guest in its memory."""
    host = start(guests=PAIR)
    line = host.xen_info()["xen_commandline"]
    refused = dry_run(host, f"--xen-cmdline '{line} dom0=pvh'")
    assert refused.code == HOST_REFUSED, refused.out + refused.err
    said = findings(refused.json())
    assert [f["subject"] for f in said] == ["dom0 type"], said
    assert "IOMMU" in said[0]["text"] and "dom0=pvh" in said[0]["mend"]
