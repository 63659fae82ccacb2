"""An encoder that begins to count only a part of the motion, anywhere on the last of the way in: how deep the tip goes.

Most moments of a shot are harmless for such a fault; `injections` strikes them all alike. Here it strikes only from
LAST_UM before the depth until a little after the needle has come to rest, several times in the same shot.
"""

# ruff: noqa: F403, F405 -- the slot names are this file's vocabulary
from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sit_firmware import image

from sit_sim.campaign.bare import own_skin, ready_unit, setup_of
from sit_sim.campaign.cases import PER_UNIT, volume_of
from sit_sim.campaign.inject import begin_again, inject
from sit_sim.campaign.rows import *
from sit_sim.plant.jit import floats, kernel
from sit_sim.plant.layout import *
from sit_sim.plant.noise import CH_CASE, draw

FACTORS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Share of the motion that is counted; 0 is the frozen encoder."""

LAST_UM = 300
STRIKES = 2
"""Moments in a shot for each factor."""

_ALMOST_UM = 12  # short of the depth: the needle is landing
_REST_TICKS = 20  # from there on the fault may still strike


class Lie(NamedTuple):
    """One shot: `tip_um` is the deepest true tip less the error of the unit's zero."""

    tip_um: float
    factor: float
    number: int
    fault_tick: int
    struck_um: float
    latched: int


@kernel
def inject_lies(
    plant: Any, arrays: Any, ready: Any, own: Any, fault: Any, number: int, depth_um: int, flow_nl_per_s: int,
    guarded: int, plan: Any, rows: Any, trace: Any
) -> None:  # fmt: skip
    """Injection `number` once for each row of `plan`: tick of the fault (negative for none) and factor."""
    for n in range(len(rows)):
        begin_again(plant, arrays, ready, own, number)
        fault[F_ENC_GAIN] = plan[n, 1]
        inject(
            plant,
            arrays,
            number,
            depth_um,
            volume_of(number),
            flow_nl_per_s,
            int(plan[n, 0]),
            fault,
            guarded,
            rows[n],
            trace,
        )


def lies_of(unit: int, sites: int, below_um: int = 0, guarded: bool = True) -> Iterator[Lie]:
    """Shots of one unit at `sites` places, STRIKES for each factor, `below_um` above the highest depth.

    `guarded` False leaves the guard out: what it is good for.
    """
    bench, zero_um = ready_unit(unit, guarded)
    depth_um = int(bench.params[image.P_MAX_DEPTH_UM]) - below_um
    flow = setup_of(unit).flow_nl_per_s(bench.plant.unit)
    plant, arrays, own = bench.plant.arrays, bench.arrays, own_skin(bench)
    ready = tuple(a.copy() for a in (*plant, *arrays))
    fault = floats(N_W)
    fault[F_ENC_ON] = 1.0
    for number in range(unit * PER_UNIT, unit * PER_UNIT + sites):
        sound, trace = np.zeros((1, N_R)), np.zeros((1000, N_T))
        none = np.array([[-1.0, 0.0]])
        inject_lies(plant, arrays, ready, own, fault, number, depth_um, flow, 1, none, sound, trace)
        place = trace[:, T_ENCODER_UM]
        first, last = int(np.argmax(place > depth_um - LAST_UM)), int(np.argmax(place > depth_um - _ALMOST_UM))
        if last == 0:  # this unit doesn't get through that skin
            continue
        moments = last + _REST_TICKS - first
        ticks = [first + draw(number, n, CH_CASE) % moments for n in range(len(FACTORS) * STRIKES)]
        plan = np.array([(float(tick), FACTORS[n // STRIKES]) for n, tick in enumerate(ticks)])
        rows = np.zeros((len(plan), N_R))
        inject_lies(plant, arrays, ready, own, fault, number, depth_um, flow, int(guarded), plan, rows, trace[:0])
        for tick, (_, factor), row in zip(ticks, plan, rows, strict=True):
            yield Lie(row[R_TIP_UM] - zero_um, factor, number, tick, place[tick], int(row[R_LATCHED]))
