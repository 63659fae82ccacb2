"""The tick loop in one kernel: sample, control on even ticks, guard, advance."""

from __future__ import annotations

from typing import Any

from sit_firmware import codes, image
from sit_firmware.control import step
from sit_firmware.guard import check

from sit_sim.campaign.compiled import tick_function
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import X_S
from sit_sim.plant.step import advance_tick, sample_tick

control_step = tick_function(step)
_check = tick_function(check)


@kernel
def run_ticks(x: Any, k: Any, p: Any, w: Any, arrays: Any, ticks: int, until_idle: int, guarded: int) -> int:
    """Run at most `ticks`, returns how many; with `until_idle` stop once the request is answered and the needle home.

    `guarded` 0 leaves the guard out: the token is given whenever the drive is asked for.
    """
    state, inputs, outputs, params = arrays
    n = 0
    while n < ticks:
        sample_tick(x, k, p, w, inputs)
        if inputs[image.IN_TICK] & 1 == 0:
            control_step(state, inputs, outputs, params)
        if guarded != 0:
            _check(state, inputs, outputs, params)
        else:
            outputs[image.OUT_TOKEN] = outputs[image.OUT_BRIDGE] | outputs[image.OUT_SWITCH]
        state[image.ST_BEAT] += 1
        advance_tick(x, k, p, w, outputs)
        n += 1
        if until_idle != 0 and state[image.ST_ACK_SEQ] == state[image.ST_REQ_SEQ]:
            phase = state[image.ST_PHASE]
            if (phase == codes.PHASE_IDLE or phase == codes.PHASE_FAULT) and x[X_S] == 0.0:
                break
    return n
