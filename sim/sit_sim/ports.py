"""Where a served device is reached: a pseudo-terminal and a TCP port, one client at a time on both together.

A second client is told nothing and disconnected. A pulled cable takes both away; afterwards they are back at the
same address, the pseudo-terminal behind the same symbolic link. Nothing here blocks.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import tempfile
from pathlib import Path
from typing import Protocol

from .targets.errors import TargetError

_CHUNK = 4096
_MOST_UNSENT = 1 << 16


class Port(Protocol):
    """One way to reach the device."""

    occupied: bool
    """A client is connected."""

    def fds(self) -> list[int]:
        """File descriptors whose readability is worth a look."""

    def look(self, free: bool) -> bytes:
        """Take in clients when the seat is `free`, disconnect them otherwise; return what the client has sent."""

    def send(self, data: bytes) -> None:
        """Send to the client; lost when there is none or it doesn't read."""

    def plug(self, plugged: bool) -> None:
        """The cable is put in or pulled."""

    def close(self) -> None:
        """Take the port away for good."""


class PtyPort:
    """A pseudo-terminal behind a symbolic link that stays."""

    def __init__(self, link: Path | None) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if link is None:
            self._folder = tempfile.TemporaryDirectory(prefix="opensit-")
            link = Path(self._folder.name) / "tty"
        elif link.exists() and not link.is_symlink():
            raise TargetError(f"{link}: this is a file, not a link that may be replaced; choose another path.")
        self.path = link
        self.occupied = False
        self._master = -1
        self._poll = select.poll()
        self.plug(True)

    def fds(self) -> list[int]:
        return [self._master] if self.occupied else []

    def look(self, free: bool) -> bytes:
        if self._master < 0:
            return b""
        happened = dict(self._poll.poll(0)).get(self._master, 0)
        if happened & select.POLLHUP:  # nobody has the other side open
            if self.occupied:
                self._drain()
            self.occupied = False
            return b""
        if not self.occupied and not free:
            self.plug(False)
            self.plug(True)
            return b""
        self.occupied = True
        return self._read() if happened & select.POLLIN else b""

    def send(self, data: bytes) -> None:
        if self.occupied:
            with contextlib.suppress(OSError):
                os.write(self._master, data)

    def plug(self, plugged: bool) -> None:
        if plugged == (self._master >= 0):
            return
        if not plugged:
            self.path.unlink(missing_ok=True)
            self._poll.unregister(self._master)
            os.close(self._master)
            self._master = -1
            self.occupied = False
            return
        import tty  # not on every platform

        self._master, slave = os.openpty()
        try:
            tty.setraw(slave)
            name = os.ttyname(slave)
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        self._poll.register(self._master, select.POLLIN)
        # swapped in one move: a client never finds the link missing while the device is there
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        new.unlink(missing_ok=True)
        new.symlink_to(name)
        new.replace(self.path)

    def close(self) -> None:
        self.plug(False)
        if self._folder is not None:
            self._folder.cleanup()

    def _read(self) -> bytes:
        try:
            return os.read(self._master, _CHUNK)
        except OSError:
            return b""

    def _drain(self) -> None:
        """What the last client left unread isn't for the next one."""
        import termios

        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._master, termios.TCIOFLUSH)


class TcpPort:
    """A TCP port of this computer alone."""

    def __init__(self, port: int) -> None:
        self.occupied = False
        self._listener: socket.socket | None = None
        self._client: socket.socket | None = None
        self._unsent = bytearray()
        self._port = port
        self.plug(True)
        assert self._listener is not None
        self._port = self._listener.getsockname()[1]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return ("127.0.0.1", self._port)

    def fds(self) -> list[int]:
        return [sock.fileno() for sock in (self._listener, self._client) if sock is not None]

    def look(self, free: bool) -> bytes:
        self._accept(free)
        if self._client is None:
            return b""
        self._flush()
        try:
            data = self._client.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self._drop()
        return data

    def send(self, data: bytes) -> None:
        if self._client is not None and len(self._unsent) < _MOST_UNSENT:
            self._unsent += data
            self._flush()

    def plug(self, plugged: bool) -> None:
        if plugged and self._listener is None:
            self._listener = listen(self._port)
        elif not plugged:
            # the way in closes first: who notices the loss and comes back at once must find it closed
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._drop()

    def close(self) -> None:
        self.plug(False)

    def _accept(self, free: bool) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(BlockingIOError):
            client, _ = self._listener.accept()
            if self._client is not None or not free:
                client.close()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client = client
            self.occupied = True

    def _flush(self) -> None:
        if self._client is None or not self._unsent:
            return
        try:
            del self._unsent[: self._client.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        self._unsent.clear()
        self.occupied = False


def listen(port: int) -> socket.socket:
    """A listening socket of this computer alone; 0 lets the system choose. TargetError when the port is taken."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen(4)
    except OSError as exc:
        sock.close()
        raise TargetError(f"Port {port} can't be served: {exc.strerror}; choose another one.") from exc
    return sock
