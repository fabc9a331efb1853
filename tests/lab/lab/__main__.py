"""make lab: a host in the foreground, its console in this terminal."""

import argparse
import sys
import threading
from pathlib import Path

from .errors import EnvironmentFailure, ProductFailure
from .host import Host
from .spec import GuestSpec, HostSpec

DEFAULT = "web:pvh:384:2 db:pvh:256:1 old:pv:256:1"


def parse_guest(text: str) -> GuestSpec:
    fields = text.split(":")
    try:
        name, kind, memory, vcpus = fields
        return GuestSpec(name, kind, int(memory), int(vcpus))
    except ValueError:
        raise SystemExit(f"lab: a guest is NAME:pvh|pv:MEGABYTES:VCPUS, not {text!r}") from None


def announce(host: Host) -> None:
    """Printed over the console once everything answers."""
    try:
        host.wait_up(600)
    except (ProductFailure, EnvironmentFailure, OSError, ValueError) as e:
        print(f"\r\nlab: {e}\r", file=sys.stderr)
        return
    lines = ["", "The lab is up.", f"  dom0          {host.ssh.shown()}"]
    for g in host.guests:
        lines.append(f"  {g.name:<13} {g.ssh.shown()}")
        lines.append(f"                web 127.0.0.1:{g.ports['http']}"
                     f"  redis 127.0.0.1:{g.ports['redis']}"
                     f"  witness 127.0.0.1:{g.ports['witness']}")
    lines.append("  This terminal is dom0's console. Ctrl-T x ends the lab, Ctrl-T c is QEMU's "
                 "monitor.")
    print("\r\n".join(lines) + "\r", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make lab", description=__doc__)
    parser.add_argument("--guests", default=DEFAULT, help=f"default: {DEFAULT}")
    parser.add_argument("--xen", type=Path, help="the hypervisor to start with")
    parser.add_argument("--xen-next", type=Path, help="put into dom0 as /boot/xen-next")
    parser.add_argument("--memory", type=int, help="MiB of the host")
    parser.add_argument("--smp", type=int, default=1)
    args = parser.parse_args()
    spec = HostSpec(guests=tuple(parse_guest(t) for t in args.guests.split()),
                    memory=args.memory, smp=args.smp)
    if args.xen:
        spec = spec.with_(xen=args.xen.resolve())
    if args.xen_next:
        spec = spec.with_(xen_next=args.xen_next.resolve())
    try:
        host = Host(spec, "lab", interactive=True)
    except EnvironmentFailure as e:
        print(f"lab: {e}", file=sys.stderr)
        return 2
    try:
        threading.Thread(target=announce, args=(host,), daemon=True).start()
        host.qemu.wait()
    except KeyboardInterrupt:
        pass
    finally:
        host.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
