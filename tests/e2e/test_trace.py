# SPDX-License-Identifier: GPL-2.0-only
"""Recording what a running guest writes, by Xen's log-dirty mode (replication-trace record)."""

import contextlib
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab import paths
from lab.clock import wait_until
from lab.errors import ProductFailure
from lab.host import Host
from lab.state import GuestState
from lab.warm import PAIR, dry_run

PAGE = 4096
TRACE = "/var/tmp/guest.trace"
# Of the nameless file in which the epochs wait until the recording ends.
EPOCHS_SIZE = ("p=$(pidof replication-trace) && for f in /proc/$p/fd/*; do "
               "case $(readlink $f) in *'(deleted)') stat -L -c %s $f;; esac; done")


@dataclass
class Trace:
    """A trace as docs/specs/trace.md has it, read without a line of the recorder's."""
    path: Path
    guest_pages: int
    epochs: list[dict[int, int]]  # pfn -> where its content is in the file

    @classmethod
    def read(cls, path: Path) -> "Trace":
        epochs = []
        with open(path, "rb") as f:
            def number(size: int) -> int:
                data = f.read(size)
                assert len(data) == size, "cut short"
                return int.from_bytes(data, "little")

            guest_pages, count = number(8), number(8)
            assert 0 < guest_pages < 1 << 32
            f.seek(16 + guest_pages * PAGE)
            for _ in range(count):
                pages = number(4)
                pfns = [number(4) for _ in range(pages)]
                assert pfns == sorted(set(pfns)) and all(p < guest_pages for p in pfns)
                content = f.tell()
                epochs.append({pfn: content + i * PAGE for i, pfn in enumerate(pfns)})
                f.seek(pages * PAGE, os.SEEK_CUR)
            assert f.tell() == os.fstat(f.fileno()).st_size, "something follows the last epoch"
        return cls(path, guest_pages, epochs)

    def image(self) -> Iterator[tuple[int, bytes]]:
        """The pages of the image that are not holes of the file: pfn, content."""
        with open(self.path, "rb") as f:
            end, at = 16 + self.guest_pages * PAGE, 16
            while at < end:
                try:
                    data = os.lseek(f.fileno(), at, os.SEEK_DATA)
                except OSError:  # no data any more
                    return
                first = max((data - 16) // PAGE, (at - 16 + PAGE - 1) // PAGE)
                hole = min(os.lseek(f.fileno(), data, os.SEEK_HOLE), end)
                last = -(-(hole - 16) // PAGE)
                for pfn in range(first, last):
                    yield pfn, os.pread(f.fileno(), PAGE, 16 + pfn * PAGE)
                at = max(16 + last * PAGE, hole)

    def page(self, epoch: int, pfn: int) -> bytes:
        with open(self.path, "rb") as f:
            return os.pread(f.fileno(), PAGE, self.epochs[epoch][pfn])

    def at_the_end(self) -> dict[int, int]:
        """pfn -> the last epoch that has it."""
        return {pfn: number for number, epoch in enumerate(self.epochs) for pfn in epoch}


def copy_out(host: Host, path: str, to: Path) -> None:
    """Sparse as it is: most of a PVH guest's page numbers are no memory."""
    folder, name = path.rsplit("/", 1)
    packed = to.with_suffix(".tar.gz")
    process = host.ssh.start(f"tar -C {folder} -cSf - {name} | gzip -1", packed)
    assert process.wait(900) == 0, "copying the trace out failed"
    subprocess.run(["tar", "-xSzf", packed, "-C", to.parent], check=True)
    packed.unlink()
    os.rename(to.parent / name, to)


def epochs_size(host: Host) -> int:
    return sum(int(n) for n in host.dom0(EPOCHS_SIZE, check=False).out.split())


def must_be_as_before(host: Host) -> None:
    """No guest is paused or in log-dirty mode: a warm reboot would refuse it."""
    command = dry_run(host)
    assert command.code == 0, command.out + command.err


@contextlib.contextmanager
def recording(host: Host, options: str) -> Iterator[subprocess.Popen[bytes]]:
    process = host.ssh.start(f"replication-trace record --out {TRACE} {options}",
                             host.folder / "record.log")
    try:
        yield process
    finally:
        host.dom0("pkill -x replication-tra; true")
        process.wait(300)


def log_of(host: Host) -> str:
    return (host.folder / "record.log").read_text(errors="replace")


@pytest.mark.parametrize("name", ["db", "old"])
def test_what_a_guest_writes_is_recorded(start, name):
    host = start(guests=PAIR)
    guest = host.guest(name)
    before = GuestState.of(guest)
    canary = secrets.token_hex(24 * 1024)  # 48 KiB: at least ten whole pages hold nothing else
    with recording(host, f"--domain {name} --interval 200 --epochs 100000") as process:
        def runs() -> bool:
            if process.poll() is not None:
                raise ProductFailure("the recording ended by itself:\n" + log_of(host))
            return epochs_size(host) > 0

        wait_until("the first epoch", 900, runs, 0.5)
        guest.redis("SET", "test:canary", canary)
        written = epochs_size(host)
        wait_until("more epochs", 300, lambda: epochs_size(host) > written, 0.5)
        # Still recorded, it is not fit for a warm reboot: this is what the check below relies on.
        refused = dry_run(host)
        assert refused.code != 0 and "log" in refused.out, refused.out
        host.dom0("sleep 2; pkill -INT -x replication-tra")
        assert process.wait(600) == 0, log_of(host)
    must_be_as_before(host)
    guest.redis("DEL", "test:canary")
    before.must_continue_as(GuestState.of(guest))

    host.dom0(f"ls -ls {TRACE}; df -h /var/tmp")
    copied = host.folder / "guest.trace"
    copy_out(host, TRACE, copied)
    trace = Trace.read(copied)
    assert trace.guest_pages >= guest.spec.memory << 8
    assert len(trace.epochs) > 1 and sum(bool(e) for e in trace.epochs) > 1
    # The witness writes all the time; and no epoch is the whole memory.
    assert all(len(e) < trace.guest_pages // 2 for e in trace.epochs)

    # Two a page: one of them may lie across two.
    places = range(0, len(canary), PAGE // 2)
    pieces = {at: canary[at:at + 64].encode() for at in places}
    resident = 0
    for pfn, content in trace.image():
        resident += content != bytes(PAGE)
        assert not any(p in content for p in pieces.values()), f"page {pfn} was written before it was"
    assert resident > (guest.spec.memory << 8) // 8, "the image is not a guest's memory"
    last = trace.at_the_end()
    found: dict[int, int] = {}
    for pfn, epoch in last.items():
        content = trace.page(epoch, pfn)
        for at, piece in pieces.items():
            place = content.find(piece)
            # Network buffers hold parts of it as well; Redis holds it whole, up to the page's end.
            if place >= 0 and canary[at:at + PAGE - place].encode() in content:
                found[at] = max(epoch, found.get(at, 0))
    assert len(found) >= len(pieces) // 2, f"{len(found)} of {len(pieces)} pieces of the canary"
    assert min(found.values()) > 0, "it was written after the first epoch"

    replayed = subprocess.run([paths.need(paths.BIN / "bench-codec"), "replay",
                               "--rounds", "1", "--epochs", "20", "--only", "fast", copied],
                              capture_output=True, text=True)
    print(replayed.stdout)
    assert replayed.returncode == 0, replayed.stderr
    print(f"{name}: {trace.guest_pages} pages, {resident} resident, "
          f"{len(trace.epochs)} epochs of {[len(e) for e in trace.epochs]} pages")
    copied.unlink()


def test_as_many_epochs_as_were_asked_for_and_refusals(start):
    host = start(guests=PAIR)
    before = [GuestState.of(g) for g in host.guests]
    result = host.dom0(f"replication-trace record --out {TRACE} --domain old --interval 200 "
                       "--epochs 10", seconds=900)
    assert "10 epochs of 200 ms" in result.out
    header = host.dom0(f"od -An -tu8 -N16 {TRACE}").out.split()
    assert header[1] == "10"
    must_be_as_before(host)

    def refused(domain: str, *words: str) -> None:
        result = host.dom0(f"replication-trace record --out {TRACE} --domain {domain}",
                           check=False)
        assert result.code == 1, result.out
        for word in words:
            assert word in result.err, result.err

    refused("0", "dom0", "name a guest")
    refused("nobody", "nobody", "xl list")
    host.dom0("xl pause db")
    refused("db", "guest db", "paused", "xl unpause db")
    host.dom0("xl unpause db")
    with recording(host, "--domain db --interval 200 --epochs 100000") as process:
        wait_until("the first epoch", 900, lambda: epochs_size(host) > 0, 0.5)
        refused("db", "guest db", "log-dirty mode already")
        assert process.poll() is None, log_of(host)
    must_be_as_before(host)
    for state, guest in zip(before, host.guests):
        state.must_continue_as(GuestState.of(guest))
