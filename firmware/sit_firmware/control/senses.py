"""Senses: trigger and contact debounced, plunger force and pressure filtered. Tick domain, each control step.

The filters run only while something is under way: at rest a value is the last sample alone, so that a run whose idle
time was skipped sees what an unskipped one sees.
"""

from sit_firmware import codes, image

_COUNT_MASK = (1 << 30) - 1


def sense(state, inputs, outputs, params):
    """Updates ST_TRIGGER_*, ST_CONTACT_OK, ST_LOAD_MN, ST_PRESS_PA, ST_DEPTH_UM and the peaks."""
    trigger = inputs[image.IN_TRIGGER]
    if trigger == state[image.ST_TRIGGER_OK]:
        state[image.ST_TRIGGER_RUN] = 0
    else:
        run = state[image.ST_TRIGGER_RUN] + 2
        if run >= params[image.P_DEBOUNCE_TICKS]:
            run = 0
            state[image.ST_TRIGGER_OK] = trigger
            if trigger:
                state[image.ST_TRIGGER_N] = (state[image.ST_TRIGGER_N] + 1) & _COUNT_MASK
        state[image.ST_TRIGGER_RUN] = run

    # contact needs switch and force; a lower force keeps it than makes it
    least = params[image.P_CONTACT_ON_MN]
    if state[image.ST_CONTACT_OK]:
        least = params[image.P_CONTACT_OFF_MN]
    contact = 0
    if inputs[image.IN_CONTACT] and inputs[image.IN_CONTACT_MN] >= least:
        contact = 1
    if contact == state[image.ST_CONTACT_OK]:
        state[image.ST_CONTACT_RUN] = 0
    else:
        run = state[image.ST_CONTACT_RUN] + 2
        if run >= params[image.P_DEBOUNCE_TICKS]:
            run = 0
            state[image.ST_CONTACT_OK] = contact
        state[image.ST_CONTACT_RUN] = run

    load = inputs[image.IN_LOAD_MN]
    press = inputs[image.IN_PRESS_PA]
    if state[image.ST_PHASE] != codes.PHASE_IDLE:
        load = (state[image.ST_LOAD_MN] + load) >> 1
        press = (state[image.ST_PRESS_PA] + press) >> 1
        if load > state[image.ST_PEAK_LOAD_MN]:
            state[image.ST_PEAK_LOAD_MN] = load
        if press > state[image.ST_PEAK_PA]:
            state[image.ST_PEAK_PA] = press
        if inputs[image.IN_ENC_UM] - state[image.ST_ZERO_UM] > state[image.ST_PEAK_UM]:
            state[image.ST_PEAK_UM] = inputs[image.IN_ENC_UM] - state[image.ST_ZERO_UM]
    state[image.ST_LOAD_MN] = load
    state[image.ST_PRESS_PA] = press
    state[image.ST_DEPTH_UM] = inputs[image.IN_ENC_UM] - state[image.ST_ZERO_UM]
