"""A shot of a run, DISPENSE: as the careful one, but nothing is waited for. Tick domain.

The probe begins while the needle still lands, and the dose is pushed once both are done. The plunger is turned round
while fluid still flows, early by what passes the tip until the suck-back has ended the flow. That volume is the flow at
the turn times a time which each shot measures for the next one. What was given is read after the suck-back, where
neither compliance nor flow has a part in it: only for a syringe that a careful shot has measured (control/learn.py).
"""

from sit_firmware import codes, image
from sit_firmware.control.learn import still
from sit_firmware.control.plunger import run
from sit_firmware.control.probe import probe


def lands(state, inputs, outputs, params):
    """INSERT: near the depth with the opening behind the plane, the probe may begin."""
    tick = inputs[image.IN_TICK]
    near = state[image.ST_TARGET_UM] - params[image.P_EARLY_UM]
    if inputs[image.IN_ENC_UM] >= near and state[image.ST_DEPTH_UM] >= params[image.P_BEVEL_UM]:
        state[image.ST_SETTLED_TICK] = tick
        state[image.ST_PHASE] = codes.PHASE_DISPENSE
        state[image.ST_PHASE_TICK] = tick


def give(state, inputs, outputs, params):
    """DISPENSE: the probe, then the push until what is given and what is in flight are the dose."""
    needle = state[image.ST_NEEDLE_NL]
    rate = state[image.ST_RATE_Q4]
    rate += (((needle - state[image.ST_WAS_NL]) << 4) - rate) >> 2
    state[image.ST_RATE_Q4] = rate
    state[image.ST_WAS_NL] = needle
    if state[image.ST_PROBE] != image.PROBE_IN_TISSUE or state[image.ST_SETTLE_N] < params[image.P_SETTLE_N]:
        if state[image.ST_PROBE] != image.PROBE_IN_TISSUE:
            probe(state, inputs, outputs, params)
        state[image.ST_RATE_Q4] = 0
        return
    left = state[image.ST_GOAL_NL] - needle - ((rate * state[image.ST_FLIGHT_Q4]) >> 8)
    if left <= rate >> 5 or state[image.ST_PL_CMD] + 2 > state[image.ST_ARG_MAX_STEPS]:
        turn(state, inputs, outputs, params)
        return
    # as much as the line holds below the highest pressure: the plunger slows down towards it
    room = (((params[image.P_PRESS_SOFT_PA] - state[image.ST_PRESS_PA]) >> 4) * state[image.ST_SOFT_Q14]) >> 14
    if room < 0:
        room = 0
    state[image.ST_PL_GO_NL] = room
    run(state, inputs, outputs, params)


def turn(state, inputs, outputs, params):
    """The plunger turns: from here on only what is in flight is given."""
    state[image.ST_END_UM] = state[image.ST_DEPTH_UM]
    state[image.ST_AT_NL] = state[image.ST_NEEDLE_NL]
    state[image.ST_SUCK] = 1
    state[image.ST_PHASE] = codes.PHASE_DWELL
    state[image.ST_PHASE_TICK] = inputs[image.IN_TICK]


def given(state, inputs, outputs, params):
    """The pressure is off: what was given, and how long the flow has lasted since the turn."""
    if not inputs[image.IN_CONTACT]:  # lifted meanwhile: what was in flight may have run out
        state[image.ST_END_RESULT] = codes.RESULT_PARTIAL
        state[image.ST_END_CAUSE] = codes.CAUSE_CONTACT
    still(state, inputs, outputs, params)
    needle = state[image.ST_STILL_NL] + state[image.ST_SLACK_NL]
    state[image.ST_TISSUE_NL] = needle - state[image.ST_LOST_NL]
    rate = state[image.ST_RATE_Q4]
    flight = needle - state[image.ST_AT_NL]
    if rate > 0 and flight > 0 and flight < 8192:
        state[image.ST_FLIGHT_Q4] += ((flight << 8) // rate - state[image.ST_FLIGHT_Q4]) >> 1
