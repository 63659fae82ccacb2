"""Ties target time to the wall clock."""

from __future__ import annotations

import time

from ..clock import TICKS_PER_S
from .lockstep import Machine

_PACE_TICKS = 20
"""How far a paced target runs ahead of the wall clock at most."""
_MOST_LAG_S = 1.0
"""A paced target that falls behind further than this lets the rest go."""


class Pace:
    """`speed` seconds of target time in one of the wall's."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._wall0 = time.monotonic()
        self._tick0 = 0

    def anchor(self, tick: int) -> None:
        """Let `tick` be now."""
        self._tick0, self._wall0 = tick, time.monotonic()

    def due_tick(self) -> int:
        """The tick that the wall clock shows."""
        return self._tick0 + int((time.monotonic() - self._wall0) * self._speed * TICKS_PER_S)

    def slide(self, tick: int) -> None:
        """Let go of what a target at `tick` can't catch up with."""
        behind = self.due_tick() - tick - int(_MOST_LAG_S * self._speed * TICKS_PER_S)
        if behind > 0:
            self._tick0 -= behind

    def step(self, machine: Machine, until: int) -> None:
        """One step of the machine, once the wall clock has come near it."""
        ahead = machine.tick - self.due_tick()
        if ahead > _PACE_TICKS:
            time.sleep(ahead / (TICKS_PER_S * self._speed))
        self.slide(machine.tick)
        machine.step(min(until, machine.tick + _PACE_TICKS))
