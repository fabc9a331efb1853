# SPDX-License-Identifier: GPL-2.0-only
"""One Ethernet between emulated machines and namespaces: a bridge in a namespace of its own.

Here is what happens between the machines and what no machine knows of: who hears whom. How fast
and how good the line is, each machine does itself, in its own time (shape.py).
"""

import fcntl
import os
import struct

from .errors import EnvironmentFailure
from .namespace import Namespace

BRIDGE = "wire"
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000
# Frames that wait for a machine; one that stands still for a while must not lose any by that.
QUEUE = 10000
TABLE = "bridge wire"


class Wire:
    def __init__(self) -> None:
        self.space = Namespace()
        self._ports: set[str] = set()
        # (from, to): frames between these two are dropped.
        self._cut: set[tuple[str, str]] = set()
        try:
            self.space.command("ip", "link", "add", "name", BRIDGE, "type", "bridge",
                               "stp_state", "0", "forward_delay", "0", "mcast_snooping", "0")
            self.space.command("ip", "link", "set", "dev", BRIDGE, "up")
            self._apply()
        except BaseException:
            self.close()
            raise

    def _plug(self, port: str) -> None:
        self.space.command("ip", "link", "set", "dev", port, "master", BRIDGE, "up")
        self._ports.add(port)

    def tap(self, port: str) -> int:
        """Plugs a machine in: the descriptor for its QEMU. The port is gone once that is closed.

        With the frames' offload headers, so that what Linux hands to its card in one piece of
        64 KiB stays one piece: a machine that is emulated pays for every frame.
        """
        def make() -> int:
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
            try:
                fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", port.encode(),
                                                       IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
            except BaseException:
                os.close(fd)
                raise
            return fd

        try:
            fd = self.space.run(make)
        except OSError as e:
            raise EnvironmentFailure(f"cannot make a tap: {e}") from None
        try:
            self.space.command("ip", "link", "set", "dev", port, "txqueuelen", str(QUEUE))
            self._plug(port)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def join(self, port: str, there: Namespace, address: str) -> None:
        """Plugs a namespace in; its end of the line is called eth0 and has the address."""
        self.space.command("ip", "link", "add", "name", port, "type", "veth",
                           "peer", "name", "eth0", "netns", there.path())
        there.command("ip", "address", "add", address, "dev", "eth0")
        there.command("ip", "link", "set", "dev", "eth0", "up")
        self._plug(port)

    def cut(self, source: str, target: str, one_way: bool = False) -> None:
        """The target hears nothing of the source any more; unless one_way, nor the source of it.

        Carrier and addresses stay: as with a switch that fails, no machine is told.
        """
        self._know(source, target)
        self._cut.add((source, target))
        if not one_way:
            self._cut.add((target, source))
        self._apply()

    def heal(self, source: str | None = None, target: str | None = None) -> None:
        """Undoes the cuts between two ports, both ways; without arguments every one."""
        if source is None or target is None:
            self._cut.clear()
        else:
            self._know(source, target)
            self._cut -= {(source, target), (target, source)}
        self._apply()

    def _know(self, *ports: str) -> None:
        for port in ports:
            # Else a misspelt name would be a cut that cuts nothing.
            if port not in self._ports:
                raise EnvironmentFailure(f"the wire has no port {port!r}: {sorted(self._ports)}")

    def _apply(self) -> None:
        """Replaces all rules in one transaction: no frame meets half of them."""
        rules = [f'    iifname "{a}" oifname "{b}" drop' for a, b in sorted(self._cut)]
        self.space.command("nft", "-f", "-", stdin="\n".join([
            f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE} {{", "  chain cuts {",
            "    type filter hook forward priority 0; policy accept;", *rules, "  }", "}", ""]))

    def close(self) -> None:
        self.space.close()
