"""The tick loop in one kernel: sample, control on even ticks, guard, advance."""

from __future__ import annotations

import math
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
def run_tick(x: Any, k: Any, p: Any, w: Any, arrays: Any, guarded: int) -> None:
    """One tick of device and plant; `guarded` 0 leaves the guard out: the token follows the drive's request."""
    state, inputs, outputs, params = arrays
    sample_tick(x, k, p, w, inputs)
    if inputs[image.IN_TICK] & 1 == 0:
        control_step(state, inputs, outputs, params)
    if guarded != 0:
        _check(state, inputs, outputs, params)
    else:
        outputs[image.OUT_TOKEN] = outputs[image.OUT_BRIDGE] | outputs[image.OUT_SWITCH]
    state[image.ST_BEAT] += 1
    advance_tick(x, k, p, w, outputs)


@kernel
def home(x: Any, state: Any) -> bool:
    """True once the request is answered and the needle parked."""
    if state[image.ST_ACK_SEQ] != state[image.ST_REQ_SEQ]:
        return False
    phase = state[image.ST_PHASE]
    return (phase == codes.PHASE_IDLE or phase == codes.PHASE_FAULT) and x[X_S] == 0.0


@kernel
def run_ticks(x: Any, k: Any, p: Any, w: Any, arrays: Any, ticks: int, until_home: int, guarded: int) -> int:
    """Run at most `ticks`, returns how many; `until_home` stops once the request is answered and the needle parked."""
    n = 0
    while n < ticks:
        run_tick(x, k, p, w, arrays, guarded)
        n += 1
        if until_home != 0 and home(x, arrays[0]):
            break
    return n


@kernel
def ask_shot(state: Any, params: Any, depth_um: int, volume_nl: int, flow_nl_per_s: int, dwell_ms: int) -> None:
    """Post a shot as the background would, armed."""
    step_nl = params[image.P_STEP_NL_Q10] / 1024.0
    tick_s = params[image.P_TICK_US] * 1e-6
    state[image.ST_ARMED] = 1
    state[image.ST_ARG_DEPTH_UM] = depth_um
    state[image.ST_ARG_VOLUME_NL] = volume_nl
    state[image.ST_ARG_STEPS] = math.floor(volume_nl / step_nl + 0.5)
    state[image.ST_ARG_FLOW_SPT] = math.floor(flow_nl_per_s / step_nl * tick_s * 256.0 + 0.5)
    state[image.ST_ARG_DWELL_TICKS] = dwell_ms * 1000 // params[image.P_TICK_US]
    state[image.ST_ARG_MAX_STEPS] = math.floor((volume_nl * 1.25 + 2500.0) / step_nl + 0.5)
    state[image.ST_REQ] = codes.REQ_SHOT
    state[image.ST_REQ_SEQ] += 1
