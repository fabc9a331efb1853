"""make lab: a host in the foreground, its console in this terminal."""

import argparse
import contextlib
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from .errors import EnvironmentFailure, ProductFailure
from .host import Host
from .snapshot import Snapshot
from .spec import GuestSpec, HostSpec
from .warm import ALL


def parse_guest(text: str) -> GuestSpec:
    fields = text.split(":")
    try:
        name, kind, memory, vcpus = fields
        return GuestSpec(name, kind, int(memory), int(vcpus))
    except ValueError:
        raise SystemExit(f"lab: a guest is NAME:pvh|pv:MEGABYTES:VCPUS, not {text!r}") from None


def announce(host: Host, restage: bool) -> None:
    """Printed over the console once everything answers."""
    try:
        host.wait_up()
        if restage:
            host.dom0("lab-restage")
    except (ProductFailure, EnvironmentFailure, OSError, ValueError) as e:
        print(f"\r\nlab: {e}\r", file=sys.stderr)
        return
    lines = ["", "The lab is up.", f"  dom0          {host.ssh.shown()}"]
    for g in host.guests:
        lines.append(f"  {g.name:<13} {g.ssh.shown()}")
        lines.append(f"                web 127.0.0.1:{g.ports['http']}"
                     f"  redis 127.0.0.1:{g.ports['redis']}"
                     f"  witness 127.0.0.1:{g.ports['witness']}")
    lines.append("  In dom0: xl list; xl-warm-reboot --dry-run; xl-warm-reboot; roothammer timeline")
    lines.append("  This terminal is dom0's console. Ctrl-T x ends the lab, Ctrl-T c is QEMU's "
                 "monitor.")
    print("\r\n".join(lines) + "\r", file=sys.stderr)


@contextlib.contextmanager
def terminal_put_back() -> Iterator[None]:
    """QEMU sets the terminal to raw; however it ends, the shell gets it back as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def main() -> int:
    default = " ".join(f"{g.name}:{g.type}:{g.memory}:{g.vcpus}" for g in ALL)
    parser = argparse.ArgumentParser(prog="make lab", description=__doc__)
    parser.add_argument("--guests", help=f"NAME:pvh|pv:MEGABYTES:VCPUS ...; default: {default}")
    parser.add_argument("--xen", type=Path, help="the hypervisor to start with")
    parser.add_argument("--xen-next", type=Path, help="put into dom0 as /boot/xen-next")
    parser.add_argument("--memory", type=int, help="MiB of the host")
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--fresh", action="store_true",
                        help="boot, even if a booted machine is kept from an earlier run")
    args = parser.parse_args()
    guests = ALL if args.guests is None else [parse_guest(t) for t in args.guests.split()]
    spec = HostSpec(guests=tuple(guests), memory=args.memory, smp=args.smp)
    if args.xen:
        spec = spec.with_(xen=args.xen.resolve())
    if args.xen_next:
        spec = spec.with_(xen_next=args.xen_next.resolve())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        kept = None if args.fresh else Snapshot.find(spec)
        with terminal_put_back(), \
                contextlib.closing(Host(spec, "lab", interactive=True, snapshot=kept)) as host:
            threading.Thread(target=announce, args=(host, kept is not None), daemon=True).start()
            host.qemu.wait()
    except EnvironmentFailure as e:
        print(f"lab: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
