"""What a transport is: bytes both ways and the only clock the host uses.

All times are seconds of the transport's own clock: target time on a simulated device, the monotonic wall
clock on a real one. Deadlines are absolute values of that clock. Nothing in the host sleeps by any other means.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


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
