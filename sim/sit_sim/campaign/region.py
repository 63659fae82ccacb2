"""One cell of the planner's region: a syringe, needle, fluid and volume on drawn units, judged as the device would."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from sit_firmware import codes, image, interval

from sit_sim.campaign.metering import DEPTH_UM, Setup, device
from sit_sim.campaign.parts import signed

if TYPE_CHECKING:
    import pyarrow as pa

_SYRINGE_NL = 700_000  # of one syringe
_SHOT_TICKS = 80_000
_SETTLE_TICKS = 200


class Cell(NamedTuple):
    """What is given, with the planner's flow and dwell. Types as in reference.toml."""

    syringe_id: int
    needle_id: int
    viscosity_mpa_s: float
    volume_nl: int
    flow_nl_per_s: int
    dwell_ms: int


class Region(NamedTuple):
    """A campaign over cells: `shots` of each on each of `units` drawn units, calibrated; seeds begin with 1."""

    cells: tuple[Cell, ...]
    units: int
    shots: int

    def part(self, number: int) -> pa.Table:
        """Cell `number` as a table: a row for each unit. Percent of the volume over the shots told as DONE."""
        import pyarrow as pa

        cell = self.cells[number]
        rows = [_unit(cell, seed, self.shots) for seed in range(1, self.units + 1)]
        columns = {name: [row[at] for row in rows] for at, name in enumerate(("systematic", "random", "done", "given"))}
        return signed(pa.table({"cell": [number] * len(rows), **columns}))


def _unit(cell: Cell, seed: int, shots: int) -> tuple[float, float, int, int]:
    """(systematic %, random %, shots told as DONE, shots in tissue) of one unit; NaN from fewer than three DONE."""
    setup = Setup("", cell.needle_id, cell.viscosity_mpa_s, cell.syringe_id)
    bench = device(setup, seed)
    block = bench.params.tolist()
    errors, in_tissue = [], 0
    for site in range(min(shots, _SYRINGE_NL // cell.volume_nl)):
        bench.plant.set("site", site)
        before = bench.plant.truth()
        _, screw_nl = bench.give(DEPTH_UM, cell.volume_nl, cell.flow_nl_per_s, cell.dwell_ms, _SHOT_TICKS)
        bench.run(_SETTLE_TICKS)
        truth, state = bench.plant.truth(), bench.state.tolist()
        in_tissue += truth["shot"]["buried_max_um"] >= bench.plant.unit.bevel_m * 1e6
        if state[image.ST_RESULT] != codes.RESULT_DONE or state[image.ST_FAULT]:
            continue
        steps = truth["plunger_steps"] - before["plunger_steps"]
        low_nl, high_nl = interval.tissue(codes.RECORD_DONE, steps, state, block, screw_nl)
        if interval.narrow(low_nl, high_nl, cell.volume_nl):
            errors.append(truth["tissue_nl"] - before["tissue_nl"] - cell.volume_nl)
    if len(errors) < 3:
        return float("nan"), float("nan"), len(errors), in_tissue
    found = np.array(errors) * 100 / cell.volume_nl
    return float(found.mean()), float(found.std(ddof=1)), len(errors), in_tissue
