# SPDX-License-Identifier: GPL-2.0-only
"""The rejuvenation policy on a real host: real leaks, real refusals."""

import json

from lab.clock import wait_until
from lab.errors import ProductFailure
from lab.host import DEATH
from lab.state import GuestState, all_must_continue
from lab.warm import PAIR, preserved, wait_resumed

CONFIG = "/etc/xen/roothammer-policy.conf"
NOT_DUE, GUEST_REFUSED, BUSY, WAITING, WOULD_REBOOT = 0, 3, 4, 5, 7

# A leak that a host would have in weeks, in minutes: the shortest spans that are allowed.
HASTY = """min-samples = 20
min-span = 60s
horizon = 500w
min-uptime = 60s
clock-settle = 30s
"""
TIMER = """[Timer]
OnBootSec=
OnUnitActiveSec=
OnActiveSec=1s
OnUnitActiveSec=10s
AccuracySec=1s
"""
# Every few seconds nodes that nobody removes, and event channels that nobody closes: xenstored's
# memory, and Xen's (a struct evtchn each). The ioctl is IOCTL_EVTCHN_BIND_UNBOUND_PORT with dom0
# as the remote domain; the ports live as long as the file is open.
LEAK = r"""#!/usr/bin/perl
open(my $evtchn, '+<', '/dev/xen/evtchn') or die "evtchn: $!";
for my $round (1 .. 400) {
    my @pairs = map { ("/tool/leak/$round/$_", 'x' x 1500) } 1 .. 60;
    system('xenstore-write', @pairs) == 0 or die "xenstore-write: $?";
    for (1 .. 128) {
        my $bind = pack('L', 0);
        defined(ioctl($evtchn, 0x00044502, $bind)) or die "bind: $!";
    }
    sleep 4;
}
"""


def policy(host, *options):
    """Runs it once; returns the exit status and what it says."""
    result = host.dom0(" ".join(["roothammer policy --json", *options]), check=False)
    return result.code, json.loads(result.out)


def trends(answer):
    return {r["resource"]: r["trend"] for r in answer["resources"]}


def test_acts_on_leaks_and_then_rests(start):
    """It sees both leaks, waits for a window, reboots warmly by itself, and does not do it again."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    boot_id = host.dom0_boot_id()
    host.ssh.put((HASTY + "decide-by = trend\n").encode(), CONFIG)
    host.ssh.put(LEAK.encode(), "/root/leak", "755")
    host.dom0("mkdir -p /run/systemd/system/roothammer-policy.timer.d")
    host.ssh.put(TIMER.encode(), "/run/systemd/system/roothammer-policy.timer.d/hasty.conf")
    host.dom0("systemctl daemon-reload; systemctl start roothammer-policy.timer;"
              " systemd-run --unit leak /root/leak")

    def sees_both() -> bool:
        host.dom0("systemctl is-active leak")
        code, answer = policy(host, "--dry-run")
        if code == BUSY:  # with the timer's run
            return False
        seen = trends(answer)
        print(code, answer["line"], seen)
        assert code in (NOT_DUE, WAITING), answer
        return seen["Xen's heap"] == seen["xenstored's memory"] == "rising"

    wait_until("both leaks to be seen", 1800, sees_both, 15)
    # Not together with the timer's run.
    host.dom0("systemctl stop roothammer-policy.timer roothammer-policy.service")
    code, answer = policy(host, "--dry-run")
    assert code == WAITING and "no maintenance window" in answer["line"], answer
    assert host.dom0_boot_id() == boot_id, "without a window nothing may happen"
    print(host.dom0("roothammer policy --dry-run --explain", check=False).out)

    since = host.serial.end()
    host.ssh.put((HASTY + "decide-by = trend\nwindow = always\n").encode(), CONFIG)
    host.dom0("systemctl start roothammer-policy.timer")

    def jumped() -> bool:
        bad = host.serial.find(DEATH, since)
        if bad:
            raise ProductFailure(f"console says {bad[0]!r} before the jump")
        host.qemu.check()
        return bool(host.serial.find(r"^\(XEN\).* Xen version", since))

    wait_until("the policy to reboot the host", 1200, jumped)
    wait_resumed(host, since)
    assert host.dom0_boot_id() != boot_id
    assert preserved(host) == {}
    all_must_continue(host.guests, before)

    code, answer = policy(host)
    assert code == NOT_DUE, answer
    assert answer["sample"]["generation"] == 1
    assert answer["samples_of_this_boot"] == 1, "a reboot starts a new series"
    assert '"stage":"idle"' in host.dom0("cat /var/lib/roothammer/policy/tries").out
    assert answer["cost"]["last_warm_reboot"]["guests"] == len(PAIR)


def test_does_nothing_where_a_guest_is_refused(start):
    host = start(guests=PAIR)
    before = GuestState.of(host.guest("old"))
    boot_id = host.dom0_boot_id()
    host.ssh.put((HASTY + "decide-by = time\ninterval = 60s\nwindow = always\n").encode(), CONFIG)
    wait_until("dom0 to be old enough", 300,
               lambda: float(host.dom0("cat /proc/uptime").out.split()[0]) > 61, 5)
    policy(host)
    code, answer = policy(host, "--dry-run")
    assert code == WOULD_REBOOT, answer
    host.dom0("xl pause db")
    code, answer = policy(host)
    assert code == GUEST_REFUSED, answer
    assert "guest db: it is paused" in answer["line"], answer
    host.dom0("xl unpause db")
    assert host.dom0_boot_id() == boot_id
    before.must_continue_as(GuestState.of(host.guest("old")))
