# SPDX-License-Identifier: GPL-2.0-only
"""A small client of QEMU's gdb stub: stop the host at one exact instruction.

The machine must be stopped before connecting (the stub would otherwise stop it itself and
report that at a moment of its own choosing). Xen's code lives at addresses that no guest uses, so a hardware
breakpoint there never fires in a guest.
"""

import socket
import subprocess
from functools import lru_cache
from pathlib import Path

from .clock import Deadline
from .errors import EnvironmentFailure, Timeout

# The order of the stub's register file for x86-64, and each register's size in bytes.
REGISTERS = ("rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split(), 8)


@lru_cache(maxsize=8)
def symbols(syms: Path) -> dict[str, int]:
    """Symbols of an ELF file with symbols (xen-syms)."""
    try:
        out = subprocess.run(["nm", str(syms)], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as e:
        raise EnvironmentFailure(f"cannot read symbols of {syms}: {e}") from None
    table: dict[str, int] = {}
    for line in out.splitlines():
        fields = line.split()
        if len(fields) == 3:
            table.setdefault(fields[2], int(fields[0], 16))
    return table


class GdbStub:
    def __init__(self, path: Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        try:
            self._socket.connect(str(path))
        except OSError as e:
            raise EnvironmentFailure(f"QEMU's gdb stub: {e}") from None
        self._buffer = b""
        self._breakpoints: set[int] = set()
        self._running = False
        self._ask("qSupported:swbreak+;hwbreak+")
        self._ask("?")

    def __enter__(self) -> "GdbStub":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes the breakpoints, lets the machine run on, disconnects."""
        try:
            if self._running:
                self.interrupt()
            for address in list(self._breakpoints):
                self.clear(address)
            self._send("D")
            self._receive()
        except (EnvironmentFailure, Timeout, OSError):
            pass  # QEMU is gone: nothing to put back
        self._socket.close()

    # --- the protocol: $body#checksum, each acknowledged with +
    def _send(self, body: str) -> None:
        data = body.encode()
        self._socket.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xFF))

    def _receive(self) -> str:
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if start >= 0 and end >= 0 and len(self._buffer) >= end + 3:
                body = self._buffer[start + 1:end]
                self._buffer = self._buffer[end + 3:]
                self._socket.sendall(b"+")
                return body.decode("latin-1")
            data = self._socket.recv(65536)
            if not data:
                raise EnvironmentFailure("QEMU closed its gdb stub")
            self._buffer += data

    def _ask(self, body: str) -> str:
        self._send(body)
        answer = self._receive()
        if answer.startswith("E"):
            raise EnvironmentFailure(f"gdb stub: {body!r} gives {answer}")
        return answer

    # --- running
    def cont(self) -> None:
        # A processor that stands at a breakpoint would stop there again at once.
        here = self.register("rip")
        if here in self._breakpoints:
            self.clear(here)
            self.step()
            self.set(here)
        self._send("c")
        self._running = True

    def wait_stop(self, seconds: float, what: str = "breakpoint") -> int:
        """Waits until the machine stops (at a breakpoint); returns rip."""
        deadline = Deadline(seconds, what)
        try:
            while True:
                self._socket.settimeout(max(deadline.left(), 0.01))
                answer = self._receive()
                if answer[:1] in "TS":
                    break
        except TimeoutError:
            raise Timeout(f"{what}: not within {deadline.seconds:g} s") from None
        finally:
            self._socket.settimeout(10)
        self._running = False
        # The answer names the processor that stopped: make its registers the ones we read.
        if "thread:" in answer:
            self._ask("Hg" + answer.split("thread:")[1].split(";")[0])
        rip = self.register("rip")
        if self._breakpoints and rip not in self._breakpoints:
            raise EnvironmentFailure(f"the machine stopped at {rip:#x}, where no breakpoint is")
        return rip

    def interrupt(self) -> None:
        self._socket.sendall(b"\x03")
        self._receive()
        self._running = False

    def step(self) -> int:
        self._send("s")
        self._receive()
        return self.register("rip")

    # --- breakpoints
    def set(self, address: int) -> None:
        self._ask(f"Z1,{address:x},1")
        self._breakpoints.add(address)

    def clear(self, address: int) -> None:
        self._ask(f"z1,{address:x},1")
        self._breakpoints.discard(address)

    # --- state
    def register(self, name: str) -> int:
        names, size = REGISTERS
        text = self._ask("g")
        at = names.index(name) * size * 2
        return int.from_bytes(bytes.fromhex(text[at:at + size * 2]), "little")

    def set_register(self, name: str, value: int) -> None:
        names, size = REGISTERS
        text = self._ask("g")
        at = names.index(name) * size * 2
        raw = value.to_bytes(size, "little").hex()
        self._ask("G" + text[:at] + raw + text[at + size * 2:])

    def memory(self, address: int, length: int) -> bytes:
        """Reads at a virtual address of the processor that stopped."""
        out = b""
        while len(out) < length:
            n = min(length - len(out), 1024)
            out += bytes.fromhex(self._ask(f"m{address + len(out):x},{n:x}"))
        return out

    def write_memory(self, address: int, data: bytes) -> None:
        for at in range(0, len(data), 1024):
            piece = data[at:at + 1024]
            self._ask(f"M{address + at:x},{len(piece):x}:{piece.hex()}")
