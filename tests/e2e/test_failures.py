# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong on the way, and that no guest pays for it."""

import errno
import json

import pytest
from lab.clock import wait_until
from lab.record import Record, Run, pack_runs
from lab.state import GuestState, all_must_continue
from lab.warm import (PAIR, RANGE_START, begin, dry_run, findings, preserved, wait_jump,
                      wait_resumed, warm_reboot)

HELPER = "/usr/local/libexec/roothammer/warmvm-save-helper"
DROPIN = "/etc/systemd/system/roothammer-resume.service.d"

# In the order in which a warm reboot passes them.
COMMAND_STEPS = ["load-before", "load-after", "load-verified", "plan-written"]
FREEZE_STEPS = ["freeze-start", "freeze-quiet", "save-start", "save-before-suspend", "freeze-held",
                "freeze-guest-before", "save-suspended", "save-preserved", "save-stream-built",
                "save-stream-written", "freeze-guest-saved", "freeze-guest-done:2",
                "freeze-all-done", "freeze-armed", "freeze-before-reboot"]


def settled(host):
    """dom0 is back as it was: its services run, nothing is preserved, no guest is paused."""
    def probe():
        up = host.dom0("systemctl is-active multi-user.target ssh.service", check=False)
        return up.out.split() == ["active", "active"]
    wait_until("dom0's services are back", 300, probe, 1)
    assert preserved(host) == {}
    for line in host.dom0("xl list").out.splitlines()[2:]:
        state = line.split()[4]
        assert "p" not in state and "s" not in state, line


# A file system with mount options that an abort after the read-only remount must not lose, and a
# read-only view of it.
MOUNT = """set -e
truncate -s 8M /root/fs; mkfs.ext4 -q /root/fs; mkdir -p /mnt/fs /mnt/view
modprobe loop; mount -o nosuid,nodev,noexec $(losetup -f --show /root/fs) /mnt/fs
mount --bind /mnt/fs /mnt/view; mount -o remount,bind,ro,nosuid /mnt/view
"""
MOUNTS = "for m in / /mnt/fs /mnt/view; do findmnt -rno TARGET,VFS-OPTIONS,FS-OPTIONS $m; done"


@pytest.mark.parametrize("steps", [COMMAND_STEPS, FREEZE_STEPS[:7], FREEZE_STEPS[7:]],
                         ids=["command", "freeze-1", "freeze-2"])
def test_killed_at_each_step(start, steps):
    """kill -9 of whatever is at work there; every guest runs on, and then a second try works."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    host.dom0(MOUNT)
    mounts = host.dom0(MOUNTS).out
    for option in ("nosuid", "nodev", "noexec"):
        assert option in mounts, mounts
    for step in steps:
        if step in COMMAND_STEPS:
            # A shell of its own, or ssh would report the signal and no exit code.
            result = host.dom0(f"ROOTHAMMER_KILL={step} xl-warm-reboot; exit $?", seconds=300,
                               check=False)
            assert result.code == 137, f"{step}: not killed there\n{result.out}{result.err}"
        else:
            since = host.serial.end()
            host.dom0(f"systemctl set-environment ROOTHAMMER_KILL={step}")
            result = host.dom0("xl-warm-reboot", seconds=600, check=False)
            host.dom0("systemctl unset-environment ROOTHAMMER_KILL")
            assert result.code == 1, f"{step}: {result.out}{result.err}"
            assert not host.serial.find("Xen version", since), f"{step}: jumped all the same"
        settled(host)
        assert host.dom0(MOUNTS).out == mounts, step
        all_must_continue(host.guests, before)
    warm_reboot(host)
    all_must_continue(host.guests, before)


def deafen(guest, seconds):
    """For so long nothing but a real-time loop runs in the guest: it cannot answer a suspend."""
    guest.run("sysctl -qw kernel.sched_rt_runtime_us=-1; for c in $(seq 0 $(($(nproc)-1))); do "
              "setsid nohup taskset -c $c chrt -f 99 bash -c 'sleep 3; end=$((SECONDS + "
              f"{seconds})); while [ $SECONDS -lt $end ]; do :; done' "
              "> /dev/null 2>&1 < /dev/null & done")


# A unit whose stop, which the freeze waits for, lasts until a guest's sshd has stopped answering.
UNTIL_DEAF = """#!/bin/bash
answers() { timeout 5 bash -c 'exec 3<> /dev/tcp/10.0.2.16/22; read -r line <&3'; }
for _ in $(seq 120); do answers || exit 0; sleep 1; done
"""
UNTIL_DEAF_UNIT = b"""[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/root/until-deaf
TimeoutStopSec=900
"""


def test_guest_that_does_not_suspend(start):
    host = start(guests=PAIR)
    db = host.guests[0]
    before = {g.name: GuestState.of(g) for g in host.guests}
    host.ssh.put(UNTIL_DEAF.encode(), "/root/until-deaf", "755")
    host.ssh.put(UNTIL_DEAF_UNIT, "/etc/systemd/system/until-deaf.service")
    host.dom0("systemctl daemon-reload; systemctl start until-deaf")
    process, since = begin(host, "--timeout 10")
    said = host.folder / f"warm-{since}.log"
    # The guest is deaf for some minutes only, so they begin just before it is asked to suspend.
    wait_until("dom0's services are being stopped", 600,
               lambda: "event=handed-over" in said.read_text(errors="replace"))
    deafen(db, 150)
    assert process.wait(900) == 1, said.read_text(errors="replace")
    assert "db" in said.read_text(errors="replace")
    settled(host)
    all_must_continue(host.guests, before)
    warm_reboot(host)
    all_must_continue(host.guests, before)


def test_guest_that_does_not_suspend_is_left_behind(start):
    """--on-guest-failure shutdown: the others go over without it."""
    host = start(guests=PAIR)
    other = host.guest("old")
    before = GuestState.of(other)
    deafen(host.guest("db"), 3600)
    host.dom0("rm /etc/xen/auto/db.cfg; sleep 5")
    warm_reboot(host, "--timeout 10 --on-guest-failure shutdown", seconds=900)
    assert host.domains().keys() == {"old"}
    other.wait_up()
    before.must_continue_as(GuestState.of(other))


def test_reset_between_record_and_next_hypervisor(start):
    """A breadcrumb that outlived a machine reset is recognised; the boot is a cold one."""
    host = start(guests=PAIR)
    boot_id = host.guest("db").boot_id()
    gdb = host.break_at("machine_kexec")
    process, since = begin(host)
    gdb.wait_stop(900, "the jump")
    Record(host.ram, RANGE_START)  # it is there, and sound
    gdb.clear(gdb.register("rip"))
    host.monitor.reset()
    host.detach()
    host.ssh.end(process)
    host.wait_dom0(since=since)
    listed = json.loads(host.dom0("roothammer list --json").out)
    assert listed["generation"] == 0 and listed["guests"] == []
    host.guest("db").wait_up()
    assert host.guest("db").boot_id() != boot_id, "the guest must have been booted anew"


def flip_a_bit(record):
    victim = record.sets[0]
    page = victim.extents.pages(record.ram)[0]
    byte = record.ram.read(page * 4096, 1)[0]
    record.ram.write(page * 4096, bytes([byte ^ 0x40]))


def overlap(record):
    """The first set claims a frame that is the second's."""
    first, second = record.sets[0], record.sets[1]
    runs = first.runs(record.ram)
    stolen = second.runs(record.ram)[0].mfn
    rewrite(record, first, [Run(runs[0].gfn, stolen, 1, runs[0].pin),
                            *split_first(runs[0]), *runs[1:]])


def not_ram(record):
    first = record.sets[0]
    runs = first.runs(record.ram)
    nowhere = record.ram.size // 4096 + (1 << 20)
    rewrite(record, first, [Run(runs[0].gfn, nowhere, 1, runs[0].pin),
                            *split_first(runs[0]), *runs[1:]])


def split_first(run):
    return [Run(run.gfn + 1, run.mfn + 1, run.count - 1, 0)] if run.count > 1 else []


def rewrite(record, victim, runs):
    data = pack_runs(runs)
    pages = victim.extents.pages(record.ram)
    assert -(-len(data) // 4096) == len(pages), "the forged list must fit the same pages"
    victim.extents.length = len(data)
    victim.extents.write(record.ram, data)
    victim.nr_extents = len(runs)
    record.seal()


def wrong_version(record):
    record.version += 41
    record.seal()


@pytest.mark.parametrize("damage", [flip_a_bit, overlap, not_ram, wrong_version])
def test_damaged_record(start, damage):
    """The next Xen boots, says so, keeps the frames out of its heap, lists the unreadable."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    names = {d: n for n, d in host.domains().items()}
    gdb = host.break_at("machine_kexec")
    process, since = begin(host)
    gdb.wait_stop(900, "the jump")
    record = Record(host.ram, RANGE_START)
    digests = {names[s.domid]: host.ram.frame_digests(record.extents(s)) for s in record.sets}
    everybody = {names[s.domid] for s in record.sets}
    hit = everybody if damage is wrong_version else {names[record.sets[0].domid]}
    if damage is overlap:  # who of the two has the frame by right cannot be told
        hit = everybody
    damage(record)
    gdb.clear(gdb.register("rip"))
    host.detach()
    host.ssh.end(process)
    wait_resumed(host, since)
    listed = json.loads(host.dom0("roothammer list --json").out)
    print(json.dumps(listed, indent=1))
    assert listed["unreadable_frames"] > 0
    if damage is wrong_version:
        assert listed["record"], "the whole record is unreadable, and it must say why"
    else:
        assert "unreadable" in {g["state"] for g in listed["guests"]}
    assert host.serial.find(r"(?i)^\(XEN\).*(unreadable|record)", since), "the console must say so"
    survivors = {g.name for g in host.guests} - hit
    assert host.domains().keys() == survivors, "xendomains must not start a guest from its disk"
    assert host.serial.find(r"no guest is started by itself now", since)
    for name in hit:
        now = host.frames_digest([(mfn, 1) for mfn in digests[name]])
        assert now == digests[name], f"{name}'s frames must not have been given to anybody"
    for name in survivors:
        host.guest(name).wait_up()
        before[name].must_continue_as(GuestState.of(host.guest(name)))


@pytest.mark.parametrize("point", ["restore-adopted", "restore-state-set", "restore-complete",
                                   "resume-restored"])
def test_adoption_fails_halfway(start, point):
    """libxl destroys the half-made domain; its frames go back, a retry works, nobody else pays."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    # One try: a fault strikes once in a process, so that a second one would succeed.
    host.dom0(f"mkdir -p {DROPIN} && printf '[Service]\\nEnvironment=ROOTHAMMER_FAULT={point}\\n"
              f"ExecStart=\\nExecStart=/usr/local/sbin/roothammer resume\\n' "
              f"> {DROPIN}/fault.conf")
    process, since = begin(host)
    wait_jump(host, process, since)
    host.ssh.end(process)
    wait_resumed(host, since)
    waiting = preserved(host)
    failed = set(waiting)
    assert failed, "the injected fault must have hit somebody"
    assert {g["state"] for g in waiting.values()} == {"preserved"}
    for guest in host.guests:
        if guest.name not in failed:
            guest.wait_up()
            before[guest.name].must_continue_as(GuestState.of(guest))
    host.dom0(f"rm {DROPIN}/fault.conf; roothammer resume", seconds=600)
    assert preserved(host) == {}
    all_must_continue(host.guests, before)


def fail_call(gdb, error):
    """At a function's first instruction: it returns error, having done nothing."""
    stack = gdb.register("rsp")
    gdb.set_register("rip", int.from_bytes(gdb.memory(stack, 8), "little"))
    gdb.set_register("rsp", stack + 8)
    gdb.set_register("rax", -error & (1 << 64) - 1)


@pytest.mark.parametrize(("name", "function", "nth"), [
    ("db", "assign_pages", 3), ("db", "p2m_set_entry", 40), ("old", "assign_pages", 3)])
def test_hypercall_adopt_fails_halfway(start, name, function, nth):
    """The hypervisor itself runs out of memory with some of the guest's frames given already."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    names = {d: n for n, d in host.domains().items()}
    syms = host.spec.xen_next.with_name("xen-syms")
    adopt, inner = host.symbol("preserved_adopt", syms), host.symbol(function, syms)
    host.dom0(f"mkdir -p {DROPIN} && printf '[Service]\\nExecStart=\\n"
              f"ExecStart=/usr/local/sbin/roothammer resume\\n' > {DROPIN}/once.conf")
    gdb = host.break_at("machine_kexec")
    process, since = begin(host)
    gdb.wait_stop(900, "the jump")
    record = Record(host.ram, RANGE_START)
    victim, = [s.id for s in record.sets if names[s.domid] == name]
    gdb.clear(gdb.register("rip"))
    gdb.set(adopt)
    for _ in range(100):
        gdb.cont()
        gdb.wait_stop(900, "an adoption")
        # preserved_adopt(struct xen_sysctl_preserved_op *): op and id come first
        if int.from_bytes(gdb.memory(gdb.register("rdi") + 4, 4), "little") == victim:
            break
    gdb.clear(adopt)
    gdb.set(inner)
    for _ in range(nth):
        gdb.cont()
        gdb.wait_stop(60, function)
    gdb.clear(inner)
    fail_call(gdb, errno.ENOMEM)
    host.detach()
    host.ssh.end(process)
    wait_resumed(host, since)
    waiting = preserved(host)
    assert {n: g["state"] for n, g in waiting.items()} == {name: "preserved"}
    other, = [g for g in host.guests if g.name != name]
    other.wait_up()
    before[other.name].must_continue_as(GuestState.of(other))
    host.dom0("roothammer resume", seconds=600)
    assert preserved(host) == {}
    all_must_continue(host.guests, before)


def preserve_only(host):
    """A warm reboot after which nobody is resumed."""
    host.dom0(f"mkdir -p {DROPIN} && printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' "
              f"> {DROPIN}/fail.conf")
    process, since = begin(host)
    wait_jump(host, process, since)
    host.ssh.end(process)
    wait_resumed(host, since)


# An `xl save` that stands still in the middle, its guest suspended, until there is a file /root/go.
SLOW_SAVE = """rm -f /root/go; mkfifo /root/pipe
setsid nohup bash -c '{ for _ in $(seq 600); do [ -e /root/go ] && break; sleep 1; done
    cat > /var/tmp/db.save; } < /root/pipe' > /dev/null 2>&1 < /dev/null &
setsid nohup xl save db /root/pipe > /root/save.log 2>&1 < /dev/null &
"""


def test_guest_that_another_program_saves(start):
    """After a warm reboot that was called off, nothing of ours wakes, ends or moves such a guest."""
    host = start(guests=PAIR)
    db, before = host.guest("db"), GuestState.of(host.guest("db"))
    host.dom0("systemctl set-environment ROOTHAMMER_FAULT=freeze-start")
    assert host.dom0("xl-warm-reboot", seconds=600, check=False).code == 1
    host.dom0("systemctl unset-environment ROOTHAMMER_FAULT")
    settled(host)
    db.wait_up()

    def state():
        return host.dom0("xl list db").out.split()[-2]
    host.dom0(SLOW_SAVE)
    wait_until("db is suspended by xl save", 120, lambda: "s" in state(), 1)
    for option in ("", "--on-guest-failure shutdown"):
        refused = dry_run(host, option)
        assert refused.code == 3, refused.out
        found = {f["subject"]: f for f in findings(refused.json())}
        assert found.keys() == {"guest db"}
        assert "recover" not in found["guest db"]["mend"]
    assert host.dom0("xl-warm-reboot --on-guest-failure shutdown", check=False).code == 3
    host.dom0("roothammer recover")
    assert host.dom0("roothammer recover db", check=False).code == 1
    assert "s" in state()
    host.dom0("touch /root/go")
    wait_until("xl save has ended", 300, lambda: "db" not in host.domains(), 2)
    assert "Failed" not in host.dom0("cat /root/save.log").out
    host.dom0("xl restore /var/tmp/db.save", seconds=600)
    db.wait_up()
    before.must_continue_as(GuestState.of(db))


def test_unchecked_kexec_while_guests_are_preserved(start):
    """An image of the ordinary type may be loaded over any memory: refused until they are back."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    load = "kexec -l /boot/vmlinuz --initrd=/boot/initrd --reuse-cmdline"
    # Loaded while nothing was preserved, entered once something is.
    host.dom0(load)
    host.dom0(f"LIBXL_SAVE_HELPER={HELPER} xl save -p db /var/tmp/db.image", seconds=300)
    # Its name comes with what only a freeze adds.
    assert [g["state"] for g in preserved(host).values()] == ["frozen"]
    since = host.serial.end()
    entered = host.dom0("kexec -e --no-ifdown; echo returned", seconds=300, check=False)
    assert "returned" in entered.out and "busy" in (entered.out + entered.err).lower()
    assert not host.serial.find(r"Linux version|Xen version", since)
    host.dom0("roothammer recover")
    assert preserved(host) == {}
    host.guest("db").wait_up()
    # Loaded after the next boot, while guests wait.
    preserve_only(host)
    refused = host.dom0(load, check=False)
    assert refused.code != 0, "an unchecked image was loaded while guests are preserved"
    assert "busy" in (refused.out + refused.err).lower()
    host.dom0("roothammer resume", seconds=600)
    # The same command, now that nothing is preserved.
    host.dom0(load)
    host.dom0("kexec -u")
    all_must_continue(host.guests, before)


@pytest.mark.parametrize("name", ["db", "old"])
def test_rescue(start, name):
    """A preserved guest becomes an ordinary save file that the stock toolstack restores."""
    host = start(guests=PAIR)
    guest = host.guest(name)
    before = GuestState.of(guest)
    preserve_only(host)
    host.dom0(f"roothammer rescue {name} /var/tmp/{name}.save", seconds=600)
    # Xen's own checker; Debian keeps its Python modules where no Python looks for them.
    host.dom0("PYTHONPATH=/usr/lib/xen-4.17/lib/python /usr/lib/xen-4.17/bin/verify-stream-v2 "
              f"-f xl -i /var/tmp/{name}.save", seconds=600)
    host.dom0(f"roothammer discard {name}", seconds=300)
    assert name not in preserved(host)
    host.dom0(f"xl restore /var/tmp/{name}.save", seconds=600)
    guest.wait_up()
    before.must_continue_as(GuestState.of(guest))


def test_discard_scrubs(start):
    """Nothing of a discarded guest is left anywhere in RAM; the other guest is unharmed."""
    host = start(guests=PAIR)
    other = GuestState.of(host.guest("old"))
    # Put together in the guest, so that the bytes stand nowhere else (not in ssh's buffers).
    host.guest("db").run("printf '%s%s' canary- 5d1f0c7e > /dev/shm/canary")
    canary = b"canary-" + b"5d1f0c7e"
    assert host.find_in_ram(canary)
    preserve_only(host)
    assert host.find_in_ram(canary), "preserved means untouched"
    host.dom0("roothammer discard db", seconds=300)
    left = host.find_in_ram(canary)
    assert left == [], f"the canary is still at {[hex(a) for a in left]}"
    assert preserved(host).keys() == {"old"}
    host.dom0("roothammer resume", seconds=600)
    host.guest("old").wait_up()
    other.must_continue_as(GuestState.of(host.guest("old")))
