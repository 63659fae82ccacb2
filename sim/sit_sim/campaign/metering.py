"""Doses on drawn units: systematic and random error of each, for OpenSIT's metering and for the pumps beside it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from sit_firmware import codes, image, params

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.pumps import Pump, pump_shot
from sit_sim.plant import Unit, spread_unit
from sit_sim.plant.constants import tube_resistance
from sit_sim.plant.unit import needle_values, syringe_values

DEPTH_UM = 1700
HIGHEST_UM = 1900
_SYRINGE_NL = 700_000  # of one syringe, for the shots of one volume
_RESIST_PA = 150e3  # line pressure beyond the tissue's that the flow is chosen for
_FASTEST_NL_PER_S = 60_000
_SHOT_TICKS = 60_000


class Setup(NamedTuple):
    """Needle and syringe type of reference.toml, and the fluid; usually the stiff 1 mL set."""

    name: str
    needle_id: int = 1
    viscosity_mpa_s: float = 1.0
    syringe_id: int = 1

    def unit(self, seed: int) -> Unit:
        """The drawn unit `seed` with this needle and fluid."""
        drawn = spread_unit(seed, self.syringe_id)
        return drawn.replace(viscosity_pa_s=self.viscosity_mpa_s * 1e-3, **needle_values(self.needle_id))

    def flow_nl_per_s(self, unit: Unit) -> int:
        """The flow asked for: 60 uL/s, or what 150 kPa drives through tube and needle."""
        per_flow = tube_resistance(unit.viscosity_pa_s, unit.needle_m, unit.needle_bore_m)
        per_flow += tube_resistance(unit.viscosity_pa_s, unit.tube_m, unit.tube_bore_m)
        return min(_FASTEST_NL_PER_S, int(_RESIST_PA / per_flow * 1e12))


class UnitError(NamedTuple):
    """One unit's shots of one volume, nl: mean and standard deviation of the error, how many, how many not given."""

    systematic_nl: float
    random_nl: float
    n: int
    missed: int


def device(
    setup: Setup,
    seed: int,
    calibrated: bool = True,
    guarded: bool = True,
    purge_steps: int = 0,
) -> Bench:
    """A device, purged with a map of its screw, or by `purge_steps` without one.

    `calibrated` has bore and compliance measured, without error; a pump has no guard.
    """
    unit = setup.unit(seed)
    bench = Bench(unit, seed * 7 + 1, guarded=guarded, needle_id=setup.needle_id)
    nominal = syringe_values(setup.syringe_id)
    area = np.pi / 4 * unit.bore_m**2
    soft = unit.compliance_m3_per_pa if calibrated else nominal["compliance_m3_per_pa"]
    record = SimpleNamespace(
        syringe_id=setup.syringe_id,
        bore_um=round((unit if calibrated else SimpleNamespace(**nominal)).bore_m * 1e6),
        offset_nl=0,
        compliance_nl_per_mpa=round((soft + area**2 / unit.stopper_n_per_m) * 1e18),
    )
    params.apply(bench.params, SimpleNamespace(max_depth_um=HIGHEST_UM), record)
    params.use_needle(bench.params, setup.needle_id, round(1000 * setup.viscosity_mpa_s))
    if purge_steps:
        bench.purge(purge_steps)
    else:
        bench.purge_with_map()
    return bench


def unit_error(
    setup: Setup, seed: int, volume_nl: int, shots: int = 10, pump: Pump | None = None, calibrated: bool = True
) -> UnitError:
    """Give `shots` of one volume with one unit, at a site each; by OpenSIT's metering, or by a pump."""
    bench = device(setup, seed, calibrated, guarded=pump is None)
    flow = setup.flow_nl_per_s(bench.plant.unit)
    errors = []
    shots = min(shots, _SYRINGE_NL // volume_nl)
    for site in range(shots):
        bench.plant.set("site", site)
        given = (
            _our_shot(bench, volume_nl, flow)
            if pump is None
            else pump_shot(bench, pump, site, DEPTH_UM, volume_nl, flow)
        )
        if given is not None:
            errors.append(given - volume_nl)
    mean = float(np.mean(errors)) if errors else 0.0
    sd = float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0
    return UnitError(mean, sd, len(errors), shots - len(errors))


def _our_shot(bench: Bench, volume_nl: int, flow_nl_per_s: int) -> float | None:
    """One shot as the background asks for it; tissue volume in nl, None unless it ended DONE."""
    before = bench.plant.truth()["tissue_nl"]
    bench.give(DEPTH_UM, volume_nl, flow_nl_per_s, 1000, _SHOT_TICKS)
    if bench.state[image.ST_RESULT] != codes.RESULT_DONE:
        return None
    return float(bench.plant.truth()["tissue_nl"] - before)


def errors(
    setup: Setup,
    seeds: Iterable[int],
    volume_nl: int,
    shots: int = 10,
    pump: Pump | None = None,
    calibrated: bool = True,
) -> list[UnitError]:
    """`unit_error` of each seed that gave at least three shots."""
    found = [unit_error(setup, seed, volume_nl, shots, pump, calibrated) for seed in seeds]
    return [one for one in found if one.n >= 3]


def percentiles(found: list[UnitError], volume_nl: int) -> tuple[float, float, float, float]:
    """Systematic error's median and 90th percentile over units, then the random one's; percent of the volume."""
    systematic = np.abs([one.systematic_nl for one in found]) * 100 / volume_nl
    random = np.array([one.random_nl for one in found]) * 100 / volume_nl
    return (
        float(np.percentile(systematic, 50)),
        float(np.percentile(systematic, 90)),
        float(np.percentile(random, 50)),
        float(np.percentile(random, 90)),
    )


def tuned_dwell_ms(setup: Setup, seeds: Iterable[int], volume_nl: int, choices: tuple[int, ...]) -> int:
    """The fixed dwell whose error is least over these units (root mean square of both parts)."""
    seeds = list(seeds)

    def cost(dwell_ms: int) -> float:
        found = errors(setup, seeds, volume_nl, 3, Pump("", dwell_ms))
        return sum(one.systematic_nl**2 + one.random_nl**2 for one in found) / max(1, len(found))

    return min(choices, key=cost)
