"""`tcp:` - a device served on the network, by `sit sim` or a serial bridge."""

from __future__ import annotations

import socket
from abc import abstractmethod

from sit_host.errors import PortError, UsageError
from sit_host.transport.handle import CHUNK, WRITE_TIMEOUT_S, HandleTransport
from sit_host.transport.url import TargetUrl, take_option

_CONNECT_S = 3.0


class StreamTransport(HandleTransport[socket.socket]):
    """A connected stream socket."""

    look = "Check that the server still runs, then connect again."

    def __init__(self, name: str) -> None:
        """Connect. Raises PortError with a sentence that says what to do."""
        self.name = name
        super().__init__(name, self._connect(_CONNECT_S))

    @abstractmethod
    def _connect(self, timeout_s: float) -> socket.socket:
        """Return a new connection. Raises PortError."""

    def send(self, data: bytes) -> None:
        connection = self._alive()
        try:
            connection.settimeout(WRITE_TIMEOUT_S)
            connection.sendall(data)
        except OSError as error:
            raise self._lost("nothing can be sent") from error

    def _read(self, handle: socket.socket) -> bytes:
        return handle.recv(CHUNK)

    def _open_again(self, left_s: float) -> socket.socket:
        return self._connect(max(0.1, min(_CONNECT_S, left_s)))


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
