"""Target time: integer ticks, and events in order of time, first come first served among equals."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Final

TICK_US: Final = 250
"""Length of a tick; the board and the plant have the same (checked when a target opens)."""
TICKS_PER_S: Final = 1_000_000 // TICK_US
NEVER: Final = 1 << 62
"""A tick that doesn't come."""


def ticks_of_s(seconds: float) -> int:
    """Ticks in `seconds`, rounded to the nearest."""
    return round(seconds * TICKS_PER_S)


def tick_at_or_after(seconds: float) -> int:
    """The first tick that isn't before `seconds`, rounding errors of a float apart."""
    return math.ceil(seconds * TICKS_PER_S - 1e-6)


def ticks_of_ms(ms: float) -> int:
    """Ticks in `ms`, rounded to the nearest."""
    return round(ms * 1000 / TICK_US)


def s_of_ticks(ticks: int) -> float:
    """Seconds in `ticks`."""
    return ticks / TICKS_PER_S


class EventQueue:
    """Calls to make at the beginning of a tick."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0
        self._live: set[int] = set()
        self.next_tick = NEVER
        """Tick of the first event, NEVER for none."""

    def at(self, tick: int, call: Callable[[], object]) -> int:
        """Call `call` at the beginning of `tick`; returns a handle for `drop`."""
        self._count += 1
        self._live.add(self._count)
        heapq.heappush(self._heap, (tick, self._count, call))
        if tick < self.next_tick:
            self.next_tick = tick
        return self._count

    def drop(self, handle: int) -> None:
        """Forget an event; nothing happens when it has come already."""
        self._live.discard(handle)
        self._tidy()

    def run_due(self, tick: int) -> None:
        """Make all calls due at `tick` or before; a call may add events, due ones among them."""
        while self._heap and self._heap[0][0] <= tick:
            _, handle, call = heapq.heappop(self._heap)
            if handle in self._live:
                self._live.discard(handle)
                call()
        self._tidy()

    def _tidy(self) -> None:
        while self._heap and self._heap[0][1] not in self._live:
            heapq.heappop(self._heap)
        self.next_tick = self._heap[0][0] if self._heap else NEVER
