"""`tcp:` - a device served on the network, by `sit sim` or a serial bridge."""

from __future__ import annotations

import contextlib
import select
import socket
import time

from sit_host.errors import LinkLost, PortError, UsageError
from sit_host.transport.base import retry
from sit_host.transport.url import TargetUrl, take_option

_CONNECT_S = 3.0
_CHUNK = 4096
_WRITE_TIMEOUT_S = 2.0


class StreamTransport:
    """A connected stream socket. Its clock is the monotonic wall clock."""

    def __init__(self, name: str) -> None:
        """Connect. Raises PortError with a sentence that says what to do."""
        self.name = name
        self._watched: int | None = None
        self._socket: socket.socket | None = self._connect(_CONNECT_S)

    def _connect(self, timeout_s: float) -> socket.socket:
        raise NotImplementedError

    def now(self) -> float:
        return time.monotonic()

    def send(self, data: bytes) -> None:
        connection = self._alive()
        try:
            connection.settimeout(_WRITE_TIMEOUT_S)
            connection.sendall(data)
        except OSError as error:
            raise self._lost("nothing can be sent") from error

    def wait(self, deadline_s: float) -> bytes:
        connection = self._alive()
        try:
            fds: list[int] = [connection.fileno()] + ([] if self._watched is None else [self._watched])
            ready, _, _ = select.select(fds, [], [], max(0.0, deadline_s - time.monotonic()))
            if connection.fileno() not in ready:
                return b""
            data = connection.recv(_CHUNK)
        except (OSError, ValueError) as error:
            raise self._lost("nothing can be read") from error
        if not data:
            raise self._lost("the other side closed it")
        return data

    def watch(self, fd: int | None) -> None:
        self._watched = fd

    def reopen(self, deadline_s: float) -> None:
        self.close()
        self._socket = retry(self.name, deadline_s, lambda left_s: self._connect(max(0.1, min(_CONNECT_S, left_s))))

    def close(self) -> None:
        connection, self._socket = self._socket, None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()

    def _alive(self) -> socket.socket:
        if self._socket is None:
            raise LinkLost(f"The connection to {self.name} is closed.", "Connect again.")
        return self._socket

    def _lost(self, why: str) -> LinkLost:
        self.close()
        return LinkLost(
            f"The connection to {self.name} was lost: {why}.", "Check that the server still runs, then connect again."
        )


class TcpTransport(StreamTransport):
    """A TCP connection."""

    def __init__(self, url: TargetUrl) -> None:
        """Connect. Raises UsageError for an address that is none, PortError with a sentence that says what to do."""
        take_option(url, ())
        self._address = split_address(url.place)
        super().__init__(f"tcp:{self._address[0]}:{self._address[1]}")

    def _connect(self, timeout_s: float) -> socket.socket:
        try:
            connection = socket.create_connection(self._address, timeout=timeout_s)
        except socket.gaierror as error:
            raise PortError(f"The host name in {self.name} isn't known.", "Check its spelling.") from error
        except ConnectionRefusedError as error:
            raise PortError(
                f"Nothing listens at {self.name}.",
                "Start the server, for example `sit sim`, and check the port number.",
            ) from error
        except TimeoutError as error:
            raise PortError(
                f"{self.name} didn't answer within {timeout_s:.0f} s.", "Check address and network."
            ) from error
        except OSError as error:
            raise PortError(
                f"{self.name} can't be reached: {error.strerror or error}.", "Check address and network."
            ) from error
        # requests are small and each waits for its reply: no use in collecting bytes
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def split_address(place: str) -> tuple[str, int]:
    """Return (host, port) of `host:port` or `[ipv6]:port`. Raises UsageError when it is none."""
    host, colon, port_text = place.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port_text.isdigit() or not 0 < int(port_text) < 65536:
        raise UsageError(f"The target tcp:{place} isn't of the form tcp:host:port.", "Example: tcp:127.0.0.1:7310.")
    return host, int(port_text)
