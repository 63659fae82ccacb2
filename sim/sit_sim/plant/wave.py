"""A sine without libm: the same bits wherever it runs."""

from __future__ import annotations

from sit_sim.plant.jit import kernel


@kernel
def wave(part: float) -> float:
    """Sine of `part` of a turn, 0 to 1: Bhaskara's rational form, within 0.0017."""
    sign = 1.0
    if part >= 0.5:
        part -= 0.5
        sign = -1.0
    arc = 2.0 * part
    arc = arc * (1.0 - arc)
    return sign * (16.0 * arc / (5.0 - 4.0 * arc))
