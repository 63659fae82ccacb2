"""How fast the campaign's loop is: injections a second on one core, beside a loop of nothing on the same core."""

from __future__ import annotations

import time
from typing import NamedTuple

from sit_sim.campaign.bare import run_unit
from sit_sim.campaign.cases import PER_UNIT
from sit_sim.campaign.rows import R_TICKS
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import SUBSTEPS

_TURNS = 20_000_000


@kernel
def empty_loop(turns: int, factor: float) -> float:
    """One multiplication and one addition a turn, each waiting for the one before: the least a plant step could be."""
    value = 0.5
    for _ in range(turns):
        value = value * factor + 0.25
    return value


class Speed(NamedTuple):
    """Processor time of one core; other work on the machine slows it by what it takes of caches and clock."""

    per_s: float
    ticks: float
    tick_ns: float
    turn_ns: float

    def __str__(self) -> str:
        step_ns = self.tick_ns / SUBSTEPS
        return (
            f"{self.per_s:.0f} injections/s on one core: {self.ticks:.0f} ticks an injection, {SUBSTEPS} plant steps a"
            f" tick, {self.tick_ns:.0f} ns a tick; a plant step, firmware included, takes {step_ns / self.turn_ns:.0f}"
            f" turns of an empty loop ({self.turn_ns:.2f} ns)"
        )


def measure(units: int = 20) -> Speed:
    """Injections of the campaign itself, units' preparation included."""
    run_unit(0)
    empty_loop(10, 0.5)
    begun = time.process_time()
    ticks = sum(float(run_unit(unit)[0][:, R_TICKS].sum()) for unit in range(units))
    spent = time.process_time() - begun
    begun = time.process_time()
    empty_loop(_TURNS, 0.5)
    turn_s = (time.process_time() - begun) / _TURNS
    injections = units * PER_UNIT
    return Speed(injections / spent, ticks / injections, spent / ticks * 1e9, turn_s * 1e9)
