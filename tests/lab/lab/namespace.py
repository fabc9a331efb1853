# SPDX-License-Identifier: GPL-2.0-only
"""Network namespaces: places on an emulated network that are no emulated machines.

Nothing is registered under a name that the whole machine sees. A namespace lives as long as this
process (or a machine plugged into it) does, so one that is killed leaves nothing behind.
"""

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from .clock import Deadline
from .errors import EnvironmentFailure

T = TypeVar("T")

CLONE_NEWNET = 0x40000000


def _libc(call: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, call)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), call)


class _Thread(threading.Thread, Generic[T]):
    """A namespace belongs to a thread: what is to be done in another one has its own thread."""

    def __init__(self, work: Callable[[], T]):
        super().__init__(daemon=True)
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._result.append(self._work())
        except BaseException as e:
            self._error = e

    def result(self) -> T:
        self.start()
        self.join()
        if self._error:
            raise self._error
        return self._result[0]


class Namespace:
    def __init__(self) -> None:
        def make() -> int:
            _libc("unshare", CLONE_NEWNET)
            # Without IPv6 nobody speaks on the network who was not asked to.
            for whom in ("all", "default"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"/proc/sys/net/ipv6/conf/{whom}/disable_ipv6").write_text("1")
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

        try:
            self._fd = _Thread(make).result()
        except OSError as e:
            raise EnvironmentFailure(f"cannot make a network namespace (root?): {e}") from None
        try:
            self.command("ip", "link", "set", "dev", "lo", "up")
        except BaseException:
            self.close()
            raise

    def path(self) -> str:
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    def prefix(self) -> list[str]:
        """Before a command: it then runs there. For people too, while this process lives."""
        return ["nsenter", f"--net={self.path()}"]

    def run(self, work: Callable[[], T]) -> T:
        """Does the work there: sockets, devices and processes that it makes belong there."""
        def there() -> T:
            _libc("setns", self._fd, CLONE_NEWNET)
            return work()

        return _Thread(there).result()

    def command(self, *argv: str, stdin: str = "", seconds: float = 30) -> str:
        """One command of the network's set-up; that it fails is the lab's fault."""
        try:
            done = subprocess.run([*self.prefix(), *argv], input=stdin, capture_output=True,
                                  text=True, timeout=Deadline(seconds, argv[0]).seconds)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise EnvironmentFailure(f"{argv[0]}: {e}") from None
        if done.returncode != 0:
            raise EnvironmentFailure(f"{' '.join(argv)}: {done.stderr or done.stdout}")
        return done.stdout

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        return self.run(lambda: socket.create_connection((address, port), seconds))

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
