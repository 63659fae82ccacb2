"""The bare loop with ticks that come too early or too late by some microseconds, as a timer's interrupt does."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
from sit_firmware import image

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.loop import _check, control_step, home
from sit_sim.plant import Unit
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import X_S, X_V
from sit_sim.plant.needle import encoder
from sit_sim.plant.step import advance_tick, sample_tick

_TICK_US = 250
_PATTERN = 509  # ticks until it repeats


@kernel
def run_jittered(x: Any, k: Any, p: Any, w: Any, arrays: Any, ticks: int, until_home: int, late_us: Any) -> int:
    """`run_ticks` with the guard, each tick's encoder sampled `late_us` after the plant's, its clock in whole us."""
    state, inputs, outputs, params = arrays
    n = 0
    while n < ticks:
        sample_tick(x, k, p, w, inputs)
        tick = inputs[image.IN_TICK]
        late, before = late_us[tick % len(late_us)], late_us[(tick - 1) % len(late_us)]
        inputs[image.IN_PERIOD_US] = _TICK_US + math.floor(late) - math.floor(before)
        inputs[image.IN_ENC_UM] = encoder(x[X_S] + x[X_V] * late * 1e-6, p, w)
        if tick & 1 == 0:
            control_step(state, inputs, outputs, params)
        _check(state, inputs, outputs, params)
        state[image.ST_BEAT] += 1
        advance_tick(x, k, p, w, outputs)
        n += 1
        if until_home != 0 and home(x, state):
            break
    return n


class Jittered(Bench):
    """A bench whose ticks come up to `jitter_us` early or late, mostly by all of it."""

    def __init__(self, unit: Unit, seed: int, jitter_us: float, board: str = "") -> None:
        rng = random.Random(seed)
        part = rng.random()  # of a microsecond: where the clock's edges lie
        self.late_us: Any = np.array([rng.choice((-1, -1, 0, 1, 1)) * jitter_us + part for _ in range(_PATTERN)])
        super().__init__(unit, seed, board=board)

    def run(self, ticks: int, until_idle: bool = False) -> int:
        """Run ticks; with `until_idle` stop when the request is answered and the needle is home."""
        return run_jittered(*self.plant.arrays, self.arrays, ticks, int(until_idle), self.late_us)
