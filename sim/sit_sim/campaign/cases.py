"""What injection number n of a campaign is: unit, site, depth, volume, fault, moment. The number decides alone."""

from __future__ import annotations

from typing import Any, NamedTuple

from sit_sim.faults import F1
from sit_sim.plant import faulting
from sit_sim.plant.jit import floats, kernel
from sit_sim.plant.layout import N_W
from sit_sim.plant.noise import CH_CASE, draw

PER_UNIT = 50
"""Injections of one drawn unit; each begins where the unit was ready to be triggered, so each can be replayed."""

_ONE_VALUE = (
    *("encoder_frozen", "encoder_reversed", "tick_hung", "drive_stuck_full", "bridge_stuck_on", "switch_stuck_on"),
    *("flag_stuck_off", "flag_stuck_on", "comb_dead", "deadman_stuck_on", "coil_weak", "driver_fault"),
    *("supply_drop", "supply_high", "steps_lost", "steps_extra", "occlusion", "estop", "trigger_stuck"),
    *("contact_stuck_on", "contact_stuck_off", "contact_offset"),
)
_VALUES: dict[str, tuple[str, tuple[float, ...]]] = {
    "encoder_scaled": ("factor", (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.1, 1.3)),
    "encoder_jump": ("jump_um", (-200, -100, -60, -40, -20, -10, 20, 100)),
    "load_offset": ("offset_mn", (-5000, -1000, 1000, 5000)),
    "pressure_offset": ("offset_pa", (-100_000, -20_000, 20_000, 100_000)),
}


class FaultCase(NamedTuple):
    """A fault of F1 with one set of its arguments."""

    name: str
    arguments: dict[str, float]

    def __str__(self) -> str:
        return " ".join((self.name, *(f"{value:g}" for value in self.arguments.values())))


FAULTS: tuple[FaultCase, ...] = (
    *(FaultCase(name, {}) for name in _ONE_VALUE),
    *(FaultCase(name, {key: value}) for name, (key, values) in _VALUES.items() for value in values),
)
"""The single faults that can strike in a shot and that the bare loop knows; the wrong zero is in every unit."""

LEFT_OUT = frozenset({F1.GATE_STUCK_OFF, F1.GATE_STUCK_ON, F1.WRONG_ZERO})
"""Plant faults that act while the device is zeroed: they show as the error of the zero, which each unit has."""


def fault_table() -> Any:
    """A row of the world's slots for each of FAULTS, as the fault leaves them; the encoder's place is the moment's."""
    import numpy as np

    rows = []
    for fault in FAULTS:
        row = floats(N_W)
        faulting.begin(fault.name, fault.arguments, row, 0.0)
        rows.append(row)
    return np.array(rows)


@kernel
def any_of(number: int, which: int, count: int) -> int:
    """Draw `which` of injection `number`: 0 to count - 1."""
    return draw(number, which, CH_CASE) % count


@kernel
def fault_of(number: int, count: int) -> int:
    """Index of the fault out of `count`, -1 for none: a third of all injections, and all when there is none to draw."""
    if number % 3 == 0 or count == 0:
        return -1
    return any_of(number, 1, count)


@kernel
def depth_of(number: int, lowest_um: int, highest_um: int) -> int:
    """Depth asked for: half of them the highest, the others anywhere."""
    if any_of(number, 2, 2) == 0:
        return highest_um
    return lowest_um + any_of(number, 3, highest_um - lowest_um + 1)


@kernel
def volume_of(number: int) -> int:
    """Volume in nl: 1, 2 or 3 uL."""
    return 1000 * (1 + any_of(number, 4, 3))


@kernel
def moment_of(number: int) -> int:
    """Tick after the request at which the fault strikes: a third anywhere in the shot, the others on the way in."""
    if any_of(number, 5, 3) == 0:
        return any_of(number, 6, 700)
    return any_of(number, 6, 240)
