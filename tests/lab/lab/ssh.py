# SPDX-License-Identifier: GPL-2.0-only
"""Commands in dom0 and in guests."""

import contextlib
import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .clock import SCALE, Deadline
from .errors import EnvironmentFailure, ProductFailure, Timeout


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    def ok(self) -> bool:
        return self.code == 0


class Ssh:
    """One machine. Commands share one connection: a key exchange costs a second here."""

    # ssh's own exit code when the connection, not the command, failed
    UNREACHABLE = 255

    def __init__(self, name: str, port: int, control: Path,
                 check_host: Callable[[], None] = lambda: None, address: str = "127.0.0.1",
                 prefix: Sequence[str] = ()):
        """check_host raises when there is nothing to wait for any more.

        prefix: before the command that is ssh, such as one that enters a network namespace.
        """
        self.name = name
        self.port = port
        self._target = f"root@{address}"
        self._prefix = list(prefix)
        self._control = control
        self._check_host = check_host

    def options(self) -> list[str]:
        return ["-i", str(paths.SSH_KEY), "-p", str(self.port),
                "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60", "-o", "BatchMode=yes"]

    def shown(self) -> str:
        """The command a person types to log in."""
        return shlex.join([*self._prefix, "ssh", *self.options()[:8], self._target])

    def _argv(self, command: str) -> list[str]:
        return [*self._prefix, "ssh", *self.options(), "-o", "ControlMaster=auto",
                "-o", f"ControlPath={self._control}", "-o", "ControlPersist=600",
                self._target, command]

    def run(self, command: str, seconds: float = 300, check: bool = True,
            stdin: bytes | None = None) -> Result:
        """Runs a shell command. check: an exit code other than 0 is a product failure."""
        # Files, not pipes: the master process that ssh leaves behind keeps its stderr open.
        from tempfile import TemporaryFile
        with TemporaryFile() as out, TemporaryFile() as err:
            try:
                code = subprocess.run(
                    self._argv(command), stdout=out, stderr=err, timeout=seconds * SCALE,
                    input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                ).returncode
            except subprocess.TimeoutExpired:
                raise Timeout(f"{self.name}: {command!r} not done in {seconds * SCALE:g} s") \
                    from None
            except OSError as e:
                raise EnvironmentFailure(f"ssh: {e}") from None
            out.seek(0)
            err.seek(0)
            result = Result(code, out.read().decode("utf-8", "replace"),
                            err.read().decode("utf-8", "replace"))
        if check and result.code != 0:
            raise ProductFailure(f"{self.name}: {command!r} exits {result.code}\n"
                                 f"{result.out}{result.err}")
        return result

    def start(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Runs a command beside the test; its output goes to log. The caller waits for it."""
        with open(log, "wb") as f:
            return subprocess.Popen(self._argv(command), stdin=subprocess.DEVNULL, stdout=f,
                                    stderr=subprocess.STDOUT)

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        """Ends what start() has started, if it has not ended: ssh never hears of a jump."""
        if process.poll() is None:
            process.terminate()
        process.wait(30)

    def put(self, data: bytes, path: str, mode: str = "644") -> None:
        self.run(f"cat > {shlex.quote(path)} && chmod {mode} {shlex.quote(path)}", stdin=data)

    def get(self, path: str, seconds: float = 120) -> bytes:
        import base64
        return base64.b64decode(self.run(f"base64 {shlex.quote(path)}", seconds).out)

    def reset(self) -> None:
        """Forgets the shared connection: the machine at the other end is a new one."""
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["ssh", *self.options(), "-o", f"ControlPath={self._control}",
                            "-O", "exit", self._target], timeout=10,
                           stdin=subprocess.DEVNULL, capture_output=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._control)

    def wait_up(self, seconds: float) -> None:
        """Until a command runs there."""
        deadline = Deadline(seconds, f"{self.name}: ssh")
        while True:
            self.reset()
            try:
                if self.run("true", seconds=30, check=False).ok():
                    return
            except Timeout:
                pass
            self._check_host()
            deadline.check()
            time.sleep(0.5)
