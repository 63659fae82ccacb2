"""The skin of another site of the same person: a function of seed and number, so a site is the same at each visit."""

from __future__ import annotations

from sit_sim.plant.jit import kernel
from sit_sim.plant.noise import CH_SITE, normal


@kernel
def surface_of(seed: int, number: int, own_m: float, sd_m: float) -> float:
    """Surface of site `number` (m) on a person whose own lies at `own_m`; site 0 is the person's own."""
    if number == 0:
        return own_m
    return own_m + sd_m * normal(seed, number, CH_SITE)


@kernel
def scaled_of(seed: int, number: int, own: float, fraction_sd: float, which: int) -> float:
    """Stiffness (`which` 1) or puncture force (2) of site `number` on a person whose own is `own`."""
    if number == 0:
        return own
    return own * (1.0 + fraction_sd * normal(seed, number, CH_SITE + which))
