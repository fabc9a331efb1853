# SPDX-License-Identifier: GPL-2.0-only
"""What works without any change to Xen: the ground the warm reboot tests stand on."""

import hashlib

import pytest
from lab import paths
from lab.state import GuestState
from lab.warm import ALL


def test_guests_serve(start):
    host = start(guests=ALL)
    assert host.domains().keys() == {"web", "db", "old"}
    states = [GuestState.of(g) for g in host.guests]
    # Three machines, not one answer three times.
    for field in ("boot_id", "redis_digest", "seed"):
        assert len({getattr(s, field) for s in states}) == 3
    for guest in host.guests:
        assert states[0].processes.keys() == {"ssh", "nginx", "redis-server", "lab-witness"}
        assert guest.run("nproc").out.strip() == str(guest.spec.vcpus)
        inside = guest.run("sha256sum /var/www/html/data/file7").out.split()[0]
        assert hashlib.sha256(guest.http("/data/file7")).hexdigest() == inside


def test_cached_file_costs_no_disk_read(start):
    guest = start(guests=ALL).guest("web")
    path = "/var/www/html/data/file3"
    before = guest.disk_reads()
    guest.run(f"cat {path} > /dev/null")
    first = guest.disk_reads()
    assert first - before >= 2048, "the first read of 1 MiB must come from the disk"
    guest.run(f"cat {path} > /dev/null")
    assert guest.disk_reads() - first < 64, "the second must come from the page cache"


@pytest.mark.parametrize("name", ["web", "db", "old"])
def test_save_and_restore(start, name):
    host = start(guests=ALL)
    guest = host.guest(name)
    before = GuestState.of(guest)
    with guest.witness_connection() as held, guest.http_connection() as web:
        assert web.get("/") == b"ok\n"
        held.ask("reset")
        host.dom0(f"xl save {name} /var/tmp/{name}.save", seconds=300)
        assert name not in host.domains()
        host.dom0(f"xl restore /var/tmp/{name}.save", seconds=300)
        answer = held.ask("get", seconds=120)
        assert answer["seed"] == before.seed
        # The guest measures how long it stood still with a clock that nobody adjusts.
        assert answer["tsc_gap_max"] > answer["tsc_khz"] * 300
        assert answer["gaps_over"] >= 1
        assert not answer["tsc_back"] and not answer["monotonic_back"]
        assert web.get("/") == b"ok\n"
    before.must_continue_as(GuestState.of(guest))


def test_kexec_replaces_hypervisor_and_dom0(start):
    """Stock kexec (type 0): the guests die of it, but the host comes back on its disks."""
    host = start(guests=[], fresh=True, xen=paths.DEBIAN_XEN, xen_next=paths.DEBIAN_XEN)
    boot_id, boots = host.dom0_boot_id(), len(host.xen_boots())
    host.dom0(f"kexec -l -t multiboot2-x86 /boot/xen-next"
              f" --command-line='{host.spec.xen_command_line()}'"
              f" --module='/boot/vmlinuz {host.spec.dom0_command_line()}'"
              f" --module=/boot/initrd")
    host.dom0("echo marker > /root/marker; sync")
    since = host.serial.end()
    kexec = host.ssh.start("kexec -e", host.folder / "kexec.log")
    host.wait_dom0(since=since)
    assert kexec.wait(60) != 0, "kexec -e must not return"
    assert host.dom0_boot_id() != boot_id
    assert len(host.xen_boots()) == boots + 1
    assert host.dom0("cat /root/marker").out == "marker\n"
