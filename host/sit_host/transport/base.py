"""What a transport is: bytes both ways and the only clock the host uses.

All times are seconds of the transport's own clock: target time on a simulated device, the monotonic wall
clock on a real one. Deadlines are absolute values of that clock. Nothing in the host sleeps by any other means.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar, runtime_checkable

from sit_host.errors import LinkLost, PortError

_RETRY_S = 0.2
T = TypeVar("T")


@runtime_checkable
class Transport(Protocol):
    """One connection to one device.

    `name` is the canonical URL, as shown to users and used for the port lock.
    """

    name: str

    def now(self) -> float:
        """Return the time in seconds."""
        ...

    def send(self, data: bytes) -> None:
        """Send all of `data`. Raises LinkLost when the connection is gone."""
        ...

    def wait(self, deadline_s: float) -> bytes:
        """Return bytes as soon as there are some, or b"" at the deadline or when woken.

        With a deadline in the past it returns what is there already. Raises LinkLost when the connection is gone.
        """
        ...

    def reopen(self, deadline_s: float) -> None:
        """Open the same connection anew, trying until the deadline. Raises LinkLost when that is in vain."""
        ...

    def close(self) -> None:
        """Close the connection. May be called twice."""
        ...


class Wakeable(Protocol):
    """A transport whose `wait` also ends when another file descriptor becomes readable."""

    def watch(self, fd: int | None) -> None:
        """Let `wait` return b"" early whenever `fd` is readable; None ends that."""
        ...


def retry(name: str, deadline_s: float, connect: Callable[[float], T]) -> T:
    """Return what `connect(seconds left)` returns, trying until the deadline of the wall clock.

    For transports whose clock is the wall clock. Raises LinkLost, naming the last PortError, when it is in vain.
    """
    while True:
        try:
            return connect(deadline_s - time.monotonic())
        except PortError as error:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise LinkLost(f"{name} did not come back: {error.what}", error.do) from error
            time.sleep(min(_RETRY_S, left_s))
