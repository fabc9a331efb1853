# SPDX-License-Identifier: GPL-2.0-only
"""make lab: a host, or two, in the foreground; the (first) host's console in this terminal."""

import argparse
import contextlib
import signal
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from . import paths
from .errors import EnvironmentFailure, ProductFailure
from .host import Host
from .pair import Pair
from .snapshot import Snapshot
from .spec import GuestSpec, HostSpec
from .warm import ALL, PAIR


def parse_guests(words: str) -> list[GuestSpec]:
    guests = []
    for text in words.split():
        try:
            name, kind, memory, vcpus = text.split(":")
            guests.append(GuestSpec(name, kind, int(memory), int(vcpus)))
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"a guest is NAME:pvh|pv:MEGABYTES:VCPUS, not {text!r}") from None
    return guests


def announce(machines: Host | Pair, restage: bool) -> None:
    """Printed over the console once everything answers."""
    hosts = machines.hosts if isinstance(machines, Pair) else [machines]
    try:
        for host in hosts:
            host.wait_up()
            if restage:
                host.dom0("lab-restage")
    except (ProductFailure, EnvironmentFailure, OSError, ValueError) as e:
        print(f"\r\nlab: {e}\r", file=sys.stderr)
        return
    lines = of_pair(machines) if isinstance(machines, Pair) else of_host(machines)
    lines.append("  This terminal is dom0's console. Ctrl-T x ends the lab, Ctrl-T c is QEMU's "
                 "monitor.")
    print("\r\n".join(["", "The lab is up.", *lines]) + "\r", file=sys.stderr)


def of_host(host: Host) -> list[str]:
    lines = [f"  dom0          {host.ssh.shown()}"]
    for g in host.guests:
        lines.append(f"  {g.name:<13} {g.ssh.shown()}")
        lines.append(f"                web 127.0.0.1:{g.ports['http']}"
                     f"  redis 127.0.0.1:{g.ports['redis']}"
                     f"  witness 127.0.0.1:{g.ports['witness']}")
    lines.append("  In dom0: xl list; xl-warm-reboot --dry-run; xl-warm-reboot; roothammer timeline")
    return lines


def of_pair(pair: Pair) -> list[str]:
    lines = []
    for host in pair.hosts:
        side = host.spec.side
        assert side
        lines += [f"  dom0 of {side.name}     {host.ssh.shown()}",
                  f"                {side.network_ip()} (xenbr0, of it net0), {side.link_ip()} "
                  f"(peer0); log: {host.serial.path}"]
    lines += [f"  {g.name:<13} {g.address}, on {where} now"
              for where, host in zip("ab", pair.hosts, strict=True) for g in host.guests]
    enter = {name: " ".join(space.prefix()) for name, space in (
        ("client", pair.client), ("network", pair.network.space), ("link", pair.link.space))}
    rule = "nft add rule bridge wire cuts iifname a oifname b drop"
    return [*lines,
            f"  client        {enter['client']} ssh -i {paths.SSH_KEY} root@ADDRESS",
            f"  cut           {enter['link']} {rule}",
            "                (what a sends to b on the line between the hosts; the network that has",
            f"                the client too, with ports a, b, client: {enter['network']} ...)",
            "  heal          the same with: nft flush chain bridge wire cuts",
            "  shape         in dom0: tc qdisc replace dev peer0 root netem rate 10mbit delay 20ms "
            "loss 1%",
            "  In dom0 of a: xl list; xl migrate GUEST b"]


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


def started(spec: HostSpec, args: argparse.Namespace) -> tuple[Host | Pair, bool]:
    """The machines, and whether they go on from where earlier ones were kept."""
    if args.hosts == 1:
        kept = None if args.fresh else Snapshot.find(spec)
        return Host(spec, "lab", interactive=True, snapshot=kept), kept is not None
    second = spec.with_(guests=())
    both = None if args.fresh else Pair.find_snapshots(spec, second)
    return Pair(spec, second, "lab", interactive=True, snapshots=both), both is not None


def main() -> int:
    default = " ".join(f"{g.name}:{g.type}:{g.memory}:{g.vcpus}" for g in ALL)
    parser = argparse.ArgumentParser(prog="make lab", description=__doc__)
    parser.add_argument("--hosts", type=int, choices=(1, 2), default=1,
                        help="2: joined by two networks, guests on the first")
    parser.add_argument("--guests", type=parse_guests,
                        help=f"NAME:pvh|pv:MEGABYTES:VCPUS ...; default: {default}")
    parser.add_argument("--xen", type=Path, help="the hypervisor to start with")
    parser.add_argument("--xen-next", type=Path, help="put into dom0 as /boot/xen-next")
    parser.add_argument("--memory", type=int, help="MiB of the host")
    parser.add_argument("--smp", type=int, default=1)
    parser.add_argument("--fresh", action="store_true",
                        help="boot, even if a booted machine is kept from an earlier run")
    args = parser.parse_args()
    guests = args.guests if args.guests is not None else ALL if args.hosts == 1 else PAIR
    spec = HostSpec(guests=tuple(guests), memory=args.memory, smp=args.smp)
    if args.xen:
        spec = spec.with_(xen=args.xen.resolve())
    if args.xen_next:
        spec = spec.with_(xen_next=args.xen_next.resolve())
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        with terminal_put_back(), contextlib.ExitStack() as running:
            machines, kept = started(spec, args)
            running.callback(machines.close)
            # What was booted a moment ago has today's tools.
            threading.Thread(target=announce, args=(machines, kept), daemon=True).start()
            first = machines.a if isinstance(machines, Pair) else machines
            first.qemu.wait()
    except EnvironmentFailure as e:
        print(f"lab: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
