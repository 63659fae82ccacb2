"""What serial ports and sockets share: one open handle that the system's `select` can wait on, on the wall clock."""

from __future__ import annotations

import contextlib
import select
import time
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from sit_host.errors import LinkLost
from sit_host.transport.base import retry

CHUNK = 4096
WRITE_TIMEOUT_S = 2.0


class Handle(Protocol):
    """An open port or socket."""

    def fileno(self) -> int:
        """Return its file descriptor."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


H = TypeVar("H", bound=Handle)


class HandleTransport(ABC, Generic[H]):
    """A transport over one handle, there while the connection is open. Its clock is the monotonic wall clock."""

    look = "Connect again."
    """What to do when the connection was lost."""

    def __init__(self, name: str, handle: H) -> None:
        """Take over an open handle."""
        self.name = name
        self._watched: int | None = None
        self._handle: H | None = handle

    @abstractmethod
    def _read(self, handle: H) -> bytes:
        """Return bytes that are there, b"" when the other side has closed. May raise OSError."""

    @abstractmethod
    def _open_again(self, left_s: float) -> H:
        """Open the same connection anew. Raises PortError."""

    def now(self) -> float:
        return time.monotonic()

    def wait(self, deadline_s: float) -> bytes:
        handle = self._alive()
        try:
            fds = [handle.fileno()] + ([] if self._watched is None else [self._watched])
            ready, _, _ = select.select(fds, [], [], max(0.0, deadline_s - time.monotonic()))
            if handle.fileno() not in ready:
                return b""
            data = self._read(handle)
        except (OSError, TypeError, ValueError) as error:
            # a handle that is closed under it gives any of these
            raise self._lost("it is gone") from error
        if not data:
            raise self._lost("the other side closed it")
        return data

    def watch(self, fd: int | None) -> None:
        self._watched = fd

    def reopen(self, deadline_s: float) -> None:
        self.close()
        self._handle = retry(self.name, deadline_s, self._open_again)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(Exception):
                handle.close()

    def _alive(self) -> H:
        if self._handle is None:
            raise LinkLost(f"The connection to {self.name} is closed.", "Connect again.")
        return self._handle

    def _lost(self, why: str) -> LinkLost:
        self.close()
        return LinkLost(f"The connection to {self.name} was lost: {why}.", self.look)
