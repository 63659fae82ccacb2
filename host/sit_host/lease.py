"""The lease keeper: an armed device disarms by itself unless the host renews its lease.

It has no thread and no clock of its own: whoever waits asks it when the next renewal is due. A program that
hangs or waits at a question therefore stops renewing, and the device disarms, which is what a lease is for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LeaseKeeper:
    """Knows when to renew. Times are seconds of the transport's clock."""

    lease_ms: int = 0
    due_s: float = 0.0
    ends_s: float = 0.0
    active: bool = False

    def begin(self, lease_ms: int, now_s: float) -> None:
        """The device has granted a lease of `lease_ms`, asked for at `now_s`."""
        self.lease_ms = lease_ms
        self.active = True
        self.renewed(now_s)

    def renewed(self, now_s: float) -> None:
        """The device has renewed the lease; `now_s` is when the renewal was asked for, the earlier bound."""
        self.due_s = now_s + self.lease_ms / 3000.0
        self.ends_s = now_s + self.lease_ms / 1000.0

    def end(self) -> None:
        """The device isn't armed any more, or it isn't known to be: renew nothing."""
        self.active = False

    def is_due(self, now_s: float) -> bool:
        """Return whether a renewal should be sent now."""
        return self.active and now_s >= self.due_s

    def next_due_s(self, deadline_s: float) -> float:
        """Return the earlier of `deadline_s` and the next renewal."""
        return min(deadline_s, self.due_s) if self.active else deadline_s
