"""The way to one board, opened in turn for its prompt and for its firmware: a serial port, or the emulated board."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from sit_host.client import Client
from sit_host.connect import open_client
from sit_host.errors import LinkLost, PortBusy
from sit_host.share import PortLock
from sit_host.transport import Transport, open_transport
from sit_host.transport.serial import find_again, usb_serial_of

_RETRY_S = 0.3
_BUSY_S = 2.0  # a modem manager may look at a port that has just come up


class Port(Protocol):
    """All times are seconds of the board's own pace: `now` counts them, `pause` lets a little of them pass."""

    @property
    def name(self) -> str: ...

    def now(self) -> float: ...

    def pause(self) -> None: ...

    def raw(self) -> contextlib.AbstractContextManager[Transport]:
        """The bare connection. Raises PortError, PortBusy, LinkLost."""

    def client(self) -> Client:
        """A session with the firmware. Raises as open_client does."""


class SerialPort:
    """The board on a serial port. One process has it at a time; between two openings the board may come and go.

    A board that comes back under another name is known by its USB serial number.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._usb_serial = usb_serial_of(path)

    @property
    def name(self) -> str:
        """Where the board is now. Raises PortError when another one is there."""
        self._path = find_again(self._path, self._usb_serial)
        return f"serial:{self._path}"

    def now(self) -> float:
        return time.monotonic()

    def pause(self) -> None:
        time.sleep(_RETRY_S)

    @contextmanager
    def raw(self) -> Iterator[Transport]:
        name = self.name
        with PortLock(name), contextlib.closing(self._opened(name)) as transport:
            yield transport

    def client(self) -> Client:
        return open_client(self.name, acting=False)

    def _opened(self, name: str) -> Transport:
        end_s = self.now() + _BUSY_S
        while True:
            try:
                return open_transport(name)
            except PortBusy:
                if self.now() >= end_s:
                    raise
                self.pause()


class SimPort:
    """The emulated board inside this process: the same connection all the time, target time."""

    def __init__(self, transport: Any) -> None:
        self.name = str(transport.name)
        self._transport = transport

    def now(self) -> float:
        return float(self._transport.now())

    def pause(self) -> None:
        end_s = self.now() + _RETRY_S
        try:
            while self.now() < end_s:
                self._transport.wait(end_s)
        except LinkLost:
            self._there()

    @contextmanager
    def raw(self) -> Iterator[Transport]:
        self._there()
        yield self._transport

    def client(self) -> Client:
        self._there()
        client = Client(_Lent(self._transport))
        client.hello()
        if client.schema_matches:
            client.start_events()
        return client

    def control(self, command: dict[str, Any]) -> Any:
        """A command to the board's world."""
        return self._transport.control(command)

    def _there(self) -> None:
        """Notice a board that has started anew. Raises LinkLost when it isn't back soon."""
        self._transport.reopen(self.now() + _RETRY_S)


class _Lent:
    """A transport that its user doesn't close."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def close(self) -> None:
        """It stays open."""
