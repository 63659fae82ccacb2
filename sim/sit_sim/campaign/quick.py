"""Shots of a run (control/rapid.py) on a drawn unit: a careful one first, as the device asks for, then quick ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sit_firmware import codes, dose, image, params

from sit_sim.campaign.metering import DEPTH_UM, Setup, device

_CAREFUL_NL_PER_S = 40_000
_SKIN_TICKS = 400
_SHOT_TICKS = 20_000


class Quick(NamedTuple):
    """One quick shot: `error` of the dose as a share, `one_look` that the first look found tissue."""

    time_ms: float
    error: float
    done: bool
    one_look: bool


def quick_shots(
    setup: Setup, seed: int, volume_nl: int, flow_nl_per_s: int, flight_us: int, shots: int, depth_um: int = DEPTH_UM
) -> Iterator[Quick]:
    """`shots` quick ones at a site each; `flight_us` is the planner's guess of the time of flight, for the first."""
    bench = device(setup, seed)
    if not params.use_look(bench.params, setup.needle_id, round(1000 * setup.viscosity_mpa_s)):
        raise ValueError("no look tells tissue from a leak through this line")
    for site in range(1 + shots):
        bench.plant.set("site", site)
        bench.hold(True)
        if site == 1:
            soft = int(bench.state[image.ST_SOFT_Q14])
            bench.state[image.ST_FLIGHT_Q4] = dose.flight_q4(flight_us, soft, bench.params)
        bench.state[image.ST_ARG_SKIN_TICKS] = _SKIN_TICKS if site else 0
        before = bench.plant.truth()["tissue_nl"]
        flow = flow_nl_per_s if site else _CAREFUL_NL_PER_S
        ticks, _ = bench.give(depth_um, volume_nl, flow, 1000, _SHOT_TICKS)
        if site:
            given = bench.plant.truth()["tissue_nl"] - before
            done = bool(bench.state[image.ST_RESULT] == codes.RESULT_DONE)
            yield Quick(ticks / 4, given / volume_nl - 1, done, not bench.state[image.ST_TRIES])
