"""What else gives a dose: a syringe pump at constant rate, the same with a fixed dwell, a hand that presses.

Same plant, same needle axis (the firmware holds the depth for all of them), same syringe and seeds; only what moves the
plunger differs. The bore is known to each of them. Parameters and where they are from: docs/metering.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sit_firmware import codes, image

from sit_sim.campaign.bench import Bench
from sit_sim.campaign.loop import control_step
from sit_sim.plant.jit import kernel
from sit_sim.plant.layout import P_BEVEL, X_BURIED, X_S
from sit_sim.plant.noise import normal
from sit_sim.plant.step import advance_tick, sample_tick

_MOST_TICKS = 60_000
_LIFT_TICKS = 400
_PATIENCE_TICKS = 1_600
_CH_HAND = 60  # a channel of the noise that the plant doesn't use


class Pump(NamedTuple):
    """How the plunger is moved. A `force_mn` presses with this force instead of running at the rate."""

    name: str
    dwell_ms: int = 0
    force_mn: int = 0
    force_sd: float = 0.0  # of the force, from shot to shot
    reading_sd_nl: float = 0.0  # of where the plunger is stopped


@kernel
def run_pump(
    x: Any, k: Any, p: Any, w: Any, arrays: Any, goal: int, flow_q8: int, force_mn: int, dwell_ticks: int, ticks: int
) -> int:
    """Run one shot: the firmware moves the needle, `goal` steps are the pump's. Returns the ticks it took."""
    state, inputs, outputs, params = arrays
    given = 0
    rest_q8 = 0
    done_n = -1
    n = 0
    while n < ticks:
        sample_tick(x, k, p, w, inputs)
        if inputs[image.IN_TICK] & 1 == 0:
            control_step(state, inputs, outputs, params)
        outputs[image.OUT_STEPS] = 0
        if state[image.ST_PHASE] == codes.PHASE_DISPENSE:
            # the firmware's own metering is kept at its first look
            state[image.ST_PROBE] = image.PROBE_LOOK
            state[image.ST_PROBE_REF_PA] = 0
            state[image.ST_PROBE_TICK] = inputs[image.IN_TICK]
            chunk = 0
            if x[X_BURIED] < p[P_BEVEL] and given == 0:
                chunk = 0  # whoever works the pump sees that the skin has given way
                if n > _PATIENCE_TICKS:
                    state[image.ST_STOP] = 1
            elif given < goal:
                if force_mn == 0:
                    rest_q8 += flow_q8
                    chunk = rest_q8 >> 8
                    rest_q8 -= chunk << 8
                elif inputs[image.IN_LOAD_MN] < force_mn:
                    chunk = (force_mn - inputs[image.IN_LOAD_MN]) // 62 + 1
                    if chunk > 11:
                        chunk = 11
                if chunk > goal - given:
                    chunk = goal - given
                given += chunk
                outputs[image.OUT_STEPS] = chunk
            else:
                if done_n < 0:
                    done_n = n
                if n - done_n >= dwell_ticks:
                    state[image.ST_STOP] = 1
        outputs[image.OUT_TOKEN] = outputs[image.OUT_BRIDGE] | outputs[image.OUT_SWITCH]
        advance_tick(x, k, p, w, outputs)
        n += 1
        if state[image.ST_ACK_SEQ] == state[image.ST_REQ_SEQ] and x[X_S] == 0.0:
            if state[image.ST_PHASE] == codes.PHASE_IDLE:
                break
    return n


def pump_shot(bench: Bench, pump: Pump, number: int, depth_um: int, volume_nl: int, flow_nl_per_s: int) -> float | None:
    """Give one shot and lift; tissue volume in nl, None when the opening wasn't in tissue (no pump can know that)."""
    plant, state = bench.plant, bench.state
    before = plant.truth()["tissue_nl"]
    bench.post_shot(depth_um, volume_nl, flow_nl_per_s)
    step_nl = float(bench.params[image.P_STEP_NL_Q10]) / 1024
    goal_nl = volume_nl + pump.reading_sd_nl * normal(plant.seed, number, _CH_HAND)
    force_mn = pump.force_mn * (1 + pump.force_sd * normal(plant.seed, number, _CH_HAND + 1))
    ticks_ms = 1000 / int(bench.params[image.P_TICK_US])
    run_pump(
        *plant.arrays,
        bench.arrays,
        max(0, round(goal_nl / step_nl)),
        int(state[image.ST_ARG_FLOW_SPT]),
        round(force_mn),
        round(pump.dwell_ms * ticks_ms),
        _MOST_TICKS,
    )
    state[image.ST_STOP] = 0
    truth = plant.truth()
    bench.hold(False)
    bench.run(_LIFT_TICKS)
    if truth["shot"]["buried_max_um"] < plant.unit.bevel_m * 1e6:
        return None
    return float(plant.truth()["tissue_nl"] - before)
