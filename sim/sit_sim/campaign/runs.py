"""Many shots in a row on one unit: what was asked, what the device says, what is true."""

from __future__ import annotations

from typing import NamedTuple

from sit_firmware import codes, image

from sit_sim.campaign.bench import Bench
from sit_sim.plant import Unit

_SHOT_TICKS = 12_000


class Shot(NamedTuple):
    """One shot. True figures come from the plant; the tip counts from the nose-piece plane."""

    depth_um: int
    volume_nl: int
    result: int
    cause: int
    fault: int
    ticks: int
    end_um: int
    true_depth_um: float
    true_peak_um: float
    needle_nl: int
    tissue_nl: int
    true_needle_nl: float
    true_tissue_nl: float
    steps: int


def run_shots(
    unit: Unit,
    seed: int,
    depth_um: int,
    volume_nl: int,
    n: int,
    fault: str | None = None,
    fault_tick: int = 0,
    guard: bool = True,
    flag: bool = True,
    zero_error_um: int = 0,
    flow_nl_per_s: int = 60_000,
) -> list[Shot]:
    """Give n shots at n sites of one unit; `fault` strikes in each of them `fault_tick` ticks after the request.

    With a fault every shot is one of a fresh device, so that each meets it alone.
    """
    shots: list[Shot] = []
    bench = None
    for number in range(n):
        if bench is None or fault is not None:
            bench = Bench(unit, seed + (number if fault is not None else 0), guard, zero_error_um=zero_error_um)
            if not flag:
                bench.plant.fault("flag_stuck_off")
            bench.purge()
        bench.plant.set("site", number)
        shots.append(give(bench, depth_um, volume_nl, fault, fault_tick, flow_nl_per_s))
    return shots


def give(
    bench: Bench,
    depth_um: int,
    volume_nl: int,
    fault: str | None = None,
    fault_tick: int = 0,
    flow_nl_per_s: int = 60_000,
) -> Shot:
    """Give one shot on a bench and lift."""
    plant, state = bench.plant, bench.state
    before = plant.truth()
    bench.post_shot(depth_um, volume_nl, flow_nl_per_s)
    ticks = 0
    if fault is not None:
        ticks = bench.run(fault_tick)
        plant.fault(fault)
    ticks += bench.run(_SHOT_TICKS, until_idle=True)
    bench.hold(False)
    truth = plant.truth()
    return Shot(
        depth_um,
        volume_nl,
        int(state[image.ST_RESULT]),
        int(state[image.ST_CAUSE]),
        int(state[image.ST_FAULT]),
        ticks,
        int(state[image.ST_END_UM]),
        truth["shot"]["depth_um"],
        truth["shot"]["tip_peak_um"],
        int(state[image.ST_NEEDLE_NL]),
        int(state[image.ST_TISSUE_NL]),
        truth["needle_nl"] - before["needle_nl"],
        truth["tissue_nl"] - before["tissue_nl"],
        truth["plunger_steps"] - before["plunger_steps"],
    )


def done(shot: Shot) -> bool:
    """True when the device says DONE and no fault."""
    return shot.result == codes.RESULT_DONE and shot.fault == 0
