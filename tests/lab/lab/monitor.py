# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's control socket (QMP), and the human monitor's commands through it."""

import json
import socket
from pathlib import Path
from typing import Any

from .clock import Deadline
from .errors import EnvironmentFailure


class Monitor:
    def __init__(self, path: Path, seconds: float = 20):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(Deadline(seconds, "QEMU's monitor").seconds)
        self._socket.connect(str(path))
        self._buffer = b""
        self.events: list[dict[str, Any]] = []
        self._receive()  # greeting
        self.command("qmp_capabilities")

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise EnvironmentFailure("QEMU's monitor does not answer") from None
            except ConnectionResetError:
                data = b""
            if not data:
                raise EnvironmentFailure("QEMU closed its monitor")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def command(self, name: str, **arguments: Any) -> Any:
        request: dict[str, Any] = {"execute": name}
        if arguments:
            request["arguments"] = arguments
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
        except OSError as e:
            raise EnvironmentFailure(f"QEMU closed its monitor: {e}") from None
        while True:
            message = self._receive()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise EnvironmentFailure(f"QEMU refuses {name}: {message['error']['desc']}")
            else:
                return message["return"]

    def human(self, line: str) -> str:
        answer = self.command("human-monitor-command", **{"command-line": line})
        return str(answer)

    def stop(self) -> None:
        self.command("stop")

    def cont(self) -> None:
        self.command("cont")

    def running(self) -> bool:
        return bool(self.command("query-status")["running"])

    def reset(self) -> None:
        """The machine's reset button: processors and devices, not the content of memory."""
        self.command("system_reset")

    def pm_timer(self) -> int:
        """The ACPI power-management timer: 24 bits at 3.579545 MHz of the machine's time.

        Under instruction counting that time is instructions, so two readings with the machine
        stopped give the instructions between them, to within about 140. Wraps after 4.7 s.
        """
        text = self.human("i /w 0x608")  # where SeaBIOS puts it
        return int(text.split("=")[1], 16) & 0xFFFFFF

    def pci_config(self, devfn: int, register: int) -> int:
        """32 bits of the configuration of a function on bus 0; the machine is to be stopped."""
        def port_in(port: int) -> int:
            return int(self.human(f"i /w {port:#x}").split("=")[1], 16)

        address, data = 0xcf8, 0xcfc
        # Whoever was stopped between its own two accesses finds his address there.
        was = port_in(address)
        self.human(f"o /w {address:#x} {1 << 31 | devfn << 8 | register:#x}")
        value = port_in(data)
        self.human(f"o /w {address:#x} {was:#x}")
        return value

    def physical(self, address: int) -> int:
        """64 bits of memory, or of a device's registers."""
        return int(self.human(f"xp /1gx {address:#x}").split(":")[1], 16)

    @staticmethod
    def instructions(before: int, after: int) -> float:
        """Instructions between two readings of the timer, on a host with icount (shift=1)."""
        nanoseconds = ((after - before) & 0xFFFFFF) * 1e9 / 3579545
        return nanoseconds / 2
