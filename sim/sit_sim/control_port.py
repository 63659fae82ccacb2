"""The control port: one command a line in JSON, one answer a line, for any number of clients of this computer.

- {"do": "truth"}                       ->  {"ok": true, "result": {...}}
- {"do": "cable", "out_ms": 1500}       ->  {"ok": true, "result": {}}
- {"do": "cable", "state": "sideways"}  ->  {"ok": false, "error": "one sentence"}

From a shell: `python -m sit_sim.control_port HOST:PORT '{"do": "truth"}'`, exit code 1 when it was refused.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

from .ports import listen
from .targets.errors import ControlError

_LONGEST_LINE = 1 << 16
_PATIENCE_S = 60.0


class ControlPort:
    """Serves `control` on a TCP port."""

    def __init__(self, port: int, control: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self._control = control
        self._listener = listen(port)
        self._clients: dict[socket.socket, bytearray] = {}

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._listener.getsockname()
        return host, port

    def fds(self) -> list[int]:
        """File descriptors whose readability is worth a look."""
        return [self._listener.fileno(), *(client.fileno() for client in self._clients)]

    def look(self) -> None:
        """Take in clients, answer whole lines."""
        with contextlib.suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._clients[client] = bytearray()
        for client in list(self._clients):
            self._read(client)

    def close(self) -> None:
        """Disconnect all."""
        for client in list(self._clients):
            self._drop(client)
        self._listener.close()

    def _read(self, client: socket.socket) -> None:
        buffer = self._clients[client]
        try:
            data = client.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        buffer += data
        if not data or len(buffer) > _LONGEST_LINE:
            self._drop(client)
            return
        while (end := buffer.find(b"\n")) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            if line.strip():
                self._send(client, self._answer(line))

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            return {"ok": True, "result": self._control(json.loads(line))}
        except ControlError as exc:
            return {"ok": False, "error": str(exc)}
        except ValueError as exc:
            return {"ok": False, "error": f"The line isn't JSON: {exc}."}

    def _send(self, client: socket.socket, answer: dict[str, Any]) -> None:
        client.settimeout(1.0)  # an answer is short; a client that doesn't take it is gone
        try:
            client.sendall(json.dumps(answer, default=float).encode() + b"\n")
            client.setblocking(False)
        except OSError:
            self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        self._clients.pop(client, None)
        client.close()


def ask(host: str, port: int, line: str) -> dict[str, Any]:
    """Send one line to a control port and return the answer; OSError when nobody is there."""
    with socket.create_connection((host, port), _PATIENCE_S) as client:
        client.sendall(line.encode() + b"\n")
        return json.loads(client.makefile(encoding="utf-8").readline())


def main(argv: list[str]) -> int:
    """One command from the shell."""
    if len(argv) != 2 or ":" not in argv[0]:
        print("usage: python -m sit_sim.control_port HOST:PORT JSON", file=sys.stderr)
        return 2
    host, port = argv[0].rsplit(":", 1)
    try:
        answer = ask(host, int(port), argv[1])
    except (OSError, ValueError) as exc:
        print(f"{argv[0]}: no control port answers there: {exc}", file=sys.stderr)
        return 1
    print(json.dumps(answer["result"], indent=2) if answer["ok"] else answer["error"])
    return 0 if answer["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
