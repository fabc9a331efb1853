# SPDX-License-Identifier: GPL-2.0-only
"""Warm reboots that must succeed."""

import contextlib
import json
import re

from lab import paths
from lab.elf import Image
from lab.record import Record
from lab.report import blackouts, timeline_table
from lab.spec import GuestSpec
from lab.state import GuestState, all_must_continue
from lab.warm import (ALL, DB, OLD, PAIR, RANGE_START, balloon, begin, build_id, preserved,
                      wait_jump, wait_resumed, warm_reboot)

# What pinning a top-level page table of a PV guest writes: slots 256 to 271 of 512.
L4_NAME = "pinned L4, Xen's slots"
XEN_SLOTS = range(256 * 8, 272 * 8)
CACHED = "/var/www/html/data/file5"


def test_five_in_a_row(start):
    """Everything a client or a guest can see goes on; the host under it is a new one each time."""
    host = start(guests=ALL)
    before = {g.name: GuestState.of(g) for g in host.guests}
    for guest in host.guests:
        guest.run(f"cat {CACHED} > /dev/null")
    with contextlib.ExitStack() as held:
        witness = {g.name: held.enter_context(g.witness_connection()) for g in host.guests}
        web = {g.name: held.enter_context(g.http_connection()) for g in host.guests}
        redis = {g.name: held.enter_context(g.redis_connection()) for g in host.guests}
        for g in host.guests:
            assert web[g.name].get("/") == b"ok\n"
        for turn in range(5):
            old = build_id(host)
            for connection in witness.values():
                connection.ask("reset")
            # Two builds in turn, so that each generation is provably another hypervisor.
            image = "/boot/xen-next" if turn % 2 == 0 else "/boot/xen"
            timeline = warm_reboot(host, f"--xen {image}")
            assert build_id(host) != old
            assert timeline["generation"] == turn + 1
            # These guests' disks and cards are plain, and the scripts are Debian's.
            plugged = host.dom0("journalctl -b -o cat -t roothammer-hotplug").out.splitlines()
            assert len(plugged) == 2 * len(host.guests), plugged
            assert all(line.endswith(": connected") for line in plugged), plugged
            gaps = {}
            for guest in host.guests:
                answer = witness[guest.name].ask("check", seconds=300)
                gaps[guest.name] = answer["gaps"]
                assert answer["bad"] == 0
                assert answer["seed"] == before[guest.name].seed
                assert not answer["monotonic_back"] and not answer["tsc_back"]
                # The guest did stand still, and knows it.
                assert answer["gaps_over"] >= 1
                assert web[guest.name].get("/", 300) == b"ok\n"
                assert redis[guest.name].ask("PING", seconds=300) == "PONG"
                before[guest.name].must_continue_as(GuestState.of(guest))
                reads = guest.disk_reads()
                guest.run(f"cat {CACHED} > /dev/null")
                assert guest.disk_reads() - reads < 64, "the page cache must have survived"
            seen = blackouts(timeline, gaps)
            print(timeline_table(timeline, seen))
            for name, blackout in seen.items():
                # What the guest's own calendar missed is what the host says it stood still, and
                # the time until the guest's turn came.
                assert blackout["guest_ms"] > blackout["host_ms"] - 100 > 0, (name, blackout)


def test_frames_are_equal_from_outside(start):
    """The frames a guest resumes from are the frozen ones, but for those named as written.

    Read from the emulator's view of RAM: once stopped at the jump, and for each guest once
    more stopped where the new hypervisor is about to let it run.
    """
    host = start(guests=ALL)
    next_syms = host.spec.xen_next.with_name("xen-syms")
    names = {str(d): n for n, d in host.domains().items()}
    gdb = host.break_at("machine_kexec")
    process, since = begin(host)
    gdb.wait_stop(900, "the jump")
    record = Record(host.ram, RANGE_START)
    assert len(record.sets) == len(ALL)
    frozen = {s.id: host.ram.frame_digests(record.extents(s)) for s in record.sets}
    gfns = {s.id: {run.mfn + i: run.gfn + i for run in s.runs(host.ram)
                   for i in range(run.count)} for s in record.sets}
    named = {s.id: names[str(s.domid)] for s in record.sets}
    contents = {run.mfn: host.ram.read(run.mfn * 4096, 4096) for s in record.sets
              for run in s.runs(host.ram) if run.pin == 4}
    for s in record.sets:
        assert len(frozen[s.id]) == s.frames
    gdb.clear(gdb.register("rip"))
    # The new hypervisor's code is not there yet; the breakpoint waits for it.
    gdb.set(host.symbol("preserved_commit", next_syms))
    gdb.cont()
    # By guest and gfn: a page table's contents before and after, nothing of other frames.
    differing: dict[str, dict[int, tuple[bytes, bytes]]] = {}
    # A commit that takes long is continued by calling it again: only the first call of each counts.
    for _ in range(2000):
        gdb.wait_stop(900, "a guest's commit")
        # preserved_commit(struct xen_sysctl_preserved_op *): op and id come first
        id_ = int.from_bytes(gdb.memory(gdb.register("rdi") + 4, 4), "little")
        if named[id_] not in differing:
            later = host.ram.frame_digests([(mfn, 1) for mfn in frozen[id_]])
            differing[named[id_]] = {
                gfns[id_][mfn]: (contents.get(mfn, b""), host.ram.read(mfn * 4096, 4096))
                for mfn, digest in frozen[id_].items() if later[mfn] != digest}
        if len(differing) == len(record.sets):
            break
        gdb.cont()
    host.detach()
    host.ssh.end(process)
    wait_resumed(host, since)
    assert differing.keys() == {g.name for g in ALL}
    timeline = json.loads(host.dom0("roothammer timeline --json").out)
    for guest in timeline["guests"]:
        allowed = {f["gfn"]: f["name"] for f in guest["written_frames"]}
        changed = differing[guest["name"]]
        strange = changed.keys() - allowed.keys()
        print(guest["name"], "frames", guest["frames"], "written",
              sorted({allowed[g] for g in changed.keys() & allowed.keys()}))
        assert not strange, f"{guest['name']}: gfns {sorted(map(hex, strange))[:20]} changed"
        tables = {g for g, name in allowed.items() if name == L4_NAME}
        assert len(allowed) - len(tables) <= 4, "only a few frames may be named as written"
        for gfn in tables & changed.keys():
            before, after = changed[gfn]
            assert before[:XEN_SLOTS.start] + before[XEN_SLOTS.stop:] == \
                after[:XEN_SLOTS.start] + after[XEN_SLOTS.stop:], f"gfn {gfn:#x}: the guest's slots"
    for guest in host.guests:
        guest.wait_up()
        assert guest.witness("check", seconds=300)["bad"] == 0


def test_guests_with_four_processors(start):
    """All of them come back, in the state they were in, and do work."""
    host = start(guests=[GuestSpec("wide", "pvh", memory=320, vcpus=4, witness=48),
                         GuestSpec("oldwide", "pv", memory=320, vcpus=4, witness=48)])
    before = {g.name: GuestState.of(g) for g in host.guests}
    for _ in range(2):
        warm_reboot(host)
        all_must_continue(host.guests, before)
        for guest in host.guests:
            for cpu in range(4):
                assert guest.run(f"taskset -c {cpu} nproc --all").out.strip() == "4"


def test_host_with_two_processors(start):
    """Both are there again each time, guests' processors run on both, two guests freeze at once."""
    host = start(guests=[GuestSpec("wide", "pvh", memory=320, vcpus=2, witness=48), DB, OLD],
                 smp=2)
    before = {g.name: GuestState.of(g) for g in host.guests}
    for _ in range(3):
        since = host.serial.end()
        warm_reboot(host)
        events = re.findall(r"event=(freeze|frozen) guest=", host.serial.read(since))
        assert events[:3] == ["freeze", "freeze", "frozen"], events
        assert host.xen_info()["nr_cpus"] == "2"
        assert host.dom0("nproc").out.strip() == "2"
        all_must_continue(host.guests, before)
        for guest in host.guests:
            guest.run("for i in 1 2 3 4; do (for j in $(seq 50); do ls / > /dev/null; done) & done;"
                      " wait")
        all_must_continue(host.guests, before)


def test_almost_full_host_and_ever_bigger_hypervisor(start):
    """Hardly any memory left outside the reserved range, and each time an image with more in it."""
    big = GuestSpec("big", "pvh", memory=800, witness=500)
    host = start(guests=[big, OLD], memory=768 + 256 + 800 + 256 + 160)
    free = int(host.xen_info()["free_memory"])
    assert free < 128, f"{free} MiB free: not almost full"
    release, debug = paths.XEN.read_bytes(), paths.XEN_NEXT.read_bytes()
    images = [debug, *(Image(debug).with_more_content(n << 20) for n in (3, 6))]
    sizes = [Image(image).content() for image in [release, *images]]
    assert sizes == sorted(set(sizes)), "each must be bigger than the one before"
    before = {g.name: GuestState.of(g) for g in host.guests}
    for image in images:
        host.ssh.put(image, "/root/bigger-xen")
        warm_reboot(host, "--xen /root/bigger-xen")
        all_must_continue(host.guests, before)


def test_spacious_host_stays_spacious(start):
    """Memory that no guest has, below 4 GiB and above, is all there again after each reboot."""
    host = start(guests=[DB], memory=4608)
    before = {g.name: GuestState.of(g) for g in host.guests}
    free = [int(host.xen_info()["free_memory"])]
    assert free[0] > 2500, f"{free[0]} MiB free: not spacious"
    for _ in range(3):
        warm_reboot(host)
        all_must_continue(host.guests, before)
        free.append(int(host.xen_info()["free_memory"]))
    print("MiB free:", *free)
    assert min(free) >= free[0] - 16


def test_ballooned_guests_three_times(start):
    """Guests of both types, whose frames are scattered by ballooning down and up in turns."""
    host = start(guests=[GuestSpec("hap", "pvh", memory=320), GuestSpec("para", "pv", memory=320)])
    # Both down, then both up in steps, so that they take each other's frames.
    for megabytes in (200, 260, 320):
        for guest in host.guests:
            balloon(host, guest.name, megabytes)
    before = {g.name: GuestState.of(g) for g in host.guests}
    for _ in range(3):
        timeline = warm_reboot(host)
        extents = {g["name"]: g["extents"] for g in timeline["guests"]}
        print(extents)
        assert all(n > 5000 for n in extents.values()), "ballooning must have scattered the frames"
        all_must_continue(host.guests, before)


def test_resume_by_hand_and_carried_over(start):
    """The resume service fails: guests stay preserved, go over once more, resume by hand."""
    host = start(guests=PAIR)
    before = {g.name: GuestState.of(g) for g in host.guests}
    host.dom0("mkdir -p /etc/systemd/system/roothammer-resume.service.d && printf "
              "'[Service]\\nExecStart=\\nExecStart=/bin/false\\n' "
              "> /etc/systemd/system/roothammer-resume.service.d/fail.conf")
    for generation in (1, 2):
        process, since = begin(host)
        wait_jump(host, process, since)
        host.ssh.end(process)
        wait_resumed(host, since)
        assert host.domains() == {}, "xendomains must not start a second copy of a guest"
        waiting = preserved(host)
        assert waiting.keys() == {g.name for g in PAIR}
        assert {g["state"] for g in waiting.values()} == {"preserved"}
        assert {g["generation"] for g in waiting.values()} == {generation}
    host.dom0("roothammer resume", seconds=600)
    assert preserved(host) == {}
    all_must_continue(host.guests, before)


def test_dom0_ends_in_a_rescue_shell(start):
    """The new dom0 gets no further than a shell on its console; the operator goes on from there."""
    host = start(guests=PAIR)
    before = GuestState.of(host.guest("db"))
    line = host.spec.dom0_command_line() + " systemd.unit=rescue.target"
    process, since = begin(host, f"--kernel-cmdline '{line}'")
    wait_jump(host, process, since)
    host.ssh.end(process)
    host.serial.wait_for(r"Press Enter|Control-D", 600, since)
    # The markers are computed by the shell, so that the echo of what is typed does not match.
    host.type("\n")
    host.type("systemctl start xen networking; echo up-$((40 + 2))\n", "up-42", 300)
    host.type("roothammer list; echo listed-$((40 + 2))\n", "listed-42", 300)
    assert host.serial.find(r"db +preserved", since)
    host.type("roothammer resume && echo back-$((40 + 2))\n", "back-42", 900)
    guest = host.guest("db")
    guest.wait_up()
    before.must_continue_as(GuestState.of(guest))
