# SPDX-License-Identifier: GPL-2.0-only
"""A guest, as its clients outside the host see it."""

import json
import socket
from types import TracebackType
from typing import Any, Self

from .clock import Deadline, wait_until
from .errors import ProductFailure
from .namespace import Namespace
from .spec import GuestSpec
from .ssh import Result, Ssh

Json = dict[str, Any]


class Connection:
    """A TCP connection that is held for as long as the object lives."""

    def __init__(self, port: int, address: str = "127.0.0.1", client: Namespace | None = None,
                 seconds: float = 60):
        """client: where the connection comes from; this machine, if None."""
        self._seconds = Deadline(seconds, "connect").seconds
        self._socket = client.connect(address, port, self._seconds) if client else \
            socket.create_connection((address, port), self._seconds)
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._socket.close()

    close = __exit__

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def line(self, seconds: float | None = None) -> bytes:
        deadline = Deadline(seconds, "answer") if seconds else None
        while b"\n" not in self._buffer:
            self._socket.settimeout(deadline.left() + 0.01 if deadline else self._seconds)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise ProductFailure("the guest does not answer on a held connection") from None
            except OSError as e:
                raise ProductFailure(f"the held connection to the guest broke: {e}") from None
            if not data:
                raise ProductFailure("the guest closed a held connection")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def exactly(self, length: int) -> bytes:
        self._socket.settimeout(self._seconds)
        while len(self._buffer) < length:
            data = self._socket.recv(65536)
            if not data:
                raise ProductFailure("the guest closed a held connection")
            self._buffer += data
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body


class WitnessConnection(Connection):
    """Talks to the memory witness (witness.cpp); can be held over any number of reboots."""

    def ask(self, command: str = "get", seconds: float = 120) -> Json:
        self.send(command.encode() + b"\n")
        answer: Json = json.loads(self.line(seconds))
        return answer


class HttpConnection(Connection):
    """A kept-alive connection to the guest's web server."""

    def get(self, path: str = "/", seconds: float = 60) -> bytes:
        self.send(f"GET {path} HTTP/1.1\r\nHost: guest\r\n\r\n".encode())
        status = self.line(seconds)
        length = 0
        while True:
            header = self.line(seconds).strip()
            if not header:
                break
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if b" 200 " not in status:
            raise ProductFailure(f"GET {path}: {status.decode()}")
        return self.exactly(length)


class RedisConnection(Connection):
    def ask(self, *words: str, seconds: float = 60) -> str:
        request = f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w}\r\n" for w in words)
        self.send(request.encode())
        line = self.line(seconds).rstrip(b"\r").decode()
        if line.startswith("-"):
            raise ProductFailure(f"redis: {line}")
        if line.startswith("$"):
            body = self.exactly(int(line[1:]) + 2)
            return body[:-2].decode()
        return line[1:]


class Guest:
    def __init__(self, spec: GuestSpec, ports: dict[str, int], ssh: Ssh,
                 address: str = "127.0.0.1", client: Namespace | None = None):
        self.spec = spec
        self.name = spec.name
        self.ports = ports
        self.ssh = ssh
        self.address = address
        self._client = client

    def __repr__(self) -> str:
        return f"Guest({self.name})"

    def run(self, command: str, seconds: float = 300, check: bool = True) -> Result:
        return self.ssh.run(command, seconds, check)

    # --- new connections
    def witness_connection(self) -> WitnessConnection:
        return WitnessConnection(self.ports["witness"], self.address, self._client)

    def http_connection(self) -> HttpConnection:
        return HttpConnection(self.ports["http"], self.address, self._client)

    def redis_connection(self) -> RedisConnection:
        return RedisConnection(self.ports["redis"], self.address, self._client)

    # --- one question each
    def witness(self, command: str = "get", seconds: float = 120) -> Json:
        with self.witness_connection() as c:
            return c.ask(command, seconds)

    def http(self, path: str = "/") -> bytes:
        with self.http_connection() as c:
            return c.get(path)

    def redis(self, *words: str) -> str:
        with self.redis_connection() as c:
            return c.ask(*words)

    def redis_digest(self) -> str:
        digest = self.redis("DEBUG", "DIGEST")
        if set(digest) <= {"0"}:
            raise ProductFailure(f"{self.name}: Redis holds no data")
        return digest

    def boot_id(self) -> str:
        return self.run("cat /proc/sys/kernel/random/boot_id").out.strip()

    def processes(self) -> dict[str, str]:
        """The services' process ids, by name: they change when a service starts anew."""
        out = self.run("for s in ssh nginx redis-server lab-witness; do "
                       "echo $s $(systemctl show -P MainPID $s); done").out
        return dict(line.split() for line in out.splitlines())

    def disk_reads(self) -> int:
        """Sectors read from the guest's disk since it booted."""
        return int(self.run("cat /sys/block/xvda/stat").out.split()[2])

    def wait_up(self, seconds: float = 1200) -> None:
        """Until every service a client would use answers, data set included."""

        def answers() -> bool:
            try:
                if self.spec.witness:
                    self.witness(seconds=10)
                return self.http() == b"ok\n" and self.redis("EXISTS", "lab:salt") == "1"
            except (OSError, ProductFailure, ValueError):
                return False

        wait_until(f"{self.name} serves", seconds, answers, 0.5)
