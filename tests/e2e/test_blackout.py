# SPDX-License-Identifier: GPL-2.0-only
"""Where a guest's blackout goes, in instruction-counted time (1 instruction is 2 ns of it).

The steps are in docs/design/blackout.md.
"""

import pytest
from lab import paths
from lab.host import Host
from lab.report import milliseconds
from lab.spec import GuestSpec
from lab.state import GuestState, all_must_continue
from lab.warm import Json, warm_reboot

GUESTS = [GuestSpec(f"g{i}", memory=256, witness=16) for i in (1, 2)]


def steps(host: Host, timeline: Json) -> dict[str, float]:
    """Step -> milliseconds; printed, for the document."""
    def between(start: str, end: str) -> float:
        return milliseconds(timeline[end] - timeline[start], timeline)

    guests = timeline["guests"]
    out = {
        "first guest suspended to jump":
            milliseconds(timeline["jump"] - min(g["suspended"] for g in guests), timeline),
        "jump to dom0's kernel": between("jump", "dom0"),
        "dom0's kernel to resume": between("dom0", "resume_start"),
        "resume of all guests": between("resume_start", "resume_end"),
        "longest resume of a guest":
            max(milliseconds(g["running"] - g["restore_start"], timeline) for g in guests),
    }
    for what, time in out.items():
        print(f"{time:10.1f} ms  {what}")
    print(host.dom0("systemd-analyze; systemd-analyze blame | head -12").out)
    return out


@pytest.mark.parametrize("dom0, early, limit", [
    pytest.param("pv", False, 12500, id="by_the_service"),
    pytest.param("pv", True, 9500, id="before_init"),
    pytest.param("pvh", True, 5000, id="before_init_pvh_dom0")])
def test_where_the_blackout_goes(start, dom0, early, limit):
    pvh = dom0 == "pvh"
    host = start(guests=GUESTS, icount=True, q35=True, xen_next=paths.XEN, fresh=pvh, iommu=pvh,
                 dom0_type=dom0, dom0_args="lab.early" if early else "")
    before = {g.name: GuestState.of(g) for g in host.guests}
    # Twice: what was started before init must not be in the next reboot's way.
    for turn in range(2):
        timeline = warm_reboot(host, seconds=3600)
        assert timeline["generation"] == turn + 1
        took = steps(host, timeline)
        all_must_continue(host.guests, before)
        resumed = host.dom0("journalctl -b -o cat -u roothammer-resume.service").out
        assert ("g1: resumed" in resumed) == (not early), resumed
        # The scripts' shell would take more than that.
        assert took["longest resume of a guest"] < 750
        assert took["dom0's kernel to resume"] < limit
